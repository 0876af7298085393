// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <mars/core/expected.hpp>

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace mars_map {

/// Options of the command `study` as text.
struct raw_study {
  std::string networks, compressions, primitives, code_generations, hardware;
};

/// Names with commas between them. Errors: an empty list, an empty or a repeated name.
[[nodiscard]] auto split_names(char const* option, std::string const& text)
    -> mars::expected<std::vector<std::string>>;

/// Adds the command; `raw` and `o` outlive the parsing.
[[nodiscard]] auto add_study(CLI::App& app, raw_study& raw, study_options& o) -> CLI::App*;

/// Splits the lists. Errors: an empty list, or one with an empty or a repeated name; values where none
/// belong.
[[nodiscard]] auto check_study(CLI::App const& study, raw_study const& raw, study_options& o)
    -> mars::expected<void>;

} // namespace mars_map
