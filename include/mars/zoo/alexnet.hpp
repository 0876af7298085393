// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

namespace mars::zoo {
namespace detail {

template <class Layers>
auto alexnet_classifier(Layers& net, value x) -> value {
  x = net.flatten(net.adaptive_pool("avgpool", x, 6));
  x = net.linear("fc6", x, 4096);
  x = net.linear("fc7", x, 4096);
  return net.linear("fc8", x, net.classes);
}

} // namespace detail

/// The single-column version.
inline constexpr image_network alexnet{
    {.name = "alexnet",
     .family = "AlexNet",
     .source = "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks, "
               "arXiv:1404.5997; torchvision alexnet",
     .least_image = 63},
    [](auto& net, value x) -> value {
      using detail::bare;
      using detail::same;
      x = net.biased_conv("conv1", x, 64, {11, 11, 4, 2, 2});
      x = net.max_pool("pool1", x, bare(3, 2));
      x = net.biased_conv("conv2", x, 192, same(5));
      x = net.max_pool("pool2", x, bare(3, 2));
      x = net.biased_conv("conv3", x, 384, same(3));
      x = net.biased_conv("conv4", x, 256, same(3));
      x = net.biased_conv("conv5", x, 256, same(3));
      x = net.max_pool("pool5", x, bare(3, 2));
      return detail::alexnet_classifier(net, x);
    }};

/// The original, whose second, fourth and fifth convolutions see only their own half of the maps.
/// The paper's 224 pixels give its 55×55 first maps only with two pixels of padding.
inline constexpr image_network alexnet_2012{
    {.name = "alexnet_2012",
     .family = "AlexNet",
     .source = "Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional "
               "neural networks, NIPS 2012; groups = 2",
     .least_image = 63},
    [](auto& net, value x) -> value {
      using detail::bare;
      using detail::same;
      x = net.biased_conv("conv1", x, 96, {11, 11, 4, 2, 2});
      x = net.b.lrn(x, 5, "norm1");
      x = net.max_pool("pool1", x, bare(3, 2));
      x = net.biased_conv("conv2", x, 256, same(5), 2);
      x = net.b.lrn(x, 5, "norm2");
      x = net.max_pool("pool2", x, bare(3, 2));
      x = net.biased_conv("conv3", x, 384, same(3));
      x = net.biased_conv("conv4", x, 384, same(3), 2);
      x = net.biased_conv("conv5", x, 256, same(3), 2);
      x = net.max_pool("pool5", x, bare(3, 2));
      return detail::alexnet_classifier(net, x);
    }};

} // namespace mars::zoo
