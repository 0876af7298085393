// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Networks of the benchmark's kernels: described here, computed in float64 on the CPU, and as a
// `stream_graph`.
#pragma once

#include <mars/core/random.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/stream_graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace streams_gpu {

enum class op_kind : std::uint8_t { input, conv, pool, relu, add, concat };

struct shape {
  int channels{}, height{}, width{};
  [[nodiscard]] auto count() const -> int { return channels * height * width; }
};

struct window {
  int rows{1}, columns{1}, stride{1}, pad_rows{0}, pad_columns{0};
};

/// Uniform in (−scale, scale); made when they are asked for.
struct random_numbers {
  mars::random_stream random{};
  std::size_t count{};
  double scale{};

  [[nodiscard]] auto values() const -> std::vector<float> {
    auto r = random;
    std::vector<float> all(count);
    for (auto& x : all)
      x = static_cast<float>((static_cast<double>(r.next_u32()) / 2147483648.0 - 1) * scale);
    return all;
  }
};

struct op {
  op_kind kind{};
  std::string name{};
  std::vector<std::uint32_t> inputs{};
  shape out{};
  window over{};
  bool is_max{};
  random_numbers weights{}, bias{}; ///< of convolutions; of an input: its values
};

/// Built operator by operator; every call answers the operator's number.
class network {
public:
  network(std::string name, shape input, std::uint64_t seed)
      : name_{std::move(name)}, random_{seed} {
    op o{.kind = op_kind::input, .name = "input", .out = input};
    o.weights = numbers(static_cast<std::size_t>(input.count()), 1);
    ops_.push_back(std::move(o));
  }

  [[nodiscard]] auto name() const -> std::string const& { return name_; }
  [[nodiscard]] auto ops() const -> std::vector<op> const& { return ops_; }
  [[nodiscard]] auto last() const -> std::uint32_t {
    return static_cast<std::uint32_t>(ops_.size() - 1);
  }

  auto conv(std::uint32_t in, int filters, window w) -> std::uint32_t {
    auto const& from = ops_[in].out;
    op o{.kind = op_kind::conv, .inputs = {in}, .out = through(from, w), .over = w};
    o.out.channels = filters;
    auto const taps = static_cast<std::size_t>(from.channels * w.rows * w.columns);
    // Variance 2 / taps keeps values through convolutions and relus in size.
    o.weights = numbers(taps * static_cast<std::size_t>(filters),
                        std::sqrt(6.0 / static_cast<double>(taps)));
    o.bias = numbers(static_cast<std::size_t>(filters), 0.1);
    return push(std::move(o), "conv");
  }
  auto relu(std::uint32_t in) -> std::uint32_t {
    return push({.kind = op_kind::relu, .inputs = {in}, .out = ops_[in].out}, "relu");
  }
  auto conv_relu(std::uint32_t in, int filters, int rows, int columns, int stride = 1,
                 bool padded = true) -> std::uint32_t {
    window const w{rows, columns, stride, padded ? rows / 2 : 0, padded ? columns / 2 : 0};
    return relu(conv(in, filters, w));
  }
  auto pool(std::uint32_t in, bool is_max, int size, int stride, int pad) -> std::uint32_t {
    window const w{size, size, stride, pad, pad};
    op o{.kind = op_kind::pool, .inputs = {in}, .out = through(ops_[in].out, w), .over = w};
    o.is_max = is_max;
    return push(std::move(o), is_max ? "max_pool" : "avg_pool");
  }
  auto add(std::uint32_t a, std::uint32_t b) -> std::uint32_t {
    return push({.kind = op_kind::add, .inputs = {a, b}, .out = ops_[a].out}, "add");
  }
  /// At most four.
  auto concat(std::vector<std::uint32_t> parts) -> std::uint32_t {
    op o{.kind = op_kind::concat, .inputs = std::move(parts)};
    o.out = ops_[o.inputs[0]].out;
    o.out.channels = 0;
    for (auto const p : o.inputs) o.out.channels += ops_[p].out.channels;
    return push(std::move(o), "concat");
  }

private:
  static auto through(shape in, window const& w) -> shape {
    return {in.channels, (in.height + 2 * w.pad_rows - w.rows) / w.stride + 1,
            (in.width + 2 * w.pad_columns - w.columns) / w.stride + 1};
  }
  auto push(op o, char const* kind) -> std::uint32_t {
    o.name = kind + ("_" + std::to_string(ops_.size()));
    ops_.push_back(std::move(o));
    return last();
  }
  auto numbers(std::size_t n, double scale) -> random_numbers {
    return {random_.substream(made_++), n, scale};
  }

