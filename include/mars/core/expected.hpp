// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/error.hpp>

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

namespace mars {

template <class E>
class unexpected {
public:
  explicit constexpr unexpected(E e) : error_{std::move(e)} {}
  [[nodiscard]] constexpr auto error() && -> E&& { return std::move(error_); }
  [[nodiscard]] constexpr auto error() const& -> E const& { return error_; }

private:
  E error_;
};

namespace detail {
/// Ends what cannot go on: throws where exceptions are enabled, else prints the line and aborts.
template <class E>
[[noreturn]] void raise([[maybe_unused]] E const& e) {
  if constexpr (std::is_same_v<E, error>) {
#if defined(__cpp_exceptions)
    throw exception{e};
#else
    std::fprintf(stderr, "mars: %s\n", to_string(e).c_str());
#endif
  }
  std::abort();
}
} // namespace detail

/// Either a value or the reason there is none; the subset of C++23's std::expected that mars uses.
template <class T, class E = error>
class [[nodiscard]] expected {
public:
  using value_type = T;
  using error_type = E;

  expected(T value) : value_{std::move(value)} {}
  expected(unexpected<E> e) : error_{std::move(e).error()} {}

  [[nodiscard]] auto has_value() const noexcept -> bool { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] auto operator*() & -> T& { return *value_; }
  [[nodiscard]] auto operator*() const& -> T const& { return *value_; }
  [[nodiscard]] auto operator*() && -> T&& { return std::move(*value_); }
  [[nodiscard]] auto operator->() -> T* { return &*value_; }
  [[nodiscard]] auto operator->() const -> T const* { return &*value_; }

  /// The value, or `mars::exception` (abort with -fno-exceptions) carrying the error.
  [[nodiscard]] auto value() const& -> T const& {
    if (!has_value()) detail::raise(error());
    return *value_;
  }
  [[nodiscard]] auto value() && -> T {
    if (!has_value()) detail::raise(error());
    return std::move(*value_);
  }
  [[nodiscard]] auto value_or(T alternative) const& -> T {
    return has_value() ? *value_ : std::move(alternative);
  }
  [[nodiscard]] auto error() const& -> E const& { return *error_; }
  [[nodiscard]] auto error() && -> E&& { return std::move(*error_); }

  template <class F>
  [[nodiscard]] auto transform(F&& f) && -> expected<std::invoke_result_t<F, T&&>, E> {
    if (!has_value()) return unexpected{std::move(*this).error()};
    return std::forward<F>(f)(std::move(*value_));
  }
  template <class F>
  [[nodiscard]] auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) return unexpected{std::move(*this).error()};
    return std::forward<F>(f)(std::move(*value_));
  }

private:
  // Exactly one is there. Two optionals compile in a fraction of the time of a std::variant, and not
  // constexpr: clang compiles constexpr constructors wherever they are named.
  std::optional<T> value_;
  std::optional<E> error_;
};

template <class E>
class [[nodiscard]] expected<void, E> {
public:
  using value_type = void;
  using error_type = E;

  expected() = default;
  expected(unexpected<E> e) : error_{std::move(e).error()} {}

  [[nodiscard]] auto has_value() const noexcept -> bool { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) detail::raise(error());
  }
  [[nodiscard]] auto error() const& -> E const& { return *error_; }
  [[nodiscard]] auto error() && -> E&& { return std::move(*error_); }

private:
  std::optional<E> error_;
};

/// Shorthand for the failing return of a boundary function.
[[nodiscard]] inline auto fail(error_code code, std::string path, std::string found,
                               std::string wanted = {}, std::string detail = {})
    -> unexpected<error> {
  return unexpected{
      error{code, std::move(path), std::move(found), std::move(wanted), std::move(detail)}};
}

} // namespace mars
