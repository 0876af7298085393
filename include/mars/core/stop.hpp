// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace mars {

/// A view of a flag that another thread, or a signal handler, may raise; empty = never raised.
/// The flag must outlive the token. (std::stop_token cannot be raised from a signal handler.)
class stop_token {
public:
  constexpr stop_token() = default;
  explicit constexpr stop_token(std::atomic<bool> const* flag) : flag_{flag} {}

  [[nodiscard]] auto stop_requested() const noexcept -> bool {
    return flag_ != nullptr && flag_->load(std::memory_order_relaxed);
  }
  friend constexpr auto operator==(stop_token, stop_token) -> bool = default;

private:
  std::atomic<bool> const* flag_{};
};

/// What a search may spend; an absent member is unlimited. Only `evaluations` is reproducible.
struct budget {
  std::optional<seconds> wall{};
  std::optional<std::uint64_t> evaluations{};

  friend constexpr auto operator==(budget const&, budget const&) -> bool = default;
};

} // namespace mars
