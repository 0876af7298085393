// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moves of one kind on ResNet-101 and MARS's platform, for instructions.sh to count and time:
//
//   count_moves KIND MOVES      prints the seconds that the moves took
//
// KIND: try_choice, set_choice, place, set_design, merge_split, evaluate, or `adds`: eight independent
// additions a move, as fast as the processor retires instructions.

#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/mars.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// All that is counted: callgrind collects inside this function only.
template <class Move>
[[gnu::noinline]] auto counted_moves(std::uint64_t count, Move&& move) -> std::int64_t {
  std::int64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += move(i & 4095U);
  return sum;
}

template <class Move>
void run(std::uint64_t count, Move&& move) {
  auto const begun = std::chrono::steady_clock::now();
  auto const sum = counted_moves(count, move);
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begun;
  std::printf("%.9f %lld\n", took.count(), static_cast<long long>(sum));
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::string_view const kind = argv[1];
  auto const count = std::strtoull(argv[2], nullptr, 10);
  if (kind == "adds") {
    run(count, [](std::uint64_t i) {
      std::uint64_t a = i, b = 1, c = 2, d = 3, e = 4, f = 5, g = 6, h = 7;
      for (int k = 0; k < 100; ++k)
        asm volatile("add $1, %0\n add $1, %1\n add $1, %2\n add $1, %3\n"
                     "add $1, %4\n add $1, %5\n add $1, %6\n add $1, %7\n"
                     : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h));
      return static_cast<std::int64_t>(a + b + c + d + e + f + g + h);
    });
    return 0;
  }
  auto const network = mars::zoo::resnet101();
  auto const system = mars::presets::aws_f1_16xlarge();
  auto const problem =
      mars::build_problem(network, system, mars::cost::analytical{},
                          mars::parallel::exclusive_shared{}, mars::collective::standard{},
                          mars::objective::latency{},
                          mars::interconnect::with_halves(
                              mars::interconnect::threshold_components(system.interconnect)))
          .value();
  auto start = mars::search::exact{}(problem, {}).best;
  // Two slots where the kind needs them: the whole and its halves, operators taking turns.
  std::uint32_t whole = 0, left = 0, right = 0;
  for (std::uint32_t s = 0; s < problem.sets().size(); ++s)
    if (problem.sets()[s].accelerators.size() == 8) whole = s;
  for (std::uint32_t s = 0; s < problem.sets().size(); ++s)
    for (std::uint32_t t = 0; t < s; ++t)
      if (problem.sets()[s].accelerators.size() == 4 &&
          problem.sets()[t].accelerators.size() == 4 && problem.disjoint(s, t))
        left = t, right = s;
  if (kind == "place" || kind == "merge_split") {
    start.slots = {{left, 0}, {right, 0}};
    for (std::size_t v = 0; v < problem.size(); ++v) {
      start.slot_of[v] = static_cast<std::uint16_t>(v & 1U);
      start.choice_of[v] = 0;
    }
  }
  mars::delta_evaluator delta{problem, start};
  mars::random_stream random{1};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> moves(4096);
  for (auto& [v, c] : moves) {
    v = static_cast<std::uint32_t>(random.below(problem.size()));
    auto const set = delta.current().slots[delta.current().slot_of[v]].set;
    c = static_cast<std::uint32_t>(random.below(problem.shardings(v, set).size()));
  }
  if (kind == "try_choice") {
    run(count, [&](std::uint64_t i) { return delta.try_choice(moves[i].first, moves[i].second); });
  } else if (kind == "set_choice") {
    run(count, [&](std::uint64_t i) {
      delta.set_choice(moves[i].first, moves[i].second);
      return delta.value().value;
    });
  } else if (kind == "place") {
    run(count, [&](std::uint64_t i) {
      delta.place(moves[i].first, i & 1U, moves[i].second);
      return delta.value().value;
    });
  } else if (kind == "set_design") {
    run(count, [&](std::uint64_t i) {
      delta.set_design(0, static_cast<std::uint32_t>(i % 3));
      return delta.value().value;
    });
  } else if (kind == "merge_split") {
    run(count, [&](std::uint64_t) {
      delta.merge(0, 1, {whole, 0}, [](std::size_t) { return 0U; });
      delta.split(
          0, {left, 0}, {right, 0}, [](std::size_t v) { return (v & 1U) != 0; },
          [](std::size_t) { return 0U; });
      return delta.value().value;
    });
  } else if (kind == "evaluate") {
    run(count, [&](std::uint64_t) { return problem.evaluate(start).value; });
  } else {
    return 2;
  }
  return 0;
}
