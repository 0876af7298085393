// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// One residual block: `x` in, `planes` the width of its stage.
/// What the block's result is added to: `x`, projected where its shape would not fit.
template <class Layers>
auto shortcut(Layers& net, std::string const& name, value x, std::int64_t out, std::int64_t stride)
    -> value {
  if (stride == 1 && net.channels(x) == out) return x;
  return net.conv(name + ".downsample", x, out, bare(1, stride));
}

inline constexpr auto basic_block = [](auto& net, std::string const& name, value x,
                                       std::int64_t planes, std::int64_t stride) -> value {
  auto y = net.conv(name + ".conv1", x, planes, same(3, stride));
  y = net.conv(name + ".conv2", y, planes, same(3));
  return net.add(name + ".add", y, shortcut(net, name, x, planes, stride));
};

/// `Width` × planes inside, 4 × planes outside. The stride is on the 3×3 convolution, as in
/// torchvision and mars.md §8 (the paper has it on the first 1×1).
template <std::int64_t Width>
inline constexpr auto bottleneck_block = [](auto& net, std::string const& name, value x,
                                            std::int64_t planes, std::int64_t stride) -> value {
  auto y = net.conv(name + ".conv1", x, Width * planes, bare(1));
  y = net.conv(name + ".conv2", y, Width * planes, same(3, stride));
  y = net.conv(name + ".conv3", y, 4 * planes, bare(1));
  return net.add(name + ".add", y, shortcut(net, name, x, 4 * planes, stride));
};

template <class Layers, class Block>
auto resnet(Layers& net, value x, Block const& block, std::array<int, 4> depths) -> value {
  x = net.conv("conv1", x, 64, same(7, 2));
  x = net.max_pool("maxpool", x, same(3, 2));
  for (std::size_t stage = 0; stage < depths.size(); ++stage)
    for (int i = 0; i < depths[stage]; ++i)
      x = block(net, std::string{"layer"} + std::to_string(stage + 1) + "." + std::to_string(i), x,
                std::int64_t{64} << stage, i == 0 && stage != 0 ? 2 : 1);
  return net.linear("fc", net.global_pool("avgpool", x), net.classes);
}

inline constexpr std::string_view resnet_source =
    "He, Zhang, Ren, Sun 2015, arXiv:1512.03385; torchvision (stride on the 3x3 convolution)";

} // namespace detail

inline constexpr image_network resnet18{
    {.name = "resnet18", .family = "ResNet", .source = detail::resnet_source},
    [](auto& net, value x) -> value {
      return detail::resnet(net, x, detail::basic_block, {2, 2, 2, 2});
    }};

inline constexpr image_network resnet34{
    {.name = "resnet34", .family = "ResNet", .source = detail::resnet_source},
    [](auto& net, value x) -> value {
      return detail::resnet(net, x, detail::basic_block, {3, 4, 6, 3});
    }};

inline constexpr image_network resnet50{
    {.name = "resnet50", .family = "ResNet", .source = detail::resnet_source},
    [](auto& net, value x) -> value {
      return detail::resnet(net, x, detail::bottleneck_block<1>, {3, 4, 6, 3});
    }};

inline constexpr image_network resnet101{
    {.name = "resnet101", .family = "ResNet", .source = detail::resnet_source},
    [](auto& net, value x) -> value {
      return detail::resnet(net, x, detail::bottleneck_block<1>, {3, 4, 23, 3});
    }};

inline constexpr image_network resnet152{
    {.name = "resnet152", .family = "ResNet", .source = detail::resnet_source},
    [](auto& net, value x) -> value {
      return detail::resnet(net, x, detail::bottleneck_block<1>, {3, 8, 36, 3});
    }};

/// ResNet-50 whose 3×3 convolutions are twice as wide.
inline constexpr image_network wrn50_2{
    {.name = "wrn50_2",
     .family = "ResNet",
     .source = "Zagoruyko, Komodakis 2016, arXiv:1605.07146; torchvision wide_resnet50_2"},
    [](auto& net, value x) -> value {
      return detail::resnet(net, x, detail::bottleneck_block<2>, {3, 4, 6, 3});
    }};

} // namespace mars::zoo
