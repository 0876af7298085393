// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <cstdint>
#include <string>

namespace mars {

/// One kernel launch on a GPU: its grid, what a block asks of a streaming multiprocessor, and its work.
/// Either derived from a shard (`hardware::gpu`) or measured (`mars::io::load_kernel_profile`).
struct kernel {
  std::string name{};
  std::int64_t blocks{1};
  int threads{256};             ///< per block
  int registers{32};            ///< per thread
  bytes shared{};               ///< shared memory per block
  flops work{};                 ///< of all blocks
  bytes traffic{};              ///< with DRAM, of all blocks
  int element_bits{32};         ///< of what it computes with: which peak counts
  double compute_efficiency{1}; ///< reachable share of the peak, in (0, 1]
  double memory_efficiency{1};  ///< of the bandwidth, in (0, 1]
  seconds alone{};              ///< measured time alone; 0: none, the model prices it

  friend auto operator==(kernel const&, kernel const&) -> bool = default;
};

} // namespace mars
