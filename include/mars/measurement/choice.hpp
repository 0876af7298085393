// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/cross_validation.hpp>
#include <mars/measurement/measure_layers.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars::measurement {

/// What a network loses by who chooses its kernels, layer by layer; reorders between layers not counted.
struct choice_regret {
  std::string network{};
  std::size_t layers{}; ///< that have a choice: two kernels or more
  seconds chosen{};     ///< all layers, as often as they occur
  seconds best{};       ///< had each the kernel that measured fastest
  std::size_t hits{};   ///< layers for which that was chosen

  /// 0: nothing lost; 0.1: a tenth longer than need be.
  [[nodiscard]] auto loss() const -> double { return best > seconds{} ? chosen / best - 1 : 0; }
};

/// By network, in the order of their rows. Of the rows that `wanted`, the one of each layer counts for
/// which `score(i)`, i its index, is least; rows without a score (nothing, as an optional) are not
/// chosen. Layers none of whose rows has a score are left out.
template <class Wanted, class Score>
[[nodiscard]] auto regret_of(measured_layers const& measured, Wanted const& wanted,
                             Score const& score) -> std::vector<choice_regret> {
  struct choice {
    std::size_t kernels{};
    std::optional<double> least{};
    std::size_t chosen{};
    std::size_t best{};
  };
  std::vector<choice_regret> result;
  std::map<std::pair<std::string, std::string>, choice> layers;
  auto const& rows = measured.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!wanted(rows[i])) continue;
    auto& c = layers[{rows[i].network, rows[i].layer + " " + to_text(rows[i].shape)}];
    if (c.kernels++ == 0 || rows[i].time() < rows[c.best].time()) c.best = i;
    std::optional<double> const s = score(i);
    if (s && (!c.least || *s < *c.least)) {
      c.least = s;
      c.chosen = i;
    }
  }
  for (auto const& r : rows)
    if (std::none_of(result.begin(), result.end(),
                     [&](choice_regret const& c) { return c.network == r.network; }))
      result.push_back({.network = r.network});
  for (auto const& [key, c] : layers) {
    if (c.kernels < 2 || !c.least) continue;
    for (auto& r : result) {
      if (r.network != key.first) continue;
      auto const repeats = static_cast<double>(rows[c.best].repeats);
      ++r.layers;
      r.chosen += rows[c.chosen].time() * repeats;
      r.best += rows[c.best].time() * repeats;
      r.hits += c.chosen == c.best ? 1 : 0;
    }
  }
  return result;
}

/// Chosen by predictions, such as those of `cost::leave_groups_out`.
template <class Wanted>
[[nodiscard]] auto regret_of_model(measured_layers const& measured, Wanted const& wanted,
                                   cost::held_out_times const& predicted)
    -> std::vector<choice_regret> {
  return regret_of(measured, wanted, [&](std::size_t i) -> std::optional<double> {
    if (!predicted[i]) return std::nullopt;
    return predicted[i]->count();
  });
}
/// Chosen by the library itself, among the same rows.
template <class Wanted>
[[nodiscard]] auto regret_of_library(measured_layers const& measured, Wanted const& wanted)
    -> std::vector<choice_regret> {
  return regret_of(measured, wanted, [&](std::size_t i) -> std::optional<double> {
    if (!measured.rows[i].automatic) return std::nullopt;
    return 0.0;
  });
}

/// Mean loss over networks that have a choice; 0 without any.
[[nodiscard]] inline auto mean_loss(std::vector<choice_regret> const& all) -> double {
  double sum = 0, n = 0;
  for (auto const& r : all) {
    if (r.layers == 0) continue;
    sum += r.loss();
    n += 1;
  }
  return n > 0 ? sum / n : 0;
}

} // namespace mars::measurement
