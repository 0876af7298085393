// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <concepts>
#include <iterator>
#include <utility>

namespace mars {

// What concept headers need of <ranges>, which costs twice as much to include as all the rest of them.

template <class R>
using iterator_of = decltype(std::ranges::begin(std::declval<R&>()));

/// std::ranges::input_range.
template <class R>
concept iterable = std::input_iterator<iterator_of<R>> && requires(R& r) {
  { std::ranges::end(r) } -> std::sentinel_for<iterator_of<R>>;
};

/// A range whose elements convert to `T`.
template <class R, class T>
concept range_of = iterable<R> && std::convertible_to<std::iter_reference_t<iterator_of<R>>, T>;

} // namespace mars
