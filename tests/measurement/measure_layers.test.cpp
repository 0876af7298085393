// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/cost/table.hpp>
#include <mars/measurement/choice.hpp>
#include <mars/measurement/measure_layers.hpp>
#include <mars/workload/builder.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace measure_layers_test {

using mars::convolution_layer;
using mars::seconds;
using mars_test::approx;
namespace measurement = mars::measurement;
using measurement::candidate;
using measurement::prepared_kernel;

struct still_clock {
  double* time;

  [[nodiscard]] auto now() const -> seconds { return seconds{*time}; }
  [[nodiscard]] auto name() const -> std::string_view { return "fake"; }
};

/// Two equal convolutions and a wider one.
auto small_network(std::string name, std::int64_t wide = 64, int element_bits = 16) -> mars::graph {
  mars::builder b{std::move(name), element_bits};
  auto x = b.input("x", {1, 32, 14, 14});
  auto const conv = [&](char const* called, std::int64_t channels) {
    x = b.conv(x, {.out_channels = channels, .kernel = {3, 3}, .padding = {1, 1}}, called);
  };
  conv("first", 32);
  conv("second", 32);
  conv("wide", wide);
  b.output(x);
  return std::move(b).build().value();
}

/// Milliseconds by what a kernel is: direct 4, Winograd 2 (not for wide layers), int8 1, times the width.
auto fake_source(double& now, int& prepared) -> measurement::kernel_source {
  return [&](convolution_layer const& c) -> mars::expected<std::vector<candidate>> {
    auto const kernel = [&now, &prepared](double time, std::string implementation) {
      return [&now, &prepared, time, implementation]() -> mars::expected<prepared_kernel> {
        ++prepared;
        return prepared_kernel{.implementation = implementation,
                               .reorders_input = time < 0.003,
                               .run = [&now, time] { now += time; }};
      };
    };
    auto const size = static_cast<double>(c.out_channels) / 32;
    std::vector<candidate> all;
    all.push_back({.primitive = "direct",
                   .code = "x",
                   .lanes = 16,
                   .automatic = true,
                   .prepare = kernel(0.004 * size, "a")});
    if (c.out_channels == 32)
      all.push_back({.primitive = "winograd_f4x3",
                     .code = "x",
                     .lanes = 16,
                     .prepare = kernel(0.002 * size, "b")});
    all.push_back({.primitive = "direct",
                   .code = "x",
                   .element = measurement::precision::int8,
                   .lanes = 16,
                   .prepare = kernel(0.001 * size, "c")});
    return all;
  };
}

auto fp32(measurement::measured_layer const& r) -> bool {
  return r.element == measurement::precision::fp32;
}

} // namespace measure_layers_test

TEST_CASE("layers: each shape once, with its count", "[measurement]") {
  using namespace measure_layers_test;
  auto const layers = measurement::distinct_layers(small_network("net"));
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].name == "first");
  CHECK(layers[0].repeats == 2);
  CHECK(layers[1].name == "wide");
  CHECK(layers[1].shape.element_bits == 32);
  CHECK(measurement::to_text(layers[0].shape) ==
        "n1 g1 c32 k32 in14x14 out14x14 r3x3 s1x1 d1x1 p1x1");
  CHECK(measurement::work_of("direct", layers[0].shape, 16).value() ==
        mars::primitive::direct{}.work(layers[0].shape, 16));
  CHECK_FALSE(measurement::work_of("abacus", layers[0].shape, 16));
}

