// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/objective.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mars_map {

/// A whole number, decimal digits only: no sign, no blanks, nothing behind it.
/// Error: `out_of_range` at `option`.
[[nodiscard]] auto parse_count(char const* option, std::string const& text, std::uint64_t least,
                               std::uint64_t most) -> mars::expected<std::uint64_t>;

/// A number above zero: `10e12`, `0.5`. Error: `out_of_range`.
[[nodiscard]] auto parse_number(char const* option, std::string const& text)
    -> mars::expected<double>;

/// A time above zero with its unit: `10s`, `1.5s`, `500ms`, `2min`. Error: `out_of_range`.
[[nodiscard]] auto parse_time(char const* option, std::string const& text)
    -> mars::expected<mars::seconds>;

/// A size with its unit: `64MB`, `1.5GB`, `512MiB`, `4096B`. Error: `out_of_range`.
[[nodiscard]] auto parse_size(char const* option, std::string const& text)
    -> mars::expected<mars::bytes>;

/// An energy with its unit: `0.5J`, `20mJ`. Error: `out_of_range`.
[[nodiscard]] auto parse_energy(char const* option, std::string const& text)
    -> mars::expected<mars::joules>;

/// Two whole numbers, `3,1`: what a picosecond and a picojoule weigh. Error: `out_of_range`.
[[nodiscard]] auto parse_weights(char const* option, std::string const& text)
    -> mars::expected<mars::objective::weighted>;

/// What is taken away: `weight_pruning_80` after `weight_pruning_` → 0.8. Nothing for other names.
[[nodiscard]] auto percent_after(std::string_view name, std::string_view prefix)
    -> std::optional<double>;

} // namespace mars_map
