// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <vector>

namespace mars {

/// std::sort of everything, smallest first. By this name because std::sort is constexpr, and clang
/// compiles a constexpr function wherever a header names it, called or not.
template <class T>
void sort_ascending(std::vector<T>& all) {
  std::sort(all.begin(), all.end());
}

} // namespace mars
