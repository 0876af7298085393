// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/hardware/accelerator.hpp>
#include <mars/hardware/any_design.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace {
using namespace mars;

/// The smallest design: one name, one time.
struct instant {
  [[nodiscard]] auto name() const -> char const* { return "instant"; }
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
};

struct without_a_name {
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
};
struct without_a_time {
  [[nodiscard]] auto name() const -> char const* { return "x"; }
};
struct with_a_bare_number_as_time : without_a_time {
  [[nodiscard]] auto time(shard const&) const -> double { return 0; }
};
struct with_a_mutable_time : without_a_time {
  auto time(shard const&) -> time_breakdown { return {}; }
};
struct that_cannot_be_copied : instant {
  std::unique_ptr<int> state;
};

struct choosy : instant {
  [[nodiscard]] auto supports(shard const&) const -> bool { return false; }
};
struct frugal : instant {
  [[nodiscard]] auto energy(shard const&) const -> joules { return {}; }
};
struct frugal_in_watts : instant {
  [[nodiscard]] auto energy(shard const&) const -> watts { return {}; }
};
struct versatile : instant {
  [[nodiscard]] auto algorithms(shard const&) const -> std::array<algorithm_time, 2> { return {}; }
};

/// The smallest accelerator.
struct fixed {
  [[nodiscard]] auto memory() const -> bytes { return bytes{1}; }
  [[nodiscard]] auto designs() const -> std::array<instant, 1> { return {}; }
};
struct without_memory {
  [[nodiscard]] auto designs() const -> std::array<instant, 1> { return {}; }
};
struct with_memory_as_a_number {
  [[nodiscard]] auto memory() const -> long { return 1; }
  [[nodiscard]] auto designs() const -> std::array<instant, 1> { return {}; }
};
struct without_designs {
  [[nodiscard]] auto memory() const -> bytes { return bytes{1}; }
};
struct with_a_single_design_and_no_range : without_designs {
  [[nodiscard]] auto designs() const -> instant { return {}; }
};
struct with_designs_that_are_none : without_designs {
  [[nodiscard]] auto designs() const -> std::vector<int> { return {}; }
};
struct powered : fixed {
  [[nodiscard]] auto power() const -> watts { return watts{75}; }
};

} // namespace

TEST_CASE("AcceleratorDesign: models and near misses") {
  STATIC_REQUIRE(AcceleratorDesign<instant>);
  STATIC_REQUIRE(AcceleratorDesign<hardware::super_lip>);
  STATIC_REQUIRE(AcceleratorDesign<hardware::systolic_array>);
  STATIC_REQUIRE(AcceleratorDesign<hardware::winograd>);
  STATIC_REQUIRE(AcceleratorDesign<hardware::roofline>);
  STATIC_REQUIRE(AcceleratorDesign<any_design>);

  STATIC_REQUIRE_FALSE(AcceleratorDesign<without_a_name>);
  STATIC_REQUIRE_FALSE(AcceleratorDesign<without_a_time>);
  STATIC_REQUIRE_FALSE(AcceleratorDesign<with_a_bare_number_as_time>);
  STATIC_REQUIRE_FALSE(AcceleratorDesign<with_a_mutable_time>);
  STATIC_REQUIRE_FALSE(AcceleratorDesign<that_cannot_be_copied>);
  STATIC_REQUIRE_FALSE(AcceleratorDesign<int>);
}

TEST_CASE("refined designs") {
  STATIC_REQUIRE(ChoosyDesign<choosy>);
  STATIC_REQUIRE(ChoosyDesign<hardware::winograd>);
  STATIC_REQUIRE_FALSE(ChoosyDesign<instant>);
  STATIC_REQUIRE(EnergyDesign<frugal>);
  STATIC_REQUIRE(EnergyDesign<hardware::roofline>);
  STATIC_REQUIRE_FALSE(EnergyDesign<frugal_in_watts>);
  STATIC_REQUIRE_FALSE(EnergyDesign<instant>);
  STATIC_REQUIRE(AlgorithmicDesign<versatile>);
  STATIC_REQUIRE(AlgorithmicDesign<hardware::winograd>);
  STATIC_REQUIRE_FALSE(AlgorithmicDesign<instant>);
  STATIC_REQUIRE(RooflineDesign<hardware::super_lip>);
  STATIC_REQUIRE_FALSE(RooflineDesign<instant>);
  STATIC_REQUIRE(CheckedDesign<hardware::systolic_array>);
  STATIC_REQUIRE_FALSE(CheckedDesign<instant>);
}

TEST_CASE("Accelerator: models and near misses") {
  STATIC_REQUIRE(Accelerator<fixed>);
  STATIC_REQUIRE(Accelerator<accelerator>);
  STATIC_REQUIRE(PoweredAccelerator<powered>);
  STATIC_REQUIRE(PoweredAccelerator<accelerator>);

  STATIC_REQUIRE_FALSE(PoweredAccelerator<fixed>);
  STATIC_REQUIRE_FALSE(Accelerator<without_memory>);
  STATIC_REQUIRE_FALSE(Accelerator<with_memory_as_a_number>);
  STATIC_REQUIRE_FALSE(Accelerator<without_designs>);
  STATIC_REQUIRE_FALSE(Accelerator<with_a_single_design_and_no_range>);
  STATIC_REQUIRE_FALSE(Accelerator<with_designs_that_are_none>);
}
