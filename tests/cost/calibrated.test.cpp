// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/convolution.hpp"

#include <mars/core/files.hpp>
#include <mars/core/random.hpp>
#include <mars/cost/calibrated.hpp>
#include <mars/cost/cross_validation.hpp>
#include <mars/cost/table.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/processor.hpp>
#include <mars/primitive/winograd.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using mars::bytes;
using mars::bytes_per_second;
using mars::convolution_layer;
using mars::flops_per_second;
using mars::primitive_work;
using mars::seconds;
using mars_test::approx;
namespace cost = mars::cost;
namespace primitive = mars::primitive;

namespace {

/// 100 GMAC/s; 100 GB/s from the cache of 1 MB, 10 GB/s else.
cost::machine_rates const rates{
    flops_per_second{200e9},
    {{{bytes{1000000}, bytes_per_second{100e9}}, {bytes{100000000}, bytes_per_second{10e9}}}}};

auto layer(std::int64_t c, std::int64_t k, std::int64_t image, std::int64_t kernel = 3)
    -> convolution_layer {
  return {.in_channels = c,
          .out_channels = k,
          .in = {image, image},
          .out = {image, image},
          .kernel = {kernel, kernel},
          .padding = {kernel / 2, kernel / 2}};
}

/// Work of every kind, of sizes that differ by orders of magnitude.
auto random_work(mars::random_stream& random) -> primitive_work {
  auto const size = [&](double from, int doublings) {
    return from * static_cast<double>(1 + random.below(std::uint64_t{1} << random.below(
                                                           static_cast<std::uint64_t>(doublings))));
  };
  return {.macs = size(1e5, 12),
          .transform_ops = size(1e4, 10),
          .decoded = size(1e3, 12),
          .calls = size(1, 6),
          .workspace = bytes{static_cast<std::int64_t>(size(1e3, 12))},
          .traffic = bytes{static_cast<std::int64_t>(size(1e4, 14))}};
}
auto time_by(cost::coefficients const& theta, primitive_work const& w) -> double {
  auto const x = cost::features_of(w, rates);
  double t = 0;
  for (std::size_t j = 0; j < x.size(); ++j) t += theta[j] * x[j];
  return t;
}

struct named {
  std::string_view called;
  [[nodiscard]] auto name() const -> std::string_view { return called; }
  [[nodiscard]] auto time(mars::shard const&) const -> mars::time_breakdown { return {}; }
};

} // namespace

TEST_CASE("calibration: finds the coefficients that made the times", "[cost]") {
  mars::random_stream random{5};
  cost::coefficients const truth{1.2, 0.7, 3, 0.5, 0.4, 2.5, 6};
  std::vector<cost::observation> all;
  for (int i = 0; i < 400; ++i) {
    auto const w = random_work(random);
    all.push_back({.algorithm = "a", .work = w, .time = seconds{time_by(truth, w)}});
  }
  auto const fit = cost::calibration::fit(all, rates).value();
  auto const& found = fit.fitted().at({"a", 32, cost::layer_class::dense});
  for (std::size_t j = 0; j < truth.size(); ++j) {
    CAPTURE(j);
    CHECK(found[j] == approx(truth[j]).epsilon(0.05)); // belief draws a little
  }
  auto const t = fit.predict("a", 32, cost::layer_class::dense, all[7].work);
  REQUIRE(t);
  CHECK(t->total.count() == approx(all[7].time.count()).epsilon(0.01));
  CHECK((t->compute + t->memory + t->overhead).count() == approx(t->total.count()).epsilon(1e-12));
  CHECK_FALSE(fit.predict("b", 32, cost::layer_class::dense, all[7].work));
  CHECK_FALSE(fit.predict("a", 16, cost::layer_class::dense, all[7].work));
  CHECK(fit.predict("a", 32, cost::layer_class::depthwise, all[7].work)); // all classes together
}

// An ordinary fit would answer these times with a negative constant.
TEST_CASE("calibration: never negative", "[cost]") {
  std::vector<cost::observation> all;
  for (int i = 1; i <= 20; ++i) {
    primitive_work const w{.macs = 1e6 * i};
    all.push_back({.algorithm = "a", .work = w, .time = seconds{1e-5 * i - 3e-6}});
  }
  auto const fit = cost::calibration::fit(all, rates).value();
  for (auto const& [key, theta] : fit.fitted())
    for (auto const c : theta) CHECK(c >= 0);
  CHECK(fit.fitted().begin()->second[2] == 0);
}

// By hand: x = (1, 2), t = (1, 4). Relative: min (1 − θ)² + (1 − θ/2)², θ = (1 + 1/2) / (1 + 1/4) = 1.2;
// absolute least squares would say 1.8.
TEST_CASE("calibration: errors are relative", "[cost]") {
  cost::detail::normal_equations<1> sums;
  sums.add({1}, 1);
  sums.add({2}, 4);
  CHECK(sums.solve()[0] == approx(1.2).epsilon(1e-12));
}

