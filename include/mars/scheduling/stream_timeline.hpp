// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <vector>

namespace mars {

/// When what ran. Merged nodes share their kernel's times; nodes without kernels take none.
struct stream_timeline {
  std::vector<picoseconds> start; ///< of each node: its first block, or when it was ready
  std::vector<picoseconds> end;   ///< its last block
  picoseconds latency{};          ///< the latest end; `never` if a kernel cannot run

  friend auto operator==(stream_timeline const&, stream_timeline const&) -> bool = default;
};

} // namespace mars
