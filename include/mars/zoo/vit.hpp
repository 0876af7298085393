// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// Pixels of a patch's side are those of `patch`; positions are learned, so their table grows with
/// the image.
template <class Layers>
auto vit(Layers& net, value x, std::int64_t patch, transformer_shape shape) -> value {
  transformer<builder> blocks{net.b, shape, net.bias};
  auto const batch = net.extent(x, 0);
  x = net.biased_conv("patches", x, shape.width, bare(patch, patch));
  auto const patches = net.side(x) * net.side(x);
  x = net.b.reshape(x, {batch, shape.width, patches}, "patches.flatten");
  x = net.b.transpose(x, {0, 2, 1}, "patches.to_tokens");
  auto token = net.b.constant("class_token", {1, 1, shape.width});
  if (batch != 1) token = net.b.expand(token, {batch, 1, shape.width}, "class_token.expand");
  x = net.concat("tokens", {token, x});
  x = net.add("positions", x, net.b.constant("positions.table", {1, patches + 1, shape.width}));
  for (std::int64_t i = 0; i < shape.blocks; ++i)
    x = blocks.pre_norm_block(std::string{"encoder."} + std::to_string(i), x, false);
  x = blocks.norm("norm", x);
  return net.linear("head", blocks.first_token("class_token.result", x, batch), net.classes);
}

} // namespace detail

inline constexpr image_network vit_b16{
    {.name = "vit_b16",
     .family = "ViT",
     .source = "Dosovitskiy et al. 2020, arXiv:2010.11929, ViT-B/16; torchvision vit_b_16",
     .least_image = 16,
     .multiple = 16},
    [](auto& net, value x) -> value {
      return detail::vit(net, x, 16,
                         {.blocks = 12, .width = 768, .heads = 12, .feed_forward = 3072});
    }};

} // namespace mars::zoo
