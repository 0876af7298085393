// expect: values_transfers
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

struct only_operators {
  auto name() const -> char const* { return "operators"; }
  auto how() const -> mars::aggregate { return mars::aggregate::sum; }
  auto node(mars::operator_price const&) const -> std::optional<mars::ticks> { return 0; }
  auto operator()(mars::evaluation const&) const -> std::optional<mars::ticks> { return 0; }
};

mars::mapper const attempt{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                           mars::search::two_level_genetic{}, only_operators{}};
