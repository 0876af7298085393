// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The real kernels on layers of networks beside oneDNN's, where component mars::onednn is, and beside the peak of the
// core's multiply-add units. One thread, warm, interleaved (measurement/timing.hpp), in float32:
//
//   bench_kernels [PART_OF_A_LAYER'S_NAME]
//
// Rates count nominal multiply-adds, taps on padding among them, so an algorithm that skips some may exceed the peak.

#include <mars/core/random.hpp>
#include <mars/measurement/machine.hpp>
#include <mars/measurement/timing.hpp>
#include <mars/primitive/kernels.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(MARS_HAS_ONEDNN)
#include <mars/measurement/onednn.hpp>
#endif

namespace {

namespace kernels = mars::primitive::kernels;
namespace measurement = mars::measurement;
using mars::convolution_layer;
using mars::plane;

struct layer {
  std::string_view name;
  std::int64_t in_channels, out_channels, size, kernel, stride, padding, groups{1}, dilation{1};

  [[nodiscard]] auto shape() const -> convolution_layer {
    auto const out = (size + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1;
    return {.groups = groups,
            .in_channels = in_channels,
            .out_channels = out_channels,
            .in = {size, size},
            .out = {out, out},
            .kernel = {kernel, kernel},
            .stride = {stride, stride},
            .dilation = {dilation, dilation},
            .padding = {padding, padding}};
  }
};

constexpr layer layers[] = {
    {"resnet18 7x7s2 3@224", 3, 64, 224, 7, 2, 3},
    {"resnet18 3x3 64@56", 64, 64, 56, 3, 1, 1},
    {"resnet18 3x3s2 64@56", 64, 128, 56, 3, 2, 1},
    {"resnet18 3x3 128@28", 128, 128, 28, 3, 1, 1},
    {"resnet18 3x3s2 128@28", 128, 256, 28, 3, 2, 1},
    {"resnet18 3x3 256@14", 256, 256, 14, 3, 1, 1},
    {"resnet18 3x3s2 256@14", 256, 512, 14, 3, 2, 1},
    {"resnet18 3x3 512@7", 512, 512, 7, 3, 1, 1},
    {"resnet18 1x1s2 64@56", 64, 128, 56, 1, 2, 0},
    {"resnet18 fc 512", 512, 1000, 1, 1, 1, 0},
    {"resnet50 1x1 256@56", 256, 64, 56, 1, 1, 0},
    {"resnet50 1x1 512@7", 512, 2048, 7, 1, 1, 0},
    {"vgg16 3x3 64@224", 64, 64, 224, 3, 1, 1},
    {"vgg16 3x3 512@28", 512, 512, 28, 3, 1, 1},
    {"vgg16 fc 25088", 25088, 4096, 1, 1, 1, 0},
    {"mobilenet dw 3x3 64@112", 64, 64, 112, 3, 1, 1, 64},
    {"mobilenet dw 3x3s2 256@28", 256, 256, 28, 3, 2, 1, 256},
    {"mobilenet dw 3x3 512@14", 512, 512, 14, 3, 1, 1, 512},
    {"alexnet 11x11s4 3@224", 3, 64, 224, 11, 4, 2},
    {"alexnet 5x5 g2 96@27", 96, 256, 27, 5, 1, 2, 2},
};

/// Something to be timed.
struct contender {
  std::string name;
  std::function<void()> run;
};

/// Seconds of each.
auto compete(std::vector<contender> const& all, measurement::timing_options const& options)
    -> std::vector<double> {
  std::vector<std::function<void()>> runs;
  for (auto const& c : all) runs.push_back(c.run);
  std::vector<double> result;
  for (auto const& t : measurement::time_interleaved(std::span{runs}, options))
    result.push_back(t.time.count());
  return result;
}

struct data {
  kernels::buffer<float> in, out, workspace;

  explicit data(kernels::program const& p)
      : in(p.input_size()), out(p.output_size()), workspace(p.workspace_size()) {
    mars::random_stream random{1, 2};
    for (auto& x : in.span()) x = static_cast<float>(random.uniform()) - 0.5F;
  }
};

auto contend(std::string name, kernels::program p) -> contender {
  auto d = std::make_shared<data>(p);
  return {std::move(name), [p = std::move(p), d = std::move(d)] {
            p(d->in.span(), d->out.span(), d->workspace.span());
            measurement::keep(d->out.data());
          }};
}

/// Which tile is fastest, all of them in rounds.
auto tuned(kernels::entry const& e, convolution_layer const& c, std::span<float const> weights)
    -> kernels::program {
  auto const candidates = e.candidates(c, weights);
  if (candidates.size() == 1) return candidates.front();
  std::vector<contender> all;
  for (auto const& p : candidates) all.push_back(contend({}, p));
  auto const seconds = compete(all, {.max_samples = 15, .budget = mars::seconds{0.05}});
  auto at = seconds.begin();
  return kernels::fastest(candidates, [&](kernels::program const&) { return *at++; });
}

/// oneDNN's, then ours; sparse ones with a tenth of the weights.
auto contenders(convolution_layer const& c) -> std::vector<contender> {
  std::vector<contender> all;
#if defined(MARS_HAS_ONEDNN)
  static auto const library = measurement::onednn::open().value();
  for (auto& k : library.kernels(c).value()) {
    auto const kernel = std::make_shared<measurement::onednn_kernel>(std::move(k));
    all.push_back({"oneDNN, " + std::string{kernel->implementation()}, [kernel] { (*kernel)(); }});
  }
#endif
  mars::random_stream random{5, 6};
  std::vector<float> weights(static_cast<std::size_t>(mars::weights_of(c)));
  auto sparse = weights;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(random.uniform()) - 0.5F;
    if (random.chance(0.1)) sparse[i] = weights[i];
  }
  for (auto const& e : kernels::catalogue()) {
    if (!e.supports(c)) continue;
    auto const& w = e.weights == mars::weight_format::csr ? sparse : weights;
    all.push_back(contend(std::string{e.name} + " untuned", e.untuned(c, w)));
    auto const best = tuned(e, c, w);
    all.push_back(contend(std::string{e.name} + " tuned, " + std::string{best.tile()}, best));
  }
  return all;
}

void report(layer const& l, double peak) {
  auto const c = l.shape();
  auto const all = contenders(c);
  auto const seconds = compete(all, {.budget = mars::seconds{0.1}});
  auto const macs = static_cast<double>(mars::macs_of(c).count());
  fmt::print("{}, {:.1f} million multiply-adds, {:.1f} of them valid\n", l.name, macs * 1e-6,
             static_cast<double>(mars::valid_macs_of(c).count()) * 1e-6);
  for (std::size_t i = 0; i < all.size(); ++i)
    fmt::print("  {:50} {:9.1f} us {:7.1f} GFLOP/s {:6.1f} % of peak {:6.2f} x the first\n",
               all[i].name, seconds[i] * 1e6, 2e-9 * macs / seconds[i],
               200 * macs / seconds[i] / peak, seconds.front() / seconds[i]);
  std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
  auto const machine = measurement::measure_machine();
  fmt::print("{}, {} lanes, peak {:.1f} GFLOP/s\n", machine.name, kernels::lanes,
             machine.peak.count() * 1e-9);
  for (auto const& l : layers)
    if (argc < 2 || l.name.find(argv[1]) != std::string_view::npos) report(l, machine.peak.count());
}
