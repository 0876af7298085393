// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"
#include "support/kernel_layers.hpp"

#include <cstddef>
#include <vector>

namespace {

using mars::primitive::kernels::images;
using mars::primitive::kernels::lanes;
using mars::primitive::kernels::layout;
using mars::primitive::kernels::offset;

} // namespace

TEST_CASE("a reorder puts each number where the format says, zero in what is left of the lanes, "
          "and back") {
  for (images const& i :
       {images{1, 1, 1, 1}, images{2, lanes, 3, 5}, images{3, 2 * lanes + 1, 1, 37},
        images{1, lanes - 1, 7, 7}, images{2, 3 * lanes, 14, 14}}) {
    CAPTURE(i.count, i.channels, i.rows, i.columns);
    auto const plane = i.plane();
    std::vector<float> from(static_cast<std::size_t>(i.size(layout::nchw)));
    for (std::size_t at = 0; at < from.size(); ++at) from[at] = static_cast<float>(at + 1);
    std::vector<float> blocked(static_cast<std::size_t>(i.size(layout::nchwc)), -1.0F);
    mars::primitive::kernels::reorder_to_nchwc(i, from, blocked);
    bool right = true;
    for (std::size_t at = 0; at < blocked.size(); ++at) {
      auto const p = static_cast<offset>(at);
      auto const channel = p / lanes / plane % i.blocks() * lanes + p % lanes;
      auto const image = p / lanes / plane / i.blocks();
      auto const expected =
          channel < i.channels
              ? static_cast<float>((image * i.channels + channel) * plane + p / lanes % plane + 1)
              : 0.0F;
      right = right && blocked[at] == expected;
    }
    CHECK(right);
    std::vector<float> back(from.size());
    mars::primitive::kernels::reorder_to_nchw(i, blocked, back);
    CHECK(back == from);
  }
}

TEST_CASE("a buffer begins at a cache line and is zero") {
  for (std::size_t const size : {std::size_t{1}, std::size_t{17}, std::size_t{1000}}) {
    mars::primitive::kernels::buffer<float> const b(size);
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % 64 == 0);
    CHECK(b.size() == size);
    CHECK(std::ranges::all_of(b.span(), [](float x) { return x == 0; }));
  }
}
