// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/axis.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// Which cells of a product of axes can be. A *relation* speaks about some of the axes:
//
//     struct executes {
//       static constexpr std::string_view name = "executes_for";
//       static constexpr std::string_view reason = "the design has no unit for these numbers";
//       using axes = std::index_sequence<4, 1>;
//       template <class Design, class Compression>
//       static constexpr bool holds = executes_for<Design, Compression>;  // of the types
//       // optional, of the values:
//       static auto permits(Design const&, Compression const&) -> bool;
//     };
//
// `holds` is asked once per combination of types of its own axes, so what is compiled grows with types;
// where it is false nothing else of that combination is instantiated. `permits` is asked at run time where
// `holds` is true.

namespace mars::exploration {

template <class R>
concept Relation = requires {
  { R::name } -> std::convertible_to<std::string_view>;
  { R::reason } -> std::convertible_to<std::string_view>;
  typename R::axes;
};

/// Relations in the order in which they are asked.
template <Relation... R>
struct relations {
  static constexpr std::size_t size = sizeof...(R);
};

namespace detail {

/// What a relation says of types, row-major over its own axes.
template <class R, class Axes, class Sequence = typename R::axes>
struct relation_table;
template <class R, class... Axes, std::size_t... A>
struct relation_table<R, std::tuple<Axes...>, std::index_sequence<A...>> {
  using all = std::tuple<Axes...>;
  static constexpr std::size_t arity = sizeof...(A);
  static constexpr std::array<std::size_t, arity> axes{A...};
  static constexpr std::array<std::size_t, arity> extents{std::tuple_element_t<A, all>::types...};
  static constexpr std::size_t size = (std::size_t{1} * ... * std::tuple_element_t<A, all>::types);

  [[nodiscard]] static constexpr auto digit(std::size_t at, std::size_t k) -> std::size_t {
    for (auto i = arity; --i > k;) at /= extents[i];
    return at % extents[k];
  }
  template <std::size_t At, std::size_t... K>
  [[nodiscard]] static constexpr auto holds_at(std::index_sequence<K...>) -> bool {
    return R::template holds<
        typename std::tuple_element_t<axes[K], all>::template type_at<digit(At, K)>...>;
  }
  template <std::size_t... At>
  [[nodiscard]] static constexpr auto make(std::index_sequence<At...>) -> std::array<bool, size> {
    return {holds_at<At>(std::make_index_sequence<arity>{})...};
  }
  static constexpr std::array<bool, size> table = make(std::make_index_sequence<size>{});

  /// `types`: of every axis of the product.
  template <class Types>
  [[nodiscard]] static constexpr auto holds(Types const& types) -> bool {
    std::size_t at = 0;
    for (std::size_t k = 0; k < arity; ++k) at = at * extents[k] + types[axes[k]];
    return table[at];
  }
  [[nodiscard]] static constexpr auto mentions(std::size_t a) -> bool { return ((a == A) || ...); }

  /// Asks `permits` of values, where the relation has it; `at`: place of the element, by axis.
  template <class Values, class Places>
  [[nodiscard]] static auto permits(Values const& values, Places const& at) -> bool {
    std::size_t row = 0;
    for (std::size_t k = 0; k < arity; ++k) row = row * extents[k] + at[axes[k]].type;
    return permit_rows<Values, Places>(std::make_index_sequence<size>{})[row](values, at);
  }
  template <class Values, class Places, std::size_t... At>
  [[nodiscard]] static auto permit_rows(std::index_sequence<At...>) {
    return std::array<auto(*)(Values const&, Places const&)->bool, size>{
        &permits_at<At, Values, Places>...};
  }
  template <std::size_t At, class Values, class Places>
  [[nodiscard]] static auto permits_at(Values const& values, Places const& at) -> bool {
    if constexpr (!table[At])
      return false;
    else
      return call<At>(values, at, std::make_index_sequence<arity>{});
  }
  template <std::size_t At, class Values, class Places, std::size_t... K>
  [[nodiscard]] static auto call(Values const& values, Places const& at, std::index_sequence<K...>)
      -> bool {
    auto const ask = [](auto const&... v) {
      if constexpr (requires { R::permits(v...); })
        return static_cast<bool>(R::permits(v...));
      else
        return true;
    };
    return ask(std::get<axes[K]>(values).template values<digit(At, K)>()[at[axes[K]].value]...);
  }
};

} // namespace detail

/// The product of axes under relations. Cells are numbered with the last axis fastest. The axes outlive
/// it.
template <class Relations, class... Axes>
class cell_space;
template <class... R, class... Axes>
class cell_space<relations<R...>, Axes...> {
  template <class Rel>
  using table_of = detail::relation_table<Rel, std::tuple<Axes...>>;

public:
  static constexpr std::size_t rank = sizeof...(Axes);
  static constexpr std::array<std::size_t, rank> types{Axes::types...};
  static constexpr std::size_t any = ~std::size_t{0};
  using type_coordinate = std::array<std::size_t, rank>;
  using value_coordinate = std::array<std::uint16_t, rank>;

