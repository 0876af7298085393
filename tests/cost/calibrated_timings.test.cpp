// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fit on published timings of a vendor's library (tests/primitive/data): two networks, 24 shapes each
// configuration.
#include "support/catch.hpp"

#include <mars/core/files.hpp>
#include <mars/cost/cross_validation.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/winograd.hpp>

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace calibrated_timings {

using mars::bytes;
using mars::bytes_per_second;
using mars::convolution_layer;
namespace cost = mars::cost;
namespace primitive = mars::primitive;

/// The machine the timings are of.
cost::machine_rates const machine{mars::flops_per_second{288.5e9},
                                  {{{bytes{24 << 10}, bytes_per_second{574.9e9}},
                                    {bytes{256 << 10}, bytes_per_second{217.4e9}},
                                    {bytes{768 << 10}, bytes_per_second{217.4e9}},
                                    {bytes{4 << 20}, bytes_per_second{135.5e9}},
                                    {bytes{16 << 20}, bytes_per_second{110.7e9}},
                                    {bytes{256 << 20}, bytes_per_second{42.2e9}}}}};

auto work_of(std::string const& name, convolution_layer const& c, int lanes)
    -> mars::primitive_work {
  if (name == "im2col_gemm") return primitive::im2col_gemm{}.work(c, lanes);
  if (name == "winograd_f2x3") return primitive::winograd_f2x3{}.work(c, lanes);
  if (name == "winograd_f4x3") return primitive::winograd_f4x3{}.work(c, lanes);
  return primitive::direct{}.work(c, lanes);
}

auto read_timings() -> std::vector<cost::observation> {
  auto const text =
      mars::read_file(MARS_TEST_SOURCE_DIR "/primitive/data/layer_timings.csv").value();
  std::istringstream lines{text};
  std::string line;
  std::getline(lines, line);
  std::vector<cost::observation> all;
  while (std::getline(lines, line)) {
    std::istringstream cells{line};
    std::vector<std::string> field;
    for (std::string cell; std::getline(cells, cell, ',');) field.push_back(cell);
    REQUIRE(field.size() == 19);
    auto const at = [&](std::size_t i) -> std::int64_t { return std::stoll(field[i]); };
    auto const bits = field[15] == "fp32" ? 32 : field[15] == "bf16" ? 16 : 8;
    convolution_layer const c{.groups = at(9),
                              .in_channels = at(3),
                              .out_channels = at(4),
                              .in = {at(5), at(5)},
                              .out = {at(10), at(10)},
                              .kernel = {at(6), at(6)},
                              .stride = {at(7), at(7)},
                              .padding = {at(8), at(8)},
                              .element_bits = bits};
    std::string
        shape; // both networks have some: channels, extents, kernel, stride, padding, groups
    for (std::size_t i = 3; i <= 10; ++i) shape += field[i] + " ";
    all.push_back({.algorithm = field[14] + " " + field[16],
                   .element_bits = bits,
                   .kind = cost::class_of(c),
                   .work = work_of(field[14], c, field[16] == "avx2" ? 8 : 16),
                   .time = mars::seconds{std::stod(field[18]) * 1e-3},
                   .group = field[0],
                   .shape = shape});
  }
  return all;
}

} // namespace calibrated_timings

// dlas.md, section 9: "minimum" is 8 % for dense layers and 12 % for all, 80 % of dense ones within 10 %.
TEST_CASE("calibration: a vendor's direct convolutions, cross-validated", "[cost]") {
  using namespace calibrated_timings;
  auto const all = read_timings();
  REQUIRE(all.size() == 157);
  auto const predicted = cost::cross_validate(all, machine).value();
  auto const direct = [](cost::observation const& o) {
    return o.algorithm == "direct avx512" && o.element_bits == 32;
  };
  auto const every = cost::judge(all, predicted, direct);
  auto const dense = cost::judge(all, predicted, [&](auto const& o) {
    return direct(o) && o.kind == cost::layer_class::dense;
  });
  CAPTURE(every.mape, dense.mape, dense.within_10, every.tau_b.value());
  CHECK(every.n == 24);
  CHECK(dense.n == 20);
  CHECK(every.mape < 0.08);
  CHECK(dense.mape < 0.05);
  CHECK(dense.within_10 >= 0.9);
  CHECK(every.tau_b.value() > 0.9);

  // A network the fit has not seen; there is one other, with a single matrix-vector layer in one of them.
  auto const left_out = cost::leave_groups_out(all, machine).value();
  for (auto const* network : {"resnet18", "vgg16"}) {
    auto const a = cost::judge(all, left_out, [&](auto const& o) {
      return direct(o) && o.kind == cost::layer_class::dense && o.group == network;
    });
    CAPTURE(network, a.mape);
    CHECK(a.mape < 0.08);
  }
}

// Algorithms whose features go beyond α, β, γ keep the order of their layers.
TEST_CASE("calibration: every algorithm of the vendor's, cross-validated", "[cost]") {
  using namespace calibrated_timings;
  auto const all = read_timings();
  auto const predicted = cost::cross_validate(all, machine).value();
  for (auto const* name :
       {"direct avx2", "direct avx512_bf16", "direct avx512_vnni", "im2col_gemm avx512"}) {
    auto const a = cost::judge(all, predicted, [&](auto const& o) { return o.algorithm == name; });
    CAPTURE(name, a.mape, a.tau_b.value());
    CHECK(a.n == 24);
    CHECK(a.mape < 0.17);
    CHECK(a.tau_b.value() > 0.8);
  }
}
