// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/program.hpp>

#include <concepts>
#include <span>
#include <utility>
#include <vector>

namespace mars::primitive::kernels {

/// A primitive's one tile for all layers.
template <class Primitive>
[[nodiscard]] auto untuned(convolution_layer const& c, std::span<float const> weights) -> program {
  return Primitive::template make<typename Primitive::untuned>(c, weights);
}

namespace detail {

template <class Primitive, class... Tiles>
[[nodiscard]] auto with_each(convolution_layer const& c, std::span<float const> weights,
                             tile_set<Tiles...>) -> std::vector<program> {
  std::vector<program> all;
  all.reserve(sizeof...(Tiles));
  // Layers that tiles make no difference to have one candidate.
  ((all.empty() || all.back().tile() != "vector"
        ? all.push_back(Primitive::template make<Tiles>(c, weights))
        : void()),
   ...);
  return all;
}

} // namespace detail

/// A primitive with each tile of its set.
template <class Primitive>
[[nodiscard]] auto candidates(convolution_layer const& c, std::span<float const> weights)
    -> std::vector<program> {
  return detail::with_each<Primitive>(c, weights, typename Primitive::tiles{});
}

/// The candidate for which `time` answers least; the first of equals. How to time is the caller's
/// business: `time(program)` is asked once for each, in order, if there are several.
template <class Time>
requires std::invocable<Time&, program const&>
[[nodiscard]] auto fastest(std::vector<program> candidates, Time&& time) -> program {
  std::size_t best = 0;
  if (candidates.size() > 1) {
    auto least = time(std::as_const(candidates[0]));
    for (std::size_t i = 1; i < candidates.size(); ++i)
      if (auto const t = time(std::as_const(candidates[i])); t < least) least = t, best = i;
  }
  return std::move(candidates[best]);
}

template <class Primitive, class Time>
requires std::invocable<Time&, program const&>
[[nodiscard]] auto tune(convolution_layer const& c, std::span<float const> weights, Time&& time)
    -> program {
  return fastest(candidates<Primitive>(c, weights), time);
}

} // namespace mars::primitive::kernels
