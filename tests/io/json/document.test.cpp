// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace {

using mars::error_code;
using mars::io::parse_json;
using mars::io::reader;
using mars::io::reader_context;
using mars_test::contains_text;

auto error_in_document(std::string_view text) -> mars::error {
  auto const r = parse_json(text);
  REQUIRE_FALSE(r);
  return r.error();
}

/// What reading `text` with `read` complains about; empty when it does not.
template <class F>
auto complaint(std::string const& text, F read) -> std::string {
  auto const document = parse_json(text).value();
  reader_context context{document};
  read(context.root());
  return context.failed() ? to_string(context.failure()) : std::string{};
}

} // namespace

TEST_CASE("JSON texts become values") {
  auto const v =
      parse_json(R"({"a": [1, -2, 2.5, true, null, "x\u00e9"], "b": {"c": []}})").value();
  CHECK(v["a"][0] == 1);
  CHECK(v["a"][1] == -2);
  CHECK(v["a"][2] == 2.5);
  CHECK(v["a"][3] == true);
  CHECK(v["a"][4].is_null());
  CHECK(v["a"][5] == "x\xc3\xa9");
  CHECK(v["b"]["c"].empty());
  CHECK(parse_json("17").value() == 17);
  CHECK(parse_json(" [[], {}, [[{}]]] ").value().size() == 3);
  CHECK(parse_json("9223372036854775807").value() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("what is not JSON is refused with its place") {
  CHECK(error_in_document("").found == "an empty document");
  CHECK(error_in_document(" \n\t").found == "an empty document");
  for (auto const* text :
       {"{",     "[1,",        "{\"a\"",   "{\"a\":", "{\"a\":1", "[1 2]",      "{,}",
        "nul",   "'x'",        "\"open",   "[1]]",    "{} {}",    "01",         "1e999",
        "[NaN]", "[Infinity]", "\"\xff\"", "[1,]",    "// no\n1", "\"\\ud800\""}) {
    CAPTURE(text);
    auto const e = error_in_document(text);
    CHECK(e.code == error_code::parse);
    CHECK_THAT(e.path, contains_text("line "));
    CHECK_FALSE(e.detail.empty());
    for (char const c : to_string(e)) CHECK((c >= 0x20 && c < 0x7f));
  }
  CHECK(error_in_document("{\n  \"a\": 1,\n  \"b\": NaN\n}").path == "line 3, column 8");
}

TEST_CASE("every truncation of a document is refused") {
  std::string const whole = R"({"schema": "x", "list": [1, 2.5e3, {"k": null}], "t": true})";
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(parse_json(whole.substr(0, n)));
  CHECK(parse_json(whole));
}

TEST_CASE("a key twice is refused, with its path") {
  auto const e = error_in_document(R"({"a": [{}, {"b": {"x": 1, "y": 2, "x": 3}}]})");
  CHECK(e.code == error_code::duplicate);
  CHECK(e.path == "a[1].b.x");
  CHECK(error_in_document(R"({"k": 1, "k": 1})").path == "k");
}

TEST_CASE("deep nesting is refused, not followed") {
  auto const nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parse_json(nested(mars::io::max_json_depth)));
  CHECK(error_in_document(nested(mars::io::max_json_depth + 1)).code == error_code::parse);
  CHECK(error_in_document(std::string(5'000'000, '[')).code == error_code::parse);
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  CHECK_THAT(error_in_document(objects).found, contains_text("deeper"));
}

TEST_CASE("values are written the same way every time") {
  mars::io::ordered_json j;
  j["z"] = 1;
  j["a"] = {0.1, 1e300, 5e-324, 1.0, 123456789.125};
  j["text"] = "\xff\"";
  CHECK(mars::io::write_json(j) ==
        "{\n  \"z\": 1,\n  \"a\": [\n    0.1,\n    1e+300,\n    5e-324,\n    1.0,\n    "
        "123456789.125\n  ],\n  \"text\": \"\xef\xbf\xbd\\\"\"\n}\n");
}

TEST_CASE("readers name what is wrong") {
  CHECK(complaint(R"({"a": 1})", [](reader const& r) { r.allow({"a", "b"}); }).empty());
  CHECK(complaint(R"({"kernal": 1})",
                  [](reader const& r) {
                    r.allow({"kernel", "stride"});
                  }) ==
        "kernal: found a key nobody knows, wanted one of kernel, stride; did you mean kernel? "
        "[unknown-key]");
  CHECK(complaint(R"({"a": [{}, {"b": 1}]})", [](reader const& r) {
          (void)r["a"].items()[1]["c"];
        }) == "a[1].c: found nothing, wanted this key [missing-key]");
  CHECK(complaint(R"([1, "x"])", [](reader const& r) { (void)r.items()[1].integer(); }) ==
        "[1]: found \"x\", wanted a whole number of 64 bits [wrong-type]");
  CHECK(complaint(R"({"a": {}})", [](reader const& r) { (void)r["a"].items(); }) ==
        "a: found an object, wanted an array [wrong-type]");
  CHECK(complaint("[1, 2, 3]", [](reader const& r) { (void)r.items(2); }) ==
        "an array of 3, wanted at most 2 entries [out-of-range]");
  CHECK(complaint("3", [](reader const& r) { (void)r["a"]; }) ==
        "3, wanted an object [wrong-type]");
  CHECK(complaint(R"("toros")", [](reader const& r) {
          static constexpr std::array<std::string_view, 2> names{"torus", "ring"};
          CHECK(r.choice(names) == 0);
        }) == "\"toros\", wanted one of torus, ring; did you mean torus? [unknown-name]");
  CHECK(complaint(std::string{"\""} + std::string(1000, 'x') + "\"", [](reader const& r) {
          (void)r.boolean();
        }).size() < 200);
}

TEST_CASE("readers keep the first mistake and read on as if nothing were there") {
  auto const text = complaint(R"({"a": "x", "b": "y"})", [](reader const& r) {
    CHECK(r["a"].integer(5) == 5);
    CHECK(r["b"].integer() == 0);
    CHECK(r["none"]["deeper"].text().empty());
    CHECK(r["none"].items().empty());
    CHECK_FALSE(r["none"].boolean());
    CHECK(r["none"].short_name() == mars::label{"?"});
    CHECK_FALSE(r["none"].find("x"));
  });
  CHECK_THAT(text, contains_text("a: found \"x\""));
}

TEST_CASE("whole numbers may be written as reals, other reals not") {
  auto const read = [](std::string const& text, std::int64_t least, std::int64_t most) {
    return complaint(text, [&](reader const& r) { (void)r.integer(least, most); });
  };
  CHECK(complaint("1e9", [](reader const& r) { CHECK(r.integer() == 1'000'000'000); }).empty());
  CHECK(complaint("4611686018427387904", [](reader const& r) {
          CHECK(r.integer() == std::int64_t{1} << 62);
        }).empty());
  CHECK_THAT(read("1.5", 0, 9), contains_text("wrong-type"));
  CHECK_THAT(read("10", 0, 9), contains_text("out-of-range"));
  CHECK_THAT(read("-1", 0, 9), contains_text("from 0 to 9"));
  CHECK_THAT(read("1e300", 0, 9), contains_text("out-of-range"));
  CHECK_THAT(read("18446744073709551615", 0, std::numeric_limits<std::int64_t>::max()),
             contains_text("out-of-range"));
  CHECK_THAT(read("true", 0, 9), contains_text("wrong-type"));
}

TEST_CASE("numbers keep to their domain") {
  using enum mars::io::number_domain;
  auto const good = [](std::string const& text, mars::io::number_domain d) {
    return complaint(text, [&](reader const& r) { (void)r.number(d); }).empty();
  };
  CHECK(good("-1", any));
  CHECK(good("0", not_negative));
  CHECK_FALSE(good("-1e-300", not_negative));
  CHECK_FALSE(good("0", positive));
  CHECK(good("1", fraction));
  CHECK_FALSE(good("1.01", fraction));
  CHECK(good("null", positive_or_infinite));
  CHECK(good("\"infinity\"", positive_or_infinite));
  CHECK_FALSE(good("\"infinite\"", positive_or_infinite));
  CHECK_FALSE(good("\"infinity\"", positive));
  CHECK_FALSE(good("null", positive));
  CHECK_FALSE(good("0", positive_or_infinite));
}
