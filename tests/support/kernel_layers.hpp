// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers for the real kernels, with data, and what all kernels make of them.

#include <mars/core/random.hpp>
#include <mars/primitive/kernels.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace mars_test {

namespace kernels = mars::primitive::kernels;

inline auto random_floats(std::size_t size, mars::random_stream& random, double density = 1)
    -> std::vector<float> {
  std::vector<float> out(size);
  for (auto& x : out)
    if (auto const value = static_cast<float>(random.uniform() * 2 - 1); random.chance(density))
      x = value;
  return out;
}

/// "n1 g1 c64 k64 56x56 to 56x56, 3x3 s1x1 d1x1 p1x1".
inline auto text_of(mars::convolution_layer const& c) -> std::string {
  auto const pair = [](mars::plane p) {
    return std::to_string(p.rows) + "x" + std::to_string(p.columns);
  };
  return "n" + std::to_string(c.batch) + " g" + std::to_string(c.groups) + " c" +
         std::to_string(c.in_channels) + " k" + std::to_string(c.out_channels) + " " + pair(c.in) +
         " to " + pair(c.out) + ", " + pair(c.kernel) + " s" + pair(c.stride) + " d" +
         pair(c.dilation) + " p" + pair(c.padding);
}

/// Output of a program for nchw input, as nchw. The buffers are exactly as large as it says, and output and
/// workspace full of NaN, so that what it should not read shows.
inline auto run(kernels::program const& p, mars::convolution_layer const& c,
                std::span<float const> input) -> std::vector<float> {
  auto const nothing = std::numeric_limits<float>::quiet_NaN();
  kernels::buffer<float> in(p.input_size());
  kernels::buffer<float> out(p.output_size());
  kernels::buffer<float> workspace(p.workspace_size());
  std::ranges::fill(out.span(), nothing);
  std::ranges::fill(workspace.span(), nothing);
  std::vector<float> result(
      static_cast<std::size_t>(kernels::output_of(c).size(kernels::layout::nchw)));
  if (p.format() == kernels::layout::nchwc)
    kernels::reorder_to_nchwc(kernels::input_of(c), input, in.span());
  else
    std::ranges::copy(input, in.data());
  p(in.span(), out.span(), workspace.span());
  if (p.format() == kernels::layout::nchwc)
    kernels::reorder_to_nchw(kernels::output_of(c), out.span(), result);
  else
    std::ranges::copy(out.span(), result.data());
  return result;
}

struct kernel_outcome {
  std::size_t runs{};
  double largest{}; ///< error over the one its primitive states
  std::string worst;
};

enum class tiles { each, one };

/// Every primitive that supports the layer, untuned and with its tiles (or one at random), against the
/// reference.
inline auto run_all(mars::convolution_layer const& c, mars::random_stream random,
                    tiles which = tiles::each) -> kernel_outcome {
  auto const input = random_floats(
      static_cast<std::size_t>(kernels::input_of(c).size(kernels::layout::nchw)), random);
  auto const weights =
      random_floats(static_cast<std::size_t>(mars::weights_of(c)), random, c.density);
  auto const exact = kernels::reference(c, input, weights);
  kernel_outcome all;
  auto const judge = [&](kernels::entry const& e, kernels::program const& p) {
    auto const error = kernels::relative_error(run(p, c, input), exact) / e.error;
    ++all.runs;
    if (error <= all.largest || std::isnan(all.largest)) return;
    all.largest = error;
    all.worst = std::string{e.name} + " " + std::string{p.tile()} + " on " + text_of(c);
  };
  for (auto const& e : kernels::catalogue()) {
    if (!e.supports(c)) continue;
    judge(e, e.untuned(c, weights));
    auto const all_tiles = e.candidates(c, weights);
    if (which == tiles::one)
      judge(e, random.pick(all_tiles));
    else
      for (auto const& p : all_tiles) judge(e, p);
  }
  return all;
}

} // namespace mars_test
