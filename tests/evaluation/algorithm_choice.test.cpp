// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Algorithms and formats as choices: tables against the full evaluator and the validator, which share
// no code with them but the arithmetic of one reorder, and prices worked out by hand.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"
#include "support/toy_processor.hpp"

#include <mars/cost/any_cost.hpp>
#include <mars/cost/cached.hpp>
#include <mars/cost/roofline.hpp>
#include <mars/cost/table.hpp>
#include <mars/evaluation/lower.hpp>
#include <mars/evaluation/memory_over_time.hpp>
#include <mars/evaluation/sharing/fifo.hpp>
#include <mars/evaluation/simulator.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/mapper.hpp>
#include <mars/mapping/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {
using namespace mars;
using mars_test::toy_processor;

/// Toys on some accelerators, of one kind or two, and designs without algorithms on others.
auto random_toy_system(random_stream& r) {
  auto s = mars_test::random_system(r, 6, false);
  auto const first = mars_test::random_toy(r);
  auto const second = r.chance(0.5) ? first : mars_test::random_toy(r);
  auto const adaptive = mars_test::random_toy(r, "other toy");
  for (std::size_t i = 0; i < s.accelerators.size(); ++i) {
    auto& designs = s.accelerators[i].configurations;
    if (r.chance(0.8)) designs = {i % 2 == 0 ? first : second};
    if (r.chance(0.3)) designs.insert(designs.begin(), adaptive);
  }
  return s;
}

auto has_unread_result(graph const& g) -> bool {
  std::vector<std::vector<bool>> read;
  for (operator_id const v : operators(g)) {
    auto const& all = op(g, v).operands;
    read.emplace_back(static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [](auto const& t) { return t.role == role::output; })));
  }
  for (operator_id const v : operators(g))
    for (input_edge const e : inputs(g, v)) read[e.producer.index()][e.output] = true;
  for (auto const& r : outputs(g)) read[r.producer.index()][r.output] = true;
  return std::any_of(read.begin(), read.end(), [](auto const& of) {
    return std::find(of.begin(), of.end(), false) != of.end();
  });
}

template <class O>
void compare_toys(std::uint64_t seed, std::uint64_t trials, O const& objective) {
  std::size_t feasible = 0, rewritten = 0, alone = 0, resolved = 0;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    CAPTURE(seed, trial);
    random_stream r{seed, trial};
    auto const g = mars_test::random_network(r, 2 + r.below(7));
    auto const s = random_toy_system(r);
    auto const p = mars_test::make_problem(g, s, parallel::exclusive_shared{}, objective);
    for (int k = 0; k < 4; ++k) {
      auto const a = mars_test::random_assignment(p, r);
      auto const m = p.decode(a);
      auto const priced = evaluate(g, s, m, cost::analytical{}, collective::standard{});
      REQUIRE(priced);
      auto const value = p.evaluate(a);
      // A choice is one of one design: with another design of its set it cannot run, though that one may
      // list an algorithm of the same name.
      if (value.value >= no_ticks) continue;
      CHECK(value.value == objective(*priced));
      CHECK(value.feasible() == priced->feasible());
      CHECK(p.encode(m) == a);
      auto const peaks = p.peak_bytes(a);
      for (std::size_t i = 0; i < a.slots.size(); ++i)
        for (auto const x : p.sets()[a.slots[i].set].accelerators)
          CHECK(priced->memory[x.index()].peak.count() == peaks[i]);
      // The validator counts memory device by device, so it may only be the milder judge.
      for (auto const& c : validate(m, g, s)) {
        INFO(to_string(c));
        CHECK_FALSE(priced->feasible());
        CHECK((c.kind == violation_kind::memory || c.kind == violation_kind::refused_operator));
      }
      if (s.size() == 1) { // here both count the same
        auto const demand = memory_demands(m, g, s).front();
        CHECK(demand.peak.count() <= peaks.front());
        if (!has_unread_result(g)) { // the validator frees it at once
          CHECK(demand.peak.count() == peaks.front());
          ++alone;
        }
      }
      // Without algorithms it runs with the fastest, which is one of the choices of the table.
      auto stripped = m;
      for (auto& o : stripped.operators) o.algorithm = o.format = {};
      auto const plain = evaluate(g, s, stripped, cost::analytical{}, collective::standard{});
      auto const choice = p.encode(stripped);
      REQUIRE(plain);
      REQUIRE(choice);
      if (auto const same = p.evaluate(*choice); same.value < no_ticks) {
        CHECK(same.value == objective(*plain));
        CHECK(same.feasible() == plain->feasible());
        if (s.size() == 1 && !has_unread_result(g))
          CHECK(memory_demands(stripped, g, s).front().peak == plain->memory[0].peak);
        ++resolved;
      }
      feasible += value.feasible();
      for (auto const& o : priced->operators) rewritten += o.reorders > picoseconds{};
    }
  }
  CHECK(feasible > trials / 10);
  CHECK(rewritten > trials);
  CHECK(alone > trials / 20);
  CHECK(resolved > trials);
}

} // namespace

