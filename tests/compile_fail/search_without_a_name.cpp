// expect: names_itself
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

struct anonymous {
  auto operator()(mars::mapping_problem const&, mars::search_context const&) const
      -> mars::solution {
    return {};
  }
};

mars::mapper const attempt{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                           anonymous{}};
