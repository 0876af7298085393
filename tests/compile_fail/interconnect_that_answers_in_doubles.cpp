// expect: transfer_time
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/interconnect/concept.hpp>

struct unitless {
  [[nodiscard]] auto size() const -> std::size_t { return 2; }
  [[nodiscard]] auto transfer_time(mars::accelerator_id, mars::accelerator_id, mars::bytes) const
      -> double {
    return 1;
  }
};
static_assert(mars::Interconnect<unitless>);
