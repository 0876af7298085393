// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "load.hpp"

#include <mars/hardware/presets/catalogue.hpp>
#include <mars/zoo/registry.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace mars_map {

auto has_suffix(std::string_view name, std::string_view suffix) -> bool {
  if (name.size() < suffix.size()) return false;
  name.remove_prefix(name.size() - suffix.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    char const c =
        name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    if (c != suffix[i]) return false;
  }
  return true;
}

namespace {

/// What looks like the way to a file, though not to one that can be read.
[[nodiscard]] auto is_path(std::string_view name) -> bool {
  return name.find_first_of("/\\.") != name.npos;
}

/// Where the library names an argument, the option that gave it.
[[nodiscard]] auto as_option(mars::error e) -> mars::error {
  for (auto const& [path, option] : {std::pair{"model", "--model"},
                                     {"system", "--system"},
                                     {"batch", "--batch"},
                                     {"image", "--image"},
                                     {"sequence", "--sequence"},
                                     {"element_bits", "--element-bits"}})
    if (e.path == path) {
      e.path = option;
      return e;
    }
  return std::move(e).inside("--model");
}

[[nodiscard]] auto load_named_workload(options const& o) -> mars::expected<workload> {
  mars::zoo::arguments a;
  if (o.batch) a.batch = *o.batch;
  a.image = o.image;
  a.sequence = o.sequence;
  a.element_bits = o.element_bits;
  // Accuracies are published of networks of 32 bits.
  if (!o.element_bits && !o.compressions.empty()) a.element_bits = 32;
  auto graph = mars::zoo::find(o.model, a);
  if (!graph) {
    auto e = std::move(graph).error();
    if (e.path == o.model) e.path = "model";
    return mars::unexpected{as_option(std::move(e))};
  }
  return workload{*std::move(graph)};
}

/// What a JSON workload has written out cannot be chosen any more.
[[nodiscard]] auto check_fixed(options const& o) -> mars::expected<void> {
  for (auto const& [name, given] : {std::pair{"--batch", o.batch.has_value()},
                                    {"--image", o.image.has_value()},
                                    {"--sequence", o.sequence.has_value()},
                                    {"--element-bits", o.element_bits.has_value()}})
    if (given)
      return mars::fail(mars::error_code::invalid_argument, name, "a value",
                        "none, the extents of a JSON workload are written out", o.model);
  return {};
}

} // namespace

auto in_file(std::string const& file, mars::error error) -> mars::error {
  if (error.path.starts_with(file)) return error;
  error.path = file + (error.path.empty() ? "" : ": ") + error.path;
  return error;
}

auto load_workload(options const& o) -> mars::expected<workload> {
  if (has_suffix(o.model, ".json")) {
    if (auto ok = check_fixed(o); !ok) return mars::unexpected{ok.error()};
    auto graph = load_json_workload(o.model);
    if (!graph) return mars::unexpected{in_file(o.model, std::move(graph).error())};
    if (graph->size() == 0)
      return mars::fail(mars::error_code::out_of_range, o.model + ": operators", "none",
                        "at least one operator");
    return workload{*std::move(graph)};
  }
  if (has_suffix(o.model, ".onnx")) {
    if (o.image)
      return mars::fail(mars::error_code::invalid_argument, "--image", "a value",
                        "none, an ONNX file fixes the size of its images", o.model);
    auto read = load_onnx_workload(o);
    if (!read) return mars::unexpected{in_file(o.model, std::move(read).error())};
    return read;
  }
  if (is_path(o.model))
    return mars::fail(mars::error_code::invalid_argument, "--model", o.model,
                      "a name of --list, or a file ending in .onnx or .json");
  return load_named_workload(o);
}

namespace {

[[nodiscard]] auto load_whole_system(options const& o) -> mars::expected<mars::any_system> {
  if (has_suffix(o.system, ".json")) {
    auto system = load_json_system(o.system);
    if (!system) return mars::unexpected{in_file(o.system, std::move(system).error())};
    return system;
  }
  if (is_path(o.system) && !mars::presets::find_info(o.system))
    return mars::fail(mars::error_code::invalid_argument, "--system", o.system,
                      "a name of --list, or a file ending in .json");
  auto system = mars::presets::find(o.system);
  if (!system) return mars::unexpected{as_option(std::move(system).error())};
  return system;
}

} // namespace

auto load_system(options const& o) -> mars::expected<mars::any_system> {
  auto system = load_whole_system(o);
  if (system && o.memory_limit)
    for (auto& a : system->accelerators) a.capacity = std::min(a.capacity, *o.memory_limit);
  if (system && o.host_bandwidth) {
    auto const* net = system->interconnect.get_if<mars::interconnect::host_staged>();
    if (net == nullptr)
      return mars::fail(mars::error_code::invalid_argument, "--host-bandwidth", "a value",
                        "none, " + o.system + " has links of its own");
    auto changed = *net;
    changed.bandwidth = *o.host_bandwidth;
    changed.bandwidths.clear();
    system->interconnect = mars::any_interconnect{std::move(changed), system->interconnect.name()};
  }
  return system;
}

} // namespace mars_map
