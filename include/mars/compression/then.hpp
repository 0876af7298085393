// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>

#include <optional>
#include <string>
#include <utility>

namespace mars::compression {

/// One compression after another: `then{weight_pruning{.sparsity = 0.5}, int8{}}`. Compressions of
/// different things (zeros, channels, widths) commute; of two widths the narrower one stays. Prune
/// channels before weights where the table of accuracies does: the order is part of the name.
template <Compression First, Compression Second>
struct then {
  First first;
  Second second;

  static constexpr compression_effects effects = [] {
    auto e = effects_of<First>();
    constexpr auto last = effects_of<Second>();
    e.zero_weights |= last.zero_weights;
    e.fewer_channels |= last.fewer_channels;
    if (last.element_bits != 0 && (e.element_bits == 0 || last.element_bits <= e.element_bits)) {
      e.element_bits = last.element_bits;
      e.numbers = last.numbers;
    }
    return e;
  }();

  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return first.name() + "+" + second.name();
  }
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const
      -> accuracy_key requires names_its_accuracy<First> && names_its_accuracy<Second> {
    auto const a = first.accuracy();
    auto const b = second.accuracy();
    if (a.compression.empty() || b.compression.empty()) return {};
    if (a.compression == "none") return b;
    if (b.compression == "none") return a;
    return {a.compression + "+" + b.compression, a.setting + ", " + b.setting};
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    auto halfway = first(g);
    return halfway ? second(*halfway) : halfway;
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(operation const& o) const -> std::optional<operation>
  requires OperatorCompression<First> && OperatorCompression<Second> {
    auto halfway = first(o);
    auto done = second(halfway ? *halfway : o);
    return done ? done : halfway;
  }
};
template <class First, class Second>
then(First, Second) -> then<First, Second>;

} // namespace mars::compression
