// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/audit_order.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/stream_violation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

/// Form first; what an order means only if it is one; limits only of what can run.
template <deferred D = when_called>
class basic_stream_audit {
public:
  basic_stream_audit(later<stream_graph, D> const& g, later<stream_schedule, D> const& schedule)
      : g_{g}, s_{schedule} {}

  [[nodiscard]] auto operator()(stream_limits const& limits)
      -> later<std::vector<stream_violation>, D> {
    if (audit_sizes() && audit_streams() && audit_order() && audit_stages() && audit_groups())
      audit_limits(limits);
    return std::move(found_);
  }

private:
  using kind = stream_violation_kind;

  [[nodiscard]] static auto at(char const* what, std::size_t i) -> std::string {
    return std::string{what} + "[" + std::to_string(i) + "]";
  }
  [[nodiscard]] auto quoted(std::size_t v) const -> std::string {
    return std::string{"'"} + g_.nodes[v].name + "'";
  }
  auto report(kind k, std::string path, std::string message) -> bool {
    found_.push_back({k, std::move(path), std::move(message)});
    return false;
  }

  [[nodiscard]] auto audit_sizes() -> bool {
    auto const one_each = [&](char const* what, std::size_t size) {
      return size == g_.size() ||
             report(kind::wrong_size, what,
                    std::to_string(size) + " entries, nodes: " + std::to_string(g_.size()));
    };
    bool const streams = one_each("stream_of", s_.stream_of.size());
    bool const order = one_each("launch_order", s_.launch_order.size());
    return (s_.stage_of.empty() || one_each("stage_of", s_.stage_of.size())) && streams && order;
  }

  [[nodiscard]] auto audit_streams() -> bool {
    later<std::vector<char>, D> used(g_.size());
    std::size_t streams = 0;
    for (std::size_t v = 0; v < g_.size(); ++v) {
      auto const s = s_.stream_of[v].index();
      if (s >= g_.size())
        return report(kind::unknown_stream, at("stream_of", v),
                      quoted(v) + " is on stream " + std::to_string(s) +
                          ", nodes: " + std::to_string(g_.size()));
      used[s] = 1;
      streams = std::max(streams, s + 1);
    }
    for (std::size_t s = 0; s < streams; ++s)
      if (used[s] == 0)
        return report(kind::idle_stream, "stream_of",
                      std::string{"stream "} + std::to_string(s) + " of " +
                          std::to_string(streams) + " runs nothing");
    return true;
  }

  [[nodiscard]] auto audit_order() -> bool {
    auto const n = g_.size();
    place_.assign(n, n);
    for (std::size_t i = 0; i < n; ++i) {
      auto const v = s_.launch_order[i];
      if (v >= n)
        return report(kind::unknown_node, at("launch_order", i),
                      std::string{"node "} + std::to_string(v) + " of a graph of " +
                          std::to_string(n));
      if (place_[v] != n)
        return report(kind::repeated_node, at("launch_order", i), quoted(v) + " again");
      place_[v] = i;
    }
    for (std::size_t v = 0; v < n; ++v)
      for (auto const p : g_.nodes[v].inputs)
        if (place_[p] > place_[v])
          return report(kind::precedence, at("launch_order", place_[v]),
                        quoted(v) + " comes before " + quoted(p) + ", whose result it reads");
    return true;
  }

  [[nodiscard]] auto audit_stages() -> bool {
    if (s_.stage_of.empty()) return true;
    for (std::size_t i = 1; i < g_.size(); ++i) {
      auto const u = s_.launch_order[i - 1], v = s_.launch_order[i];
      if (s_.stage_of[v] < s_.stage_of[u])
        return report(kind::backward_stage, at("stage_of", v),
                      quoted(v) + " of stage " + std::to_string(s_.stage_of[v]) +
                          " is launched after " + quoted(u) + " of stage " +
                          std::to_string(s_.stage_of[u]));
    }
    return true;
  }

