// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/exploration/study.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars::exploration {

namespace detail {

/// Two digits behind the point.
template <deferred = when_called>
[[nodiscard]] auto two_digits(double x) -> std::string {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", x);
  return text;
}
template <deferred = when_called>
[[nodiscard]] auto words_of(quantity_id q) -> std::string {
  std::string text{word_of(q)};
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}
template <deferred = when_called>
[[nodiscard]] auto of(std::size_t some, std::size_t all) -> std::string {
  return std::to_string(some) + " of " + std::to_string(all);
}

/// Size or accuracy say little about time where all else is fixed: in a slice of at least four cells more
/// than one pair in ten, of those that differ in both, is ordered the other way. Tau-b does not decide:
/// ties on one side keep it away from 1, too. What is pooled mixes designs and is told only.
template <deferred D = when_called>
[[nodiscard]] auto find_uncorrelated(later<study, D> const& s) -> finding {
  finding f{.name = "uncorrelated",
            .claim = "model size, accuracy and inference time are not guaranteed to be correlated",
            .evidence = {}};
  bool any = false, low = false;
  for (auto const q : {quantity_id::model_bytes, quantity_id::accuracy}) {
    std::size_t slices = 0, opposed = 0;
    double most = 0;
    for (auto const& c : s.correlations) {
      if (c.pooled || c.quantity != q || c.n < 4 || !c.discordant) continue;
      ++slices;
      opposed += *c.discordant > 0.1 ? 1 : 0;
      most = std::max(most, *c.discordant);
    }
    if (slices == 0) continue;
    any = true;
    low = low || opposed > 0;
    f.evidence += (f.evidence.empty() ? "" : "; ") + words_of(q) +
                  ": by the model more than one pair in ten is ordered against time in " +
                  of(opposed, slices) +
                  " slices of one primitive, code generation and design, at most " +
                  two_digits(100 * most) + " % of a slice";
  }
  bool first = true;
  for (auto const& c : s.correlations) {
    if (!any || !c.pooled || !c.kendall) continue;
    f.evidence += (first ? "; tau-b over all cells, designs mixed: " : ", ") +
                  words_of(c.quantity) + " " + two_digits(*c.kendall) +
                  " (n = " + std::to_string(c.n) + ")";
    first = false;
  }
  for (auto const& r : s.correlation_ranges)
    if (any)
      f.evidence += "; tau-b of " + words_of(r.quantity) + " over networks alone " +
                    two_digits(r.least) + " to " + two_digits(r.most) + ", median " +
                    two_digits(r.median) + " (" + std::to_string(r.slices) + " slices)";
  if (!any)
    f.evidence = "no slice of one primitive, code generation and design has four cells that differ";
  else
    f.result = low ? verdict::holds : verdict::does_not_hold;
  return f;
}

/// Compression pays on one design and costs on another, or the best one differs.
template <deferred D = when_called>
[[nodiscard]] auto find_hardware_dependence(later<study, D> const& s) -> finding {
  finding f{.name = "hardware_dependent",
            .claim = "speed-ups from compression depend on the hardware",
            .evidence = {}};
  if (!s.base_is_uncompressed) {
    f.evidence = "no compression of the study leaves the networks as they are";
    return f;
  }
  std::size_t signs = 0, compared = 0, groups = 0, ranks = 0;
  double widest = 0;
  compression_effect const* most = nullptr;
  auto const& all = s.compression_effects;
  for (auto const& e : all) {
    double least = 0, largest = 0;
    std::size_t known = 0;
    for (auto const& x : e.by_design) {
      if (!x) continue;
      least = known == 0 ? *x : std::min(least, *x);
      largest = known == 0 ? *x : std::max(largest, *x);
      ++known;
    }
    if (known < 2) continue;
    ++compared;
    signs += e.sign_changes ? 1 : 0;
    if (largest - least > widest) widest = largest - least, most = &e;
  }
  // The fastest compression of a network and code, design by design; none where none is faster. Only
  // those that all of these designs can run: what is missing on one does not differ there.
  auto const networks = s.elements(axis_id::network).size();
  auto const codes = s.elements(axis_id::code_generation).size();
  auto const designs = s.elements(axis_id::design).size();
  for (std::size_t n = 0; n < networks; ++n)
    for (std::size_t g = 0; g < codes; ++g) {
      std::vector<compression_effect const*> here;
      for (auto const& e : all)
        if (e.network == n && e.code_generation == g) here.push_back(&e);
      std::vector<std::size_t> compared_on;
      for (std::size_t d = 0; d < designs; ++d)
        if (std::any_of(here.begin(), here.end(), [&](auto* e) { return bool{e->by_design[d]}; }))
          compared_on.push_back(d);
      std::erase_if(here, [&](auto* e) {
        return std::any_of(compared_on.begin(), compared_on.end(),
                           [&](std::size_t d) { return !e->by_design[d]; });
      });
      if (here.empty()) continue;
      std::vector<std::uint16_t> winners;
      for (auto const d : compared_on) {
        auto winner = s.base[static_cast<std::size_t>(axis_id::compression)];
        double least = 0; // of leaving the network as it is
        for (auto const* e : here)
          if (*e->by_design[d] < least) least = *e->by_design[d], winner = e->compression;
        winners.push_back(winner);
      }
      if (winners.size() < 2) continue;
      ++groups;
      ranks +=
          std::any_of(winners.begin(), winners.end(), [&](auto w) { return w != winners.front(); })
              ? 1
              : 0;
    }
  if (compared == 0) {
    f.evidence = "fewer than two designs, or no compression beside the base";
    return f;
  }
  f.result = signs + ranks > 0 ? verdict::holds : verdict::does_not_hold;
  f.evidence = "by the model " + of(signs, compared) +
               " compressed networks (by code generation) are faster on one design and slower on "
               "another, by more than 2 % each; of the compressions that run on all designs the "
               "fastest differs for " +
               of(ranks, groups) + " networks and code generations";
  if (most != nullptr)
    f.evidence += "; the widest spread of speed-ups is " + two_digits(std::exp(widest)) +
                  "-fold (" + s.elements(axis_id::network)[most->network].name + ", " +
                  s.elements(axis_id::compression)[most->compression].name + ")";
  return f;
}

/// Tuned code has another best primitive than untuned code.
template <deferred D = when_called>
[[nodiscard]] auto find_tuning_flips(later<study, D> const& s) -> finding {
  finding f{.name = "tuning_flips",
            .claim = "auto-tuning can change which algorithm is best",
            .evidence = {}};
  if (s.flip_candidates == 0) {
    f.evidence = "one code generation only";
    return f;
  }
  // By operator: the same network, compression and design with the first and the last code.
  std::size_t operators = 0, flipped = 0;
  auto const last = s.elements(axis_id::code_generation).size() - 1;
  for (auto const& before : s.best) {
    if (before.code_generation != 0) continue;
    auto const after = std::find_if(s.best.begin(), s.best.end(), [&](best_algorithms const& b) {
      return b.network == before.network && b.compression == before.compression &&
             b.design == before.design && b.code_generation == last;
    });
    if (after == s.best.end() || after->operators.size() != before.operators.size()) continue;
    for (std::size_t i = 0; i < before.operators.size(); ++i) {
      ++operators;
      flipped += before.operators[i].fastest != after->operators[i].fastest ? 1 : 0;
    }
  }
  f.result = !s.flips.empty() || flipped > 0 ? verdict::holds : verdict::does_not_hold;
  f.evidence = "by the model the fastest primitive of a whole network changes in " +
               of(s.flips.size(), s.flip_candidates) + " cases";
  if (operators > 0) f.evidence += "; that of a single operator in " + of(flipped, operators);
  if (s.measured_flip_candidates > 0)
    f.evidence += "; measured on this machine, a whole network's: " +
                  of(s.measured_flips, s.measured_flip_candidates);
  return f;
}

/// Moves along two axes do not multiply: by more than a tenth for some pair.
template <deferred D = when_called>
[[nodiscard]] auto find_interactions(later<study, D> const& s) -> finding {
  finding f{.name = "interactions",
            .claim = "perturbations at different layers of the stack interact",
            .evidence = {}};
  if (s.interactions.empty()) {
    f.evidence = "no two moves whose four cells are legal";
    return f;
  }
  auto const& i = s.interactions.front();
  auto const factor = std::exp(std::abs(i.effect));
  f.result = factor > 1.1 ? verdict::holds : verdict::does_not_hold;
  f.evidence = "by the model, of " + std::to_string(s.interactions_tried) +
               " pairs of moves from a base cell the largest interaction is " +
               two_digits(i.effect) + " in ln time (" + two_digits(factor) +
               "-fold): " + s.name_of(i.base, axis_id::network) + ", " +
               s.elements(i.first)[i.to_first].name + " with " +
               s.elements(i.second)[i.to_second].name;
  double between = 0;
  for (auto const& v : s.variance.shares)
    if (v.axes.size() > 1) between += v.share;
  if (s.variance.method == variance_method::orthogonal)
    f.evidence +=
        "; interactions take " + two_digits(100 * between) + " % of the variance of ln time";
  return f;
}

} // namespace detail

/// Holds the claims of DLAS's abstracts against a study's own figures.
template <deferred D = when_called>
[[nodiscard]] auto find_findings(later<study, D> const& s) -> std::vector<finding> {
  std::vector<finding> all;
  all.push_back(detail::find_uncorrelated<D>(s));
  all.push_back(detail::find_hardware_dependence<D>(s));
  all.push_back(detail::find_tuning_flips<D>(s));
  all.push_back(detail::find_interactions<D>(s));
  return all;
}

} // namespace mars::exploration
