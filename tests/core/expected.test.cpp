// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>

#include <memory>
#include <string>
#include <utility>

using mars::error;
using mars::error_code;
using mars::expected;
using mars::fail;

namespace {
auto half(int x) -> expected<int> {
  if (x % 2 != 0) return fail(error_code::out_of_range, "x", std::to_string(x), "an even number");
  return x / 2;
}
} // namespace

TEST_CASE("error: one line for a person", "[core]") {
  CHECK(to_string(error{error_code::out_of_range, "links[3].bandwidth", "-1", "above 0", ""}) ==
        "links[3].bandwidth: found -1, wanted above 0 [out-of-range]");
  CHECK(to_string(error{error_code::cycle, "operators[2]", "", "", "reaches itself"}) ==
        "operators[2]: reaches itself [cycle]");
  CHECK(to_string(error{error_code::missing_key, "system", "", "groups", ""}) ==
        "system: wanted groups [missing-key]");
  auto const two_lines = to_string(error{error_code::parse, "", "a\nb", "", ""});
  CHECK(two_lines.find('\n') == std::string::npos);
}

TEST_CASE("error: paths are joined from the outside in", "[core]") {
  CHECK(error{error_code::cycle, "inputs[1]", "", "", ""}.inside("operators[17]").path ==
        "operators[17].inputs[1]");
  CHECK(error{error_code::cycle, "[3]", "", "", ""}.inside("links").path == "links[3]");
  CHECK(error{error_code::cycle, "", "", "", ""}.inside("system").path == "system");
}

TEST_CASE("error: the numbers of codes are a contract", "[core]") {
  CHECK(static_cast<int>(error_code::invalid_argument) == 100);
  CHECK(static_cast<int>(error_code::shape_mismatch) == 200);
  CHECK(static_cast<int>(error_code::parse) == 300);
  CHECK(static_cast<int>(error_code::infeasible) == 401);
  CHECK(static_cast<int>(error_code::device) == 500);
  CHECK(static_cast<int>(error_code::race) == 501);
  CHECK(code_name(error_code::io) == "io");
}

TEST_CASE("expected: a value or an error", "[core]") {
  auto const four = half(8);
  REQUIRE(four);
  CHECK(*four == 4);
  CHECK(four.value() == 4);
  CHECK(four.value_or(9) == 4);
  auto const none = half(7);
  REQUIRE_FALSE(none);
  CHECK(none.error().path == "x");
  CHECK(none.error().found == "7");
  CHECK(none.value_or(9) == 9);
}

TEST_CASE("expected: chains stop at the first error", "[core]") {
  CHECK(half(8).and_then(half).and_then(half).value() == 1);
  CHECK(half(8).and_then(half).and_then(half).and_then(half).error().found == "1");
  CHECK(half(8).transform([](int x) { return std::to_string(x); }).value() == "4");
  CHECK_FALSE(half(7).transform([](int x) { return std::to_string(x); }));
}

TEST_CASE("expected: move-only values", "[core]") {
  expected<std::unique_ptr<int>> e{std::make_unique<int>(3)};
  auto const p = std::move(e).value();
  CHECK(*p == 3);
}

TEST_CASE("expected: of nothing", "[core]") {
  expected<void> const good;
  CHECK(good);
  expected<void> const bad = fail(error_code::io, "file", "absent");
  CHECK_FALSE(bad);
  CHECK(bad.error().code == error_code::io);
}

#if defined(__cpp_exceptions)
TEST_CASE("expected: value() throws the error", "[core]") {
  auto caught = error_code::io;
  try {
    (void)half(7).value();
  } catch (mars::exception const& e) {
    caught = e.error().code;
    CHECK(std::string{e.what()} == to_string(e.error()));
  }
  CHECK(caught == error_code::out_of_range);
  CHECK_THROWS_AS(expected<void>{fail(error_code::io, "f", "")}.value(), mars::exception);
}
#endif
