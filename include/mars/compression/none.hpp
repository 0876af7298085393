// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/core/deferred.hpp>

#include <optional>
#include <string>

namespace mars::compression {

/// The network as it is: the reference of every comparison.
struct none {
  static constexpr compression_effects effects{};

  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return "none";
  }
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const -> accuracy_key {
    return {"none", "fp32"};
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    return g;
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(operation const&) const -> std::optional<operation> {
    return std::nullopt;
  }
};

} // namespace mars::compression
