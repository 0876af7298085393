// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/csr_spatial_pack.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/spatial_pack.hpp>
#include <mars/primitive/winograd.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars::measurement {

/// A layer of a network and how many are like it.
struct distinct_layer {
  std::string name{}; ///< of the first
  std::int64_t repeats{1};
  convolution_layer shape{}; ///< 32-bit elements, all weights
};

/// Convolutions and matrix products with weights, each shape once, in the network's order. Element widths
/// and sparsity of the network are left to who measures.
template <WorkloadGraph G>
[[nodiscard]] auto distinct_layers(G const& network) -> std::vector<distinct_layer> {
  std::vector<distinct_layer> all;
  for (auto const v : operators(network)) {
    operation const& o = op(network, v);
    auto shape = layer_of(shard{o});
    if (!shape) continue;
    shape->element_bits = 32;
    shape->density = 1;
    auto const same = std::find_if(all.begin(), all.end(),
                                   [&](distinct_layer const& l) { return l.shape == *shape; });
    if (same != all.end())
      ++same->repeats;
    else
      all.push_back({o.name, 1, *shape});
  }
  return all;
}

/// `n1 g1 c64 k64 in56x56 out56x56 r3x3 s1x1 d1x1 p1x1`, and the share of nonzero weights if there are zeros.
[[nodiscard]] inline auto to_text(convolution_layer const& c) -> std::string {
  std::string text;
  auto const number = [&](char const* name, std::int64_t n) {
    text.append(text.empty() ? "" : " ").append(name).append(std::to_string(n));
  };
  auto const pair = [&](char const* name, plane const& p) {
    number(name, p.rows);
    text.append("x").append(std::to_string(p.columns));
  };
  number("n", c.batch);
  number("g", c.groups);
  number("c", c.in_channels);
  number("k", c.out_channels);
  pair("in", c.in);
  pair("out", c.out);
  pair("r", c.kernel);
  pair("s", c.stride);
  pair("d", c.dilation);
  pair("p", c.padding);
  if (c.density != 1) text.append(" density ").append(std::to_string(c.density));
  return text;
}

/// What a primitive does for a layer that it supports, by its name; nothing for a name that is not ours.
[[nodiscard]] inline auto work_of(std::string_view name, convolution_layer const& c, int lanes)
    -> std::optional<primitive_work> {
  std::optional<primitive_work> found;
  auto const ask = [&](auto const& p) {
    if (name == p.name() && p.supports(c)) found = p.work(c, lanes);
  };
  ask(primitive::direct{});
  ask(primitive::im2col_gemm{});
  ask(primitive::spatial_pack{});
  ask(primitive::winograd_f2x3{});
  ask(primitive::winograd_f4x3{});
  ask(primitive::csr_direct{});
  ask(primitive::csr_gemm{});
  ask(primitive::csr_spatial_pack{});
  return found;
}

} // namespace mars::measurement
