// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/compression/concept.hpp>
#include <mars/exploration/explore.hpp>
#include <mars/workload/builder.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace mars;
using mars_test::approx;
namespace ex = mars::exploration;

namespace {

// A stack whose every time is a hand calculation: MACs at 1 per nanosecond and speed.

enum class kind { any_layer, only_3x3, sparse };
template <kind K, char Format>
struct test_primitive {
  std::string title;
  double speed{1};
  [[nodiscard]] auto name() const -> std::string_view { return title; }
  [[nodiscard]] constexpr auto weights() const -> weight_format {
    return K == kind::sparse ? weight_format::csr : weight_format::dense;
  }
  [[nodiscard]] auto format() const -> std::string_view { return Format == 'p' ? "nchw" : "nchwc"; }
  [[nodiscard]] auto supports(convolution_layer const& c) const -> bool {
    return K != kind::only_3x3 || c.kernel == plane{3, 3};
  }
  [[nodiscard]] auto work(convolution_layer const& c, int) const -> primitive_work {
    return {.macs = static_cast<double>(macs_of(c).count()) * c.density};
  }
};
using planes = test_primitive<kind::any_layer, 'p'>;
using blocks = test_primitive<kind::any_layer, 'b'>;
using three = test_primitive<kind::only_3x3, 'p'>;
using sparse = test_primitive<kind::sparse, 'p'>;

struct no_compression {
  static constexpr compression_effects effects{};
  [[nodiscard]] auto name() const -> std::string { return "none"; }
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> { return g; }
};
/// Only 3×3 kernels are pruned.
struct pruning {
  double sparsity{};
  static constexpr compression_effects effects{.zero_weights = true};
  [[nodiscard]] auto name() const -> std::string {
    return "pruned_" + std::to_string(static_cast<int>(100 * sparsity + 0.5));
  }
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    if (sparsity > 1) return fail(error_code::out_of_range, "sparsity", "", "at most 1");
    std::vector<operation> all;
    for (auto const v : operators(g)) {
      auto o = op(g, v);
      if (auto const layer = layer_of(shard{o}); layer && layer->kernel == plane{3, 3})
        for (auto& t : o.operands)
          if (t.role == role::weight && t.axes.size() > 1) t.density = 1 - sparsity;
      all.push_back(std::move(o));
    }
    return make_graph(g.name(), std::move(all), edges_of(g), outputs(g));
  }
};

struct plain_code {
  [[nodiscard]] auto name() const -> std::string_view { return "plain"; }
};
/// Has no sparse code.
struct dense_code {
  template <class P>
  static constexpr bool covers = !std::is_same_v<P, sparse>;
  [[nodiscard]] auto name() const -> std::string_view { return "dense"; }
};

/// 1 GB/s of reorders; what is no layer takes 10 ns.
struct machine {
  std::string title;
  double speed{1};
  [[nodiscard]] auto name() const -> std::string_view { return title; }
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {.total = seconds{1e-8}}; }
  [[nodiscard]] auto algorithms(shard const& s) const -> std::vector<algorithm_time> {
    if (s.op->kind != op_kind::elementwise) return {};
    return {{.name = "planes", .time = time(s), .input_format = "nchw", .output_format = "nchw"},
            {.name = "blocks", .time = time(s), .input_format = "nchwc", .output_format = "nchwc"}};
  }
  [[nodiscard]] auto reorder(bytes size, std::string_view from, std::string_view to) const
      -> seconds {
    return from == to ? seconds{} : seconds{static_cast<double>(size.count()) * 1e-9};
  }
};

using question = std::tuple<std::uint64_t, std::string, std::string, std::string>;
/// Counts what it is asked. Compiled for no pair that `covers_for` forbids.
struct counting_cost {
  std::map<question, int>* asked{};
  template <class P, class G>
  [[nodiscard]] auto operator()(shard const& s, convolution_layer const& l, P const& p, G const& g,
                                machine const& d) const -> ex::operator_price {
    static_assert(ex::covers_for<G, P>, "an illegal cell was compiled");
    if (asked != nullptr)
      ++(*asked)[{signature_hash(*s.op), std::string{p.name()}, std::string{g.name()}, d.title}];
    auto const macs = p.work(l, 1).macs;
    return {.time = seconds{macs * 1e-9 / p.speed / d.speed},
            .macs = macs,
            .workspace = bytes{p.title == "blocks" ? 512 : 0},
            .weights =
                p.weights() == weight_format::csr ? std::optional{bytes{1000}} : std::nullopt,
            .energy = joules{macs * 1e-12},
            .input_format = p.format(),
            .output_format = p.format()};
  }
};

