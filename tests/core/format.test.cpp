// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/format.hpp>

#include <limits>

using fmt::format;

TEST_CASE("format: quantities choose their prefix", "[core]") {
  CHECK(format("{}", mars::seconds{0.0123}) == "12.3 ms");
  CHECK(format("{}", mars::seconds{2.5e-7}) == "250.0 ns");
  CHECK(format("{}", mars::bytes{64'000'000}) == "64.0 MB");
  CHECK(format("{}", mars::bytes{512}) == "512 B");
  CHECK(format("{}", mars::macs{15'470'264'320}) == "15.5 GMAC");
  CHECK(format("{}", mars::hertz{2e8}) == "200.0 MHz");
  CHECK(format("{}", mars::bytes_per_second{4.5e11}) == "450.0 GB/s");
  CHECK(format("{}", mars::flops_per_second{3.12e14}) == "312.0 TFLOP/s");
  CHECK(format("{}", mars::joules{0.25}) == "250.0 mJ");
  CHECK(format("{}", mars::watts{400}) == "400.0 W");
  CHECK(format("{}", mars::cycles{519168}) == "519168 cycles");
}

TEST_CASE("format: rounding moves to the next prefix", "[core]") {
  CHECK(format("{}", mars::seconds{0.99996}) == "1.0 s");
  CHECK(format("{}", mars::seconds{0.9994}) == "999.4 ms");
  CHECK(format("{}", mars::bytes{999'960}) == "1.0 MB");
}

TEST_CASE("format: edges", "[core]") {
  CHECK(format("{}", mars::seconds{0}) == "0.0 s");
  CHECK(format("{}", mars::bytes{0}) == "0 B");
  CHECK(format("{}", mars::bytes{-2'000}) == "-2.0 kB");
  CHECK(format("{}", mars::infinite_seconds) == "inf s");
  CHECK(format("{}", mars::seconds{std::numeric_limits<double>::quiet_NaN()}) == "nan s");
  CHECK(format("{}", mars::seconds{1e-15}) == "0.0 ps");
  CHECK(format("{}", mars::picoseconds{1'179'648'000}) == "1.2 ms");
  CHECK(format("{}", mars::never) == "never");
}

TEST_CASE("format: width, alignment and digits", "[core]") {
  CHECK(format("{:.3}", mars::picoseconds{1'179'648'000}) == "1.180 ms");
  CHECK(format("[{:10}]", mars::bytes{512}) == "[     512 B]");
  CHECK(format("[{:<10.2}]", mars::seconds{1.5}) == "[1.50 s    ]");
  CHECK(format("[{:^9}]", mars::bytes{512}) == "[  512 B  ]");
}

TEST_CASE("format: ids, labels and errors", "[core]") {
  CHECK(format("{}", mars::operator_id{17}) == "17");
  CHECK(format("{:03}", mars::accelerator_id{7}) == "007");
  CHECK(format("{:>6}", mars::label{"cout"}) == "  cout");
  CHECK(format("{}", mars::error{mars::error_code::io, "f", "nothing", "", ""}) ==
        "f: found nothing [io]");
}
