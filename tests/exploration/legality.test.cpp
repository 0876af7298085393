// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/exploration/axis.hpp>
#include <mars/exploration/legality.hpp>

#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace mars;
namespace ex = mars::exploration;

namespace {

/// Elements of an axis: `Kind` is the type, the number a value of it.
template <char Axis, int Kind>
struct part {
  std::string title;
  int value{};
  [[nodiscard]] auto name() const -> std::string_view { return title; }
};
using bread = part<'b', 0>;
using roll = part<'b', 1>;
using cheese = part<'f', 0>;
using ham = part<'f', 1>;
using jam = part<'f', 2>;
using plate = part<'p', 0>;

struct sweet_on_bread {
  static constexpr std::string_view name = "sweet_for", reason = "jam goes on bread only";
  using axes = std::index_sequence<1, 0>; // filling, base
  template <class Filling, class Base>
  static constexpr bool holds = !std::is_same_v<Filling, jam> || std::is_same_v<Base, bread>;
};
/// By value: types say nothing.
struct not_too_old {
  static constexpr std::string_view name = "fresh_for", reason = "older than three days";
  using axes = std::index_sequence<0>;
  template <class Base>
  static constexpr bool holds = true;
  template <class Base>
  static auto permits(Base const& b) -> bool {
    return b.value <= 3;
  }
};
struct never_sweet : sweet_on_bread {
  template <class Filling, class>
  static constexpr bool holds = !std::is_same_v<Filling, jam>;
};
struct no_reason {
  static constexpr std::string_view name = "x";
  using axes = std::index_sequence<0>;
};
struct no_axes {
  static constexpr std::string_view name = "x", reason = "y";
};

auto bases() {
  return ex::axis{std::vector{bread{"fresh bread", 0}, bread{"old bread", 9}}, roll{"roll", 1}};
}
auto fillings() {
  return ex::axis{cheese{"cheese", 0}, std::vector{ham{"ham", 0}, ham{"smoked ham", 1}},
                  jam{"jam", 0}};
}

} // namespace

TEST_CASE("an axis numbers its elements type after type") {
  auto const a = fillings();
  CHECK(a.names() == std::vector<std::string>{"cheese", "ham", "smoked ham", "jam"});
  CHECK(a.size() == 4);
  CHECK(a.types == 3);
  CHECK(a.place_of(0).type == 0);
  CHECK(a.place_of(2).type == 1);
  CHECK(a.place_of(2).value == 1);
  CHECK(a.place_of(3).type == 2);
  CHECK(a.place_of(3).value == 0);
}

TEST_CASE("elements are taken away by name, types stay") {
  auto const less = fillings().select({"smoked ham", "cheese"});
  REQUIRE(less.has_value());
  CHECK(less->names() == std::vector<std::string>{"cheese", "smoked ham"});
  CHECK(less->place_of(1).type == 1);
  STATIC_REQUIRE(std::is_same_v<std::remove_cvref_t<decltype(*less)>, decltype(fillings())>);
  auto const wrong = fillings().select({"ham", "honey"});
  REQUIRE(!wrong.has_value());
  CHECK(wrong.error().code == error_code::unknown_name);
  CHECK(wrong.error().found == "honey");
}

TEST_CASE("cells are legal or counted under the first relation that fails, and none is lost") {
  auto const b = bases();
  auto const f = fillings();
  auto const space = ex::make_cell_space(ex::relations<sweet_on_bread, not_too_old>{}, b, f);
  std::array<std::size_t, 3> by_relation{};
  for (std::size_t i = 0; i < space.size(); ++i)
    ++by_relation[space.first_failing(space.coordinate_of(i))];
  // 3 bases × 4 fillings. Jam on the roll: 1. Old bread under 4 fillings: 4. The rest: 7.
  CHECK(space.size() == 12);
  CHECK(by_relation == std::array<std::size_t, 3>{1, 4, 7});

  // The other way round the old bread is asked first: nothing changes, they do not meet. With bread
  // that is not sweet, they do: old bread and jam falls to whoever is asked first.
  auto const count = [](auto const& s) {
    std::array<std::size_t, 3> by{};
    for (std::size_t i = 0; i < s.size(); ++i) ++by[s.first_failing(s.coordinate_of(i))];
    return by;
  };
  using sweet_first = ex::relations<never_sweet, not_too_old>;
  using fresh_first = ex::relations<not_too_old, never_sweet>;
  CHECK(count(ex::make_cell_space(sweet_first{}, b, f)) == std::array<std::size_t, 3>{3, 3, 6});
  CHECK(count(ex::make_cell_space(fresh_first{}, b, f)) == std::array<std::size_t, 3>{4, 2, 6});
}

TEST_CASE("types alone tell what need not be compiled, whatever the number of axes") {
  using space = ex::cell_space<ex::relations<sweet_on_bread>, decltype(bases()),
                               decltype(fillings()), ex::axis<plate>>;
  STATIC_REQUIRE(space::first_failing(space::type_coordinate{1, 2, 0}) == 0); // jam on a roll
  STATIC_REQUIRE(space::first_failing(space::type_coordinate{0, 2, 0}) == 1); // jam on bread
  STATIC_REQUIRE(!space::possible({1, 2, space::any}));
  STATIC_REQUIRE(space::possible({space::any, 2, space::any}));
  STATIC_REQUIRE(space::possible({1, space::any, 0}));
}

TEST_CASE("a relation has a name, a reason and axes") {
  STATIC_REQUIRE(ex::Relation<sweet_on_bread>);
  STATIC_REQUIRE(!ex::Relation<no_reason>);
  STATIC_REQUIRE(!ex::Relation<no_axes>);
}

TEST_CASE("without relations everything is legal") {
  auto const b = bases();
  auto const space = ex::make_cell_space(ex::relations<>{}, b);
  for (std::size_t i = 0; i < space.size(); ++i)
    CHECK(space.first_failing(space.coordinate_of(i)) == 0);
}
