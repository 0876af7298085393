// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/cost/bandwidth_curve.hpp>

using mars::bytes;
using mars::bytes_per_second;
using mars::seconds;

TEST_CASE("bandwidth curve: time is linear between points, rates hold beyond them", "[cost]") {
  mars::cost::bandwidth_curve const curve{
      {{bytes{100}, bytes_per_second{100}}, {bytes{300}, bytes_per_second{50}}}};
  CHECK(curve.time(bytes{0}) == seconds{});
  CHECK(curve.time(bytes{50}) == seconds{0.5});
  CHECK(curve.time(bytes{100}) == seconds{1});
  CHECK(curve.time(bytes{200}) == seconds{3.5}); // half way from 1 s to 6 s
  CHECK(curve.time(bytes{300}) == seconds{6});
  CHECK(curve.time(bytes{600}) == seconds{12});
  CHECK(mars::cost::bandwidth_curve{}.time(bytes{5}) == seconds{});
}
