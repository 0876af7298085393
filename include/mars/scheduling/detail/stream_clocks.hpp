// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars::detail {

/// What surely ended before what a stream is given next: of each stream, how many of its launches (vector
/// clocks). Launches are told in launch order, of each first its waits. O(streams) a wait or launch waited for.
template <deferred D = when_called>
class basic_stream_clocks {
public:
  /// Nothing is launched. Keeps its memory.
  void reset(std::size_t streams, std::size_t launches) {
    streams_ = streams;
    now_.assign(streams * streams, 0);
    then_.clear();
    places_.assign(launches, {});
  }

  /// Does what `stream` is given next come after launch `i` without a wait for it?
  [[nodiscard]] auto is_behind(std::uint32_t stream, std::size_t i) const -> bool {
    return now_[stream * streams_ + places_[i].stream] >= places_[i].number;
  }
  /// Precondition: `i` was launched as one that is waited for.
  void wait(std::uint32_t stream, std::size_t i) {
    for (std::size_t s = 0; s < streams_; ++s) {
      auto& here = now_[stream * streams_ + s];
      here = std::max(here, then_[places_[i].row + s]);
    }
  }
  void launch(std::uint32_t stream, std::size_t i, bool is_waited_for) {
    auto const here = now_.begin() + static_cast<std::ptrdiff_t>(stream * streams_);
    places_[i] = {stream, ++here[stream], then_.size()};
    if (is_waited_for)
      then_.insert(then_.end(), here, here + static_cast<std::ptrdiff_t>(streams_));
  }

private:
  struct place {
    std::uint32_t stream{};
    std::uint32_t number{}; ///< on its stream, from 1
    std::size_t row{};      ///< of `then_`
  };
  std::size_t streams_{};
  later<std::vector<std::uint32_t>, D> now_{};  ///< a clock per stream
  later<std::vector<std::uint32_t>, D> then_{}; ///< those behind launches that are waited for
  std::vector<place> places_{};                 ///< of launches
};

} // namespace mars::detail
