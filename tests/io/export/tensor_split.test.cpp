// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mapping/fixture.hpp"
#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/random_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/core/random.hpp>
#include <mars/io/export/tensor_split.hpp>

#include <array>
#include <cstddef>
#include <string>

using namespace mars;
using parts = mars::io::tensor_split::parts;

namespace {

auto digits(std::initializer_list<std::uint8_t> list) -> io::axis_split { return {list}; }

} // namespace

TEST_CASE("a convolution over y and k splits its tensors as one says by hand", "[export]") {
  auto const g = mars_test::skip_network();
  auto const& conv = op(g, operator_id{0U}); // [1,4,8,8] * [8,4,3,3] -> [1,8,8,8]
  sharding s;
  s.exclusive = {mars_test::along(g, 0, "k", 2), mars_test::along(g, 0, "y", 2)};
  auto const of = [&](role r) { return io::split_of(conv, *nth_operand(conv, r, 0), s, 8); };
  auto const out = of(role::output);
  CHECK(out.boxes == parts::equal);
  CHECK(out.axes[0].empty());
  CHECK(out.axes[1] == digits({0}));
  CHECK(out.axes[2] == digits({1}));
  CHECK(out.axes[3].empty());
  CHECK(of(role::weight).axes[0] == digits({0}));
  CHECK(of(role::weight).boxes == parts::equal);
  auto const in = of(role::input);
  CHECK(in.boxes == parts::overlapping);
  CHECK(in.axes[1].empty());
  CHECK(in.axes[2] == digits({1}));
}

TEST_CASE("scatter and rotation divide further, by the digits that would replicate", "[export]") {
  auto const g = mars_test::skip_network();
  auto const& conv = op(g, operator_id{0U});
  sharding s;
  s.exclusive = {mars_test::along(g, 0, "c", 4), mars_test::along(g, 0, "k", 2)};
  s.scatter = mars_test::along(g, 0, "k", 2).dim;
  auto const out = io::split_of(conv, *nth_operand(conv, role::output, 0), s, 8);
  CHECK(out.axes[1] == digits({1, 0})); // k first, then the four devices of each sum
  CHECK(out.boxes == parts::equal);

  sharding ring;
  ring.exclusive = {mars_test::along(g, 0, "y", 2)};
  ring.shared = mars_test::along(g, 0, "k", 4);
  auto const weight = io::split_of(conv, *nth_operand(conv, role::weight, 0), ring, 4);
  CHECK(weight.axes[0] == digits({0, 1})); // the y digit and the replicas hold a quarter each
  CHECK(weight.boxes == parts::equal);
}

TEST_CASE("digits of a rank are the coordinates of its device", "[export]") {
  sharding s;
  s.exclusive = {{0, 2}, {1, 3}};
  io::device_digits const d{s, 12};
  REQUIRE(d.ways.size() == 3);
  for (std::size_t rank = 0; rank < 12; ++rank) {
    auto const at = coordinates_of(s, 12, rank);
    for (std::size_t i = 0; i < 3; ++i) CHECK(d.of(rank, i) == at[i]);
  }
  CHECK(d.before(2) == 6);
}

TEST_CASE("what is called equal is equal parts, and nothing else is", "[export]") {
  random_stream const root{2607};
  std::array<std::size_t, 4> seen{};
  std::size_t divided = 0;
  for (std::uint64_t i = 0; i < 600; ++i) {
    auto r = root.substream(i);
    mars_test::operation_generator by_hand{r.substream(0)};
    mars_test::factory_generator by_factory{r.substream(1)};
    auto const o = i % 2 == 0 ? by_hand(i / 2) : by_factory(i / 2);
    auto n = 1 + r.below(12);
    auto s = mars_test::any_sharding(r, o, n);
    for (int tries = 0; tries < 40 && !(check(o, s, n) && shard_count(s) > 1); ++tries) {
      n = 1 + r.below(12);
      s = mars_test::any_sharding(r, o, n);
    }
    if (!check(o, s, n)) continue;
    CAPTURE(i, n);
    io::device_digits const d{s, n};
    for (auto const& t : o.operands) {
      if (t.role == role::state) continue;
      auto const split = io::split_of(o, t, s, n);
      auto const boxes = io::layout_of(o, t, s, n);
      ++seen[static_cast<std::size_t>(split.boxes)];
      REQUIRE(split.axes.size() == t.axes.size());
      std::size_t unlike = 0;
      std::uint32_t used = 0;
      for (std::size_t a = 0; a < t.axes.size(); ++a) {
        std::int64_t ways = 1;
        for (auto const digit : split.axes[a]) {
          CHECK((used >> digit & 1U) == 0);
          used |= 1U << digit;
          ways *= d.ways[digit];
          ++divided;
        }
        for (std::size_t rank = 0; rank < n; ++rank) {
          std::int64_t number = 0;
          for (auto const digit : split.axes[a])
            number = number * d.ways[digit] + d.of(rank, digit);
          auto const extent = t.axes[a].extent;
          interval const part{extent * number / ways, extent * (number + 1) / ways};
          unlike += extent % ways != 0 || !(part == boxes[rank][a]);
        }
      }
      CHECK((unlike == 0) == (split.boxes == parts::equal));
    }
  }
  // The test has met every case.
  for (auto const n : seen) CHECK(n > 10);
  CHECK(divided > 300);
}