  /// Number of the first relation that types fail; the number of relations: none.
  [[nodiscard]] static constexpr auto first_failing(type_coordinate const& t) -> std::size_t {
    std::size_t number = 0;
    (void)(... && (table_of<R>::holds(t) && (++number, true)));
    return number;
  }
  /// Some cell of these types can be; `any` stands for every type of an axis. Evaluations are
  /// instantiated where this holds.
  [[nodiscard]] static constexpr auto possible(type_coordinate t) -> bool {
    for (std::size_t a = 0; a < rank; ++a) {
      if (t[a] != any) continue;
      auto const n = (table_of<R>::mentions(a) || ...) ? types[a] : std::size_t{1};
      for (std::size_t i = 0; i < n; ++i) {
        t[a] = i;
        if (possible(t)) return true;
      }
      return false;
    }
    return first_failing(t) == sizeof...(R);
  }

  explicit cell_space(Axes const&... axes) : axes_{axes...} {
    std::size_t a = 0;
    auto const list = [&](auto const& one) {
      for (std::size_t i = 0; i < one.size(); ++i) {
        auto const p = one.place_of(i);
        places_[a].push_back({p.type, p.value});
      }
      ++a;
    };
    (list(axes), ...);
  }
  [[nodiscard]] auto extent(std::size_t a) const -> std::size_t { return places_[a].size(); }
  [[nodiscard]] auto size() const -> std::size_t {
    std::size_t n = 1;
    for (auto const& p : places_) n *= p.size();
    return n;
  }
  [[nodiscard]] auto coordinate_of(std::size_t cell) const -> value_coordinate {
    value_coordinate at{};
    for (auto a = rank; a-- > 0;) {
      at[a] = static_cast<std::uint16_t>(cell % extent(a));
      cell /= extent(a);
    }
    return at;
  }
  /// Type of each element of a cell.
  [[nodiscard]] auto types_of(value_coordinate const& at) const -> type_coordinate {
    type_coordinate t{};
    for (std::size_t a = 0; a < rank; ++a) t[a] = places_[a][at[a]].type;
    return t;
  }
  /// As above, for types and then for values.
  [[nodiscard]] auto first_failing(value_coordinate const& at) const -> std::size_t {
    std::array<place, rank> p{};
    type_coordinate t{};
    for (std::size_t a = 0; a < rank; ++a) {
      p[a] = places_[a][at[a]];
      t[a] = p[a].type;
    }
    std::size_t number = 0;
    (void)(... && (table_of<R>::holds(t) && table_of<R>::permits(axes_, p) && (++number, true)));
    return number;
  }

  struct named_relation {
    std::string_view name;
    std::string_view reason;
  };
  [[nodiscard]] static constexpr auto asked() -> std::array<named_relation, sizeof...(R)> {
    return {named_relation{R::name, R::reason}...};
  }

private:
  struct place {
    std::size_t type{};
    std::size_t value{};
  };
  std::tuple<Axes const&...> axes_;
  std::array<std::vector<place>, rank> places_;
};

template <class Relations, class... Axes>
[[nodiscard]] auto make_cell_space(Relations, Axes const&... axes)
    -> cell_space<Relations, Axes...> {
  return cell_space<Relations, Axes...>{axes...};
}

} // namespace mars::exploration
