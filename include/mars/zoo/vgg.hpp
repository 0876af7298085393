// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <array>
#include <string>

namespace mars::zoo {
namespace detail {

/// Five runs of 3×3 convolutions, each ended by a pool; `depths` are the runs' lengths.
template <class Layers>
auto vgg(Layers& net, value x, std::array<int, 5> depths) -> value {
  constexpr std::array<std::int64_t, 5> widths{64, 128, 256, 512, 512};
  for (std::size_t run = 0; run < widths.size(); ++run) {
    auto const prefix = std::to_string(run + 1);
    for (int i = 1; i <= depths[run]; ++i)
      x = net.biased_conv(std::string{"conv"} + prefix + "_" + std::to_string(i), x, widths[run],
                          same(3));
    x = net.max_pool(std::string{"pool"} + prefix, x, bare(2, 2));
  }
  x = net.flatten(net.adaptive_pool("avgpool", x, 7));
  x = net.linear("fc6", x, 4096);
  x = net.linear("fc7", x, 4096);
  return net.linear("fc8", x, net.classes);
}

} // namespace detail

inline constexpr image_network vgg16{
    {.name = "vgg16",
     .family = "VGG",
     .source = "Simonyan, Zisserman 2014, arXiv:1409.1556, configuration D; torchvision vgg16",
     .least_image = 32},
    [](auto& net, value x) -> value {
      return detail::vgg(net, x, {2, 2, 3, 3, 3});
    }};

inline constexpr image_network vgg19{
    {.name = "vgg19",
     .family = "VGG",
     .source = "Simonyan, Zisserman 2014, arXiv:1409.1556, configuration E; torchvision vgg19",
     .least_image = 32},
    [](auto& net, value x) -> value {
      return detail::vgg(net, x, {2, 2, 4, 4, 4});
    }};

} // namespace mars::zoo
