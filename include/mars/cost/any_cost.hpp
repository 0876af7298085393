// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/concept.hpp>
#include <mars/hardware/any_design.hpp>
#include <mars/workload/shard.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// Any cost model behind one type, for choice at run time; copies share it. Designs of other types
/// are wrapped at every call, which allocates: systems meant for it hold `any_design`.
class any_cost {
public:
  template <class C>
  requires(!std::same_as<std::remove_cvref_t<C>, any_cost> &&
           CostModelFor<std::remove_cvref_t<C>, any_design>) any_cost(C&& model)
      : self_{std::make_shared<holder<std::remove_cvref_t<C>> const>(std::forward<C>(model))} {}

  [[nodiscard]] auto operator()(shard const& s, any_design const& design) const -> shard_cost {
    return self_->price(s, design);
  }
  /// Empty where the model does not price algorithms.
  [[nodiscard]] auto algorithms(shard const& s, any_design const& design) const
      -> std::vector<algorithm_cost> {
    return self_->algorithms(s, design);
  }

private:
  struct base {
    base() = default;
    base(base const&) = delete;
    auto operator=(base const&) -> base& = delete;
    virtual ~base() = default;
    [[nodiscard]] virtual auto price(shard const&, any_design const&) const -> shard_cost = 0;
    [[nodiscard]] virtual auto algorithms(shard const&, any_design const&) const
        -> std::vector<algorithm_cost> = 0;
  };
  template <class C>
  struct holder final : base {
    C model;

    template <class Argument>
    explicit holder(Argument&& m) : model{std::forward<Argument>(m)} {}
    [[nodiscard]] auto price(shard const& s, any_design const& design) const
        -> shard_cost override {
      return model(s, design);
    }
    [[nodiscard]] auto algorithms([[maybe_unused]] shard const& s,
                                  [[maybe_unused]] any_design const& design) const
        -> std::vector<algorithm_cost> override {
      std::vector<algorithm_cost> all;
      if constexpr (AlgorithmCostModelFor<C, any_design>)
        for (auto const& a : model.algorithms(s, design)) all.push_back(a);
      return all;
    }
  };

  std::shared_ptr<base const> self_;
};

} // namespace mars
