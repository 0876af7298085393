// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Redistributions that get one number must be one question: the same transfers whoever is near whom.
#include "support/catch.hpp"

#include "support/random_problems.hpp"

#include <mars/evaluation/detail/move_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {
using namespace mars;

/// Everything that the default strategy can make of one matrix, 2-D: as an output and as an input.
struct matrix_layouts {
  std::vector<layout> owned, needed;
};
auto layouts_of(std::int64_t rows, std::int64_t columns, std::size_t ways) -> matrix_layouts {
  builder b{"matrix"};
  auto const x = b.linear(b.input("x", {rows, 6}), columns, false, "make");
  b.output(b.linear(x, 6, false, "use"));
  auto const g = std::move(b).build().value();
  matrix_layouts l;
  auto const& make = op(g, operator_id{0});
  auto const& use = op(g, operator_id{1});
  for (auto const& s : parallel::exclusive_shared{}.shardings(make, ways))
    l.owned.push_back(output_layout(make, *nth_operand(make, role::output, 0), s, ways));
  for (auto const& s : parallel::exclusive_shared{}.shardings(use, ways))
    l.needed.push_back(input_layout(use, *nth_operand(use, role::input, 0), s, ways));
  return l;
}

auto some_proximity(random_stream& r, std::size_t owners, std::size_t receivers) -> proximity {
  proximity near{owners, receivers, std::vector<double>(owners * receivers)};
  for (auto& v : near.values) v = static_cast<double>(r.below(3));
  if (r.chance(0.5))
    for (std::size_t k = 0; k < std::min(owners, receivers); ++k)
      near.values[k * receivers + k] = proximity::itself;
  return near;
}

} // namespace

TEST_CASE("a layout comes out of the pool as it went in, and equal ones are one") {
  detail::layout_pool pool;
  std::vector<layout> seen;
  for (std::size_t const ways : {1U, 6U, 8U})
    for (auto const& shape : {std::pair{12, 9}, std::pair{9, 12}, std::pair{7, 100}})
      for (auto const& l : layouts_of(shape.first, shape.second, ways).needed) {
        auto const id = pool(l);
        REQUIRE(pool[id] == l);
        if (id == seen.size()) seen.push_back(l);
        REQUIRE(seen[id] == l);
        for (std::size_t other = 0; other < seen.size(); ++other)
          REQUIRE((other == id) == (seen[other] == l));
      }
}

TEST_CASE("moves of one number send the same between the same ranks") {
  random_stream r{31};
  for (std::size_t const from : {1U, 4U, 6U, 8U})
    for (std::size_t const to : {2U, 6U, 8U}) {
      detail::layout_pool layouts;
      detail::move_pool moves{layouts};
      auto const near = some_proximity(r, from, to);
      std::vector<std::vector<transfer>> first;
      std::size_t asked = 0;
      for (auto const& shape : {std::pair{16, 24}, std::pair{24, 16}, std::pair{32, 12},
                                std::pair{7, 55}, std::pair{55, 7}}) {
        auto const owned = layouts_of(shape.first, shape.second, from).owned;
        auto const needed = layouts_of(shape.first, shape.second, to).needed;
        for (auto const& o : owned)
          for (auto const& n : needed) {
            auto const number = moves(layouts(o), layouts(n), 16);
            std::vector<transfer> sent;
            redistribution(o, n, near, sent);
            if (number == first.size()) first.push_back(sent);
            REQUIRE(first.at(number) == sent);
            ++asked;
          }
      }
      CHECK(first.size() == moves.questions().size());
      CHECK(2 * first.size() < asked); // it helps
    }
}

TEST_CASE("a matrix cut by rows and needed by columns is its transpose") {
  auto const cut = [](std::int64_t rows, std::int64_t columns, bool by_rows) {
    layout l;
    for (std::int64_t i = 0; i < 4; ++i)
      l.push_back(by_rows ? tensor_box{part_of({0, rows}, 4, i), {0, columns}}
                          : tensor_box{{0, rows}, part_of({0, columns}, 4, i)});
    return l;
  };
  detail::layout_pool layouts;
  detail::move_pool moves{layouts};
  auto const number = [&](std::int64_t rows, std::int64_t columns, bool by_rows, int bits) {
    return moves(layouts(cut(rows, columns, by_rows)), layouts(cut(rows, columns, !by_rows)), bits);
  };
  auto const original = number(64, 32, true, 16);
  CHECK(number(64, 32, false, 16) == original); // the same 128 elements from each to each
  CHECK(number(32, 64, true, 16) == original);
  CHECK(number(128, 16, true, 16) == original);
  CHECK(number(64, 32, true, 8) != original);
  CHECK(number(64, 64, true, 16) != original);
  CHECK(number(64, 33, true, 16) != original); // uneven
  CHECK(moves.questions().size() == 4);
}
