// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>
#include <mars/parallel/sharding.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace mars {

/// Accelerators that work together on operators, all configured with one design.
struct accelerator_set {
  std::vector<accelerator_id> accelerators; ///< in rank order: shards are numbered along it
  std::string design;                       ///< name of a design every member offers

  friend auto operator==(accelerator_set const&, accelerator_set const&) -> bool = default;
};

/// Where the weights of an operator are when an inference begins.
enum class residency : std::uint8_t {
  resident, ///< in the memory of the accelerators that run it, from one inference to the next
  streamed, ///< in the host's: they cross the host links in every inference and fill no memory
};

/// Who runs an operator, how its iterations are divided, and how it computes.
struct placement {
  set_id set;
  mars::sharding sharding;
  residency weights{residency::resident};
  std::string algorithm{};   ///< of those that the design lists; empty: its own choice
  std::string format{};      ///< of its tensors, where the algorithm leaves it open; empty: plain
  std::string compression{}; ///< of this operator alone; empty: it is as the graph says

  friend auto operator==(placement const&, placement const&) -> bool = default;
};

/// A mapping of a graph onto a system: a plain value that knows nothing of how it was found.
/// Load, save, validate, price, compare or edit it like any other data.
///
/// Without a launch order operators run one after another (*sequential* semantics, MARS's latency of
/// one inference) and sets are disjoint. With one, operators on different accelerators run at the same
/// time (*scheduled* semantics): each accelerator launches what it takes part in, in this order, as
/// soon as what it reads is there and all accelerators of its set are free. Sets may overlap then, as
/// long as an accelerator has the same design in all of its sets.
///
/// With streams, too (*streamed* semantics), an accelerator whose design launches kernels
/// (`KernelDesign`) runs operators of different streams beside each other, those of one stream one after
/// another. Streams are numbered by accelerator: stream 1 of two accelerators are two streams, and an
/// operator of a set takes the stream of its number on every member. All on stream 0 is what no streams are.
struct mapping {
  std::vector<accelerator_set> sets;
  std::vector<placement> operators;        ///< indexed by operator id
  std::vector<operator_id> launch_order{}; ///< empty, or every operator once, producers first
  std::vector<stream_id> streams{};        ///< empty, or of every operator; needs a launch order

  [[nodiscard]] auto is_scheduled() const -> bool { return !launch_order.empty(); }
  [[nodiscard]] auto is_streamed() const -> bool { return !streams.empty(); }
  /// Stream 0 without streams.
  [[nodiscard]] auto stream_of(operator_id v) const -> stream_id {
    return v.index() < streams.size() ? streams[v.index()] : stream_id{};
  }

  friend auto operator==(mapping const&, mapping const&) -> bool = default;
};

} // namespace mars
