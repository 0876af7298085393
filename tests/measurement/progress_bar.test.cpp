// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/measurement/progress_bar.hpp>

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

using mars::seconds;
namespace measurement = mars::measurement;

TEST_CASE("progress bar: share, time left, what is in hand, and gone in the end", "[measurement]") {
  std::string written;
  double now = 100;
  {
    measurement::progress_bar bar{[&](std::string_view text) { written += text; },
                                  [&] { return seconds{now}; }};
    bar.show({0, 8, "first"});
    CHECK(written == "\r[....................]   0 %  first");
    written.clear();
    now = 100.05; // too soon to be read
    bar.show({1, 8, "x"});
    CHECK(written.empty());
    now = 110; // a quarter took 10 s
    bar.show({2, 8, "a"});
    CHECK(written == "\r[#####...............]  25 %  30 s left  a");
    written.clear();
    now = 200;
    bar.show({4, 8, std::string(200, 'y')});
    CHECK(written.size() == 80);
    CHECK(written.find("2 min") == written.npos);
    CHECK(written.find("1 min 40 s left") != written.npos);
    written.clear();
    bar.show({8, 8, "z"}); // the end is shown however soon
    CHECK(written.substr(0, 47) == "\r[####################] 100 %  0 s left  z     ");
    written.clear();
  }
  CHECK(written.substr(0, 3) == "\r  ");
  CHECK(written.back() == '\r');
}

TEST_CASE("progress bar: writes nothing where nobody looks", "[measurement]") {
  auto* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  {
    measurement::progress_bar bar{file};
    measurement::job_observer const observer = std::ref(bar);
    CHECK(observer({1, 2, "half"}));
  }
  CHECK(std::ftell(file) == 0);
  (void)std::fclose(file);
}

TEST_CASE("progress bar: durations", "[measurement]") {
  using measurement::progress_bar;
  CHECK(progress_bar::duration_text(0.4) == "0 s");
  CHECK(progress_bar::duration_text(59.4) == "59 s");
  CHECK(progress_bar::duration_text(125) == "2 min 05 s");
  CHECK(progress_bar::duration_text(3 * 3600 + 20 * 60) == "3 h 20 min");
}
