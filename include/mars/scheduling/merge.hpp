// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/workload/detail/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mars {

/// Convolutions of one input as one kernel: the largest kernel per axis, the smaller ones filled up with
/// zeros around their centre, the largest padding, all output channels one after another. What reads
/// one of them reads a slice of channels.
///
/// Nothing where that would compute something else: groups other than 1; inputs, outputs, strides,
/// dilations, activations or widths that differ; kernels that do not lie centred on each other (which at
/// a stride does not follow from outputs of equal size). A relation of equivalence. Whether they read the
/// same tensor is for the caller to know.
/// Source: the merge strategy of IOS (MLSys 2021), whose code leaves some of these unchecked.
template <deferred D = when_called>
[[nodiscard]] auto merged_convolution(std::span<mergeable_convolution const> all)
    -> std::optional<later<mergeable_convolution, D>> {
  if (all.empty()) return std::nullopt;
  later<mergeable_convolution, D> merged = all.front();
  auto const axes = merged.input.size() < 2 ? 0 : merged.input.size() - 2;
  later<std::vector<mars::detail::window>, D> largest;
  later<std::vector<std::int64_t>, D> outputs(axes);
  merged.options.out_channels = 0;
  merged.options.bias = false;
  for (auto const& c : all) {
    auto const windows = mars::detail::windows(c.options, axes);
    if (!windows || axes == 0 || c.options.groups != 1 || c.input != merged.input ||
        c.activation != merged.activation || c.element_bits != merged.element_bits)
      return std::nullopt;
    if (largest.empty()) largest = *windows;
    for (std::size_t i = 0; i < axes; ++i) {
      auto const& w = (*windows)[i];
      auto& most = largest[i];
      auto const wider = w.kernel - most.kernel;
      auto const n = mars::detail::positions(merged.input[2 + i], w);
      if (!n || w.stride != most.stride || w.dilation != most.dilation || wider % 2 != 0 ||
          w.begin - most.begin != w.dilation * (wider / 2))
        return std::nullopt;
      if (&c == &all.front()) outputs[i] = *n;
      if (*n != outputs[i]) return std::nullopt;
      if (wider > 0) most = w;
    }
    merged.options.out_channels += c.options.out_channels;
    merged.options.bias = merged.options.bias || c.options.bias; // the others' is zero
  }
  merged.options.kernel.assign(axes, 1);
  merged.options.stride.assign(axes, 1);
  merged.options.dilation.assign(axes, 1);
  merged.options.padding.assign(2 * axes, 0);
  for (std::size_t i = 0; i < axes; ++i) {
    merged.options.kernel[i] = largest[i].kernel;
    merged.options.stride[i] = largest[i].stride;
    merged.options.dilation[i] = largest[i].dilation;
    merged.options.padding[i] = largest[i].begin;
    merged.options.padding[axes + i] = largest[i].end;
  }
  return merged;
}

} // namespace mars
