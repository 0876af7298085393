// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/io/json/detail/device_fields.hpp>
#include <mars/io/json/detail/fields.hpp>
#include <mars/io/json/detail/node_names.hpp>
#include <mars/io/json/detail/schema.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/scheduling/stream_graph.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

inline constexpr std::string_view kernels_schema = "mars.kernels/1";

/// What a profiler saw: kernels of each node, and the device if it was written down.
struct kernel_profile {
  stream_graph graph{};
  std::optional<gpu_device> device{};
};

namespace detail {

template <class Fields>
void visit(Fields& f, kernel& k) {
  using enum number_domain;
  f.text("name", k.name);
  f.integer("blocks", k.blocks, 1, presence::required);
  f.integer("threads", k.threads, 1, presence::required);
  f.integer("registers", k.registers, 0);
  visit_count(f, "shared_bytes", k.shared);
  visit_count(f, "flops", k.work);
  visit_count(f, "bytes", k.traffic);
  f.integer("element_bits", k.element_bits, 1);
  f.number("compute_efficiency", k.compute_efficiency, fraction);
  f.number("memory_efficiency", k.memory_efficiency, fraction);
  f.quantity("alone_s", k.alone, not_negative);
}
[[nodiscard]] inline auto read_gpu_device(reader const& r) -> gpu_device {
  gpu_device d;
  field_reader fields{r};
  visit(fields, d);
  fields.finish();
  if (!r.failed())
    if (auto ok = d.validate(); !ok) r.reject(std::move(ok).error());
  return d;
}
[[nodiscard]] inline auto write_gpu_device(gpu_device d) -> ordered_json {
  ordered_json j;
  field_writer fields{j};
  visit(fields, d);
  return j;
}

[[nodiscard]] inline auto read_profile(reader const& root) -> kernel_profile {
  kernel_profile result;
  auto& g = result.graph;
  read_schema(root, kernels_schema);
  root.allow({"schema", "name", "device", "nodes"});
  if (auto const name = root.find("name")) g.name = name->text();
  if (auto const device = root.find("device")) result.device = read_gpu_device(*device);
  node_names names;
  auto const nodes = root["nodes"].items();
  std::size_t with_block = 0;
  for (auto const& r : nodes) {
    if (root.failed()) break;
    r.allow({"name", "inputs", "output_bytes", "kernels", "block"});
    stream_node node;
    node.name = r["name"].text();
    for (auto const& input : r["inputs"].items()) {
      auto const u = names.find(input.text(), input);
      if (!u) break;
      if (std::find(node.inputs.begin(), node.inputs.end(), *u) != node.inputs.end())
        input.reject(error_code::duplicate, "each producer once");
      node.inputs.push_back(*u);
    }
    if (auto const size = r.find("output_bytes")) node.output = bytes{size->integer(0)};
    if (auto const kernels = r.find("kernels"))
      for (auto const& k : kernels->items()) {
        field_reader fields{k};
        visit(fields, node.kernels.emplace_back());
        fields.finish();
      }
    if (auto const block = r.find("block")) {
      auto const least = g.block_of.empty() ? 0 : g.block_of.back();
      g.block_of.push_back(static_cast<std::uint32_t>(
          block->integer(least, std::numeric_limits<std::int32_t>::max())));
      ++with_block;
    }
    if (root.failed() ||
        !names.add(node.name, static_cast<std::uint32_t>(g.nodes.size()), r["name"]))
      break;
    g.nodes.push_back(std::move(node));
    if (with_block != 0 && with_block != g.nodes.size())
      r.reject(error_code::missing_key, "a block for every node or for none");
  }
  return result;
}

} // namespace detail

/// A `mars.kernels/1` document (see io/json.hpp). Errors carry the path to the culprit.
[[nodiscard]] inline auto load_kernel_profile(std::string_view text) -> expected<kernel_profile> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  reader_context context{*document};
  auto profile = detail::read_profile(context.root());
  if (context.failed()) return unexpected{error{context.failure()}};
  return profile;
}

/// `load_kernel_profile` makes the same profile of it. Convolutions to merge are not kept: what a
/// merged kernel would do was not measured.
[[nodiscard]] inline auto kernel_profile_to_json(kernel_profile const& profile) -> ordered_json {
  ordered_json j;
  auto const& g = profile.graph;
  j["schema"] = std::string{kernels_schema};
  if (!g.name.empty()) j["name"] = g.name;
  if (profile.device) j["device"] = detail::write_gpu_device(*profile.device);
  auto& nodes = j["nodes"] = ordered_json::array();
  for (std::size_t v = 0; v < g.nodes.size(); ++v) {
    auto const& node = g.nodes[v];
    ordered_json n;
    n["name"] = node.name;
    n["inputs"] = ordered_json::array();
    for (auto const u : node.inputs) n["inputs"].push_back(g.nodes[u].name);
    n["output_bytes"] = node.output.count();
    if (!g.block_of.empty()) n["block"] = g.block_of[v];
    auto& kernels = n["kernels"] = ordered_json::array();
    for (auto k : node.kernels) {
      ordered_json written;
      detail::field_writer fields{written};
      detail::visit(fields, k);
      kernels.push_back(std::move(written));
    }
    nodes.push_back(std::move(n));
  }
  return j;
}

} // namespace mars::io