TEST_CASE("layers: measured over networks, each shape once", "[measurement]") {
  using namespace measure_layers_test;
  double now = 0;
  int prepared = 0;
  std::vector<mars::graph> const networks{small_network("one"), small_network("two", 128)};
  std::vector<std::string> seen;
  auto const observer = [&](measurement::job_progress const& p) {
    seen.emplace_back(p.what);
    return true;
  };
  auto const m =
      measurement::measure_layers(networks, {.sources = {fake_source(now, prepared)}, .visits = 1},
                                  observer, still_clock{&now})
          .value();
  CHECK(m.complete);
  CHECK(m.clock == "fake");
  CHECK(seen == std::vector<std::string>{"one first", "one wide", "two wide", "done"});
  CHECK(prepared == 3 + 2 + 2);
  REQUIRE(m.rows.size() == 2 * (3 + 2));
  CHECK(m.rows[0].network == "one");
  CHECK(m.rows[0].layer == "first");
  CHECK(m.rows[0].repeats == 2);
  CHECK(m.rows[0].time().count() == approx(0.004).epsilon(1e-9));
  CHECK(m.rows[1].record.implementation == "b");
  CHECK(m.rows[1].record.reorders_input);
  // Valid: 14·14 outputs lose the border's taps, (3·14 − 2)² of (3·14)²; Winograd executes 36/16 of a MAC
  // for 9, on 4 · 4 tiles of 4 × 4.
  CHECK(m.rows[0].valid().count() == 32 * 32 * 40 * 40);
  CHECK(m.rows[1].executed() == 36.0 * 16 * 32 * 32);
  CHECK(m.rows[2].shape.element_bits == 8);
  CHECK(m.rows[5].network == "two");
  CHECK(m.rows[5].record == m.rows[0].record); // one measurement for both networks

  SECTION("as a table of costs") {
    mars::cost::table<mars::cost::unavailable> table;
    auto const network = small_network("one", 64, 32);
    CHECK(measurement::fill(table, network, m, "cpu", fp32) == 3);
    CHECK(table.entries.size() == 2);
    mars::shard const first{op(network, mars::operator_id{0})};
    CHECK(table.find(first, "cpu")->time.total == m.rows[1].time()); // Winograd
    // 16 bits were not measured.
    CHECK(measurement::fill(table, small_network("half"), m, "cpu", fp32) == 0);
  }
  SECTION("as observations") {
    auto const all = measurement::observations_of(m);
    REQUIRE(all.size() == m.rows.size());
    CHECK(all[1].algorithm == "x winograd_f4x3");
    CHECK(all[2].element_bits == 8);
    CHECK(all[9].group == "two");
    CHECK(all[5].shape == all[0].shape); // the same timing in both networks
    CHECK(all[3].shape != all[0].shape);
    CHECK(all[1].work.macs == m.rows[1].executed());
  }
  SECTION("what choices lose") {
    // Chosen by the library: direct; first 4 ms instead of 2, twice; wide layers have one kernel.
    auto const library = measurement::regret_of_library(m, fp32);
    REQUIRE(library.size() == 2);
    CHECK(library[0].network == "one");
    CHECK(library[0].layers == 1);
    CHECK(library[0].hits == 0);
    CHECK(library[0].chosen.count() == approx(0.008).epsilon(1e-9));
    CHECK(library[0].loss() == approx(1).epsilon(1e-9));
    CHECK(measurement::mean_loss(library) == approx(1).epsilon(1e-9));
    // By predictions that are right, nothing; what has none is not chosen.
    mars::cost::held_out_times predicted;
    for (auto const& r : m.rows) predicted.push_back(r.time() * 3.0);
    CHECK(measurement::mean_loss(measurement::regret_of_model(m, fp32, predicted)) == 0);
    predicted[1].reset();
    CHECK(measurement::regret_of_model(m, fp32, predicted)[0].loss() == approx(1).epsilon(1e-9));
  }
}

TEST_CASE("layers: networks of one name are networks of their own", "[measurement]") {
  using namespace measure_layers_test;
  double now = 0;
  int prepared = 0;
  std::vector<mars::graph> const networks{small_network("net"), small_network("net")};
  auto const m =
      measurement::measure_layers(networks, {.sources = {fake_source(now, prepared)}, .visits = 1},
                                  {}, still_clock{&now})
          .value();
  CHECK(prepared == 3 + 2);
  CHECK(m.rows.size() == 2 * (3 + 2));
}

