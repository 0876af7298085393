// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Small random operations out of the library's own factories (mars::ops).

#include <mars/core/random.hpp>
#include <mars/workload/operators.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mars_test {

class factory_generator {
public:
  static constexpr std::size_t families = 28;

  explicit factory_generator(mars::random_stream r) : r_{r} {}

  /// An operation of at most `max_points` iterations.
  [[nodiscard]] auto operator()(std::size_t family, std::int64_t max_points = 1500)
      -> mars::operation {
    for (;;) {
      auto op = make(family % families);
      if (!op) continue;
      std::int64_t points = 1;
      for (auto const& d : op->dims) points *= d.extent;
      if (points <= max_points) return *std::move(op);
    }
  }

private:
  using shape = mars::tensor_shape;
  using made = mars::expected<mars::operation>;

  auto number(std::int64_t least, std::int64_t most) -> std::int64_t {
    return least +
           static_cast<std::int64_t>(r_.below(static_cast<std::uint64_t>(most - least + 1)));
  }
  auto index(std::size_t size) -> std::int64_t { return static_cast<std::int64_t>(r_.below(size)); }
  auto numbers(std::size_t count, std::int64_t least, std::int64_t most)
      -> std::vector<std::int64_t> {
    std::vector<std::int64_t> v(count);
    for (auto& x : v) x = number(least, most);
    return v;
  }
  auto any_shape(std::size_t least = 1, std::int64_t most = 7) -> shape {
    return numbers(least + r_.below(5 - least), 1, most);
  }
  /// A shape that broadcasts into `full`.
  auto narrower(shape const& full) -> shape {
    shape s(full.begin() + index(full.size()), full.end());
    for (auto& e : s)
      if (r_.chance(0.3)) e = 1;
    return s;
  }

  template <class Options>
  auto sliding(shape& x, std::int64_t channels) -> Options {
    auto const count = 1 + r_.below(3);
    x = {number(1, 3), channels};
    for (std::size_t i = 0; i < count; ++i) x.push_back(number(1, count == 3 ? 5 : 9));
    Options o;
    o.kernel = numbers(count, 1, 3);
    o.stride = numbers(count, 1, 3);
    o.dilation = numbers(count, 1, 3);
    o.padding = numbers(r_.chance(0.5) ? count : 2 * count, 0, 2);
    return o;
  }
  template <class Options>
  auto convolution(shape& x) -> Options {
    auto const groups = r_.chance(0.5) ? 1 : number(2, 4);
    auto o = sliding<Options>(x, groups * number(1, 4));
    o.groups = groups;
    o.out_channels = groups * number(1, 4);
    o.bias = r_.chance(0.5);
    return o;
  }

  auto transposed() -> made {
    shape x;
    auto o = convolution<mars::ops::conv_transpose_options>(x);
    o.output_padding = numbers(x.size() - 2, 0, 1);
    return mars::ops::conv_transpose(x, o);
  }

  auto pooled(bool maximum) -> made {
    shape x;
    auto o = sliding<mars::ops::pool_options>(x, number(1, 6));
    o.ceil_mode = r_.chance(0.5);
    auto const* type = maximum ? "MaxPool" : "AveragePool";
    return r_.chance(0.2) ? mars::ops::global_pool(x, type) : mars::ops::pool(x, o, type);
  }

  auto matrix_product() -> made {
    auto batch = r_.chance(0.5) ? shape{} : any_shape(1, 4);
    if (batch.size() > 2) batch.resize(2);
    auto const k = number(1, 8);
    shape a = batch.empty() ? shape{} : narrower(batch);
    shape b = batch;
    if (r_.chance(0.8) || !a.empty()) a.push_back(number(1, 8));
    a.push_back(k);
    b.push_back(k);
    if (r_.chance(0.8) || b.size() > 1) b.push_back(number(1, 9));
    return mars::ops::matmul(a, b);
  }

  auto general_product() -> made {
    auto const m = number(1, 9), n = number(1, 9), k = number(1, 9);
    bool const ta = r_.chance(0.5), tb = r_.chance(0.5);
    std::optional<shape> c;
    if (r_.chance(0.5)) c = narrower({m, n});
    return mars::ops::gemm(ta ? shape{k, m} : shape{m, k}, tb ? shape{n, k} : shape{k, n}, c, ta,
                           tb);
  }

  auto joined() -> made {
    auto const first = any_shape();
    auto const axis = index(first.size());
    std::vector<shape> xs(1 + r_.below(3), first);
    for (auto& x : xs) x[static_cast<std::size_t>(axis)] = number(1, 5);
    return mars::ops::concat(xs, axis);
  }

  auto divided() -> made {
    auto const x = any_shape();
    auto const axis = index(x.size());
    std::vector<std::int64_t> sizes;
    for (auto left = x[static_cast<std::size_t>(axis)]; left > 0; left -= sizes.back())
      sizes.push_back(number(1, left));
    return mars::ops::split(x, axis, sizes);
  }

