// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/parallel_for.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

TEST_CASE("parallel_for: every index once, whatever the threads", "[core]") {
  for (unsigned const threads : {0U, 1U, 2U, 7U})
    for (std::size_t const count : {0UL, 1UL, 2UL, 3UL, 100UL, 1001UL}) {
      std::vector<int> visits(count);
      mars::parallel_for(count, threads, [&](std::size_t i) { ++visits[i]; });
      CHECK(visits == std::vector<int>(count, 1));
    }
}

TEST_CASE("parallel_for: one thread is the caller's, in order", "[core]") {
  std::vector<std::size_t> order;
  auto const me = std::this_thread::get_id();
  mars::parallel_for(5, 1, [&](std::size_t i) {
    CHECK(std::this_thread::get_id() == me);
    order.push_back(i);
  });
  CHECK(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("parallel_reduce: combines in order", "[core]") {
  auto const text = [](unsigned threads, std::size_t count) {
    return mars::parallel_reduce(
        count, threads, std::string{">"},
        [](std::size_t i) { return std::string(1, static_cast<char>('a' + i % 26)); },
        [](std::string a, std::string const& b) { return a += b; });
  };
  CHECK(text(3, 0) == ">");
  CHECK(text(3, 4) == ">abcd");
  auto const one = text(1, 1000);
  CHECK(one.size() == 1001);
  CHECK(one.substr(0, 4) == ">abc");
  CHECK(one.back() == static_cast<char>('a' + 999 % 26));
  CHECK(text(2, 1000) == one);
  CHECK(text(5, 1000) == one);
}

TEST_CASE("parallel_reduce: rounding does not depend on the threads", "[core]") {
  auto const sum = [](unsigned threads) {
    return mars::parallel_reduce(
        10'000, threads, 0.0, [](std::size_t i) { return 1.0 / static_cast<double>(i + 1); },
        [](double a, double b) { return a + b; });
  };
  CHECK(sum(1) == mars_test::approx(9.787606036044382).epsilon(1e-13)); // H(10000)
  CHECK(sum(2) == sum(1));
  CHECK(sum(3) == sum(1));
  CHECK(sum(8) == sum(1));
}
