// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/policy.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::scheduling {

/// To which reader a node hands its stream on.
enum class opara_version : std::uint8_t {
  journal,    ///< the first that asks, and has not been given one
  conference, ///< its first reader, or none
};

/// What makes a node go first among those of its class: less of this.
enum class opara_demand : std::uint8_t {
  shared_memory,        ///< of a block, of what an SM has
  max_of_three,         ///< the largest part of threads, registers, shared memory of an SM
  duration,             ///< alone
  arithmetic_intensity, ///< flop per byte of DRAM traffic
};

/// Which nodes are memory-bound; launches alternate between them and the others.
enum class opara_classes : std::uint8_t {
  by_intensity, ///< less arithmetic than traffic, in times of the device at its reachable rates
  by_name,      ///< names that contain a word published with Opara
  none,         ///< all alike, as in the conference version
};

/// Where the paper and the code that was released with it differ.
enum class opara_order : std::uint8_t {
  /// Streams in the order of the graph. Memory-bound nodes begin; then the class that was not used last.
  /// A node demands the most that one of its kernels does; without kernels, nothing.
  paper,
  /// Streams in the launch order. Classes alternate with every launch, computing ones first, also while
  /// one has nothing ready. The first kernel counts; nodes without kernels come last.
  released,
};

namespace detail {

/// Opara's Algorithm 1 over nodes in `order`, which is topological. O(V + E).
template <deferred D = when_called, class Dag>
[[nodiscard]] auto hand_on_streams(Dag const& dag,
                                   later<std::vector<std::uint32_t>, D> const& order,
                                   opara_version version) -> later<std::vector<stream_id>, D> {
  later<std::vector<stream_id>, D> stream_of(dag.size());
  later<std::vector<char>, D> given(dag.size()), seen(dag.size());
  std::size_t streams = 0;
  for (auto const v : order) {
    bool found = false;
    for (auto const p : dag.inputs(v)) {
      if (!found && given[p] == 0) {
        stream_of[v] = stream_of[p];
        given[p] = 1;
        found = true;
      }
      // The first reader takes the stream or nobody does.
      if (version == opara_version::conference) given[p] = 1;
    }
    if (!found) stream_of[v] = stream_id{streams++};
  }
  return stream_of;
}

/// Opara's Algorithm 2: from the ready nodes of one class, then of the other, the one that demands
/// least; equal ones as they became ready. O((V + E) log V).
template <deferred D = when_called, class Dag>
[[nodiscard]] auto alternate_classes(Dag const& dag, later<std::vector<double>, D> const& demand,
                                     later<std::vector<char>, D> const& memory_bound,
                                     opara_order rule) -> later<std::vector<std::uint32_t>, D> {
  struct entry {
    double demand;
    std::uint32_t arrival, node;
    auto operator>(entry const& o) const -> bool {
      return demand != o.demand ? demand > o.demand : arrival > o.arrival;
    }
  };
  std::priority_queue<entry, std::vector<entry>, std::greater<>>
      ready[2]; // computing, memory-bound
  std::uint32_t arrivals = 0;
  auto const arrive = [&](std::uint32_t v) {
    ready[memory_bound[v] != 0 ? 1 : 0].push({demand[v], arrivals++, v});
  };
  later<std::vector<std::size_t>, D> waits(dag.size());
  for (std::uint32_t v = 0; v < dag.size(); ++v) {
    waits[v] = dag.inputs(v).size();
    if (waits[v] == 0) arrive(v);
  }
  later<std::vector<std::uint32_t>, D> order;
  std::size_t next = rule == opara_order::paper ? 1 : 0;
  while (!ready[0].empty() || !ready[1].empty()) {
    auto const used = ready[next].empty() ? 1 - next : next;
    next = 1 - (rule == opara_order::paper ? used : next);
    auto const v = ready[used].top().node;
    ready[used].pop();
    order.push_back(v);
    for (auto const r : dag.outputs(v))
      if (--waits[r] == 0) arrive(r);
  }
  return order;
}

/// Does the name contain a word of Opara's list of memory-bound operators? Slips of the list are kept:
/// a missing comma joins sqrt to relu, permute is misspelt, torch's cat is not concat, and `to` and
/// `ones` match names of all kinds. Words that contain others of the list are left out here.
template <deferred = when_called>
[[nodiscard]] auto is_named_memory_bound(std::string_view name) -> bool {
  constexpr std::string_view words[] = {
      "add",      "avg_pool",   "batch_norm", "cast",    "ceil",          "clip", "concat",
      "exp",      "contiguous", "dropout",    "flatten", "floor",         "gelu", "log",
      "max_pool", "layer_norm", "neg",        "ones",    "instance_norm", "pow",  "premute",
      "relu",     "reciprocal", "reshape",    "sigmoid", "slice",         "sub",  "tanh",
      "to",       "transpose",  "unsqueeze",  "view"};
  return std::any_of(std::begin(words), std::end(words),
                     [&](auto w) { return name.find(w) != std::string_view::npos; });
}

} // namespace detail

