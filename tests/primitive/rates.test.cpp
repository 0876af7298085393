// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the default rates come from: the fit is done again.
#include "support/catch.hpp"

#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/rates.hpp>
#include <mars/primitive/winograd.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {
using namespace mars;
using mars_test::approx;

constexpr double peak_macs = 288.5e9 / 2;
constexpr int lanes = 16;

/// The machine's read bandwidth by working set.
[[nodiscard]] auto bandwidth(double size) -> double {
  return size <= 1 << 20 ? 217e9 : size <= 24 << 20 ? 111e9 : 42e9;
}

using record = std::map<std::string, std::string>;
[[nodiscard]] auto read(std::string const& name) -> std::vector<record> {
  std::ifstream file{MARS_TEST_SOURCE_DIR "/primitive/data/" + name};
  std::vector<std::string> head;
  std::vector<record> all;
  for (std::string line; std::getline(file, line);) {
    std::stringstream cells{line};
    record r;
    std::size_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column)
      if (all.empty() && head.size() <= column && r.empty())
        head.push_back(cell);
      else
        r[head.at(column)] = cell;
    if (!r.empty()) all.push_back(std::move(r));
  }
  REQUIRE(all.size() > 10);
  return all;
}
[[nodiscard]] auto layer_of(record const& r) -> convolution_layer {
  auto const number = [&](char const* key, std::int64_t otherwise) {
    auto const found = r.find(key);
    return found == r.end() ? otherwise : std::stoll(found->second);
  };
  auto const side = number("in_size", 1);
  auto const kernel = number("kernel", 3);
  auto const stride = number("stride", 1);
  auto const pad = number("pad", 1);
  auto const out = (side + 2 * pad - kernel) / stride + 1;
  return {.in_channels = number("in_channels", 0),
          .out_channels = number("out_channels", 0),
          .in = {side, side},
          .out = {out, out},
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {pad, pad}};
}

enum feature : std::size_t { of_macs, of_traffic, of_calls, of_transforms, of_decoding, features };
struct sample {
  std::array<double, features> x{}; ///< seconds at rates of one
  double seconds{};
};
[[nodiscard]] auto sample_of(primitive_work const& w, std::string const& milliseconds) -> sample {
  auto const traffic = static_cast<double>(w.traffic.count());
  return {{w.macs / peak_macs, traffic / bandwidth(traffic), w.calls * 1e-6,
           w.transform_ops / peak_macs, w.decoded * lanes / peak_macs},
          std::stod(milliseconds) * 1e-3};
}

struct solution {
  std::array<double, features> rates{};
  double mean_error{}; ///< absolute, relative
};
/// Relative least squares over non-negative rates, exactly: of all sets of free features whose solution
/// is non-negative, the one with the least sum of squares. `set` are not free but given.
[[nodiscard]] auto fit(std::vector<sample> const& samples, std::vector<feature> const& free,
                       std::array<double, features> const& set = {}) -> solution {
  solution best;
  double least = 1e300;
  for (unsigned mask = 1; mask < 1U << free.size(); ++mask) {
    std::vector<feature> in;
    for (std::size_t i = 0; i < free.size(); ++i)
      if ((mask >> i & 1U) != 0) in.push_back(free[i]);
    auto const n = in.size();
    std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
    for (auto const& s : samples) {
      double rest = 1;
      for (std::size_t f = 0; f < features; ++f) rest -= set[f] * s.x[f] / s.seconds;
      for (std::size_t i = 0; i < n; ++i) {
        auto const xi = s.x[in[i]] / s.seconds;
        for (std::size_t j = 0; j < n; ++j) a[i][j] += xi * s.x[in[j]] / s.seconds;
        a[i][n] += xi * rest;
      }
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t r = 0; r < n; ++r) {
        if (r == i) continue;
        auto const factor = a[r][i] / a[i][i];
        for (std::size_t c = i; c <= n; ++c) a[r][c] -= factor * a[i][c];
      }
    solution candidate{.rates = set};
    bool possible = true;
    for (std::size_t i = 0; i < n; ++i) {
      auto const x = a[i][n] / a[i][i];
      possible = possible && x >= 0;
      candidate.rates[in[i]] = x;
    }
    if (!possible) continue;
    double squares = 0;
    for (auto const& s : samples) {
      double predicted = 0;
      for (std::size_t f = 0; f < features; ++f) predicted += candidate.rates[f] * s.x[f];
      auto const error = predicted / s.seconds - 1;
      squares += error * error;
      candidate.mean_error += std::abs(error) / static_cast<double>(samples.size());
    }
    if (squares >= least) continue;
    least = squares;
    best = candidate;
  }
  return best;
}

