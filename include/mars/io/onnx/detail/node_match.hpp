// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Which nodes and tensors of a model are operators and operands of its graph.

#include <mars/io/onnx/validate_devices.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

struct matched_node {
  std::size_t node{};
  std::vector<std::string> tensors; ///< by operand: its name in the file; empty: it has none there
};

/// By operator: its node in the main graph, found by name, and the tensors of it that are the
/// operator's. Operators of functions and branches have none, nor have nodes that share a name.
/// Identity and Dropout, which the importer leaves out, pass their input on.
template <WorkloadGraph G, class Model>
[[nodiscard]] auto match_nodes(G const& g, Model const& model)
    -> std::vector<std::optional<matched_node>> {
  auto const& nodes = model.graph().node();
  std::unordered_map<std::string, int> by_name; // −1: of several
  for (int i = 0; i < nodes.size(); ++i) {
    auto const& n = nodes.Get(i);
    auto const name =
        printable(n.name().empty() ? n.op_type() + "_" + std::to_string(i) : n.name());
    if (auto const [entry, fresh] = by_name.try_emplace(name, i); !fresh) entry->second = -1;
  }
  std::vector<std::optional<matched_node>> matches;
  std::vector<bool> taken(static_cast<std::size_t>(nodes.size()), false);
  for (operator_id const v : operators(g)) {
    auto& match = matches.emplace_back();
    auto const entry = by_name.find(op(g, v).name);
    if (entry == by_name.end() || entry->second < 0) continue;
    match = matched_node{static_cast<std::size_t>(entry->second), {}};
    taken[match->node] = true;
  }
  // Who makes each tensor, seen through nodes that are no operators.
  std::unordered_map<std::string, std::string> same_as;
  for (int i = 0; i < nodes.size(); ++i) {
    auto const& n = nodes.Get(i);
    if (!taken[static_cast<std::size_t>(i)] && n.input_size() > 0 && n.output_size() > 0 &&
        (n.op_type() == "Identity" || n.op_type() == "Dropout"))
      same_as.try_emplace(n.output(0), n.input(0));
  }
  auto const root = [&](std::string name) {
    std::vector<std::string> path; // shortened on the way: chains may be long
    for (auto it = same_as.find(name); it != same_as.end() && path.size() <= same_as.size();
         it = same_as.find(name)) {
      path.push_back(std::move(name));
      name = it->second;
    }
    for (auto const& passed : path) same_as[passed] = name;
    return name;
  };
  auto const shapes = stored_shapes(model.graph());
  auto const may_be = [&](std::string const& name, operand const& t) {
    auto const stored = shapes.find(name);
    if (stored == shapes.end()) return true;
    if (stored->second.size() != t.axes.size()) return false;
    for (std::size_t i = 0; i < t.axes.size(); ++i)
      if (stored->second[i] >= 0 && stored->second[i] != t.axes[i].extent) return false;
    return true;
  };
  for (operator_id const v : operators(g)) {
    auto& match = matches[v.index()];
    if (!match) continue;
    operation const& o = op(g, v);
    auto const& n = nodes.Get(static_cast<int>(match->node));
    match->tensors.resize(o.operands.size());
    std::vector<bool> fed(o.operands.size(), false);
    for (input_edge const e : inputs(g, v)) fed[e.operand] = true;
    int output = 0;
    int input = 0; // unnamed operands are told by their place
    for (std::size_t i = 0; i < o.operands.size(); ++i) {
      auto const& t = o.operands[i];
      auto& name = match->tensors[i];
      if (t.role == role::output) {
        if (output < n.output_size() && may_be(n.output(output), t)) name = n.output(output);
        ++output;
        continue;
      }
      if (t.role == role::state) continue;
      auto const place = input++;
      if (fed[i]) continue;
      if (t.name.empty()) {
        if (place < n.input_size() && may_be(n.input(place), t)) name = n.input(place);
      } else {
        for (auto const& candidate : n.input())
          if (printable(root(candidate)) == t.name && may_be(candidate, t)) name = candidate;
      }
    }
    for (input_edge const e : inputs(g, v)) {
      auto const& producer = matches[e.producer.index()];
      if (!producer) continue;
      auto const& made = nodes.Get(static_cast<int>(producer->node));
      if (static_cast<int>(e.output) >= made.output_size()) continue;
      for (auto const& candidate : n.input())
        if (!candidate.empty() && root(candidate) == made.output(e.output) &&
            may_be(candidate, o.operands[e.operand]))
          match->tensors[e.operand] = candidate;
    }
  }
  return matches;
}

} // namespace mars::io::onnx_detail
