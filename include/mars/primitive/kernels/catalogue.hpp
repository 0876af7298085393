// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/kernels/csr_direct.hpp>
#include <mars/primitive/kernels/csr_gemm.hpp>
#include <mars/primitive/kernels/csr_spatial_pack.hpp>
#include <mars/primitive/kernels/direct.hpp>
#include <mars/primitive/kernels/im2col_gemm.hpp>
#include <mars/primitive/kernels/program.hpp>
#include <mars/primitive/kernels/spatial_pack.hpp>
#include <mars/primitive/kernels/tune.hpp>
#include <mars/primitive/kernels/winograd.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mars::primitive::kernels {

/// What a primitive's kernels can do, chosen at run time.
struct entry {
  std::string_view name; ///< that of the cost model, too
  layout format{};       ///< of input and output
  weight_format weights{};
  double error{}; ///< largest difference from the exact output, over its root mean square
  bool (*supports)(convolution_layer const&){};
  program (*untuned)(convolution_layer const&, std::span<float const> weights){};
  std::vector<program> (*candidates)(convolution_layer const&, std::span<float const> weights){};
};

namespace detail {

template <class Primitive>
inline constexpr entry entry_of{Primitive::name,
                                Primitive::format,
                                Primitive::name.starts_with("csr_") ? weight_format::csr
                                                                    : weight_format::dense,
                                Primitive::error,
                                &Primitive::supports,
                                &untuned<Primitive>,
                                &candidates<Primitive>};

} // namespace detail

/// Of the kernels' code: to be raised with every change that may change what they take, so that timings of
/// others are not taken for theirs.
inline constexpr int revision = 2;

/// All primitives. Naming it instantiates every tile of each: some seconds of a compiler's time.
template <deferred = when_called>
[[nodiscard]] auto catalogue() -> std::span<entry const> {
  static constexpr entry all[] = {
      detail::entry_of<direct>,       detail::entry_of<im2col_gemm>,
      detail::entry_of<spatial_pack>, detail::entry_of<winograd<2>>,
      detail::entry_of<winograd<4>>,  detail::entry_of<csr_direct>,
      detail::entry_of<csr_gemm>,     detail::entry_of<csr_spatial_pack>};
  return all;
}

/// A primitive by its name, ready to run; nothing if there is none of that name or it does not support the
/// layer. `weights` is K × C/g × R × S, dense in every case. `time` is asked only to tune.
template <class Time>
requires std::invocable<Time&, program const&>
[[nodiscard]] auto prepare(std::string_view name, code_generation code, convolution_layer const& c,
                           std::span<float const> weights, Time&& time) -> std::optional<program> {
  for (auto const& e : catalogue()) {
    if (e.name != name || !e.supports(c)) continue;
    if (code == code_generation::untuned) return e.untuned(c, weights);
    return fastest(e.candidates(c, weights), time);
  }
  return std::nullopt;
}

} // namespace mars::primitive::kernels
