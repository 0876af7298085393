// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// What every page of ours begins with and is laid out by.

namespace mars::io::detail {

/// Up to and with `<main>`. `title` is HTML already.
[[nodiscard]] inline auto page_head(std::string const& title, std::string_view style)
    -> std::string {
  return fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<link rel=\"icon\" href=\"data:,\">\n<title>{} · mars</title>\n"
                     "<style>{}</style>\n</head>\n<body>\n<main>\n",
                     title, style);
}

[[nodiscard]] inline auto tile(std::string_view label, std::string const& value,
                               std::string const& below, std::string_view style = {})
    -> std::string {
  return fmt::format("<div class=\"tile {}\"><b>{}</b><strong>{}</strong><span>{}</span></div>\n",
                     style, label, html_text(value), html_text(below));
}

/// Of many lines the first twelve.
[[nodiscard]] inline auto note(std::string_view style, std::string_view title,
                               std::vector<std::string> const& lines) -> std::string {
  if (lines.empty()) return {};
  auto out = fmt::format("<section class=\"note {}\"><h2>{}</h2><ul>", style, title);
  constexpr std::size_t most = 12;
  for (std::size_t i = 0; i < std::min(most, lines.size()); ++i)
    out += std::string{"<li>"} + html_text(lines[i]) + "</li>";
  if (lines.size() > most) out += fmt::format("<li>… and {} more</li>", lines.size() - most);
  return out + "</ul></section>\n";
}

} // namespace mars::io::detail
