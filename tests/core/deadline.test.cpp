// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/deadline.hpp>

#include <limits>

using mars::deadline;
using mars::seconds;

TEST_CASE("deadline: never does not expire", "[core]") {
  CHECK(deadline{} == deadline::never());
  CHECK(deadline::never().is_never());
  CHECK_FALSE(deadline::never().expired());
  CHECK(deadline::never().remaining() == mars::infinite_seconds);
}

TEST_CASE("deadline: counts from now", "[core]") {
  auto const hour = deadline::after(seconds{3600});
  CHECK_FALSE(hour.expired());
  CHECK(hour.remaining() > seconds{3500});
  CHECK(hour.remaining() <= seconds{3600});
  auto const now = deadline::after(seconds{0});
  CHECK(now.expired());
  CHECK(now.remaining() == seconds{0});
}

TEST_CASE("deadline: damaged budgets", "[core]") {
  CHECK(deadline::after(seconds{-5}).expired());
  CHECK(deadline::after(seconds{std::numeric_limits<double>::quiet_NaN()}).expired());
  CHECK(deadline::after(mars::infinite_seconds).is_never());
  CHECK(deadline::after(seconds{1e300}).is_never());
  CHECK_FALSE(deadline::after(seconds{3e9}).expired()); // 95 years must not overflow the clock
}
