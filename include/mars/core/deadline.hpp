// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <thread> // the clock and its durations: <chrono> adds calendars, and streams to print them

namespace mars {

/// A moment on the steady clock after which work should end, or `never()`.
class deadline {
public:
  using clock = std::chrono::steady_clock;

  constexpr deadline() = default; ///< never
  explicit constexpr deadline(clock::time_point when) : when_{when} {}

  [[nodiscard]] static constexpr auto never() -> deadline { return {}; }
  /// `wall` seconds from now. Negative or NaN: already expired, so that a damaged budget cannot run
  /// for ever. More than a hundred years: never.
  [[nodiscard]] static auto after(seconds wall) -> deadline {
    constexpr double century = 100.0 * 365 * 24 * 3600;
    if (wall.count() > century) return never();
    auto const span = std::chrono::duration<double>{wall.count() > 0 ? wall.count() : 0.0};
    return deadline{clock::now() + std::chrono::duration_cast<clock::duration>(span)};
  }

  [[nodiscard]] constexpr auto is_never() const -> bool {
    return when_ == clock::time_point::max();
  }
  [[nodiscard]] auto expired() const -> bool { return !is_never() && clock::now() >= when_; }
  /// Seconds left: 0 once expired, infinite for never.
  [[nodiscard]] auto remaining() const -> seconds {
    if (is_never()) return infinite_seconds;
    auto const left = std::chrono::duration<double>{when_ - clock::now()}.count();
    return seconds{left > 0 ? left : 0.0};
  }

  friend constexpr auto operator==(deadline const&, deadline const&) -> bool = default;

private:
  clock::time_point when_{clock::time_point::max()}; ///< the latest moment stands for never
};

/// On the clock of `deadline`.
[[nodiscard]] inline auto seconds_since(deadline::clock::time_point begun) -> seconds {
  return seconds{std::chrono::duration<double>{deadline::clock::now() - begun}.count()};
}

} // namespace mars
