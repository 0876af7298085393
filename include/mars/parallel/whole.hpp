// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/parallel/sharding.hpp>

#include <array>
#include <cstddef>

namespace mars::parallel {

/// No operator is divided: every member of a set does all of it. For placement alone, with sets of one
/// accelerator (H2H). O(1).
struct whole {
  [[nodiscard]] auto shardings(operation const& /*op*/, std::size_t /*ways*/) const
      -> std::array<sharding, 1> {
    return {};
  }
};

} // namespace mars::parallel
