// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/statistics.hpp>
#include <mars/cost/break_even.hpp>
#include <mars/exploration/detail/ranked_pairs.hpp>
#include <mars/exploration/find_findings.hpp>
#include <mars/exploration/pareto.hpp>
#include <mars/exploration/response.hpp>
#include <mars/exploration/study.hpp>
#include <mars/exploration/variance.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars::exploration {

/// ln time of every cell, in index order.
template <deferred D = when_called>
[[nodiscard]] auto log_times(later<study, D> const& s) -> response {
  std::vector<std::size_t> extents;
  for (auto const& a : s.axes) extents.push_back(a.elements.size());
  later<response, D> r{std::move(extents)};
  for (auto const& c : s.cells) r[r.index(c.at)] = std::log(c.time.count());
  return r;
}

namespace detail {

inline constexpr std::size_t most_interactions = 100;

template <deferred D = when_called>
class basic_analysis {
public:
  explicit basic_analysis(later<study, D>& s) : s_{s}, r_{log_times<D>(s)} {
    cell_of_.assign(r_.size(), none);
    for (std::size_t i = 0; i < s.cells.size(); ++i) cell_of_[r_.index(s.cells[i].at)] = i;
  }
  void operator()() {
    if (s_.cells.empty()) return;
    perturb();
    split();
    find_fronts();
    correlate();
    find_break_evens();
    compare_compressions();
    find_flips();
  }

private:
  using pairs = basic_ranked_pairs<D>;
  static constexpr auto none = ~std::size_t{0};

  [[nodiscard]] auto extent(axis_id a) const -> std::uint16_t {
    return static_cast<std::uint16_t>(s_.elements(a).size());
  }
  [[nodiscard]] static auto plain(coordinate const& at) -> std::vector<std::size_t> {
    return {at.begin(), at.end()};
  }
  [[nodiscard]] auto cell_at(coordinate const& at) const -> cell const* {
    auto const i = cell_of_[r_.index(at)];
    return i == none ? nullptr : &s_.cells[i];
  }

  /// Every network's base cell; networks are moved from the base of all.
  void perturb() {
    std::vector<interaction> all;
    for (std::uint16_t n = 0; n < extent(axis_id::network); ++n) {
      auto base = s_.base;
      base[0] = n;
      for (std::size_t a = n == s_.base[0] ? 0 : 1; a < axis_count; ++a)
        for (std::uint16_t to = 0; to < extent(all_axes[a]); ++to) {
          if (to == base[a]) continue;
          if (auto const e = effect_of<D>(r_, plain(base), a, to))
            s_.perturbations.push_back({all_axes[a], base, to, *e});
          for (auto b = a + 1; b < axis_count; ++b)
            for (std::uint16_t other = 0; other < extent(all_axes[b]); ++other) {
              if (other == base[b]) continue;
              if (auto const e = interaction_of<D>(r_, plain(base), a, to, b, other))
                all.push_back({all_axes[a], all_axes[b], base, to, other, *e});
            }
        }
    }
    s_.interactions_tried = all.size();
    std::stable_sort(all.begin(), all.end(), [](interaction const& x, interaction const& y) {
      return std::abs(x.effect) > std::abs(y.effect);
    });
    if (all.size() > most_interactions)
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(most_interactions), all.end());
    s_.interactions = std::move(all);
  }

  void split() {
    auto& v = s_.variance;
    auto const b = largest_complete_block<D>(r_);
    auto const part = part_of<D>(r_, b);
    std::vector<sum_of_squares> found;
    // A block of less than half of what is legal speaks for too little.
    if (2 * part.size() >= s_.cells.size()) {
      v.method = variance_method::orthogonal;
      v.cells = part.size();
      for (std::size_t a = 0; a < axis_count; ++a)
        for (auto const e : b[a]) v.block[a].push_back(static_cast<std::uint16_t>(e));
      found = split_variance<D>(part);
    } else {
      v.method = variance_method::drop_one;
      v.cells = s_.cells.size();
      found = drop_one_variance<D>(r_);
    }
    v.excluded = s_.cells.size() - v.cells;
    v.total = found.front().value;
    for (std::size_t i = 1; i < found.size(); ++i) {
      variance_share share{.axes = {},
                           .sum_of_squares = found[i].value,
                           .share = v.total > 0 ? found[i].value / v.total : 0};
      for (std::size_t a = 0; a < axis_count; ++a)
        if ((found[i].axes >> a & 1U) != 0) share.axes.push_back(all_axes[a]);
      v.shares.push_back(std::move(share));
    }
  }

