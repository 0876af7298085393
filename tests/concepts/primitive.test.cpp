// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/concept.hpp>
#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/csr_spatial_pack.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/processor.hpp>
#include <mars/primitive/spatial_pack.hpp>
#include <mars/primitive/winograd.hpp>

#include <memory>
#include <string_view>

namespace {
using namespace mars;

/// The smallest primitive: it can nothing and needs nothing.
struct idle {
  [[nodiscard]] auto name() const -> char const* { return "idle"; }
  [[nodiscard]] auto weights() const -> weight_format { return weight_format::dense; }
  [[nodiscard]] auto format() const -> std::string_view { return {}; }
  [[nodiscard]] auto supports(convolution_layer const&) const -> bool { return false; }
  [[nodiscard]] auto work(convolution_layer const&, int) const -> primitive_work { return {}; }
};

struct without_a_name : idle {
  void name() const = delete;
};
struct without_weights : idle {
  void weights() const = delete;
};
struct with_weights_as_a_word : idle {
  [[nodiscard]] auto weights() const -> std::string_view { return "csr"; }
};
struct without_a_format : idle {
  void format() const = delete;
};
struct without_supports : idle {
  void supports(convolution_layer const&) const = delete;
};
struct without_work : idle {
  void work(convolution_layer const&, int) const = delete;
};
struct with_work_as_macs : idle {
  [[nodiscard]] auto work(convolution_layer const&, int) const -> macs { return {}; }
};
struct with_work_that_knows_no_lanes : idle {
  [[nodiscard]] auto work(convolution_layer const&) const -> primitive_work { return {}; }
};
struct with_mutable_work : idle {
  auto work(convolution_layer const&, int) -> primitive_work { return {}; }
};
struct that_cannot_be_copied : idle {
  std::unique_ptr<int> state;
};

/// Runs on nothing.
using hopeless = primitive::basic_processor<idle>;

} // namespace

TEST_CASE("Primitive: models and near misses") {
  STATIC_REQUIRE(Primitive<idle>);
  STATIC_REQUIRE(Primitive<primitive::direct>);
  STATIC_REQUIRE(Primitive<primitive::im2col_gemm>);
  STATIC_REQUIRE(Primitive<primitive::spatial_pack>);
  STATIC_REQUIRE(Primitive<primitive::winograd_f2x3>);
  STATIC_REQUIRE(Primitive<primitive::winograd_f4x3>);
  STATIC_REQUIRE(Primitive<primitive::csr_direct>);
  STATIC_REQUIRE(Primitive<primitive::csr_gemm>);
  STATIC_REQUIRE(Primitive<primitive::csr_spatial_pack>);

  STATIC_REQUIRE_FALSE(Primitive<without_a_name>);
  STATIC_REQUIRE_FALSE(Primitive<without_weights>);
  STATIC_REQUIRE_FALSE(Primitive<with_weights_as_a_word>);
  STATIC_REQUIRE_FALSE(Primitive<without_a_format>);
  STATIC_REQUIRE_FALSE(Primitive<without_supports>);
  STATIC_REQUIRE_FALSE(Primitive<without_work>);
  STATIC_REQUIRE_FALSE(Primitive<with_work_as_macs>);
  STATIC_REQUIRE_FALSE(Primitive<with_work_that_knows_no_lanes>);
  STATIC_REQUIRE_FALSE(Primitive<with_mutable_work>);
  STATIC_REQUIRE_FALSE(Primitive<that_cannot_be_copied>);
  STATIC_REQUIRE_FALSE(Primitive<int>);
}

TEST_CASE("a processor is a design of every refinement but kernels") {
  STATIC_REQUIRE(AcceleratorDesign<primitive::processor>);
  STATIC_REQUIRE(ChoosyDesign<primitive::processor>);
  STATIC_REQUIRE(EnergyDesign<primitive::processor>);
  STATIC_REQUIRE(AlgorithmicDesign<primitive::processor>);
  STATIC_REQUIRE(ReorderingDesign<primitive::processor>);
  STATIC_REQUIRE(RooflineDesign<primitive::processor>);
  STATIC_REQUIRE(CheckedDesign<primitive::processor>);
  STATIC_REQUIRE_FALSE(KernelDesign<primitive::processor>);
  // Any primitives make one.
  STATIC_REQUIRE(ReorderingDesign<hopeless>);
  CHECK(hopeless{}.coefficients[0] == primitive::rates{});
}
