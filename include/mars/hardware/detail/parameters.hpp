// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>

#include <cstdint>
#include <string>

namespace mars::hardware::detail {

/// Collects the first parameter that is out of its domain. NaN is out of every domain; infinity is
/// allowed where it has a meaning (a port that never limits).
template <deferred = when_called>
class basic_parameter_check {
public:
  auto at_least(char const* path, std::int64_t value, std::int64_t least)
      -> basic_parameter_check& {
    if (value < least)
      note(path, std::to_string(value), std::string{"at least "} + std::to_string(least));
    return *this;
  }
  auto within(char const* path, std::int64_t value, std::int64_t least, std::int64_t most)
      -> basic_parameter_check& {
    if (value < least || value > most)
      note(path, std::to_string(value), std::to_string(least) + " to " + std::to_string(most));
    return *this;
  }
  /// In (0, ∞].
  auto positive(char const* path, double value) -> basic_parameter_check& {
    if (!(value > 0)) note(path, std::to_string(value), "a positive number");
    return *this;
  }
  /// In (0, ∞).
  auto finite_positive(char const* path, double value) -> basic_parameter_check& {
    if (!(value > 0) || !(value - value == 0))
      note(path, std::to_string(value), "a finite positive number");
    return *this;
  }
  /// In [0, ∞).
  auto finite(char const* path, double value) -> basic_parameter_check& {
    if (!(value >= 0) || !(value - value == 0))
      note(path, std::to_string(value), "a finite number, at least 0");
    return *this;
  }
  /// In (0, 1].
  auto fraction(char const* path, double value) -> basic_parameter_check& {
    if (!(value > 0) || !(value <= 1)) note(path, std::to_string(value), "above 0, at most 1");
    return *this;
  }
  auto name(std::string const& value) -> basic_parameter_check& {
    if (value.empty()) note("name", "an empty name", "a name");
    return *this;
  }
  auto that(bool holds, char const* path, char const* found, char const* wanted)
      -> basic_parameter_check& {
    if (!holds) note(path, found, wanted);
    return *this;
  }
  [[nodiscard]] auto result() const -> expected<void> { return first_; }

private:
  void note(char const* path, std::string found, std::string wanted) {
    if (first_) first_ = fail(error_code::out_of_range, path, std::move(found), std::move(wanted));
  }
  expected<void> first_;
};
using parameter_check = basic_parameter_check<>;

} // namespace mars::hardware::detail
