// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The algebra of shardings, proven by execution: random operations under random legal shardings,
// executed device by device with only what each holds, give the unsharded integers.

#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/interpreter.hpp"
#include "support/random_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/core/random.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/layout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using mars_test::part;

auto text(mars::operation const& op) -> std::string {
  std::string out = op.type + " dims";
  for (auto const& d : op.dims)
    out += std::string{" "} + std::string{d.name.view()} + ":" + std::to_string(d.extent);
  for (auto const& t : op.operands) {
    out += t.role == mars::role::output   ? "\n  out"
           : t.role == mars::role::weight ? "\n  w"
                                          : "\n  in";
    for (auto const& a : t.axes) {
      out += std::string{" ["} + std::to_string(a.offset);
      for (auto const& term : a.terms)
        out += std::string{"+"} + std::to_string(term.stride) + "*" +
               std::string{op.dims[term.dim].name.view()};
      out += std::string{"|"} + std::to_string(a.extent) + "]";
    }
  }
  return out;
}

auto text(mars::operation const& op, mars::sharding const& s, std::size_t set_size) -> std::string {
  auto const name = [&](std::size_t d) { return std::string{op.dims[d].name.view()}; };
  std::string out = std::string{"p="} + std::to_string(set_size);
  for (auto const& c : s.exclusive)
    out += std::string{" "} + name(c.dim) + ":" + std::to_string(c.ways);
  for (auto const n : s.parts) out += std::string{" +"} + std::to_string(n);
  if (s.shared)
    out += std::string{" shared "} + name(s.shared->dim) + ":" + std::to_string(s.shared->ways);
  if (s.scatter) out += std::string{" scatter "} + name(*s.scatter);
  return out;
}

/// How often each feature was met, so that the proof cannot quietly stop covering it.
struct coverage {
  std::size_t cases{}, uneven{}, parts{}, halos{}, partial_sums{}, scatters{}, replicas{},
      several_cuts{};
  std::size_t rotating_weights{}, rotating_inputs{}, groups{}, batches{}, kernels{}, states{},
      tight{};

  void count(mars::operation const& op, mars::sharding const& s, std::size_t set_size) {
    ++cases;
    bool odd = false, halo = false, group = false, batch = false, kernel = false;
    for (auto const& [dim, ways] : s.exclusive) {
      auto const& d = op.dims[dim];
      odd |= d.extent % ways != 0;
      group |= d.name == mars::label{"g"};
      batch |= d.name == mars::label{"n"};
      kernel |= d.name == mars::label{"r"} || d.name == mars::label{"s"};
      for (auto const& t : op.operands)
        for (auto const& a : t.axes)
          halo |= t.role == mars::role::input && a.uses(dim) && a.terms.size() > 1;
    }
    uneven += odd;
    parts += !s.parts.empty();
    halos += halo;
    groups += group;
    batches += batch;
    kernels += kernel;
    partial_sums += mars::partial_sums(op, s) > 1;
    scatters += s.scatter.has_value();
    replicas += static_cast<std::size_t>(shard_count(s)) < set_size;
    several_cuts += s.exclusive.size() > 1;
    states += !s.exclusive.empty() && nth_operand(op, mars::role::state, 0) != nullptr;
    if (auto const* t = rotating_operand(op, s, set_size))
      ++(t->role == mars::role::weight ? rotating_weights : rotating_inputs);
  }
};

/// Nothing is clipped, so the size of a critical shard is exact.
auto exact(mars::operand const& t) -> bool {
  for (auto const& a : t.axes) {
    if (a.offset != 0) return false;
    for (auto const& term : a.terms)
      if (term.stride < 0 || a.terms.size() > 1) return false;
  }
  return true;
}