  [[nodiscard]] auto audit_groups() -> bool {
    later<std::vector<char>, D> grouped(g_.size());
    bool good = true;
    for (std::size_t g = 0; g < s_.merged.size() && good; ++g) {
      auto const& group = s_.merged[g];
      auto const bad = [&](std::string message) {
        return report(kind::bad_group, at("merged", g), std::move(message));
      };
      if (group.empty()) return bad("a group of no nodes");
      auto first = g_.size(), last = std::size_t{};
      for (auto const v : group) {
        if (v >= g_.size())
          return bad(std::string{"node "} + std::to_string(v) + " of a graph of " +
                     std::to_string(g_.size()));
        if (grouped[v] != 0) return bad(quoted(v) + " is merged twice");
        grouped[v] = 1;
        first = std::min(first, place_[v]);
        last = std::max(last, place_[v]);
      }
      auto const leader = s_.launch_order[first];
      if (last - first + 1 != group.size()) {
        auto i = first;
        while (std::find(group.begin(), group.end(), s_.launch_order[i]) != group.end()) ++i;
        good = bad(quoted(s_.launch_order[i]) + " is launched between " + quoted(leader) + " and " +
                   quoted(s_.launch_order[last]));
      }
      for (auto const v : group) {
        if (s_.stream_of[v] != s_.stream_of[leader])
          good = bad(quoted(leader) + " and " + quoted(v) + " are on streams " +
                     std::to_string(s_.stream_of[leader].index()) + " and " +
                     std::to_string(s_.stream_of[v].index()));
        if (!s_.stage_of.empty() && s_.stage_of[v] != s_.stage_of[leader])
          good =
              bad(quoted(leader) + " and " + quoted(v) + " are in stages " +
                  std::to_string(s_.stage_of[leader]) + " and " + std::to_string(s_.stage_of[v]));
        for (auto const p : g_.nodes[v].inputs)
          if (std::find(group.begin(), group.end(), p) != group.end())
            good = bad(quoted(v) + " reads the result of " + quoted(p));
      }
    }
    return good;
  }

  void audit_limits(stream_limits const& limits) {
    auto const over = [&](kind k, char const* what, auto have, auto limit) {
      if (have > limit)
        report(k, std::string{"limits."} + what,
               std::to_string(have) + " " + what + ", limit " + std::to_string(limit));
    };
    if (limits.streams != 0) over(kind::streams, "streams", s_.streams(), limits.streams);
    if (!limits.events && !limits.memory) return;
    basic_order_audit<D> const order{g_, s_};
    if (limits.events) over(kind::events, "events", order.events(), *limits.events);
    if (!limits.memory) return;
    auto const heaviest = order.heaviest();
    if (heaviest.size <= limits.memory->count()) return;
    std::string message = std::to_string(heaviest.size) + " bytes, limit " +
                          std::to_string(limits.memory->count()) + "; at once:";
    for (std::size_t i = 0; i < std::min<std::size_t>(3, heaviest.nodes.size()); ++i)
      message += std::string{i == 0 ? " " : ", "} + quoted(heaviest.nodes[i]);
    if (heaviest.nodes.size() > 3)
      message += ", … (" + std::to_string(heaviest.nodes.size()) + " results)";
    report(kind::memory, "limits.memory", std::move(message));
  }

  later<stream_graph, D> const& g_;
  later<stream_schedule, D> const& s_;
  later<std::vector<std::size_t>, D> place_{};
  later<std::vector<stream_violation>, D> found_{};
};

} // namespace detail

/// What keeps a schedule from running its graph within limits; nothing if it may. Stops at the first
/// fault of form. Shares nothing with the schedulers, nor with what they count events and memory by.
/// O(V + E); with a limit on events or memory V²/8 bytes, and on memory a maximum flow.
template <deferred D = when_called>
[[nodiscard]] auto validate(later<stream_graph, D> const& g,
                            later<stream_schedule, D> const& schedule,
                            stream_limits const& limits = {})
    -> later<std::vector<stream_violation>, D> {
  return detail::basic_stream_audit<D>{g, schedule}(limits);
}

/// The same within the problem's limits, and whether merged nodes have a kernel.
template <deferred D = when_called>
[[nodiscard]] auto validate(later<stream_problem, D> const& problem,
                            later<stream_schedule, D> const& schedule)
    -> later<std::vector<stream_violation>, D> {
  auto found = validate<D>(problem.graph(), schedule, problem.limits());
  if (!found.empty()) return found;
  for (std::size_t g = 0; g < schedule.merged.size(); ++g)
    if (!problem.merged(schedule.merged[g]))
      found.push_back({stream_violation_kind::unmergeable, "merged[" + std::to_string(g) + "]",
                       std::string{"no kernel runs '"} +
                           problem.node(schedule.merged[g].front()).name + "' and those with it"});
  return found;
}

} // namespace mars
