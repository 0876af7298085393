// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "inspect.hpp"
#include "load.hpp"
#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/stop.hpp>

namespace mars_map {

/// Command `pase`: the least F of a workload on equal devices, its proof, and how every operator is
/// split. Errors: `build_uniform_problem`'s; `unsupported` for the baseline, which has a system.
[[nodiscard]] auto minimise_pase(options const& o, workload const& w, mars::stop_token stop)
    -> mars::expected<report_text>;

} // namespace mars_map
