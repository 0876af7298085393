// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// Squeeze to few channels, expand half of the result with 1×1 and half with 3×3 windows.
template <class Layers>
auto fire(Layers& net, std::string const& name, value x, std::int64_t squeeze, std::int64_t expand)
    -> value {
  x = net.biased_conv(name + ".squeeze", x, squeeze, bare(1));
  auto const one = net.biased_conv(name + ".expand1x1", x, expand, bare(1));
  auto const three = net.biased_conv(name + ".expand3x3", x, expand, same(3));
  return net.concat(name + ".concat", {one, three});
}

} // namespace detail

inline constexpr image_network squeezenet{
    {.name = "squeezenet",
     .family = "SqueezeNet",
     .source = "Iandola et al. 2016, arXiv:1602.07360, version 1.0; torchvision squeezenet1_0",
     .least_image = 29},
    [](auto& net, value x) -> value {
      using detail::bare;
      using detail::fire;
      x = net.biased_conv("conv1", x, 96, bare(7, 2));
      x = net.max_pool("maxpool1", x, bare(3, 2), true);
      x = fire(net, "fire2", x, 16, 64);
      x = fire(net, "fire3", x, 16, 64);
      x = fire(net, "fire4", x, 32, 128);
      x = net.max_pool("maxpool4", x, bare(3, 2), true);
      x = fire(net, "fire5", x, 32, 128);
      x = fire(net, "fire6", x, 48, 192);
      x = fire(net, "fire7", x, 48, 192);
      x = fire(net, "fire8", x, 64, 256);
      x = net.max_pool("maxpool8", x, bare(3, 2), true);
      x = fire(net, "fire9", x, 64, 256);
      x = net.biased_conv("conv10", x, net.classes, bare(1));
      return net.global_pool("avgpool10", x);
    }};

} // namespace mars::zoo
