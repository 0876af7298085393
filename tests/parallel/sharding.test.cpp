// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/parallel/sharding.hpp>
#include <mars/workload/operators.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {
using namespace mars;
using ranks = std::vector<std::size_t>;

/// Dimensions n0 k1 y2 x3 | c4 r5 s6 with extents 2 8 9 6 | 6 3 3.
auto conv() -> operation {
  return std::move(ops::conv({2, 6, 9, 6},
                             {.out_channels = 8, .kernel = {3, 3}, .padding = {1}, .bias = false}))
      .value();
}
enum : std::uint8_t { n, k, y, x, c, r, s };

auto at(sharding const& cuts, std::size_t set_size, std::size_t rank) -> std::vector<std::int64_t> {
  auto const found = coordinates_of(cuts, set_size, rank);
  return {found.begin(), found.end()};
}

/// The path and the reason of a refusal; both empty if there is none.
auto refusal(operation const& op, sharding const& cuts, std::size_t set_size)
    -> std::pair<std::string, std::string> {
  auto const ok = check(op, cuts, set_size);
  if (ok) return {};
  CHECK(ok.error().code == error_code::invalid_mapping);
  return {ok.error().path, to_string(ok.error())};
}
} // namespace

TEST_CASE("parts of an extent: the first ones are one longer") {
  CHECK(part_of({0, 10}, 4, 0) == interval{0, 3});
  CHECK(part_of({0, 10}, 4, 1) == interval{3, 6});
  CHECK(part_of({0, 10}, 4, 2) == interval{6, 8});
  CHECK(part_of({0, 10}, 4, 3) == interval{8, 10});
  CHECK(part_of({5, 12}, 3, 0) == interval{5, 8});
  CHECK(part_of({5, 12}, 3, 2) == interval{10, 12});
  CHECK(part_of({4, 8}, 1, 0) == interval{4, 8});
}

TEST_CASE("devices are numbered row-major over the cuts, replicas last") {
  sharding const cuts{.exclusive = {{k, 2}, {y, 3}}, .shared = {}, .scatter = {}};
  CHECK(shard_count(cuts) == 6);
  using coords = std::vector<std::int64_t>;
  CHECK(at(cuts, 6, 0) == coords{0, 0, 0});
  CHECK(at(cuts, 6, 1) == coords{0, 1, 0});
  CHECK(at(cuts, 6, 2) == coords{0, 2, 0});
  CHECK(at(cuts, 6, 3) == coords{1, 0, 0});
  CHECK(at(cuts, 6, 5) == coords{1, 2, 0});
  CHECK(at(cuts, 12, 1) == coords{0, 0, 1});
  CHECK(at(cuts, 12, 7) == coords{1, 0, 1});
  CHECK(at({}, 3, 2) == coords{2});
}

TEST_CASE("shards of a convolution") {
  auto const op = conv();
  sharding const cuts{.exclusive = {{y, 4}, {c, 2}}, .shared = {}, .scatter = {}};
  REQUIRE(check(op, cuts, 8));
  // Rows 9 over 4: 3, 2, 2, 2. Rank 3 is (1, 1): rows 3 and 4, input channels 3 to 5.
  auto const box = shard_box(op, cuts, 8, 3);
  CHECK(box[y] == interval{3, 5});
  CHECK(box[c] == interval{3, 6});
  CHECK(box[k] == interval{0, 8});
  auto const largest = shard_extents(op, cuts);
  CHECK(largest[y] == 3);
  CHECK(largest[c] == 3);
  CHECK(largest[x] == 6);
  // 2·8·3·6 results of 3·3·3 products each.
  CHECK(macs_of(op, largest).count() == 2 * 8 * 3 * 6 * 27);
}

