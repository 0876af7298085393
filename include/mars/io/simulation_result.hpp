// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace mars::io {

/// What a result document says of a simulation.
struct simulation_result {
  std::string sharing;     ///< how messages share links
  picoseconds latency{};   ///< with contention
  std::size_t transfers{}; ///< messages over links
  std::uint64_t events{};  ///< of the simulator
};

} // namespace mars::io