  /// Known everywhere, and not one power times time: that would repeat the time.
  [[nodiscard]] auto energy_counts(std::vector<std::size_t> const& cells) const -> bool {
    double least = 0, most = 0;
    for (auto const i : cells) {
      auto const& c = s_.cells[i];
      if (!is_known(c.energy)) return false;
      auto const power = c.energy.count() / c.time.count();
      least = i == cells.front() ? power : std::min(least, power);
      most = i == cells.front() ? power : std::max(most, power);
    }
    return most > least * (1 + 1e-6); // times are whole picoseconds
  }
  [[nodiscard]] static auto point_of(cell const& c, bool known, bool energy)
      -> std::vector<double> {
    std::vector<double> p;
    if (known) p.push_back(-c.accuracy.top1);
    p.push_back(static_cast<double>(c.weights.count()));
    p.push_back(c.time.count());
    if (energy) p.push_back(c.energy.count());
    return p;
  }
  void find_fronts() {
    auto const front_of = [&](std::optional<std::uint16_t> network, std::uint16_t design,
                              bool known) {
      pareto_front f{.network = network, .design = design, .criteria = {}, .cells = {}};
      std::vector<std::size_t> candidates;
      for (std::size_t i = 0; i < s_.cells.size(); ++i) {
        auto const& c = s_.cells[i];
        if (c.at[4] != design || (network && c.at[0] != *network) ||
            (c.accuracy.known != provenance::unknown) != known)
          continue;
        candidates.push_back(i);
      }
      if (candidates.empty()) return;
      bool const energy = energy_counts(candidates);
      if (known) f.criteria.push_back(criterion::accuracy);
      f.criteria.push_back(criterion::model_bytes);
      f.criteria.push_back(criterion::time);
      if (energy) f.criteria.push_back(criterion::energy);
      // Only cells whose accuracies compare can beat each other.
      std::map<std::pair<std::string, double>, std::vector<std::size_t>> comparable;
      for (auto const i : candidates) {
        auto const& a = s_.cells[i].accuracy;
        comparable[known ? std::pair{a.source, network ? a.reference : 0}
                         : std::pair{std::string{}, 0.0}]
            .push_back(i);
      }
      for (auto const& [key, members] : comparable) {
        later<std::vector<std::vector<double>>, D> points;
        for (auto const i : members) points.push_back(point_of(s_.cells[i], known, energy));
        for (auto const k : pareto_front_of<D>(points)) f.cells.push_back(members[k]);
      }
      std::sort(f.cells.begin(), f.cells.end());
      std::stable_sort(f.cells.begin(), f.cells.end(), [&](std::size_t a, std::size_t b) {
        return s_.cells[a].time < s_.cells[b].time;
      });
      f.candidates = candidates.size();
      s_.fronts.push_back(std::move(f));
    };
    for (std::uint16_t d = 0; d < extent(axis_id::design); ++d)
      for (bool const known : {true, false}) {
        front_of(std::nullopt, d, known);
        for (std::uint16_t n = 0; n < extent(axis_id::network); ++n) front_of(n, d, known);
      }
  }