TEST_CASE("replication and partial-sum groups") {
  auto const op = conv();
  sharding const cuts{.exclusive = {{k, 2}, {c, 2}, {y, 3}}, .shared = {}, .scatter = {}};
  REQUIRE(check(op, cuts, 24)); // two replicas; rank = ((k·2 + c)·3 + y)·2 + replica
  auto const& input = op.operands[0];
  auto const& weight = op.operands[1];
  auto const& output = op.operands[2];
  CHECK(replication_group(op, weight, cuts, 24, 0) == ranks{0, 1, 2, 3, 4, 5});
  CHECK(replication_group(op, weight, cuts, 24, 20) == ranks{18, 19, 20, 21, 22, 23});
  CHECK(replication_group(op, input, cuts, 24, 9) == ranks{8, 9, 20, 21});
  CHECK(replication_group(op, output, cuts, 24, 0) == ranks{0, 1, 6, 7});
  CHECK(replication(weight, cuts, 24) == 6);
  CHECK(replication(input, cuts, 24) == 4);
  CHECK(replication(output, cuts, 24) == 4);
  CHECK(partial_sums(op, cuts) == 2);
  CHECK(partial_sum_group(op, cuts, 24, 0) == ranks{0, 6});
  CHECK(partial_sum_group(op, cuts, 24, 7) == ranks{1, 7});
  CHECK(partial_sum_group(op, {}, 3, 1) == ranks{1});

  // A group is its first member and fixed steps; a member's place is how many come before it.
  auto const groups = replication_groups(input, cuts, 24);
  CHECK(groups.size() == 4);
  CHECK(groups.offsets() == ranks{0, 1, 12, 13});
  CHECK(groups.first(21) == 8);
  CHECK(groups.place(8) == 0);
  CHECK(groups.place(20) == 2);
  CHECK(groups.place(21) == 3);
}

TEST_CASE("what a shared cut rotates, and when") {
  auto const op = conv();
  sharding const columns{.exclusive = {{x, 3}}, .shared = cut{k, 3}, .scatter = {}};
  REQUIRE(check(op, columns, 3));
  CHECK(rotating_operand(op, columns, 3) == &op.operands[1]);
  // Channels 8 over 3: [0, 3) [3, 6) [6, 8). Device 1 starts with its own, the next part follows.
  CHECK(phase_box(op, columns, 3, 1, 0)[k] == interval{3, 6});
  CHECK(phase_box(op, columns, 3, 1, 1)[k] == interval{6, 8});
  CHECK(phase_box(op, columns, 3, 1, 2)[k] == interval{0, 3});
  CHECK(phase_box(op, columns, 3, 1, 2)[x] == interval{2, 4});
  CHECK(phase_extents(op, columns)[k] == 3);
  CHECK(phase_extents(op, columns)[x] == 2);

  sharding const channels{.exclusive = {{k, 2}}, .shared = cut{y, 2}, .scatter = {}};
  CHECK(rotating_operand(op, channels, 2) == &op.operands[0]);
  // Input channels index both; the weight goes first where both are replicated alike.
  sharding const both{.exclusive = {{k, 2}, {y, 2}}, .shared = cut{c, 2}, .scatter = {}};
  CHECK(rotating_operand(op, both, 4) == &op.operands[1]);
  CHECK(rotating_operand(op, {}, 4) == nullptr);
}

