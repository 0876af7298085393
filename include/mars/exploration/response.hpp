// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <cassert>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mars::exploration {

/// A number for each cell of a product of axes, dense, the last axis fastest; NaN where there is none.
/// What is computed from a study is computed from these, so any table will do.
template <deferred D = when_called>
class basic_response {
public:
  explicit basic_response(later<std::vector<std::size_t>, D> extents)
      : extents_{std::move(extents)} {
    std::size_t n = 1;
    for (auto const e : extents_) n *= e;
    values_.assign(n, std::numeric_limits<double>::quiet_NaN());
  }
  [[nodiscard]] auto extents() const -> std::vector<std::size_t> const& { return extents_; }
  [[nodiscard]] auto rank() const -> std::size_t { return extents_.size(); }
  [[nodiscard]] auto size() const -> std::size_t { return values_.size(); }

  /// Number of a cell. Precondition: `at` has an element of each axis.
  template <class At>
  [[nodiscard]] auto index(At const& at) const -> std::size_t {
    std::size_t i = 0, a = 0;
    for (auto const x : at) i = i * extents_[a++] + std::size_t{x};
    assert(a == rank());
    return i;
  }
  [[nodiscard]] auto coordinate_of(std::size_t i) const -> std::vector<std::size_t> {
    std::vector<std::size_t> at(rank());
    for (auto a = rank(); a-- > 0; i /= extents_[a]) at[a] = i % extents_[a];
    return at;
  }
  [[nodiscard]] auto operator[](std::size_t i) const -> double { return values_[i]; }
  [[nodiscard]] auto operator[](std::size_t i) -> double& { return values_[i]; }
  [[nodiscard]] auto has(std::size_t i) const -> bool { return values_[i] == values_[i]; }

private:
  later<std::vector<std::size_t>, D> extents_;
  later<std::vector<double>, D> values_;
};
using response = basic_response<>;

/// What moving one axis from `base` to element `to` adds. Nothing if either cell is missing.
/// Precondition: `base` and `to` exist.
template <deferred D = when_called>
[[nodiscard]] auto effect_of(later<response, D> const& r, std::vector<std::size_t> base,
                             std::size_t axis, std::size_t to) -> std::optional<double> {
  auto const from = r.index(base);
  base[axis] = to;
  auto const moved = r.index(base);
  if (!r.has(from) || !r.has(moved)) return std::nullopt;
  return r[moved] - r[from];
}
/// l11 − l10 − l01 + l00: what two moves together add beyond each alone.
template <deferred D = when_called>
[[nodiscard]] auto interaction_of(later<response, D> const& r, std::vector<std::size_t> base,
                                  std::size_t first, std::size_t to_first, std::size_t second,
                                  std::size_t to_second) -> std::optional<double> {
  auto const alone = effect_of<D>(r, base, second, to_second);
  base[first] = to_first;
  auto const after = effect_of<D>(r, base, second, to_second);
  if (!alone || !after) return std::nullopt;
  return *after - *alone;
}

} // namespace mars::exploration
