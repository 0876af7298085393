// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/csr_spatial_pack.hpp>
#include <mars/primitive/direct.hpp>

namespace {
using namespace mars;

[[nodiscard]] auto sparse(double density, int element_bits = 32) -> convolution_layer {
  return {.in_channels = 64,
          .out_channels = 64,
          .in = {56, 56},
          .out = {56, 56},
          .kernel = {3, 3},
          .padding = {1, 1},
          .element_bits = element_bits,
          .density = density};
}
/// Of CSR to dense weights.
[[nodiscard]] auto growth(double density, int element_bits) -> double {
  auto const c = sparse(density, element_bits);
  return primitive::csr_direct{}.work(c, 16).weights / primitive::direct{}.work(c, 16).weights;
}
} // namespace

TEST_CASE("csr: bytes of values, indices and rows", "[primitive]") {
  // 36,864 weights, half of them kept: 18,432 of 4 + 4 bytes and 65 row pointers.
  auto const w = primitive::csr_direct{}.work(sparse(0.5), 16);
  CHECK(w.weights == bytes{18'432 * 8 + 4 * 65});
  CHECK(primitive::csr_gemm{}.work(sparse(0.5), 16).weights == w.weights);
  CHECK(primitive::csr_spatial_pack{}.work(sparse(0.5), 16).weights == w.weights);

  // ≈ (1−z)(e+4)/e, so fp32 shrinks above 50 % zeros only, int8 above 80 %.
  CHECK(growth(0.5, 32) == mars_test::approx(1).margin(0.01));
  CHECK(growth(0.1, 32) == mars_test::approx(2 * 0.1).margin(0.01));
  CHECK(growth(0.1, 16) == mars_test::approx(3 * 0.1).margin(0.01));
  CHECK(growth(0.1, 8) == mars_test::approx(5 * 0.1).margin(0.01));
  // As counted in the measured kernels' table, to its two decimals.
  for (auto const& [sparsity, stated] : {std::pair{0.0, 2.00}, {0.7, 0.61}, {0.95, 0.10}})
    CHECK(growth(1 - sparsity, 32) == mars_test::approx(stated).margin(0.011));
}

TEST_CASE("csr: nonzeros are whole, halves up", "[primitive]") {
  convolution_layer c{.in_channels = 2, .out_channels = 1, .density = 0.25}; // half a weight
  CHECK(primitive::csr_direct{}.work(c, 16).weights == bytes{8 + 4 * 2});
  c.density = 0.24;
  CHECK(primitive::csr_direct{}.work(c, 16).weights == bytes{4 * 2});
  CHECK(primitive::csr_direct{}.work(c, 16).macs == 0);
}

TEST_CASE("csr: MACs and decoded indices", "[primitive]") {
  auto c = sparse(0.125); // 4,608 nonzeros
  c.batch = 2;
  auto const direct = primitive::csr_direct{.registers = 16}.work(c, 16);
  CHECK(direct.macs == mars_test::approx(2 * 112'869'376.0 / 8)); // valid ones
  CHECK(direct.decoded == 2 * 4608 * 13);                         // ⌈3136/256⌉ blocks
  CHECK(direct.workspace == bytes{0});

  auto const gemm = primitive::csr_gemm{.registers = 4}.work(c, 16);
  CHECK(gemm.macs == 2 * 115'605'504.0 / 8);
  CHECK(gemm.decoded == 2 * 4608 * 49); // 3136/64
  CHECK(gemm.calls == 2);
  CHECK(gemm.workspace == bytes{4 * 576 * 3136});
  CHECK(gemm.traffic.count() ==
        2 * 2 * 4 * 64 * 3136 + gemm.weights.count() + 2 * 2 * gemm.workspace.count());

  auto const pack = primitive::csr_spatial_pack{.tile = {2, 2}}.work(c, 16);
  CHECK(pack.macs == gemm.macs);
  CHECK(pack.decoded == 2 * 4608 * 28 * 2); // tiles of 2 × 32 outputs
  CHECK(pack.workspace == bytes{4 * 64 * 58 * 58 + 4 * 56 * 64});
}