TEST_CASE("a sharding that means nothing is refused, with the path of the culprit") {
  auto const op = conv();
  auto const refused = [&](sharding const& cuts, std::size_t set_size, std::string const& path,
                           std::string const& why) {
    auto const [where, text] = refusal(op, cuts, set_size);
    CAPTURE(why);
    CHECK(where == path);
    CHECK_THAT(text, mars_test::contains_text(why));
  };
  CHECK(check(op, {}, 1));
  CHECK(check(op, {}, 7));
  CHECK(
      check(op, {.exclusive = {{k, 2}, {y, 2}, {x, 2}, {c, 2}}, .shared = {}, .scatter = {}}, 16));

  refused({.exclusive = {{9, 2}}, .shared = {}, .scatter = {}}, 2, "exclusive[0]", "no such dim");
  refused({.exclusive = {{k, 2}, {n, 3}}, .shared = {}, .scatter = {}}, 6, "exclusive[1]",
          "3 ways of an extent of 2");
  refused({.exclusive = {{k, 1}}, .shared = {}, .scatter = {}}, 2, "exclusive[0]", "1 ways");
  refused({.exclusive = {{k, 0}}, .shared = {}, .scatter = {}}, 2, "exclusive[0]", "0 ways");
  refused({.exclusive = {{k, -2}}, .shared = {}, .scatter = {}}, 2, "exclusive[0]", "-2 ways");
  refused({.exclusive = {{k, 2}, {k, 2}}, .shared = {}, .scatter = {}}, 4, "exclusive[1]", "twice");
  refused({.exclusive = {{k, 2}, {k, 3}}, .shared = {}, .scatter = {}}, 6, "exclusive[1]", "twice");
  refused({.exclusive = {{k, 3}}, .shared = {}, .scatter = {}}, 4, "exclusive",
          "found 3 shards, wanted a divisor of the set size, 4");
  refused({.exclusive = {{k, 8}}, .shared = {}, .scatter = {}}, 4, "exclusive", "8 shards");

  refused({.exclusive = {{y, 2}}, .shared = cut{9, 2}, .scatter = {}}, 2, "shared", "no such dim");
  refused({.exclusive = {{y, 2}}, .shared = cut{k, 1}, .scatter = {}}, 2, "shared", "1 ways");
  refused({.exclusive = {{y, 9}}, .shared = cut{k, 9}, .scatter = {}}, 9, "shared",
          "9 ways of an extent of 8");
  // Cut four ways, a device has two of the eight channels.
  refused({.exclusive = {{k, 4}, {y, 3}}, .shared = cut{k, 3}, .scatter = {}}, 12, "shared",
          "3 ways of an extent of 2");
  // The input would rotate, but every device already has its own columns.
  refused({.exclusive = {{x, 2}}, .shared = cut{y, 2}, .scatter = {}}, 2, "shared",
          "held alike by that many");

  refused({.exclusive = {{c, 2}}, .shared = {}, .scatter = 9}, 2, "scatter", "not a parallel");
  refused({.exclusive = {{c, 2}}, .shared = {}, .scatter = r}, 2, "scatter", "not a parallel");
  refused({.exclusive = {{k, 2}}, .shared = {}, .scatter = y}, 2, "scatter", "no reduction");
  refused({.exclusive = {{c, 3}}, .shared = {}, .scatter = n}, 3, "scatter", "shorter");
  refused({.exclusive = {{c, 2}, {k, 8}}, .shared = {}, .scatter = k}, 16, "scatter", "shorter");
}

TEST_CASE("ways whose product overflows are refused") {
  constexpr auto huge = std::numeric_limits<std::int32_t>::max();
  auto op = conv();
  for (auto const d : {n, k, y, x}) op.dims[d].extent = huge;
  sharding const cuts{
      .exclusive = {{n, huge}, {k, huge}, {y, huge}, {x, huge}}, .shared = {}, .scatter = {}};
  CHECK(refusal(op, cuts, 8).first == "exclusive");
}

TEST_CASE("time steps are never cut, nor is what passes through them") {
  auto const op = ops::lstm({5, 2, 3}, 4).value(); // t d n k | c
  auto const one_step = ops::lstm({1, 2, 3}, 4).value();
  auto const path = [](operation const& o, sharding const& cuts) { return refusal(o, cuts, 2); };
  sharding const time{.exclusive = {{0, 2}}, .shared = {}, .scatter = {}};
  sharding const batch{.exclusive = {{2, 2}}, .shared = {}, .scatter = {}};
  sharding const hidden{.exclusive = {{3, 2}}, .shared = {}, .scatter = {}};
  sharding const sum{.exclusive = {{4, 2}}, .shared = {}, .scatter = {}};
  sharding const turning{.exclusive = {{2, 2}}, .shared = cut{3, 2}, .scatter = {}};
  CHECK(path(op, time).first == "exclusive[0]");
  CHECK_THAT(path(op, time).second, mars_test::contains_text("runs in order"));
  CHECK(path(op, batch).first.empty());
  CHECK(path(op, hidden).first.empty());
  for (auto const& o : {op, one_step}) {
    // Gates are not linear: sums of a part of the inputs do not add up to a state.
    CHECK(path(o, sum).first == "exclusive[0]");
    CHECK(path(o, turning).first == "shared");
  }
}