void check_rates(std::string_view name, solution const& s, double error_percent) {
  auto const r = primitive::fitted_rates(name);
  CAPTURE(name);
  CHECK(r.macs == approx(s.rates[of_macs]).epsilon(5e-3));
  CHECK(r.traffic == approx(s.rates[of_traffic]).epsilon(5e-3));
  CHECK(r.call.count() * 1e6 == approx(s.rates[of_calls]).epsilon(5e-3));
  CHECK(r.decoding * s.rates[of_decoding] ==
        approx(s.rates[of_decoding] * s.rates[of_decoding]).epsilon(5e-3));
  CHECK(100 * s.mean_error == approx(error_percent).margin(0.1));
}

template <Primitive P>
[[nodiscard]] auto samples_of(P const& p, char const* implementation) -> std::vector<sample> {
  std::vector<sample> all;
  for (auto const* file : {"layer_timings.csv", "resnet18_implementations.csv"})
    for (auto const& r : read(file)) {
      if (r.at("implementation") != implementation) continue;
      all.push_back(sample_of(p.work(layer_of(r), lanes), r.at("time_ms")));
    }
  return all;
}
[[nodiscard]] auto geometric_mean(std::vector<double> const& x) -> double {
  double sum = 0;
  for (auto const v : x) sum += std::log(v);
  return std::exp(sum / static_cast<double>(x.size()));
}
} // namespace

TEST_CASE("rates: direct and GEMM are fitted to oneDNN's layers", "[primitive]") {
  std::vector<sample> direct;
  std::vector<sample> gemm;
  for (auto const& r : read("layer_timings.csv")) {
    auto const layer = layer_of(r);
    if (r.at("primitive") == "direct" && r.at("isa") == "avx512")
      direct.push_back(sample_of(primitive::direct{}.work(layer, lanes), r.at("time_ms")));
    // Its constant is what a call costs; matrix-vector products would hide it.
    if (r.at("primitive") == "im2col_gemm" && layer.in.rows > 1)
      gemm.push_back(sample_of(primitive::im2col_gemm{}.work(layer, lanes), r.at("time_ms")));
  }
  REQUIRE(direct.size() == 24);
  REQUIRE(gemm.size() == 20);
  check_rates("direct", fit(direct, {of_macs, of_traffic, of_calls}), 5.4);
  check_rates("im2col_gemm", fit(gemm, {of_macs, of_traffic, of_calls}), 8.1);
}

TEST_CASE("rates: those of 32 bits serve 16 and 8 at their own peaks", "[primitive]") {
  struct expectation {
    char const* precision;
    int bits;
    double gain, mean_error_percent, sum_ratio;
  };
  // Not fitted to: the errors are those of a prediction.
  for (auto const& [precision, bits, gain, error_percent, sum_ratio] :
       {expectation{"bf16", 16, 2, 8.3, 0.93}, {"int8", 8, 4, 8.4, 0.94}}) {
    auto const rates = primitive::fitted_rates("direct");
    double error = 0;
    double predicted_sum = 0;
    double measured_sum = 0;
    int n = 0;
    for (auto const& r : read("layer_timings.csv")) {
      if (r.at("primitive") != "direct" || r.at("precision") != precision) continue;
      auto layer = layer_of(r);
      layer.element_bits = bits;
      auto const s = sample_of(primitive::direct{}.work(layer, lanes), r.at("time_ms"));
      // Integers: one operation to requantise an output, as `processor` counts.
      auto const outputs = layer.out_channels * layer.out.rows * layer.out.columns;
      auto const requantised = bits == 8 ? static_cast<double>(outputs) / peak_macs : 0;
      auto const predicted =
          rates.macs * s.x[of_macs] / gain + rates.traffic * s.x[of_traffic] + requantised;
      error += std::abs(predicted / s.seconds - 1);
      predicted_sum += predicted * std::stod(r.at("repeats"));
      measured_sum += s.seconds * std::stod(r.at("repeats"));
      ++n;
    }
    REQUIRE(n == 24);
    CAPTURE(precision);
    CHECK(100 * error / n == approx(error_percent).margin(0.1));
    CHECK(predicted_sum / measured_sum == approx(sum_ratio).margin(0.005));
  }
}

TEST_CASE("rates: Winograd, both runs", "[primitive]") {
  auto const small = samples_of(primitive::winograd_f2x3{}, "jit_fp32_wino_2x3:avx512_core");
  auto const large = samples_of(primitive::winograd_f4x3{}, "jit_wino_4x3:avx512_core");
  REQUIRE(small.size() == 6);
  REQUIRE(large.size() == 14);
  std::vector<feature> const free{of_macs, of_traffic, of_calls, of_transforms};
  auto const small_fit = fit(small, free);
  auto const large_fit = fit(large, free);
  check_rates("winograd_f2x3", small_fit, 11.9);
  check_rates("winograd_f4x3", large_fit, 9.3);
  CHECK(small_fit.rates[of_transforms] == primitive::fitted_rates("winograd_f2x3").transforms);
  CHECK(large_fit.rates[of_transforms] == primitive::fitted_rates("winograd_f4x3").transforms);
}

