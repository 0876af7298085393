// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// Wide inside, narrow outside: expand, filter each channel by itself, project without activation.
template <class Layers>
auto inverted_residual(Layers& net, std::string const& name, value x, std::int64_t expansion,
                       std::int64_t out, std::int64_t stride) -> value {
  auto const in = net.channels(x);
  auto y = x;
  if (expansion != 1) y = net.conv(name + ".expand", y, in * expansion, bare(1));
  y = net.depthwise(name + ".depthwise", y, same(3, stride));
  y = net.conv(name + ".project", y, out, bare(1));
  return stride == 1 && in == out ? net.add(name + ".add", x, y) : y;
}

} // namespace detail

inline constexpr image_network mobilenet_v1{
    {.name = "mobilenet_v1",
     .family = "MobileNet",
     .source = "Howard et al. 2017, arXiv:1704.04861, table 1, width 1.0"},
    [](auto& net, value x) -> value {
      struct {
        std::int64_t out, stride;
      } constexpr table[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                             {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
      x = net.conv("conv1", x, 32, detail::same(3, 2));
      int i = 2;
      for (auto const& row : table) {
        auto const name = std::string{"conv"} + std::to_string(i++);
        x = net.depthwise(name + ".depthwise", x, detail::same(3, row.stride));
        x = net.conv(name + ".pointwise", x, row.out, detail::bare(1));
      }
      return net.linear("fc", net.global_pool("avgpool", x), net.classes);
    }};

inline constexpr image_network mobilenet_v2{
    {.name = "mobilenet_v2",
     .family = "MobileNet",
     .source = "Sandler et al. 2018, arXiv:1801.04381, table 2; torchvision mobilenet_v2"},
    [](auto& net, value x) -> value {
      struct {
        std::int64_t expansion, out;
        int repeats;
        std::int64_t stride;
      } constexpr table[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
      x = net.conv("features.0", x, 32, detail::same(3, 2));
      int index = 1;
      for (auto const& row : table)
        for (int i = 0; i < row.repeats; ++i)
          x = detail::inverted_residual(net, std::string{"features."} + std::to_string(index++), x,
                                        row.expansion, row.out, i == 0 ? row.stride : 1);
      x = net.conv("features.18", x, 1280, detail::bare(1));
      return net.linear("classifier", net.global_pool("avgpool", x), net.classes);
    }};

} // namespace mars::zoo
