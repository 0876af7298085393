// expect: copyable
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

#include <memory>

struct owner {
  std::unique_ptr<int> state;
  auto name() const -> char const* { return "owner"; }
  auto operator()(mars::mapping_problem const&, mars::search_context const&) const
      -> mars::solution {
    return {};
  }
};

mars::mapper const attempt{mars::cost::analytical{}, mars::parallel::exclusive_shared{}, owner{}};
