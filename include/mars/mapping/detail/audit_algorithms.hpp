// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/mapping/detail/audit.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/mapping/violation.hpp>
#include <mars/workload/shard.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mars::detail::audit {

/// What the algorithm of an operator does to the memory of one device.
struct algorithm_use {
  std::optional<std::int64_t> weights{}; ///< bytes of the first one in a phase, in its own form
  std::int64_t workspace{};
  std::string reads{plain_format};
  std::string writes{plain_format};
};

/// May an operator without an algorithm run in any format?
[[nodiscard]] inline auto may_carry(op_kind kind) -> bool {
  for (auto const bound :
       {op_kind::convolution, op_kind::matmul, op_kind::reduction, op_kind::reshape,
        op_kind::transpose, op_kind::gather, op_kind::lstm, op_kind::gru, op_kind::opaque})
    if (kind == bound) return false;
  return true;
}

/// The largest phase of one device's shard.
[[nodiscard]] inline auto phase_of(operation const& op, sharding const& s, std::size_t set_size,
                                   std::size_t rank) -> shard {
  auto const mine = seat{op, s, set_size, rank}.iterations();
  extents e;
  for (std::size_t d = 0; d < op.dims.size(); ++d) e.push_back(mine.side[d].length());
  if (s.shared) e[s.shared->dim] = longest_share(e[s.shared->dim], s.shared->ways);
  return shard{op, e};
}

/// By rank, what the designs of a set list for an operator and let choose. Precondition: set and sharding
/// are sound.
template <class System, deferred D = when_called>
[[nodiscard]] auto listed_algorithms(later<operation, D> const& op, sharding const& s,
                                     accelerator_set const& set, System const& system)
    -> later<std::vector<std::vector<algorithm_time>>, D> {
  auto const size = set.accelerators.size();
  auto const* rotates = rotating(op, s, size);
  operand const* first_weight = nullptr;
  for (auto const& t : op.operands)
    if (first_weight == nullptr && t.role == role::weight) first_weight = &t;
  later<std::vector<std::vector<algorithm_time>>, D> listed(size);
  for (std::size_t rank = 0; rank < size; ++rank)
    for (auto const& d : system.accelerators[set.accelerators[rank].index()].designs()) {
      if (std::string_view{d.name()} != set.design) continue;
      if constexpr (AlgorithmicDesign<std::remove_cvref_t<decltype(d)>>)
        if (lets_choose(d)) {
          auto const part = phase_of(op, s, size, rank);
          for (algorithm_time const& a : d.algorithms(part))
            if (!a.weights || (first_weight != nullptr && rotates != first_weight))
              listed[rank].push_back(a);
        }
      break;
    }
  return listed;
}

/// Of one algorithm: the entry of each rank, all with the formats of the first; null where it is missing.
[[nodiscard]] inline auto entries_of(std::vector<std::vector<algorithm_time>> const& listed,
                                     std::string_view name) -> std::vector<algorithm_time const*> {
  std::vector<algorithm_time const*> entries(listed.size());
  for (std::size_t rank = 0; rank < listed.size(); ++rank)
    for (auto const& a : listed[rank])
      if (a.name == name && entries[rank] == nullptr &&
          (rank == 0 || (entries[0] != nullptr && a.input_format == entries[0]->input_format &&
                         a.output_format == entries[0]->output_format)))
        entries[rank] = &a;
  return entries;
}
[[nodiscard]] inline auto leaves_formats_open(algorithm_time const& a) -> bool {
  return a.input_format.empty() && a.output_format.empty();
}

/// By rank, what an operator's algorithm does; nothing: what it names is not there, and that is reported.
/// Without a name it is the first of the fastest that every member lists, if there is one; in a mapping
/// with a launch order none. Precondition: set and sharding are sound.
template <class System, deferred D = when_called>
[[nodiscard]] auto algorithm_uses(later<operation, D> const& op, later<mapping, D> const& m,
                                  std::size_t v, System const& system,
                                  later<std::vector<violation>, D>* found)
    -> later<std::vector<algorithm_use>, D> {
  auto const& placed = m.operators[v];
  auto const& set = m.sets[placed.set.index()];
  later<std::vector<algorithm_use>, D> uses;
  auto const bad = [&](violation_kind kind, char const* where, std::string why) {
    if (found != nullptr)
      found->push_back({kind, std::string{"operators["} + std::to_string(v) + "]." + where,
                        std::string{"operator '"} + op.name + "' " + std::move(why)});
    return later<std::vector<algorithm_use>, D>{};
  };
  bool const unnamed = placed.algorithm.empty();
  later<std::vector<std::vector<algorithm_time>>, D> listed(1);
  if (!unnamed || !m.is_scheduled()) listed = listed_algorithms(op, placed.sharding, set, system);
  later<std::vector<algorithm_time const*>, D> chosen;
  if (!unnamed) chosen = entries_of(listed, placed.algorithm);
  bool common = false;
  picoseconds least{};
  for (std::size_t i = 0; unnamed && i < listed.front().size(); ++i) {
    auto const entries = entries_of(listed, listed.front()[i].name);
    seconds slowest{};
    bool everywhere = true;
    for (auto const* a : entries) {
      everywhere = everywhere && a != nullptr;
      if (a != nullptr && a->time.total > slowest) slowest = a->time.total;
    }
    common = common || everywhere;
    if (!everywhere || (!placed.format.empty() && !leaves_formats_open(*entries[0]))) continue;
    auto const takes = to_picoseconds(slowest);
    if (!chosen.empty() && least <= takes) continue;
    chosen = entries;
    least = takes;
  }
  if (unnamed && chosen.empty()) {
    if (!placed.format.empty() && (common || !may_carry(op.kind)))
      return bad(violation_kind::bad_format, "format",
                 "has no algorithm that works in a format of choice");
    auto const format = placed.format.empty() ? std::string{plain_format} : placed.format;
    uses.assign(set.accelerators.size(), {.reads = format, .writes = format});
    return uses;
  }
  for (std::size_t rank = 0; rank < chosen.size(); ++rank) {
    if (chosen[rank] == nullptr)
      return bad(violation_kind::unknown_algorithm, "algorithm",
                 std::string{"runs as '"} + placed.algorithm + "', which design '" + set.design +
                     "' of accelerator " + std::to_string(set.accelerators[rank].value) +
                     " does not list for it");
    algorithm_time const& a = *chosen[rank];
    bool const open = leaves_formats_open(a);
    if (!open && !placed.format.empty())
      return bad(violation_kind::bad_format, "format", "names a format that its algorithm decides");
    auto& use = uses.emplace_back();
    use.workspace = a.workspace.count();
    if (a.weights) use.weights = a.weights->count();
    if (!open || !placed.format.empty()) {
      use.reads = open ? placed.format : std::string{a.input_format};
      use.writes = open ? placed.format : std::string{a.output_format};
    }
  }
  return uses;
}

} // namespace mars::detail::audit
