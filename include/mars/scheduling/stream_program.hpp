// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars {

/// What the host tells the device. Commands of one stream run in the order given; those of different
/// streams in any order that events and barriers leave open.
enum class stream_verb : std::uint8_t {
  launch,        ///< a node: its kernels, one after another; none, if it has none
  launch_merged, ///< a group of merged nodes: their one kernel
  record,        ///< an event: from now on it stands for all that the stream was given so far
  wait,          ///< what the stream is given from now on starts after what the event stands for
  barrier,       ///< the host waits until all streams are empty; never in a graph that is captured
};

[[nodiscard]] constexpr auto verb_name(stream_verb verb) -> std::string_view {
  constexpr std::string_view names[] = {"launch", "launch_merged", "record", "wait", "barrier"};
  return names[static_cast<std::size_t>(verb)];
}

struct stream_command {
  stream_verb verb{};
  stream_id stream{}; ///< of a barrier: 0, it concerns all
  std::uint32_t
      what{}; ///< the node, the group (an index of `merged`) or the event; of a barrier: 0

  friend auto operator==(stream_command const&, stream_command const&) -> bool = default;
};

/// A `stream_schedule` spelled out (`to_program`): what a runtime executes and `find_races` checks. Work
/// that the caller gave stream 0 before comes first, and work given to stream 0 after it comes last:
/// the other streams are forked from stream 0 and joined to it by events.
struct stream_program {
  std::size_t streams{};
  std::size_t events{}; ///< each is recorded before it is waited for, and once
  std::vector<stream_command> commands{};
  std::vector<std::vector<std::uint32_t>> merged{}; ///< nodes of each group, in launch order

  friend auto operator==(stream_program const&, stream_program const&) -> bool = default;
};

} // namespace mars
