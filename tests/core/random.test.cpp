// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

using mars::philox4x32;
using mars::random_stream;
using block = std::array<std::uint32_t, 4>;

// Random123, tests/kat_vectors, lines "philox4x32 10".
TEST_CASE("random: known answers", "[core]") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr auto f = 0xffffffffU;
  CHECK(philox4x32({f, f, f, f}, {f, f}) == block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
}

TEST_CASE("random: a stream gives the words of block 0 in order", "[core]") {
  random_stream r{0};
  CHECK(r.next_u32() == 0x6627e8d5);
  CHECK(r.next_u32() == 0xe169c58d);
  CHECK(r.next_u32() == 0xbc57ac4c);
  CHECK(r.next_u32() == 0x9b00dbd8);
  CHECK(random_stream{0}.next_u64() == 0xe169c58d6627e8d5U);
  // 0xe169c58d6627e8d5 >> 11, divided by 2^53 (Python).
  CHECK(random_stream{0}.uniform() == 0.8805201978886142);
}

TEST_CASE("random: a copy repeats, equality means the same future", "[core]") {
  random_stream a{7, 3};
  for (int i = 0; i < 5; ++i) (void)a.next_u32();
  auto b = a;
  CHECK(a == b);
  CHECK(a.next_u64() == b.next_u64());
  (void)a.next_u32();
  CHECK_FALSE(a == b);
}

TEST_CASE("random: seeds, streams and substreams differ", "[core]") {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (std::uint64_t stream = 0; stream < 20; ++stream) {
      random_stream r{seed, stream};
      for (std::uint64_t child = 0; child < 5; ++child)
        firsts.insert(r.substream(child).next_u64());
      firsts.insert(r.next_u64());
    }
  CHECK(firsts.size() == 20 * 20 * 6);
}

TEST_CASE("random: a substream does not depend on what was drawn", "[core]") {
  random_stream a{1};
  auto const before = a.substream(4);
  for (int i = 0; i < 9; ++i) (void)a.next_u64();
  CHECK(a.substream(4) == before);
  CHECK_FALSE(a.substream(5) == before);
}

TEST_CASE("random: below is in range and even", "[core]") {
  random_stream r{42};
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[static_cast<std::size_t>(r.below(7))];
  double chi2 = 0;
  for (int const c : counts) chi2 += (c - 10'000.0) * (c - 10'000.0) / 10'000.0;
  CHECK(chi2 < 22.46); // 99.9 % quantile, 6 degrees of freedom
  CHECK(r.below(1) == 0);
}

TEST_CASE("random: below beyond 32 bits", "[core]") {
  random_stream r{42};
  constexpr auto n = std::uint64_t{3} << 62; // a modulo would favour the lowest third
  int low = 0;
  for (int i = 0; i < 6'000; ++i) {
    auto const x = r.below(n);
    REQUIRE(x < n);
    low += x < (std::uint64_t{1} << 62);
  }
  CHECK(low > 1'850); // 2000 ± 4 standard deviations of 36.5
  CHECK(low < 2'150);
}

TEST_CASE("random: uniform stays in [0, 1) and averages one half", "[core]") {
  random_stream r{9};
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto const x = r.uniform();
    REQUIRE(x >= 0);
    REQUIRE(x < 1);
    sum += x;
  }
  CHECK(sum / 10'000 == mars_test::approx(0.5).margin(0.012)); // 4 · 0.2887 / 100
}

TEST_CASE("random: chance at and beyond its ends", "[core]") {
  random_stream r{9};
  for (int i = 0; i < 100; ++i) {
    REQUIRE_FALSE(r.chance(0));
    REQUIRE_FALSE(r.chance(-1));
    REQUIRE(r.chance(1));
    REQUIRE(r.chance(2));
  }
}

TEST_CASE("random: shuffle reaches all orders equally", "[core]") {
  random_stream r{5};
  std::map<std::vector<int>, int> seen;
  for (int i = 0; i < 6'000; ++i) {
    std::vector<int> v{1, 2, 3};
    r.shuffle(v);
    ++seen[v];
  }
  REQUIRE(seen.size() == 6);
  for (auto const& [order, count] : seen) {
    CHECK(count > 850); // 1000 ± 5 standard deviations of 28.9
    CHECK(count < 1'150);
  }
}

TEST_CASE("random: pick refers to an element", "[core]") {
  random_stream r{5};
  std::vector<int> v{4, 4, 4};
  r.pick(v) = 9;
  CHECK(std::count(v.begin(), v.end(), 9) == 1);
}

TEST_CASE("random: weighted choice", "[core]") {
  random_stream r{5};
  std::array<double, 4> const weights{0, 1, 3, -2};
  std::array<int, 4> counts{};
  for (int i = 0; i < 4'000; ++i) ++counts[r.pick_weighted(weights)];
  CHECK(counts[0] == 0);
  CHECK(counts[3] == 0);
  CHECK(counts[1] > 860); // 1000 ± 5 standard deviations of 27.4
  CHECK(counts[1] < 1'140);
  std::array<double, 2> const none{0, 0};
  int first = 0;
  for (int i = 0; i < 400; ++i) first += r.pick_weighted(none) == 0;
  CHECK(first > 150);
  CHECK(first < 250);
}
