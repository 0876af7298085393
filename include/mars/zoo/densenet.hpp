// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// Scale, shift and rectify what comes from a concatenation. Every reader of the concatenated maps
/// normalizes them anew, so this cannot be folded into the convolutions that made them, nor, past
/// its ReLU, into the one that follows: an operator of its own with two parameters a channel.
template <class Layers>
auto densenet_norm(Layers& net, std::string name, value x) -> value {
  return net.b.batch_norm(x, std::move(name), 2);
}

template <class Layers>
auto densenet(Layers& net, value x, std::int64_t stem, std::int64_t growth,
              std::array<int, 4> depths) -> value {
  x = net.conv("conv0", x, stem, same(7, 2));
  x = net.max_pool("pool0", x, same(3, 2));
  for (std::size_t block = 0; block < depths.size(); ++block) {
    auto const number = std::to_string(block + 1);
    if (block != 0) {
      auto const transition = std::string{"transition"} + std::to_string(block);
      x = densenet_norm(net, transition + ".norm", x);
      x = net.conv(transition + ".conv", x, net.channels(x) / 2, bare(1));
      x = net.avg_pool(transition + ".pool", x, bare(2, 2));
    }
    for (int i = 1; i <= depths[block]; ++i) {
      auto const name = std::string{"denseblock"} + number + ".denselayer" + std::to_string(i);
      auto y = densenet_norm(net, name + ".norm1", x);
      y = net.conv(name + ".conv1", y, 4 * growth, bare(1));
      y = net.conv(name + ".conv2", y, growth, same(3));
      x = net.concat(name + ".concat", {x, y});
    }
  }
  x = densenet_norm(net, "norm5", x);
  return net.linear("classifier", net.global_pool("avgpool", x), net.classes);
}

} // namespace detail

inline constexpr image_network densenet121{
    {.name = "densenet121",
     .family = "DenseNet",
     .source = "Huang et al. 2016, arXiv:1608.06993, growth 32; torchvision densenet121",
     .least_image = 29},
    [](auto& net, value x) -> value {
      return detail::densenet(net, x, 64, 32, {6, 12, 24, 16});
    }};

inline constexpr image_network densenet161{
    {.name = "densenet161",
     .family = "DenseNet",
     .source = "Huang et al. 2016, arXiv:1608.06993, growth 48; torchvision densenet161",
     .least_image = 29},
    [](auto& net, value x) -> value {
      return detail::densenet(net, x, 96, 48, {6, 12, 36, 24});
    }};

} // namespace mars::zoo
