// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Everything a report shows, as plain values: no template, no graph, no system. `make_report` fills
// it from a plan; a simulator or another tool may fill it by hand. As in the JSON contract the unit
// stands in the name: `_s` seconds, `_bytes`, `_bytes_per_s`. A time that is infinite ("cannot be
// done") is shown as such.

namespace mars::io {

/// Where a search stood: one point of the convergence plot. The values are in the unit of the
/// objective (`report_data::value_unit`), an infinite best is "nothing feasible yet".
struct convergence_point {
  std::uint64_t evaluations{};
  double elapsed_s{};
  double best_s{};
  double bound_s{};
};

/// Seconds by cause. Operators run one after another, so they add up to the latency.
struct report_causes {
  double compute_s{};
  double redistribution_s{}; ///< inputs moved from where their producers left them
  double rotation_s{};       ///< waiting for a rotating tensor beyond the computation
  double partial_sums_s{};
  double state_exchange_s{};

  [[nodiscard]] auto communication_s() const -> double {
    return redistribution_s + rotation_s + partial_sums_s + state_exchange_s;
  }
};

struct report_operator {
  std::string name;
  std::string kind;
  std::size_t set{};
  std::string sharding;
  double start_s{};
  double end_s{};
  report_causes time;
  std::int64_t memory_bytes{}; ///< on each accelerator of the set while it runs, weights included
};

struct report_set {
  std::vector<std::size_t> accelerators; ///< in rank order
  std::string design;
};

struct report_accelerator {
  std::string name;
  std::int64_t capacity_bytes{};
  std::int64_t peak_bytes{};
  std::int64_t resident_bytes{}; ///< weights
  std::string peak_at;           ///< the operator that runs at the peak; empty: none
};

/// What links end at. The first nodes are the accelerators, in their order.
struct report_node {
  enum class kind { accelerator, network_switch, host } what{};
  std::string name;
};

/// One direction of a connection, and its load over one inference.
struct report_link {
  std::size_t from{}; ///< a node
  std::size_t to{};
  double bandwidth_bytes_per_s{};
  std::int64_t bytes{};
  double busy_s{}; ///< bytes / bandwidth
};

struct report_data {
  std::string workload;
  std::string system;
  std::string objective{"latency"};
  std::string policy;
  std::optional<std::uint64_t> seed; ///< the plan does not know it: the caller says
  std::uint64_t evaluations{};
  double wall_s{};
  bool exhausted{};

  bool feasible{};
  double latency_s{};
  double bottleneck_s{}; ///< of the busiest set: pipelined, one inference leaves per bottleneck
  std::optional<double> energy_j;
  double value{}; ///< of the objective, in `value_unit`
  double lower_bound{};
  std::string value_unit{"s"};
  std::string bound_name{"none"};
  double gap{}; ///< (value − bound) / value

  std::optional<double> baseline_latency_s; ///< a feasible baseline's
  std::string baseline_policy;
  report_causes time;
  report_causes baseline_time;

  std::vector<report_operator> operators; ///< in the order they run
  std::vector<report_set> sets;
  std::vector<report_accelerator> accelerators;
  std::vector<report_node> nodes;
  std::vector<report_link> links; ///< empty: the interconnect does not tell its links
  std::vector<convergence_point> convergence;
  std::vector<std::string> shortages; ///< sentences: why the mapping cannot run
  std::vector<std::string> warnings;

  /// 1 − latency / baseline; nothing without two feasible plans.
  [[nodiscard]] auto reduction() const -> std::optional<double> {
    if (!feasible || !baseline_latency_s || !(*baseline_latency_s > 0)) return std::nullopt;
    return 1 - latency_s / *baseline_latency_s;
  }
};

} // namespace mars::io
