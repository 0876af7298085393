// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional> // std::hash, for a third of what <functional> costs

namespace mars {

/// A strong index: ids of different kinds do not convert into each other or into integers.
template <class Tag>
struct id {
  std::uint32_t value{};

  constexpr id() = default;
  /// Precondition: index < 2³².
  explicit constexpr id(std::size_t index) : value{static_cast<std::uint32_t>(index)} {
    assert(index <= 0xFFFF'FFFFU);
  }

  [[nodiscard]] constexpr auto index() const noexcept -> std::size_t { return value; }
  friend constexpr auto operator<=>(id, id) noexcept = default;
};

using operator_id = id<struct operator_tag>;
using accelerator_id = id<struct accelerator_tag>;
using link_id = id<struct link_tag>;
using set_id = id<struct set_tag>;
using stream_id = id<struct stream_tag>;

} // namespace mars

template <class Tag>
struct std::hash<mars::id<Tag>> {
  auto operator()(mars::id<Tag> i) const noexcept -> std::size_t { return i.value; }
};
