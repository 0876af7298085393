// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <optional>
#include <utility>

namespace mars::runtime::detail {

/// A stream, event, graph or executable that destroys itself.
template <class Api, class Handle>
class gpu_handle {
public:
  gpu_handle(Api const& api, Handle handle) : api_{api}, handle_{handle} {}
  gpu_handle(gpu_handle&& other) noexcept
      : api_{other.api_}, handle_{std::exchange(other.handle_, std::nullopt)} {}
  auto operator=(gpu_handle&& other) noexcept -> gpu_handle& {
    std::swap(api_, other.api_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~gpu_handle() {
    if (handle_) api_.destroy(*handle_);
  }

  [[nodiscard]] auto api() const -> Api const& { return api_; }
  /// Precondition: not moved from.
  [[nodiscard]] auto get() const -> Handle { return *handle_; }

private:
  Api api_;
  std::optional<Handle> handle_;
};

} // namespace mars::runtime::detail
