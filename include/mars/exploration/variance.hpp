// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/exploration/response.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mars::exploration {

/// Elements kept of each axis, rising. Complete: every cell of their product has a value.
using block = std::vector<std::vector<std::size_t>>;

/// Sum of squares by set of axes: bit a of `axes` stands for axis a.
struct sum_of_squares {
  std::uint32_t axes{};
  double value{};
};

namespace detail {

/// Looks for the complete block of the most cells: as long as a cell is missing, one of its elements
/// has to go, which is a branch for each; what is present in a block bounds the complete ones in it.
template <deferred D = when_called>
class basic_block_search {
public:
  basic_block_search(later<response, D> const& r, std::size_t most_steps)
      : r_{r}, steps_left_{most_steps} {
    for (auto const e : r.extents()) {
      std::vector<std::size_t> all(e);
      for (std::size_t i = 0; i < e; ++i) all[i] = i;
      everything_.push_back(std::move(all));
    }
  }
  [[nodiscard]] auto operator()() -> block {
    dig(everything_);
    return best_;
  }

private:
  struct census {
    std::size_t present{};
    std::vector<std::vector<std::size_t>> missing; ///< by axis and element
    bool complete{true};
  };
  [[nodiscard]] auto count(block const& b) const -> census {
    census c;
    for (auto const& elements : b) c.missing.emplace_back(elements.size());
    std::vector<std::size_t> digit(b.size());
    std::size_t cells = 1;
    for (auto const& elements : b) cells *= elements.size();
    for (std::size_t n = 0; n < cells; ++n) {
      std::size_t i = 0;
      for (std::size_t a = 0; a < b.size(); ++a) i = i * r_.extents()[a] + b[a][digit[a]];
      if (r_.has(i)) {
        ++c.present;
      } else {
        c.complete = false;
        for (std::size_t a = 0; a < b.size(); ++a) ++c.missing[a][digit[a]];
      }
      for (auto a = b.size(); a-- > 0;) {
        if (++digit[a] < b[a].size()) break;
        digit[a] = 0;
      }
    }
    return c;
  }
  void dig(block const& b) {
    if (steps_left_ == 0) return;
    --steps_left_;
    auto const c = count(b);
    if (c.present <= best_cells_) return;
    if (c.complete) {
      best_ = b;
      best_cells_ = c.present;
      return;
    }
    // A missing cell: that with the elements that miss most. One of them goes, the worst first.
    std::size_t cells = 1;
    for (auto const& elements : b) cells *= elements.size();
    auto const worst = [&](std::size_t a) {
      auto const at = std::max_element(c.missing[a].begin(), c.missing[a].end());
      return static_cast<std::size_t>(at - c.missing[a].begin());
    };
    // Of the cells with that element the first that is missing.
    std::size_t axis = 0;
    double most = -1;
    for (std::size_t a = 0; a < b.size(); ++a) {
      auto const share = static_cast<double>(c.missing[a][worst(a)]) *
                         static_cast<double>(b[a].size()) / static_cast<double>(cells);
      if (share > most) most = share, axis = a;
    }
    auto const cell = first_missing(b, axis, worst(axis));
    std::vector<std::size_t> order(b.size());
    for (std::size_t a = 0; a < b.size(); ++a) order[a] = a;
    auto const share = [&](std::size_t a) {
      return static_cast<double>(c.missing[a][cell[a]]) * static_cast<double>(b[a].size());
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t x, std::size_t y) { return share(x) > share(y); });
    for (auto const a : order) {
      if (b[a].size() == 1) continue;
      auto less = b;
      less[a].erase(less[a].begin() + static_cast<std::ptrdiff_t>(cell[a]));
      dig(less);
    }
  }
  /// Places within the block.
  [[nodiscard]] auto first_missing(block const& b, std::size_t axis, std::size_t element) const
      -> std::vector<std::size_t> {
    std::vector<std::size_t> digit(b.size());
    digit[axis] = element;
    for (;;) {
      std::size_t i = 0;
      for (std::size_t a = 0; a < b.size(); ++a) i = i * r_.extents()[a] + b[a][digit[a]];
      if (!r_.has(i)) return digit;
      auto a = b.size();
      while (a-- > 0) {
        if (a == axis) continue;
        if (++digit[a] < b[a].size()) break;
        digit[a] = 0;
      }
      assert(a < b.size()); // the element misses a cell
    }
  }

  later<response, D> const& r_;
  std::size_t steps_left_;
  block everything_;
  block best_;
  std::size_t best_cells_{};
};

} // namespace detail

/// The complete block with the most cells (the first such, if `most_steps` suffices to look through all
/// that could be larger; else the largest met). Empty if no cell has a value. Deterministic.
template <deferred D = when_called>
[[nodiscard]] auto largest_complete_block(later<response, D> const& r,
                                          std::size_t most_steps = 2000) -> block {
  return detail::basic_block_search<D>{r, most_steps}();
}

/// The part of a response that a block selects.
template <deferred D = when_called>
[[nodiscard]] auto part_of(later<response, D> const& r, block const& b) -> response {
  std::vector<std::size_t> extents;
  for (auto const& elements : b) extents.push_back(elements.size());
  later<response, D> out{std::move(extents)};
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto at = out.coordinate_of(i);
    for (std::size_t a = 0; a < at.size(); ++a) at[a] = b[a][at[a]];
    out[i] = r[r.index(at)];
  }
  return out;
}

