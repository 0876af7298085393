// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/accuracy.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars::io {

/// Which compression of the whole network a plan is for, as result documents say it.
struct compression_result {
  std::string name;
  std::optional<compression::accuracy_point> accuracy;         ///< nothing: unknown
  std::vector<std::pair<std::string, std::string>> rejected{}; ///< names, and why
};

} // namespace mars::io