  void add_correlation(correlation c, pairs const& p) {
    auto const found = correlate_ranks<D>(p.x, p.y);
    c.n = found.n;
    c.kendall = found.tau_b;
    c.spearman = found.rho;
    c.discordant = count_pair_orders<D>(p.x, p.y).discordant_share();
    c.source = p.source;
    s_.correlations.push_back(std::move(c));
  }
  void correlate() {
    constexpr std::array quantities{quantity_id::model_bytes, quantity_id::valid_macs,
                                    quantity_id::executed_macs, quantity_id::accuracy};
    for (auto const q : quantities) {
      std::vector<cell const*> all;
      for (auto const& c : s_.cells) all.push_back(&c);
      pairs const p{all, q};
      if (q == quantity_id::accuracy && p.x.empty()) continue;
      add_correlation({.quantity = q, .pooled = true}, p);
    }
    for (auto const q : quantities)
      for (std::uint16_t p = 0; p < extent(axis_id::primitive); ++p)
        for (std::uint16_t g = 0; g < extent(axis_id::code_generation); ++g)
          for (std::uint16_t d = 0; d < extent(axis_id::design); ++d) {
            std::vector<cell const*> cells;
            for (auto const& c : s_.cells)
              if (c.at[2] == p && c.at[3] == g && c.at[4] == d) cells.push_back(&c);
            pairs const slice{cells, q};
            if (slice.x.size() < 2) continue;
            add_correlation({.quantity = q, .primitive = p, .code_generation = g, .design = d},
                            slice);
          }
    for (auto const q : quantities) {
      std::vector<double> taus;
      for (std::uint16_t c = 0; c < extent(axis_id::compression); ++c)
        for (std::uint16_t p = 0; p < extent(axis_id::primitive); ++p)
          for (std::uint16_t g = 0; g < extent(axis_id::code_generation); ++g)
            for (std::uint16_t d = 0; d < extent(axis_id::design); ++d) {
              std::vector<cell const*> cells;
              for (std::uint16_t n = 0; n < extent(axis_id::network); ++n)
                if (auto const* at = cell_at({n, c, p, g, d})) cells.push_back(at);
              pairs const slice{cells, q};
              if (slice.x.size() < 3) continue;
              if (auto const tau = kendall_tau_b<D>(slice.x, slice.y)) taus.push_back(*tau);
            }
      if (taus.empty()) continue;
      auto const [least, most] = std::minmax_element(taus.begin(), taus.end());
      s_.correlation_ranges.push_back({q, taus.size(), *least, median<D>(taus), *most});
    }
  }

  [[nodiscard]] static auto least_level(std::vector<cost::sparsity_point> const& points) -> double {
    auto least = points.front().sparsity;
    for (auto const& p : points) least = std::min(least, p.sparsity);
    return least;
  }
  /// Sparse primitives are those that are legal on pruned networks only.
  void find_break_evens() {
    if (!s_.base_is_uncompressed) return;
    std::vector<std::uint16_t> levels;
    for (std::uint16_t c = 0; c < extent(axis_id::compression); ++c)
      if (s_.elements(axis_id::compression)[c].level) levels.push_back(c);
    for (std::uint16_t n = 0; n < extent(axis_id::network); ++n)
      for (std::uint16_t sparse = 0; sparse < extent(axis_id::primitive); ++sparse)
        for (std::uint16_t dense = 0; dense < extent(axis_id::primitive); ++dense)
          for (std::uint16_t g = 0; g < extent(axis_id::code_generation); ++g)
            for (std::uint16_t d = 0; d < extent(axis_id::design); ++d) {
              auto const base = s_.base[1];
              auto const* opponent = cell_at({n, base, dense, g, d});
              if (opponent == nullptr || cell_at({n, base, sparse, g, d}) != nullptr) continue;
              std::vector<cost::sparsity_point> points;
              for (auto const c : levels)
                if (auto const* at = cell_at({n, c, sparse, g, d}))
                  points.push_back({*s_.elements(axis_id::compression)[c].level, at->time});
              if (points.size() < 2) continue;
              auto const sparsity = cost::break_even_of<D>(points, opponent->time);
              s_.break_evens.push_back({.network = n,
                                        .sparse = sparse,
                                        .opponent = dense,
                                        .code_generation = g,
                                        .design = d,
                                        .sparsity = sparsity,
                                        .at_most = sparsity == least_level(points)});
            }
  }

