// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/cost/concept.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::detail {

/// One algorithm that every member of a set lists for its shard.
struct set_algorithm {
  std::string_view name{};
  std::string_view input_format{};
  std::string_view output_format{};
  std::int64_t workspace{};              ///< bytes, the most of any member
  std::optional<std::int64_t> weights{}; ///< bytes in one phase, the most of any member
  std::vector<shard_cost> cost{};        ///< by rank

  /// It writes what it reads, in any format.
  [[nodiscard]] auto carries() const -> bool {
    return input_format.empty() && output_format.empty();
  }
};

/// Operators that do to every element, or to neighbours along axes, what they do whatever the format:
/// without an algorithm they write the format they read. Others read and write the plain one.
[[nodiscard]] constexpr auto carries_formats(op_kind kind) -> bool {
  switch (kind) {
  case op_kind::pooling:
  case op_kind::elementwise:
  case op_kind::normalization:
  case op_kind::softmax:
  case op_kind::concat:
  case op_kind::split:
  case op_kind::slice:
  case op_kind::pad:
  case op_kind::resize: return true;
  default: return false;
  }
}

/// What an operator runs with, and what that adds to what its sharding alone says.
struct operator_run {
  std::vector<shard_cost> cost{}; ///< by rank; empty: the design's own choice
  std::string_view input_format{plain_format};
  std::string_view output_format{plain_format};
  std::int64_t resident{};  ///< bytes of weights
  std::int64_t transient{}; ///< bytes while it runs
};

/// What there is to choose: of designs that let choose (`ReorderingDesign`).
template <class Cost, AcceleratorDesign Design>
[[nodiscard]] auto algorithms_of([[maybe_unused]] Cost const& cost, [[maybe_unused]] shard const& s,
                                 [[maybe_unused]] Design const& design)
    -> std::vector<algorithm_cost> {
  std::vector<algorithm_cost> all;
  if constexpr (AlgorithmCostModelFor<Cost, Design>)
    if (lets_choose(design))
      for (auto const& a : cost.algorithms(s, design)) all.push_back(a);
  return all;
}

/// The first weight, whose form an algorithm decides. Null where a sharding passes it around: what
/// would cross the links then is known of the form it has in the graph alone.
template <deferred D = when_called>
[[nodiscard]] auto kept_weight(later<operation, D> const& o, sharding const& s, std::size_t p)
    -> operand const* {
  auto const* w = nth_operand(o, role::weight, 0);
  return w != nullptr && rotating_operand(o, s, p) == w ? nullptr : w;
}

/// What all members list, from `ask(number of a design, rank) -> range of algorithm_cost const&`: by name,
/// with the same formats. One that keeps weights in a form of its own is none for a sharding that passes
/// them around.
template <deferred D = when_called, class Ask>
[[nodiscard]] auto algorithms_on(later<operation, D> const& o, sharding const& s,
                                 std::span<std::uint32_t const> designs, Ask&& ask)
    -> later<std::vector<set_algorithm>, D> {
  later<std::vector<set_algorithm>, D> common;
  auto const* weight = kept_weight<D>(o, s, designs.size());
  for (std::size_t rank = 0; rank < designs.size(); ++rank) {
    auto const& listed = ask(designs[rank], rank);
    if (rank == 0)
      for (algorithm_cost const& a : listed)
        common.push_back({.name = a.how.name,
                          .input_format = a.how.input_format,
                          .output_format = a.how.output_format});
    std::erase_if(common, [&](set_algorithm& c) {
      for (algorithm_cost const& a : listed) {
        if (a.how.name != c.name || a.how.input_format != c.input_format ||
            a.how.output_format != c.output_format || (a.how.weights && weight == nullptr))
          continue;
        c.workspace = std::max(c.workspace, a.how.workspace.count());
        if (a.how.weights) c.weights = std::max(c.weights.value_or(0), a.how.weights->count());
        c.cost.push_back({a.how.time, a.energy});
        return false;
      }
      return true;
    });
    if (common.empty()) break;
  }
  return common;
}

/// The algorithm at work; `format` as in `placement`.
template <deferred D = when_called>
[[nodiscard]] auto run_of(later<operation, D> const& o, sharding const& s, std::size_t p,
                          set_algorithm const& a, std::string_view format) -> operator_run {
  auto const carried = format.empty() ? plain_format : format;
  operator_run run{.cost = a.cost,
                   .input_format = a.carries() ? carried : a.input_format,
                   .output_format = a.carries() ? carried : a.output_format,
                   .transient = a.workspace};
  if (auto const* weight = kept_weight<D>(o, s, p); weight != nullptr && a.weights) {
    // Of phases that each use a part of it, all parts are here.
    auto const parts = s.shared && indexes(*weight, s.shared->dim) ? s.shared->ways : 1;
    run.resident = *a.weights * parts - size_of(*weight, shard_extents(o, s)).count();
  }
  return run;
}

/// Rewriting what the members of a set hold of a tensor, all at the same time.
struct reorder_price {
  picoseconds time{};
  std::int64_t copy{}; ///< bytes of the rewritten tensor, of any member

  friend auto operator==(reorder_price const&, reorder_price const&) -> bool = default;
};

/// How a tensor lies: its format and the bits of an element.
struct element_form {
  std::string_view format{};
  int bits{};
};

