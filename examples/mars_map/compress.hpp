// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "load.hpp"
#include "options.hpp"
#include "run.hpp"

#include <mars/core/expected.hpp>

#include <functional>

namespace mars_map {

/// The workload, under the one compression that `o` names, if any. Errors: `load_workload`'s; `unknown_name`.
[[nodiscard]] auto load_compressed(options const& o) -> mars::expected<workload>;

/// Answers for the workload under each of `o.compressions` that the limit on accuracy permits, and takes the
/// best; they share the time of `o`. `w` becomes the compressed workload. Errors: `unknown_name`, `infeasible` where none is permitted, and
/// those of an answer.
using answer_function = std::function<mars::expected<outcome>(options const&, workload const&)>;
[[nodiscard]] auto answer_compressed(options const& o, workload& w, answer_function const& answer)
    -> mars::expected<outcome>;

} // namespace mars_map
