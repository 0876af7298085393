// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators written out by hand, so that tests of designs and costs need no builder.

#include <mars/workload/operation.hpp>

#include <cstdint>
#include <string>

namespace mars_test {

struct convolution {
  std::int64_t batch{1};
  std::int64_t groups{1};
  std::int64_t out_channels{1}; ///< per group
  std::int64_t in_channels{1};  ///< per group
  std::int64_t rows{1};
  std::int64_t columns{1};
  std::int64_t kernel_rows{1};
  std::int64_t kernel_columns{1};
  std::int64_t stride{1};
  std::int64_t dilation{1};
  int element_bits{16};
};

/// Dimensions g n k y x | c r s; the input is as large as the kernel reaches, without padding.
inline auto make_convolution(convolution const& c) -> mars::operation {
  using namespace mars;
  enum : std::uint8_t { g, n, k, y, x, ci, r, s };
  auto const red = dim_kind::reduction;
  auto const reach_of = [&](std::int64_t out, std::int64_t kernel) {
    return (out - 1) * c.stride + (kernel - 1) * c.dilation + 1;
  };
  axis const batch{{{n, 1}}, 0, c.batch};
  axis const rows{{{y, c.stride}, {r, c.dilation}}, 0, reach_of(c.rows, c.kernel_rows)};
  axis const columns{{{x, c.stride}, {s, c.dilation}}, 0, reach_of(c.columns, c.kernel_columns)};
  axis const in{{{g, c.in_channels}, {ci, 1}}, 0, c.groups * c.in_channels};
  axis const out{{{g, c.out_channels}, {k, 1}}, 0, c.groups * c.out_channels};
  operation op;
  op.kind = op_kind::convolution;
  op.type = "Conv";
  op.name = "conv";
  op.dims = {{"g", c.groups},           {"n", c.batch},
             {"k", c.out_channels},     {"y", c.rows},
             {"x", c.columns},          {"c", c.in_channels, red},
             {"r", c.kernel_rows, red}, {"s", c.kernel_columns, red}};
  op.operands = {{role::input, "", c.element_bits, {batch, in, rows, columns}},
                 {role::weight,
                  "w",
                  c.element_bits,
                  {out,
                   {{{ci, 1}}, 0, c.in_channels},
                   {{{r, 1}}, 0, c.kernel_rows},
                   {{{s, 1}}, 0, c.kernel_columns}}},
                 {role::output,
                  "",
                  c.element_bits,
                  {batch, out, {{{y, 1}}, 0, c.rows}, {{{x, 1}}, 0, c.columns}}}};
  op.work.macs = 1;
  return op;
}

/// m×k times k×n.
inline auto make_matmul(std::int64_t m, std::int64_t n, std::int64_t k, int element_bits = 16)
    -> mars::operation {
  using namespace mars;
  operation op;
  op.kind = op_kind::matmul;
  op.type = "MatMul";
  op.name = "matmul";
  op.dims = {{"m", m}, {"n", n}, {"k", k, dim_kind::reduction}};
  op.operands = {{role::input, "", element_bits, {{{{0, 1}}, 0, m}, {{{2, 1}}, 0, k}}},
                 {role::weight, "w", element_bits, {{{{2, 1}}, 0, k}, {{{1, 1}}, 0, n}}},
                 {role::output, "", element_bits, {{{{0, 1}}, 0, m}, {{{1, 1}}, 0, n}}}};
  op.work.macs = 1;
  return op;
}

/// `elements` in, as many out, one operation each.
inline auto make_elementwise(std::int64_t elements, mars::op_kind kind = mars::op_kind::elementwise,
                             int element_bits = 16) -> mars::operation {
  using namespace mars;
  operation op;
  op.kind = kind;
  op.type = "Relu";
  op.name = "relu";
  op.dims = {{"d0", elements}};
  op.operands = {{role::input, "", element_bits, {{{{0, 1}}, 0, elements}}},
                 {role::output, "", element_bits, {{{{0, 1}}, 0, elements}}}};
  op.work.flops = kind == op_kind::elementwise ? 1 : 0;
  return op;
}

} // namespace mars_test
