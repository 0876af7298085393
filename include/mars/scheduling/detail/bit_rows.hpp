// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars::detail {

/// Sets of small numbers, one a row. rows · columns / 8 bytes.
template <deferred D = when_called>
class basic_bit_rows {
public:
  using word = std::uint64_t;

  basic_bit_rows(std::size_t rows, std::size_t columns)
      : columns_{columns}, words_{(columns + 63) / 64}, bits_(rows * words_) {}

  [[nodiscard]] auto rows() const -> std::size_t { return words_ == 0 ? 0 : bits_.size() / words_; }
  [[nodiscard]] auto columns() const -> std::size_t { return columns_; }
  [[nodiscard]] auto operator[](std::size_t row) const -> std::span<word const> {
    return {bits_.data() + row * words_, words_};
  }
  [[nodiscard]] auto has(std::size_t row, std::size_t i) const -> bool {
    return (bits_[row * words_ + i / 64] >> (i % 64) & 1) != 0;
  }
  void set(std::size_t row, std::size_t i) { bits_[row * words_ + i / 64] |= word{1} << (i % 64); }
  void reset(std::size_t row, std::size_t i) {
    bits_[row * words_ + i / 64] &= ~(word{1} << (i % 64));
  }
  void fill(std::size_t row) {
    for (std::size_t i = 0; i < columns_; ++i) set(row, i);
  }
  void add_row() { bits_.resize(bits_.size() + words_); }
  /// row ∪= from
  void unite(std::size_t row, std::size_t from) {
    for (std::size_t w = 0; w < words_; ++w) bits_[row * words_ + w] |= bits_[from * words_ + w];
  }
  [[nodiscard]] auto count() const -> std::size_t {
    std::size_t n = 0;
    for (auto const w : bits_) n += static_cast<std::size_t>(std::popcount(w));
    return n;
  }

private:
  std::size_t columns_, words_;
  later<std::vector<word>, D> bits_;
};
using bit_rows = basic_bit_rows<>;

} // namespace mars::detail
