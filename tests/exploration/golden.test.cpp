// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Figures of measured tables, as their notes give them: the outputs of a study work on any table.
#include "support/catch.hpp"

#include <mars/core/statistics.hpp>
#include <mars/cost/break_even.hpp>
#include <mars/exploration/response.hpp>
#include <mars/exploration/variance.hpp>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace mars;
using mars_test::approx;
namespace ex = mars::exploration;

namespace {

using csv_row = std::map<std::string, std::string>;
auto read_csv(std::string const& name) -> std::vector<csv_row> {
  std::ifstream in{MARS_TEST_SOURCE_DIR "/primitive/data/" + name};
  auto const split = [](std::string const& line) {
    std::vector<std::string> cells;
    std::stringstream s{line};
    for (std::string c; std::getline(s, c, ',');) cells.push_back(c);
    return cells;
  };
  std::string line;
  std::getline(in, line);
  auto const head = split(line);
  std::vector<csv_row> rows;
  while (std::getline(in, line)) {
    auto const cells = split(line);
    csv_row r;
    for (std::size_t i = 0; i < cells.size(); ++i) r[head.at(i)] = cells[i];
    rows.push_back(std::move(r));
  }
  REQUIRE(!rows.empty());
  return rows;
}
auto number(csv_row const& r, char const* column) -> double { return std::stod(r.at(column)); }

/// 0 direct with 256-bit vectors, 1 GEMM, 2 direct, 3 bf16, 4 int8; −1: none of these.
auto configuration(csv_row const& r) -> int {
  auto const& p = r.at("primitive");
  auto const& precision = r.at("precision");
  if (p == "direct" && precision == "fp32") return r.at("isa") == "avx2" ? 0 : 2;
  if (p == "im2col_gemm" && precision == "fp32") return 1;
  if (p == "direct" && precision == "bf16") return 3;
  return p == "direct" && precision == "int8" ? 4 : -1;
}
auto share(std::vector<ex::sum_of_squares> const& all, std::uint32_t axes) -> double {
  for (auto const& s : all)
    if (s.axes == axes) return 100 * s.value / all.front().value;
  return -1;
}

} // namespace

TEST_CASE("two networks under five configurations: the network explains 69 %") {
  std::map<std::string, std::size_t> networks;
  std::map<std::pair<std::size_t, std::size_t>, double> sums;
  std::map<std::string, std::size_t> shapes;
  std::map<std::pair<std::size_t, std::size_t>, double> times;
  for (auto const& r : read_csv("layer_timings.csv")) {
    auto const c = configuration(r);
    if (c < 0) continue;
    auto const n = networks.try_emplace(r.at("network"), networks.size()).first->second;
    auto const s = shapes.try_emplace(r.at("network") + r.at("layer"), shapes.size()).first->second;
    sums[{n, static_cast<std::size_t>(c)}] += number(r, "repeats") * number(r, "time_ms");
    times[{s, static_cast<std::size_t>(c)}] = number(r, "time_ms");
  }
  auto const log_table = [](auto const& of, std::size_t rows) {
    ex::response r{{rows, 5}};
    for (auto const& [at, ms] : of) r[r.index(std::vector{at.first, at.second})] = std::log(ms);
    for (std::size_t i = 0; i < r.size(); ++i) REQUIRE(r.has(i));
    return r;
  };
  REQUIRE(networks.size() == 2);
  auto const by_network = ex::split_variance(log_table(sums, 2));
  CHECK(by_network.front().value == approx(18.308).margin(0.0005));
  CHECK(share(by_network, 1) == approx(69.04).margin(0.005));
  CHECK(share(by_network, 2) == approx(30.92).margin(0.005));
  CHECK(share(by_network, 3) == approx(0.04).margin(0.005));
  REQUIRE(shapes.size() == 24);
  auto const by_shape = ex::split_variance(log_table(times, 24));
  CHECK(share(by_shape, 1) == approx(87.90).margin(0.005));
  CHECK(share(by_shape, 2) == approx(11.73).margin(0.005));
  CHECK(share(by_shape, 3) == approx(0.37).margin(0.005));
}