TEST_CASE("layers: the cache saves whole layers only", "[measurement]") {
  using namespace measure_layers_test;
  double now = 0;
  int prepared = 0;
  std::vector<mars::graph> const networks{small_network("one")};
  measurement::measurements cache;
  measurement::measure_options const o{
      .sources = {fake_source(now, prepared)}, .cache = &cache, .visits = 1};
  auto const first = measurement::measure_layers(networks, o, {}, still_clock{&now}).value();
  CHECK(cache.entries().size() == 5);
  CHECK(prepared == 5);
  CHECK_FALSE(first.rows[0].from_cache);
  auto const second = measurement::measure_layers(networks, o, {}, still_clock{&now}).value();
  CHECK(prepared == 5);
  CHECK(second.rows[0].from_cache);
  CHECK(second.rows[4].record == first.rows[4].record);

  // Other code is not known by the timings of this: its version, a library's kernel, whose choice it was.
  auto const layer = measurement::distinct_layers(networks[0])[0].shape;
  candidate const known{.primitive = "direct", .code = "x", .version = "1", .kernel = "k"};
  auto newer = known, other = known, chosen = known;
  newer.version = "2";
  other.kernel = "l";
  chosen.automatic = true;
  CHECK(measurement::detail::key_of(layer, known) ==
        measurement::to_text(layer) + "; fp32 x 1 direct k");
  for (auto const& c : {newer, other, chosen})
    CHECK(measurement::detail::key_of(layer, c) != measurement::detail::key_of(layer, known));

  // Another machine knows nothing; a layer of which one kernel is missing is measured again.
  auto elsewhere = o;
  elsewhere.on.name = "another";
  (void)measurement::measure_layers(networks, elsewhere, {}, still_clock{&now}).value();
  CHECK(prepared == 10);
  measurement::measurements part;
  for (auto const& [key, record] : cache.entries())
    if (record.implementation != "b") part.set(key.first, key.second, record).value();
  cache = part;
  auto const third = measurement::measure_layers(networks, o, {}, still_clock{&now}).value();
  CHECK(prepared == 13);
  CHECK_FALSE(third.rows[0].from_cache);
  CHECK(third.rows[3].from_cache);
}

TEST_CASE("layers: ended by the observer, refused by a source, short of memory", "[measurement]") {
  using namespace measure_layers_test;
  double now = 0;
  int prepared = 0;
  std::vector<mars::graph> const networks{small_network("one")};
  auto const source = fake_source(now, prepared);
  int asked = 0;
  auto const m =
      measurement::measure_layers(
          networks, {.sources = {source}, .visits = 1},
          [&](measurement::job_progress const&) { return ++asked < 2; }, still_clock{&now})
          .value();
  CHECK_FALSE(m.complete);
  CHECK(m.rows.size() == 3);

  auto const failing = [](convolution_layer const&) -> mars::expected<std::vector<candidate>> {
    return mars::fail(mars::error_code::device, "library", "nothing");
  };
  auto const failed = measurement::measure_layers(networks, {.sources = {failing}, .visits = 1}, {},
                                                  still_clock{&now});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().path == "one first.library");

  // One after another, the same times.
  auto const tight = measurement::measure_layers(
                         networks, {.sources = {source}, .memory = mars::bytes{1}, .visits = 1}, {},
                         still_clock{&now})
                         .value();
  CHECK(tight.rows[1].time().count() == approx(0.002).epsilon(1e-9));
}

