// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/named.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::exploration {

namespace detail {
template <class T>
struct element_of {
  using type = T;
};
template <class T>
struct element_of<std::vector<T>> {
  using type = T;
};
/// One or several, as an argument.
template <class T>
struct values_of {
  std::vector<T> all;
  values_of(T one) { all.push_back(std::move(one)); }
  values_of(std::vector<T> several) : all{std::move(several)} {}
};
} // namespace detail

/// One axis of a study: a list of types, and for each any number of values of it.
///
///     axis const compressions{compression::none{}, std::vector{weight_pruning{.5}, weight_pruning{.8}}};
///
/// Types decide what may be combined with what and which code is compiled; values decide what is run.
/// So a study of seven networks and twelve prunings compiles what one of each does, and a command line
/// that chooses elements by name takes values away (`select`), never types. Elements are numbered type
/// after type, values in order; their names differ.
template <std::copy_constructible... Elements>
requires(names_itself<Elements>&&...) //
    class axis {
public:
  static constexpr std::size_t types = sizeof...(Elements);
  template <std::size_t Type>
  using type_at = std::tuple_element_t<Type, std::tuple<Elements...>>;

  axis() = default;
  /// A value of each type, or a vector of them.
  explicit axis(detail::values_of<Elements>... values) requires(types > 0)
      : values_{std::move(values.all)...} {}

  [[nodiscard]] auto size() const -> std::size_t {
    return std::apply([](auto const&... v) { return (std::size_t{0} + ... + v.size()); }, values_);
  }
  /// Type of element `i`, and which of that type's values it is.
  struct place {
    std::size_t type{};
    std::size_t value{};
  };
  /// Precondition: i < size().
  [[nodiscard]] auto place_of(std::size_t i) const -> place {
    place p{0, i};
    std::apply(
        [&](auto const&... v) {
          (void)(... || (p.value < v.size() || (p.value -= v.size(), ++p.type, false)));
        },
        values_);
    assert(p.type < types);
    return p;
  }
  template <std::size_t Type>
  [[nodiscard]] auto values() const -> std::vector<type_at<Type>> const& {
    return std::get<Type>(values_);
  }
  /// Calls `f(value)` for every element, in order.
  template <class F>
  void for_each(F&& f) const {
    std::apply(
        [&](auto const&... v) {
          auto const each = [&](auto const& list) {
            for (auto const& x : list) f(x);
          };
          (each(v), ...);
        },
        values_);
  }
  [[nodiscard]] auto names() const -> std::vector<std::string> {
    std::vector<std::string> all;
    for_each([&](auto const& x) { all.emplace_back(std::string_view{x.name()}); });
    return all;
  }
  /// Without the elements whose name is not listed. Errors: a name that no element has
  /// (`unknown_name`). Order is the axis's own.
  [[nodiscard]] auto select(std::vector<std::string> const& wanted) const -> expected<axis> {
    auto const known = names();
    for (auto const& w : wanted)
      if (std::find(known.begin(), known.end(), w) == known.end()) {
        std::string all;
        for (auto const& k : known) all += (all.empty() ? "" : ", ") + k;
        return fail(error_code::unknown_name, "axis", w, "one of " + all);
      }
    axis less = *this;
    std::apply(
        [&](auto&... v) {
          auto const keep = [&](auto& list) {
            std::erase_if(list, [&](auto const& x) {
              return std::find(wanted.begin(), wanted.end(), std::string_view{x.name()}) ==
                     wanted.end();
            });
          };
          (keep(v), ...);
        },
        less.values_);
    return less;
  }

private:
  std::tuple<std::vector<Elements>...> values_;
};

template <class... Values>
explicit axis(Values...) -> axis<typename detail::element_of<Values>::type...>;

} // namespace mars::exploration
