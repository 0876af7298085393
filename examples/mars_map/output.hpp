// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "run.hpp"

#include <mars/core/expected.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars_map {

/// Files that appear together or not at all: written aside, renamed when all are complete.
class file_batch {
public:
  void add(std::string path, std::string content) {
    files_.emplace_back(std::move(path), std::move(content));
  }
  /// Errors: `io`; then no file has changed and none is left behind.
  [[nodiscard]] auto write() const -> mars::expected<void>;

private:
  std::vector<std::pair<std::string, std::string>> files_;
};

/// Could `path` be written? Asked before a long search, not instead of writing. Errors: `io`.
[[nodiscard]] auto check_writable_file(char const* option, std::string const& path)
    -> mars::expected<void>;
[[nodiscard]] auto check_writable_folder(char const* option, std::string const& path)
    -> mars::expected<void>;

/// The `mars.mapping/1` document of an answer.
[[nodiscard]] auto json_text(options const& o, workload const& w, mars::any_system const& system,
                             outcome const& answer) -> std::string;

/// Writes where a search stands, whole or not at all. Errors: `io`.
[[nodiscard]] auto keep_checkpoint(options const& o, mars::checkpoint const& c)
    -> mars::expected<void>;

/// Adds the files of a report to a batch; `mapping_json` is one of them.
void add_report(file_batch& files, options const& o, workload const& w,
                mars::any_system const& system, outcome const& answer, std::string mapping_json);

} // namespace mars_map
