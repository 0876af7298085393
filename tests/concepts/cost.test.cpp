// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/counting_cost.hpp"

#include <mars/cost.hpp>

#include <memory>

namespace {
using namespace mars;

/// The smallest model.
struct free_of_charge {
  template <AcceleratorDesign D>
  auto operator()(shard const&, D const&) const -> shard_cost {
    return {};
  }
};
/// A model without templates.
struct by_wrapper {
  auto operator()(shard const&, any_design const&) const -> shard_cost { return {}; }
};

struct for_winograd_only {
  template <class D>
  requires requires(D const& d) { d.other_layers; }
  auto operator()(shard const&, D const&) const -> shard_cost { return {}; }
};
struct that_returns_a_bare_number {
  template <AcceleratorDesign D>
  auto operator()(shard const&, D const&) const -> double {
    return 0;
  }
};
struct that_is_not_const {
  template <AcceleratorDesign D>
  auto operator()(shard const&, D const&) -> shard_cost {
    return {};
  }
};
struct with_arguments_the_other_way_round {
  template <AcceleratorDesign D>
  auto operator()(D const&, shard const&) const -> shard_cost {
    return {};
  }
};
struct that_cannot_be_copied : free_of_charge {
  std::unique_ptr<int> state;
};
struct winograd_like : design_archetype {
  int other_layers{};
};

} // namespace

TEST_CASE("CostModel: models and near misses") {
  STATIC_REQUIRE(AcceleratorDesign<design_archetype>);
  STATIC_REQUIRE(CostModel<free_of_charge>);
  STATIC_REQUIRE(CostModel<by_wrapper>);
  STATIC_REQUIRE(CostModel<cost::analytical>);
  STATIC_REQUIRE(CostModel<cost::unavailable>);
  STATIC_REQUIRE(CostModel<cost::roofline>);
  STATIC_REQUIRE(CostModel<cost::table<>>);
  STATIC_REQUIRE(CostModel<cost::table<cost::unavailable>>);
  STATIC_REQUIRE(CostModel<cost::cached<cost::analytical>>);
  STATIC_REQUIRE(CostModel<any_cost>);
  STATIC_REQUIRE(CostModel<mars_test::counting_cost<cost::analytical>>);

  STATIC_REQUIRE(CostModelFor<for_winograd_only, winograd_like>);
  STATIC_REQUIRE_FALSE(CostModel<for_winograd_only>);
  STATIC_REQUIRE_FALSE(CostModelFor<cost::analytical, int>);
  STATIC_REQUIRE_FALSE(CostModel<that_returns_a_bare_number>);
  STATIC_REQUIRE_FALSE(CostModel<that_is_not_const>);
  STATIC_REQUIRE_FALSE(CostModel<with_arguments_the_other_way_round>);
  STATIC_REQUIRE_FALSE(CostModel<that_cannot_be_copied>);
}