  auto reshaped() -> made {
    static std::vector<shape> const same{{4, 6},    {2, 12},   {24},         {6, 4},
                                         {2, 3, 4}, {8, 3},    {3, 8},       {2, 2, 6},
                                         {1, 24},   {4, 1, 6}, {2, 2, 3, 2}, {12, 1, 2}};
    auto from = r_.pick(same), to = r_.pick(same);
    if (r_.chance(0.5)) {
      auto const outer = number(2, 4);
      from.insert(from.begin(), outer);
      to.insert(to.begin(), outer);
    }
    return r_.chance(0.2) ? mars::ops::flatten(from, index(from.size() + 1))
                          : mars::ops::reshape(from, to);
  }

  auto permuted() -> made {
    auto const x = any_shape();
    std::vector<std::int64_t> order;
    for (std::size_t i = 0; i < x.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
    r_.shuffle(order);
    return mars::ops::transpose(x, order);
  }

  auto sliced() -> made {
    auto const x = any_shape(1, 12);
    auto steps = numbers(x.size(), 1, 3);
    for (auto& s : steps) s = r_.chance(0.5) ? s : -s;
    auto const starts = numbers(x.size(), -12, 12);
    auto const ends = numbers(x.size(), -14, 14);
    return mars::ops::slice(x, starts, ends, {}, steps);
  }

  auto gathered() -> made {
    auto const data = any_shape(1, 5);
    auto const which = r_.chance(0.2) ? shape{} : numbers(1 + r_.below(2), 1, 4);
    return mars::ops::gather(data, which, index(data.size()));
  }

  auto resized() -> made {
    auto x = any_shape(2, 6);
    auto out = x;
    for (std::size_t i = 0; i < x.size(); ++i) switch (r_.below(4)) {
      case 0: out[i] *= number(1, 3); break;
      case 1: x[i] *= number(1, 3); break;
      case 2: out[i] = number(1, 7); break;
      default: break;
      }
    return mars::ops::resize(x, out,
                             r_.chance(0.5) ? mars::ops::resize_mode::nearest
                                            : mars::ops::resize_mode::interpolate);
  }

  auto recurrent() -> made {
    auto const x = numbers(3, 1, 4);
    auto const hidden = number(1, 6);
    auto const directions = number(1, 2);
    return r_.chance(0.5) ? mars::ops::lstm(x, hidden, directions)
                          : mars::ops::gru(x, hidden, directions);
  }

  auto group_normalized() -> made {
    auto const groups = number(1, 3);
    auto x = any_shape(2, 4);
    x[1] *= groups;
    return mars::ops::group_norm(x, groups, number(0, 2));
  }

  auto added() -> made {
    std::vector<shape> xs{any_shape()};
    for (auto more = r_.below(3); more > 0; --more) xs.push_back(narrower(shape{xs[0]}));
    return mars::ops::elementwise(xs, "Sum", 1);
  }

  auto reduced() -> made {
    auto const x = any_shape(1, 6);
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (r_.chance(0.5)) axes.push_back(static_cast<std::int64_t>(i));
    bool const keep = r_.chance(0.5);
    return mars::ops::reduce(x, axes, keep, r_.chance(0.5) ? "ReduceMax" : "ReduceSum");
  }

  /// One operation, or why the numbers drawn make none. Draws are statements of their own: the order
  /// of arguments would differ between compilers.
  auto make(std::size_t family) -> made {
    namespace ops = mars::ops;
    switch (family) {
    case 3:
    case 4: return transposed();
    case 5: return pooled(true);
    case 6: return pooled(false);
    case 7: return matrix_product();
    case 8: return general_product();
    case 9: return added();
    case 10: return group_normalized();
    case 11: return reduced();
    case 12: return joined();
    case 13: return divided();
    case 14: return reshaped();
    case 15: return permuted();
    case 16: return sliced();
    case 17: return gathered();
    case 18: return resized();
    case 19: return recurrent();
    default: break;
    }
    shape x;
    if (family < 3) {
      auto const o = convolution<ops::conv_options>(x);
      return ops::conv(x, o);
    }
    x = any_shape(1, 6);
    auto const size = number(0, 6);
    auto const axis = index(x.size());
    auto const parameters = size % 3;
    switch (family) {
    case 20: return ops::linear(x, size + 1, r_.chance(0.5));
    case 21: return ops::expand(narrower(x), x);
    case 22: return ops::batch_norm(x, size);
    case 23: return ops::layer_norm(x, axis, parameters);
    case 24: return ops::lrn(x, size + 1);
    case 25: return ops::softmax(x, axis);
    case 26: return ops::embedding(x, number(1, 9), size + 1);
    default: {
      auto const begins = numbers(x.size(), -2, 2);
      auto const ends = numbers(x.size(), -2, 2);
      return ops::pad(x, begins, ends);
    }
    }
  }

  mars::random_stream r_;
};

} // namespace mars_test
