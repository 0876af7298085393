// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// Output channels of the branches of a GoogLeNet module.
struct inception_widths {
  std::int64_t one{};     ///< 1×1
  std::int64_t reduce3{}; ///< 1×1 before the 3×3
  std::int64_t three{};   ///< 3×3
  std::int64_t reduce5{}; ///< 1×1 before the paper's 5×5
  std::int64_t five{};    ///< the paper's 5×5
  std::int64_t pool{};    ///< 1×1 after the pool
};

/// The branch the paper gives a 5×5 window has a 3×3 one in torchvision, whose weights everybody
/// uses.
template <class Layers>
auto inception_v1(Layers& net, std::string const& name, value x, inception_widths w) -> value {
  auto const one = net.conv(name + ".branch1", x, w.one, bare(1));
  auto three = net.conv(name + ".branch2.0", x, w.reduce3, bare(1));
  three = net.conv(name + ".branch2.1", three, w.three, same(3));
  auto five = net.conv(name + ".branch3.0", x, w.reduce5, bare(1));
  five = net.conv(name + ".branch3.1", five, w.five, same(3));
  auto pool = net.max_pool(name + ".branch4.0", x, same(3), true);
  pool = net.conv(name + ".branch4.1", pool, w.pool, bare(1));
  return net.concat(name + ".concat", {one, three, five, pool});
}

/// 35×35 maps.
template <class Layers>
auto inception_a(Layers& net, std::string const& name, value x, std::int64_t pooled) -> value {
  auto const one = net.conv(name + ".branch1x1", x, 64, bare(1));
  auto five = net.conv(name + ".branch5x5_1", x, 48, bare(1));
  five = net.conv(name + ".branch5x5_2", five, 64, same(5));
  auto three = net.conv(name + ".branch3x3dbl_1", x, 64, bare(1));
  three = net.conv(name + ".branch3x3dbl_2", three, 96, same(3));
  three = net.conv(name + ".branch3x3dbl_3", three, 96, same(3));
  auto pool = net.avg_pool(name + ".pool", x, same(3));
  pool = net.conv(name + ".branch_pool", pool, pooled, bare(1));
  return net.concat(name + ".concat", {one, five, three, pool});
}

/// 35×35 to 17×17.
template <class Layers>
auto inception_b(Layers& net, std::string const& name, value x) -> value {
  auto const three = net.conv(name + ".branch3x3", x, 384, bare(3, 2));
  auto twice = net.conv(name + ".branch3x3dbl_1", x, 64, bare(1));
  twice = net.conv(name + ".branch3x3dbl_2", twice, 96, same(3));
  twice = net.conv(name + ".branch3x3dbl_3", twice, 96, bare(3, 2));
  auto const pool = net.max_pool(name + ".pool", x, bare(3, 2));
  return net.concat(name + ".concat", {three, twice, pool});
}

/// 17×17 maps; `w` is the width inside the factorized 7×7 branches.
template <class Layers>
auto inception_c(Layers& net, std::string const& name, value x, std::int64_t w) -> value {
  constexpr auto row = same(1, 7, 1);
  constexpr auto column = same(7, 1, 1);
  auto const one = net.conv(name + ".branch1x1", x, 192, bare(1));
  auto seven = net.conv(name + ".branch7x7_1", x, w, bare(1));
  seven = net.conv(name + ".branch7x7_2", seven, w, row);
  seven = net.conv(name + ".branch7x7_3", seven, 192, column);
  auto twice = net.conv(name + ".branch7x7dbl_1", x, w, bare(1));
  twice = net.conv(name + ".branch7x7dbl_2", twice, w, column);
  twice = net.conv(name + ".branch7x7dbl_3", twice, w, row);
  twice = net.conv(name + ".branch7x7dbl_4", twice, w, column);
  twice = net.conv(name + ".branch7x7dbl_5", twice, 192, row);
  auto pool = net.avg_pool(name + ".pool", x, same(3));
  pool = net.conv(name + ".branch_pool", pool, 192, bare(1));
  return net.concat(name + ".concat", {one, seven, twice, pool});
}

/// 17×17 to 8×8.
template <class Layers>
auto inception_d(Layers& net, std::string const& name, value x) -> value {
  auto three = net.conv(name + ".branch3x3_1", x, 192, bare(1));
  three = net.conv(name + ".branch3x3_2", three, 320, bare(3, 2));
  auto seven = net.conv(name + ".branch7x7x3_1", x, 192, bare(1));
  seven = net.conv(name + ".branch7x7x3_2", seven, 192, same(1, 7, 1));
  seven = net.conv(name + ".branch7x7x3_3", seven, 192, same(7, 1, 1));
  seven = net.conv(name + ".branch7x7x3_4", seven, 192, bare(3, 2));
  auto const pool = net.max_pool(name + ".pool", x, bare(3, 2));
  return net.concat(name + ".concat", {three, seven, pool});
}

