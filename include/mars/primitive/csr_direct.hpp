// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/csr_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Direct convolution with sparse weights: each nonzero multiplies a block of image positions in
/// `registers` vectors, so its index is decoded once per block. Taps on padding are skipped. Prefer it
/// above some 80 % zeros; below, dense algorithms win.
struct csr_direct {
  int registers{16};

  [[nodiscard]] constexpr auto name() const -> std::string_view { return "csr_direct"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::csr; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchw"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    auto const n = nonzeros_of(c);
    auto const weights = csr_of(c);
    auto const blocks = ceil_div(c.out.rows * c.out.columns, std::int64_t{lanes} * registers);
    return {.macs = real(valid_macs_of(c).count()) * (n / real(weights_of(c))),
            .decoded = n * real(c.batch) * real(blocks),
            .calls = 1,
            .weights = weights,
            .traffic = total(input_of(c), weights, output_of(c))};
  }
  friend auto operator==(csr_direct const&, csr_direct const&) -> bool = default;
};

} // namespace mars::primitive
