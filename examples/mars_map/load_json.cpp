// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "load.hpp"

#include <mars/io/files.hpp>
#include <mars/io/json/checkpoint.hpp>
#include <mars/io/json/mapping.hpp>
#include <mars/io/json/system.hpp>
#include <mars/io/json/workload.hpp>

#include <filesystem>
#include <system_error>
#include <utility>

namespace mars_map {

auto load_json_workload(std::string const& file) -> mars::expected<mars::graph> {
  return mars::io::read_file(file).and_then(
      [](std::string const& text) { return mars::io::load_workload(text); });
}

auto load_json_system(std::string const& file) -> mars::expected<mars::any_system> {
  return mars::io::read_file(file).and_then(
      [](std::string const& text) { return mars::io::load_system(text); });
}

auto load_json_mapping(std::string const& file, mars::graph const& graph,
                       mars::any_system const& system) -> mars::expected<mars::mapping> {
  auto mapping = mars::io::read_file(file).and_then(
      [&](std::string const& text) { return mars::io::load_mapping(text, graph, system); });
  if (!mapping) return mars::unexpected{in_file(file, std::move(mapping).error())};
  return mapping;
}

auto load_checkpoint(options const& o) -> mars::expected<std::optional<mars::checkpoint>> {
  std::error_code none;
  if (!std::filesystem::exists(o.checkpoint, none)) return std::optional<mars::checkpoint>{};
  auto found = mars::io::read_file(o.checkpoint).and_then([](std::string const& text) {
    return mars::io::load_checkpoint(text);
  });
  if (!found) return mars::unexpected{in_file(o.checkpoint, std::move(found).error())};
  if (found->search != name_of(o.search))
    return mars::fail(mars::error_code::invalid_argument, o.checkpoint + ": search", found->search,
                      std::string{name_of(o.search)});
  if (found->seed != o.seed)
    return mars::fail(mars::error_code::invalid_argument, o.checkpoint + ": seed",
                      std::to_string(found->seed), std::to_string(o.seed));
  return std::optional{std::move(found->checkpoint)};
}

} // namespace mars_map
