// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>
#include <mars/core/units.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars {

/// One operator on the time line of a mapping, and where its time goes. With scheduled semantics and
/// transfers that overlap, `redistribution` lies before `start`: the longest of its inputs' moves.
struct operator_evaluation {
  picoseconds start{};   ///< its accelerators are taken: inputs begin to move, or to be loaded
  picoseconds end{};     ///< start + communication() + compute
  picoseconds compute{}; ///< streamed: beside whatever else its accelerators run
  picoseconds redistribution{}; ///< inputs moved from where their producers left them
  picoseconds rotation{};
  picoseconds partial_sums{};
  picoseconds state_exchange{};
  picoseconds reorders{}; ///< tensors rewritten in the format that its algorithm wants
  picoseconds weights{};  ///< streamed from the host
  picoseconds results{};  ///< stored in the host's memory
  bytes more_weights{};   ///< of its algorithm: resident beyond the weights of the graph, or fewer
  bytes more_buffers{};   ///< of its algorithm: workspace, and tensors in another format

  [[nodiscard]] auto communication() const -> picoseconds {
    return saturating_add(saturating_add(saturating_add(redistribution, rotation),
                                         saturating_add(partial_sums, state_exchange)),
                          saturating_add(reorders, saturating_add(weights, results)));
  }
};

/// How the operators of a mapping share time.
enum class semantics : std::uint8_t {
  sequential, ///< one after another
  overlapped, ///< scheduled; transfers run beside computation
  staged,     ///< scheduled; every accelerator moves its own data, through the host
  streamed,   ///< overlapped; accelerators run operators of several streams beside each other
};
[[nodiscard]] constexpr auto kind_name(semantics how) -> std::string_view {
  constexpr std::string_view names[] = {"sequential", "overlapped", "staged", "streamed"};
  return names[static_cast<std::size_t>(how)];
}
/// Transfers between operators run beside computation: they lie before `start`.
[[nodiscard]] constexpr auto is_overlapped(semantics how) -> bool {
  return how == semantics::overlapped || how == semantics::streamed;
}

/// Memory of one accelerator over one inference.
struct memory_use {
  accelerator_id accelerator;
  bytes resident{}; ///< weights
  bytes peak{};     ///< resident and the largest demand of activations and buffers
  bytes capacity{};
  operator_id peak_at; ///< the operator that runs when the peak is reached

  [[nodiscard]] auto fits() const -> bool { return peak <= capacity; }
};

/// Why a mapping cannot run: data, not an error.
struct shortage {
  enum class kind { memory, unsupported } what{};
  accelerator_id accelerator; ///< for memory
  operator_id at;             ///< the operator that does not fit, or that the design refuses
  bytes demand{};
  bytes capacity{};
  std::vector<operator_id> contributors; ///< operators with the largest weights there, at most 3
};

/// A priced mapping. Times are whole picoseconds so that sums do not depend on their order.
struct evaluation {
  picoseconds latency{};        ///< one inference from start to end
  picoseconds bottleneck{};     ///< busiest set (scheduled: accelerator): pipelined, one inference
                                ///< leaves per bottleneck
  std::optional<joules> energy; ///< nothing when a design does not know its energy
  std::vector<operator_evaluation> operators; ///< by operator id
  std::vector<memory_use> memory;             ///< by accelerator id
  std::vector<shortage> shortages;            ///< empty = feasible
  mars::semantics semantics{};

  [[nodiscard]] auto feasible() const -> bool { return shortages.empty() && latency < never; }
};

} // namespace mars
