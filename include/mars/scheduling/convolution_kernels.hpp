// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/concept.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/workload/operators/convolution.hpp>
#include <mars/workload/shard.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace mars {

/// The kernels of a design for a merged convolution: what `stream_options::lower` takes. The design is
/// copied.
template <KernelDesign Design>
[[nodiscard]] auto convolution_kernels(Design design)
    -> std::function<std::vector<kernel>(mergeable_convolution const&)> {
  return [design = std::move(design)](mergeable_convolution const& c) {
    std::vector<kernel> all;
    auto op = ops::conv(c.input, c.options);
    if (!op) return all;
    for (auto& t : op->operands) t.element_bits = c.element_bits;
    for (auto const& k : design.kernels(shard{*op})) all.push_back(k);
    return all;
  };
}

} // namespace mars