TEST_CASE("rates: sparse kernels, tuned and untuned", "[primitive]") {
  std::vector<sample> direct;
  std::vector<sample> gemm;
  std::vector<double> slower;
  for (auto const& r : read("sparse_layers.csv")) {
    auto layer = layer_of(r);
    layer.density = 1 - std::stod(r.at("sparsity"));
    direct.push_back(
        sample_of(primitive::csr_direct{}.work(layer, lanes), r.at("csr_direct_tuned_ms")));
    gemm.push_back(sample_of(primitive::csr_gemm{}.work(layer, lanes), r.at("csr_gemm_tuned_ms")));
    slower.push_back(std::stod(r.at("csr_direct_untuned_ms")) /
                     std::stod(r.at("csr_direct_tuned_ms")));
  }
  std::array<double, features> memory{};
  memory[of_traffic] = 1;
  check_rates("csr_direct", fit(direct, {of_macs, of_calls, of_decoding}, memory), 10.2);
  check_rates("csr_gemm", fit(gemm, {of_macs, of_traffic, of_decoding}), 9.5);
  CHECK(primitive::fitted_rates("csr_direct").untuned ==
        approx(geometric_mean(slower)).epsilon(5e-3));
}

TEST_CASE("rates: what tuning gains", "[primitive]") {
  std::map<std::string, std::pair<double, double>> halide; // default, best
  for (auto const& r : read("codegen_halide.csv")) {
    auto const t = std::stod(r.at("time_ms"));
    auto& [plain, best] = halide.try_emplace(r.at("layer"), 0.0, 1e300).first->second;
    if (r.at("autoscheduler") == "none")
      plain = t;
    else
      best = std::min(best, t);
  }
  std::vector<double> gains;
  for (auto const& [layer, t] : halide) gains.push_back(t.first / t.second);
  CHECK(primitive::fitted_rates("direct").untuned == approx(geometric_mean(gains)).epsilon(5e-3));

  // sgemm of 512² on the same machine, OpenBLAS 0.3.21: its SkylakeX kernels and those it chose, Haswell's.
  CHECK(primitive::fitted_rates("im2col_gemm").untuned == approx(255.3 / 136.8).epsilon(5e-3));

  // apache/tvm pull request 883, twelve layers of ResNet-18, ms: spatial pack, best tuned schedule, MKL-DNN.
  constexpr double published[][3] = {
      {1.03, 1, 0.773},     {1.05, 0.83, 0.748},    {0.17, 0.15, 0.15},     {0.4478, 0.438, 0.3888},
      {0.105, 0.087, 0.08}, {0.775, 0.838, 0.75},   {0.5447, 0.482, 0.418}, {0.12, 0.084, 0.072},
      {0.825, 0.79, 0.714}, {0.436, 0.465, 0.4635}, {0.08, 0.086, 0.0623},  {1.53, 0.99, 0.817}};
  std::vector<double> untuned;
  std::vector<double> against_direct;
  for (auto const& [spatial_pack, best, vendor] : published) {
    untuned.push_back(spatial_pack / best);
    against_direct.push_back(best / vendor);
  }
  auto const pack = primitive::fitted_rates("spatial_pack");
  auto const direct = primitive::fitted_rates("direct");
  CHECK(pack.untuned == approx(geometric_mean(untuned)).epsilon(5e-3));
  CHECK(pack.macs / direct.macs == approx(geometric_mean(against_direct)).epsilon(5e-3));
  CHECK(pack.traffic / direct.traffic == approx(geometric_mean(against_direct)).epsilon(5e-3));
}

TEST_CASE("rates: reorders", "[primitive]") {
  // Channels, side, pack and unpack in microseconds.
  constexpr double measured[][4] = {
      {64, 56, 16.6, 15.8}, {128, 28, 6.9, 7.3}, {256, 14, 3.7, 3.7}, {512, 7, 2.3, 2.3}};
  std::vector<sample> samples;
  for (auto const& [channels, side, pack, unpack] : measured)
    for (auto const t : {pack, unpack}) {
      auto const moved = 2 * 4 * channels * side * side;
      samples.push_back({{0, moved / bandwidth(moved), 1e-6, 0, 0}, t * 1e-6});
    }
  auto const s = fit(samples, {of_traffic, of_calls});
  auto const r = primitive::fitted_reordering();
  CHECK(r.traffic == approx(s.rates[of_traffic]).epsilon(5e-3));
  CHECK(r.call.count() * 1e6 == approx(s.rates[of_calls]).epsilon(5e-3));
}