  std::string name_;
  std::vector<op> ops_;
  mars::random_stream random_;
  std::uint64_t made_{0};
};

// ---- Networks ------------------------------------------------------------------------------------

/// How much smaller than published: for the CPU.
struct scale {
  int channels{1}; ///< divides the number of channels
  int extent{0};   ///< height and width of the input; 0: as published
  int most{99};    ///< modules
};

/// Modules 3a to 5b of GoogLeNet (Szegedy et al., CVPR 2015, table 1), batch norms folded.
inline auto googlenet(scale s = {}) -> network {
  struct module {
    int one, three_reduce, three, five_reduce, five, pool;
    bool pooled; ///< a maximum over 3 · 3, stride 2, before it
  };
  constexpr module modules[] = {
      {64, 96, 128, 16, 32, 32, false},     {128, 128, 192, 32, 96, 64, false},
      {192, 96, 208, 16, 48, 64, true},     {160, 112, 224, 24, 64, 64, false},
      {128, 128, 256, 24, 64, 64, false},   {112, 144, 288, 32, 64, 64, false},
      {256, 160, 320, 32, 128, 128, false}, {256, 160, 320, 32, 128, 128, true},
      {384, 192, 384, 48, 128, 128, false}};
  auto const c = [&](int n) { return std::max(1, n / s.channels); };
  int const extent = s.extent > 0 ? s.extent : 28;
  network n{"googlenet", {c(192), extent, extent}, 1};
  std::uint32_t x = 0;
  int left = s.most;
  for (auto const& m : modules) {
    if (left-- <= 0) break;
    if (m.pooled) x = n.pool(x, true, 3, 2, 1);
    auto const a = n.conv_relu(x, c(m.one), 1, 1);
    auto const b = n.conv_relu(n.conv_relu(x, c(m.three_reduce), 1, 1), c(m.three), 3, 3);
    auto const d = n.conv_relu(n.conv_relu(x, c(m.five_reduce), 1, 1), c(m.five), 5, 5);
    auto const e = n.conv_relu(n.pool(x, true, 3, 1, 1), c(m.pool), 1, 1);
    x = n.concat({a, b, d, e});
  }
  return n;
}

