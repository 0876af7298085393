// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/workload/graph.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mars::io {

/// What the file leaves open, and what to change of it.
struct onnx_options {
  /// Extents of symbolic dimensions by name (`{"sequence", 128}`). A dimension nobody binds is 1,
  /// and a warning names it.
  std::map<std::string, std::int64_t, std::less<>> symbols{};
  /// Extent of axis 0 of every graph input; 0: as in the file. A constant Reshape target that still
  /// holds the old batch follows.
  std::int64_t batch{0};
  /// Bits of every floating-point tensor (weights stored in integers keep theirs); 0: as in the
  /// file.
  int element_bits{0};
};

/// A graph, and what was guessed or given up on the way: one line each, in file order.
struct onnx_import {
  mars::graph graph;
  std::vector<std::string> warnings;
};

} // namespace mars::io
