// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>

namespace mars {

/// A number with a unit. Quantities of different units never mix; a product or quotient that the
/// library needs (bytes / bandwidth = seconds, …) is declared below and nothing else is.
/// `Rep` is std::int64_t for what is counted and double for what is measured.
template <class Unit, class Rep>
class quantity {
public:
  using rep = Rep;

  constexpr quantity() = default;
  explicit constexpr quantity(Rep value) : value_{value} {}

  /// The bare number, in the unit the type is named after.
  [[nodiscard]] constexpr auto count() const noexcept -> Rep { return value_; }

  constexpr auto operator+=(quantity other) -> quantity& { return value_ += other.value_, *this; }
  constexpr auto operator-=(quantity other) -> quantity& { return value_ -= other.value_, *this; }

  friend constexpr auto operator<=>(quantity, quantity) noexcept = default;
  friend constexpr auto operator+(quantity a, quantity b) -> quantity { return a += b; }
  friend constexpr auto operator-(quantity a, quantity b) -> quantity { return a -= b; }
  friend constexpr auto operator*(quantity a, Rep k) -> quantity { return quantity{a.value_ * k}; }
  friend constexpr auto operator*(Rep k, quantity a) -> quantity { return a * k; }
  friend constexpr auto operator/(quantity a, Rep k) -> quantity { return quantity{a.value_ / k}; }
  /// Ratio of two like quantities, as a plain number.
  friend constexpr auto operator/(quantity a, quantity b) -> double {
    return static_cast<double>(a.value_) / static_cast<double>(b.value_);
  }

private:
  Rep value_{};
};

using bytes = quantity<struct bytes_unit, std::int64_t>;
using macs = quantity<struct macs_unit, std::int64_t>;   ///< multiply-accumulates
using flops = quantity<struct flops_unit, std::int64_t>; ///< 1 MAC = 2 flops
using cycles = quantity<struct cycles_unit, std::int64_t>;
using seconds = quantity<struct seconds_unit, double>;
using hertz = quantity<struct hertz_unit, double>;
using joules = quantity<struct joules_unit, double>;
using watts = quantity<struct watts_unit, double>;
using bytes_per_second = quantity<struct bytes_per_second_unit, double>;
using flops_per_second = quantity<struct flops_per_second_unit, double>;

/// Whole picoseconds: the time unit of every table and every evaluator. Integer sums do not depend
/// on their order, so a full, an incremental and a threaded evaluation agree to the bit.
using picoseconds = quantity<struct picoseconds_unit, std::int64_t>;

/// "This cannot be done." Larger than any time; sums of times saturate at it (see `saturating_add`).
inline constexpr picoseconds never{std::numeric_limits<std::int64_t>::max() / 4};
inline constexpr seconds infinite_seconds{std::numeric_limits<double>::infinity()};

[[nodiscard]] constexpr auto operator/(bytes b, bytes_per_second r) -> seconds {
  return seconds{static_cast<double>(b.count()) / r.count()};
}
[[nodiscard]] constexpr auto operator/(flops f, flops_per_second r) -> seconds {
  return seconds{static_cast<double>(f.count()) / r.count()};
}
[[nodiscard]] constexpr auto operator/(cycles c, hertz f) -> seconds {
  return seconds{static_cast<double>(c.count()) / f.count()};
}
[[nodiscard]] constexpr auto operator*(watts p, seconds t) -> joules {
  return joules{p.count() * t.count()};
}
[[nodiscard]] constexpr auto to_flops(macs m) -> flops { return flops{2 * m.count()}; }

/// Nearest whole picosecond; anything that is not finite, or 26 days or longer, is `never`.
/// Halves away from zero (without <cmath>, which a third of a concept header's time would go to).
[[nodiscard]] constexpr auto to_picoseconds(seconds t) -> picoseconds {
  double const ps = t.count() * 1e12;
  constexpr auto limit = static_cast<double>(never.count());
  if (!(-limit < ps && ps < limit)) return never;
  auto const whole = static_cast<std::int64_t>(ps);
  auto const rest = ps - static_cast<double>(whole); // exact
  return picoseconds{rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole};
}
[[nodiscard]] constexpr auto to_seconds(picoseconds t) -> seconds {
  return t >= never ? infinite_seconds : seconds{static_cast<double>(t.count()) / 1e12};
}
/// Sum that stays at `never` once there.
[[nodiscard]] constexpr auto saturating_add(picoseconds a, picoseconds b) -> picoseconds {
  return a >= never || b >= never || a + b >= never ? never : a + b;
}

namespace literals {
constexpr auto operator""_B(unsigned long long n) { return bytes{static_cast<std::int64_t>(n)}; }
constexpr auto operator""_MB(unsigned long long n) {
  return bytes{static_cast<std::int64_t>(n) * 1'000'000};
}
constexpr auto operator""_GB(unsigned long long n) {
  return bytes{static_cast<std::int64_t>(n) * 1'000'000'000};
}
constexpr auto operator""_GiB(unsigned long long n) {
  return bytes{static_cast<std::int64_t>(n) << 30};
}
constexpr auto operator""_MHz(unsigned long long n) { return hertz{static_cast<double>(n) * 1e6}; }
constexpr auto operator""_s(long double t) { return seconds{static_cast<double>(t)}; }
constexpr auto operator""_ms(long double t) { return seconds{static_cast<double>(t) * 1e-3}; }
/// Gigabytes per second, 10⁹ B/s.
constexpr auto operator""_GBps(long double r) {
  return bytes_per_second{static_cast<double>(r) * 1e9};
}
constexpr auto operator""_GBps(unsigned long long r) {
  return bytes_per_second{static_cast<double>(r) * 1e9};
}
/// Gigabits per second, 10⁹ bit/s.
constexpr auto operator""_Gbps(unsigned long long r) {
  return bytes_per_second{static_cast<double>(r) * 1e9 / 8};
}
} // namespace literals

} // namespace mars
