// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Stream graphs for tests: from edges, at random, from the fx files; and what runs before what, by search.

#include <mars/core/random.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_program.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mars_test {

/// Nodes named a, b, c, …, each of so many inputs.
inline auto stream_dag(std::vector<std::vector<std::uint32_t>> const& inputs)
    -> mars::stream_graph {
  mars::stream_graph g;
  for (std::size_t v = 0; v < inputs.size(); ++v) {
    g.nodes.push_back({std::string(1, static_cast<char>('a' + v % 26)), {}, inputs[v]});
    if (v >= 26) g.nodes.back().name += std::to_string(v / 26);
  }
  return g;
}

inline auto stream_device() -> mars::gpu_device {
  mars::gpu_device d;
  d.sms = 4;
  d.peak_rate = mars::flops_per_second{1e12};
  d.bandwidth = mars::bytes_per_second{1e11};
  return d;
}

inline auto stream_problem_of(mars::stream_graph g, mars::stream_options o = {})
    -> mars::stream_problem {
  return mars::stream_problem::make(std::move(g), stream_device(), std::move(o)).value();
}

/// Kernels of many sizes, some nodes without; results of up to 100 bytes.
inline void furnish(mars::random_stream& r, mars::stream_graph& g) {
  for (auto& node : g.nodes) {
    node.output = mars::bytes{static_cast<std::int64_t>(r.below(101))};
    for (auto k = r.below(3); k > 0; --k) {
      mars::kernel kernel;
      kernel.blocks = 1 + static_cast<std::int64_t>(r.below(20));
      kernel.threads = 32 << r.below(5);
      kernel.shared = mars::bytes{static_cast<std::int64_t>(r.below(4)) * 8192};
      kernel.work = mars::flops{static_cast<std::int64_t>(r.below(4'000'000))};
      kernel.traffic = mars::bytes{static_cast<std::int64_t>(r.below(400'000))};
      node.kernels.push_back(kernel);
    }
  }
}

/// Every earlier node is an input with some probability, in any order.
inline auto random_stream_dag(mars::random_stream& r, std::size_t n) -> mars::stream_graph {
  std::vector<std::vector<std::uint32_t>> inputs(n);
  auto const density = 0.05 + 0.5 * r.uniform();
  for (std::uint32_t v = 0; v < n; ++v) {
    for (std::uint32_t u = 0; u < v; ++u)
      if (r.chance(density)) inputs[v].push_back(u);
    r.shuffle(inputs[v]);
  }
  auto g = stream_dag(inputs);
  furnish(r, g);
  return g;
}

/// Any producers-first order.
inline auto random_stream_order(mars::random_stream& r, mars::stream_graph const& g)
    -> std::vector<std::uint32_t> {
  std::vector<std::uint32_t> order;
  std::vector<char> done(g.size());
  while (order.size() < g.size()) {
    std::vector<std::uint32_t> ready;
    for (std::uint32_t v = 0; v < g.size(); ++v)
      if (done[v] == 0 && std::all_of(g.nodes[v].inputs.begin(), g.nodes[v].inputs.end(),
                                      [&](auto p) { return done[p] != 0; }))
        ready.push_back(v);
    order.push_back(r.pick(ready));
    done[order.back()] = 1;
  }
  return order;
}

/// Any streams and order; stages and groups of merged nodes now and then.
inline auto random_stream_schedule(mars::random_stream& r, mars::stream_graph const& g)
    -> mars::stream_schedule {
  mars::stream_schedule s;
  s.launch_order = random_stream_order(r, g);
  auto const streams = 1 + r.below(4);
  std::vector<std::uint32_t> raw(g.size());
  for (auto& x : raw) x = static_cast<std::uint32_t>(r.below(streams));
  if (r.chance(0.3)) {
    s.stage_of.assign(g.size(), 0);
    std::uint32_t stage = 0;
    for (auto const v : s.launch_order) s.stage_of[v] = r.chance(0.3) ? ++stage : stage;
  }
  if (r.chance(0.3))
    for (std::size_t i = 0; i + 1 < g.size(); ++i) {
      auto const u = s.launch_order[i], v = s.launch_order[i + 1];
      auto const& in = g.nodes[v].inputs;
      bool const same_stage = s.stage_of.empty() || s.stage_of[u] == s.stage_of[v];
      if (!same_stage || std::find(in.begin(), in.end(), u) != in.end() || !r.chance(0.4)) continue;
      raw[v] = raw[u];
      s.merged.push_back({u, v});
      ++i;
    }
  std::map<std::uint32_t, std::uint32_t> number;
  for (auto const x : raw)
    s.stream_of.emplace_back(
        number.emplace(x, static_cast<std::uint32_t>(number.size())).first->second);
  return s;
}

using relation = std::vector<std::vector<char>>;

/// Transitive closure (Warshall).
inline auto closure(relation r) -> relation {
  for (std::size_t k = 0; k < r.size(); ++k)
    for (std::size_t i = 0; i < r.size(); ++i)
      if (r[i][k] != 0)
        for (std::size_t j = 0; j < r.size(); ++j) r[i][j] = static_cast<char>(r[i][j] | r[k][j]);
  return r;
}

/// before[u][v]: node u surely ends before v starts, in a graph or by the commands of a program.
inline auto order_of(mars::stream_graph const& g) -> relation {
  relation r(g.size(), std::vector<char>(g.size()));
  for (std::size_t v = 0; v < g.size(); ++v)
    for (auto const p : g.nodes[v].inputs) r[p][v] = 1;
  return closure(std::move(r));
}
inline auto order_of(mars::stream_graph const& g, mars::stream_program const& program) -> relation {
  using mars::stream_verb;
  auto const& all = program.commands;
  relation r(all.size(), std::vector<char>(all.size()));
  for (std::size_t j = 0; j < all.size(); ++j) {
    bool recorded = false;
    for (std::size_t i = j; i-- > 0;) {
      bool const orders = all[i].verb == stream_verb::barrier ||
                          all[j].verb == stream_verb::barrier || all[i].stream == all[j].stream;
      bool const event = !recorded && all[j].verb == stream_verb::wait &&
                         all[i].verb == stream_verb::record && all[i].what == all[j].what;
      recorded = recorded || event;
      if (orders || event) r[i][j] = 1;
    }
  }
  r = closure(std::move(r));
  std::vector<std::size_t> place(g.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].verb == stream_verb::launch) place[all[i].what] = i;
    if (all[i].verb == stream_verb::launch_merged)
      for (auto const v : program.merged[all[i].what]) place[v] = i;
  }
  relation nodes(g.size(), std::vector<char>(g.size()));
  for (std::size_t u = 0; u < g.size(); ++u)
    for (std::size_t v = 0; v < g.size(); ++v)
      if (place[u] < all.size() && place[v] < all.size()) nodes[u][v] = r[place[u]][place[v]];
  return nodes;
}

struct fx_network {
  mars::stream_graph graph{};
  std::vector<char> memory_bound{}; ///< the published classifier's verdict
};

#ifdef MARS_TEST_SHARED_DIR
/// The fx files are written one value a line; no more of JSON than that is read here.
inline auto read_fx(std::string const& name) -> fx_network {
  std::ifstream file{std::string{MARS_TEST_SHARED_DIR} + "/data/opara/" + name + "_fx.json"};
  fx_network net;
  std::map<std::string, std::uint32_t> number;
  auto const word = [](std::string const& line, std::size_t from) {
    auto const first = line.find('"', from) + 1;
    return line.substr(first, line.find('"', first) - first);
  };
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("\"name\":", 0) == 0) {
      auto const n = static_cast<std::uint32_t>(net.graph.size());
      net.graph.nodes.push_back({word(line, 7)});
      number.emplace(net.graph.nodes.back().name, n);
    } else if (line == "\"inputs\": [") {
      while (std::getline(file, line) && line[0] == '"')
        net.graph.nodes.back().inputs.push_back(number.at(word(line, 0)));
    } else if (line.rfind("\"opara_memory_bound\":", 0) == 0) {
      net.memory_bound.push_back(line.find("true") != std::string::npos ? 1 : 0);
    }
  }
  return net;
}
#endif

} // namespace mars_test
