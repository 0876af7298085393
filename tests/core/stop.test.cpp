// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/observer.hpp>
#include <mars/core/stop.hpp>

#include <atomic>

TEST_CASE("stop: a token sees the flag it looks at", "[core]") {
  std::atomic<bool> flag{false};
  mars::stop_token const token{&flag};
  CHECK_FALSE(token.stop_requested());
  flag = true;
  CHECK(token.stop_requested());
  CHECK_FALSE(mars::stop_token{}.stop_requested());
  CHECK_FALSE(token == mars::stop_token{});
}

TEST_CASE("stop: an empty budget is unlimited", "[core]") {
  mars::budget const b{.evaluations = 5};
  CHECK_FALSE(b.wall.has_value());
  CHECK(b.evaluations == 5U);
  CHECK_FALSE(b == mars::budget{});
}

TEST_CASE("observer: gap of a progress", "[core]") {
  using mars::picoseconds;
  CHECK(gap(mars::progress{}) == 1.0);
  CHECK(gap(mars::progress{.best = picoseconds{200}, .bound = picoseconds{150}}) == 0.25);
  CHECK(gap(mars::progress{.best = picoseconds{150}, .bound = picoseconds{150}}) == 0.0);
  CHECK(gap(mars::progress{.best = picoseconds{0}}) == 0.0);
  CHECK(mars::null_observer{}(mars::progress{}) == mars::verdict::proceed);
  static_assert(mars::Observer<mars::null_observer>);
  auto const lambda = [](mars::progress const&) { return mars::verdict::stop; };
  static_assert(mars::Observer<decltype(lambda)>);
  auto const answers_nothing = [](mars::progress const&) {};
  static_assert(!mars::Observer<decltype(answers_nothing)>);
}
