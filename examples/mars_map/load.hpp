// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <mars/core/expected.hpp>
#include <mars/hardware/system.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/search/checkpoint.hpp>
#include <mars/workload/graph.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars_map {

/// A workload, and what was guessed on the way.
struct workload {
  mars::graph graph;
  std::vector<std::string> warnings{};
};

// Errors: of the libraries that read, with the file before the path.

[[nodiscard]] auto load_workload(options const& o) -> mars::expected<workload>;
[[nodiscard]] auto load_system(options const& o) -> mars::expected<mars::any_system>;

// One file format each: what is heavy to compile is compiled once.

[[nodiscard]] auto load_json_workload(std::string const& file) -> mars::expected<mars::graph>;
[[nodiscard]] auto load_json_system(std::string const& file) -> mars::expected<mars::any_system>;
[[nodiscard]] auto load_json_mapping(std::string const& file, mars::graph const& graph,
                                     mars::any_system const& system)
    -> mars::expected<mars::mapping>;
/// Nothing where the file does not exist yet. Errors also where it is of another search or seed.
[[nodiscard]] auto load_checkpoint(options const& o)
    -> mars::expected<std::optional<mars::checkpoint>>;
[[nodiscard]] auto load_onnx_workload(options const& o) -> mars::expected<workload>;

/// Does a name end so, whatever the case of its letters? `suffix` is in lower case.
[[nodiscard]] auto has_suffix(std::string_view name, std::string_view suffix) -> bool;

/// `error` with the file before its path, unless it is there already.
[[nodiscard]] auto in_file(std::string const& file, mars::error error) -> mars::error;

} // namespace mars_map
