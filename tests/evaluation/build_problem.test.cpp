// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a problem costs to build: policies are asked by class, not by operator, and tables hold what
// differs. The values themselves are checked in tables.test.cpp.
#include "support/catch.hpp"

#include "support/counting_cost.hpp"
#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/zoo/gpt.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace {
using namespace mars;

using counter = std::shared_ptr<std::atomic<std::int64_t>>;
auto new_counter() -> counter { return std::make_shared<std::atomic<std::int64_t>>(0); }

struct counting_strategy {
  parallel::exclusive_shared strategy{};
  counter calls{new_counter()};

  [[nodiscard]] auto shardings(operation const& o, std::size_t ways) const {
    ++*calls;
    return strategy.shardings(o, ways);
  }
};

struct counting_collective {
  collective::standard model{};
  counter calls{new_counter()};

  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    ++*calls;
    return model.time(net, kind, group, size);
  }
};

/// A language model with that many equal blocks.
auto transformer(std::int64_t blocks) -> graph {
  auto network = zoo::gpt2;
  network.sequence = network.most_sequence = 32;
  network.shape = {.blocks = blocks, .width = 64, .heads = 4, .feed_forward = 96, .vocabulary = 50};
  return network();
}

struct price_of_building {
  std::int64_t costs{}, strategies{}, collectives{};
  std::size_t rows{}, tables{}, numbers{}; ///< distinct ones, and entries of all
  friend auto operator==(price_of_building const&, price_of_building const&) -> bool = default;
};

template <class System>
auto building(graph const& g, System const& s) -> price_of_building {
  counting_strategy const strategy;
  counting_collective const together;
  mars_test::counting_cost<cost::analytical> const price;
  auto const p = build_problem(g, s, price, strategy, together, objective::latency{},
                               mars_test::candidates_of(s.interconnect))
                     .value();
  std::set<choice_row const*> rows;
  std::set<edge_table const*> tables;
  auto const sets = static_cast<std::uint32_t>(p.sets().size());
  for (std::size_t v = 0; v < p.size(); ++v)
    for (std::uint32_t i = 0; i < sets; ++i) rows.insert(&p.row(v, i));
  for (auto const& e : p.edges())
    for (std::uint32_t i = 0; i < sets; ++i)
      for (std::uint32_t j = 0; j < sets; ++j)
        if (i == j || p.disjoint(i, j)) tables.insert(&p.table(e, i, j));
  price_of_building b{*price.calls, *strategy.calls, *together.calls,
                      rows.size(),  tables.size(),   0};
  for (auto const* r : rows) b.numbers += r->shardings.size();
  for (auto const* t : tables) b.numbers += t->time.size();
  return b;
}

} // namespace

TEST_CASE("repeated blocks are priced once, and stored once") {
  auto const system = mars_test::uniform_system(
      interconnect::torus{
          .extents = {2, 4}, .bandwidth = bytes_per_second{1e9}, .latency = seconds{1e-6}},
      {mars_test::plain_design("plain", 1e9), mars_test::plain_design("second", 2e9)});
  auto const few = transformer(3);
  auto const many = transformer(96);
  REQUIRE(many.size() > 20 * few.size());
  auto const once = building(few, system);
  CHECK(once == building(many, system));
  // And by class: a strategy once for every signature on every size of set, 1, 2, 4 and 8.
  auto const signatures = operator_classes(few).representatives.size();
  CHECK(once.strategies == static_cast<std::int64_t>(4 * signatures));
  CHECK(signatures < few.size() / 2);
}

TEST_CASE("sets that differ in name only share their prices") {
  // Behind one switch all sets of one size are alike: eight singles, four pairs, two quadruples. Of
  // pairs of sets, one class for each two sizes that fit beside each other, and each set with itself.
  auto const system = mars_test::uniform_system(
      interconnect::switched{.accelerators = 8, .bandwidth = bytes_per_second{1e9}},
      {mars_test::plain_design("plain", 1e9)});
  auto const g = transformer(1);
  auto const p = mars_test::make_problem(g, system);
  REQUIRE(p.sets().size() == 15);
  std::set<choice_row const*> rows;
  std::set<edge_table const*> tables;
  for (std::uint32_t i = 0; i < 15; ++i) {
    rows.insert(&p.row(p.size() - 1, i));
    for (std::uint32_t j = 0; j < 15; ++j)
      if (i == j || p.disjoint(i, j)) tables.insert(&p.table(p.edges().back(), i, j));
  }
  CHECK(rows.size() == 4);
  CHECK(tables.size() == 4 + 9); // {1, 2, 4}² side by side
}

TEST_CASE("edges that ask the same share a table") {
  builder b{"twins"};
  auto const x = b.input("x", {8, 16});
  auto const left = b.relu(b.linear(x, 32, false));
  auto const right = b.unary(b.linear(x, 32, false), "Tanh"); // another operator, the same tensors
  b.output(b.add(left, right));
  auto const g = std::move(b).build().value();
  auto const p = mars_test::make_problem(g, mars_test::connected_system(4, bytes_per_second{1e9}));
  std::set<edge_table const*> tables;
  std::set<std::uint32_t> classes;
  for (auto const& e : p.edges()) {
    tables.insert(&p.table(e, 0, 0));
    classes.insert(e.edge_class);
  }
  CHECK(classes.size() == 4);
  CHECK(tables.size() == 2); // from a product to its activation, and on to the sum
}