TEST_CASE("MACs order layers well under one configuration, worse over all") {
  std::map<int, std::pair<std::vector<double>, std::vector<double>>> by;
  for (auto const& r : read_csv("layer_timings.csv")) {
    auto const c = configuration(r);
    if (c < 0) continue;
    for (auto const slice : {c, 9}) {
      by[slice].first.push_back(number(r, "macs_nominal"));
      by[slice].second.push_back(number(r, "time_ms"));
    }
  }
  auto const pooled = kendall_tau_b(by[9].first, by[9].second);
  REQUIRE(pooled);
  for (int c = 0; c < 5; ++c) {
    auto const tau = kendall_tau_b(by[c].first, by[c].second);
    REQUIRE(tau);
    CHECK(*tau > *pooled);
  }
}

TEST_CASE("break-even sparsity of the measured layers") {
  struct row {
    char const* layer;
    double tuned_direct, tuned_winograd, untuned_direct;
  };
  // Tuned against direct and Winograd, untuned against direct.
  constexpr row published[] = {{"layer1.0.conv1", .63, .86, .79},
                               {"layer2.0.conv2", .71, .89, .83},
                               {"layer3.0.conv2", .69, .84, .90},
                               {"layer4.0.conv2", .77, .77, .95}};
  auto const dense = read_csv("layer_timings.csv");
  auto const sparse = read_csv("sparse_layers.csv");
  for (auto const& expected : published) {
    CAPTURE(expected.layer);
    double direct = 0, winograd = 1e9;
    for (auto const& r : dense) {
      if (r.at("network") != "resnet18" || r.at("layer") != expected.layer) continue;
      if (configuration(r) == 2) direct = number(r, "time_ms");
      if (r.at("primitive").starts_with("winograd"))
        winograd = std::min(winograd, number(r, "time_ms"));
    }
    std::vector<mars::cost::sparsity_point> tuned, untuned;
    for (auto const& r : sparse) {
      if (r.at("layer") != expected.layer) continue;
      tuned.push_back({number(r, "sparsity"), seconds{number(r, "csr_direct_tuned_ms")}});
      untuned.push_back({number(r, "sparsity"), seconds{number(r, "csr_direct_untuned_ms")}});
    }
    REQUIRE(tuned.size() == 8);
    auto const against = [](auto const& points, double ms) {
      return mars::cost::break_even_of(points, seconds{ms}).value_or(-1);
    };
    CHECK(against(tuned, direct) == approx(expected.tuned_direct).margin(0.0051));
    CHECK(against(tuned, winograd) == approx(expected.tuned_winograd).margin(0.0051));
    CHECK(against(untuned, direct) == approx(expected.untuned_direct).margin(0.0051));
  }
}

TEST_CASE(
    "code generation and layer interact: the best scheduler of one direct convolution flips") {
  std::map<std::string, std::size_t> layers, schedulers;
  std::vector<csv_row> const rows = read_csv("codegen_halide.csv");
  for (auto const& r : rows) {
    layers.try_emplace(r.at("layer"), layers.size());
    schedulers.try_emplace(r.at("autoscheduler"), schedulers.size());
  }
  REQUIRE(layers.size() == 4);
  REQUIRE(schedulers.size() == 4);
  ex::response r{{4, 4}};
  for (auto const& row : rows)
    r[r.index(std::vector{layers[row.at("layer")], schedulers[row.at("autoscheduler")]})] =
        std::log(number(row, "time_ms"));
  std::vector<std::size_t> winners;
  for (std::size_t l = 0; l < 4; ++l) {
    std::size_t best = 0;
    for (std::size_t s = 1; s < 4; ++s)
      if (ex::effect_of(r, {l, best}, 1, s) < 0.0) best = s;
    winners.push_back(best);
  }
  auto const adams = schedulers["Adams2019"], li = schedulers["Li2018"];
  CHECK(winners == std::vector{adams, adams, adams, li});
  // From the default to Adams2019 the first layer gains 24.2-fold, the last 4.0-fold: ln 6.
  CHECK(*ex::interaction_of(r, {0, schedulers["none"]}, 0, 3, 1, adams) ==
        approx(std::log(84.6 / 3.5 / (2.8 / 0.7))).margin(0.06));
}
