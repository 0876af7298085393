// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mars {

/// What can be wrong with a stream schedule, or with a stream program.
enum class stream_violation_kind : std::uint8_t {
  wrong_size,     ///< not one entry for each node
  unknown_node,   ///< of a smaller graph
  repeated_node,  ///< launched again
  missing_node,   ///< never launched
  precedence,     ///< launched before what it reads
  unknown_stream, ///< a stream beyond the number of nodes, or of streams
  idle_stream,    ///< a stream with nothing to do
  backward_stage, ///< launched in an earlier stage than a node before it
  bad_group,      ///< merged nodes that are apart, dependent or on several streams
  unmergeable,    ///< merged nodes that have no kernel together
  streams,        ///< more than the limit
  events,         ///< the same
  memory,         ///< the same
  unknown_event,  ///< beyond the number of events
  unknown_group,  ///< beyond the number of groups
  repeated_event, ///< recorded again
  early_wait,     ///< for an event that was not recorded before: the device would not wait
  race,           ///< a node and what it reads in no order
  unjoined,       ///< work that stream 0 does not wait for in the end
};

[[nodiscard]] constexpr auto kind_name(stream_violation_kind kind) -> std::string_view {
  constexpr std::string_view names[] = {
      "wrong-size",     "unknown-node", "repeated-node",  "missing-node",  "precedence",
      "unknown-stream", "idle-stream",  "backward-stage", "bad-group",     "unmergeable",
      "streams",        "events",       "memory",         "unknown-event", "unknown-group",
      "repeated-event", "early-wait",   "race",           "unjoined"};
  return names[static_cast<std::size_t>(kind)];
}

/// One reason why a stream schedule or program is not valid, for a program and for a person.
struct stream_violation {
  stream_violation_kind kind{};
  std::string path;    ///< e.g. `launch_order[17]`, `commands[4]`
  std::string message; ///< one line

  friend auto operator==(stream_violation const&, stream_violation const&) -> bool = default;
};

/// `path: message [kind]`
template <deferred = when_called>
[[nodiscard]] auto to_string(stream_violation const& v) -> std::string {
  return v.path + ": " + v.message + " [" + std::string{kind_name(v.kind)} + "]";
}

} // namespace mars
