// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <cstdint>

namespace mars {

/// The number that searches minimise: whole picoseconds or picojoules.
using ticks = std::int64_t;
inline constexpr ticks no_ticks = never.count(); ///< "cannot be done"

} // namespace mars