/// Two equal 3×3 layers of 16·16·9·64 = 147,456 MACs and a 1×1 of 16,384; ReLU between.
/// All activations have 16·8·8 elements of 2 bytes.
auto small_network(std::string const& name, int threes = 2) -> ex::network {
  builder b{name};
  auto x = b.input("image", {1, 16, 8, 8});
  for (int i = 0; i < threes; ++i)
    x = b.relu(b.conv(x, {.out_channels = 16, .kernel = {3}, .padding = {1}, .bias = false}));
  b.output(b.conv(x, {.out_channels = 16, .kernel = {1}, .bias = false}));
  return {name, std::move(b).build().value()};
}

auto whole_stack() {
  return ex::stack{
      ex::axis{std::vector{small_network("two"), small_network("none", 0)}},
      ex::axis{no_compression{}, std::vector{pruning{0.5}, pruning{0.75}, pruning{2}}},
      ex::axis{planes{"planes"}, blocks{"blocks", 2}, three{"three", 4}, sparse{"sparse", 1}},
      ex::axis{plain_code{}, dense_code{}},
      ex::axis{std::vector{machine{"slow"}, machine{"fast", 10}}}};
}
auto const fallback = ex::fallbacks{planes{"planes"}, sparse{"sparse"}};

auto find_cell(ex::study const& s, ex::coordinate at) -> ex::cell const& {
  auto const found =
      std::find_if(s.cells.begin(), s.cells.end(), [&](auto const& c) { return c.at == at; });
  REQUIRE(found != s.cells.end());
  return *found;
}
auto nanoseconds(seconds t) -> double { return t.count() * 1e9; }

} // namespace

TEST_CASE("what prices cells, and what nearly does") {
  struct no_price {
    auto operator()(shard const&, convolution_layer const&, planes const&, plain_code const&,
                    machine const&) const -> seconds {
      return {};
    }
  };
  struct no_primitive {
    auto operator()(shard const&, convolution_layer const&, plain_code const&, machine const&) const
        -> ex::operator_price {
      return {};
    }
  };
  STATIC_REQUIRE(ex::CellCostFor<counting_cost, planes, plain_code, machine>);
  STATIC_REQUIRE(!ex::CellCostFor<no_price, planes, plain_code, machine>);
  STATIC_REQUIRE(!ex::CellCostFor<no_primitive, planes, plain_code, machine>);
  // The design's own list is of use only with a code generation that says what runs on it.
  STATIC_REQUIRE(ex::CellCostFor<ex::listed_algorithms, planes, ex::tuned, machine>);
  STATIC_REQUIRE(!ex::CellCostFor<ex::listed_algorithms, planes, plain_code, machine>);
  STATIC_REQUIRE(ex::MeasuredTimes<ex::nothing_measured>);
  STATIC_REQUIRE(!ex::MeasuredTimes<ex::nothing_known>);
}

