// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/mapping/validate.hpp>

#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace mars_test;
using mars::violation_kind;

/// The kinds of violations found, in order.
template <class... Times>
auto kinds_of(mars::mapping const& m, mars::graph const& g, small_system const& s,
              Times const&... times) -> std::vector<violation_kind> {
  std::vector<violation_kind> kinds;
  for (auto const& v : validate(m, g, s, times...)) {
    kinds.push_back(v.kind);
    CHECK_FALSE(v.path.empty());
    CHECK_FALSE(v.message.empty());
    CHECK(v.message.find('\n') == std::string::npos);
  }
  return kinds;
}

using kinds = std::vector<violation_kind>;

auto const network = skip_network();

/// A graph that nobody has checked.
struct broken {
  std::vector<mars::operation> ops;
  std::vector<std::vector<mars::input_edge>> in;
};
struct view {
  broken const* b;
  friend auto operators(view const& v) -> std::vector<mars::operator_id> {
    std::vector<mars::operator_id> all;
    for (std::size_t i = 0; i < v.b->ops.size(); ++i) all.emplace_back(i);
    return all;
  }
  friend auto op(view const& v, mars::operator_id i) -> mars::operation const& {
    return v.b->ops[i.index()];
  }
  friend auto inputs(view const& v, mars::operator_id i) -> std::vector<mars::input_edge> const& {
    return v.b->in[i.index()];
  }
};

auto cut_of(std::size_t v, char const* dim, std::int32_t ways) -> mars::cut {
  return along(network, v, dim, ways);
}

} // namespace

TEST_CASE("a valid mapping has no violation") {
  auto const system = small(2);
  CHECK(validate(skip_mapping(network), network, system).empty());

  mars::mapping alone{{set_of({1})}, std::vector<mars::placement>(4)};
  CHECK(validate(alone, network, system).empty());

  SECTION("replicas: the ways may leave devices over") {
    auto m = skip_mapping(network);
    m.sets[0] = set_of({3, 1, 0, 2});
    CHECK(validate(m, network, small(4)).empty());
  }
  SECTION("two sets, one unused accelerator, another design") {
    mars::mapping m{{set_of({0}, "wino"), set_of({2})}, std::vector<mars::placement>(4)};
    for (std::size_t v = 1; v < 4; ++v) m.operators[v].set = mars::set_id{1U};
    CHECK(validate(m, network, small(3)).empty());
  }
}

TEST_CASE("violations of sets are found and located") {
  auto const system = small(4);
  auto m = skip_mapping(network);

  SECTION("an empty set") {
    m.sets.push_back({{}, "gpu"});
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::empty_set});
    CHECK(validate(m, network, system)[0].path == "sets[1].accelerators");
  }
  SECTION("an accelerator that is not there") {
    m.sets[0].accelerators[1] = mars::accelerator_id{9U};
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::unknown_accelerator});
    CHECK(validate(m, network, system)[0].path == "sets[0].accelerators[1]");
  }
  SECTION("an accelerator twice") {
    m.sets[0].accelerators[1] = m.sets[0].accelerators[0];
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::repeated_accelerator});
  }
  SECTION("an accelerator in two sets") {
    m.sets.push_back(set_of({2, 1}));
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::overlapping_sets});
    CHECK(validate(m, network, system)[0].path == "sets[1].accelerators[1]");
  }
  SECTION("a design that one member does not offer") {
    auto uneven = system;
    uneven.accelerators[1].configurations.erase(uneven.accelerators[1].configurations.begin());
    CHECK(kinds_of(m, network, uneven) == kinds{violation_kind::unknown_design});
    CHECK(validate(m, network, uneven)[0].path == "sets[0].design");
  }
}

TEST_CASE("violations of placements are found and located") {
  auto const system = small(4);
  auto m = skip_mapping(network);

  SECTION("an operator placed nowhere") {
    m.operators.pop_back();
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::unplaced_operator});
    CHECK(validate(m, network, system)[0].path == "operators[3]");
    CHECK_THAT(validate(m, network, system)[0].message, contains_text("'add'"));
  }
  SECTION("a placement too many") {
    m.operators.emplace_back();
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::surplus_placement});
  }
  SECTION("a set that is not there") {
    m.operators[2].set = mars::set_id{1U};
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::unknown_set});
    CHECK(validate(m, network, system)[0].path == "operators[2].set");
  }
  SECTION("a design that refuses: wino runs 3x3 convolutions only") {
    m.sets[0].design = "wino";
    CHECK(kinds_of(m, network, system) == kinds{violation_kind::refused_operator});
    CHECK(validate(m, network, system)[0].path == "operators[2]");
  }
}

