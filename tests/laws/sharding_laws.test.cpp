// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Identities of shardings over random operations: shards add up, groups partition the set, what a
// device misses is what it receives, and strategies propose only what is legal.

#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/random_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/parallel/data.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/redistribution.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace {
using namespace mars;

struct subject {
  operation op;
  sharding s;
  std::size_t set_size{};
};

/// Calls `law` with random operations of both generators and random legal shardings of them.
void for_random_shardings(std::uint64_t seed, std::function<void(subject const&)> const& law) {
  random_stream const root{seed};
  for (std::uint64_t i = 0; i < 600; ++i) {
    auto r = root.substream(i);
    mars_test::operation_generator by_hand{r.substream(0)};
    mars_test::factory_generator by_factory{r.substream(1)};
    auto const op = i % 2 == 0 ? by_hand(i / 2) : by_factory(i / 2);
    for (int tries = 0, found = 0; tries < 40 && found < 3; ++tries) {
      auto const set_size = 1 + r.below(12);
      auto s = mars_test::any_sharding(r, op, set_size);
      mars_test::make_uneven(r, op, s);
      if (!check(op, s, set_size)) continue;
      ++found;
      law({op, s, set_size});
    }
  }
}

/// An identity operation on a tensor of that shape: its shardings are the layouts it may have.
auto identity_on(operand const& t) -> operation {
  operation op;
  op.kind = op_kind::elementwise;
  operand whole{role::output, {}, t.element_bits, {}};
  for (auto const& a : t.axes) {
    auto const d = static_cast<std::uint8_t>(op.dims.size());
    op.dims.push_back({label{std::string_view{std::string{"a"} + std::to_string(d)}}, a.extent});
    whole.axes.push_back({{{d, 1}}, 0, a.extent});
  }
  op.operands.push_back(whole);
  return op;
}

} // namespace

TEST_CASE("law: extents of shards add up to the whole, and the critical one is the largest") {
  for_random_shardings(1, [](subject const& q) {
    auto const whole = full_extents(q.op);
    auto const critical = shard_extents(q.op, q.s);
    auto const replicas = static_cast<std::int64_t>(q.set_size) / shard_count(q.s);
    std::int64_t points = 0, largest = 0;
    for (std::size_t rank = 0; rank < q.set_size; ++rank) {
      auto const box = shard_box(q.op, q.s, q.set_size, rank);
      points += volume(box);
      largest = std::max(largest, volume(box));
      for (std::size_t d = 0; d < box.size(); ++d) CHECK(box[d].size() <= critical[d]);
    }
    std::int64_t all = 1, most = 1;
    for (auto const e : whole) all *= e;
    for (auto const e : critical) most *= e;
    CHECK(points == all * replicas);
    CHECK(largest == most);
  });
}

TEST_CASE("law: shards along one dimension are a partition of it, in order") {
  random_stream r{2};
  for (int i = 0; i < 500; ++i) {
    auto const begin = static_cast<std::int64_t>(r.below(100));
    auto const size = 1 + static_cast<std::int64_t>(r.below(100));
    auto const ways = 1 + static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(size)));
    auto next = begin;
    auto shortest = size, longest = std::int64_t{0};
    for (std::int64_t k = 0; k < ways; ++k) {
      auto const part = part_of({begin, begin + size}, ways, k);
      CHECK(part.begin == next);
      CHECK(part.size() <= (k == 0 ? size : part_of({begin, begin + size}, ways, k - 1).size()));
      next = part.end;
      shortest = std::min(shortest, part.size());
      longest = std::max(longest, part.size());
    }
    CHECK(next == begin + size);
    CHECK(longest - shortest <= 1);
    CHECK(longest == ceil_div(size, ways));
  }
}

TEST_CASE("law: replicas times distinct parts are the devices, and groups partition them") {
  for_random_shardings(3, [](subject const& q) {
    auto const partition = [&](auto const& group_of, std::int64_t size) {
      std::set<std::vector<std::size_t>> groups;
      for (std::size_t rank = 0; rank < q.set_size; ++rank) {
        auto const group = group_of(rank);
        CHECK(static_cast<std::int64_t>(group.size()) == size);
        CHECK(std::is_sorted(group.begin(), group.end()));
        CHECK(std::count(group.begin(), group.end(), rank) == 1);
        groups.insert(group);
      }
      std::size_t members = 0;
      for (auto const& g : groups) members += g.size();
      CHECK(members == q.set_size);
      return static_cast<std::int64_t>(groups.size());
    };
    auto const devices = static_cast<std::int64_t>(q.set_size);
    for (auto const& t : q.op.operands) {
      auto const replicas = replication(t, q.s, q.set_size);
      auto const group_of = [&](std::size_t rank) {
        return replication_group(q.op, t, q.s, q.set_size, rank);
      };
      CHECK(partition(group_of, replicas) * replicas == devices);
      // A group holds the same.
      for (std::size_t rank = 0; rank < q.set_size; ++rank)
        CHECK(reach(t, shard_box(q.op, q.s, q.set_size, rank)) ==
              reach(t, shard_box(q.op, q.s, q.set_size, group_of(rank).front())));
    }
    auto const sums = [&](std::size_t rank) {
      return partial_sum_group(q.op, q.s, q.set_size, rank);
    };
    CHECK(partition(sums, partial_sums(q.op, q.s)) * partial_sums(q.op, q.s) == devices);
  });
}