/// Bytes that the devices of a plan hold, against what mars says the largest of them needs.
void check_memory(mars::operation const& op, mars::sharding const& s, std::size_t set_size,
                  mars_test::plan const& p, coverage& met) {
  auto const said = footprint_of(op, s, set_size);
  mars::footprint most{};
  auto const raise = [](mars::bytes& to, mars::bytes value) { to = std::max(to, value); };
  for (auto const& d : p.devices) {
    mars::footprint f{};
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      auto const& t = op.operands[i];
      auto const stored = [&](mars::tensor_box const& box) {
        return mars::storage(volume(box), t.element_bits);
      };
      if (i == p.rotating) {
        // A device holds one part while the next arrives: the largest of each over the phases.
        mars::bytes part{};
        for (auto const& phase : d.phases) raise(part, stored(reach(t, phase)));
        (t.role == mars::role::weight ? f.weights : f.inputs) += part;
        f.arriving = part;
      } else if (t.role == mars::role::weight) {
        f.weights += stored(d.holds[i]);
      } else if (t.role == mars::role::input) {
        f.inputs += stored(d.holds[i]);
      } else if (t.role == mars::role::output) {
        f.outputs += stored(d.computes[i]);
        if (s.scatter) f.exchange += stored(d.keeps[i]);
      } else {
        f.state += stored(d.holds[i]);
      }
    }
    raise(most.weights, f.weights);
    raise(most.arriving, f.arriving);
    raise(most.inputs, f.inputs);
    raise(most.outputs, f.outputs);
    raise(most.exchange, f.exchange);
    raise(most.state, f.state);
  }
  CHECK(most.weights.count() <= said.weights.count());
  CHECK(most.arriving.count() <= said.arriving.count());
  CHECK(most.inputs.count() <= said.inputs.count());
  CHECK(most.outputs.count() <= said.outputs.count());
  CHECK(most.exchange.count() <= said.exchange.count());
  CHECK(most.state.count() == said.state.count());
  bool all_exact = true;
  for (auto const& t : op.operands) all_exact = all_exact && exact(t);
  if (!all_exact) return;
  ++met.tight;
  CHECK(most.weights.count() == said.weights.count());
  CHECK(most.arriving.count() == said.arriving.count());
  CHECK(most.inputs.count() == said.inputs.count());
  CHECK(most.outputs.count() == said.outputs.count());
}

/// One operation, unsharded once and then under several shardings.
struct trial {
  mars::operation op;
  std::vector<part> numbers;
  mars_test::outcome expected;

  trial(mars::operation o, std::uint64_t seed)
      : op{std::move(o)},
        numbers{mars_test::numbers_for(op, seed)},
        expected{mars_test::execute(op, mars_test::plan_of(op, {}, 1), numbers)} {
    INFO(text(op));
    REQUIRE(expected.fault == "");
  }

  void prove(mars::sharding const& s, std::size_t set_size, coverage& met) const {
    INFO(text(op) << "\n" << text(op, s, set_size));
    auto const plan = mars_test::plan_of(op, s, set_size);
    auto const sharded = mars_test::execute(op, plan, numbers);
    CHECK(sharded.fault == "");
    CHECK((sharded.outputs == expected.outputs));
    check_memory(op, s, set_size, plan, met);
    met.count(op, s, set_size);
  }
};

constexpr std::array<std::size_t, 10> set_sizes{1, 2, 3, 4, 4, 5, 6, 8, 9, 12};

} // namespace

namespace {

/// Operations of every family of a generator, each under shardings proposed and found.
template <class Generator>
auto prove_family_after_family(std::uint64_t seed, std::uint64_t operations) -> coverage {
  coverage met;
  mars::random_stream const root{seed};
  for (std::uint64_t i = 0; i < operations; ++i) {
    auto r = root.substream(i);
    Generator generate{r.substream(0)};
    trial const t{generate(i), i};
    // Everything the strategy proposes is legal; a few of them are executed.
    mars::parallel::exclusive_shared const strategy{.max_exclusive = 4, .cut_kernels = true};
    auto const ways = set_sizes[r.below(8)];
    auto const proposed = strategy.shardings(t.op, ways);
    for (int k = 0; k < 3; ++k) t.prove(r.pick(proposed), ways, met);
    // And whatever else is legal.
    for (int k = 0, tries = 0; k < 3 && tries < 60; ++tries) {
      auto const size = r.pick(set_sizes);
      auto s = mars_test::any_sharding(r, t.op, size);
      mars_test::make_uneven(r, t.op, s);
      if (!check(t.op, s, size) || s == mars::sharding{}) continue;
      t.prove(s, size, met);
      ++k;
    }
  }
  return met;
}

} // namespace

// Thresholds: about half of what these seeds meet. A change that loses a feature shows here.

