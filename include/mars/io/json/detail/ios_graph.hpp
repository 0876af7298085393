// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/detail/node_names.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/io/operator_graph.hpp>
#include <mars/workload/operators/convolution.hpp>
#include <mars/workload/operators/elementwise.hpp>
#include <mars/workload/operators/layout.hpp>
#include <mars/workload/operators/pooling.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::detail {

/// Graphs of IOS (see io/json.hpp): blocks of nodes whose input is sums, concatenated.
class ios_graph_reader {
public:
  ios_graph_reader(reader const& root, operator_graph_options const& options)
      : root_{root}, options_{options} {}

  [[nodiscard]] auto read() -> operator_graph {
    root_.allow({"name", "input", "blocks"});
    result_.name = root_["name"].text();
    auto const input = root_["input"];
    if (types[input["type"].choice(types)] != "placeholder")
      input["type"].reject(error_code::invalid_argument, "\"placeholder\"");
    auto last = add(input, 0);
    auto const blocks = root_["blocks"].items();
    for (std::uint32_t b = 0; b < blocks.size() && !root_.failed(); ++b)
      last = block(blocks[b], b, last);
    return std::move(result_);
  }

private:
  static constexpr std::array<std::string_view, 4> types{"placeholder", "conv", "pool", "identity"};
  static constexpr std::array<std::string_view, 4> activations{"identity", "relu", "sigmoid",
                                                               "tanh"};
  static constexpr std::array<std::string_view, 4> pools{"max", "avg", "global_max", "global_avg"};

  auto block(reader const& r, std::uint32_t number, std::uint32_t enter) -> std::uint32_t {
    r.allow({"enter_name", "enter_node", "inner_nodes", "exit_node", "stages"});
    // The enter node is the last block's exit node, or the input, once more.
    auto const& expected = result_.nodes[enter].name;
    for (auto const& name : {r["enter_name"], r["enter_node"]["name"]})
      if (name.text() != expected)
        name.reject(error_code::dangling, "\"" + expected + "\", where the block before ends");
    auto const first = static_cast<std::uint32_t>(result_.nodes.size());
    for (auto const& inner : r["inner_nodes"].items()) {
      if (root_.failed()) return enter;
      add(inner, number);
    }
    if (root_.failed()) return enter;
    auto const exit = add(r["exit_node"], number);
    stages(r["stages"], first, exit + 1);
    return exit;
  }

  /// Every node of the block once, and after what it reads.
  void stages(reader const& r, std::uint32_t first, std::uint32_t end) {
    std::vector<std::size_t> stage_of(end - first, 0), group_of(end - first, 0);
    std::size_t group_number = 0, seen = 0;
    auto const before = result_.stages.size();
    for (auto const& stage : r.items()) {
      auto& groups = result_.stages.emplace_back();
      for (auto const& group : stage.items()) {
        auto& nodes = groups.emplace_back();
        ++group_number;
        for (auto const& name : group.items()) {
          auto const v = names_.find(name.text(), name);
          if (root_.failed()) return;
          if (*v < first || *v >= end || group_of[*v - first] != 0)
            return name.reject(error_code::invalid_argument, "a node of this block, once");
          stage_of[*v - first] = result_.stages.size();
          group_of[*v - first] = group_number;
          ++seen;
          for (auto const u : result_.nodes[*v].inputs)
            if (u >= first &&
                (stage_of[u - first] == 0 || (stage_of[u - first] == stage_of[*v - first] &&
                                              group_of[u - first] != group_number)))
              return name.reject(error_code::cycle,
                                 "a node that reads nothing of later stages or other groups");
          nodes.push_back(*v);
        }
      }
    }
    if (seen != end - first && !root_.failed())
      r.reject(error_code::invalid_argument,
               std::to_string(end - first) + " nodes, all of the block",
               std::to_string(seen) + " in " + std::to_string(result_.stages.size() - before) +
                   " stages");
  }

  auto add(reader const& r, std::uint32_t block) -> std::uint32_t {
    auto const v = static_cast<std::uint32_t>(result_.nodes.size());
    operator_node node;
    node.name = r["name"].text();
    auto const type = types[r["type"].choice(types)];
    std::vector<std::string_view> keys{"type", "name", "hint_name", "output_shape"};
    if (type != "placeholder") keys.push_back("inputs");
    if (type == "conv")
      keys.insert(keys.end(), {"out_channels", "kernel", "stride", "padding", "groups", "act"});
    if (type == "pool") keys.insert(keys.end(), {"pool_type", "kernel", "stride", "padding"});
    r.allow(keys);
    auto const shape = output_shape(r["output_shape"]);
    tensor_shape found = shape;
    if (type != "placeholder" && !root_.failed()) {
      bool whole = false;
      found = merge_inputs(node, r["inputs"], whole);
      if (type == "conv") found = convolution(node, r, found, whole);
      if (type == "pool") found = pool(node, r, found);
    }
    if (!root_.failed() && found != shape)
      r["output_shape"].reject(error_code::shape_mismatch,
                               to_string(std::span{found}.subspan(1)) + ", as computed");
    if (!root_.failed() && names_.add(node.name, v, r["name"])) {
      if (!node.operations.empty())
        node.output = size_of(*nth_operand(node.operations.back(), role::output, 0));
      result_.nodes.push_back(std::move(node));
      result_.block_of.push_back(block);
      shapes_.push_back(shape);
    }
    return v;
  }