/// Opara: every node goes on where one of its inputs was, as far as streams are left to hand on; launches
/// alternate between memory-bound and computing nodes, small demands first, so that neither DRAM nor
/// arithmetic rests and large kernels do not hold up small ones at the head of the queue.
///
/// Prefer it: where kernels are small and unlike; it takes linear time. It looks neither at durations
/// nor at the critical path. O((V + E) log V).
/// Source: Chen et al., "Opara", IEEE Transactions on Computers 74(1), 2025; CCFSys 2023 for
/// {.version = conference, .classes = none}.
template <deferred D = when_called>
struct basic_opara {
  opara_version version{opara_version::journal};
  opara_demand demand{opara_demand::shared_memory};
  opara_classes classes{opara_classes::by_intensity};
  opara_order order{opara_order::paper};

  [[nodiscard]] auto name() const -> std::string_view { return "opara"; }

  [[nodiscard]] auto schedule(later<stream_problem, D> const& p) const
      -> later<stream_schedule, D> {
    auto launches = detail::alternate_classes<D>(p, demands(p), memory_bound(p), order);
    auto streams = detail::hand_on_streams<D>(
        p, order == opara_order::paper ? detail::graph_order<D>(p.size()) : launches, version);
    return {std::move(streams), std::move(launches)};
  }
  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                stream_context const&) const -> stream_solution {
    return detail::answer<D>(problem, schedule(problem));
  }

  /// Of each node. Those of equal value are launched as they become ready.
  [[nodiscard]] auto demands(later<stream_problem, D> const& p) const
      -> later<std::vector<double>, D> {
    later<std::vector<double>, D> all(p.size());
    for (std::size_t v = 0; v < p.size(); ++v) all[v] = demand_of(p, v);
    return all;
  }
  [[nodiscard]] auto memory_bound(later<stream_problem, D> const& p) const
      -> later<std::vector<char>, D> {
    later<std::vector<char>, D> all(p.size());
    for (std::size_t v = 0; v < p.size(); ++v) {
      bool const bound = classes == opara_classes::by_intensity ? moves_more(p, v)
                         : classes == opara_classes::by_name
                             ? detail::is_named_memory_bound(p.node(v).name)
                             : false;
      all[v] = bound ? 1 : 0;
    }
    return all;
  }

  friend auto operator==(basic_opara const&, basic_opara const&) -> bool = default;

private:
  [[nodiscard]] auto demand_of(later<stream_problem, D> const& p, std::size_t v) const -> double {
    auto const& kernels = p.node(v).kernels;
    constexpr double most = std::numeric_limits<double>::infinity();
    if (kernels.empty()) return order == opara_order::released ? most : 0;
    auto const counted = order == opara_order::released ? std::size_t{1} : kernels.size();
    auto const part = [](std::int64_t used, std::int64_t all) {
      return all > 0 ? static_cast<double>(used) / static_cast<double>(all) : 0.0;
    };
    auto const& sm = p.device_limits();
    double largest = 0;
    double work = 0, traffic = 0;
    for (std::size_t i = 0; i < counted; ++i) {
      auto const& k = p.kernels(v)[i];
      if (demand == opara_demand::shared_memory)
        largest = std::max(largest, part(kernels[i].shared.count(), sm.shared));
      if (demand == opara_demand::max_of_three)
        largest = std::max({largest, part(k.warps, sm.warps), part(k.registers, sm.registers),
                            part(k.shared, sm.shared)});
      work += static_cast<double>(kernels[i].work.count());
      traffic += static_cast<double>(kernels[i].traffic.count());
    }
    if (demand == opara_demand::duration) return static_cast<double>(p.alone(v).count());
    if (demand == opara_demand::arithmetic_intensity) return traffic > 0 ? work / traffic : most;
    return largest;
  }

  /// Flop per byte below the balance of the device, e_c·F / (e_m·W), summed over kernels as times.
  [[nodiscard]] auto moves_more(later<stream_problem, D> const& p, std::size_t v) const -> bool {
    double arithmetic = 0, memory = 0;
    for (auto const& k : p.node(v).kernels) {
      arithmetic += static_cast<double>(k.work.count()) /
                    (p.device().peak(k.element_bits).count() * k.compute_efficiency);
      memory += static_cast<double>(k.traffic.count()) /
                (p.device().bandwidth.count() * k.memory_efficiency);
    }
    return arithmetic < memory;
  }
};
using opara = basic_opara<>;

} // namespace mars::scheduling
