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

/// Who runs an operator, and how its iterations are divided.
struct placement {
  set_id set;
  mars::sharding sharding;
  residency weights{residency::resident};

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
struct mapping {
  std::vector<accelerator_set> sets;
  std::vector<placement> operators;        ///< indexed by operator id
  std::vector<operator_id> launch_order{}; ///< empty, or every operator once, producers first

  [[nodiscard]] auto is_scheduled() const -> bool { return !launch_order.empty(); }

  friend auto operator==(mapping const&, mapping const&) -> bool = default;
};

} // namespace mars