/// The modules of Inception-v3 (Szegedy et al., CVPR 2016) as torchvision has them, from 35 · 35 · 192 on.
inline auto inception_v3(scale s = {}) -> network {
  auto const c = [&](int n) { return std::max(1, n / s.channels); };
  int const extent = s.extent > 0 ? s.extent : 35;
  network n{"inception_v3", {c(192), extent, extent}, 2};
  std::uint32_t x = 0;
  int left = s.most;
  auto const conv = [&](std::uint32_t in, int filters, int r, int q) {
    return n.conv_relu(in, c(filters), r, q);
  };
  for (int const pooled : {32, 64, 64}) { // A
    if (left-- <= 0) return n;
    auto const a = conv(x, 64, 1, 1);
    auto const b = conv(conv(x, 48, 1, 1), 64, 5, 5);
    auto const d = conv(conv(conv(x, 64, 1, 1), 96, 3, 3), 96, 3, 3);
    auto const e = conv(n.pool(x, false, 3, 1, 1), pooled, 1, 1);
    x = n.concat({a, b, d, e});
  }
  if (left-- <= 0) return n;
  { // B
    auto const a = n.conv_relu(x, c(384), 3, 3, 2, false);
    auto const b = n.conv_relu(conv(conv(x, 64, 1, 1), 96, 3, 3), c(96), 3, 3, 2, false);
    auto const d = n.pool(x, true, 3, 2, 0);
    x = n.concat({a, b, d});
  }
  for (int const f : {128, 160, 160, 192}) { // C
    if (left-- <= 0) return n;
    auto const a = conv(x, 192, 1, 1);
    auto const b = conv(conv(conv(x, f, 1, 1), f, 1, 7), 192, 7, 1);
    auto const d = conv(conv(conv(conv(conv(x, f, 1, 1), f, 7, 1), f, 1, 7), f, 7, 1), 192, 1, 7);
    auto const e = conv(n.pool(x, false, 3, 1, 1), 192, 1, 1);
    x = n.concat({a, b, d, e});
  }
  if (left-- <= 0) return n;
  { // D
    auto const a = n.conv_relu(conv(x, 192, 1, 1), c(320), 3, 3, 2, false);
    auto const b =
        n.conv_relu(conv(conv(conv(x, 192, 1, 1), 192, 1, 7), 192, 7, 1), c(192), 3, 3, 2, false);
    auto const d = n.pool(x, true, 3, 2, 0);
    x = n.concat({a, b, d});
  }
  for (int i = 0; i < 2; ++i) { // E
    if (left-- <= 0) return n;
    auto const a = conv(x, 320, 1, 1);
    auto const split = conv(x, 384, 1, 1);
    auto const b = n.concat({conv(split, 384, 1, 3), conv(split, 384, 3, 1)});
    auto const other = conv(conv(x, 448, 1, 1), 384, 3, 3);
    auto const d = n.concat({conv(other, 384, 1, 3), conv(other, 384, 3, 1)});
    auto const e = conv(n.pool(x, false, 3, 1, 1), 192, 1, 1);
    x = n.concat({a, b, d, e});
  }
  return n;
}

/// Blocks of Inception-ResNet-v1 at 35 · 35 (Szegedy et al., AAAI 2017, figure 10).
inline auto inception_resnet(scale s = {}) -> network {
  auto const c = [&](int n) { return std::max(1, n / s.channels); };
  int const extent = s.extent > 0 ? s.extent : 35;
  network n{"inception_resnet", {c(256), extent, extent}, 3};
  std::uint32_t x = 0;
  for (int i = 0; i < std::min(5, s.most); ++i) {
    auto const a = n.conv_relu(x, c(32), 1, 1);
    auto const b = n.conv_relu(n.conv_relu(x, c(32), 1, 1), c(32), 3, 3);
    auto const d = n.conv_relu(n.conv_relu(n.conv_relu(x, c(32), 1, 1), c(32), 3, 3), c(32), 3, 3);
    auto const joined = n.conv(n.concat({a, b, d}), c(256), {});
    x = n.relu(n.add(x, joined));
  }
  return n;
}

// ---- What it computes ----------------------------------------------------------------------------

using tensor = std::vector<double>;

