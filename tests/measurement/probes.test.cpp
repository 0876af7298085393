// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/cost/calibration.hpp>
#include <mars/measurement/break_even.hpp>
#include <mars/measurement/layers.hpp>
#include <mars/measurement/probes.hpp>
#include <mars/zoo/registry.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace probes_test {

using mars::convolution_layer;
using mars::seconds;
using mars_test::approx;
namespace cost = mars::cost;
namespace measurement = mars::measurement;

/// A row of 64 channels on 56 × 56, 3 × 3.
auto row(std::string primitive, double density, double time) -> measurement::measured_layer {
  convolution_layer const c{.in_channels = 64,
                            .out_channels = 64,
                            .in = {56, 56},
                            .out = {56, 56},
                            .kernel = {3, 3},
                            .padding = {1, 1},
                            .density = density};
  return {.network = "net",
          .layer = "conv",
          .shape = c,
          .primitive = std::move(primitive),
          .code = "tuned",
          .record = {.time = {.time = seconds{time}}}};
}

} // namespace probes_test

TEST_CASE("probes: every class of layers, over its range, and no layer of a network",
          "[measurement]") {
  using namespace probes_test;
  auto const g = measurement::probe_layers().value();
  CHECK(g.name() == measurement::probes_name);
  auto const layers = measurement::distinct_layers(g);
  CHECK(layers.size() == 88); // none twice
  std::map<cost::layer_class, std::vector<double>> weights;
  for (auto const& l : layers) {
    CHECK(mars::macs_of(l.shape).count() <= std::int64_t{1} << 29);
    weights[cost::class_of(l.shape)].push_back(static_cast<double>(mars::weights_of(l.shape)));
  }
  CHECK(weights.size() == 4);
  for (auto const& [kind, w] : weights) {
    CAPTURE(to_string(kind));
    CHECK(w.size() >= 16);
    auto const [least, most] = std::minmax_element(w.begin(), w.end());
    CHECK(*most > 50 * *least);
  }
  std::set<std::string> probes;
  for (auto const& l : layers) probes.insert(measurement::to_text(l.shape));
  for (auto const* name : {"resnet18", "vgg16", "mobilenet_v2", "efficientnet_b0"}) {
    auto const network = mars::zoo::find(name, {}).value();
    for (auto const& l : measurement::distinct_layers(network))
      CHECK(probes.count(measurement::to_text(l.shape)) == 0);
  }
}

// By hand: dense 3 ms; sparse 4, 2, 1 ms at 50, 75, 90 % zeros crosses halfway between the first two.
TEST_CASE("break-even: measured against predicted", "[measurement]") {
  using namespace probes_test;
  measurement::measured_layers m;
  m.rows = {row("direct", 1, 3e-3), row("winograd_f4x3", 1, 5e-4), row("csr_direct", 0.5, 4e-3),
            row("csr_direct", 0.25, 2e-3), row("csr_direct", 0.1, 1e-3)};
  cost::held_out_times predicted(m.rows.size());
  for (std::size_t i = 0; i < m.rows.size(); ++i) predicted[i] = m.rows[i].time();
  predicted[0] = seconds{2e-3};

  auto const all = measurement::break_evens_of(m, predicted);
  REQUIRE(all.size() == 2);
  CHECK(all[0].layer == "conv");
  CHECK(all[0].sparse == "csr_direct");
  CHECK(all[0].opponent == "direct");
  CHECK(all[0].least == approx(0.5));
  CHECK(all[0].largest == approx(0.9));
  CHECK(all[0].measured.value() == approx(0.625));
  CHECK(all[0].predicted.value() == approx(0.75));
  CHECK(all[0].seen());
  CHECK(all[0].error() == approx(0.125));
  CHECK_FALSE(all[1].measured); // Winograd is faster throughout
  CHECK_FALSE(all[1].seen());

  auto const j = measurement::judge(all);
  CHECK(j.pairs == 2);
  CHECK(j.agreed == 1);
  CHECK(j.seen == 1);
  CHECK(j.mean == approx(0.125));
  CHECK(j.worst == approx(0.125));
  CHECK(j.within_10 == 0);

  SECTION("a model without a crossing is at 1") {
    predicted[0] = seconds{1e-4};
    auto const b = measurement::break_evens_of(m, predicted)[0];
    CHECK(b.error() == approx(0.375));
    CHECK_FALSE(b.agreed());
  }
  SECTION("one that sees it ahead throughout is at 0") {
    predicted[0] = seconds{1};
    CHECK(measurement::break_evens_of(m, predicted)[0].error() == approx(0.625));
  }
  SECTION("what is not predicted is not judged") {
    predicted[0].reset();
    CHECK(measurement::break_evens_of(m, predicted).size() == 1);
    predicted[0] = seconds{2e-3};
    predicted[3].reset(); // of one share of zeros
    CHECK(measurement::break_evens_of(m, predicted).empty());
    for (auto& p : predicted) p.reset();
    CHECK(measurement::break_evens_of(m, predicted).empty());
    CHECK(measurement::judge({}).seen == 0);
  }
  SECTION("one share of zeros shows no crossing") {
    m.rows.resize(3);
    m.rows.push_back(m.rows.back());
    predicted.resize(4);
    CHECK(measurement::break_evens_of(m, predicted).empty());
  }
}