TEST_CASE("tables with algorithms equal the evaluator to the picosecond: latency") {
  compare_toys(601, 120, objective::latency{});
}
TEST_CASE("tables with algorithms equal the evaluator to the picosecond: throughput") {
  compare_toys(602, 60, objective::throughput{});
}

// Two convolutions and an activation between them on one device, all of it 8 channels of 6×6 images of
// two bytes an element.
TEST_CASE("a chain worked out by hand: times, reorders and memory") {
  builder b{"chain"};
  auto const image = b.input("image", {1, 8, 6, 6});
  auto const same = [&](value x) {
    return b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}, .bias = false});
  };
  b.output(same(b.relu(same(image))));
  auto const g = std::move(b).build().value();
  REQUIRE(g.size() == 3);
  constexpr std::int64_t tensor = 8 * 6 * 6 * 2;
  constexpr std::int64_t weights = 8 * 8 * 3 * 3 * 2;
  constexpr double work = 8 * 8 * 3 * 3 * 6 * 6; // MAC of one convolution
  toy_processor const toy{.rows_rate = 1e9,
                          .blocks_rate = 2e9,
                          .transformed_rate = 4e9,
                          .bytes_rate = 1e9,
                          .open_algorithms = false};
  auto const s = mars_test::toy_system(toy);
  mapping m{.sets = {{{accelerator_id{0}}, "toy"}}, .operators = {}};
  m.operators.assign(3, {set_id{0}, sharding{}});
  auto const price = [&] {
    return evaluate(g, s, m, cost::analytical{}, collective::standard{}).value();
  };
  auto const ps = [](double nanoseconds) {
    return picoseconds{static_cast<std::int64_t>(nanoseconds * 1000 + 0.5)};
  };
  constexpr double reorder = 2.0 * tensor; // ns
  constexpr double relu = 2.0 * tensor;

  SECTION("without a name it is the fastest, with its formats, weights and workspace") {
    auto const e = price();
    CHECK(e.latency == ps(work / 4 + relu + work / 4 + 4 * reorder));
    CHECK(e.memory[0].resident.count() == 2 * 4 * weights);
    CHECK(validate(m, g, s).empty());
    CHECK(memory_demands(m, g, s)[0].peak == e.memory[0].peak);
    m.operators[0].algorithm = m.operators[2].algorithm = "transformed";
    CHECK(price().latency == e.latency);
    CHECK(price().memory[0].peak == e.memory[0].peak);
    auto const best =
        mapper{cost::analytical{}, parallel::exclusive_shared{}, search::exact{}}(g, s);
    CHECK(best.bound.value <= e.latency.count());
  }
  SECTION("from the plain format and back") {
    m.operators[0].algorithm = m.operators[2].algorithm = "blocks";
    auto const e = price();
    // The image in, out before the activation, in after it, and the result out.
    CHECK(e.operators[0].reorders == ps(reorder));
    CHECK(e.operators[1].reorders == ps(reorder));
    CHECK(e.operators[2].reorders == ps(2 * reorder));
    CHECK(e.latency == ps(work / 2 + relu + work / 2 + 4 * reorder));
    CHECK(e.operators[2].end == e.latency);
    // The last one: its input, a copy of it, its result and a copy of that.
    CHECK(e.memory[0].peak.count() == 2 * weights + 4 * tensor);
  }
  SECTION("an operator without an algorithm carries a format") {
    m.operators[0].algorithm = m.operators[2].algorithm = "transformed";
    m.operators[1].format = "nchwc";
    auto const e = price();
    CHECK(e.operators[1].reorders == picoseconds{});
    CHECK(e.latency == ps(work / 4 + relu + work / 4 + 2 * reorder));
    CHECK(e.memory[0].resident.count() == 2 * 4 * weights);
    // The first one: its input and a copy, its result, and a workspace of twice the input.
    CHECK(e.memory[0].peak.count() == 2 * 4 * weights + 5 * tensor);
    CHECK(validate(m, g, s).empty());
    CHECK(memory_demands(m, g, s)[0].peak == e.memory[0].peak);
    std::vector<operator_times> times;
    for (auto const& o : e.operators) times.push_back({o.start, o.end});
    bytes most{};
    auto const steps = memory_over_time(g, m, 1, times, semantics::sequential, e.operators);
    for (auto const& step : steps.front()) most = std::max(most, step.total());
    CHECK(most == e.memory[0].peak);
    auto const low =
        lower(g, s, m, cost::analytical{}, collective::standard{}, collective_lowering::rings)
            .value();
    CHECK(simulate(low.plan, s.interconnect, sharing::fifo{}).makespan == e.latency);
  }
  SECTION("what the design does not list is refused, by both") {
    m.operators[0].algorithm = "transformed";
    m.operators[2].algorithm = "fft";
    auto const e = price();
    CHECK_FALSE(e.feasible());
    REQUIRE(e.shortages.size() == 1);
    CHECK(e.shortages[0].what == shortage::kind::unsupported);
    CHECK(e.shortages[0].at == operator_id{2});
    auto const found = validate(m, g, s);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == violation_kind::unknown_algorithm);
    CHECK(found[0].path == "operators[2].algorithm");
  }
  SECTION("a format that the algorithm decides is refused, by both") {
    m.operators[0].algorithm = "blocks";
    m.operators[0].format = "nchwc";
    CHECK_FALSE(price().feasible());
    auto const found = validate(m, g, s);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == violation_kind::bad_format);
    m.operators[0].algorithm.clear(); // a convolution carries nothing
    CHECK_FALSE(price().feasible());
    CHECK(validate(m, g, s)[0].kind == violation_kind::bad_format);
  }
  SECTION("schedules know no algorithms") {
    m.launch_order = {operator_id{0}, operator_id{1}, operator_id{2}};
    CHECK(price().latency == ps(work + relu + work));
    m.operators[2].algorithm = "rows";
    auto const e = evaluate(g, s, m, cost::analytical{}, collective::standard{});
    REQUIRE_FALSE(e);
    CHECK(e.error().code == error_code::unsupported);
    CHECK(e.error().path == "operators[2].algorithm");
  }
}

