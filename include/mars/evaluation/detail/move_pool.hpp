// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/evaluation/detail/layout_pool.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// Redistributions between sets of two sizes, told apart by what their price can depend on.
///
/// A box is a product over axes, and so is the overlap of two boxes: an axis contributes which rank
/// has which part of it, and where parts begin and end — whole numbers times their common divisor.
/// Two redistributions whose axes contribute the same in any order, with the same product of
/// divisors, send the same numbers of elements between the same ranks in the same order. (An axis
/// that nobody divides contributes a factor.) So a tensor of 64 rows by 32 columns that is cut by
/// rows and needed by columns costs what its transpose does, and one question answers for both.
template <deferred D = when_called>
class basic_move_pool {
public:
  struct question {
    std::uint32_t owned{}; ///< layouts, of the first redistribution of its like
    std::uint32_t needed{};
    int element_bits{};
  };

  explicit basic_move_pool(basic_layout_pool<D> const& layouts) : layouts_{&layouts} {}

  /// The number of the question what moving elements of that many bits costs.
  [[nodiscard]] auto operator()(std::uint32_t owned, std::uint32_t needed, int element_bits)
      -> std::uint32_t {
    key k{};
    std::int64_t scale = 1;
    std::size_t used = 0;
    auto const& from = layouts_->axes(owned);
    auto const& to = layouts_->axes(needed);
    for (std::size_t a = 0; a < from.size(); ++a) {
      auto const met = axis(from[a], to[a]);
      scale *= met.divisor;
      if (met.pattern != undivided) k[used++] = met.pattern;
    }
    if (scale == 0) used = 0; // nothing moves
    std::sort(k.begin(), k.begin() + static_cast<std::ptrdiff_t>(used));
    std::fill(k.begin() + static_cast<std::ptrdiff_t>(used), k.end(), 0);
    k[max_rank] = scale;
    k[max_rank + 1] = element_bits;
    auto const id = ids_(k);
    if (id == questions_.size()) questions_.push_back({owned, needed, element_bits});
    return id;
  }
  [[nodiscard]] auto questions() const -> std::span<question const> { return questions_; }

private:
  /// Patterns, rising, then the product of divisors and the element's bits.
  using key = std::array<std::int64_t, max_rank + 2>;
  static constexpr std::uint32_t undivided = 0;

  struct axis_meeting {
    std::uint32_t pattern{};
    std::int64_t divisor{};
  };

  [[nodiscard]] auto axis(std::uint32_t owned, std::uint32_t needed) -> axis_meeting {
    auto const [entry, fresh] = meetings_.try_emplace(std::uint64_t{owned} << 32 | needed);
    if (fresh) entry->second = meet(layouts_->division(owned), layouts_->division(needed));
    return entry->second;
  }
  [[nodiscard]] auto meet(typename basic_layout_pool<D>::axis_division const& owned,
                          typename basic_layout_pool<D>::axis_division const& needed)
      -> axis_meeting {
    if (owned.parts.size() == 1 && needed.parts.size() == 1)
      return {undivided, intersect(owned.parts.front(), needed.parts.front()).size()};
    auto base = owned.parts.front().begin;
    for (auto const* parts : {&owned.parts, &needed.parts})
      for (auto const& i : *parts) base = std::min(base, i.begin);
    pattern_.assign({owned.grouping, needed.grouping});
    std::int64_t divisor = 0;
    for (auto const* parts : {&owned.parts, &needed.parts})
      for (auto const& i : *parts)
        for (auto const end : {i.begin, i.end}) {
          pattern_.push_back(end - base);
          if (divisor != 1) divisor = std::gcd(divisor, end - base);
        }
    divisor = std::max<std::int64_t>(divisor, 1); // 0: all empty
    for (std::size_t i = 2; i < pattern_.size() && divisor > 1; ++i) pattern_[i] /= divisor;
    return {patterns_(pattern_) + 1, divisor};
  }

  basic_layout_pool<D> const* layouts_;
  std::unordered_map<std::uint64_t, axis_meeting> meetings_; ///< by pair of axis divisions
  later<interner<std::vector<std::int64_t>>, D> patterns_;
  later<interner<key>, D> ids_;
  std::vector<question> questions_;
  later<std::vector<std::int64_t>, D> pattern_;
};
using move_pool = basic_move_pool<>;

} // namespace mars::detail