TEST_CASE("shards of an output are boxes, disjoint, and miss nothing") {
  // [2, 3, 4] → [24]: digits d0, d1, d2 of one axis.
  auto const flat = ops::reshape({2, 3, 4}, {24}).value();
  auto const cut_along = [](std::uint8_t d, std::int32_t ways) {
    return sharding{.exclusive = {{d, ways}}, .shared = {}, .scatter = {}};
  };
  CHECK(check(flat, cut_along(0, 2), 2));
  CHECK(refusal(flat, cut_along(1, 3), 3).first == "exclusive[0]"); // 4 elements out of each 12
  CHECK(refusal(flat, cut_along(2, 2), 2).first == "exclusive[0]");
  CHECK(check(flat, {.exclusive = {{0, 2}, {1, 3}}, .shared = {}, .scatter = {}}, 6));
  CHECK(check(flat, {.exclusive = {{1, 3}, {0, 2}}, .shared = {}, .scatter = {}}, 6));

  auto const line = [](std::int64_t coarse, std::int64_t fine) {
    operation op;
    op.kind = op_kind::reshape;
    op.dims = {{"u", 4}, {"v", 2}};
    op.operands.push_back(
        {role::output,
         {},
         16,
         {axis{{{0, coarse}, {1, fine}}, 0, 3 * std::abs(coarse) + std::abs(fine) + 1}}});
    return op;
  };
  CHECK(check(line(2, 1), cut_along(0, 2), 2));
  CHECK(check(line(2, -1), cut_along(0, 2), 2));
  CHECK(check(line(-2, 1), cut_along(0, 4), 4));
  CHECK_FALSE(check(line(2, 1), cut_along(1, 2), 2)); // every other element
  CHECK_FALSE(check(line(2, 3), cut_along(0, 2), 2)); // 0 3 2 5 and 4 7 6 9: hulls overlap
  CHECK_FALSE(check(line(2, 3), cut_along(1, 2), 2));
  CHECK_FALSE(check(line(1, 1), cut_along(0, 2), 2)); // sums across the border
  CHECK_FALSE(check(line(4, 2), cut_along(0, 2), 2)); // odd elements would belong to nobody
  CHECK_FALSE(check(line(3, 1), cut_along(0, 4), 4));
}

TEST_CASE("uneven parts: each device's own, in order, filling the dimension") {
  auto const op = conv(); // 9 rows, 6 columns
  sharding s{.exclusive = {{y, 3}, {x, 2}}, .shared = {}, .scatter = {}};
  s.parts = {2, 6, 1};
  REQUIRE(check(op, s, 6));
  std::int64_t volume = 0, begin = 0;
  for (std::size_t rank = 0; rank < 6; ++rank) {
    auto const box = shard_box(op, s, 6, rank);
    auto const part = s.parts[rank / 2];
    CHECK(box[y] == interval{begin, begin + part});
    CHECK(box[x] == part_of({0, 6}, 2, static_cast<std::int64_t>(rank % 2)));
    CHECK(rank_extents(op, s, 6, rank)[y] == part);
    volume += box[y].size() * box[x].size();
    if (rank % 2 == 1) begin += part;
  }
  CHECK(volume == 9 * 6);
  CHECK(shard_extents(op, s)[y] == 6);
  // Replicas share a part.
  CHECK(shard_box(op, s, 12, 4) == shard_box(op, s, 12, 5));

  auto const refused = [&](sharding const& bad) {
    auto const [path, why] = refusal(op, bad, 6);
    CHECK(path == "parts");
    return !why.empty();
  };
  auto bad = s;
  bad.parts = {2, 6, 2}; // too many
  CHECK(refused(bad));
  bad.parts = {2, 6}; // one missing
  CHECK(refused(bad));
  bad.parts = {0, 8, 1};
  CHECK(refused(bad));
  bad.parts = {-1, 9, 1};
  CHECK(refused(bad));
  bad = s;
  bad.exclusive.clear();
  CHECK(refused(bad));
  bad = {.exclusive = {{y, 3}}, .shared = cut{k, 2}, .scatter = {}};
  bad.parts = {2, 6, 1};
  CHECK(refused(bad));
  bad = {.exclusive = {{c, 3}}, .shared = {}, .scatter = k};
  bad.parts = {2, 3, 1};
  CHECK(refused(bad));
  bad.scatter.reset();
  CHECK(check(op, bad, 6)); // partial sums of unlike parts add up all the same
}
