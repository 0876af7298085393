// expect: PricesCollectives
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

struct flat_rate {
  template <class Net>
  auto time(Net const&, mars::collective_kind, mars::bytes) const -> mars::seconds {
    return {};
  }
};

mars::mapper const attempt{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                           mars::search::two_level_genetic{}, mars::objective::latency{},
                           flat_rate{}};
