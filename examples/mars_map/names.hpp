// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// The words of the command line: a value of an enumeration is the index of its word.

namespace mars_map {

enum class strategy_name : std::uint8_t {
  exclusive_shared,
  exclusive_only,
  data,
  iteration_splits,
  single_cut,
  whole
};
enum class cost_name : std::uint8_t { analytical, roofline };
enum class objective_name : std::uint8_t { latency, throughput, energy, weighted };
enum class search_name : std::uint8_t {
  baseline,
  genetic,
  exact,
  annealing,
  beam,
  portfolio,
  exhaustive,
  list,
  h2h
};
enum class sharing_name : std::uint8_t { fair, fifo };
enum class semantics_name : std::uint8_t { sequential, scheduled };

enum class scheduler_name : std::uint8_t {
  sequential,
  path_cover,
  chain_cover,
  opara,
  ios,
  ios_greedy,
  critical_path,
  best
};
enum class format_name : std::uint8_t { onnx, sdy, chakra, jax, device_map };

struct word {
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array<word, 6> strategy_words{{
    {"exclusive-shared", "exclusive shards on two dimensions, one tensor in rotating parts (MARS)"},
    {"exclusive-only", "the same without rotating parts"},
    {"data", "the batch is cut, weights are replicated"},
    {"iteration-splits", "every split of the iteration space into divisors (PaSE)"},
    {"single-cut",
     "one dimension, parts as unlike devices can bear; where data go through the host"},
    {"whole", "no operator is divided: placement only"},
}};
inline constexpr std::array<word, 2> cost_words{{
    {"analytical", "what the design says of itself"},
    {"roofline", "peak rate and memory bandwidth of the design, overlapped"},
}};
inline constexpr std::array<word, 4> objective_words{{
    {"latency", "time of one inference"},
    {"throughput", "inferences per second, pipelined over the sets"},
    {"energy", "joules of one inference, where designs know theirs"},
    {"weighted", "latency and energy, as --weights says"},
}};
inline constexpr std::array<word, 9> search_words{{
    {"baseline", "MARS's computation-prioritized baseline, no search"},
    {"genetic", "two levels: sets and designs bred, shardings exact along paths"},
    {"exact", "branch and bound to a proven optimum; anytime (latency and energy)"},
    {"annealing", "many small moves and some large ones, uphill less and less"},
    {"beam", "operator by operator, the most promising partial mappings kept"},
    {"portfolio", "exact, genetic and annealing under one budget, round by round"},
    {"exhaustive", "every mapping, one by one: for tiny graphs"},
    {"list", "list scheduling, HEFT with insertion (scheduled only)"},
    {"h2h", "H2H's four steps with legal times (scheduled only)"},
}};
inline constexpr std::array<word, 5> format_words{{
    {"onnx", "ONNX multi-device annotations, in the model or in a skeleton of it"},
    {"sdy", "Shardy: MLIR text with sdy.sharding, resharding and reductions"},
    {"chakra", "execution traces, with what ASTRA-sim wants beside them"},
    {"jax", "meshes and PartitionSpecs as JSON"},
    {"device-map", "Accelerate's device_map as JSON, where no operator is divided"},
}};
inline constexpr std::array<word, 2> holders_words{{
    {"parts",
     "nothing is in place where a tensor is cut into more parts than before (PaSE's tool)"},
    {"devices", "nothing is in place where a layer runs on more devices than the one before"},
}};
/// Schedulers of operators on the streams of a GPU.
inline constexpr std::array<word, 8> scheduler_words{{
    {"sequential", "one stream"},
    {"path-cover", "Nimble: fewest paths of the minimum equivalent graph, fewest waits"},
    {"chain-cover", "as many streams as operators can run at once, used again"},
    {"opara", "inputs hand on their streams; memory-bound and computing launches alternate"},
    {"ios", "stages, optimal by dynamic programming; convolutions of one input may be merged"},
    {"ios-greedy", "stages, each all that is ready"},
    {"critical-path", "longest way to the end first, on the stream where it starts first (HEFT)"},
    {"best", "search from all of these against the simulator, with a proven gap"},
}};
/// Objectives with a command of their own.
inline constexpr std::array<word, 1> command_words{{
    {"pase", "PaSE's F = layers + r x transfers, in FLOP, on equal devices without memory limits"},
}};
inline constexpr std::array<word, 2> sharing_words{{
    {"fair", "messages that meet on a link share it max-min fairly"},
    {"fifo", "a link serves one message at a time, in the order of arrival"},
}};
inline constexpr std::array<word, 2> semantics_words{{
    {"sequential", "operators run one after another (MARS); also where it is not said"},
    {"scheduled", "operators on different accelerators at the same time; where data go through the "
                  "host [default]"},
}};

[[nodiscard]] constexpr auto name_of(scheduler_name n) -> std::string_view {
  return scheduler_words[static_cast<std::size_t>(n)].name;
}
[[nodiscard]] constexpr auto name_of(strategy_name n) -> std::string_view {
  return strategy_words[static_cast<std::size_t>(n)].name;
}
[[nodiscard]] constexpr auto name_of(cost_name n) -> std::string_view {
  return cost_words[static_cast<std::size_t>(n)].name;
}
[[nodiscard]] constexpr auto name_of(objective_name n) -> std::string_view {
  return objective_words[static_cast<std::size_t>(n)].name;
}
[[nodiscard]] constexpr auto name_of(sharing_name n) -> std::string_view {
  return sharing_words[static_cast<std::size_t>(n)].name;
}
[[nodiscard]] constexpr auto name_of(semantics_name n) -> std::string_view {
  return semantics_words[static_cast<std::size_t>(n)].name;
}
[[nodiscard]] constexpr auto name_of(search_name n) -> std::string_view {
  return search_words[static_cast<std::size_t>(n)].name;
}

} // namespace mars_map
