// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>

#include <cstdint>
#include <string>

namespace mars_map {

/// A whole number, decimal digits only: no sign, no blanks, nothing behind it.
/// Error: `out_of_range` at `option`.
[[nodiscard]] auto parse_count(char const* option, std::string const& text, std::uint64_t least,
                               std::uint64_t most) -> mars::expected<std::uint64_t>;

/// A time above zero with its unit: `10s`, `1.5s`, `500ms`, `2min`. Error: `out_of_range`.
[[nodiscard]] auto parse_time(char const* option, std::string const& text)
    -> mars::expected<mars::seconds>;

} // namespace mars_map
