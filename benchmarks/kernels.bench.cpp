// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The real kernels on layers of networks, beside oneDNN's where it is installed, and beside the peak of the
// multiply-add units: bench_kernels [part of a layer's name]
//
// One thread. Every program of a layer runs once a round, so that noise meets them all; the figure is a low percentile
// of the thread's CPU time. Rates count nominal multiply-adds (taps on padding, too), as oneDNN's users do.

#include <mars/core/random.hpp>
#include <mars/primitive/kernels.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef MARS_BENCH_HAS_ONEDNN
#include <dnnl.hpp>
#endif

namespace {

namespace kernels = mars::primitive::kernels;
using mars::convolution_layer;
using mars::plane;

auto cpu_seconds() -> double {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

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

/// Something to be timed: what, and its times.
struct contender {
  std::string name;
  std::function<void()> run;
  std::vector<double> seconds{};

  void time() {
    auto const start = cpu_seconds();
    run();
    seconds.push_back(cpu_seconds() - start);
  }
  /// The tenth percentile.
  [[nodiscard]] auto typical() const -> double {
    auto sorted = seconds;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 10];
  }
};

/// In rounds, after one that is not counted, until `budget` seconds are gone.
void compete(std::vector<contender>& all, double budget) {
  for (auto& c : all) c.run();
  auto const end = cpu_seconds() + budget;
  do
    for (auto& c : all) c.time();
  while (all.front().seconds.size() < 10 || cpu_seconds() < end);
}

/// Multiply-adds per second of independent sums in registers.
auto measured_peak() -> double {
  constexpr int sums = 12;
  constexpr int rounds = 100'000;
  volatile float opaque = 0.999F;
  kernels::vec const factor = kernels::broadcast(opaque);
  kernels::vec x[sums];
  for (auto& v : x) v = factor;
  double best = 0;
  for (int repeat = 0; repeat < 50; ++repeat) {
    auto const start = cpu_seconds();
    for (int i = 0; i < rounds; ++i)
      kernels::unrolled<sums>([&](auto j) { x[j] = x[j] * factor + factor; });
    best = std::max(best,
                    sums * rounds * static_cast<double>(kernels::lanes) / (cpu_seconds() - start));
  }
  for (auto const& v : x) opaque = v[0];
  return best;
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
          }};
}

#ifdef MARS_BENCH_HAS_ONEDNN
/// oneDNN's choice of implementation for an algorithm, in the layouts it likes best.
auto onednn(convolution_layer const& c, dnnl::algorithm algorithm) -> std::optional<contender> {
  using tag = dnnl::memory::format_tag;
  auto const any = [](dnnl::memory::dims const& dims, tag t = tag::any) {
    return dnnl::memory::desc{dims, dnnl::memory::data_type::f32, t};
  };
  static dnnl::engine const engine{dnnl::engine::kind::cpu, 0};
  static dnnl::stream stream{engine};
  try {
    auto const weights = c.groups == 1
                             ? any({c.out_channels, c.in_channels, c.kernel.rows, c.kernel.columns})
                             : any({c.groups, c.out_channels / c.groups, c.in_channels / c.groups,
                                    c.kernel.rows, c.kernel.columns});
    auto const after = [](std::int64_t in, std::int64_t out, std::int64_t kernel,
                          std::int64_t stride, std::int64_t padding) {
      return (out - 1) * stride + kernel - in - padding;
    };
    dnnl::convolution_forward::desc const description{
        dnnl::prop_kind::forward_inference,
        algorithm,
        any({c.batch, c.in_channels, c.in.rows, c.in.columns}),
        weights,
        any({c.batch, c.out_channels, c.out.rows, c.out.columns}),
        {c.stride.rows, c.stride.columns},
        {c.padding.rows, c.padding.columns},
        {after(c.in.rows, c.out.rows, c.kernel.rows, c.stride.rows, c.padding.rows),
         after(c.in.columns, c.out.columns, c.kernel.columns, c.stride.columns,
               c.padding.columns)}};
    dnnl::convolution_forward::primitive_desc const chosen{description, engine};
    auto const filled = [&](dnnl::memory::desc const& d) {
      dnnl::memory m{d, engine};
      auto* floats = static_cast<float*>(m.get_data_handle());
      mars::random_stream random{3, 4};
      for (std::size_t i = 0; i < d.get_size() / sizeof(float); ++i)
        floats[i] = static_cast<float>(random.uniform()) - 0.5F;
      return m;
    };
    return contender{std::string{"onednn "} + chosen.impl_info_str(),
                     [run = dnnl::convolution_forward{chosen}, src = filled(chosen.src_desc()),
                      packed = filled(chosen.weights_desc()), dst = filled(chosen.dst_desc())] {
                       run.execute(
                           stream,
                           {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, dst}});
                       stream.wait();
                     }};
  } catch (dnnl::error const&) { // not implemented for this layer
    return std::nullopt;
  }
}
#endif

/// Which tile is fastest, in rounds as well.
auto tuned(kernels::entry const& e, convolution_layer const& c, std::span<float const> weights)
    -> kernels::program {
  auto const candidates = e.candidates(c, weights);
  std::vector<contender> all;
  for (auto const& p : candidates) all.push_back(contend({}, p));
  compete(all, candidates.size() == 1 ? 0 : 0.15);
  auto at = all.begin();
  return kernels::fastest(candidates, [&](kernels::program const&) { return (at++)->typical(); });
}

void report(layer const& l, double peak) {
  auto const c = l.shape();
  mars::random_stream random{5, 6};
  std::vector<float> weights(static_cast<std::size_t>(mars::weights_of(c)));
  auto sparse = weights;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(random.uniform()) - 0.5F;
    if (random.chance(0.1)) sparse[i] = weights[i];
  }
  std::vector<contender> all;
#ifdef MARS_BENCH_HAS_ONEDNN
  for (auto const algorithm :
       {dnnl::algorithm::convolution_direct, dnnl::algorithm::convolution_winograd})
    if (auto library = onednn(c, algorithm)) all.push_back(std::move(*library));
#endif
  for (auto const& e : kernels::catalogue()) {
    if (!e.supports(c)) continue;
    auto const csr = e.weights == mars::weight_format::csr;
    auto const& w = csr ? sparse : weights;
    auto const name = std::string{e.name} + (csr ? " 10 %" : "");
    all.push_back(contend(name + " untuned", e.untuned(c, w)));
    auto const best = tuned(e, c, w);
    all.push_back(contend(name + " tuned " + std::string{best.tile()}, best));
  }
  compete(all, 0.5);
  auto const macs = static_cast<double>(mars::macs_of(c).count());
  fmt::print("{}, {:.1f} million multiply-adds, {:.1f} of them valid\n", l.name, macs * 1e-6,
             static_cast<double>(mars::valid_macs_of(c).count()) * 1e-6);
  for (auto const& each : all) {
    auto const seconds = each.typical();
    fmt::print("  {:36} {:9.1f} us {:7.1f} GFLOP/s {:6.1f} % of peak {:6.2f} x the first\n",
               each.name, seconds * 1e6, 2e-9 * macs / seconds, 100 * macs / seconds / peak,
               all.front().typical() / seconds);
  }
  std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
  auto const peak = measured_peak();
  fmt::print("{} lanes, peak {:.1f} GFLOP/s\n", kernels::lanes, 2e-9 * peak);
  for (auto const& l : layers)
    if (argc < 2 || l.name.find(argv[1]) != std::string_view::npos) report(l, peak);
}
