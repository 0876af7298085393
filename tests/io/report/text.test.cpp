// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/io/report/detail/text.hpp>

#include <limits>

namespace text = mars::io::detail;

TEST_CASE("names mean nothing to HTML") {
  CHECK(text::html_text("a<b & \"c\" 'd'>") == "a&lt;b &amp; &quot;c&quot; &#39;d&#39;&gt;");
  CHECK(text::html_text("größe → ∞") == "größe → ∞");
  CHECK(text::html_text(std::string_view{"a\0b\x1b", 4}) == "a\uFFFDb\uFFFD");
}

TEST_CASE("names mean nothing to JSON, nor to a script around it") {
  CHECK(text::json_text("a\"b\\c\nd\te") == "\"a\\\"b\\\\c\\nd\\u0009e\"");
  CHECK(text::json_text("</script>&") == "\"\\u003c/script\\u003e\\u0026\"");
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one") {
  CHECK(text::html_text("\xC3\xA4") == "ä");
  CHECK(text::html_text("\xC3") == "\uFFFD");                     // cut off
  CHECK(text::html_text("\xC0\xAF") == "\uFFFD\uFFFD");           // overlong
  CHECK(text::html_text("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD"); // surrogate
  CHECK(text::html_text("\xF0\x9F\x98\x80") == "\U0001F600");
  CHECK(text::html_text("\xF5\x80\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("quantities have four digits and the prefix of their rounded value") {
  CHECK(text::time_text(0.0123456) == "12.35 ms");
  CHECK(text::time_text(1.5e-6) == "1.500 µs");
  CHECK(text::time_text(0.00099999) == "1.000 ms");
  CHECK(text::time_text(0.00099994) == "999.9 µs");
  CHECK(text::time_text(3e-13) == "0.300 ps");
  CHECK(text::time_text(0) == "0 s");
  CHECK(text::time_text(std::numeric_limits<double>::infinity()) == "∞");
  CHECK(text::bytes_text(7) == "7 B");
  CHECK(text::bytes_text(1'500'000) == "1.500 MB");
  CHECK(text::count_text(1234567) == "1\u202F234\u202F567");
  CHECK(text::number_text(97.276) == "97.28");
  CHECK(text::number_text(8171.4) == "8\u202F171");
}

TEST_CASE("long names lose their middle, by characters") {
  CHECK(text::shortened("abcdefghij", 10) == "abcdefghij");
  CHECK(text::shortened("abcdefghijk", 7) == "abc…ijk");
  CHECK(text::shortened("äöüäöüäöü", 7) == "äöü…äöü");
}
