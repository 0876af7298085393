// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/detail/bit_rows.hpp>
#include <mars/scheduling/detail/max_flow.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars::detail {

/// What runs before what under a schedule, straight from the definition: a step (a node, or merged
/// nodes) comes after the one before it on its stream, after the steps whose results it reads, after all
/// of earlier stages, and after what those come after. From this, events and memory, for `validate`.
/// Precondition: the form is valid. O(V²) time, V²/4 bytes.
template <deferred D = when_called>
class basic_order_audit {
  using numbers = later<std::vector<std::uint32_t>, D>;

public:
  struct heap {
    std::int64_t size{};
    numbers nodes{};
  };

  basic_order_audit(later<stream_graph, D> const& g, later<stream_schedule, D> const& schedule)
      : g_{g},
        s_{schedule},
        step_of_(g.size()),
        before_(number_steps(), g.size()),
        inputs_(nodes_of_.size()) {
    for (std::size_t i = 0; i < nodes_of_.size(); ++i) {
      auto const here = [&](std::size_t j) { return s_.stream_of[nodes_of_[j][0]]; };
      auto const stage = [&](std::size_t j) {
        return s_.stage_of.empty() ? 0 : s_.stage_of[nodes_of_[j][0]];
      };
      bool found = false;
      for (std::size_t j = i; j-- > 0;) {
        if (stage(j) != stage(i)) {
          come_after(i, j);
        } else if (!found && here(j) == here(i)) {
          come_after(i, j);
          found = true;
          last_.push_back(static_cast<std::uint32_t>(j));
        }
      }
      if (!found) last_.push_back(nothing);
      for (auto const v : nodes_of_[i])
        for (auto const p : g_.nodes[v].inputs) {
          auto const j = step_of_[p];
          come_after(i, j);
          if (here(j) != here(i) && stage(j) == stage(i)) inputs_[i].push_back(j);
        }
    }
  }

  /// Steps of which another on another stream reads a result that nothing else keeps it behind.
  [[nodiscard]] auto events() const -> std::size_t {
    later<std::vector<char>, D> records(nodes_of_.size());
    for (std::size_t i = 0; i < nodes_of_.size(); ++i)
      for (auto const p : inputs_[i]) {
        bool implied = last_[i] != nothing && before_.has(last_[i], p);
        for (auto const q : inputs_[i]) implied = implied || before_.has(q, p);
        if (!implied) records[p] = 1;
      }
    return static_cast<std::size_t>(std::count(records.begin(), records.end(), 1));
  }

  /// The heaviest results of which no two can share memory: all of them less the most that can be
  /// handed on, from each to the next that may take it, there or further.
  [[nodiscard]] auto heaviest() const -> heap {
    auto const n = nodes_of_.size();
    auto const last_uses = this->last_uses();
    later<std::vector<std::int64_t>, D> size(n);
    for (std::uint32_t i = 0; i < n; ++i)
      for (auto const v : nodes_of_[i]) size[i] += g_.nodes[v].output.count();
    // Nodes 2t and 2t + 1: the result when it is over, and when it is written.
    auto const source = 2 * n, sink = source + 1;
    basic_max_flow<D> flow{2 * n + 2};
    basic_bit_rows<D> over{n, n}, handed{1, n};
    heap most;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (size[i] == 0) continue;
      most.size += size[i];
      flow.add_arc(source, 2 * i, size[i]);
      flow.add_arc(2 * i + 1, sink, size[i]);
      flow.add_arc(2 * i + 1, 2 * i, flow.unlimited); // takes it and hands it on
      basic_bit_rows<D> reached{1, n};
      for (auto t = i; t-- > 0;) {
        bool const ended =
            size[t] > 0 && std::all_of(last_uses[t].begin(), last_uses[t].end(), [&](auto const r) {
              return r != nothing && before_.has(i, r);
            });
        if (!ended) continue;
        over.set(i, t);
        if (reached.has(0, t)) continue;
        flow.add_arc(2 * t, 2 * i + 1, flow.unlimited);
        for (std::uint32_t u = 0; u < t; ++u)
          if (over.has(t, u)) reached.set(0, u);
      }
    }
    most.size -= flow(source, sink);
    for (std::uint32_t i = 0; i < n; ++i)
      if (size[i] > 0 && flow.reached(2 * i) && !flow.reached(2 * i + 1))
        most.nodes.insert(most.nodes.end(), nodes_of_[i].begin(), nodes_of_[i].end());
    return most;
  }

private:
  static constexpr std::uint32_t nothing = 0xFFFF'FFFFU;

  [[nodiscard]] auto number_steps() -> std::size_t {
    for (auto const v : s_.launch_order) {
      auto const joins = std::find_if(s_.merged.begin(), s_.merged.end(), [&](auto const& group) {
        return !nodes_of_.empty() && std::find(group.begin(), group.end(), v) != group.end() &&
               std::find(group.begin(), group.end(), nodes_of_.back()[0]) != group.end();
      });
      if (joins == s_.merged.end()) nodes_of_.emplace_back();
      nodes_of_.back().push_back(v);
      step_of_[v] = static_cast<std::uint32_t>(nodes_of_.size() - 1);
    }
    return nodes_of_.size();
  }
  /// Of each step those that need its result, `nothing` among them if it is a result of the whole: who
  /// reads it, and, of readers that launch nothing and have no memory, who reads those.
  [[nodiscard]] auto last_uses() const -> std::vector<numbers> {
    std::vector<numbers> consumers(g_.size()), uses(nodes_of_.size());
    for (std::uint32_t v = 0; v < g_.size(); ++v)
      for (auto const p : g_.nodes[v].inputs) consumers[p].push_back(v);
    for (std::uint32_t t = 0; t < g_.size(); ++t) {
      auto& all = uses[step_of_[t]];
      numbers names{t}; // of the same memory
      later<std::vector<char>, D> seen(g_.size());
      while (!names.empty()) {
        auto const v = names.back();
        names.pop_back();
        if (consumers[v].empty()) all.push_back(nothing);
        for (auto const c : consumers[v]) {
          if (seen[c] != 0) continue;
          seen[c] = 1;
          auto const& node = g_.nodes[c];
          if (node.kernels.empty() && node.output == bytes{})
            names.push_back(c);
          else
            all.push_back(step_of_[c]);
        }
      }
    }
    return uses;
  }
  void come_after(std::size_t i, std::size_t j) {
    before_.unite(i, j);
    before_.set(i, j);
  }

  later<stream_graph, D> const& g_;
  later<stream_schedule, D> const& s_;
  std::vector<numbers> nodes_of_{}; ///< of each step
  numbers step_of_;
  basic_bit_rows<D> before_;
  std::vector<numbers> inputs_; ///< of each step, on other streams
  numbers last_{};              ///< before it on its stream, of the same stage
};

} // namespace mars::detail
