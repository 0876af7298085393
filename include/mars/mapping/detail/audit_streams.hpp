// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/detail/kernels_of.hpp>
#include <mars/mapping/detail/audit.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/mapping/violation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::detail::audit {

template <deferred = when_called>
[[nodiscard]] auto numbered(char const* what, std::size_t i) -> std::string {
  return std::string{what} + "[" + std::to_string(i) + "]";
}

/// One stream of every operator, a launch order, and more than stream 0 only where kernels are
/// launched. True if so, or if there are no streams. Precondition: sets and placements are sound.
template <class System, deferred D = when_called>
auto audit_streams(later<std::vector<operation const*>, D> const& ops, mapping const& m,
                   System const& system, bool has_host, later<std::vector<violation>, D>& found)
    -> bool {
  if (!m.is_streamed()) return true;
  auto const before = found.size();
  if (m.streams.size() != ops.size())
    found.push_back({violation_kind::bad_streams, "streams",
                     std::to_string(m.streams.size()) + " streams of " +
                         std::to_string(ops.size()) + " operators"});
  else if (!m.is_scheduled())
    found.push_back(
        {violation_kind::bad_streams, "streams", "streams of a mapping without a launch order"});
  else if (has_host)
    found.push_back({violation_kind::no_streams, "streams",
                     "streams of accelerators that are staged through a host"});
  if (found.size() != before) return false;

  constexpr auto nobody = static_cast<std::size_t>(-1);
  later<std::vector<std::size_t>, D> without; // by set: a member whose design launches no kernels
  for (auto const& set : m.sets) {
    auto& member = without.emplace_back(nobody);
    for (auto const a : set.accelerators)
      for (auto const& d : system.accelerators[a.index()].designs())
        if (std::string_view{d.name()} == set.design && device_of(d) == nullptr && member == nobody)
          member = a.index();
  }
  for (std::size_t v = 0; v < ops.size(); ++v) {
    auto const s = m.operators[v].set.index();
    if (m.streams[v].value == 0 || without[s] == nobody) continue;
    found.push_back({violation_kind::no_streams, numbered("operators", v) + ".stream",
                     std::string{"operator '"} + ops[v]->name + "' is on stream " +
                         std::to_string(m.streams[v].value) + " of accelerator " +
                         std::to_string(without[s]) + ", whose design '" + m.sets[s].design +
                         "' launches no kernels"});
  }
  return found.size() == before;
}

/// Times of a schedule come from whole picoseconds: a difference below half of one is none.
inline constexpr double instant = 0.5e-12;

/// What runs one after another: an accelerator, or a stream of one.
using lane = std::pair<std::size_t, std::uint32_t>;

/// Accelerators, or their streams, start operators in the launch order.
template <deferred D = when_called>
void audit_launches(later<std::vector<operation const*>, D> const& ops, later<mapping, D> const& m,
                    std::span<time_span const> schedule, later<std::vector<violation>, D>& found) {
  later<std::map<lane, std::size_t>, D> last;
  for (auto const id : m.launch_order) {
    auto const v = id.index();
    for (auto const a : m.sets[m.operators[v].set.index()].accelerators) {
      auto const [before, fresh] = last.try_emplace(lane{a.index(), m.stream_of(id).value}, v);
      if (!fresh && schedule[v].start.count() < schedule[before->second].start.count() - instant) {
        found.push_back({violation_kind::out_of_order, numbered("schedule", v),
                         std::string{"operator '"} + ops[v]->name + "' starts before '" +
                             ops[before->second]->name + "', launched earlier on accelerator " +
                             std::to_string(a.index())});
        break;
      }
      before->second = v;
    }
  }
}

/// One operator at a time in each lane.
template <deferred D = when_called>
void audit_turns(later<std::vector<operation const*>, D> const& ops, later<mapping, D> const& m,
                 std::span<time_span const> schedule, later<std::vector<violation>, D>& found) {
  later<std::map<lane, std::vector<std::size_t>>, D> runs;
  for (std::size_t v = 0; v < ops.size(); ++v)
    if (schedule[v].end.count() - schedule[v].start.count() > instant)
      for (auto const a : m.sets[m.operators[v].set.index()].accelerators)
        runs[lane{a.index(), m.stream_of(operator_id{v}).value}].push_back(v);
  for (auto& [where, of_one] : runs) {
    std::sort(of_one.begin(), of_one.end(), [&](std::size_t a, std::size_t b) {
      return schedule[a].start != schedule[b].start ? schedule[a].start < schedule[b].start : a < b;
    });
    std::size_t last = 0; // of those begun, the one that ends last
    for (std::size_t i = 1; i < of_one.size(); ++i) {
      auto const v = of_one[i];
      auto const other = of_one[last];
      if (schedule[v].start.count() < schedule[other].end.count() - instant)
        found.push_back({violation_kind::busy_accelerator, numbered("schedule", v),
                         std::string{"operator '"} + ops[v]->name + "' starts while '" +
                             ops[other]->name + "' still runs on the same " +
                             (m.is_streamed() ? "stream" : "accelerators")});
      if (schedule[v].end > schedule[other].end) last = i;
    }
  }
}

} // namespace mars::detail::audit
