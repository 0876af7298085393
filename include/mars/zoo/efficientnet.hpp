// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

struct mbconv_shape {
  std::int64_t expansion{};
  std::int64_t kernel{};
  std::int64_t stride{};
  std::int64_t out{};
  int repeats{};
};

/// Squeeze and excitation: weigh each channel by a small network that sees the channels' means.
/// `inner` is a quarter of the channels that enter the block, not of the expanded ones.
template <class Layers>
auto excite(Layers& net, std::string const& name, value x, std::int64_t inner) -> value {
  auto s = net.b.global_avg_pool(x, name + ".pool");
  s = net.biased_conv(name + ".fc1", s, inner, bare(1));
  s = net.biased_conv(name + ".fc2", s, net.channels(x), bare(1));
  return net.b.mul(x, s, name + ".scale");
}

template <class Layers>
auto mbconv(Layers& net, std::string const& name, value x, mbconv_shape const& shape,
            std::int64_t stride) -> value {
  auto const in = net.channels(x);
  auto y = x;
  if (shape.expansion != 1) y = net.conv(name + ".expand", y, in * shape.expansion, bare(1));
  y = net.depthwise(name + ".depthwise", y, same(shape.kernel, stride));
  y = excite(net, name + ".excite", y, in / 4);
  y = net.conv(name + ".project", y, shape.out, bare(1));
  return stride == 1 && in == shape.out ? net.add(name + ".add", x, y) : y;
}

} // namespace detail

inline constexpr image_network efficientnet_b0{
    {.name = "efficientnet_b0",
     .family = "EfficientNet",
     .source = "Tan, Le 2019, arXiv:1905.11946, table 1; torchvision efficientnet_b0"},
    [](auto& net, value x) -> value {
      constexpr detail::mbconv_shape table[] = {
          {1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
          {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
      x = net.conv("stem", x, 32, detail::same(3, 2));
      int stage = 1;
      for (auto const& shape : table) {
        for (int i = 0; i < shape.repeats; ++i)
          x = detail::mbconv(net,
                             std::string{"stage"} + std::to_string(stage) + "." + std::to_string(i),
                             x, shape, i == 0 ? shape.stride : 1);
        ++stage;
      }
      x = net.conv("head", x, 1280, detail::bare(1));
      return net.linear("classifier", net.global_pool("avgpool", x), net.classes);
    }};

} // namespace mars::zoo
