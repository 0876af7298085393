// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>

namespace mars {

/// What the start of an operator, or an accelerator at rest, waits for.
enum class wait_cause : std::uint8_t {
  nothing,     ///< an operator that starts at once; an accelerator with nothing left to do
  result,      ///< another operator has yet to compute what is read
  transfer,    ///< what another operator computed is on its way
  accelerator, ///< an accelerator of the set runs another operator
  turn,        ///< sequential semantics: another operator runs, wherever
  unexplained, ///< all that is known to be needed was there before
};

} // namespace mars
