// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/named.hpp>
#include <mars/core/units.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace mars {

struct convolution_layer;

/// How weights lie in memory.
enum class weight_format : std::uint8_t {
  dense,
  csr, ///< compressed sparse rows: K rows of (C/g)·R·S columns
};

/// What an algorithm does for one layer, before any machine is asked how long that takes.
struct primitive_work {
  double macs{}; ///< executed, rounding to whole tiles included
  double
      transform_ops{}; ///< vectorisable additions and multiplications besides the MACs (Winograd)
  double decoded{};    ///< indices read per nonzero and image position block (sparse formats)
  double calls{};      ///< of an inner kernel, each with a start-up cost (one per group in GEMM)
  bytes weights{};     ///< as the algorithm keeps them
  bytes workspace{};   ///< besides input, weights and output
  bytes traffic{};     ///< read and written: operands once and each pass over the workspace

  friend auto operator==(primitive_work const&, primitive_work const&) -> bool = default;
};

template <class P>
concept accepts_weights = requires(P const& p) {
  { p.weights() } -> std::convertible_to<weight_format>;
};
template <class P>
concept supports_layers = requires(P const& p, convolution_layer const& c) {
  { p.supports(c) } -> std::convertible_to<bool>;
};
template <class P>
concept counts_work = requires(P const& p, convolution_layer const& c, int lanes) {
  { p.work(c, lanes) } -> std::convertible_to<primitive_work>;
};
template <class P>
concept states_format = requires(P const& p) {
  { p.format() } -> std::convertible_to<std::string_view>;
};

/// An algorithm for convolutions.
///
/// expression         | type                              | meaning                                   | cost
/// -------------------|-----------------------------------|-------------------------------------------|-----
/// `p.name()`         | convertible to `std::string_view` | `direct`, `winograd_f4x3`, …              | O(1)
/// `p.weights()`      | `weight_format`                   | which weights it takes                    | O(1)
/// `p.format()`       | convertible to `std::string_view` | of the activations, as `algorithm_time`   | O(1)
/// `p.supports(c)`    | `bool`                            | the layer can run                         | small
/// `p.work(c, lanes)` | `primitive_work`                  | what it takes on vectors of `lanes` elements | small
///
/// Semantics: 1. Pure, from several threads. 2. `work` is asked only of layers it supports. 3. Names are
/// unique and outlive the call.
/// Models: primitive::direct, im2col_gemm, spatial_pack, winograd<M>, csr_direct, csr_gemm,
/// csr_spatial_pack; yours.
template <class P>
concept Primitive = names_itself<P> && accepts_weights<P> && states_format<P> &&
    supports_layers<P> && counts_work<P> && std::copy_constructible<P>;

} // namespace mars
