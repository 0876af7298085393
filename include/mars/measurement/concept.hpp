// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <concepts>
#include <string_view>

namespace mars {

/// What timings are read from.
///
/// expression | type                              | meaning                            | cost
/// -----------|-----------------------------------|------------------------------------|------
/// `c.now()`  | `seconds`                         | since some moment; never goes back | small
/// `c.name()` | convertible to `std::string_view` | what is counted, for reports       | O(1)
///
/// Semantics: differences of `now()` in one thread are what that thread took.
/// Models: measurement::thread_clock; yours, and those of tests, which stand still between kernels.
template <class C>
concept Clock = requires(C& c) {
  { c.now() } -> std::same_as<seconds>;
  { c.name() } -> std::convertible_to<std::string_view>;
};

} // namespace mars