  [[nodiscard]] auto output_shape(reader const& r) const -> tensor_shape {
    tensor_shape shape{options_.batch};
    auto const extents = r.items(3);
    for (auto const& e : extents) shape.push_back(e.integer(1, max_elements));
    if (extents.size() != 3 && !root_.failed())
      r.reject(error_code::out_of_range, "three extents: channels, height, width");
    if (auto const n = count_elements(shape); !n && !root_.failed()) r.reject(error{n.error()});
    return shape;
  }

  /// Sums and the concatenation in front of a node, as operations of it. `whole`: it reads all of one
  /// tensor.
  auto merge_inputs(operator_node& node, reader const& r, bool& whole) -> tensor_shape {
    std::vector<tensor_shape> terms;
    for (auto const& term : r.items()) {
      std::vector<tensor_shape> values;
      for (auto const& value : term.items()) {
        auto const parts = value.items(3);
        if (parts.size() != 3 && !root_.failed())
          value.reject(error_code::out_of_range, "a name, its first and its end channel");
        if (root_.failed()) return {};
        auto const producer = names_.find(parts[0].text(), parts[0]);
        if (!producer) return {};
        auto shape = shapes_[*producer];
        auto const begin = parts[1].integer(0, shape[1] - 1);
        auto const end = parts[2].integer(begin + 1, shape[1]);
        whole = end - begin == shape[1];
        shape[1] = end - begin;
        read_from(node, *producer);
        values.push_back(std::move(shape));
      }
      if (root_.failed()) return {};
      if (values.empty()) {
        term.reject(error_code::out_of_range, "at least one value");
        return {};
      }
      if (values.size() > 1) {
        if (auto const odd = std::find_if(values.begin(), values.end(),
                                          [&](auto const& s) { return s != values.front(); });
            odd != values.end()) {
          term.reject(error_code::shape_mismatch, "values of one shape",
                      to_string(*odd) + " beside " + to_string(values.front()));
          return {};
        }
        auto const flops = static_cast<std::int64_t>(values.size()) - 1;
        terms.push_back(append_operation(node, ops::elementwise(values, "Add", flops),
                                         options_.element_bits, term));
      } else {
        terms.push_back(values.front());
      }
    }
    if (root_.failed()) return {};
    if (terms.empty()) {
      r.reject(error_code::out_of_range, "at least one term");
      return {};
    }
    if (terms.size() > 1) {
      terms.front() = append_operation(node, ops::concat(terms, 1), options_.element_bits, r);
    }
    whole = whole && node.operations.empty();
    return terms.front();
  }

  [[nodiscard]] auto pair(reader const& r, std::int64_t least) const -> ops::spatial {
    auto const items = r.items(2);
    if (items.size() != 2 && !root_.failed()) r.reject(error_code::out_of_range, "two numbers");
    ops::spatial both;
    for (auto const& i : items) both.push_back(i.integer(least, mars::detail::max_window));
    return both;
  }
  auto convolution(operator_node& node, reader const& r, tensor_shape const& input, bool whole)
      -> tensor_shape {
    ops::conv_options o;
    o.out_channels = r["out_channels"].integer(1, max_elements);
    o.kernel = pair(r["kernel"], 1);
    o.stride = pair(r["stride"], 1);
    o.padding = pair(r["padding"], 0);
    o.groups = r["groups"].integer(1, max_elements);
    auto const act = activations[r["act"].choice(activations)];
    if (root_.failed()) return {};
    auto shape = append_operation(node, ops::conv(input, o), options_.element_bits, r);
    if (whole) node.convolution = {input, std::move(o), std::string{act}, options_.element_bits};
    return shape;
  }
  auto pool(operator_node& node, reader const& r, tensor_shape const& input) -> tensor_shape {
    auto const type = r["pool_type"].choice(pools);
    ops::pool_options o;
    o.kernel = pair(r["kernel"], 1);
    o.stride = pair(r["stride"], 1);
    o.padding = pair(r["padding"], 0);
    if (root_.failed()) return {};
    bool const global = type >= 2;
    std::string name = type % 2 == 0 ? "MaxPool" : "AveragePool";
    if (global) name = "Global" + name;
    return append_operation(node,
                            global ? ops::global_pool(input, std::move(name))
                                   : ops::pool(input, o, std::move(name)),
                            options_.element_bits, r);
  }

  reader root_;
  operator_graph_options options_;
  operator_graph result_;
  node_names names_;
  std::vector<tensor_shape> shapes_;
};

} // namespace mars::io::detail
