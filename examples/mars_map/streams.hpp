// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "inspect.hpp"
#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/stop.hpp>

#include <string>

namespace mars_map {

/// What the command `streams` answers.
struct streams_outcome {
  report_text report{};
  std::string ios{};   ///< the stages in IOS's format, where asked for
  bool feasible{true}; ///< some schedule keeps the limits
};

/// Command `streams`: streams and launch order of a model's, or a file's, operators on one GPU. Errors:
/// of the files; `unknown_name` of the device; `infeasible` where a kernel fits no SM.
[[nodiscard]] auto schedule_streams(options const& o, mars::stop_token stop)
    -> mars::expected<streams_outcome>;

} // namespace mars_map