TEST_CASE("a design that does not reorder keeps its algorithms to itself") {
  builder b{"one"};
  b.output(b.conv(b.input("image", {1, 8, 6, 6}), {.out_channels = 8, .kernel = {3, 3}}));
  auto const g = std::move(b).build().value();
  hardware::winograd const design{.title = "w"};
  REQUIRE(design.algorithms(shard{op(g, operator_id{0})}).size() > 1);
  auto const p = mars_test::make_problem(g, mars_test::toy_system(design));
  CHECK(p.shardings(0, 0).size() == 1);
  CHECK(p.variant(0, 0, 0) == nullptr);
}

TEST_CASE("measured algorithms replace the design's, and a model without any leaves no choice") {
  builder b{"one"};
  b.output(b.conv(b.input("image", {1, 8, 6, 6}), {.out_channels = 8, .kernel = {3, 3}}));
  auto const g = std::move(b).build().value();
  auto const s = mars_test::toy_system(toy_processor{});
  shard const whole{op(g, operator_id{0})};
  cost::table<> some;
  REQUIRE(some.add(whole, "toy/rows", {.time = {.total = seconds{1e-9}}}));
  auto const build = [&](auto const& cost) {
    return build_problem(g, s, cost, parallel::exclusive_shared{}, collective::standard{},
                         objective::latency{}, {{accelerator_id{0}}})
        .value();
  };
  auto const best_of = [](mapping_problem const& p) {
    auto const& node = p.row(0, 0).node[0];
    auto const at = std::min_element(node.begin(), node.end()) - node.begin();
    return p.variant(0, 0, static_cast<std::size_t>(at))->algorithm;
  };
  auto const mixed = build(some);
  CHECK(mixed.shardings(0, 0).size() == 3);
  CHECK(best_of(mixed) == "rows");
  CHECK(best_of(build(cost::analytical{})) != "rows");
  CHECK(best_of(build(any_cost{some})) == "rows");
  CHECK(best_of(build(cost::cached{some})) == "rows");
  cost::table<cost::unavailable> only;
  only.entries = some.entries;
  auto const measured = build(only);
  CHECK(measured.shardings(0, 0).size() == 1);
  CHECK(best_of(measured) == "rows");
  CHECK(build(cost::roofline{}).variant(0, 0, 0) == nullptr);
}

namespace {
/// Lists nothing to choose and states no price of a reorder.
struct unordered_design {
  bytes_per_second bandwidth{};
  [[nodiscard]] auto name() const -> std::string_view { return "unordered"; }
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second { return bandwidth; }
};
} // namespace

TEST_CASE("a design without reorders rewrites at its bandwidth, or not at all") {
  std::vector<std::uint32_t> const designs{0};
  layout held(1);
  held[0].push_back({0, 100});
  std::vector<unordered_design> const streaming{{bytes_per_second{1e9}}};
  std::vector<unordered_design> const none{{bytes_per_second{infinite_seconds.count()}}};
  auto const price = [&](auto const& catalogue, detail::element_form from,
                         detail::element_form to) {
    return detail::price_of_reorder(catalogue, designs, held, from, to).time;
  };
  CHECK(price(streaming, {"nchwc", 16}, {"nchw", 16}) == picoseconds{2 * 100 * 2 * 1000});
  CHECK(price(streaming, {"nchw", 8}, {"nchw", 32}) == picoseconds{2 * 100 * 4 * 1000});
  CHECK(price(streaming, {"nchw", 8}, {"nchw", 8}) == picoseconds{});
  CHECK(price(none, {"nchw", 8}, {"nchw", 8}) == picoseconds{});
  CHECK(price(none, {"nchwc", 16}, {"nchw", 16}) == never);
}
