// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace mars {

/// The operators 0 … n−1 as a range: what `operators(g)` of most graphs returns. Written out
/// because clang 14 cannot compile the standard's `iota | transform`.
class operator_range {
public:
  class iterator {
  public:
    using value_type = operator_id;
    using reference = operator_id;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag; // by the old rules: no true reference
    using iterator_concept = std::random_access_iterator_tag;

    constexpr iterator() = default;
    explicit constexpr iterator(std::size_t i) : index_{static_cast<difference_type>(i)} {}

    constexpr auto operator*() const -> operator_id {
      return operator_id{static_cast<std::size_t>(index_)};
    }
    constexpr auto operator[](difference_type n) const -> operator_id { return *(*this + n); }
    constexpr auto operator++() -> iterator& { return *this += 1; }
    constexpr auto operator++(int) -> iterator { return step(1); }
    constexpr auto operator--() -> iterator& { return *this -= 1; }
    constexpr auto operator--(int) -> iterator { return step(-1); }
    constexpr auto operator+=(difference_type n) -> iterator& {
      index_ += n;
      return *this;
    }
    constexpr auto operator-=(difference_type n) -> iterator& { return *this += -n; }
    friend constexpr auto operator+(iterator i, difference_type n) -> iterator { return i += n; }
    friend constexpr auto operator+(difference_type n, iterator i) -> iterator { return i += n; }
    friend constexpr auto operator-(iterator i, difference_type n) -> iterator { return i -= n; }
    friend constexpr auto operator-(iterator a, iterator b) -> difference_type {
      return a.index_ - b.index_;
    }
    friend constexpr auto operator<=>(iterator const&, iterator const&) = default;

  private:
    constexpr auto step(difference_type n) -> iterator {
      auto const before = *this;
      index_ += n;
      return before;
    }
    difference_type index_{};
  };

  constexpr operator_range() = default;
  explicit constexpr operator_range(std::size_t count) : count_{count} {}

  [[nodiscard]] constexpr auto begin() const -> iterator { return iterator{}; }
  [[nodiscard]] constexpr auto end() const -> iterator { return iterator{count_}; }
  [[nodiscard]] constexpr auto size() const -> std::size_t { return count_; }
  [[nodiscard]] constexpr auto empty() const -> bool { return count_ == 0; }
  [[nodiscard]] constexpr auto operator[](std::size_t i) const -> operator_id {
    return operator_id{i};
  }

private:
  std::size_t count_{};
};

} // namespace mars
