// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mars_test {

/// How often `part` stands in `text`.
[[nodiscard]] inline auto count(std::string_view text, std::string_view part) -> std::size_t {
  std::size_t n = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// The first thing wrong with the nesting of a page, or nothing. Scripts and styles are skipped.
[[nodiscard]] inline auto nesting_error(std::string_view page) -> std::string {
  std::set<std::string, std::less<>> const empty{"meta", "link", "input", "!DOCTYPE"};
  std::vector<std::string> open;
  for (auto at = page.find('<'); at != page.npos; at = page.find('<', at)) {
    auto const end = page.find('>', at);
    if (end == page.npos) return "a tag without an end";
    auto const tag = page.substr(at + 1, end - at - 1);
    at = end;
    if (tag.find('<') != tag.npos) return std::string{"a tag inside a tag: "} + std::string{tag};
    bool const closes = tag.front() == '/';
    auto const name =
        std::string{tag.substr(closes ? 1 : 0, tag.find_first_of(" />\n", 1) - (closes ? 1 : 0))};
    if (closes) {
      if (open.empty() || open.back() != name) return std::string{"unexpected </"} + name + ">";
      open.pop_back();
    } else if (tag.back() != '/' && empty.count(name) == 0) {
      open.push_back(name);
      if (name == "script" || name == "style") at = page.find(std::string{"</"} + name, at);
    }
  }
  return open.empty() ? std::string{} : std::string{"<"} + open.back() + "> stays open";
}

} // namespace mars_test
