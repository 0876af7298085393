// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars::primitive::kernels {

/// Compressed sparse rows: eight bytes a nonzero, four a row.
struct csr_matrix {
  std::vector<std::int32_t> begin; ///< of each row in the other two; one more at the end
  std::vector<std::int32_t> column;
  std::vector<float> value;

  [[nodiscard]] auto rows() const -> offset { return std::ssize(begin) - 1; }
  [[nodiscard]] auto bytes() const -> std::size_t {
    return (begin.size() + column.size()) * sizeof(std::int32_t) + value.size() * sizeof(float);
  }
};

/// The weights of a layer, K rows of (C/g)·R·S columns, without their zeros.
[[nodiscard]] inline auto csr_of(convolution_layer const& c, std::span<float const> weights)
    -> csr_matrix {
  csr_matrix m;
  m.begin.push_back(0);
  auto const columns = weights.size() / static_cast<std::size_t>(c.out_channels);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] != 0.0F) {
      m.column.push_back(static_cast<std::int32_t>(i % columns));
      m.value.push_back(weights[i]);
    }
    if ((i + 1) % columns == 0) m.begin.push_back(static_cast<std::int32_t>(m.value.size()));
  }
  return m;
}

/// Vectors of neighbouring positions, held in registers while the nonzeros of one row go by. Each costs
/// an index, a broadcast, and as many multiply-adds as there are vectors.
template <int Vectors>
class sparse_row {
public:
  /// sum[v] = Σ value[i] · in[at[i] + v · step].
  template <class Step>
  [[gnu::always_inline]] void sum(csr_matrix const& m, offset row, float const* in, Step step) {
    unrolled<Vectors>([&](auto v) __attribute__((always_inline)) { sums_[v] = vec{}; });
    auto const* at = m.column.data();
    auto const* value = m.value.data();
    auto const end = m.begin[static_cast<std::size_t>(row) + 1];
    for (auto i = m.begin[static_cast<std::size_t>(row)]; i < end; ++i) {
      auto const* from = in + at[i];
      vec const weight = broadcast(value[i]);
      unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
        sums_[v] += weight * load(from + v * step);
      });
    }
  }
  [[gnu::always_inline]] void store_to(float* to) const {
    unrolled<Vectors>([&](auto v)
                          __attribute__((always_inline)) { store(to + v * lanes, sums_[v]); });
  }

private:
  vec sums_[Vectors];
};

} // namespace mars::primitive::kernels