TEST_CASE("a design's own list is asked for the primitive's name, as that code runs on it") {
  enum class code { untuned, tuned };
  struct listing {
    code generation{code::tuned};
    watts power{2};
    [[nodiscard]] auto name() const -> std::string_view { return "listing"; }
    [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
    [[nodiscard]] auto algorithms(shard const&) const -> std::vector<algorithm_time> {
      auto const t = seconds{generation == code::tuned ? 1.0 : 3.0};
      return {{.name = "other", .time = {.total = seconds{9}}},
              {.name = "planes", .time = {.total = t}, .workspace = bytes{5}}};
    }
  };
  auto const network = small_network("two");
  auto const& o = op(network.workload, operator_id{0});
  auto const layer = layer_of(shard{o}).value();
  ex::listed_algorithms const cost{};
  auto const fast = cost(shard{o}, layer, planes{"planes"}, ex::tuned{}, listing{});
  CHECK(fast.time == seconds{1});
  CHECK(fast.workspace == bytes{5});
  CHECK(fast.energy == joules{2});
  CHECK(cost(shard{o}, layer, planes{"planes"}, ex::untuned{}, listing{}).time == seconds{3});
  CHECK(cost(shard{o}, layer, planes{"unheard of"}, ex::tuned{}, listing{}).time ==
        infinite_seconds);
}

TEST_CASE("a cell is the sum of its operators, its fallback and its reorders") {
  auto const s = ex::explore(whole_stack(), counting_cost{}, fallback).value();
  auto const& base = find_cell(s, {0, 0, 0, 0, 0});
  CHECK(nanoseconds(base.time) == approx(2 * 147456 + 16384 + 2 * 10));
  CHECK(base.reorders == seconds{});
  CHECK(base.weights == bytes{2 * (2 * 16 * 16 * 9 + 16 * 16)});
  // Of a 3×3 kernel on 8×8 the border loses taps: (3·8 − 2)² of (3·8)².
  CHECK(base.valid == macs{2 * 16 * 16 * 22 * 22 + 16384});
  CHECK(base.executed == approx(2 * 147456 + 16384 + 2 * 1024 * 0));
  CHECK(base.fallback == 0);
  CHECK(base.workspace == bytes{0});
  CHECK(base.accuracy.known == ex::provenance::unknown);
  CHECK(!base.run);
  CHECK(!is_known(base.energy)); // the machine does not say what a ReLU takes

  // Blocks everywhere: no reorder inside, and none is paid at the borders of the network.
  auto const& blocked = find_cell(s, {0, 0, 1, 0, 0});
  CHECK(nanoseconds(blocked.time) == approx((2 * 147456 + 16384) / 2.0 + 20));
  CHECK(blocked.workspace == bytes{512});

  // Three: the 1×1 falls back to planes at speed 1.
  auto const& threes = find_cell(s, {0, 0, 2, 0, 0});
  CHECK(nanoseconds(threes.time) == approx(2 * 147456 / 4.0 + 16384 + 20));
  CHECK(threes.fallback == approx(16384.0 / (2 * 147456 + 16384)));

  // Half the weights of the 3×3 layers, 1000 bytes each; the 1×1 is whole and runs dense.
  auto const& half = find_cell(s, {0, 1, 3, 0, 1});
  CHECK(nanoseconds(half.time) == approx(147456 / 10.0 + 1638.4 + 20));
  CHECK(half.weights == bytes{2 * 1000 + 2 * 16 * 16});
  CHECK(half.executed == approx(147456 + 16384));
  CHECK(half.fallback == approx(16384.0 / (2 * 147456 + 16384)));
}

TEST_CASE("energy includes reorders, at what the design draws, or is unknown") {
  using three_blocks = test_primitive<kind::only_3x3, 'b'>;
  struct drawing : machine {
    watts power{unknown_watts};
    [[nodiscard]] auto energy(shard const&) const -> joules { return joules{1e-9}; }
  };
  auto const study = ex::explore(
      ex::stack{ex::axis{small_network("two")}, ex::axis{no_compression{}},
                ex::axis{planes{"planes"}, three_blocks{"three"}}, ex::axis{plain_code{}},
                ex::axis{std::vector{drawing{{"silent"}}, drawing{{"three watts"}, watts{3}}}}},
      counting_cost{}, fallback);
  auto const& s = study.value();
  auto const operators = (2 * 147456 + 16384) * 1e-12 + 2 * 1e-9;
  CHECK(find_cell(s, {0, 0, 0, 0, 0}).energy.count() == approx(operators)); // no reorder
  CHECK(!is_known(find_cell(s, {0, 0, 1, 0, 0}).energy));
  auto const& moved = find_cell(s, {0, 0, 1, 0, 1});
  CHECK(nanoseconds(moved.reorders) == approx(2048)); // before the 1×1
  CHECK(moved.energy.count() == approx(operators + 3 * 2048e-9));
}

TEST_CASE("the base is the first compression that changes nothing") {
  auto const explored = [](auto compressions) {
    return ex::explore(ex::stack{ex::axis{small_network("two")}, compressions,
                                 ex::axis{planes{"planes"}, sparse{"sparse", 1}},
                                 ex::axis{plain_code{}},
                                 ex::axis{std::vector{machine{"slow"}, machine{"fast", 10}}}},
                       counting_cost{}, fallback)
        .value();
  };
  auto const late = explored(ex::axis{std::vector{pruning{0.5}, pruning{0.75}}, no_compression{}});
  CHECK(late.base_is_uncompressed);
  CHECK(late.base[1] == 2);
  CHECK(!late.break_evens.empty());
  CHECK(late.compression_effects.size() == 2);
  auto const without = explored(ex::axis{std::vector{pruning{0.5}, pruning{0.75}}});
  CHECK(!without.base_is_uncompressed);
  CHECK(without.base[1] == 0);
  CHECK(without.break_evens.empty());
  CHECK(without.compression_effects.empty());
  for (auto const& f : without.findings)
    if (f.name == "hardware_dependent") CHECK(f.result == ex::verdict::cannot_be_said);
}

TEST_CASE("legal and rejected cells are the product, each rejected one has a reason") {
  auto const s = ex::explore(whole_stack(), counting_cost{}, fallback).value();
  CHECK(s.product() == 2 * 4 * 4 * 2 * 2);
  CHECK(s.cells.size() + s.rejected.size() == s.product());
  std::map<std::string, std::size_t> by;
  std::size_t sum = 0;
  for (auto const& r : s.rejections) {
    by[r.relation] = r.cells;
    CHECK(!r.reason.empty());
    sum += r.cells;
  }
  CHECK(sum == s.rejected.size());
  CHECK(by["executes_for"] == 0);
  CHECK(by["accepts_weights_for"] == 2 * 1 * 1 * 2 * 2); // sparse on what is not pruned
  CHECK(by["covers_for"] == 2 * 3 * 1 * 1 * 2);          // sparse by dense code
  // 200 % sparsity: dense primitives by both codes, sparse by one.
  CHECK(by["compresses_for"] == 2 * (3 * 2 + 1) * 2);
  // The second network has no 3×3 layer: `three` and, as nothing is pruned, `sparse` support none.
  CHECK(by["supports_for"] == 3 * 2 * 2 + 2 * 1 * 2);
  CHECK(by["runs_for"] == 0);
  // In index order, no cell twice.
  CHECK(std::is_sorted(s.cells.begin(), s.cells.end(),
                       [](auto const& a, auto const& b) { return a.at < b.at; }));
  CHECK(std::adjacent_find(s.cells.begin(), s.cells.end(), [](auto const& a, auto const& b) {
          return a.at == b.at;
        }) == s.cells.end());
}

TEST_CASE("every question is asked once") {
  std::map<question, int> asked;
  auto const s = ex::explore(whole_stack(), counting_cost{&asked}, fallback).value();
  for (auto const& [q, times] : asked) {
    CAPTURE(std::get<1>(q));
    CHECK(times == 1);
  }
  // Layers: 1×1; 3×3 whole, 50 %, 75 %. Dense: planes and blocks all four, three the 3×3; by two codes on
  // two machines. Sparse: the two pruned ones by one code.
  CHECK(asked.size() == (4 + 4 + 3) * 2 * 2 + 2 * 2);
  CHECK(s.operators == 5); // and ReLU
  CHECK(s.questions == asked.size() + 2);
}

TEST_CASE("the best algorithm of every operator pays for its reorders") {
  auto const s = ex::explore(whole_stack(), counting_cost{}, fallback).value();
  // Uncompressed: 3×3 by `three` in planes at speed 4. The 1×1 by blocks would gain 8192 ns, and a
  // reorder of 2048 bytes at 1 GB/s takes 2048.
  auto const& b = s.best.front();
  CHECK(b.exact);
  CHECK(nanoseconds(b.time) == approx(2 * 147456 / 4.0 + 8192 + 2048 + 20));
  CHECK(nanoseconds(b.reorders) == approx(2048));
  CHECK(b.blind == b.time);
  CHECK(nanoseconds(b.uniform) == approx(2 * 147456 / 4.0 + 16384 + 20));
  CHECK(s.elements(ex::axis_id::primitive)[b.uniform_primitive].name == "three");
  REQUIRE(b.operators.size() == 3);
  CHECK(b.operators[0].algorithm == "three");
  CHECK(b.operators[2].algorithm == "blocks");
  CHECK(b.operators[2].input_format == "nchwc");
  // Ten times as fast, the 1×1 gains 819 ns only: it stays in planes.
  auto const& fast = s.best[1];
  CHECK(fast.design == 1);
  CHECK(nanoseconds(fast.time) == approx(2 * 147456 / 40.0 + 1638.4 + 20));
  CHECK(fast.operators[2].algorithm == "planes");
  CHECK(fast.operators[2].fastest == "blocks");
  CHECK(nanoseconds(fast.blind) == approx(2 * 147456 / 40.0 + 819.2 + 2048 + 20));
}

TEST_CASE("no choice of the best algorithms is above the best cell or the blind choice") {
  auto const s = ex::explore(whole_stack(), counting_cost{}, fallback).value();
  CHECK(!s.best.empty());
  for (auto const& b : s.best) {
    CHECK(b.time <= b.uniform);
    CHECK(b.time <= b.blind);
  }
}

TEST_CASE("measured times stand beside the model") {
  auto const measured = [](shard const&, std::string_view primitive, std::string_view code,
                           std::string_view design) -> std::optional<seconds> {
    if (primitive != "three" || code != "plain" || design != "slow") return std::nullopt;
    return seconds{2 * 147456 / 4.0 * 1e-9}; // twice the model
  };
  auto const s =
      ex::explore(whole_stack(), counting_cost{}, fallback, ex::nothing_known{}, measured).value();
  auto const& c = find_cell(s, {0, 0, 2, 0, 0});
  REQUIRE(c.run);
  CHECK(c.run->log_ratio == approx(std::log(2)));
  CHECK(nanoseconds(c.run->measured) == approx(4 * 147456 / 4.0));
  CHECK(nanoseconds(c.run->modelled) == approx(2 * 147456 / 4.0));
  CHECK(c.run->share == approx(c.run->modelled / c.time));
  CHECK(!find_cell(s, {0, 0, 2, 0, 1}).run);
  CHECK(s.timing_is_measured);
}

TEST_CASE("accuracy comes with whose word it is, per network and compression") {
  auto const known = [](std::string_view network, auto const& c) -> ex::cell_accuracy {
    if (network != "two" || c.name() != "pruned_50") return {};
    return {ex::provenance::published, 70.5, 71, "a table", "50 %"};
  };
  auto const s = ex::explore(whole_stack(), counting_cost{}, fallback, known).value();
  for (auto const& c : s.cells) {
    bool const expected = c.at[0] == 0 && c.at[1] == 1;
    CHECK((c.accuracy.known == ex::provenance::published) == expected);
  }
}

TEST_CASE("elements chosen by name: the same cells, fewer of them") {
  auto all = whole_stack();
  auto const s = ex::explore(all, counting_cost{}, fallback).value();
  all.primitives = all.primitives.select({"planes", "sparse"}).value();
  all.designs = all.designs.select({"fast"}).value();
  auto const less = ex::explore(all, counting_cost{}, fallback).value();
  CHECK(less.product() == s.product() / 4);
  for (auto const& c : less.cells) {
    auto at = c.at;
    at[2] = at[2] == 0 ? 0 : 3;
    at[4] = 1;
    CHECK(find_cell(s, at).time == c.time);
  }
}

TEST_CASE("the same study twice is the same to the bit") {
  auto const a = ex::explore(whole_stack(), counting_cost{}, fallback).value();
  auto const b = ex::explore(whole_stack(), counting_cost{}, fallback).value();
  REQUIRE(a.cells.size() == b.cells.size());
  for (std::size_t i = 0; i < a.cells.size(); ++i) CHECK(a.cells[i].time == b.cells[i].time);
  for (std::size_t i = 0; i < a.findings.size(); ++i)
    CHECK(a.findings[i].evidence == b.findings[i].evidence);
}

TEST_CASE("studies that cannot be are refused in words") {
  auto const code_and_path = [](auto const& s) {
    auto const found = ex::explore(s, counting_cost{}, fallback);
    REQUIRE(!found.has_value());
    return std::pair{found.error().code, found.error().path};
  };
  auto s = whole_stack();
  s.designs = s.designs.select({}).value();
  CHECK(code_and_path(s) == std::pair{error_code::invalid_argument, std::string{"design"}});
  s = whole_stack();
  s.designs = decltype(s.designs){std::vector{machine{"slow"}, machine{"slow", 2}}};
  CHECK(code_and_path(s) == std::pair{error_code::duplicate, std::string{"design"}});
  s = whole_stack();
  s.compressions = s.compressions.select({"pruned_200"}).value();
  CHECK(code_and_path(s) == std::pair{error_code::invalid_argument, std::string{"network"}});
}