  /// The fastest primitive of a cell without one.
  [[nodiscard]] auto fastest(coordinate at) const -> cell const* {
    cell const* best = nullptr;
    for (at[2] = 0; at[2] < extent(axis_id::primitive); ++at[2])
      if (auto const* c = cell_at(at); c != nullptr && (best == nullptr || c->time < best->time))
        best = c;
    return best;
  }
  void compare_compressions() {
    if (!s_.base_is_uncompressed) return;
    constexpr double two_percent = 0.0198; // ln 1.02
    for (std::uint16_t n = 0; n < extent(axis_id::network); ++n)
      for (std::uint16_t c = 0; c < extent(axis_id::compression); ++c)
        for (std::uint16_t g = 0; g < extent(axis_id::code_generation); ++g) {
          if (c == s_.base[1]) continue;
          compression_effect e{
              .network = n, .compression = c, .code_generation = g, .by_design = {}};
          bool faster = false, slower = false;
          for (std::uint16_t d = 0; d < extent(axis_id::design); ++d) {
            auto const* with = fastest({n, c, 0, g, d});
            auto const* without = fastest({n, s_.base[1], 0, g, d});
            auto& effect = e.by_design.emplace_back();
            if (with == nullptr || without == nullptr) continue;
            effect = std::log(with->time / without->time);
            faster = faster || *effect < -two_percent;
            slower = slower || *effect > two_percent;
          }
          e.sign_changes = faster && slower;
          s_.compression_effects.push_back(std::move(e));
        }
  }

  /// Among the primitives of which most was run with both codes, each run put to the whole network by
  /// the model's share of it.
  void count_measured_flip(coordinate before, coordinate after) {
    auto const whole = [&](coordinate const& at) -> std::optional<seconds> {
      auto const* c = cell_at(at);
      if (c == nullptr || !c->run || !(c->run->share >= 0.5)) return std::nullopt;
      return c->run->measured / c->run->share;
    };
    std::optional<std::pair<seconds, std::uint16_t>> first, second;
    std::size_t known = 0;
    for (std::uint16_t p = 0; p < extent(axis_id::primitive); ++p) {
      before[2] = after[2] = p;
      auto const x = whole(before), y = whole(after);
      if (!x || !y) continue;
      ++known;
      if (!first || *x < first->first) first.emplace(*x, p);
      if (!second || *y < second->first) second.emplace(*y, p);
    }
    if (known < 2) return;
    ++s_.measured_flip_candidates;
    s_.measured_flips += first->second != second->second ? 1U : 0U;
  }
  /// The first code generation against the last.
  void find_flips() {
    auto const last = static_cast<std::uint16_t>(extent(axis_id::code_generation) - 1);
    if (last == 0) return;
    for (std::uint16_t n = 0; n < extent(axis_id::network); ++n)
      for (std::uint16_t c = 0; c < extent(axis_id::compression); ++c)
        for (std::uint16_t d = 0; d < extent(axis_id::design); ++d) {
          auto const* before = fastest({n, c, 0, 0, d});
          auto const* after = fastest({n, c, 0, last, d});
          if (before == nullptr || after == nullptr) continue;
          count_measured_flip({n, c, 0, 0, d}, {n, c, 0, last, d});
          ++s_.flip_candidates;
          if (before->at[2] != after->at[2])
            s_.flips.push_back({n, c, d, before->at[2], after->at[2]});
        }
  }

  later<study, D>& s_;
  later<response, D> r_;
  std::vector<std::size_t> cell_of_; ///< by index in `r_`
};

} // namespace detail

/// Fills what follows from the cells of a study, in place of what was there: perturbations and
/// interactions, variance shares, fronts, rank correlations, break-even sparsities, what compression
/// buys where, what tuning flips, and the findings. `best` is not touched: it takes the operators.
template <deferred D = when_called>
void analyse(later<study, D>& s) {
  s.perturbations.clear();
  s.interactions.clear();
  s.interactions_tried = 0;
  s.variance = {};
  s.fronts.clear();
  s.correlations.clear();
  s.correlation_ranges.clear();
  s.break_evens.clear();
  s.compression_effects.clear();
  s.flips.clear();
  s.flip_candidates = 0;
  s.measured_flips = s.measured_flip_candidates = 0;
  detail::basic_analysis<D>{s}();
  s.findings = find_findings<D>(s);
}

} // namespace mars::exploration
