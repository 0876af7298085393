// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstddef>
#include <mars/core/deferred.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::detail {

/// Lower case, without the marks that people place differently: `ResNet-101` and `resnet_101`
/// agree.
template <deferred = when_called>
[[nodiscard]] auto plain(std::string_view name) -> std::string {
  std::string out;
  for (char c : name)
    if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
  return out;
}

/// Letters to insert, delete or replace (Levenshtein), O(|a|·|b|).
template <deferred = when_called>
[[nodiscard]] auto edit_distance(std::string_view a, std::string_view b) -> std::size_t {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto const replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// The known name a person may have meant: one that only adds to what was written, else the nearest
/// within a third of its letters; empty when nothing is near. Ties: the first.
template <deferred = when_called>
[[nodiscard]] auto closest_name(std::string_view written,
                                std::vector<std::string_view> const& known) -> std::string_view {
  auto const wanted = plain(written.substr(0, 64)); // a file's worth of letters is no name
  if (wanted.empty()) return {};
  std::string_view best;
  std::size_t least = 0;
  for (auto const name : known) {
    auto const candidate = plain(name);
    auto const distance =
        wanted.size() >= 3 && candidate.starts_with(wanted) ? 0 : edit_distance(wanted, candidate);
    if (distance <= std::max<std::size_t>(1, candidate.size() / 3) &&
        (best.empty() || distance < least)) {
      best = name;
      least = distance;
    }
  }
  return best;
}

} // namespace mars::detail
