// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What runs at the speed of this machine. A library of its own: its code is compiled for this processor, with fused
// multiply-adds, and an inline function that the tool has, too, must not be taken from here.
#pragma once

#include <mars/measurement/candidate.hpp>
#include <mars/measurement/machine.hpp>

#include <string>
#include <vector>

#if defined(__GNUC__)
#define MARS_MAP_NATIVE __attribute__((visibility("default")))
#else
#define MARS_MAP_NATIVE
#endif

namespace mars_map {

/// The core that runs this, measured: half a second.
[[nodiscard]] MARS_MAP_NATIVE auto native_machine() -> mars::measurement::machine;

/// This library's kernels of some primitives, untuned or tuned or both.
[[nodiscard]] MARS_MAP_NATIVE auto native_kernels(std::vector<std::string> primitives, bool untuned,
                                                  bool tuned) -> mars::measurement::kernel_source;

} // namespace mars_map
