// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/break_even.hpp>
#include <mars/cost/cross_validation.hpp>
#include <mars/measurement/measure_layers.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::measurement {

/// From which share of zero weights on a sparse kernel is as fast as a dense one of the same code, on one
/// layer: by measurement, and by what a model says of the same kernels.
struct layer_break_even {
  std::string network{};
  std::string layer{};
  std::string code{};
  std::string sparse{};   ///< a primitive
  std::string opponent{}; ///< another
  double least{}; ///< the range of what was measured; break-even at its ends may lie beyond them
  double largest{};
  std::optional<double> measured{}; ///< nothing: the sparse kernel is slower at the largest
  std::optional<double> predicted{};

  /// Measurement saw it pass: slower at the least share, not slower at the largest.
  [[nodiscard]] auto seen() const -> bool { return measured && *measured > least; }
  /// Both say that it pays somewhere in the range, or both that it does not.
  [[nodiscard]] auto agreed() const -> bool {
    return measured.has_value() == predicted.has_value();
  }
  /// How far the model is off. Where it sees no crossing, the worst that may be: 1 for never, 0 for ahead from the
  /// least share on.
  [[nodiscard]] auto error() const -> double {
    auto const said = predicted.value_or(1);
    return std::abs((said > least ? said : 0) - measured.value_or(1));
  }
};

/// Of all layers that were measured dense and with two shares of zeros or more, each sparse primitive
/// against each dense one of the same code. `predicted` is of the rows, such as `cost::leave_groups_out`'s;
/// pairs it does not predict in full are left out.
[[nodiscard]] inline auto break_evens_of(measured_layers const& all,
                                         cost::held_out_times const& predicted)
    -> std::vector<layer_break_even> {
  struct curve {
    std::vector<cost::sparsity_point> measured{}, predicted{};
    bool whole{true};
  };
  struct layer {
    std::string name{};
    std::map<std::string, curve> dense{}, sparse{}; ///< by primitive
  };
  std::map<std::tuple<std::string, std::string, std::string>, layer> layers; // network, code, shape
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    auto const& r = all.rows[i];
    if (r.element != precision::fp32) continue;
    auto shape = r.shape;
    shape.density = 1;
    auto& l = layers[{r.network, r.code, to_text(shape)}];
    if (l.name.empty()) l.name = r.layer;
    auto& c = (r.shape.density < 1 ? l.sparse : l.dense)[r.primitive];
    c.measured.push_back({1 - r.shape.density, r.time()});
    if (predicted[i])
      c.predicted.push_back({1 - r.shape.density, *predicted[i]});
    else
      c.whole = false;
  }
  std::vector<layer_break_even> result;
  for (auto const& [key, l] : layers)
    for (auto const& [sparse, s] : l.sparse) {
      auto const [least, largest] =
          std::minmax_element(s.measured.begin(), s.measured.end(),
                              [](auto const& a, auto const& b) { return a.sparsity < b.sparsity; });
      if (!s.whole || !(least->sparsity < largest->sparsity)) continue;
      for (auto const& [opponent, d] : l.dense) {
        if (!d.whole) continue;
        result.push_back({.network = std::get<0>(key),
                          .layer = l.name,
                          .code = std::get<1>(key),
                          .sparse = sparse,
                          .opponent = opponent,
                          .least = least->sparsity,
                          .largest = largest->sparsity,
                          .measured = cost::break_even_of(s.measured, d.measured.front().time),
                          .predicted = cost::break_even_of(s.predicted, d.predicted.front().time)});
      }
    }
  return result;
}

struct break_even_agreement {
  std::size_t pairs{};
  double
      agreed{}; ///< share of the pairs about which both say that it pays, or both that it does not
  std::size_t seen{}; ///< pairs that measurement saw pass; the following are of these
  double mean{};      ///< of the errors
  double worst{};
  double within_10{}; ///< share that is off by 0.10 at most
  double within_3{};
};
[[nodiscard]] inline auto judge(std::vector<layer_break_even> const& all) -> break_even_agreement {
  break_even_agreement a{.pairs = all.size()};
  for (auto const& b : all) {
    a.agreed += b.agreed() ? 1 : 0;
    if (!b.seen()) continue;
    ++a.seen;
    a.mean += b.error();
    a.worst = std::max(a.worst, b.error());
    a.within_10 += b.error() <= 0.10 ? 1 : 0;
    a.within_3 += b.error() <= 0.03 ? 1 : 0;
  }
  if (a.pairs > 0) a.agreed /= static_cast<double>(a.pairs);
  if (a.seen > 0) {
    a.mean /= static_cast<double>(a.seen);
    a.within_10 /= static_cast<double>(a.seen);
    a.within_3 /= static_cast<double>(a.seen);
  }
  return a;
}

} // namespace mars::measurement
