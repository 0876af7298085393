// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"

#include <mars/primitive/kernels/reference.hpp>

#include <limits>
#include <vector>

namespace {

using mars::convolution_layer;
using mars::primitive::kernels::reference;
using mars::primitive::kernels::relative_error;

} // namespace

TEST_CASE("the reference convolves as calculated by hand") {
  // 1 2 3        1 2     stride (1, 2), one column of zeros on the left:
  // 4 5 6   with 3 4     0·1 + 1·2 + 0·3 + 4·4 = 18; 2·1 + 3·2 + 5·3 + 6·4 = 47; and so on
  // 7 8 9
  convolution_layer c;
  c.in = {3, 3};
  c.out = {2, 2};
  c.kernel = {2, 2};
  c.stride = {1, 2};
  c.padding = {0, 1};
  std::vector<float> const in{1, 2, 3, 4, 5, 6, 7, 8, 9};
  CHECK(reference(c, in, std::vector<float>{1, 2, 3, 4}) == std::vector<double>{18, 47, 36, 77});
  // The same kernel with a gap between its rows: 1·2 + 7·4, and 2·1 + 3·2 + 8·3 + 9·4.
  c.dilation = {2, 1};
  c.out.rows = 1;
  CHECK(reference(c, in, std::vector<float>{1, 2, 3, 4}) == std::vector<double>{30, 68});
}

TEST_CASE("the reference keeps groups and images apart") {
  convolution_layer c;
  c.batch = 2;
  c.groups = 2;
  c.in_channels = 4;
  c.out_channels = 2;
  std::vector<float> const in{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(reference(c, in, std::vector<float>{1, 10, 100, 1000}) ==
        std::vector<double>{21, 4300, 65, 8700});
}

TEST_CASE("an error is the largest difference over the root mean square, and never lost in a NaN") {
  std::vector<double> const exact{3, 4, 0, 0}; // root mean square 2.5
  CHECK(relative_error(std::vector<float>{3, 4, 0, 0.5F}, exact) == mars_test::approx(0.2));
  auto const nothing = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(relative_error(std::vector<float>{nothing, 4, 0, 0}, exact) <= 1);
  CHECK(relative_error(std::vector<float>{0.5F}, std::vector<double>{0}) == 0.5);
}
