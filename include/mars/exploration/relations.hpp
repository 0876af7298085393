// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/legality.hpp>
#include <mars/exploration/study.hpp>
#include <mars/primitive/concept.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

// What goes with what in a study of five axes. Each relation is one line; specialise it for a type of
// yours that the general answer does not fit.

namespace mars::exploration {

namespace detail {
inline constexpr auto at_network = static_cast<std::size_t>(axis_id::network);
inline constexpr auto at_compression = static_cast<std::size_t>(axis_id::compression);
inline constexpr auto at_primitive = static_cast<std::size_t>(axis_id::primitive);
inline constexpr auto at_code_generation = static_cast<std::size_t>(axis_id::code_generation);
inline constexpr auto at_design = static_cast<std::size_t>(axis_id::design);

/// The type says that it takes sparse weights.
template <class P>
concept is_sparse_constant = requires {
  requires std::integral_constant<weight_format, P{}.weights()>::value == weight_format::csr;
};
template <class C>
concept leaves_zeros = requires {
  requires C::effects.zero_weights;
};
template <class D, class C>
concept refuses_compression = requires {
  requires !D::template executes<C>;
};
template <class G, class P>
concept refuses_primitive = requires {
  requires !G::template covers<P>;
};
} // namespace detail

/// The design computes with the numbers that the compression leaves: true unless the design has a
/// static member `executes<Compression>` that is false.
template <class Design, class Compression>
inline constexpr bool executes_for = !detail::refuses_compression<Design, Compression>;

/// The primitive makes sense of the weights: a sparse one wants them pruned.
template <class Primitive, class Compression>
inline constexpr bool accepts_weights_for =
    !detail::is_sparse_constant<Primitive> || detail::leaves_zeros<Compression>;

/// The code generator has the primitive: true unless it has a static member `covers<Primitive>` that is
/// false.
template <class CodeGeneration, class Primitive>
inline constexpr bool covers_for = !detail::refuses_primitive<CodeGeneration, Primitive>;

struct executes {
  static constexpr std::string_view name = "executes_for";
  static constexpr std::string_view reason =
      "the design has no arithmetic for the numbers of the compression";
  using axes = std::index_sequence<detail::at_design, detail::at_compression>;
  template <class Design, class Compression>
  static constexpr bool holds = executes_for<Design, Compression>;
  /// Designs of one type may differ: `d.executes(c)`.
  template <class Design, class Compression>
  requires requires(Design const& d, Compression const& c) {
    { d.executes(c) } -> std::convertible_to<bool>;
  }
  [[nodiscard]] static auto permits(Design const& d, Compression const& c) -> bool {
    return d.executes(c);
  }
};

struct accepts_weights {
  static constexpr std::string_view name = "accepts_weights_for";
  static constexpr std::string_view reason =
      "a sparse primitive needs weights that the compression prunes";
  using axes = std::index_sequence<detail::at_primitive, detail::at_compression>;
  template <class Primitive, class Compression>
  static constexpr bool holds = accepts_weights_for<Primitive, Compression>;
  /// Where the type of the primitive leaves it open.
  template <class Primitive, class Compression>
  [[nodiscard]] static auto permits(Primitive const& p, Compression const&) -> bool {
    return p.weights() != weight_format::csr || detail::leaves_zeros<Compression>;
  }
};

struct covers {
  static constexpr std::string_view name = "covers_for";
  static constexpr std::string_view reason = "the code generator does not have the primitive";
  using axes = std::index_sequence<detail::at_code_generation, detail::at_primitive>;
  template <class CodeGeneration, class Primitive>
  static constexpr bool holds = covers_for<CodeGeneration, Primitive>;
};

using usual_relations = relations<executes, accepts_weights, covers>;

} // namespace mars::exploration