TEST_CASE("violations of shardings are found and located") {
  auto const system = small(4);
  auto m = skip_mapping(network);
  auto& conv1 = m.operators[0].sharding;
  auto const only = [&](violation_kind kind, char const* path) {
    auto const found = validate(m, network, system);
    REQUIRE(found.size() == 1);
    CHECK(kind_name(found[0].kind) == kind_name(kind));
    CHECK(found[0].path == path);
  };

  SECTION("no such dimension") {
    conv1.exclusive[0].dim = 11;
    only(violation_kind::unknown_dimension, "operators[0].exclusive[0]");
  }
  SECTION("no such dimension to share") {
    conv1.shared = mars::cut{11, 2};
    only(violation_kind::unknown_dimension, "operators[0].shared");
  }
  SECTION("cut twice") {
    m.sets[0] = set_of({0, 1, 2, 3});
    conv1.exclusive.push_back(conv1.exclusive[0]);
    only(violation_kind::repeated_dimension, "operators[0].exclusive[1]");
  }
  SECTION("one way is no cut, and nine ways of eight rows are too many") {
    auto const ways = GENERATE(-2, 0, 1, 9);
    conv1.exclusive[0].ways = ways;
    only(violation_kind::bad_ways, "operators[0].exclusive[0]");
  }
  SECTION("ways that do not divide the set") {
    conv1.exclusive[0].ways = 4;
    only(violation_kind::uneven_set, "operators[0].exclusive");
    m.sets[0] = set_of({0, 1, 2});
    m.operators.assign(4, {});
    m.operators[0].sharding.exclusive.push_back(cut_of(0, "y", 2));
    only(violation_kind::uneven_set, "operators[0].exclusive");
  }
  SECTION("more shards than 64 bits") {
    conv1.exclusive.clear();
    for (auto const* dim : {"k", "y", "x", "c"})
      conv1.exclusive.push_back(cut_of(0, dim, 2'000'000'000));
    CHECK(kinds_of(m, network, system) == kinds(4, violation_kind::bad_ways));
  }
  SECTION("rotation of what is not replicated") {
    conv1.shared = cut_of(0, "y", 2); // y is cut: no tensor along it is held twice
    only(violation_kind::bad_rotation, "operators[0].shared");
  }
  SECTION("rotation in another number of parts than there are holders") {
    conv1.shared = cut_of(0, "k", 4); // the weight is held twice
    only(violation_kind::bad_rotation, "operators[0].shared");
  }
  SECTION("rotation in more parts than iterations") {
    m.sets[0] = set_of({0, 1, 2, 3});
    conv1.exclusive[0] = cut_of(0, "y", 4);
    conv1.shared = cut_of(0, "r", 4);
    only(violation_kind::bad_ways, "operators[0].shared");
  }
  SECTION("scatter without partial sums") {
    conv1.scatter = cut_of(0, "k", 1).dim;
    only(violation_kind::bad_scatter, "operators[0].scatter");
  }
  SECTION("scatter along a reduction") {
    conv1.exclusive[0] = cut_of(0, "c", 2);
    conv1.scatter = cut_of(0, "r", 1).dim;
    only(violation_kind::bad_scatter, "operators[0].scatter");
  }
  SECTION("scatter along something shorter than the group") {
    conv1.exclusive[0] = cut_of(0, "c", 2);
    conv1.scatter = cut_of(0, "n", 1).dim;
    only(violation_kind::bad_scatter, "operators[0].scatter");
  }
  SECTION("legal neighbours of these") {
    conv1.shared = cut_of(0, "k", 2);
    CHECK(validate(m, network, system).empty());
    conv1.shared.reset();
    conv1.exclusive[0] = cut_of(0, "c", 2);
    conv1.scatter = cut_of(0, "k", 1).dim;
    CHECK(validate(m, network, system).empty());
  }
}

TEST_CASE("steps that run in order are never cut") {
  mars::builder b{"recurrent"};
  (void)b.lstm(b.input("x", {6, 4, 8}), 8, 2, "lstm");
  auto const g = std::move(b).build().value();
  auto const cut_at = [&](char const* dim) {
    mars::mapping m{{set_of({0, 1})}, std::vector<mars::placement>(1)};
    m.operators[0].sharding.exclusive.push_back(along(g, 0, dim, 2));
    return kinds_of(m, g, small(2));
  };
  CHECK(cut_at("t") == kinds{violation_kind::sequential_dimension});
  CHECK(cut_at("c") == kinds{violation_kind::sequential_dimension}); // sums at every step
  CHECK(cut_at("n").empty());
}

TEST_CASE("parts of a result that overlap are found") {
  // y[4·a + b] over a in [0, 2), b in [0, 4): cut along b, each device has both ends of the tensor.
  mars::operation o{.kind = mars::op_kind::reshape,
                    .type = "Merge",
                    .name = "merge",
                    .dims = {},
                    .operands = {},
                    .work = {}};
  o.dims = {{"a", 2}, {"b", 4}};
  o.operands.push_back({mars::role::input, "x", 16, {{{{0}}, 0, 2}, {{{1}}, 0, 4}}});
  o.operands.push_back({mars::role::output, "", 16, {{{{0, 4}, {1, 1}}, 0, 8}}});
  auto const g = mars::make_graph("g", {o}, {}).value();
  mars::mapping m{{set_of({0, 1})}, std::vector<mars::placement>(1)};
  m.operators[0].sharding.exclusive = {{1, 2}};
  CHECK(kinds_of(m, g, small(2)) == kinds{violation_kind::overlapping_shards});
  m.operators[0].sharding.exclusive = {{0, 2}};
  CHECK(kinds_of(m, g, small(2)).empty());
}

TEST_CASE("schedules are checked against precedence and busy accelerators") {
  auto const system = small(4);
  mars::mapping m{{set_of({0, 1}), set_of({2, 3})}, std::vector<mars::placement>(4)};
  m.operators[1].set = mars::set_id{1U};
  using mars::seconds;
  std::vector<mars::time_span> times{{seconds{0}, seconds{1}},
                                     {seconds{1}, seconds{2}},
                                     {seconds{2}, seconds{3}},
                                     {seconds{3}, seconds{4}}};
  CHECK(kinds_of(m, network, system, times).empty());

  SECTION("a result that is not there yet") {
    times[1].start = seconds{0.5};
    CHECK(kinds_of(m, network, system, times) == kinds{violation_kind::precedence});
    CHECK(validate(m, network, system, times)[0].path == "schedule[1]");
    CHECK_THAT(validate(m, network, system, times)[0].message, contains_text("'conv1'"));
  }
  SECTION("a picosecond's rounding is no violation") {
    times[1].start = seconds{1 - 1e-13};
    CHECK(kinds_of(m, network, system, times).empty());
  }
  SECTION("two operators at once") {
    mars::builder b{"pair"};
    auto const x = b.input("x", {4, 4});
    (void)b.relu(x, "left");
    (void)b.relu(x, "right");
    auto const pair = std::move(b).build().value();
    mars::mapping both{{set_of({0}), set_of({1})}, std::vector<mars::placement>(2)};
    std::vector<mars::time_span> const together{{seconds{0}, seconds{2}}, {seconds{1}, seconds{3}}};
    CHECK(kinds_of(both, pair, small(2), together) == kinds{violation_kind::busy_accelerator});
    CHECK(validate(both, pair, small(2), together)[0].path == "schedule[1]");
    both.operators[1].set = mars::set_id{1U};
    CHECK(kinds_of(both, pair, small(2), together).empty());
  }
  SECTION("an operator without duration disturbs nobody") {
    times[3] = {seconds{3}, seconds{3}};
    CHECK(kinds_of(m, network, system, times).empty());
  }
  SECTION("times that are none") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    auto const infinity = std::numeric_limits<double>::infinity();
    for (auto const bad :
         {mars::time_span{seconds{nan}, seconds{1}}, mars::time_span{seconds{-1}, seconds{1}},
          mars::time_span{seconds{1}, seconds{0}},
          mars::time_span{seconds{0}, seconds{infinity}}}) {
      times[0] = bad;
      CHECK(kinds_of(m, network, system, times) == kinds{violation_kind::bad_schedule});
    }
  }
  SECTION("too few times") {
    times.pop_back();
    CHECK(kinds_of(m, network, system, times) == kinds{violation_kind::bad_schedule});
  }
}

TEST_CASE("memory is what a hand count says") {
  // conv1 and add along y, conv2 along k, on two devices; rows of 8·2 = 16 bytes a channel.
  //   weights   conv1 8·4·9·2 = 576 (both have all), conv2 4·8·2 = 64 (half each): 640 resident
  //   conv1     input rows 0–4 of 4 channels 4·5·16 = 320, result 512            → 832
  //   relu      conv1 512 alive; result 512                                      → 1024
  //   conv2     conv1, relu 1024 alive; the other half of relu 512; result 512   → 2048
  //   add       conv1, conv2 1024 alive; of conv2 a quarter 256; result 512      → 1792
  auto const m = skip_mapping(network);
  auto const demands = memory_demands(m, network, small(3));
  REQUIRE(demands.size() == 3);
  for (std::size_t a = 0; a < 2; ++a) {
    CHECK(demands[a].accelerator.index() == a);
    CHECK(demands[a].resident.count() == 640);
    CHECK(demands[a].peak.count() == 640 + 2048);
    CHECK(demands[a].at.index() == 2);
    CHECK(demands[a].capacity.count() == 1'000'000);
  }
  CHECK(demands[2].peak.count() == 0);
  // The three largest at that moment: conv2's buffers 1024, conv1's weights 576, conv1's result 512.
  REQUIRE(demands[0].largest.size() == 3);
  using part = mars::memory_part::what;
  CHECK(demands[0].largest[0] ==
        mars::memory_part{mars::operator_id{2U}, part::buffers, mars::bytes{1024}});
  CHECK(demands[0].largest[1] ==
        mars::memory_part{mars::operator_id{0U}, part::weights, mars::bytes{576}});
  CHECK(demands[0].largest[2] ==
        mars::memory_part{mars::operator_id{0U}, part::result, mars::bytes{512}});

  SECTION("exactly enough is enough, one byte less is not") {
    CHECK(validate(m, network, small(2, 2688)).empty());
    auto const found = validate(m, network, small(2, 2687));
    REQUIRE(found.size() == 2);
    CHECK(found[0].kind == violation_kind::memory);
    CHECK(found[0].path == "accelerators[0].memory");
    CHECK(found[0].message ==
          "2688 bytes at operator 'conv2', capacity 2687; largest: buffers of 'conv2' 1024, "
          "weights of 'conv1' 576, result of 'conv1' 512");
  }
}

TEST_CASE("memory of rotation, partial sums and other sets is what a hand count says") {
  auto m = skip_mapping(network);
  auto const peak = [&](std::size_t a = 0) {
    return memory_demands(m, network, small(4))[a].peak.count();
  };
  auto const resident = [&] { return memory_demands(m, network, small(4))[0].resident.count(); };

  SECTION("a rotating weight: half is held, half arrives while conv1 runs") {
    m.operators[0].sharding.shared = cut_of(0, "k", 2);
    CHECK(resident() == 288 + 64);
    CHECK(peak() == 288 + 64 + 2048); // conv1 itself: 320 + 512 + 288 is less
  }
  SECTION("a rotating input, on one operator alone") {
    // conv1 along k; x rotates along y: rows 0–4 and 3–7, 5·4·16 = 320 each; result 4·8·16 = 512.
    mars::builder b{"one"};
    (void)b.conv(b.input("x", {1, 4, 8, 8}),
                 {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}, .bias = false}, "conv1");
    auto const one = std::move(b).build().value();
    mars::mapping rotating{{set_of({0, 1})}, std::vector<mars::placement>(1)};
    rotating.operators[0].sharding.exclusive.push_back(along(one, 0, "k", 2));
    CHECK(memory_demands(rotating, one, small(2))[0].peak.count() == 288 + 512 + 512);
    rotating.operators[0].sharding.shared = along(one, 0, "y", 2);
    CHECK(validate(rotating, one, small(2)).empty());
    CHECK(memory_demands(rotating, one, small(2))[0].peak.count() == 288 + 320 + 320 + 512);
  }
  SECTION("partial sums: conv2 along c") {
    // needs 4 of 8 channels 512, has 4 rows of them 256; partial result 1024; buffer 1024/2 = 512;
    // conv1 and relu alive 1024. Then add: conv1 512 and all of conv2 1024 alive; result 512.
    m.operators[2].sharding.exclusive[0] = cut_of(2, "c", 2);
    CHECK(peak() == 640 + 1024 + 256 + 1024 + 512);
    m.operators[2].sharding.scatter = cut_of(2, "k", 1).dim;
    CHECK(peak() == 640 + 1024 + 256 + 1024 + 512);
  }
  SECTION("a result that somebody else reads last") {
    // conv1 on 0 and 1; the rest on 2 and 3. conv1's halves stay until add has read them.
    m.sets.push_back(set_of({2, 3}));
    for (std::size_t v = 1; v < 4; ++v) m.operators[v].set = mars::set_id{1U};
    CHECK(peak(0) == 576 + 320 + 512);
    // relu receives 512, makes 512; conv2 has 512, receives 512, makes 512; add has conv2 512,
    // receives conv1 512 and of conv2 256, makes 512: 64 + 1792.
    CHECK(peak(2) == 64 + 1792);
  }
}

