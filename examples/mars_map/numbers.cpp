// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "numbers.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace mars_map {

namespace {

[[nodiscard]] auto is_digit(char c) -> bool { return c >= '0' && c <= '9'; }

[[nodiscard]] auto refuse(char const* option, std::string const& text, std::string wanted)
    -> mars::unexpected<mars::error> {
  return mars::fail(mars::error_code::out_of_range, option,
                    text.empty() ? "nothing" : text.substr(0, 64), std::move(wanted));
}

/// A plain decimal number above zero and at most `most`, with one of these units.
template <std::size_t N>
[[nodiscard]] auto amount(std::string const& text,
                          std::array<std::pair<std::string_view, double>, N> const& units,
                          double most) -> std::optional<double> {
  auto const* const end = text.data() + text.size();
  double value = 0;
  auto const [stopped, code] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  std::string_view const unit{stopped, static_cast<std::size_t>(end - stopped)};
  if (code == std::errc{} && is_digit(text.front())) // no sign, no "inf", no "nan"
    for (auto const& [name, factor] : units)
      if (unit == name && value * factor > 0 && value * factor <= most) return value * factor;
  return std::nullopt;
}

} // namespace

auto parse_count(char const* option, std::string const& text, std::uint64_t least,
                 std::uint64_t most) -> mars::expected<std::uint64_t> {
  auto const* const end = text.data() + text.size();
  std::uint64_t value = 0;
  auto const [stopped, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc{} && stopped == end && value >= least && value <= most) return value;
  return refuse(option, text,
                std::string{"a whole number from "} + std::to_string(least) + " to " +
                    std::to_string(most));
}

auto parse_number(char const* option, std::string const& text) -> mars::expected<double> {
  constexpr double most = 1e30;
  auto const* const end = text.data() + text.size();
  double value = 0;
  auto const [stopped, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc{} && stopped == end && is_digit(text.front()) && value > 0 && value <= most)
    return value;
  return refuse(option, text, "a number above zero such as 10e12 or 0.5");
}

auto parse_time(char const* option, std::string const& text) -> mars::expected<mars::seconds> {
  auto const value = amount<3>(text, {{{"s", 1.0}, {"ms", 1e-3}, {"min", 60.0}}}, 1e9);
  if (value) return mars::seconds{*value};
  return refuse(option, text, "a time above zero such as 10s, 500ms or 2min");
}

auto parse_size(char const* option, std::string const& text) -> mars::expected<mars::bytes> {
  constexpr double kibi = 1024;
  auto const value = amount<7>(text,
                               {{{"B", 1.0},
                                 {"kB", 1e3},
                                 {"MB", 1e6},
                                 {"GB", 1e9},
                                 {"KiB", kibi},
                                 {"MiB", kibi * kibi},
                                 {"GiB", kibi * kibi * kibi}}},
                               1e18);
  if (value && *value >= 1) return mars::bytes{static_cast<std::int64_t>(*value)};
  return refuse(option, text, "a size of at least one byte such as 64MB or 1.5GiB");
}

auto parse_energy(char const* option, std::string const& text) -> mars::expected<mars::joules> {
  auto const value = amount<4>(text, {{{"J", 1.0}, {"mJ", 1e-3}, {"uJ", 1e-6}, {"kJ", 1e3}}}, 1e6);
  if (value) return mars::joules{*value};
  return refuse(option, text, "an energy above zero such as 0.5J or 20mJ");
}

auto parse_weights(char const* option, std::string const& text)
    -> mars::expected<mars::objective::weighted> {
  constexpr std::uint64_t most = 1'000'000;
  auto const comma = text.find(',');
  if (comma != text.npos) {
    auto const time = parse_count(option, text.substr(0, comma), 0, most);
    auto const energy = parse_count(option, text.substr(comma + 1), 0, most);
    if (time && energy && *time + *energy > 0)
      return mars::objective::weighted{.per_picosecond = static_cast<std::int64_t>(*time),
                                       .per_picojoule = static_cast<std::int64_t>(*energy)};
  }
  return refuse(option, text,
                "TIME,ENERGY: two whole numbers up to 1000000, one above zero, such as 3,1");
}

auto percent_after(std::string_view name, std::string_view prefix) -> std::optional<double> {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  double percent{};
  auto const end = name.data() + name.size();
  auto const [at, failed] = std::from_chars(name.data(), end, percent, std::chars_format::fixed);
  if (failed != std::errc{} || at != end || !(percent >= 0 && percent < 100)) return std::nullopt;
  return percent / 100;
}

} // namespace mars_map
