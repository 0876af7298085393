// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Whichever Catch2 is here: version 2.13 (Debian 12) or 3. Tests include this header and keep to what both offer:
// TEST_CASE, SECTION, CHECK, REQUIRE, INFO, CAPTURE, generators, WithinAbs and WithinRel of Catch::Matchers, and the
// two names that changed, below.

#if MARS_TEST_CATCH_MAJOR >= 3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace mars_test {

/// `CHECK(x == mars_test::approx(1.0).epsilon(1e-12))`
#if MARS_TEST_CATCH_MAJOR >= 3
using approx = Catch::Approx;
#else
using approx = Catch::Detail::Approx;
#endif

/// `CHECK_THAT(text, mars_test::contains_text("culprit"))`
inline auto contains_text(std::string const& part) {
#if MARS_TEST_CATCH_MAJOR >= 3
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

} // namespace mars_test

/// Ends the test case, saying why: `MARS_TEST_SKIP("no shared data here")`. (SKIP of
/// version 3 would fail an executable whose tests all skip.)
#define MARS_TEST_SKIP(why)                                                                        \
  do {                                                                                             \
    WARN("skipped: " << why);                                                                      \
    return;                                                                                        \
  } while (false)