TEST_CASE("results of the graph stay to the end, other results go with their last reader") {
  mars::builder b{"chain"};
  auto x = b.input("x", {64});
  for (int i = 0; i < 4; ++i) {
    x = b.relu(x, std::string{"r"} + std::to_string(i));
    if (i == 0) b.output(x);
  }
  b.output(x);
  auto const g = std::move(b).build().value();
  mars::mapping const m{{set_of({0})}, std::vector<mars::placement>(4)};
  // 128 bytes each: at r2 there are r0 (a result), r1 (read now) and r2.
  CHECK(memory_demands(m, g, small(1))[0].peak.count() == 3 * 128);
}

TEST_CASE("memory follows the given times") {
  // Two chains of two: done one after the other, the first chain's middle is gone when the second's
  // begins; interleaved, both are there.
  mars::builder b{"two chains"};
  auto const x = b.input("x", {64});
  auto const y = b.input("y", {64});
  auto const a1 = b.relu(x, "a1");
  auto const b1 = b.relu(y, "b1");
  b.output(b.reduce(a1, {}, true, "ReduceSum", "a2"));
  b.output(b.reduce(b1, {}, true, "ReduceSum", "b2"));
  auto const g = std::move(b).build().value();
  mars::mapping const m{{set_of({0})}, std::vector<mars::placement>(4)};
  auto const peak = [&](std::array<int, 4> const& start) {
    std::vector<mars::time_span> times;
    for (auto const s : start) times.push_back({mars::seconds(s), mars::seconds(s + 1)});
    CHECK(validate(m, g, small(1), times).empty());
    return memory_demands(m, g, small(1), times)[0].peak.count();
  };
  CHECK(peak({0, 1, 2, 3}) == 3 * 128);     // b1 runs: a1, y, b1
  CHECK(peak({0, 2, 1, 3}) == 2 * 128 + 2); // b1 runs: a2 (2 bytes), y, b1
}

TEST_CASE("a graph that is none is not judged further") {
  auto const relu = op(network, mars::operator_id{1U});
  mars::mapping const m{{set_of({0})}, std::vector<mars::placement>(2)};
  broken cycle{{relu, relu}, {{{mars::operator_id{1U}, 0, 0}}, {{mars::operator_id{0U}, 0, 0}}}};
  broken nowhere{{relu, relu}, {{{mars::operator_id{7U}, 0, 0}}, {}}};
  broken no_output{{relu, relu}, {{}, {{mars::operator_id{0U}, 3, 0}}}};
  for (auto const* b : {&cycle, &nowhere, &no_output}) {
    auto const found = validate(m, view{b}, small(1));
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == violation_kind::bad_graph);
  }
  broken sound{{relu, relu}, {{}, {{mars::operator_id{0U}, 0, 0}}}};
  CHECK(validate(m, view{&sound}, small(1)).empty());
}