/// Splits the squared deviations from the mean of a complete response into those of each axis and each
/// interaction (full factorial, one value a cell): they are orthogonal and add up to the total, which
/// comes first, with no axes. Main effects follow, then interactions by number of axes. Axes with one
/// element explain nothing and are left out. Precondition: complete, at most 16 axes.
template <deferred D = when_called>
[[nodiscard]] auto split_variance(later<response, D> const& r) -> std::vector<sum_of_squares> {
  assert(r.rank() <= 16);
  std::uint32_t in_play = 0;
  for (std::size_t a = 0; a < r.rank(); ++a)
    if (r.extents()[a] > 1) in_play |= 1U << a;
  std::vector<std::uint32_t> sets;
  for (std::uint32_t s = 0; s < 1U << r.rank(); ++s)
    if ((s & ~in_play) == 0) sets.push_back(s);
  std::stable_sort(sets.begin(), sets.end(),
                   [](auto x, auto y) { return std::popcount(x) < std::popcount(y); });
  // Where a cell lies in the table of a set's means.
  auto const place = [&](std::uint32_t s, std::vector<std::size_t> const& at) {
    std::size_t i = 0;
    for (std::size_t a = 0; a < at.size(); ++a)
      if ((s >> a & 1U) != 0) i = i * r.extents()[a] + at[a];
    return i;
  };
  std::vector<std::vector<double>> effect(std::size_t{1} << r.rank());
  std::vector<sum_of_squares> out;
  auto const n = static_cast<double>(r.size());
  double total = 0;
  for (auto const s : sets) {
    std::size_t size = 1;
    for (std::size_t a = 0; a < r.rank(); ++a)
      if ((s >> a & 1U) != 0) size *= r.extents()[a];
    auto& mine = effect[s];
    mine.assign(size, 0);
    auto const share = static_cast<double>(size) / n;
    std::vector<double> sum(size);
    std::vector<std::vector<std::size_t>> of(size); // a cell of each
    for (std::size_t i = 0; i < r.size(); ++i) {
      auto at = r.coordinate_of(i);
      auto const k = place(s, at);
      sum[k] += r[i];
      if (of[k].empty()) of[k] = std::move(at);
    }
    double squares = 0;
    for (std::size_t k = 0; k < size; ++k) {
      mine[k] = sum[k] * share;
      for (auto const sub : sets)
        if (sub != s && (sub & ~s) == 0) mine[k] -= effect[sub][place(sub, of[k])];
      squares += mine[k] * mine[k];
    }
    if (s != 0) {
      out.push_back({s, squares / share});
      continue;
    }
    for (std::size_t i = 0; i < r.size(); ++i) total += (r[i] - mine[0]) * (r[i] - mine[0]);
    out.push_back({0, total});
  }
  return out;
}

/// For responses with holes: what the sum of squared residuals of the fit by main effects grows by when
/// an axis is left out of it. The total about the mean comes first. The rest need not add up to it:
/// axes that are missing together share what they explain. Precondition: some cell has a value.
template <deferred D = when_called>
[[nodiscard]] auto drop_one_variance(later<response, D> const& r) -> std::vector<sum_of_squares> {
  std::vector<std::size_t> cells;
  for (std::size_t i = 0; i < r.size(); ++i)
    if (r.has(i)) cells.push_back(i);
  // Residual of the least-squares fit by the mean and the axes of a set, by normal equations; columns
  // that others explain are skipped.
  auto const residual = [&](std::uint32_t axes) {
    std::vector<std::size_t> first(r.rank());
    std::size_t columns = 1;
    for (std::size_t a = 0; a < r.rank(); ++a) {
      first[a] = columns;
      if ((axes >> a & 1U) != 0) columns += r.extents()[a] - 1;
    }
    std::vector<std::vector<double>> m(columns, std::vector<double>(columns + 1));
    double squares = 0, mean = 0;
    for (auto const i : cells) mean += r[i] / static_cast<double>(cells.size());
    for (auto const i : cells) {
      std::vector<std::size_t> ones{0};
      auto const at = r.coordinate_of(i);
      for (std::size_t a = 0; a < r.rank(); ++a)
        if ((axes >> a & 1U) != 0 && at[a] > 0) ones.push_back(first[a] + at[a] - 1);
      auto const y = r[i] - mean;
      squares += y * y;
      for (auto const x : ones) {
        for (auto const z : ones) m[x][z] += 1;
        m[x][columns] += y;
      }
    }
    for (std::size_t k = 0; k < columns; ++k) {
      if (m[k][k] < 1e-9) continue;
      squares -= m[k][columns] * m[k][columns] / m[k][k];
      for (auto x = k + 1; x < columns; ++x) {
        auto const factor = m[x][k] / m[k][k];
        for (auto z = k; z <= columns; ++z) m[x][z] -= factor * m[k][z];
      }
    }
    return squares;
  };
  auto const all = (1U << r.rank()) - 1;
  auto const full = residual(all);
  std::vector<sum_of_squares> out{{0, residual(0)}};
  for (std::uint32_t a = 0; a < r.rank(); ++a)
    if (r.extents()[a] > 1) out.push_back({1U << a, residual(all & ~(1U << a)) - full});
  return out;
}

} // namespace mars::exploration
