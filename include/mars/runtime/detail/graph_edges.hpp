// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/scheduling/stream_program.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace mars::runtime::detail {

/// Order between the vertices of a graph that grows, each after some before it.
class growing_order {
public:
  /// Adds a vertex after `after` (ascending); leaves in it only what the others do not imply.
  void add(std::vector<std::uint32_t>& after) {
    auto const n = before_.size();
    std::vector<std::uint64_t> mine(n / 64 + 1, 0);
    std::vector<std::uint32_t> kept;
    // A later vertex is never before an earlier one, so from the last on: what is not implied by
    // those seen is needed.
    for (auto i = after.size(); i-- > 0;) {
      auto const v = after[i];
      if (((mine[v / 64] >> (v % 64)) & 1U) != 0) continue;
      kept.push_back(v);
      auto const& theirs = before_[v];
      for (std::size_t w = 0; w < theirs.size(); ++w) mine[w] |= theirs[w];
      mine[v / 64] |= std::uint64_t{1} << (v % 64);
    }
    std::reverse(kept.begin(), kept.end());
    after = std::move(kept);
    before_.push_back(std::move(mine));
  }

private:
  std::vector<std::vector<std::uint64_t>> before_; ///< bits of all that is before each vertex
};

/// A kernel as a node of a graph.
struct graph_vertex {
  std::uint32_t command{};            ///< of the program, which launches it
  std::uint32_t kernel{};             ///< which of that command's
  std::vector<std::uint32_t> after{}; ///< earlier vertices, ascending, none implied by another
};

/// What a program (without barriers, checked) says about the order of its kernels, as a graph without
/// streams: on its stream's predecessor and on what the events waited for stand for. `kernels(i)`: how
/// many command i launches; those that launch none hand on what they were to wait for.
/// O(K² / 64 + commands · streams) for K kernels.
template <class Kernels>
[[nodiscard]] auto graph_edges(stream_program const& program, Kernels&& kernels)
    -> std::vector<graph_vertex> {
  std::vector<graph_vertex> vertices;
  growing_order order;
  // What the next kernel of each stream, and whoever waits for each event, comes after.
  std::vector<std::vector<std::uint32_t>> tails(program.streams), events(program.events);
  for (std::size_t i = 0; i < program.commands.size(); ++i) {
    auto const& c = program.commands[i];
    auto& tail = tails[c.stream.index()];
    switch (c.verb) {
    case stream_verb::record: events[c.what] = tail; break;
    case stream_verb::wait: {
      std::vector<std::uint32_t> both;
      std::set_union(tail.begin(), tail.end(), events[c.what].begin(), events[c.what].end(),
                     std::back_inserter(both));
      tail = std::move(both);
      break;
    }
    case stream_verb::launch:
    case stream_verb::launch_merged: {
      auto const count = static_cast<std::uint32_t>(kernels(i));
      for (std::uint32_t k = 0; k < count; ++k) {
        order.add(tail);
        auto const self = static_cast<std::uint32_t>(vertices.size());
        vertices.push_back({static_cast<std::uint32_t>(i), k, std::move(tail)});
        tail = {self};
      }
      break;
    }
    case stream_verb::barrier: break;
    }
  }
  return vertices;
}

} // namespace mars::runtime::detail
