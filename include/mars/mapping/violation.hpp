// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/core/units.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mars {

/// What is wrong with a mapping; numbers never change meaning.
enum class violation_kind : std::uint8_t {
  bad_graph,         ///< the graph itself: a cycle, an edge to nowhere
  unplaced_operator, ///< fewer placements than operators
  surplus_placement, ///< more placements than operators
  unknown_set,       ///< a placement on a set that does not exist
  empty_set,
  unknown_accelerator,
  repeated_accelerator, ///< twice in one set
  overlapping_sets,     ///< in two sets
  unknown_design,       ///< a member of the set does not offer it
  unknown_dimension,
  sequential_dimension, ///< a cut through steps that run in order
  repeated_dimension,   ///< cut twice
  bad_ways,             ///< fewer than two, or more than the extent
  uneven_set,           ///< the ways do not multiply to a divisor of the set size
  overlapping_shards,   ///< two devices would own parts of one another's result
  bad_rotation,         ///< nothing along the shared cut is held alike by that many devices
  bad_scatter,
  refused_operator, ///< the design must not run it
  bad_schedule,     ///< a time that is none, or the wrong number of them
  precedence,       ///< starts before an input is there
  busy_accelerator, ///< two operators at once
  memory,           ///< more than there is
  bad_parts,        ///< uneven parts that are not the dimension's
  two_designs,      ///< an accelerator that its sets configure differently
  bad_launch_order, ///< not every operator once, or a reader before what it reads
  no_host,          ///< streamed weights, but no host to stream them from
  out_of_order, ///< starts before an operator launched earlier on the same accelerator, or stream
  bad_streams,  ///< not one of every operator, or without a launch order
  no_streams,   ///< a stream but the first of accelerators that have only that one
  unknown_algorithm, ///< a member's design does not list it for its shard
  bad_format,        ///< named where the algorithm, or what the operator is, decides
};

[[nodiscard]] constexpr auto kind_name(violation_kind kind) -> std::string_view {
  constexpr std::string_view names[] = {"bad-graph",
                                        "unplaced-operator",
                                        "surplus-placement",
                                        "unknown-set",
                                        "empty-set",
                                        "unknown-accelerator",
                                        "repeated-accelerator",
                                        "overlapping-sets",
                                        "unknown-design",
                                        "unknown-dimension",
                                        "sequential-dimension",
                                        "repeated-dimension",
                                        "bad-ways",
                                        "uneven-set",
                                        "overlapping-shards",
                                        "bad-rotation",
                                        "bad-scatter",
                                        "refused-operator",
                                        "bad-schedule",
                                        "precedence",
                                        "busy-accelerator",
                                        "memory",
                                        "bad-parts",
                                        "two-designs",
                                        "bad-launch-order",
                                        "no-host",
                                        "out-of-order",
                                        "bad-streams",
                                        "no-streams",
                                        "unknown-algorithm",
                                        "bad-format"};
  return names[static_cast<std::size_t>(kind)];
}

/// One reason why a mapping is not valid, for a program (`kind`, `path`) and for a person.
struct violation {
  violation_kind kind{};
  std::string path;    ///< e.g. `operators[17].exclusive[0]`, `sets[1].accelerators[2]`
  std::string message; ///< one line

  friend auto operator==(violation const&, violation const&) -> bool = default;
};

/// `path: message [kind]`
template <deferred = when_called>
[[nodiscard]] auto to_string(violation const& v) -> std::string {
  return v.path + ": " + v.message + " [" + std::string{kind_name(v.kind)} + "]";
}

/// When an operator runs.
struct time_span {
  seconds start{};
  seconds end{};

  friend auto operator==(time_span const&, time_span const&) -> bool = default;
};

/// What fills an accelerator at its fullest moment.
struct memory_part {
  enum class what : std::uint8_t { weights, result, buffers };

  operator_id owner;
  what part{};
  bytes size{};

  friend auto operator==(memory_part const&, memory_part const&) -> bool = default;
};

/// Memory of one accelerator over one inference, as the validator counts it.
struct memory_demand {
  accelerator_id accelerator;
  bytes resident{}; ///< weights of everything it runs
  bytes peak{};     ///< resident and the largest demand of activations and buffers
  bytes capacity{};
  operator_id at;                   ///< the operator that runs when the peak is reached
  std::vector<memory_part> largest; ///< at the peak, the three largest, larger first
};

} // namespace mars
