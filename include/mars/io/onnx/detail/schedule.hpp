// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/onnx/detail/session.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Calls `visit(name)` for every name that the subgraphs of a node read and do not define
/// themselves. Recursion is as deep as the file nests, which the parser limits.
template <class Visit>
void for_each_captured(pb::NodeProto const& node, Visit const& visit) {
  auto const in_graph = [&](pb::GraphProto const& g) {
    std::unordered_set<std::string_view> own;
    for (auto const& t : g.initializer()) own.insert(t.name());
    for (auto const& i : g.input()) own.insert(i.name());
    for (auto const& n : g.node())
      for (auto const& o : n.output()) own.insert(o);
    auto const outside = [&](std::string_view name) {
      if (!name.empty() && !own.contains(name)) visit(name);
    };
    for (auto const& n : g.node()) {
      for (auto const& i : n.input()) outside(i);
      for_each_captured(n, std::function<void(std::string_view)>{outside});
    }
    for (auto const& o : g.output()) outside(o.name());
  };
  for (auto const& a : node.attribute()) {
    if (a.has_g()) in_graph(a.g());
    for (auto const& g : a.graphs()) in_graph(g);
  }
}

/// The nodes that matter for the outputs of a frame, producers first, otherwise in file order;
/// names they read are marked as used. Errors: a tensor with two producers, a cycle.
[[nodiscard]] inline auto schedule(session& s, frame& f) -> expected<std::vector<int>> {
  auto const& nodes = *f.nodes;
  auto const count = static_cast<std::size_t>(nodes.size());
  auto const path = [&](std::size_t i) { return node_path(f, static_cast<int>(i)); };
  std::unordered_map<std::string_view, std::size_t> producer;
  for (std::size_t i = 0; i < count; ++i) {
    int number = 0;
    for (auto const& o : nodes.Get(static_cast<int>(i)).output()) {
      auto const at = number++;
      if (o.empty()) continue;
      auto const [it, fresh] = producer.emplace(o, i);
      if (!fresh || f.names.contains(o))
        return fail(error_code::duplicate, path(i) + ".output[" + std::to_string(at) + "]",
                    in_quotes(o), "a tensor name of its own",
                    fresh ? "an input or initializer has it too"
                          : std::string{"node "} + std::to_string(it->second) + " writes it too");
    }
  }

  std::vector<std::vector<std::uint32_t>> needs(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto const need = [&](std::string_view name) {
      if (auto const it = producer.find(name); it != producer.end())
        needs[i].push_back(static_cast<std::uint32_t>(it->second));
    };
    auto const& n = nodes.Get(static_cast<int>(i));
    for (auto const& name : n.input()) need(name);
    for_each_captured(n, need);
    std::sort(needs[i].begin(), needs[i].end());
    needs[i].erase(std::unique(needs[i].begin(), needs[i].end()), needs[i].end());
  }

  // Live: what the outputs need. Without outputs, everything.
  std::vector<bool> live(count, f.outputs.empty());
  std::vector<std::size_t> stack;
  auto const enliven = [&](std::size_t i) {
    if (live[i]) return;
    live[i] = true;
    stack.push_back(i);
  };
  for (auto const name : f.outputs)
    if (auto const it = producer.find(name); it != producer.end()) enliven(it->second);
  while (!stack.empty()) {
    auto const i = stack.back();
    stack.pop_back();
    for (auto const p : needs[i]) enliven(p);
  }
  for (auto const name : f.outputs) f.used.insert(name);
  for (std::size_t i = 0; i < count; ++i) {
    if (!live[i]) continue;
    auto const& n = nodes.Get(static_cast<int>(i));
    for (auto const& name : n.input()) f.used.insert(name);
    for_each_captured(n, [&](std::string_view name) { f.used.insert(name); });
    if (f.outputs.empty())
      for (auto const& name : n.output()) f.used.insert(name);
  }
  if (auto const dead = std::count(live.begin(), live.end(), false); dead > 0)
    s.warn(f.path + "node: " + std::to_string(dead) + " of " + std::to_string(count) +
           " nodes reach no output and are left out");

  // Kahn's order, smallest number first, over all nodes: a cycle is an error wherever it lies.
  std::vector<std::vector<std::uint32_t>> feeds(count);
  std::vector<std::size_t> missing(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    missing[i] = needs[i].size();
    for (auto const p : needs[i]) feeds[p].push_back(static_cast<std::uint32_t>(i));
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < count; ++i)
    if (missing[i] == 0) ready.push(i);
  std::vector<int> order;
  std::size_t done = 0;
  for (; !ready.empty(); ++done) {
    auto const i = ready.top();
    ready.pop();
    if (live[i]) order.push_back(static_cast<int>(i));
    for (auto const next : feeds[i])
      if (--missing[next] == 0) ready.push(next);
  }
  if (done == count) return order;
  // Walk back among blocked nodes until one repeats: it lies on a cycle.
  std::vector<bool> seen(count, false);
  std::size_t at = 0;
  while (missing[at] == 0) ++at;
  while (!seen[at]) {
    seen[at] = true;
    for (auto const p : needs[at])
      if (missing[p] != 0) {
        at = p;
        break;
      }
  }
  return fail(error_code::cycle, path(at), "a node that depends on its own output",
              "an acyclic graph");
}

} // namespace mars::io::onnx_detail
