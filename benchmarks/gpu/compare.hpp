// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A network on the device: its kernels are profiled, schedules made from the profile, captured, built,
// replayed, compared with the float64 reference, and timed.
#pragma once

#include "kernels.hpp"
#include "network.hpp"

#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/runtime.hpp>
#include <mars/runtime/cuda.hpp>
#include <mars/scheduling/best.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/to_program.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streams_gpu {

using mars::expected;
using mars::seconds;

inline auto checked(cudaError_t status, char const* call) -> expected<void> {
  if (status == cudaSuccess) return {};
  return mars::fail(mars::error_code::device, call, cudaGetErrorName(status), "cudaSuccess");
}

/// Fills, and copies to the device, may go on after their calls have returned, and streams that do not block
/// do not wait for them.
inline auto settled() -> expected<void> {
  return checked(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

/// Floats on the device.
class buffer {
public:
  buffer() = default;
  buffer(buffer&& other) noexcept
      : data_{std::exchange(other.data_, nullptr)}, count_{other.count_} {}
  auto operator=(buffer&& other) noexcept -> buffer& {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~buffer() {
    if (data_ != nullptr) static_cast<void>(cudaFree(data_));
  }

  [[nodiscard]] static auto make(std::size_t count) -> expected<buffer> {
    buffer b;
    b.count_ = count;
    void* p{};
    if (auto r = checked(cudaMalloc(&p, 4 * count), "cudaMalloc"); !r)
      return mars::unexpected{r.error()};
    b.data_ = static_cast<float*>(p);
    // 0xFF… is not a number: what a kernel forgets to write shows.
    if (auto r = b.spoil(); !r) return mars::unexpected{r.error()};
    return b;
  }
  [[nodiscard]] static auto make(std::vector<float> const& values) -> expected<buffer> {
    auto b = make(values.size());
    if (!b) return b;
    auto r = checked(cudaMemcpy(b->data_, values.data(), 4 * values.size(), cudaMemcpyHostToDevice),
                     "cudaMemcpy");
    if (!r) return mars::unexpected{r.error()};
    return b;
  }
  [[nodiscard]] auto data() const -> float* { return data_; }
  [[nodiscard]] auto spoil() const -> expected<void> {
    return checked(cudaMemset(data_, 0xFF, 4 * count_), "cudaMemset");
  }
  [[nodiscard]] auto read() const -> expected<std::vector<float>> {
    std::vector<float> values(count_);
    auto r =
        checked(cudaMemcpy(values.data(), data_, 4 * count_, cudaMemcpyDeviceToHost), "cudaMemcpy");
    if (!r) return mars::unexpected{r.error()};
    return values;
  }

private:
  float* data_{};
  std::size_t count_{};
};

/// A network's buffers and launches. Stays where it is: launches point into it.
class device_network {
public:
  [[nodiscard]] static auto make(network const& n) -> expected<std::unique_ptr<device_network>> {
    auto made = std::make_unique<device_network>();
    made->ops_ = &n.ops();
    auto const menu = kernels();
    for (auto const& o : n.ops())
      if (auto r = made->add(o, menu); !r) return mars::unexpected{std::move(r).error()};
    if (auto r = settled(); !r) return mars::unexpected{std::move(r).error()};
    return made;
  }

  [[nodiscard]] auto launches(std::uint32_t v) const -> std::vector<mars::kernel_launch> {
    if ((*ops_)[v].kind == op_kind::input) return {};
    return {steps_[v]->launch};
  }
  /// Forgets all results.
  [[nodiscard]] auto spoil() const -> expected<void> {
    for (std::size_t v = 0; v < results_.size(); ++v)
      if ((*ops_)[v].kind != op_kind::input)
        if (auto r = results_[v].spoil(); !r) return r;
    return settled();
  }
  /// The largest deviation from the reference, relative to the largest value of the same tensor;
  /// infinite where something is not a number.
  [[nodiscard]] auto deviation(std::vector<tensor> const& wanted) const -> expected<double> {
    double worst = 0;
    for (std::size_t v = 0; v < results_.size(); ++v) {
      auto const found = results_[v].read();
      if (!found) return mars::unexpected{found.error()};
      double largest = 1e-30, off = 0;
      for (std::size_t i = 0; i < found->size(); ++i) {
        double const d = std::abs(static_cast<double>((*found)[i]) - wanted[v][i]);
        largest = std::max(largest, std::abs(wanted[v][i]));
        off = std::isfinite(d) ? std::max(off, d) : HUGE_VAL;
      }
      worst = std::max(worst, off / largest);
    }
    return worst;
  }

private:
  struct step {
    mars::kernel_launch launch{};
    conv_args conv{};
    pool_args pool{};
    map_args map{};
    concat_args concat{};
    void* pointer{};
  };

  [[nodiscard]] auto add(op const& o, kernel_menu const& menu) -> expected<void> {
    auto result = o.kind == op_kind::input ? buffer::make(o.weights.values())
                                           : buffer::make(static_cast<std::size_t>(o.out.count()));
    if (!result) return mars::unexpected{std::move(result).error()};
    auto s = std::make_unique<step>();
    auto& l = s->launch;
    l.arguments = &s->pointer;
    auto const in = [&](std::size_t i) { return results_[o.inputs[i]].data(); };
    auto const* const from = o.inputs.empty() ? nullptr : &(*ops_)[o.inputs[0]].out;
    auto const& w = o.over;
    auto const blocks = [](int n, int each) {
      return static_cast<unsigned>((n + each - 1) / each);
    };
    auto const count = o.out.count();
    switch (o.kind) {
    case op_kind::input: break;
    case op_kind::conv: {
      auto weights = buffer::make(o.weights.values());
      if (!weights) return mars::unexpected{std::move(weights).error()};
      auto bias = buffer::make(o.bias.values());
      if (!bias) return mars::unexpected{std::move(bias).error()};
      s->conv = {in(0),        weights->data(), bias->data(),   result->data(), from->channels,
                 from->height, from->width,     o.out.channels, w.rows,         w.columns,
                 w.stride,     w.pad_rows,      w.pad_columns,  o.out.height,   o.out.width};
      constants_.push_back(*std::move(weights));
      constants_.push_back(*std::move(bias));
      int const pixels = o.out.height * o.out.width;
      bool const large = o.out.channels >= large_tile && pixels >= 16 * large_tile;
      int const tile = large ? large_tile : small_tile;
      l.function = large ? menu.conv_large : menu.conv_small;
      l.grid = {blocks(o.out.channels, tile), blocks(pixels, tile), 1};
      l.block = {static_cast<unsigned>(large ? tile_threads<large_tile> : tile_threads<small_tile>),
                 1, 1};
      s->pointer = &s->conv;
      break;
    }
    case op_kind::pool:
      s->pool = {in(0),    result->data(), from->channels, from->height, from->width,     w.rows,
                 w.stride, w.pad_rows,     o.out.height,   o.out.width,  o.is_max ? 1 : 0};
      l.function = menu.pool;
      l.grid[0] = blocks(count, pool_threads);
      l.block[0] = pool_threads;
      s->pointer = &s->pool;
      break;
    case op_kind::relu:
    case op_kind::add:
      s->map = {in(0), o.kind == op_kind::add ? in(1) : nullptr, result->data(), count};
      l.function = o.kind == op_kind::add ? menu.add : menu.relu;
      s->pointer = &s->map;
      break;
    case op_kind::concat: {
      int end = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        bool const there = i < o.inputs.size();
        if (there) end += (*ops_)[o.inputs[i]].out.count();
        s->concat.in[i] = there ? in(i) : nullptr;
        s->concat.end[i] = end;
      }
      s->concat.out = result->data();
      s->concat.count = count;
      l.function = menu.concat;
      s->pointer = &s->concat;
      break;
    }
    }
    if (l.block[0] == 1) {
      l.grid[0] = blocks(count, map_threads * map_each);
      l.block[0] = map_threads;
    }
    results_.push_back(*std::move(result));
    steps_.push_back(std::move(s));
    return {};
  }

  std::vector<op> const* ops_{};
  std::vector<buffer> results_, constants_;
  std::vector<std::unique_ptr<step>> steps_;
};

/// What one policy's schedule says and does.
struct row {
  std::string policy{};
  std::size_t streams{}, waits{};
  seconds predicted{}, captured{}, built{}; ///< simulated; medians of replays
  double deviation{}; ///< of both graphs' results from the reference, the larger one
};
struct comparison {
  std::string network{};
  std::size_t operators{};
  mars::launch_overheads overheads{}; ///< measured
  seconds bound{};                    ///< of every schedule, by the simulator's model
  std::vector<row> rows{};
};

/// Single precision: sums of some thousand products, layer after layer.
constexpr double tolerance = 1e-4;

template <class Policy>
[[nodiscard]] auto try_policy(Policy const& policy, mars::stream_problem const& problem,
                              device_network const& on_device, std::vector<tensor> const& wanted,
                              mars::runtime::profile_options const& options,
                              mars::stream_context const& context)
    -> expected<std::pair<row, seconds>> {
  mars::runtime::cuda_api const cuda;
  auto const found = policy(problem, context);
  auto const program = mars::to_program(problem, found.schedule);
  row r{std::string{policy.name()}, program.streams};
  for (auto const& c : program.commands) r.waits += c.verb == mars::stream_verb::wait ? 1U : 0U;
  r.predicted = mars::to_seconds(found.latency());

  auto const measure = [&](auto const& graph) -> expected<seconds> {
    if (!graph) return mars::unexpected{graph.error()};
    if (auto done = on_device.spoil(); !done) return mars::unexpected{done.error()};
    auto const time = mars::runtime::time_replay(cuda, *graph, options);
    if (!time) return time;
    auto const off = on_device.deviation(wanted);
    if (!off) return mars::unexpected{off.error()};
    r.deviation = std::max(r.deviation, *off);
    return time;
  };
  auto const captured = measure(mars::runtime::capture_graph(
      cuda, program, [&](std::uint32_t v, cudaStream_t s) -> expected<void> {
        for (auto const& k : on_device.launches(v))
          if (auto done = cuda.launch(k, s); !done) return done;
        return {};
      }));
  if (!captured) return mars::unexpected{captured.error()};
  auto const built = measure(mars::runtime::build_graph(
      cuda, program, [&](std::uint32_t v) { return on_device.launches(v); }));
  if (!built) return mars::unexpected{built.error()};
  r.captured = *captured;
  r.built = *built;
  return std::pair{std::move(r), mars::to_seconds(found.bound)};
}

/// `context`: what searches may spend.
[[nodiscard]] inline auto compare(network const& n, mars::runtime::profile_options options,
                                  mars::stream_context const& context = {})
    -> expected<comparison> {
  mars::runtime::cuda_api const cuda;
  auto device = mars::runtime::read_device(cuda);
  if (!device) return mars::unexpected{std::move(device).error()};
  no_args none{};
  void* argument = &none;
  mars::kernel_launch const idle{.function = kernels().nothing, .arguments = &argument};
  auto const overheads = mars::runtime::measure_overheads(cuda, idle, options);
  if (!overheads) return mars::unexpected{overheads.error()};
  device->overheads = *overheads;
  options.gap = overheads->gap;

  auto const on_device = device_network::make(n);
  if (!on_device) return mars::unexpected{on_device.error()};
  auto profile = mars::runtime::profile_graph(
      cuda, to_stream_graph(n), [&](std::uint32_t v) { return (*on_device)->launches(v); },
      options);
  if (!profile) return mars::unexpected{std::move(profile).error()};
  auto const problem = mars::stream_problem::make(*std::move(profile), *device);
  if (!problem) return mars::unexpected{problem.error()};

  comparison c{n.name(), n.ops().size(), *overheads, {}, {}};
  auto const wanted = reference(n);
  expected<void> done;
  auto const each = [&](auto const& policy) {
    if (!done) return;
    auto r = try_policy(policy, *problem, **on_device, wanted, options, context);
    if (!r) {
      done = mars::unexpected{std::move(r).error().inside(std::string{policy.name()})};
      return;
    }
    c.bound = std::max(c.bound, r->second);
    c.rows.push_back(std::move(r->first));
  };
  each(mars::scheduling::sequential{});
  each(mars::scheduling::path_cover{});
  each(mars::scheduling::opara{});
  each(mars::scheduling::critical_path{});
  each(mars::scheduling::best{});
  if (!done) return mars::unexpected{std::move(done).error()};
  return c;
}

[[nodiscard]] inline auto is_right(comparison const& c) -> bool {
  return std::all_of(c.rows.begin(), c.rows.end(),
                     [](row const& r) { return r.deviation <= tolerance; });
}

inline void print(std::FILE* out, comparison const& c) {
  auto const us = [](seconds t) { return t.count() * 1e6; };
  std::fprintf(out,
               "\n%s: %zu operators; gap %.2f us, event %.2f us, replay %.2f us; bound %.1f us\n",
               c.network.c_str(), c.operators, us(c.overheads.gap), us(c.overheads.event),
               us(c.overheads.graph), us(c.bound));
  std::fprintf(out, "%-14s %7s %6s %12s %12s %10s %10s %9s %10s\n", "policy", "streams", "waits",
               "predicted us", "captured us", "built us", "speed-up", "pred/meas", "deviation");
  for (auto const& r : c.rows) {
    auto const best = std::min(r.captured, r.built);
    auto const first = std::min(c.rows[0].captured, c.rows[0].built);
    std::fprintf(out, "%-14s %7zu %6zu %12.1f %12.1f %10.1f %10.3f %9.3f %10.1e%s\n",
                 r.policy.c_str(), r.streams, r.waits, us(r.predicted), us(r.captured), us(r.built),
                 first / best, r.predicted / best, r.deviation,
                 r.deviation <= tolerance ? "" : "  WRONG");
  }
}

/// What the program does; answers its exit status.
[[nodiscard]] inline auto run(std::vector<std::string> names) -> int {
  mars::runtime::profile_options options{.warm_up = 5, .samples = 50};
  if (!names.empty() && std::atoi(names[0].c_str()) > 0) {
    options.samples = std::atoi(names[0].c_str());
    names.erase(names.begin());
  }
  std::vector<network> const all{googlenet(), inception_v3(), inception_resnet()};
  for (auto const& name : names)
    if (std::none_of(all.begin(), all.end(), [&](auto const& n) { return n.name() == name; })) {
      std::fprintf(stderr, "streams_gpu: no network %s; there are:", name.c_str());
      for (auto const& n : all) std::fprintf(stderr, " %s", n.name().c_str());
      std::fprintf(stderr, "\n");
      return 2;
    }
  bool right = true;
  for (auto const& n : all) {
    if (!names.empty() && std::find(names.begin(), names.end(), n.name()) == names.end()) continue;
    auto const c = compare(n, options);
    if (!c) {
      std::fprintf(stderr, "streams_gpu: %s: %s\n", n.name().c_str(), to_string(c.error()).c_str());
      return 2;
    }
    print(stdout, *c);
    right = right && is_right(*c);
  }
  return right ? 0 : 1;
}

} // namespace streams_gpu
