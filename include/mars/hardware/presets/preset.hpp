// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string_view>

namespace mars::presets {

/// Where a preset's numbers come from.
enum class evidence : std::uint8_t {
  vendor,      ///< grade A: the vendor's documentation or repository
  third_party, ///< grade B: another party's, or a vendor's own estimate
  assumed,     ///< a reading of a paper, or numbers that had to be chosen
};

/// "A", "B" or "assumed".
[[nodiscard]] constexpr auto grade_of(evidence e) -> std::string_view {
  switch (e) {
  case evidence::vendor: return "A";
  case evidence::third_party: return "B";
  case evidence::assumed: break;
  }
  return "assumed";
}

/// What a system is, beside its numbers.
struct preset_info {
  std::string_view name{};
  evidence grade{evidence::assumed};
  std::string_view source{};
  std::string_view description{};
};

} // namespace mars::presets
