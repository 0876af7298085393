// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

namespace mars {

/// Heads a function that a program compiles only if it calls it:
///
///     template <deferred = when_called>
///     [[nodiscard]] auto f(operation const& op) -> expected<graph> { … }
///
/// The body of an inline function is compiled in every unit that includes it, with all it takes
/// from the standard library; that of a function template is not. As the library is headers only,
/// what does real work says so, and `inline` is left for one-liners. Calls do not change.
enum deferred : bool { when_called };

namespace detail {
template <class T, deferred>
struct held_back {
  using type = T;
};
} // namespace detail

/// T, which a deferred body knows only once it is called:
///
///     template <deferred D = when_called>
///     [[nodiscard]] auto f(later<graph, D> const& g) -> std::size_t { later<std::vector<int>, D> x; … }
///
/// clang++ compiles at once each constexpr function that a template names with types it knows, called
/// or not; in C++20 these are all of std::vector. Of a dependent type it waits. Calls do not change:
/// nothing is deduced from such a parameter.
template <class T, deferred D>
using later = typename detail::held_back<T, D>::type;

} // namespace mars
