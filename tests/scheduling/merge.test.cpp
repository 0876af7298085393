// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Merged convolutions: the rule against arithmetic.
#include <mars/core/random.hpp>
#include <mars/scheduling/merge.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

/// A convolution of one channel along one axis, zeros around: weights w, out[o] = Σ w[t] · x[o·stride − begin + t·dilation].
auto convolve(std::vector<int> const& x, std::vector<int> const& w, std::int64_t stride,
              std::int64_t dilation, std::int64_t begin, std::int64_t end) -> std::vector<int> {
  auto const n = static_cast<std::int64_t>(x.size()), k = static_cast<std::int64_t>(w.size());
  std::vector<int> out;
  for (std::int64_t at = -begin; at + (k - 1) * dilation < n + end; at += stride) {
    int sum = 0;
    for (std::int64_t t = 0; t < k; ++t)
      if (auto const i = at + t * dilation; i >= 0 && i < n)
        sum += w[static_cast<std::size_t>(t)] * x[static_cast<std::size_t>(i)];
    out.push_back(sum);
  }
  return out;
}

} // namespace

TEST_CASE("merged convolutions compute what the single ones do", "[scheduling]") {
  mars::random_stream random{3};
  int merges = 0, equal_sizes_refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<int> x(3 + random.below(9));
    for (auto& e : x) e = 1 + static_cast<int>(random.below(9));
    std::vector<mars::mergeable_convolution> all(2 + random.below(2));
    auto const stride = 1 + static_cast<std::int64_t>(random.below(3));
    auto const dilation = 1 + static_cast<std::int64_t>(random.below(2));
    bool possible = true;
    for (auto& c : all) {
      auto const length = static_cast<std::int64_t>(x.size());
      c.input = {1, 1, length};
      c.options.kernel = {1 + static_cast<std::int64_t>(random.below(4))};
      c.options.stride = {stride};
      c.options.dilation = {dilation};
      c.options.padding = {static_cast<std::int64_t>(random.below(3)),
                           static_cast<std::int64_t>(random.below(3))};
      c.options.out_channels = 2;
      possible = possible && (c.options.kernel[0] - 1) * dilation <
                                 length + c.options.padding[0] + c.options.padding[1];
    }
    if (!possible) continue;
    auto const merged = mars::merged_convolution(all);
    std::vector<std::vector<int>> outputs, weights;
    for (auto const& c : all) {
      auto& w = weights.emplace_back(static_cast<std::size_t>(c.options.kernel[0]));
      for (auto& e : w) e = 1 + static_cast<int>(random.below(9));
      outputs.push_back(
          convolve(x, w, stride, dilation, c.options.padding[0], c.options.padding[1]));
    }
    if (!merged) {
      bool const same = std::all_of(outputs.begin(), outputs.end(),
                                    [&](auto const& o) { return o.size() == outputs[0].size(); });
      equal_sizes_refused += same ? 1 : 0;
      continue;
    }
    ++merges;
    auto const& o = merged->options;
    CHECK(o.out_channels == static_cast<std::int64_t>(2 * all.size()));
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto const gap = static_cast<std::size_t>(o.kernel[0]) - weights[i].size();
      REQUIRE(gap % 2 == 0);
      auto padded = weights[i];
      padded.insert(padded.begin(), gap / 2, 0);
      padded.insert(padded.end(), gap / 2, 0);
      REQUIRE(convolve(x, padded, stride, dilation, o.padding[0], o.padding[1]) == outputs[i]);
    }
  }
  CHECK(merges > 100);
  CHECK(equal_sizes_refused > 100); // where comparing sizes would merge what is shifted
}

TEST_CASE("what may be merged", "[scheduling]") {
  mars::mergeable_convolution a;
  a.input = {1, 8, 14, 14};
  a.options.out_channels = 4;
  a.options.kernel = {1, 1};
  a.options.bias = false;
  a.activation = "relu";
  auto b = a;
  b.options.kernel = {3, 1};
  b.options.padding = {1, 0};
  b.options.out_channels = 6;
  b.options.bias = true;
  auto c = a;
  c.options.kernel = {1, 5};
  c.options.padding = {0, 2};
  auto const merged = [](auto... x) { return mars::merged_convolution(std::vector{x...}); };
  auto const m = merged(a, b, c);
  REQUIRE(m);
  CHECK(m->options.out_channels == 14);
  CHECK(m->options.kernel == mars::ops::spatial{3, 5});
  CHECK(m->options.padding == mars::ops::spatial{1, 2, 1, 2});
  CHECK(m->options.bias);
  CHECK(m->activation == "relu");
  CHECK(m->input == a.input);
  CHECK_FALSE(mars::merged_convolution(std::vector<mars::mergeable_convolution>{}));
  auto const refused = [&](auto change) {
    auto other = b;
    change(other);
    return !merged(a, other) && !merged(other, a);
  };
  CHECK(refused([](auto& x) { x.options.groups = 2; }));
  CHECK(refused([](auto& x) { x.options.stride = {2, 2}; }));
  CHECK(refused([](auto& x) { x.options.padding = {0, 0}; }));
  CHECK(refused([](auto& x) { x.options.dilation = {2, 1}; }));
  CHECK(refused([](auto& x) { x.activation = ""; }));
  CHECK(refused([](auto& x) { x.element_bits = 16; }));
  CHECK(refused([](auto& x) { x.input = {1, 8, 14, 15}; }));
  CHECK(refused([](auto& x) { x.options.kernel = {2, 1}; }));
}
