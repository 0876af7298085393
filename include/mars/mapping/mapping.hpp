// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>
#include <mars/parallel/sharding.hpp>

#include <string>
#include <vector>

namespace mars {

/// Accelerators that work together on operators, all configured with one design.
struct accelerator_set {
  std::vector<accelerator_id> accelerators; ///< in rank order: shards are numbered along it
  std::string design;                       ///< name of a design every member offers

  friend auto operator==(accelerator_set const&, accelerator_set const&) -> bool = default;
};

/// Who runs an operator, and how its iterations are divided.
struct placement {
  set_id set;
  mars::sharding sharding;

  friend auto operator==(placement const&, placement const&) -> bool = default;
};

/// A mapping of a graph onto a system: a plain value that knows nothing of how it was found.
/// Load, save, validate, price, compare or edit it like any other data. Sets are disjoint.
struct mapping {
  std::vector<accelerator_set> sets;
  std::vector<placement> operators; ///< indexed by operator id

  friend auto operator==(mapping const&, mapping const&) -> bool = default;
};

} // namespace mars
