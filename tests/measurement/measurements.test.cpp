// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/files.hpp>
#include <mars/measurement/measurements.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

using mars::seconds;
using mars_test::contains_text;
namespace measurement = mars::measurement;
using measurement::measurements;

namespace {

auto some_timings() -> measurements {
  measurements m;
  m.set("this; avx2", "conv 64x56x56; direct",
        {{seconds{0.1}, seconds{0.12}, 0.05, 40, 3}, "2x14", true, false})
      .value();
  m.set("this; avx2", "conv 64x56x56; winograd",
        {{seconds{1.0 / 3}, seconds{0.4}, 0, 5, 1}, "", true, true})
      .value();
  m.set("machine of somebody else", "gemm", {{seconds{5e-324}, seconds{1e300}, 2, 1, 1}, "x y"})
      .value();
  return m;
}
auto failure(std::string const& text) -> std::string {
  auto const m = measurement::parse_measurements(text);
  return m ? "none" : to_string(m.error());
}
auto const head = std::string{"mars.measurements/1\n"
                              "machine\tkernel\ttime_s\tmedian_s\tspread\tsamples\tcalls_per_"
                              "sample\treorders\timplementation\n"};

} // namespace

TEST_CASE("measurements: what is saved is loaded, to the bit", "[measurement]") {
  auto const folder = std::filesystem::path{"measurements_test"};
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  auto const path = (folder / "cache.tsv").string();
  CHECK(measurement::load_measurements(path).error().code == mars::error_code::io);
  measurement::save_measurements(path, some_timings()).value();
  CHECK(measurement::load_measurements(path).value() == some_timings());
  // Nothing but the file is left, and a second save replaces it.
  measurement::save_measurements(path, {}).value();
  CHECK(measurement::load_measurements(path).value() == measurements{});
  int files = 0;
  for ([[maybe_unused]] auto const& f : std::filesystem::directory_iterator{folder}) ++files;
  CHECK(files == 1);

  mars::write_file(path, head + "a\tb\t1\t1\t0\t1\t1\tnone\t\na\tc\tfast\t1\t0\t1\t1\tnone\t\n")
      .value();
  auto const bad = measurement::load_measurements(path);
  REQUIRE_FALSE(bad);
  CHECK(to_string(bad.error()) ==
        path + ": line 4, field 3: found fast, wanted a number of at least 0 [parse]");
  std::filesystem::remove_all(folder);
}

TEST_CASE("measurements: bad files are refused, line by line", "[measurement]") {
  CHECK_THAT(failure(""),
             contains_text("line 1: found the end of the file, wanted mars.measurements/1"));
  CHECK_THAT(failure("mars.measurements/2\n"), contains_text("line 1: found mars.measurements/2"));
  CHECK_THAT(failure("mars.measurements/1\n"), contains_text("line 2: found the end of the file"));
  CHECK_THAT(failure("mars.measurements/1\nmachine\n"), contains_text("line 2: found machine"));
  CHECK(failure(head) == "none");
  CHECK_THAT(failure(head + "a\tb\t1\n"), contains_text("line 3: found 3 fields"));
  CHECK_THAT(failure(head + "a\tb\t1\t1\t0\t1\t1\tnone\tx\tmore\n"),
             contains_text("found 10 fields"));
  CHECK_THAT(failure(head + "\tb\t1\t1\t0\t1\t1\tnone\t\n"), contains_text("line 3.machine"));
  for (std::string const number : {"-1", "nan", "inf", "1x", "", " 1", "1e999"})
    CHECK_THAT(failure(head + "a\tb\t" + number + "\t1\t0\t1\t1\tnone\t\n"),
               contains_text("line 3, field 3"));
  CHECK_THAT(failure(head + "a\tb\t1\t1\t0\t1.5\t1\tnone\t\n"),
             contains_text("line 3, field 6: found 1.5"));
  CHECK_THAT(failure(head + "a\tb\t1\t1\t0\t1\t1\tsome\t\n"),
             contains_text("line 3, field 8: found some"));
  // Line ends of other systems and a last line without one.
  CHECK(failure(head + "a\tb\t1\t1\t0\t1\t1\tboth\t\r\n\na\tc\t1\t1\t0\t1\t1\tinput\tx") == "none");
}

TEST_CASE("measurements: merged, the newer timing counts and strangers stay", "[measurement]") {
  auto all = some_timings();
  measurements newer;
  newer.set("this; avx2", "conv 64x56x56; direct", {{seconds{0.2}, seconds{0.2}, 0, 1, 1}}).value();
  newer.set("this; avx2", "new", {}).value();
  all.merge(newer);
  CHECK(all.entries().size() == 4);
  CHECK(all.find("this; avx2", "conv 64x56x56; direct")->time.time == seconds{0.2});
  CHECK(all.find("machine of somebody else", "gemm"));
  CHECK_FALSE(all.find("this; avx2", "gemm"));
}

TEST_CASE("measurements: keys that a file cannot hold are refused", "[measurement]") {
  measurements m;
  CHECK_FALSE(m.set("a\tb", "k", {}));
  CHECK_FALSE(m.set("a", "k\n", {}));
  CHECK_FALSE(m.set("a", "", {}));
  CHECK(m.entries().empty());
}
