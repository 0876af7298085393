// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace mars::primitive::kernels {

/// Zeroed elements that begin at a cache line. Exactly as many bytes are allocated as asked for, so that
/// an address sanitiser sees the first byte beyond.
template <class T>
class buffer {
public:
  static constexpr std::size_t alignment = 64;

  buffer() = default;
  explicit buffer(std::size_t size)
      : data_{static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{alignment}))},
        size_{size} {
    std::uninitialized_fill_n(data_.get(), size, T{});
  }
  buffer(buffer&& other) noexcept
      : data_{std::move(other.data_)}, size_{std::exchange(other.size_, 0)} {}
  auto operator=(buffer&& other) noexcept -> buffer& {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  [[nodiscard]] auto data() -> T* { return data_.get(); }
  [[nodiscard]] auto data() const -> T const* { return data_.get(); }
  [[nodiscard]] auto size() const -> std::size_t { return size_; }
  [[nodiscard]] auto span() -> std::span<T> { return {data_.get(), size_}; }
  [[nodiscard]] auto span() const -> std::span<T const> { return {data_.get(), size_}; }
  [[nodiscard]] auto operator[](std::size_t i) -> T& { return data_.get()[i]; }
  [[nodiscard]] auto operator[](std::size_t i) const -> T const& { return data_.get()[i]; }

private:
  struct release {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{alignment}); }
  };

  std::unique_ptr<T, release> data_;
  std::size_t size_{};
};

} // namespace mars::primitive::kernels
