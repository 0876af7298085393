// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/checked.hpp>
#include <mars/core/id.hpp>
#include <mars/core/inplace_vector.hpp>
#include <mars/core/label.hpp>
#include <mars/core/units.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <unordered_set>

using namespace mars::literals;

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Divisible = requires(A a, B b) {
  a / b;
};

TEST_CASE("id: kinds do not mix", "[core]") {
  static_assert(!std::convertible_to<mars::operator_id, mars::accelerator_id>);
  static_assert(!std::convertible_to<std::size_t, mars::operator_id>);
  static_assert(!std::convertible_to<mars::operator_id, std::size_t>);
  CHECK(mars::operator_id{3}.index() == 3);
  CHECK(mars::operator_id{} == mars::operator_id{0});
  CHECK(mars::operator_id{1} < mars::operator_id{2});
  std::unordered_set<mars::link_id> const set{mars::link_id{1}, mars::link_id{1}};
  CHECK(set.size() == 1);
}

TEST_CASE("units: quantities of different units do not mix", "[core]") {
  static_assert(!Addable<mars::bytes, mars::macs>);
  static_assert(!Addable<mars::seconds, double>);
  static_assert(!Divisible<mars::macs, mars::bytes_per_second>);
  static_assert(!std::convertible_to<double, mars::seconds>);
  static_assert(std::is_trivially_copyable_v<mars::bytes>);
}

TEST_CASE("units: arithmetic", "[core]") {
  CHECK(3_B + 4_B == 7_B);
  CHECK(2 * 4_B - 1_B == 7_B);
  CHECK(9_B / 2 == 4_B);
  CHECK(9_B / 2_B == 4.5);
  CHECK(1_B < 2_B);
  CHECK(1_MB == mars::bytes{1'000'000});
  CHECK(1_GiB == mars::bytes{1'073'741'824});
  CHECK(8_Gbps == 1_GBps);
  CHECK(mars::to_flops(mars::macs{21}) == mars::flops{42});
}

TEST_CASE("units: declared products and quotients", "[core]") {
  CHECK((200704_B / 8_Gbps).count() == mars_test::approx(0.200704e-3));
  CHECK((mars::cycles{193536} / 200_MHz).count() == mars_test::approx(0.96768e-3)); // mars.md §5
  CHECK((mars::flops{3} / mars::flops_per_second{2}).count() == 1.5);
  CHECK((mars::watts{400} * 2.0_s).count() == 800);
}

TEST_CASE("units: picoseconds round, saturate and come back", "[core]") {
  using mars::picoseconds;
  CHECK(mars::to_picoseconds(1.5_ms) == picoseconds{1'500'000'000});
  CHECK(mars::to_picoseconds(mars::seconds{1.6e-12}) == picoseconds{2});
  CHECK(mars::to_picoseconds(mars::infinite_seconds) == mars::never);
  CHECK(mars::to_picoseconds(mars::seconds{std::numeric_limits<double>::quiet_NaN()}) ==
        mars::never);
  CHECK(mars::to_picoseconds(mars::seconds{27 * 86'400.0}) == mars::never); // 27 days
  CHECK(mars::to_picoseconds(mars::seconds{26 * 86'400.0}) < mars::never);
  CHECK(mars::to_seconds(mars::never) == mars::infinite_seconds);
  CHECK(mars::to_seconds(picoseconds{2'000}).count() == mars_test::approx(2e-9));
  CHECK(saturating_add(picoseconds{1}, picoseconds{2}) == picoseconds{3});
  CHECK(saturating_add(mars::never, picoseconds{2}) == mars::never);
  CHECK(saturating_add(mars::never - picoseconds{1}, picoseconds{1}) == mars::never);
  CHECK(saturating_add(mars::never, mars::never) == mars::never);
}

TEST_CASE("checked: overflow gives no value", "[core]") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(mars::checked_multiply(6, 7) == 42);
  CHECK_FALSE(mars::checked_multiply(most, 2).has_value());
  CHECK_FALSE(mars::checked_multiply(std::numeric_limits<std::int64_t>::min(), -1).has_value());
  CHECK(mars::checked_add(most - 1, 1) == most);
  CHECK_FALSE(mars::checked_add(most, 1).has_value());
}

TEST_CASE("checked: ceil_div", "[core]") {
  CHECK(mars::ceil_div(0, 4) == 0);
  CHECK(mars::ceil_div(8, 4) == 2);
  CHECK(mars::ceil_div(9, 4) == 3);
  CHECK(mars::ceil_div(std::numeric_limits<std::int64_t>::max(), 2) == std::int64_t{1} << 62);
}

TEST_CASE("inplace_vector: grows, shrinks, compares its elements only", "[core]") {
  mars::inplace_vector<int, 3> v{1, 2};
  CHECK(v.size() == 2);
  v.push_back(3);
  CHECK(v.full());
  CHECK(v.back() == 3);
  v.pop_back();
  CHECK(v == mars::inplace_vector<int, 3>{1, 2}); // the 3 behind the end does not count
  int sum = 0;
  for (int const x : v) sum += x;
  CHECK(sum == 3);
  v.clear();
  CHECK(v.empty());
  static_assert(mars::inplace_vector<int, 3>::capacity() == 3);
  static_assert(std::is_trivially_copyable_v<mars::inplace_vector<int, 3>>);
}

TEST_CASE("label: fifteen characters", "[core]") {
  constexpr mars::label l{"cout"};
  static_assert(l.view() == "cout");
  CHECK(l == mars::label{std::string_view{"cout"}});
  CHECK(l != mars::label{"cin"});
  CHECK(mars::label{"cin"} < l);
  CHECK(mars::label{}.view().empty());
  CHECK(mars::label{"123456789012345"}.view().size() == 15);
  CHECK(mars::label::fits("123456789012345"));
  CHECK_FALSE(mars::label::fits("1234567890123456"));
}
