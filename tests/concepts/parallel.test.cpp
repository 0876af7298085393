// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/parallel/concept.hpp>
#include <mars/parallel/data.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/longest_dimensions.hpp>

#include <array>
#include <memory>
#include <vector>

namespace {
using namespace mars;

/// The smallest model.
struct replicated_everywhere {
  auto shardings(operation const&, std::size_t) const -> std::array<sharding, 1> { return {}; }
};
/// Cuts that convert to shardings will do.
struct first_dimension {
  struct convertible {
    operator sharding() const { return {}; }
  };
  auto shardings(operation const&, std::size_t) const -> std::vector<convertible> { return {{}}; }
};
struct with_a_prior : replicated_everywhere {
  auto prior(operation const&, sharding const&) const -> float { return 1; }
};

struct without_shardings {};
struct that_proposes_one_sharding {
  auto shardings(operation const&, std::size_t) const -> sharding { return {}; }
};
struct that_proposes_numbers {
  auto shardings(operation const&, std::size_t) const -> std::vector<int> { return {}; }
};
struct that_is_not_const {
  auto shardings(operation const&, std::size_t) -> std::vector<sharding> { return {{}}; }
};
struct that_ignores_the_set_size {
  auto shardings(operation const&) const -> std::vector<sharding> { return {{}}; }
};
struct that_cannot_be_copied : replicated_everywhere {
  std::unique_ptr<int> state;
};
struct whose_prior_is_not_a_number : replicated_everywhere {
  auto prior(operation const&, sharding const&) const -> sharding { return {}; }
};
struct whose_prior_forgets_the_operator : replicated_everywhere {
  auto prior(sharding const&) const -> double { return 1; }
};
} // namespace

TEST_CASE("ParallelismStrategy: models and near misses") {
  STATIC_REQUIRE(ParallelismStrategy<replicated_everywhere>);
  STATIC_REQUIRE(ParallelismStrategy<first_dimension>);
  STATIC_REQUIRE(ParallelismStrategy<parallel::exclusive_shared>);
  STATIC_REQUIRE(ParallelismStrategy<parallel::data>);
  STATIC_REQUIRE(ParallelismStrategy<parallel::longest_dimensions>);

  STATIC_REQUIRE_FALSE(ParallelismStrategy<without_shardings>);
  STATIC_REQUIRE_FALSE(ParallelismStrategy<that_proposes_one_sharding>);
  STATIC_REQUIRE_FALSE(ParallelismStrategy<that_proposes_numbers>);
  STATIC_REQUIRE_FALSE(ParallelismStrategy<that_is_not_const>);
  STATIC_REQUIRE_FALSE(ParallelismStrategy<that_ignores_the_set_size>);
  STATIC_REQUIRE_FALSE(ParallelismStrategy<that_cannot_be_copied>);
}

TEST_CASE("SeedingStrategy: models and near misses") {
  STATIC_REQUIRE(SeedingStrategy<parallel::exclusive_shared>);
  STATIC_REQUIRE(SeedingStrategy<with_a_prior>);

  STATIC_REQUIRE_FALSE(SeedingStrategy<replicated_everywhere>);
  STATIC_REQUIRE_FALSE(SeedingStrategy<parallel::data>);
  STATIC_REQUIRE_FALSE(SeedingStrategy<whose_prior_is_not_a_number>);
  STATIC_REQUIRE_FALSE(SeedingStrategy<whose_prior_forgets_the_operator>);
  STATIC_REQUIRE(ParallelismStrategy<whose_prior_forgets_the_operator>);
}