/// 8×8 maps, whose 3×3 branches end in a row and a column side by side.
template <class Layers>
auto inception_e(Layers& net, std::string const& name, value x) -> value {
  auto const one = net.conv(name + ".branch1x1", x, 320, bare(1));
  auto const three = net.conv(name + ".branch3x3_1", x, 384, bare(1));
  auto const three_a = net.conv(name + ".branch3x3_2a", three, 384, same(1, 3, 1));
  auto const three_b = net.conv(name + ".branch3x3_2b", three, 384, same(3, 1, 1));
  auto twice = net.conv(name + ".branch3x3dbl_1", x, 448, bare(1));
  twice = net.conv(name + ".branch3x3dbl_2", twice, 384, same(3));
  auto const twice_a = net.conv(name + ".branch3x3dbl_3a", twice, 384, same(1, 3, 1));
  auto const twice_b = net.conv(name + ".branch3x3dbl_3b", twice, 384, same(3, 1, 1));
  auto pool = net.avg_pool(name + ".pool", x, same(3));
  pool = net.conv(name + ".branch_pool", pool, 192, bare(1));
  return net.concat(name + ".concat", {one, three_a, three_b, twice_a, twice_b, pool});
}

} // namespace detail

/// Without the auxiliary classifiers, which only training uses.
inline constexpr image_network googlenet{
    {.name = "googlenet",
     .family = "Inception",
     .source = "Szegedy et al. 2014, arXiv:1409.4842; torchvision googlenet (batch normalization, "
               "3x3 for 5x5)",
     .least_image = 31},
    [](auto& net, value x) -> value {
      using detail::bare;
      using detail::inception_v1;
      using detail::same;
      x = net.conv("conv1", x, 64, same(7, 2));
      x = net.max_pool("maxpool1", x, bare(3, 2), true);
      x = net.conv("conv2", x, 64, bare(1));
      x = net.conv("conv3", x, 192, same(3));
      x = net.max_pool("maxpool2", x, bare(3, 2), true);
      x = inception_v1(net, "inception3a", x, {64, 96, 128, 16, 32, 32});
      x = inception_v1(net, "inception3b", x, {128, 128, 192, 32, 96, 64});
      x = net.max_pool("maxpool3", x, bare(3, 2), true);
      x = inception_v1(net, "inception4a", x, {192, 96, 208, 16, 48, 64});
      x = inception_v1(net, "inception4b", x, {160, 112, 224, 24, 64, 64});
      x = inception_v1(net, "inception4c", x, {128, 128, 256, 24, 64, 64});
      x = inception_v1(net, "inception4d", x, {112, 144, 288, 32, 64, 64});
      x = inception_v1(net, "inception4e", x, {256, 160, 320, 32, 128, 128});
      x = net.max_pool("maxpool4", x, bare(2, 2), true);
      x = inception_v1(net, "inception5a", x, {256, 160, 320, 32, 128, 128});
      x = inception_v1(net, "inception5b", x, {384, 192, 384, 48, 128, 128});
      return net.linear("fc", net.global_pool("avgpool", x), net.classes);
    }};

/// Without the auxiliary classifier, which only training uses.
inline constexpr image_network inception_v3{
    {.name = "inception_v3",
     .family = "Inception",
     .source = "Szegedy et al. 2015, arXiv:1512.00567; torchvision inception_v3",
     .image = 299,
     .least_image = 75},
    [](auto& net, value x) -> value {
      using detail::bare;
      using detail::same;
      x = net.conv("Conv2d_1a_3x3", x, 32, bare(3, 2));
      x = net.conv("Conv2d_2a_3x3", x, 32, bare(3));
      x = net.conv("Conv2d_2b_3x3", x, 64, same(3));
      x = net.max_pool("maxpool1", x, bare(3, 2));
      x = net.conv("Conv2d_3b_1x1", x, 80, bare(1));
      x = net.conv("Conv2d_4a_3x3", x, 192, bare(3));
      x = net.max_pool("maxpool2", x, bare(3, 2));
      x = detail::inception_a(net, "Mixed_5b", x, 32);
      x = detail::inception_a(net, "Mixed_5c", x, 64);
      x = detail::inception_a(net, "Mixed_5d", x, 64);
      x = detail::inception_b(net, "Mixed_6a", x);
      x = detail::inception_c(net, "Mixed_6b", x, 128);
      x = detail::inception_c(net, "Mixed_6c", x, 160);
      x = detail::inception_c(net, "Mixed_6d", x, 160);
      x = detail::inception_c(net, "Mixed_6e", x, 192);
      x = detail::inception_d(net, "Mixed_7a", x);
      x = detail::inception_e(net, "Mixed_7b", x);
      x = detail::inception_e(net, "Mixed_7c", x);
      return net.linear("fc", net.global_pool("avgpool", x), net.classes);
    }};

} // namespace mars::zoo
