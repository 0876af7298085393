// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/vector.hpp>

#include <cassert>
#include <span>

namespace mars::primitive::kernels {

namespace detail {

/// `channels` ≤ lanes planes of `count` numbers, `plane` apart, become `count` groups of `lanes`, the lanes
/// beyond the last channel zero.
inline void block(float const* from, offset plane, offset channels, offset count, float* to) {
  offset x = 0;
  if (channels == lanes)
    for (; x + lanes <= count; x += lanes) {
      vec rows[lanes];
      unrolled<lanes>([&](auto c) { rows[c] = load(from + c * plane + x); });
      transpose(rows);
      unrolled<lanes>([&](auto i) { store(to + (x + i) * lanes, rows[i]); });
    }
  for (; x < count; ++x)
    for (offset c = 0; c < lanes; ++c)
      to[x * lanes + c] = c < channels ? from[c * plane + x] : 0.0F;
}

/// The way back; padding lanes are left behind.
inline void unblock(float const* from, offset plane, offset channels, offset count, float* to) {
  offset x = 0;
  if (channels == lanes)
    for (; x + lanes <= count; x += lanes) {
      vec rows[lanes];
      unrolled<lanes>([&](auto i) { rows[i] = load(from + (x + i) * lanes); });
      transpose(rows);
      unrolled<lanes>([&](auto c) { store(to + c * plane + x, rows[c]); });
    }
  for (; x < count; ++x)
    for (offset c = 0; c < channels; ++c) to[c * plane + x] = from[x * lanes + c];
}

} // namespace detail

/// nchw to nchwc.
inline void reorder_to_nchwc(images const& i, std::span<float const> from, std::span<float> to) {
  assert(std::ssize(from) == i.size(layout::nchw) && std::ssize(to) == i.size(layout::nchwc));
  for (offset n = 0; n < i.count; ++n)
    for (offset b = 0; b < i.blocks(); ++b)
      detail::block(from.data() + (n * i.channels + b * lanes) * i.plane(), i.plane(),
                    std::min<offset>(lanes, i.channels - b * lanes), i.plane(),
                    to.data() + (n * i.blocks() + b) * i.plane() * lanes);
}

/// nchwc to nchw.
inline void reorder_to_nchw(images const& i, std::span<float const> from, std::span<float> to) {
  assert(std::ssize(from) == i.size(layout::nchwc) && std::ssize(to) == i.size(layout::nchw));
  for (offset n = 0; n < i.count; ++n)
    for (offset b = 0; b < i.blocks(); ++b)
      detail::unblock(from.data() + (n * i.blocks() + b) * i.plane() * lanes, i.plane(),
                      std::min<offset>(lanes, i.channels - b * lanes), i.plane(),
                      to.data() + (n * i.channels + b * lanes) * i.plane());
}

} // namespace mars::primitive::kernels
