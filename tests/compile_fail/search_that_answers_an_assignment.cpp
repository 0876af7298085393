// expect: solves_problems
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

struct terse {
  auto name() const -> char const* { return "terse"; }
  auto operator()(mars::mapping_problem const&, mars::search_context const&) const
      -> mars::assignment {
    return {};
  }
};

mars::mapper const attempt{mars::cost::analytical{}, mars::parallel::exclusive_shared{}, terse{}};
