// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/measurement/precision.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <functional>
#include <string>
#include <vector>

namespace mars::measurement {

/// A kernel with its data, ready to be called again and again.
struct prepared_kernel {
  std::string implementation{}; ///< a tile, a library's name for its kernel
  bool reorders_input{};        ///< it wants another layout than nchw
  bool reorders_output{};
  std::function<void()> run{};
};

/// A way to run one layer, named before it is made: what is in a cache need not be.
struct candidate {
  std::string primitive{}; ///< in the words of `primitive/`
  std::string code{};      ///< whose code: `untuned`, `tuned`, a library's name
  std::string version{};   ///< of that code: another one's timings are not its own
  std::string kernel{};    ///< a library's name for it, where that is known before it is made
  precision element{precision::fp32};
  int lanes{1};     ///< 32-bit elements of the vectors it uses
  bool automatic{}; ///< what a library takes where the choice is left to it
  std::function<expected<prepared_kernel>()> prepare{};
};

/// Who has kernels for a layer: `own_kernels()`, `onednn_kernels(library)`, yours. The layer's elements have
/// 32 bits; a source offers what precisions it has.
using kernel_source = std::function<expected<std::vector<candidate>>(convolution_layer const&)>;

} // namespace mars::measurement
