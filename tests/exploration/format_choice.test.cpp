// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/exploration/detail/format_choice.hpp>
#include <mars/workload/builder.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace mars;
namespace ex = mars::exploration;

namespace {

/// Convolutions and sums at random: chains, forks and joins.
auto random_network(random_stream& r, std::size_t operators) -> graph {
  builder b{"random"};
  std::vector<value> known{b.input("x", {1, 8, 4, 4})};
  auto const any = [&] { return known[r.below(static_cast<std::uint32_t>(known.size()))]; };
  for (std::size_t i = 0; i < operators; ++i) {
    if (known.size() > 2 && r.below(3) == 0) {
      auto const first = any();
      known.push_back(b.add(first, any()));
    } else {
      auto const from = any();
      known.push_back(b.conv(from, {.out_channels = 8, .kernel = {1}}));
    }
  }
  return std::move(b).build().value();
}

auto moves_of(ex::detail::compiled_network const& n) -> ex::detail::reorder_table {
  ex::detail::reorder_table t{4, {}};
  for (std::size_t e = 0; e < n.edge_bytes.size(); ++e)
    for (ticks from = 0; from < 4; ++from)
      for (ticks to = 0; to < 4; ++to) t.times.push_back(10 * from + 3 * to);
  return t;
}

/// Over every choice of every operator.
auto by_brute_force(ex::detail::compiled_network const& n, ex::detail::option_lists const& options)
    -> ticks {
  auto const& t = n.tables;
  std::vector<std::size_t> choice(t.order.size());
  ticks best = no_ticks;
  for (;;) {
    ticks sum = 0;
    auto const at = [&](std::size_t v) -> auto const& { return options[t.op_class[v]][choice[v]]; };
    for (std::size_t v = 0; v < choice.size(); ++v) sum += at(v).time;
    for (auto const& e : t.edges) {
      auto const from = at(e.producer).out, to = at(e.consumer).in;
      if (from != 0 && to != 0 && from != to) sum += 10 * from + 3 * to;
    }
    best = std::min(best, sum);
    std::size_t v = 0;
    while (v < choice.size() && ++choice[v] == options[t.op_class[v]].size()) choice[v++] = 0;
    if (v == choice.size()) return best;
  }
}

} // namespace

TEST_CASE("algorithms and formats are chosen as brute force chooses them") {
  random_stream r{5};
  for (int round = 0; round < 60; ++round) {
    ex::detail::operator_kinds kinds;
    ex::detail::compiled_network n;
    n.workload = random_network(r, 3 + r.below(5));
    REQUIRE(ex::detail::compile(n, kinds).has_value());
    ex::detail::option_lists options(n.kind.size());
    for (auto& of : options)
      for (std::uint16_t k = 0; k < 3; ++k) {
        auto const time = static_cast<ticks>(r.below(60));
        auto const in = static_cast<std::uint8_t>(r.below(4));
        auto const out = static_cast<std::uint8_t>(r.below(4));
        of.push_back({time, k, in, out});
      }
    auto const found = ex::detail::choose_options(n, options, moves_of(n));
    CHECK(found.exact);
    CHECK(found.time == by_brute_force(n, options));
  }
}

TEST_CASE("where nothing can run there is no answer, where one format is used nothing is moved") {
  random_stream r{1};
  ex::detail::operator_kinds kinds;
  ex::detail::compiled_network n;
  n.workload = random_network(r, 5);
  REQUIRE(ex::detail::compile(n, kinds).has_value());
  ex::detail::option_lists options(n.kind.size());
  CHECK(ex::detail::choose_options(n, options, moves_of(n)).time == no_ticks);
  for (auto& of : options) of = {{7, 0, 2, 2}, {5, 1, 0, 2}};
  auto const found = ex::detail::choose_options(n, options, moves_of(n));
  CHECK(found.time == 5 * 5);
  CHECK(found.reorders == 0);
  for (auto& of : options) of.assign(1, {no_ticks, 0, 1, 2});
  CHECK(ex::detail::choose_options(n, options, moves_of(n)).time == no_ticks);
}
