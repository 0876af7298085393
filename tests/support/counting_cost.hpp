// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/concept.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace mars_test {

/// A cost model that counts how often it is asked; copies count together.
template <mars::CostModel Model>
struct counting_cost {
  Model model{};
  std::shared_ptr<std::atomic<std::int64_t>> calls{std::make_shared<std::atomic<std::int64_t>>(0)};

  template <class D>
  requires mars::CostModelFor<Model, D>
  auto operator()(mars::shard const& s, D const& design) const -> mars::shard_cost {
    ++*calls;
    return model(s, design);
  }
};

} // namespace mars_test