/// What `design` takes to rewrite elements. One that states no price of it reads and writes them once;
/// without a bandwidth either, it cannot.
template <AcceleratorDesign Design>
[[nodiscard]] auto time_to_rewrite(Design const& design, std::int64_t elements, element_form from,
                                   element_form to) -> seconds {
  auto const wider = storage(elements, std::max(from.bits, to.bits));
  if constexpr (ReorderingDesign<Design>)
    if (lets_choose(design))
      return design.reorder(wider, from.format, from.format == to.format ? other_width : to.format);
  if constexpr (states_bandwidth<Design>) {
    bytes_per_second const rate = design.memory_bandwidth();
    if (rate.count() > 0 && rate.count() < std::numeric_limits<double>::infinity())
      return bytes{2 * wider.count()} / rate;
  }
  return elements == 0 ? seconds{} : infinite_seconds;
}

/// `held` by rank. A format that may be any needs no rewriting, whatever the width.
template <class Catalogue>
[[nodiscard]] auto price_of_reorder(Catalogue const& catalogue,
                                    std::span<std::uint32_t const> designs, layout const& held,
                                    element_form from, element_form to) -> reorder_price {
  reorder_price price;
  bool const widens = from.bits != to.bits;
  if (from.format.empty() || to.format.empty() || (from.format == to.format && !widens))
    return price;
  double slowest = 0;
  for (std::size_t rank = 0; rank < held.size(); ++rank) {
    auto const elements = volume(held[rank]);
    price.copy = std::max(price.copy, storage(elements, to.bits).count());
    slowest =
        std::max(slowest, time_to_rewrite(catalogue[designs[rank]], elements, from, to).count());
  }
  price.time = to_picoseconds(seconds{slowest});
  return price;
}

/// What the ends of a graph add to an operator: inputs that come from outside in the plain format, and
/// results of the graph that leave in it. `fed` and `results` are numbers of operands and outputs.
template <deferred D = when_called, class Catalogue>
[[nodiscard]] auto price_of_ends(later<operation, D> const& o, sharding const& s,
                                 Catalogue const& catalogue, std::span<std::uint32_t const> designs,
                                 operator_run const& run, std::span<std::uint16_t const> fed,
                                 std::span<std::uint16_t const> results) -> reorder_price {
  reorder_price all;
  auto const has = [](std::span<std::uint16_t const> list, std::size_t i) {
    return std::find(list.begin(), list.end(), i) != list.end();
  };
  auto const add = [&](layout const& held, int bits, std::string_view from, std::string_view to) {
    auto const one = price_of_reorder(catalogue, designs, held, {from, bits}, {to, bits});
    all.time = saturating_add(all.time, one.time);
    all.copy += one.copy;
  };
  std::size_t output = 0;
  for (std::size_t i = 0; i < o.operands.size(); ++i) {
    auto const& x = o.operands[i];
    if (x.role == role::input && run.input_format != plain_format && !has(fed, i))
      add(input_layout(o, x, s, designs.size()), x.element_bits, plain_format, run.input_format);
    if (x.role != role::output) continue;
    if (run.output_format != plain_format && has(results, output))
      add(output_layout(o, x, s, designs.size()), x.element_bits, run.output_format, plain_format);
    ++output;
  }
  return all;
}

/// By operator, the outputs that are results of the graph: what it says, or else what nobody reads.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto results_of(Graph const& g, std::size_t operators)
    -> later<std::vector<std::vector<std::uint16_t>>, D> {
  later<std::vector<std::vector<std::uint16_t>>, D> all(operators);
  if constexpr (requires { outputs(g); }) {
    for (auto const& result : outputs(g)) {
      auto& of = all[result.producer.index()];
      auto const output = static_cast<std::uint16_t>(result.output);
      if (std::find(of.begin(), of.end(), output) == of.end()) of.push_back(output);
    }
    for (auto& of : all) std::sort(of.begin(), of.end());
  } else {
    for (std::size_t v = 0; v < operators; ++v) {
      std::uint16_t output = 0;
      for (auto const& x : op(g, operator_id{v}).operands)
        if (x.role == role::output) all[v].push_back(output++);
    }
    for (std::size_t v = 0; v < operators; ++v)
      for (input_edge const e : inputs(g, operator_id{v}))
        std::erase(all[e.producer.index()], e.output);
  }
  return all;
}

/// What a placement asks for, on designs by rank; nothing: a member does not list it for its shard.
/// Without an algorithm, where there are some to choose from, it is the first of the fastest, with all
/// that this one needs.
template <deferred D = when_called, class Cost, class Catalogue>
[[nodiscard]] auto placed_run(later<operation, D> const& o, later<placement, D> const& placed,
                              Cost const& cost, Catalogue const& catalogue,
                              std::span<std::uint32_t const> designs)
    -> std::optional<operator_run> {
  std::vector<algorithm_cost> listed;
  auto const all = algorithms_on<D>(
      o, placed.sharding, designs,
      [&](std::uint32_t number, std::size_t rank) -> std::vector<algorithm_cost> const& {
        shard const part{o, rank_extents(o, placed.sharding, designs.size(), rank)};
        listed = algorithms_of(cost, part, catalogue[number]);
        return listed;
      });
  if (placed.algorithm.empty() && all.empty()) {
    operator_run run;
    if (placed.format.empty()) return run;
    run.input_format = run.output_format = placed.format;
    return carries_formats(o.kind) ? std::optional{run} : std::nullopt;
  }
  set_algorithm const* chosen = nullptr;
  picoseconds least{};
  for (auto const& a : all) {
    if (!placed.format.empty() && !a.carries()) continue;
    if (!placed.algorithm.empty() && a.name != placed.algorithm) continue;
    double slowest = 0;
    for (auto const& c : a.cost) slowest = std::max(slowest, c.time.total.count());
    auto const takes = to_picoseconds(seconds{slowest});
    if (chosen != nullptr && least <= takes) continue;
    chosen = &a;
    least = takes;
  }
  if (chosen == nullptr) return std::nullopt;
  return run_of<D>(o, placed.sharding, designs.size(), *chosen, placed.format);
}

} // namespace mars::detail
