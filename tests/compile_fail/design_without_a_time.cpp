// expect: d.time(s)
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/hardware/concept.hpp>

struct nameplate {
  [[nodiscard]] auto name() const -> char const* { return "nameplate"; }
};
static_assert(mars::AcceleratorDesign<nameplate>);
