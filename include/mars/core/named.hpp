// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <concepts>
#include <string_view>

namespace mars {

/// Designs, objectives and searches have a name by which files and command lines choose them.
template <class T>
concept names_itself = requires(T const& t) {
  { t.name() } -> std::convertible_to<std::string_view>;
};

} // namespace mars