TEST_CASE("law: in every phase the parts of a ring are all there, once") {
  std::size_t rings = 0;
  for_random_shardings(4, [&](subject const& q) {
    auto const* t = rotating_operand(q.op, q.s, q.set_size);
    if (t == nullptr) return;
    ++rings;
    auto const d = q.s.shared->dim;
    auto const group = replication_group(q.op, *t, q.s, q.set_size, q.set_size - 1);
    auto const whole = shard_box(q.op, q.s, q.set_size, q.set_size - 1)[d];
    for (std::int64_t phase = 0; phase < q.s.shared->ways; ++phase) {
      std::vector<interval> at_once;
      for (auto const rank : group)
        at_once.push_back(phase_box(q.op, q.s, q.set_size, rank, phase)[d]);
      std::sort(at_once.begin(), at_once.end(),
                [](auto const& a, auto const& b) { return a.begin < b.begin; });
      auto next = whole.begin;
      for (auto const& part : at_once) {
        CHECK(part.begin == next);
        CHECK(part.size() <= phase_extents(q.op, q.s)[d]);
        next = part.end;
      }
      CHECK(next == whole.end);
    }
  });
  CHECK(rings >= 100);
}

TEST_CASE("law: one device holds everything and exchanges nothing") {
  random_stream const root{5};
  for (std::uint64_t i = 0; i < 200; ++i) {
    mars_test::factory_generator generate{root.substream(i)};
    auto const op = generate(i);
    auto const f = footprint_of(op, {}, 1);
    CHECK(f.exchange == bytes{});
    CHECK(f.arriving == bytes{});
    bytes weights{}, outputs{};
    for (auto const& t : op.operands) {
      if (t.role == role::weight) weights += size_of(t);
      if (t.role == role::output) outputs += size_of(t);
      if (t.role == role::output)
        for (auto const& box : output_layout(op, t, {}, 3)) CHECK(volume(box) == elements_of(t));
    }
    CHECK(f.weights == weights);
    CHECK(f.outputs == outputs);
  }
}

TEST_CASE("law: a rotation holds no more of any tensor than going without") {
  for_random_shardings(6, [](subject const& q) {
    if (!q.s.shared) return;
    auto plain = q.s;
    plain.shared.reset();
    auto const with = footprint_of(q.op, q.s, q.set_size);
    auto const without = footprint_of(q.op, plain, q.set_size);
    CHECK(with.weights <= without.weights);
    CHECK(with.inputs <= without.inputs);
    CHECK(with.outputs == without.outputs);
  });
}

TEST_CASE("law: what receivers miss is what they are sent, each element once") {
  random_stream const root{7};
  std::size_t transfers_seen = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    auto r = root.substream(i);
    mars_test::operation_generator by_hand{r.substream(0)};
    mars_test::factory_generator by_factory{r.substream(1)};
    auto const op = i % 2 == 0 ? by_hand(i / 2) : by_factory(i / 2);
    auto const* input = nth_operand(op, role::input, 0);
    if (input == nullptr) continue;
    auto const producer = identity_on(*input);
    auto const owners = 1 + r.below(6);
    auto const receivers = 1 + r.below(6);
    sharding from, to;
    for (int tries = 0; tries < 30; ++tries) {
      auto const s =
          producer.dims.empty() ? sharding{} : mars_test::any_sharding(r, producer, owners);
      if (s != sharding{} && check(producer, s, owners)) from = s;
      auto const t = mars_test::any_sharding(r, op, receivers);
      if (t != sharding{} && check(op, t, receivers)) to = t;
    }
    auto const owned = output_layout(producer, producer.operands[0], from, owners);
    auto const needed = input_layout(op, *input, to, receivers);
    bool const same_set = owners == receivers && r.chance(0.5);
    proximity near{owners, receivers, std::vector<double>(owners * receivers)};
    for (auto& v : near.values) v = static_cast<double>(r.below(3));
    for (std::size_t k = 0; same_set && k < owners; ++k)
      near.values[k * receivers + k] = proximity::itself;

    std::vector<transfer> moved;
    redistribution(owned, needed, near, moved);
    transfers_seen += moved.size();
    for (std::uint32_t to_rank = 0; to_rank < receivers; ++to_rank) {
      // Boxes of a layout are disjoint or equal, so volumes may be added.
      auto const own = same_set ? shared_volume(owned[to_rank], needed[to_rank]) : 0;
      std::int64_t received = 0;
      std::vector<tensor_box> sources;
      for (auto const& m : moved) {
        if (m.to != to_rank) continue;
        received += m.elements;
        CHECK(m.elements == shared_volume(owned[m.from], needed[to_rank]));
        CHECK(m.elements > 0);
        CHECK(near(m.from, to_rank) != proximity::itself);
        for (std::size_t other = 0; other < owners; ++other)
          if (owned[other] == owned[m.from]) CHECK(near(other, to_rank) <= near(m.from, to_rank));
        CHECK(std::count(sources.begin(), sources.end(), owned[m.from]) == 0);
        sources.push_back(owned[m.from]);
      }
      CHECK(own + received == volume(needed[to_rank]));
    }
  }
  CHECK(transfers_seen >= 500);
}

TEST_CASE("law: strategies propose something, all of it legal, the same for the same operator") {
  random_stream const root{8};
  auto const obey = [](auto const& strategy, operation const& op, std::size_t ways) {
    auto const found = strategy.shardings(op, ways);
    CHECK_FALSE(found.empty());
    for (auto const& s : found) CHECK(check(op, s, ways));
    auto renamed = op;
    renamed.name = "another";
    CHECK((strategy.shardings(renamed, ways) == found));
  };
  for (std::uint64_t i = 0; i < 200; ++i) {
    auto r = root.substream(i);
    mars_test::factory_generator generate{r.substream(0)};
    auto const op = generate(i);
    auto const ways = 1 + r.below(8);
    obey(parallel::exclusive_shared{}, op, ways);
    obey(parallel::exclusive_shared{.max_exclusive = 3, .cut_kernels = true}, op, ways);
    obey(parallel::data{}, op, ways);
  }
}