inline auto reference(op const& o, std::vector<tensor> const& of, std::vector<op> const& ops)
    -> tensor {
  tensor out(static_cast<std::size_t>(o.out.count()));
  auto const weights = o.weights.values(), bias = o.bias.values();
  auto const input = [&](std::size_t i) -> tensor const& { return of[o.inputs[i]]; };
  auto const& w = o.over;
  // Calls f(row of the window, its column, position in the input plane) for what is inside of it.
  auto const over = [&](shape const& in, int y, int x, auto&& f) {
    for (int r = 0; r < w.rows; ++r)
      for (int q = 0; q < w.columns; ++q) {
        int const iy = y * w.stride + r - w.pad_rows, ix = x * w.stride + q - w.pad_columns;
        if (iy >= 0 && iy < in.height && ix >= 0 && ix < in.width)
          f(r, q, static_cast<std::size_t>(iy * in.width + ix));
      }
  };
  std::size_t at = 0;
  switch (o.kind) {
  case op_kind::input:
    for (auto& x : out) x = static_cast<double>(weights[at++]);
    break;
  case op_kind::conv: {
    auto const& in = ops[o.inputs[0]].out;
    auto const plane = static_cast<std::size_t>(in.height * in.width);
    for (int k = 0; k < o.out.channels; ++k)
      for (int y = 0; y < o.out.height; ++y)
        for (int x = 0; x < o.out.width; ++x) {
          auto sum = static_cast<double>(bias[static_cast<std::size_t>(k)]);
          for (int c = 0; c < in.channels; ++c) {
            auto const* const of_channel =
                weights.data() + (k * in.channels + c) * w.rows * w.columns;
            over(in, y, x, [&](int r, int q, std::size_t i) {
              sum += static_cast<double>(of_channel[r * w.columns + q]) *
                     input(0)[static_cast<std::size_t>(c) * plane + i];
            });
          }
          out[at++] = sum;
        }
    break;
  }
  case op_kind::pool: {
    auto const& in = ops[o.inputs[0]].out;
    auto const plane = static_cast<std::size_t>(in.height * in.width);
    for (int c = 0; c < o.out.channels; ++c)
      for (int y = 0; y < o.out.height; ++y)
        for (int x = 0; x < o.out.width; ++x) {
          double most = -std::numeric_limits<double>::infinity(), sum = 0;
          over(in, y, x, [&](int, int, std::size_t i) {
            auto const value = input(0)[static_cast<std::size_t>(c) * plane + i];
            most = std::max(most, value);
            sum += value;
          });
          out[at++] = o.is_max ? most : sum / (w.rows * w.columns);
        }
    break;
  }
  case op_kind::relu:
    for (auto& x : out) x = std::max(0.0, input(0)[at++]);
    break;
  case op_kind::add:
    for (; at < out.size(); ++at) out[at] = input(0)[at] + input(1)[at];
    break;
  case op_kind::concat:
    for (std::size_t i = 0; i < o.inputs.size(); ++i)
      for (auto const x : input(i)) out[at++] = x;
    break;
  }
  return out;
}

/// Of every operator.
inline auto reference(network const& n) -> std::vector<tensor> {
  std::vector<tensor> all;
  for (auto const& o : n.ops()) all.push_back(reference(o, all, n.ops()));
  return all;
}

/// Work and traffic of every operator; the rest a profile measures.
inline auto to_stream_graph(network const& n) -> mars::stream_graph {
  mars::stream_graph g{.name = n.name()};
  for (auto const& o : n.ops()) {
    mars::stream_node v{.name = o.name, .inputs = o.inputs};
    v.output = mars::bytes{std::int64_t{4} * o.out.count()};
    if (o.kind != op_kind::input) {
      mars::kernel k{.name = o.name};
      auto moved = v.output.count();
      for (auto const p : o.inputs) moved += std::int64_t{4} * n.ops()[p].out.count();
      k.traffic = mars::bytes{moved + static_cast<std::int64_t>(4 * o.weights.count)};
      std::int64_t each = 1;
      if (o.kind == op_kind::pool) each = o.over.rows * o.over.columns;
      if (o.kind == op_kind::conv)
        each = std::int64_t{2} * n.ops()[o.inputs[0]].out.channels * o.over.rows * o.over.columns;
      if (o.kind == op_kind::concat) each = 0;
      k.work = mars::flops{each * o.out.count()};
      v.kernels.push_back(std::move(k));
    }
    g.nodes.push_back(std::move(v));
  }
  return g;
}

} // namespace streams_gpu
