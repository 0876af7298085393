// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "numbers.hpp"

#include <array>
#include <charconv>
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

auto parse_time(char const* option, std::string const& text) -> mars::expected<mars::seconds> {
  constexpr std::array<std::pair<std::string_view, double>, 3> units{
      {{"s", 1.0}, {"ms", 1e-3}, {"min", 60.0}}};
  constexpr double longest = 1e9;
  auto const* const end = text.data() + text.size();
  double value = 0;
  auto const [stopped, code] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  std::string_view const unit{stopped, static_cast<std::size_t>(end - stopped)};
  if (code == std::errc{} && is_digit(text.front())) // no sign, no "inf", no "nan"
    for (auto const& [name, factor] : units)
      if (unit == name && value * factor > 0 && value * factor <= longest)
        return mars::seconds{value * factor};
  return refuse(option, text, "a time above zero such as 10s, 500ms or 2min");
}

} // namespace mars_map
