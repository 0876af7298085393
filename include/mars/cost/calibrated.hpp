// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/analytical.hpp>
#include <mars/cost/calibration.hpp>
#include <mars/cost/concept.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/shard.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace mars::cost {

/// Convolutions and matrix products as fitted to measurements, by the fastest of some primitives; all else
/// by `Fallback`.
///
///   mars::cost::calibrated<analytical, primitive::direct, primitive::winograd_f4x3> const model{
///       .fit = calibration::fit(observations, rates).value(), .library = "onednn "};
///
/// Fallback also answers for primitives that do not support a layer, widths that were not measured, and
/// designs other than `design`. Prefer it between `table`, which knows only what was measured, and
/// `analytical`, which knows no code: as a table's fallback it fills the gaps in the table's own scale.
/// O(primitives) a question.
template <CostModel Fallback, Primitive... Primitives>
requires(sizeof...(Primitives) > 0) struct calibrated {
  calibration fit{};
  std::tuple<Primitives...> primitives{};
  std::string library{}; ///< before a primitive's name in the algorithms of the fit
  int lanes{16};         ///< elements of a vector, as the observations' work was counted with
  std::string design{};  ///< the one that was measured; empty: every one
  Fallback fallback{};

  template <class D>
  requires CostModelFor<Fallback, D>
  [[nodiscard]] auto operator()(shard const& s, D const& d) const -> shard_cost {
    if (design.empty() || design == std::string_view{d.name()})
      if (auto const layer = layer_of(s))
        if (auto const t = fastest(*layer)) return {.time = *t};
    return fallback(s, d);
  }

  /// Those of the design: those that are primitives of the fit at their fitted times, others as the
  /// fallback prices them, or not at all.
  template <AlgorithmicDesign D>
  requires CostModelFor<Fallback, D>
  [[nodiscard]] auto algorithms(shard const& s, D const& d) const -> std::vector<algorithm_cost> {
    std::vector<algorithm_cost> all;
    constexpr bool priced = AlgorithmCostModelFor<Fallback, D>;
    if constexpr (priced) {
      for (auto const& a : fallback.algorithms(s, d)) all.push_back(a);
    } else {
      for (auto const& a : d.algorithms(s)) all.push_back({a, unknown_joules});
    }
    auto const layer = design.empty() || design == std::string_view{d.name()}
                           ? layer_of(s)
                           : std::optional<convolution_layer>{};
    std::erase_if(all, [&](algorithm_cost& a) {
      std::optional<time_breakdown> fitted;
      auto const try_one = [&](auto const& p) {
        if (layer && std::string_view{p.name()} == a.how.name) fitted = time(p, *layer);
      };
      std::apply([&](auto const&... p) { (try_one(p), ...); }, primitives);
      if (!fitted) return !priced;
      a.how.time = *fitted;
      a.energy = unknown_joules;
      return false;
    });
    return all;
  }

  /// Nothing: no primitive supports the layer and was measured at its width.
  [[nodiscard]] auto fastest(convolution_layer const& layer) const
      -> std::optional<time_breakdown> {
    std::optional<time_breakdown> best;
    std::apply(
        [&](auto const&... p) {
          auto const try_one = [&](auto const& primitive) {
            auto const t = time(primitive, layer);
            if (t && (!best || t->total < best->total)) best = t;
          };
          (try_one(p), ...);
        },
        primitives);
    return best;
  }
  /// Of one primitive.
  template <Primitive P>
  [[nodiscard]] auto time(P const& primitive, convolution_layer const& layer) const
      -> std::optional<time_breakdown> {
    if (!primitive.supports(layer)) return std::nullopt;
    return fit.predict(std::string{library}.append(primitive.name()), layer.element_bits,
                       class_of(layer), primitive.work(layer, lanes));
  }
};

} // namespace mars::cost
