// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/compression/detail/change_width.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

// Narrower numbers. Nothing is widened, quantised integers stay what they are, and so do numbers that are
// positions (indices of a gather) or that an opaque operator touches.

namespace mars::compression {

/// IEEE binary16 for activations and weights.
struct float16 {
  static constexpr detail::element_format format{.bits = 16};
  static constexpr compression_effects effects{.element_bits = format.bits};

  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return "float16";
  }
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const -> accuracy_key {
    return {"float16", "float16"};
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(operation const& o) const -> std::optional<operation> {
    return detail::change_width(o, format);
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    return detail::change_width(g, format, std::vector<bool>(g.size(), false));
  }
};

/// The upper halves of 32-bit floating-point numbers for activations and weights. As wide as float16:
/// designs tell them apart by `operand::numbers`.
struct bfloat16 {
  static constexpr detail::element_format format{.bits = 16, .numbers = number_format::bfloat};
  static constexpr compression_effects effects{.element_bits = format.bits,
                                               .numbers = format.numbers};

  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return "bfloat16";
  }
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const -> accuracy_key {
    return {"bf16", "bf16"};
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(operation const& o) const -> std::optional<operation> {
    return detail::change_width(o, format);
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    return detail::change_width(g, format, std::vector<bool>(g.size(), false));
  }
};

/// 8-bit integers for activations and for the weights that are multiplied and summed (convolutions,
/// matrix products, recurrences, tables), which get a scale of 4 bytes per output channel: an operand of
/// its own, so memory and traffic count it. Terms that are added to the 32-bit sums (bias) and
/// parameters of normalisations keep their width.
struct int8 {
  /// Leave the first and the last layers as they are, and the tensors at them: graphs only, one
  /// operator does not know where it stands.
  bool keep_ends{false};

  static constexpr detail::element_format format{
      .bits = 8, .numbers = number_format::integer, .scaled = true};
  static constexpr compression_effects effects{.element_bits = format.bits,
                                               .numbers = format.numbers};

  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return keep_ends ? "int8_inside" : "int8";
  }
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const -> accuracy_key {
    return {"int8", keep_ends ? "int8 but the first and last layers" : "int8"};
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(operation const& o) const -> std::optional<operation> {
    return detail::change_width(o, format);
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    if (!keep_ends) return detail::change_width(g, format, std::vector<bool>(g.size(), false));
    auto ends = detail::ends_of(g);
    if (!ends) return unexpected{std::move(ends).error()};
    return detail::change_width(g, format, *ends);
  }
};

} // namespace mars::compression