TEST_CASE("every operator sharded any legal way computes what it computes unsharded") {
  auto const met = prove_family_after_family<mars_test::operation_generator>(2024, 1000);
  CHECK(met.cases >= 5000);
  CHECK(met.uneven >= 1000);
  CHECK(met.parts >= 300);
  CHECK(met.halos >= 600);
  CHECK(met.partial_sums >= 400);
  CHECK(met.scatters >= 150);
  CHECK(met.replicas >= 700);
  CHECK(met.several_cuts >= 600);
  CHECK(met.rotating_weights >= 150);
  CHECK(met.rotating_inputs >= 300);
  CHECK(met.groups >= 50);
  CHECK(met.batches >= 500);
  CHECK(met.kernels >= 150);
  CHECK(met.tight >= 1000);
}

TEST_CASE("operators made by the factories too") {
  auto const met = prove_family_after_family<mars_test::factory_generator>(2025, 1000);
  CHECK(met.cases >= 5000);
  CHECK(met.uneven >= 1000);
  CHECK(met.halos >= 400);
  CHECK(met.partial_sums >= 400);
  CHECK(met.scatters >= 150);
  CHECK(met.rotating_weights >= 120);
  CHECK(met.rotating_inputs >= 300);
  CHECK(met.groups >= 60);
  CHECK(met.states >= 20);
  CHECK(met.tight >= 1000);
}

// ---- The proof can fail: plans spoilt on purpose ----------------------------------------------

namespace {

/// n 1, k 4, y 7, x 1, c 4, kernel 3×1 with one row of padding: rows 3, 2, 2 on three devices.
auto small_convolution() -> mars::operation {
  auto op = mars::ops::conv(
      {1, 4, 7, 1}, {.out_channels = 4, .kernel = {3, 1}, .padding = {1, 0}, .bias = false});
  return std::move(op).value();
}

/// A plan, what it should compute, and what it does once spoilt.
struct saboteur {
  mars::operation op;
  mars_test::plan plan;
  trial honest;

  saboteur(mars::operation o, mars::sharding const& s, std::size_t set_size)
      : op{std::move(o)}, plan{mars_test::plan_of(op, s, set_size)}, honest{op, 7} {
    REQUIRE(check(op, s, set_size));
    REQUIRE_FALSE(caught());
  }
  auto run() const -> mars_test::outcome { return mars_test::execute(op, plan, honest.numbers); }
  auto fault() const -> std::string { return run().fault; }
  /// Seen at all, as a fault or as another result?
  auto caught() const -> bool {
    auto const result = run();
    return !result.fault.empty() || result.outputs != honest.expected.outputs;
  }
};

auto sharded(mars::operation const& op, std::vector<std::pair<char const*, std::int32_t>> cuts)
    -> mars::sharding {
  mars::sharding s;
  for (auto const& [name, ways] : cuts)
    s.exclusive.push_back({static_cast<std::uint8_t>(*find_dim(op, name)), ways});
  return s;
}

auto with_shared(mars::operation const& op, mars::sharding s, char const* name, std::int32_t ways)
    -> mars::sharding {
  s.shared = mars::cut{static_cast<std::uint8_t>(*find_dim(op, name)), ways};
  return s;
}

} // namespace

TEST_CASE("a halo that is one row short is noticed") {
  auto const op = small_convolution();
  saboteur s{op, sharded(op, {{"y", 3}}), 3};
  constexpr std::size_t input = 0, rows = 2;
  // Device 0 owns rows 0 to 2 and needs row 3 as well; row −1 is padding, which nobody holds.
  REQUIRE(s.plan.devices[0].holds[input][rows] == mars::interval{0, 4});
  SECTION("below") { --s.plan.devices[0].holds[input][rows].end; }
  SECTION("above") { ++s.plan.devices[1].holds[input][rows].begin; }
  SECTION("everywhere") {
    for (auto& d : s.plan.devices) d.holds[input][rows] = d.shard[*find_dim(op, "y")];
  }
  CHECK_THAT(s.fault(), mars_test::contains_text("reads an element it does not hold, operand 0"));
}

