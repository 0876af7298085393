// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cassert>
#include <compare>
#include <cstddef>
#include <string_view>

namespace mars {

/// A short name stored in place (15 characters at most): dimensions and operands are named with it,
/// so that values of the algebra can be copied and compared without allocation.
class label {
public:
  static constexpr std::size_t max_size = 15;

  constexpr label() = default;
  constexpr label(char const* text) : label{std::string_view{text}} {}
  /// Precondition: text.size() ≤ max_size (boundary code checks it with `fits`).
  constexpr label(std::string_view text) {
    assert(fits(text));
    for (std::size_t i = 0; i < text.size() && i < max_size; ++i) text_[i] = text[i];
  }

  [[nodiscard]] static constexpr auto fits(std::string_view text) -> bool {
    return text.size() <= max_size;
  }
  [[nodiscard]] constexpr auto view() const -> std::string_view {
    std::size_t n = 0;
    while (n < max_size && text_[n] != '\0') ++n;
    return {text_.data(), n};
  }
  friend constexpr auto operator<=>(label const&, label const&) = default;

private:
  std::array<char, max_size + 1> text_{};
};

} // namespace mars
