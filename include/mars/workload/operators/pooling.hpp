// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/detail/window.hpp>
#include <mars/workload/operators/convolution.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace mars::ops {

/// x [N, C, spatial…] → [N, C, spatial…]. Dimensions `n k z y x | q r s` (k is the channel); one
/// FLOP per point. The window is a reduction: maxima and sums of parts combine.
template <deferred = when_called>
[[nodiscard]] auto pool(tensor_shape const& x, pool_options const& o, std::string type)
    -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (x.size() < 3 || x.size() > 5)
    return fail(error_code::unsupported, "shape", to_string(x), "[N, C, one to three axes]");
  auto const count = x.size() - 2;
  auto const windows = mars::detail::windows(o, count);
  if (!windows) return unexpected{windows.error()};

  mars::detail::op_writer w{op_kind::pooling, std::move(type)};
  mars::detail::operand_axes input{along(x[0], {{w.dim("n", x[0])}}),
                                   along(x[1], {{w.dim("k", x[1])}})};
  auto output = input;
  std::array<std::uint8_t, 3> at{};
  for (std::size_t i = 0; i < count; ++i) {
    auto const n = mars::detail::positions(x[2 + i], (*windows)[i], o.ceil_mode);
    if (!n) return unexpected{n.error()};
    at[i] = w.dim(mars::detail::spatial_dim(detail::out_names, count, i), *n);
    output.push_back(along(*n, {{at[i]}}));
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto const& window = (*windows)[i];
    auto const tap = w.dim(mars::detail::spatial_dim(detail::kernel_names, count, i), window.kernel,
                           dim_kind::reduction);
    input.push_back(
        along(x[2 + i], {{at[i], window.stride}, {tap, window.dilation}}, -window.begin));
  }
  w.input(input);
  w.output(output);
  return std::move(w).finish(0, 1);
}

/// Pooling over all of each spatial axis; they stay as extents of 1.
template <deferred = when_called>
[[nodiscard]] auto global_pool(tensor_shape const& x, std::string type) -> expected<operation> {
  if (x.size() < 3) return pool(x, {}, std::move(type));
  return pool(x, {.kernel = spatial(x.begin() + 2, x.end())}, std::move(type));
}

} // namespace mars::ops
