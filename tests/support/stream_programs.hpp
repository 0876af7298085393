// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_program.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace mars_test {

/// `launch 3 on 1`, for programs written by hand.
inline auto launch(std::uint32_t node, std::size_t stream) -> mars::stream_command {
  return {mars::stream_verb::launch, mars::stream_id{stream}, node};
}
inline auto record(std::uint32_t event, std::size_t stream) -> mars::stream_command {
  return {mars::stream_verb::record, mars::stream_id{stream}, event};
}
inline auto wait(std::uint32_t event, std::size_t stream) -> mars::stream_command {
  return {mars::stream_verb::wait, mars::stream_id{stream}, event};
}

/// 0 → {1, 2} → 3: node 1 on stream 1, forked by event 0, joined by event 1.
inline auto diamond() -> std::pair<mars::stream_graph, mars::stream_program> {
  mars::stream_graph g;
  g.nodes = {{.name = "a"},
             {.name = "b", .inputs = {0}},
             {.name = "c", .inputs = {0}},
             {.name = "d", .inputs = {1, 2}}};
  mars::stream_program p{.streams = 2, .events = 2};
  p.commands = {launch(0, 0), record(0, 0), wait(0, 1), launch(1, 1),
                record(1, 1), launch(2, 0), wait(1, 0), launch(3, 0)};
  return {std::move(g), std::move(p)};
}

} // namespace mars_test
