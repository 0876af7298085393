// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/bit_rows.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mars::detail {

inline constexpr std::uint32_t nobody = 0xFFFF'FFFFU;

/// Hopcroft–Karp over rows of bits: each row wants one column. Rows ask for their highest column first,
/// in order. At most 2√V phases of O(V²/64), however many edges there are.
/// Source: Hopcroft and Karp, SIAM J. Computing 2(4), 1973.
template <deferred D = when_called>
class basic_bipartite_matching {
public:
  /// `start`: of each row its column or nobody; who has one keeps one.
  basic_bipartite_matching(later<bit_rows, D> const& wants,
                           later<std::vector<std::uint32_t>, D> start)
      : wants_{wants},
        column_of_{std::move(start)},
        layers_{0, wants.columns()},
        unseen_{1, wants.columns()} {
    row_of_.assign(wants.columns(), nobody);
    for (std::uint32_t r = 0; r < column_of_.size(); ++r)
      if (column_of_[r] != nobody) row_of_[column_of_[r]] = r;
  }

  /// Of each row its column or nobody, as many as can be.
  [[nodiscard]] auto operator()() -> later<std::vector<std::uint32_t>, D> {
    while (find_layers())
      for (std::uint32_t r = 0; r < column_of_.size(); ++r)
        if (column_of_[r] == nobody) augment(r);
    return std::move(column_of_);
  }

private:
  using words = std::span<bit_rows::word const>;

  /// The highest number in both; nobody if there is none.
  [[nodiscard]] static auto last_common(words a, words b) -> std::uint32_t {
    for (auto w = a.size(); w-- > 0;)
      if (auto const both = a[w] & b[w]; both != 0)
        return static_cast<std::uint32_t>(w * 64 + 63 -
                                          static_cast<std::size_t>(std::countl_zero(both)));
    return nobody;
  }

  /// Columns by their distance from rows without one, up to the nearest that is free.
  [[nodiscard]] auto find_layers() -> bool {
    layers_ = bit_rows{0, wants_.columns()};
    unseen_.fill(0);
    front_.clear();
    for (std::uint32_t r = 0; r < column_of_.size(); ++r)
      if (column_of_[r] == nobody) front_.push_back(r);
    bool found = false;
    for (std::size_t depth = 0; !found && !front_.empty(); ++depth) {
      layers_.add_row();
      next_.clear();
      for (auto const r : front_)
        for (auto c = last_common(wants_[r], unseen_[0]); c != nobody;
             c = last_common(wants_[r], unseen_[0])) {
          unseen_.reset(0, c);
          layers_.set(depth, c);
          if (row_of_[c] == nobody)
            found = true;
          else
            next_.push_back(row_of_[c]);
        }
      front_.swap(next_);
    }
    return found;
  }

  /// Along a shortest path of columns nobody else used in this phase, if there is one left.
  void augment(std::uint32_t root) {
    rows_.assign(1, root);
    columns_.clear();
    while (!rows_.empty()) {
      auto const depth = rows_.size() - 1;
      auto const c =
          depth < layers_.rows() ? last_common(wants_[rows_.back()], layers_[depth]) : nobody;
      if (c == nobody) {
        rows_.pop_back();
        if (!columns_.empty()) columns_.pop_back();
        continue;
      }
      layers_.reset(depth, c);
      columns_.push_back(c);
      if (row_of_[c] != nobody) {
        rows_.push_back(row_of_[c]);
        continue;
      }
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        column_of_[rows_[i]] = columns_[i];
        row_of_[columns_[i]] = rows_[i];
      }
      return;
    }
  }

  later<bit_rows, D> const& wants_;
  later<std::vector<std::uint32_t>, D> column_of_, row_of_;
  later<bit_rows, D> layers_, unseen_;
  later<std::vector<std::uint32_t>, D> front_, next_, rows_, columns_;
};

/// Of each row its column or nobody: as many as can be, those of `start` among the rows that have one.
template <deferred D = when_called>
[[nodiscard]] auto maximum_matching(later<bit_rows, D> const& wants,
                                    later<std::vector<std::uint32_t>, D> start = {})
    -> later<std::vector<std::uint32_t>, D> {
  start.resize(wants.rows(), nobody);
  return basic_bipartite_matching<D>{wants, std::move(start)}();
}

} // namespace mars::detail
