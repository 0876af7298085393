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
  /// How far the model is off, never being at 1.
  [[nodiscard]] auto error() const -> double {
    return std::abs(predicted.value_or(1) - measured.value_or(1));
  }
};

/// Of all layers that were measured dense and with two shares of zeros or more, each sparse primitive
/// against each dense one of the same code; in the order of names. `predicted` is of the rows, such as
/// `cost::leave_groups_out`'s; pairs it does not predict in full are left out.
[[nodiscard]] inline auto break_evens_of(measured_layers const& all,
                                         cost::held_out_times const& predicted)
    -> std::vector<layer_break_even> {
  struct curve {
    std::vector<cost::sparsity_point> measured{}, predicted{};
  };
  using primitives = std::map<std::string, curve>;
  // By network, code, shape without zeros: dense primitives and sparse ones.
  std::map<std::tuple<std::string, std::string, std::string>, std::pair<primitives, primitives>>
      layers;
  std::map<std::pair<std::string, std::string>, std::string> names;
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    auto const& r = all.rows[i];
    if (!predicted[i] || r.element != precision::fp32) continue;
    auto shape = r.shape;
    shape.density = 1;
    auto const text = to_text(shape);
    names.try_emplace({r.network, text}, r.layer);
    auto& [dense, sparse] = layers[{r.network, r.code, text}];
    auto& c = (r.shape.density < 1 ? sparse : dense)[r.primitive];
    c.measured.push_back({1 - r.shape.density, r.time()});
    c.predicted.push_back({1 - r.shape.density, *predicted[i]});
  }
  std::vector<layer_break_even> result;
  for (auto const& [key, of] : layers) {
    auto const& [network, code, text] = key;
    for (auto const& [sparse, s] : of.second) {
      if (s.measured.size() < 2) continue;
      auto const [least, largest] =
          std::minmax_element(s.measured.begin(), s.measured.end(),
                              [](auto const& a, auto const& b) { return a.sparsity < b.sparsity; });
      for (auto const& [opponent, d] : of.first)
        result.push_back({.network = network,
                          .layer = names.at({network, text}),
                          .code = code,
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

/// Of those that measurement saw pass.
struct break_even_agreement {
  std::size_t seen{};
  std::size_t pairs{}; ///< of which
  double mean{};       ///< of the errors
  double worst{};
  double within_10{}; ///< share that is off by 0.10 at most
  double within_3{};
};
[[nodiscard]] inline auto judge(std::vector<layer_break_even> const& all) -> break_even_agreement {
  break_even_agreement a{.pairs = all.size()};
  for (auto const& b : all) {
    if (!b.seen()) continue;
    ++a.seen;
    a.mean += b.error();
    a.worst = std::max(a.worst, b.error());
    a.within_10 += b.error() <= 0.10 ? 1 : 0;
    a.within_3 += b.error() <= 0.03 ? 1 : 0;
  }
  if (a.seen > 0) {
    a.mean /= static_cast<double>(a.seen);
    a.within_10 /= static_cast<double>(a.seen);
    a.within_3 /= static_cast<double>(a.seen);
  }
  return a;
}

} // namespace mars::measurement
