// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <cstddef>
#include <string>

namespace mars::io {

/// What assigning streams to the operators of a mapping came to, as result documents say it.
struct stream_result {
  std::string scheduler;
  std::size_t streams{};            ///< the most on an accelerator
  picoseconds latency_one_stream{}; ///< of the same placement without streams
};

} // namespace mars::io
