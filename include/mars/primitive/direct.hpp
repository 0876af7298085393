// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// The loop nest itself, in blocks of channels: taps on padding are skipped, so it does the valid MACs, with
/// K rounded to whole vectors; no workspace. Prefer it for what Winograd cannot do, and
/// where weights must not grow.
struct direct {
  [[nodiscard]] constexpr auto name() const -> std::string_view { return "direct"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::dense; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchwc"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    auto const weights = stored(real(weights_of(c)), c.element_bits);
    return {.macs =
                real(valid_macs_of(c).count() / c.out_channels) * real(in_vectors(c, lanes).out),
            .calls = 1,
            .weights = weights,
            .traffic = total(input_of(c), weights, output_of(c))};
  }
  friend auto operator==(direct const&, direct const&) -> bool = default;
};

} // namespace mars::primitive
