// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/buffer.hpp>
#include <mars/primitive/kernels/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace mars::primitive::kernels {

/// K × C/g × taps weights as kernels with output channels in the lanes read them, front to back: parts of
/// `vectors` blocks of output channels (or of one, at the end); in a part, blocks of input channels; in
/// a block, taps; for each tap, input channels × blocks × lanes.
class blocked_weights {
public:
  /// Neighbouring blocks of output channels, and the input channels they need: all that their groups
  /// reach. Where a block spans groups, weights between different ones are zero.
  struct part {
    offset block{};
    offset blocks{}; ///< `vectors` or one
    range channels{};
    offset first{}; ///< into data()
  };

  blocked_weights() = default;
  blocked_weights(offset out_channels, offset in_channels, offset groups, offset taps, int vectors,
                  std::span<float const> weights) {
    auto const k_per_group = out_channels / groups;
    auto const c_per_group = in_channels / groups;
    auto const blocks = ceil_div(out_channels, lanes);
    offset size = 0;
    for (offset b = 0; b < blocks;) {
      offset const count = b + vectors <= blocks ? vectors : 1;
      auto const last = std::min((b + count) * lanes, out_channels) - 1;
      range const channels{b * lanes / k_per_group * c_per_group,
                           (last / k_per_group + 1) * c_per_group};
      parts_.push_back({b, count, channels, size});
      size += channels.size() * taps * count * lanes;
      b += count;
    }
    data_ = buffer<float>(static_cast<std::size_t>(size));
    for (auto const& p : parts_) {
      auto* to = data_.data() + p.first;
      for (auto from = p.channels.begin; from < p.channels.end;) {
        auto const end = end_of_block(p.channels, from);
        for (offset t = 0; t < taps; ++t)
          for (auto c = from; c < end; ++c)
            for (auto k = p.block * lanes; k < (p.block + p.blocks) * lanes; ++k, ++to)
              if (k < out_channels && k / k_per_group == c / c_per_group)
                *to = weights[static_cast<std::size_t>((k * c_per_group + c % c_per_group) * taps +
                                                       t)];
        from = end;
      }
    }
  }

  /// Where the block of input channels that `channel` lies in ends, or the range does.
  [[nodiscard]] static constexpr auto end_of_block(range channels, offset channel) -> offset {
    return std::min(channels.end, channel / lanes * lanes + lanes);
  }

  [[nodiscard]] auto parts() const -> std::vector<part> const& { return parts_; }
  [[nodiscard]] auto of(part const& p) const -> float const* { return data_.data() + p.first; }
  /// Elements, where there is one tap.
  [[nodiscard]] static auto size_of(part const& p) -> offset {
    return p.channels.size() * p.blocks * lanes;
  }
  [[nodiscard]] auto end() const -> float const* { return data_.data() + data_.size(); }
  [[nodiscard]] auto bytes() const -> std::size_t { return data_.size() * sizeof(float); }

private:
  std::vector<part> parts_;
  buffer<float> data_;
};

/// Input channels, whole blocks of them, whose weights stay in the first-level cache while an image
/// goes by. (Sums then wait in the output.)
[[nodiscard]] constexpr auto channels_in_cache(offset taps, offset vectors) -> offset {
  constexpr offset cached = 24 * 1024 / sizeof(float);
  return std::max<offset>(1, cached / (taps * vectors * lanes * lanes)) * lanes;
}

/// Fetches the weights that follow those in use into the second-level cache, bit by bit: where each is used
/// for a short while only, they come from far away, in order, but hardware does not look beyond a page.
class lookahead {
public:
  /// `size` elements behind `end_of_use`, or as many as there are before `end`, in `calls` calls.
  lookahead(float const* end_of_use, offset size, float const* end, offset calls)
      : next_{end_of_use},
        end_{next_ + std::min(size, end - next_)},
        each_{round_up(ceil_div(size, calls), line)} {}
  /// As many as `part` has.
  lookahead(blocked_weights const& weights, blocked_weights::part const& part, offset calls)
      : lookahead{weights.of(part) + weights.size_of(part), weights.size_of(part), weights.end(),
                  calls} {}

  [[gnu::always_inline]] void operator()() {
    auto const stop = next_ + std::min(each_, end_ - next_);
    for (; next_ < stop; next_ += std::min(line, stop - next_)) __builtin_prefetch(next_, 0, 2);
  }

private:
  static constexpr offset line = 64 / sizeof(float);

  float const* next_;
  float const* end_;
  offset each_;
};

} // namespace mars::primitive::kernels
