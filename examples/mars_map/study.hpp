// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "inspect.hpp"
#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/stop.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mars_map {

/// What the command `study` answers.
struct study_outcome {
  report_text report{};
  std::vector<std::pair<std::string, std::string>> files{}; ///< of --report: name, content
};

/// Command `study`: every legal cell of the acceleration stack, and what follows from them. Errors: of the
/// names and files.
[[nodiscard]] auto study_stack_of(options const& o, mars::stop_token stop)
    -> mars::expected<study_outcome>;

} // namespace mars_map