// The least squares over θ ≥ 0 satisfy Kuhn and Tucker: no gradient where θ > 0, none that would
// descend where θ = 0.
TEST_CASE("calibration: the fit is optimal", "[cost]") {
  mars::random_stream random{11};
  for (int round = 0; round < 50; ++round) {
    cost::detail::normal_equations<4> sums;
    std::vector<std::array<double, 4>> rows;
    for (int i = 0; i < 8; ++i) {
      std::array<double, 4> x{};
      for (auto& v : x) {
        v = random.uniform();
        if (random.below(4) == 0) v = -v;
      }
      rows.push_back(x);
      sums.add(x, 1);
    }
    auto const theta = sums.solve();
    for (std::size_t j = 0; j < 4; ++j) {
      double gradient = 0;
      for (auto const& x : rows) {
        double residual = -1;
        for (std::size_t k = 0; k < 4; ++k) residual += x[k] * theta[k];
        gradient += x[j] * residual;
      }
      CHECK(theta[j] >= 0);
      if (theta[j] > 0) CHECK(gradient == approx(0).margin(1e-9));
      CHECK(gradient > -1e-9);
    }
  }
}

TEST_CASE("calibration: one measurement scales what dominates", "[cost]") {
  // At the peaks: 10 µs of MACs and 1000 µs of reading; it took 2000 µs.
  primitive_work const w{.macs = 1e6, .calls = 1, .traffic = bytes{10000000}};
  auto const read = rates.bandwidth.time(w.traffic).count();
  auto const fit =
      cost::calibration::fit(
          std::vector<cost::observation>{{.algorithm = "a", .work = w, .time = seconds{2 * read}}},
          rates)
          .value();
  auto const& theta = fit.fitted().begin()->second;
  CHECK(theta[0] == approx(1).margin(0.05));
  CHECK(theta[1] == approx(2).margin(0.05));
}

TEST_CASE("calibration: bad times and rates are refused", "[cost]") {
  std::vector<cost::observation> all{{.algorithm = "a", .work = {.macs = 1}, .time = seconds{1}}};
  all.push_back({.algorithm = "a", .work = {.macs = 1}, .time = seconds{0}});
  auto const failed = cost::calibration::fit(all, rates);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().path == "observations[1].time");
  CHECK_FALSE(cost::calibration::fit(all, {}));
  auto const refused = [](auto change) {
    auto bad = rates;
    change(bad);
    auto const fit = cost::calibration::fit({}, bad);
    return fit ? std::string{} : fit.error().path;
  };
  auto const infinite = std::numeric_limits<double>::infinity();
  CHECK(refused([&](auto& r) { r.peak = flops_per_second{infinite}; }) == "rates.peak");
  auto const rate = "rates.bandwidth.points[1].rate";
  CHECK(refused([](auto& r) { r.bandwidth.points[1].rate = {}; }) == rate);
  CHECK(refused([&](auto& r) { r.bandwidth.points[1].rate = bytes_per_second{infinite}; }) == rate);
  CHECK(refused([](auto& r) { r.bandwidth.points[1].working_set = bytes{1000000}; }) ==
        "rates.bandwidth.points[1].working_set");
  CHECK(cost::calibration::fit({}, rates).value().fitted().empty());
}

TEST_CASE("cross-validation: nothing is predicted by a fit that saw it", "[cost]") {
  // One observation is ten times as slow as the law. n others and it: θ = (n + 1/10) / (n + 1/100).
  std::vector<cost::observation> all;
  for (int i = 0; i < 10; ++i)
    all.push_back({.algorithm = "a",
                   .work = {.macs = 1e8},
                   .time = seconds{i == 3 ? 1e-2 : 1e-3},
                   .group = i < 5 ? "first" : "second"});
  auto const folds = cost::cross_validate(all, rates, 10).value();
  CHECK(folds[3]->count() == approx(1e-3).epsilon(1e-3));
  CHECK(folds[4]->count() == approx(1e-3 * 8.1 / 8.01).epsilon(1e-3));
  auto const groups = cost::leave_groups_out(all, rates).value();
  CHECK(groups[3]->count() == approx(1e-3).epsilon(1e-3)); // from "second", where all is well
  CHECK(groups[0]->count() == groups[3]->count());
  CHECK(groups[7]->count() == approx(1e-3 * 4.1 / 4.01).epsilon(1e-3));
  auto const a = cost::judge(all, groups, [](auto const& o) { return o.group == "first"; });
  CHECK(a.n == 5);
  CHECK(a.within_10 == approx(0.8).epsilon(1e-12));
  // The only one of its kind cannot be predicted.
  all.push_back({.algorithm = "b", .work = {.macs = 1}, .time = seconds{1}, .group = "first"});
  CHECK_FALSE(cost::cross_validate(all, rates).value().back());
  CHECK(cost::judge(all, cost::cross_validate(all, rates).value()).n == 10);
}

