// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Opt-in formatters for {fmt} 9 to 11; nothing else in mars/core includes {fmt}.
//
//   quantities   12.3 ms, 64.0 MB, 1.5 GFLOP/s, 200.0 MHz, 42 cycles   [<^>][width][.digits]
//   id, label    3, cout                                               as integers and strings
//   error        its one line                                          as strings

#include <mars/core/error.hpp>
#include <mars/core/id.hpp>
#include <mars/core/label.hpp>
#include <mars/core/units.hpp>

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace mars::detail {

/// How quantities of a unit are written: its symbol, and whether it goes below one.
template <class Unit>
struct unit_text;
template <>
struct unit_text<bytes_unit> {
  static constexpr std::string_view symbol = "B";
};
template <>
struct unit_text<macs_unit> {
  static constexpr std::string_view symbol = "MAC";
};
template <>
struct unit_text<flops_unit> {
  static constexpr std::string_view symbol = "FLOP";
};
template <>
struct unit_text<seconds_unit> {
  static constexpr std::string_view symbol = "s";
};
template <>
struct unit_text<hertz_unit> {
  static constexpr std::string_view symbol = "Hz";
};
template <>
struct unit_text<joules_unit> {
  static constexpr std::string_view symbol = "J";
};
template <>
struct unit_text<watts_unit> {
  static constexpr std::string_view symbol = "W";
};
template <>
struct unit_text<bytes_per_second_unit> {
  static constexpr std::string_view symbol = "B/s";
};
template <>
struct unit_text<flops_per_second_unit> {
  static constexpr std::string_view symbol = "FLOP/s";
};

struct si_prefix {
  double scale;
  std::string_view name;
};

/// `value` with the largest prefix that leaves at least one before the point *after rounding*, so
/// that 999.96 ms becomes 1.0 s and not 1000.0 ms. ASCII only: micro is u.
template <std::same_as<double> Value> // a template so that the format string is checked when used
[[nodiscard]] auto scaled(Value value, std::string_view symbol, int digits, bool counted)
    -> std::string {
  static constexpr si_prefix prefixes[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"},  {1e6, "M"},
                                           {1e3, "k"},  {1.0, ""},   {1e-3, "m"}, {1e-6, "u"},
                                           {1e-9, "n"}, {1e-12, "p"}};
  if (std::isnan(value)) return std::string{"nan "}.append(symbol);
  if (std::isinf(value)) return std::string{value < 0 ? "-inf " : "inf "}.append(symbol);
  double const smallest = counted ? 1.0 : 1e-12;
  // What the next smaller prefix would print as 1000.0.
  double const least = 1.0 - 0.5 * std::pow(10.0, -digits - 3);
  for (auto const& p : prefixes) {
    bool const whole = counted && p.scale == 1.0;
    if (std::abs(value) / p.scale >= least || p.scale == smallest || (value == 0 && whole))
      return fmt::format("{:.{}f} {}{}", value == 0 ? Value{0} : value / p.scale,
                         whole ? 0 : digits, value == 0 ? "" : p.name, symbol);
  }
  return {};
}

/// Parses [<^>][width][.digits]; anything else is left for {fmt} to complain about.
struct quantity_spec {
  char align = '>';
  std::size_t width = 0;
  int digits = 1;

  constexpr auto parse(fmt::format_parse_context& ctx) -> fmt::format_parse_context::iterator {
    auto it = ctx.begin();
    auto const end = ctx.end();
    auto const digit = [&] { return it != end && *it >= '0' && *it <= '9'; };
    if (it != end && (*it == '<' || *it == '^' || *it == '>')) align = *it++;
    for (; digit() && width < 1000; ++it) width = width * 10 + static_cast<std::size_t>(*it - '0');
    if (it != end && *it == '.') {
      ++it;
      if (digit()) digits = *it++ - '0';
    }
    return it;
  }

  template <class Context>
  auto write(std::string_view text, Context& ctx) const {
    auto const gap = width > text.size() ? width - text.size() : 0;
    auto const before = align == '<' ? 0 : align == '^' ? gap / 2 : gap;
    return fmt::format_to(ctx.out(), "{:{}}{}{:{}}", "", before,
                          fmt::string_view{text.data(), text.size()}, "", gap - before);
  }
};

} // namespace mars::detail

template <class Unit, class Rep>
struct fmt::formatter<mars::quantity<Unit, Rep>> : mars::detail::quantity_spec {
  template <class Context>
  auto format(mars::quantity<Unit, Rep> q, Context& ctx) const {
    using text = mars::detail::unit_text<Unit>;
    return write(mars::detail::scaled(static_cast<double>(q.count()), text::symbol, digits,
                                      std::is_integral_v<Rep>),
                 ctx);
  }
};

/// Cycles keep every digit: they are compared with published counts.
template <>
struct fmt::formatter<mars::cycles> : mars::detail::quantity_spec {
  template <class Context>
  auto format(mars::cycles c, Context& ctx) const {
    return write(std::to_string(c.count()) + " cycles", ctx);
  }
};

/// Written as seconds; `never` as the word.
template <>
struct fmt::formatter<mars::picoseconds> : mars::detail::quantity_spec {
  template <class Context>
  auto format(mars::picoseconds t, Context& ctx) const {
    if (t >= mars::never) return write("never", ctx);
    return write(mars::detail::scaled(mars::to_seconds(t).count(), "s", digits, false), ctx);
  }
};

template <class Tag>
struct fmt::formatter<mars::id<Tag>> : fmt::formatter<std::uint32_t> {
  template <class Context>
  auto format(mars::id<Tag> i, Context& ctx) const {
    return fmt::formatter<std::uint32_t>::format(i.value, ctx);
  }
};

template <>
struct fmt::formatter<mars::label> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(mars::label const& l, Context& ctx) const {
    auto const text = l.view();
    return fmt::formatter<fmt::string_view>::format({text.data(), text.size()}, ctx);
  }
};

template <>
struct fmt::formatter<mars::error> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(mars::error const& e, Context& ctx) const {
    auto const line = to_string(e);
    return fmt::formatter<fmt::string_view>::format({line.data(), line.size()}, ctx);
  }
};
