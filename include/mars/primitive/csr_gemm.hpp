// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/csr_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Unfolds an image like `im2col_gemm` and multiplies it by sparse weights. The unfolding does not shrink
/// with them: at high sparsity it is most of the time.
struct csr_gemm {
  int registers{16}; ///< vectors of image positions that share one decoded index

  [[nodiscard]] constexpr auto name() const -> std::string_view { return "csr_gemm"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::csr; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchw"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    auto const n = nonzeros_of(c);
    auto const weights = csr_of(c);
    auto const workspace = unfolded(c);
    auto const calls = real(c.batch) * real(c.groups);
    auto const positions = c.out.rows * c.out.columns;
    return {.macs = n * real(c.batch) * real(positions),
            .decoded =
                n * real(c.batch) * real(ceil_div(positions, std::int64_t{lanes} * registers)),
            .calls = calls,
            .weights = weights,
            .workspace = workspace,
            .traffic = total(input_of(c), weights, output_of(c), passes(workspace, calls))};
  }
  friend auto operator==(csr_gemm const&, csr_gemm const&) -> bool = default;
};

} // namespace mars::primitive