// Each of three shapes does what no other does, at a fifth of the peak; it was timed once and copied to every
// network that has it. A fit to the copies knows its time, one that never saw it believes in the peak.
TEST_CASE("cross-validation: copies of a timing are not trained on", "[cost]") {
  std::vector<cost::observation> all;
  for (std::size_t shape = 0; shape < 3; ++shape) {
    primitive_work const works[] = {{.macs = 1e8}, {.transform_ops = 1e8}, {.decoded = 1e8}};
    for (auto const* network : {"first", "second", "third"})
      for (auto const* algorithm : {"a", "b"})
        all.push_back({.algorithm = algorithm,
                       .work = works[shape],
                       .time = seconds{5e-3},
                       .group = network,
                       .shape = "shape " + std::to_string(shape)});
  }
  // Each shape asked of a fit to the others.
  auto const honest = [&](std::size_t i) {
    std::vector<cost::observation> others;
    for (auto const& o : all)
      if (o.shape != all[i].shape) others.push_back(o);
    return cost::calibration::fit(others, rates).value().predict(all[i]);
  };
  auto const folds = cost::cross_validate(all, rates, 3).value();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    CHECK(folds[i] == honest(i));
  }
  // Every network has every shape: nothing is left to learn from.
  for (auto const& t : cost::leave_groups_out(all, rates).value()) CHECK_FALSE(t);
  auto copies = all;
  for (auto& o : copies) o.shape.clear();
  CHECK(cost::judge(all, folds).mape > 0.75);
  CHECK(cost::judge(copies, cost::leave_groups_out(copies, rates).value()).mape < 0.1);
  // One shape in the first network alone, the others in the others: each is asked of what the other has.
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](cost::observation const& o) {
                             return (o.shape == "shape 2") != (o.group == "first");
                           }),
            all.end());
  auto const left_out = cost::leave_groups_out(all, rates).value();
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<cost::observation> others;
    for (auto const& o : all)
      if ((o.group == "first") != (all[i].group == "first")) others.push_back(o);
    CAPTURE(i);
    CHECK(left_out[i] == cost::calibration::fit(others, rates).value().predict(all[i]));
  }
}

TEST_CASE("calibrated: a cost model of the fastest primitive, and a table's fallback", "[cost]") {
  std::vector<cost::observation> all;
  for (auto const& c :
       {layer(64, 64, 56), layer(128, 128, 28), layer(256, 256, 14), layer(32, 32, 112)}) {
    auto const d = primitive::direct{}.work(c, 16);
    auto const w = primitive::winograd_f4x3{}.work(c, 16);
    all.push_back({"x direct", 32, cost::class_of(c), d, seconds{1.5 * d.macs / 100e9}, ""});
    all.push_back({"x winograd_f4x3", 32, cost::class_of(c), w, seconds{2 * w.macs / 100e9}, ""});
  }
  using model_type =
      cost::calibrated<cost::unavailable, primitive::direct, primitive::winograd_f4x3>;
  static_assert(mars::CostModel<model_type>);
  model_type const model{
      .fit = cost::calibration::fit(all, rates).value(), .library = "x ", .design = "measured"};
  auto const op = mars_test::make_convolution({.out_channels = 64,
                                               .in_channels = 64,
                                               .rows = 56,
                                               .columns = 56,
                                               .kernel_rows = 3,
                                               .kernel_columns = 3,
                                               .element_bits = 32});
  mars::shard const s{op};
  named const measured{"measured"};
  auto const t = model(s, measured).time;
  auto const c = mars::layer_of(s).value();
  CHECK(t == model.fastest(c));
  CHECK(t == model.time(primitive::winograd_f4x3{}, c)); // 2/4 of 1.5 and less
  CHECK(t.total < model.time(primitive::direct{}, c)->total);
  // Where Winograd cannot, direct; where nothing can, the fallback.
  auto const strided = mars_test::make_convolution({.out_channels = 64,
                                                    .in_channels = 64,
                                                    .rows = 28,
                                                    .columns = 28,
                                                    .kernel_rows = 3,
                                                    .kernel_columns = 3,
                                                    .stride = 2,
                                                    .element_bits = 32});
  CHECK(model(mars::shard{strided}, measured).time ==
        model.time(primitive::direct{}, mars::layer_of(mars::shard{strided}).value()));
  CHECK(model(s, named{"another"}).time.total == mars::infinite_seconds);
  auto const pool = mars_test::make_elementwise(100);
  CHECK(model(mars::shard{pool}, measured).time.total == mars::infinite_seconds);

  // Of a design with algorithms, those of the fit, for mappers to choose from.
  primitive::processor const core{.title = "measured"};
  auto const fitted = model.algorithms(s, core);
  REQUIRE(fitted.size() == 2);
  CHECK(fitted[0].how.name == "direct");
  CHECK(fitted[0].how.time == model.time(primitive::direct{}, c));
  CHECK(fitted[1].how.name == "winograd_f4x3");
  CHECK(fitted[1].how.input_format == "nchwc");
  CHECK(model.algorithms(s, primitive::processor{.title = "another"}).empty());

  // A table knows what was measured and asks for the rest.
  cost::table<model_type> table{.fallback = model};
  table.add(s, "measured", {.time = {.total = seconds{42}}}).value();
  CHECK(table(s, measured).time.total == seconds{42});
  CHECK(table(mars::shard{strided}, measured).time == model(mars::shard{strided}, measured).time);
}
