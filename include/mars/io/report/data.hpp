// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/wait_cause.hpp>

#include <algorithm>
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

/// Seconds by cause. Of an operator they add up to `end_s − start_s`; what runs at the same time on
/// other accelerators is not in them.
struct report_causes {
  double compute_s{};
  double
      redistribution_s{}; ///< inputs moved from where their producers left them, loaded, reordered
  double rotation_s{};    ///< waiting for a rotating tensor beyond the computation
  double partial_sums_s{};
  double state_exchange_s{};
  double weights_s{}; ///< weights streamed from the host
  double store_s{};   ///< results stored to the host
  double idle_s{};    ///< of a chain of operators: what nothing explains

  [[nodiscard]] auto communication_s() const -> double {
    return redistribution_s + rotation_s + partial_sums_s + state_exchange_s + weights_s + store_s;
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
  bool critical{};                      ///< on the chain of waits that ends the inference
  wait_cause wait{wait_cause::nothing}; ///< what its start waited for
  std::optional<std::size_t> wait_on{}; ///< the operator that computed, sent or was in the way
  std::size_t stream{};                 ///< of each of its accelerators
};

/// A tensor on its way between two operators.
struct report_transfer {
  std::size_t from{}; ///< an operator
  std::size_t to{};
  std::int64_t bytes{}; ///< over all receivers
  double start_s{};
  double end_s{};
};

/// An accelerator at rest, and why.
struct report_gap {
  std::size_t accelerator{};
  double start_s{};
  double end_s{};
  wait_cause cause{wait_cause::nothing};
  std::optional<std::size_t> on{};       ///< the operator that is waited for
  std::optional<std::size_t> busy{};     ///< the accelerator it keeps, for wait_cause::accelerator
  std::optional<std::size_t> previous{}; ///< the operator that ran here before; nothing: none
  std::optional<std::size_t> next{};
};

/// What fills a memory until the next step.
struct report_memory_step {
  double at_s{};
  std::int64_t weights_bytes{};
  std::int64_t results_bytes{}; ///< outputs that still have readers
  std::int64_t buffers_bytes{}; ///< of the operators that run

  [[nodiscard]] auto total() const -> std::int64_t {
    return weights_bytes + results_bytes + buffers_bytes;
  }
};

struct report_set {
  std::vector<std::size_t> accelerators; ///< in rank order
  std::string design;
};

struct report_accelerator {
  std::string name;
  std::int64_t capacity_bytes{};
  std::int64_t peak_bytes{};
  std::int64_t resident_bytes{};            ///< weights
  std::string peak_at;                      ///< the operator that runs at the peak; empty: none
  std::vector<report_memory_step> memory{}; ///< by time; empty: not known
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
  mars::semantics semantics{mars::semantics::sequential};
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
  report_causes time; ///< of the latency: of all operators, or of those on the critical path
  report_causes baseline_time;

  std::vector<report_operator> operators; ///< in the order they are launched
  std::vector<report_transfer> transfers;
  std::vector<report_gap> gaps;
  std::vector<report_set> sets;
  std::vector<report_accelerator> accelerators;
  std::vector<report_node> nodes;
  std::vector<report_link> links; ///< empty: the interconnect does not tell its links
  std::vector<convergence_point> convergence;
  std::vector<std::string> shortages; ///< sentences: why the mapping cannot run
  std::vector<std::string> warnings;

  [[nodiscard]] auto is_scheduled() const -> bool {
    return semantics != mars::semantics::sequential;
  }
  /// Some operator is on another stream than the first.
  [[nodiscard]] auto has_streams() const -> bool {
    return std::any_of(operators.begin(), operators.end(),
                       [](auto const& o) { return o.stream > 0; });
  }
  /// 1 − latency / baseline; nothing without two feasible plans.
  [[nodiscard]] auto reduction() const -> std::optional<double> {
    if (!feasible || !baseline_latency_s || !(*baseline_latency_s > 0)) return std::nullopt;
    return 1 - latency_s / *baseline_latency_s;
  }
};

} // namespace mars::io
