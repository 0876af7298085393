// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "load.hpp"

#include <mars/io/files.hpp>
#include <mars/io/json/mapping.hpp>
#include <mars/io/json/system.hpp>
#include <mars/io/json/workload.hpp>

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

} // namespace mars_map