TEST_CASE("layers: measured again where the machine went at another pace", "[measurement]") {
  using namespace measure_layers_test;
  double now = 0, pace = 1e-3;
  int prepared = 0, asked = 0;
  std::vector<mars::graph> const networks{small_network("one"), small_network("two", 128)};
  auto const source = fake_source(now, prepared);
  // Slow while the first of three layers is measured, kernels and all.
  double slowness = 1;
  auto const unsteady = [&](convolution_layer const& c) -> mars::expected<std::vector<candidate>> {
    slowness = ++asked == 1 ? 2 : 1;
    auto all = source(c);
    for (auto& candidate : *all)
      candidate.prepare = [&, whole = candidate.prepare]() -> mars::expected<prepared_kernel> {
        auto kernel = whole();
        kernel->run = [&, run = kernel->run] {
          auto const before = now;
          run();
          now = before + (now - before) * slowness;
        };
        return kernel;
      };
    return all;
  };
  measurement::measurements cache;
  measurement::measure_options o{
      .sources = {unsteady}, .cache = &cache, .pace = [&] { now += pace * slowness; }};
  auto const remembered = [&] {
    std::vector<double> times;
    for (auto const& [key, record] : cache.entries())
      if (key.second.find("c32 k32 ") != key.second.npos &&
          key.second.find("fp32 x direct") != key.second.npos)
        times.push_back(record.time.time.count());
    return times;
  };
  SECTION("once is enough when it is quiet") {
    std::vector<double> totals;
    auto const m = measurement::measure_layers(
                       networks, o,
                       [&](measurement::job_progress const& p) {
                         totals.push_back(p.total);
                         return true;
                       },
                       still_clock{&now})
                       .value();
    CHECK(prepared == 3 + 2 + 2 + 3);
    CHECK(totals == std::vector<double>{3, 3, 3, 4, 4});
    CHECK(m.restless == 0);
    CHECK(m.rows[0].time().count() == approx(0.004).epsilon(1e-9));
    CHECK_FALSE(m.rows[0].from_cache);
    REQUIRE(remembered().size() == 1);
    CHECK(remembered()[0] == approx(0.004).epsilon(1e-9));
  }
  SECTION("never again, if so wished") {
    o.visits = 1;
    auto const m = measurement::measure_layers(networks, o, {}, still_clock{&now}).value();
    CHECK(prepared == 3 + 2 + 2);
    CHECK(m.rows[0].time().count() == approx(0.008).epsilon(1e-9));
    CHECK(m.restless == 0); // nobody asked
    CHECK(cache.entries().size() == 3 + 2 + 2);
  }
  SECTION("an interruption leaves what there is, and the restless to the next one") {
    int steps = 0;
    auto const m = measurement::measure_layers(
                       networks, o, [&](measurement::job_progress const&) { return ++steps < 4; },
                       still_clock{&now})
                       .value();
    CHECK(m.complete);
    CHECK(steps == 4);
    CHECK(m.restless == 1);
    CHECK(m.rows.size() == 2 * (3 + 2));
    CHECK(remembered().empty());
    CHECK(cache.entries().size() == 2 + 2);
  }
  SECTION("a layer without kernels says nothing about the pace") {
    o.densities = {1, 0.5, 0.3};
    auto const dense_only = [&](convolution_layer const& c) {
      return c.density < 1 ? mars::expected<std::vector<candidate>>{std::vector<candidate>{}}
                           : unsteady(c);
    };
    o.sources = {dense_only};
    auto const m = measurement::measure_layers(networks, o, {}, still_clock{&now}).value();
    CHECK(prepared == 3 + 2 + 2 + 3);
    CHECK(m.rows[0].time().count() == approx(0.004).epsilon(1e-9));
  }
  SECTION("what was measured before a source failed is remembered") {
    asked = 1; // none is slow
    o.sources.push_back([&](convolution_layer const&) -> mars::expected<std::vector<candidate>> {
      if (asked == 4) return mars::fail(mars::error_code::device, "library", "nothing");
      return std::vector<candidate>{};
    });
    CHECK_FALSE(measurement::measure_layers(networks, o, {}, still_clock{&now}));
    CHECK(cache.entries().size() == 3 + 2);
  }
}
