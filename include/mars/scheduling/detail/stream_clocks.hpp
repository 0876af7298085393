// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars::detail {

/// What surely ended before what a stream is given next: of each stream, how many of its launches (vector
/// clocks). Launches are told in launch order, of each first its waits. A clock is as long as the last
/// stream in it; so streams that wait for few others cost little. O(streams) a wait or launch waited for.
template <deferred D = when_called>
class basic_stream_clocks {
public:
  /// Nothing is launched. Keeps its memory.
  void reset(std::size_t streams, std::size_t launches) {
    launched_.assign(streams, 0);
    others_.resize(streams);
    for (auto& clock : others_) clock.clear();
    then_.clear();
    places_.assign(launches, {});
  }

  /// Does what `stream` is given next come after launch `i` without a wait for it?
  [[nodiscard]] auto is_behind(std::uint32_t stream, std::size_t i) const -> bool {
    auto const& x = places_[i];
    if (x.stream == stream) return launched_[stream] >= x.number;
    auto const& clock = others_[stream];
    return x.stream < clock.size() && clock[x.stream] >= x.number;
  }
  /// Precondition: `i` was launched on another stream as one that is waited for.
  void wait(std::uint32_t stream, std::size_t i) {
    auto const& x = places_[i];
    auto& clock = others_[stream];
    clock.resize(std::max(clock.size(), std::max<std::size_t>(x.size, x.stream + std::size_t{1})));
    for (std::size_t s = 0; s < x.size; ++s) clock[s] = std::max(clock[s], then_[x.row + s]);
    clock[x.stream] = std::max(clock[x.stream], x.number);
  }
  void launch(std::uint32_t stream, std::size_t i, bool is_waited_for) {
    auto const& clock = others_[stream];
    places_[i] = {stream, ++launched_[stream], 0, then_.size()};
    if (!is_waited_for) return;
    places_[i].size = static_cast<std::uint32_t>(clock.size());
    then_.insert(then_.end(), clock.begin(), clock.end());
  }

private:
  struct place {
    std::uint32_t stream{};
    std::uint32_t number{}; ///< on its stream, from 1
    std::uint32_t size{};   ///< of its clock
    std::size_t row{};      ///< of its clock, in `then_`
  };
  later<std::vector<std::uint32_t>, D> launched_{}; ///< on each stream
  /// Of each stream: how many of others have ended.
  later<std::vector<std::vector<std::uint32_t>>, D> others_{};
  later<std::vector<std::uint32_t>, D> then_{}; ///< clocks of launches that are waited for
  std::vector<place> places_{};                 ///< of launches
};

} // namespace mars::detail
