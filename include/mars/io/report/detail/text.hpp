// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Names come from files: whatever bytes they hold, what is written is valid UTF-8 and means nothing
// to HTML, SVG, JSON or a script. Numbers are written with a fixed count of digits.

namespace mars::io::detail {

/// Length of the valid UTF-8 sequence that starts at `at`; 0 if there is none.
[[nodiscard]] inline auto utf8_length(std::string_view text, std::size_t at) -> std::size_t {
  auto const byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  auto const lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  // Overlong, surrogates, beyond U+10FFFF.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F))
    return 0;
  return length;
}

/// Copies `text`; `special(c)` gives what stands for an ASCII character, or nothing to keep it.
template <class Special>
[[nodiscard]] auto escape(std::string_view text, Special&& special) -> std::string {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto const length = utf8_length(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD"; // U+FFFD
      ++i;
      continue;
    }
    if (length == 1) {
      std::string const instead = special(text[i]);
      if (instead.empty())
        out += text[i];
      else
        out += instead;
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  return out;
}

/// As HTML or SVG text, or inside a double-quoted attribute.
[[nodiscard]] inline auto html_text(std::string_view text) -> std::string {
  return escape(text, [](char c) -> std::string {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: break;
    }
    auto const u = static_cast<unsigned char>(c);
    return u == 0x7F || (u < 0x20 && c != '\n' && c != '\t') ? "\xEF\xBF\xBD" : "";
  });
}

/// A JSON string with its quotes; may stand inside a script element.
[[nodiscard]] inline auto json_text(std::string_view text) -> std::string {
  return '"' +
         escape(text,
                [](char c) -> std::string {
                  switch (c) {
                  case '"': return "\\\"";
                  case '\\': return "\\\\";
                  case '\n': return "\\n";
                  default: break;
                  }
                  auto const u = static_cast<unsigned char>(c);
                  if (u < 0x20 || u == 0x7F || c == '<' || c == '>' || c == '&')
                    return fmt::format("\\u{:04x}", u);
                  return "";
                }) +
         '"';
}

/// Four significant digits and a prefix: "1.234 ms", "56.78 MB".
[[nodiscard]] inline auto quantity_text(double value, std::string_view unit) -> std::string {
  if (!std::isfinite(value)) return "∞";
  if (value == 0) return fmt::format("0 {}", unit);
  struct prefix {
    double scale;
    std::string_view name;
  };
  static constexpr prefix prefixes[] = {{1e12, "T"}, {1e9, "G"},  {1e6, "M"},  {1e3, "k"},  {1, ""},
                                        {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}, {1e-12, "p"}};
  bool const counted = unit == "B";
  for (auto const& p : prefixes) {
    double const x = value / p.scale;
    bool const last = (counted && p.scale == 1) || p.scale < 2e-12;
    // 999.96 would be written as 1000: the next larger prefix has taken it.
    if (std::abs(x) < 0.99995 && !last) continue;
    if (counted && p.scale == 1) return fmt::format("{:.0f} B", x);
    int const digits = std::abs(x) < 9.9995 ? 3 : std::abs(x) < 99.995 ? 2 : 1;
    return fmt::format("{:.{}f} {}{}", x, digits, p.name, unit);
  }
  return {};
}
[[nodiscard]] inline auto time_text(double s) -> std::string { return quantity_text(s, "s"); }
[[nodiscard]] inline auto bytes_text(std::int64_t b) -> std::string {
  return quantity_text(static_cast<double>(b), "B");
}
[[nodiscard]] inline auto percent_text(double share) -> std::string {
  return std::isfinite(share) ? fmt::format("{:.1f} %", 100 * share) : "–";
}
/// 12345678 → "12 345 678", with thin spaces.
[[nodiscard]] inline auto count_text(std::uint64_t n) -> std::string {
  auto const digits = std::to_string(n);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += "\u202F";
    out += digits[i];
  }
  return out;
}
/// Four significant digits, grouped: 12.35, 123.5, 12 346.
[[nodiscard]] inline auto number_text(double x) -> std::string {
  if (!(x >= 0 && x < 1e15)) return "∞";
  if (x >= 999.95) return count_text(static_cast<std::uint64_t>(std::llround(x)));
  return fmt::format("{:.{}f}", x, x < 0.99995 ? 4 : x < 9.9995 ? 3 : x < 99.995 ? 2 : 1);
}
/// At most `most` characters, the middle left out.
[[nodiscard]] inline auto shortened(std::string const& text, std::size_t most) -> std::string {
  std::size_t count = 0;
  for (char const c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  if (count <= most || most < 5) return text;
  auto const head = (most - 1) / 2;
  auto const tail = most - 1 - head;
  std::string out;
  std::size_t at = 0;
  for (char const c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) ++at;
    if (at <= head || at > count - tail)
      out += c;
    else if (at == head + 1 && (static_cast<unsigned char>(c) & 0xC0U) != 0x80)
      out += "…";
  }
  return out;
}

} // namespace mars::io::detail
