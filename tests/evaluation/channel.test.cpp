// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The price of a redistribution against its definition, written out without any of the shortcuts.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/evaluation/channel.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace {
using namespace mars;

constexpr bytes probe{1 << 20};

/// Seconds, with receivers that need the same gathering it or not.
auto time_of(any_interconnect const& net, std::vector<accelerator_id> const& from,
             std::vector<accelerator_id> const& to, layout const& needed,
             std::vector<transfer> const& transfers, int bits, bool gather) -> double {
  auto const speed = [&](accelerator_id a, accelerator_id b) {
    return static_cast<double>(probe.count()) / net.transfer_time(a, b, probe).count();
  };
  double slowest = 0;
  std::map<std::uint32_t, double> load;
  for (std::size_t j = 0; j < to.size(); ++j) {
    double received = 0;
    std::int64_t gathered = 0;
    std::vector<accelerator_id> largest;
    for (auto const& t : transfers) {
      if (t.to != j) continue;
      std::vector<accelerator_id> mates;
      for (std::size_t k = 0; k < to.size(); ++k)
        if (k == j ||
            (gather && needed[k] == needed[j] &&
             std::min(speed(to[k], to[j]), speed(to[j], to[k])) > speed(from[t.from], to[j])))
          mates.push_back(to[k]);
      auto elements = t.elements;
      if (mates.size() > 1) {
        gathered += elements;
        elements = ceil_div(elements, static_cast<std::int64_t>(mates.size()));
        if (mates.size() > largest.size()) largest = mates;
      }
      auto const size = storage(elements, bits);
      received += net.transfer_time(from[t.from], to[j], size).count();
      for (auto const l : net.route(from[t.from], to[j]))
        load[l.value] += (size / net.links()[l.index()].bandwidth).count();
    }
    if (!largest.empty())
      received += collective::standard{}
                      .time(net, collective_kind::all_gather, largest, storage(gathered, bits))
                      .count();
    slowest = std::max(slowest, received);
  }
  for (auto const& [l, busy] : load) slowest = std::max(slowest, busy);
  return slowest;
}

} // namespace

TEST_CASE("a channel charges the cheaper of sending directly and gathering") {
  random_stream const root{41};
  std::size_t gathers = 0, moves = 0;
  for (std::uint64_t trial = 0; trial < 150; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const net = mars_test::random_interconnect(r, 4 + r.below(9));
    CAPTURE(net.name(), net.size());
    auto const sets = mars_test::candidates_of(net);
    auto const& from = r.pick(sets);
    std::vector<std::vector<accelerator_id>> beside{from};
    for (auto const& s : sets)
      if (std::none_of(s.begin(), s.end(), [&](auto x) {
            return std::find(from.begin(), from.end(), x) != from.end();
          }))
        beside.push_back(s);
    auto const& to = r.pick(beside);
    auto const g = mars_test::random_network(r, 6);
    collective::standard const together;
    channel between{net, together, from, to};
    for (auto const v : operators(g))
      for (input_edge const e : inputs(g, v)) {
        auto const& producer = op(g, e.producer);
        auto const& consumer = op(g, v);
        auto const* made = nth_operand(producer, role::output, e.output);
        auto const bits = made->element_bits;
        for (int k = 0; k < 4; ++k) {
          auto const s = r.pick(parallel::exclusive_shared{}.shardings(producer, from.size()));
          auto const c = r.pick(parallel::exclusive_shared{}.shardings(consumer, to.size()));
          auto const owned = output_layout(producer, *made, s, from.size());
          auto const needed = input_layout(consumer, consumer.operands[e.operand], c, to.size());
          std::vector<transfer> transfers;
          redistribution(owned, needed, between.near(), transfers);
          auto const direct = time_of(net, from, to, needed, transfers, bits, false);
          auto const gathered = time_of(net, from, to, needed, transfers, bits, true);
          auto const price = between(owned, needed, bits);
          CHECK(price.time == to_picoseconds(seconds{std::min(direct, gathered)}));
          CHECK(price.missing_elements == largest_missing(transfers, to.size()));
          gathers += gathered < direct;
          moves += !transfers.empty();
        }
      }
  }
  CHECK(gathers > 50);
  CHECK(moves > 1000);
}