TEST_CASE("uneven parts laid out in another order than computed are noticed") {
  auto const op = small_convolution();
  saboteur s{op, sharded(op, {{"y", 3}}), 3};
  constexpr std::size_t output = 2, rows = 2;
  REQUIRE(s.plan.devices[0].keeps[output][rows] == mars::interval{0, 3});
  SECTION("the longest last: 2, 2, 3") {
    s.plan.devices[0].keeps[output][rows] = {0, 2};
    s.plan.devices[1].keeps[output][rows] = {2, 4};
    s.plan.devices[2].keeps[output][rows] = {4, 7};
    CHECK_THAT(s.fault(), mars_test::contains_text("keeps an element it did not compute"));
  }
  SECTION("a row lost") {
    s.plan.devices[2].keeps[output][rows] = {6, 7};
    CHECK_THAT(s.fault(), mars_test::contains_text("nobody keeps"));
  }
  SECTION("a row twice") {
    s.plan.devices[1].keeps[output][rows] = {2, 5};
    s.plan.devices[1].computes[output][rows] = {2, 5};
    CHECK_THAT(s.fault(), mars_test::contains_text("overlaps"));
  }
}

TEST_CASE("wrong phases of a rotation are noticed") {
  auto const op = small_convolution();
  bool const weights = GENERATE(true, false);
  auto const rotation = weights ? with_shared(op, sharded(op, {{"y", 4}}), "k", 4)
                                : with_shared(op, sharded(op, {{"k", 4}}), "y", 4);
  saboteur s{op, rotation, 4};
  auto& devices = s.plan.devices;
  CAPTURE(weights);
  SECTION("the ring turns the other way") {
    for (std::size_t r = 0; r < 4; ++r) devices[r].receives_from = (r + 3) % 4;
    CHECK_THAT(s.fault(), mars_test::contains_text("reads an element it does not hold"));
  }
  SECTION("two phases exchanged on one device") {
    std::swap(devices[2].phases[1], devices[2].phases[3]);
    CHECK_THAT(s.fault(), mars_test::contains_text("reads an element it does not hold"));
  }
  SECTION("a phase left out") {
    for (auto& d : devices) d.phases.pop_back();
    CHECK(s.caught());
  }
  SECTION("nothing is passed on") {
    for (std::size_t r = 0; r < 4; ++r) devices[r].receives_from = r;
    CHECK_THAT(s.fault(), mars_test::contains_text("reads an element it does not hold"));
  }
}

TEST_CASE("a wrong exchange of partial sums is noticed") {
  auto const op = small_convolution();
  bool const scattered = GENERATE(true, false);
  auto cuts = sharded(op, {{"c", 2}});
  if (scattered) cuts.scatter = static_cast<std::uint8_t>(*find_dim(op, "k"));
  saboteur s{op, cuts, 4}; // two replicas of two shards: ranks 0 and 2 add up, 1 and 3
  auto& devices = s.plan.devices;
  CAPTURE(scattered);
  REQUIRE(devices[1].sums_with == std::vector<std::size_t>{1, 3});
  SECTION("none") {
    for (std::size_t r = 0; r < 4; ++r) devices[r].sums_with = {r};
  }
  SECTION("over replicas as well") {
    for (auto& d : devices) d.sums_with = {0, 1, 2, 3};
  }
  SECTION("with the replica instead") {
    for (std::size_t r = 0; r < 4; ++r) devices[r].sums_with = {r / 2 * 2, r / 2 * 2 + 1};
  }
  SECTION("by one device only") { devices[3].sums_with = {3}; }
  CHECK(s.caught());
}

TEST_CASE("a recurrence without the exchange of its state is noticed") {
  auto const op = mars::ops::lstm({3, 2, 2}, 4).value();
  saboteur s{op, sharded(op, {{"k", 2}}), 2};
  constexpr std::size_t hidden = 3, units = 2;
  REQUIRE(op.operands[hidden].name == "hidden");
  REQUIRE(s.plan.devices[0].holds[hidden][units] == mars::interval{0, 4});
  s.plan.devices[0].holds[hidden][units] = {0, 2};
  CHECK_THAT(s.fault(), mars_test::contains_text("reads an element it does not hold, operand 3"));
}

TEST_CASE("a row that is read whole is needed whole") {
  auto const op = mars::ops::softmax({2, 6}).value();
  saboteur s{op, sharded(op, {{"d1", 2}}), 2};
  REQUIRE(s.plan.devices[1].holds[0][1] == mars::interval{0, 6});
  s.plan.devices[1].holds[0][1] = {3, 6};
  CHECK_THAT(s.fault(), mars_test::contains_text("reads an element it does not hold"));
}
