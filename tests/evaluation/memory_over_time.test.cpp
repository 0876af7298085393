// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/evaluation/memory_over_time.hpp>
#include <mars/workload/builder.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace mars;
using ps = picoseconds;

auto most_of(std::vector<memory_step> const& steps) -> std::int64_t {
  std::int64_t most = 0;
  for (auto const& s : steps) most = std::max(most, s.total().count());
  return most;
}

/// x → a → b, and a → c on another device: 1·4·4·4 elements of 2 bytes, 128 B each.
auto two_readers() -> graph {
  builder b{"branch"};
  auto const a = b.relu(b.input("x", {1, 4, 4, 4}), "a");
  b.output(b.relu(a, "b"));
  b.output(b.relu(a, "c"));
  return std::move(b).build().value();
}
auto branch_mapping() -> mapping {
  mapping m{{{mars_test::group({0}), "d"}, {mars_test::group({1}), "d"}}, {}, {}};
  m.operators = {
      {set_id{std::size_t{0}}, {}}, {set_id{std::size_t{0}}, {}}, {set_id{std::size_t{1}}, {}}};
  for (std::size_t v = 0; v < 3; ++v) m.launch_order.emplace_back(v);
  return m;
}
auto step_at(std::int64_t at, std::int64_t results, std::int64_t buffers) -> memory_step {
  return {ps{at}, bytes{}, bytes{results}, bytes{buffers}};
}

} // namespace

TEST_CASE("a result stays until its last reader ends, wherever that runs") {
  // a: its input and output, 256 B. b: its output; the input is there already. c: input and output.
  std::vector<operator_times> const t{{ps{0}, ps{10}}, {ps{10}, ps{15}}, {ps{12}, ps{20}}};
  auto const steps = memory_over_time(two_readers(), branch_mapping(), 3, t, semantics::overlapped);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0] == std::vector<memory_step>{step_at(0, 0, 256), step_at(10, 128, 128),
                                             step_at(15, 256, 0),
                                             step_at(20, 128, 0)}); // c has read a
  CHECK(steps[1] ==
        std::vector<memory_step>{step_at(0, 0, 0), step_at(12, 0, 256), step_at(20, 128, 0)});
  CHECK(steps[2] == std::vector<memory_step>{step_at(0, 0, 0)});
}

TEST_CASE("staged in the host's memory, all inputs are loaded") {
  std::vector<operator_times> const t{{ps{0}, ps{10}}, {ps{10}, ps{15}}, {ps{12}, ps{20}}};
  auto const steps = memory_over_time(two_readers(), branch_mapping(), 2, t, semantics::staged);
  CHECK(steps[0] == std::vector<memory_step>{step_at(0, 0, 256), step_at(10, 128, 256),
                                             step_at(15, 256, 0), step_at(20, 128, 0)});
}

TEST_CASE("an operator that takes no time leaves a step that lasts none") {
  std::vector<operator_times> const t{{ps{0}, ps{10}}, {ps{10}, ps{20}}, {ps{10}, ps{10}}};
  auto const steps = memory_over_time(two_readers(), branch_mapping(), 2, t, semantics::overlapped);
  CHECK(steps[1] ==
        std::vector<memory_step>{step_at(0, 0, 0), step_at(10, 0, 256), step_at(10, 128, 0)});
}

TEST_CASE("streamed weights fill no memory") {
  builder b{"layer"};
  b.output(b.linear(b.input("x", {1, 8}), 4, false, "fc")); // 32 weights: 64 B; 16 B in, 8 B out
  auto const g = std::move(b).build().value();
  mapping m{{{mars_test::group({0}), "d"}}, {{set_id{std::size_t{0}}, {}}}, {}};
  std::vector<operator_times> const t{{ps{0}, ps{10}}};
  auto steps = memory_over_time(g, m, 1, t, semantics::staged);
  CHECK(steps[0].front() == memory_step{ps{0}, bytes{64}, bytes{}, bytes{24}});
  CHECK(steps[0].back() == memory_step{ps{10}, bytes{64}, bytes{8}, bytes{}});
  m.operators[0].weights = residency::streamed;
  steps = memory_over_time(g, m, 1, t, semantics::staged);
  CHECK(steps[0].front() == memory_step{ps{0}, bytes{}, bytes{}, bytes{24}});
}

TEST_CASE("the largest step is the peak that the evaluator charges") {
  auto const connected = mars_test::connected_system(4, bytes_per_second{1e9});
  auto const staged = mars_test::uniform_system(
      interconnect::host_staged{.accelerators = 4, .bandwidth = bytes_per_second{1e9}},
      {mars_test::plain_design("plain", 1e9)});
  auto const check = [](auto const& g, auto const& system, mapping const& m) {
    auto const priced = evaluate(g, system, m, cost::analytical{}, collective::standard{});
    REQUIRE(priced.has_value());
    std::vector<operator_times> t;
    for (auto const& o : priced->operators) t.push_back({o.start, o.end});
    auto const steps = memory_over_time(g, m, 4, t, priced->semantics);
    std::size_t differ = 0;
    for (std::size_t a = 0; a < 4; ++a) {
      differ += most_of(steps[a]) != priced->memory[a].peak.count();
      differ += steps[a].front().weights != priced->memory[a].resident;
      differ += !std::is_sorted(steps[a].begin(), steps[a].end(),
                                [](auto const& x, auto const& y) { return x.at < y.at; });
    }
    CHECK(differ == 0);
  };
  for (std::uint64_t i = 0; i < 60; ++i) {
    random_stream r{7, i};
    auto const g = mars_test::random_network(r, 4 + r.below(12));
    auto const place = [&](mapping& m) {
      for (std::size_t v = 0; v < g.size(); ++v) {
        auto const s = r.below(m.sets.size());
        auto const p = m.sets[s].accelerators.size();
        m.operators.push_back(
            {set_id{s}, r.pick(parallel::exclusive_shared{}.shardings(op(g, operator_id{v}), p))});
      }
    };
    mapping m{{{mars_test::group({0, 1}), "plain"}, {mars_test::group({3}), "plain"}}, {}, {}};
    place(m);
    check(g, connected, m);

    // Scheduled: sets that overlap, in any order that producers allow.
    mapping other{{{mars_test::group({0, 1}), "plain"},
                   {mars_test::group({1}), "plain"},
                   {mars_test::group({3, 1}), "plain"},
                   {mars_test::group({0}), "plain"}},
                  {},
                  {}};
    place(other);
    std::vector<bool> launched(g.size());
    while (other.launch_order.size() < g.size()) {
      auto const v = r.below(g.size());
      bool ready = !launched[v];
      for (input_edge const e : inputs(g, operator_id{v}))
        ready = ready && launched[e.producer.index()];
      if (!ready) continue;
      launched[v] = true;
      other.launch_order.emplace_back(v);
    }
    check(g, connected, other);
    for (auto& o : other.operators)
      if (r.chance(0.4)) o.weights = residency::streamed;
    check(g, staged, other);
  }
}
