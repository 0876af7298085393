// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel and the model of its primitive speak of the same thing.

#include "support/catch.hpp"

#include <mars/primitive.hpp>
#include <mars/primitive/kernels.hpp>

#include <cstddef>

namespace {

template <mars::Primitive P>
void check_model(P const& model) {
  CAPTURE(model.name());
  std::size_t found = 0;
  for (auto const& e : mars::primitive::kernels::catalogue()) {
    if (e.name != model.name()) continue;
    ++found;
    CHECK(mars::primitive::kernels::name_of(e.format) == model.format());
    CHECK(e.weights == model.weights());
    for (mars::plane const kernel : {mars::plane{1, 1}, mars::plane{3, 3}, mars::plane{3, 1}})
      for (mars::plane const stride : {mars::plane{1, 1}, mars::plane{2, 1}})
        for (int const groups : {1, 2}) {
          mars::convolution_layer const c{.groups = groups,
                                          .in_channels = 2,
                                          .out_channels = 2,
                                          .in = {8, 8},
                                          .out = {3, 4},
                                          .kernel = kernel,
                                          .stride = stride};
          CHECK(e.supports(c) == model.supports(c));
        }
  }
  CHECK(found == 1);
}

} // namespace

TEST_CASE("each primitive's kernel has the name, formats and layers of its model") {
  check_model(mars::primitive::direct{});
  check_model(mars::primitive::im2col_gemm{});
  check_model(mars::primitive::spatial_pack{});
  check_model(mars::primitive::winograd<2>{});
  check_model(mars::primitive::winograd<4>{});
  check_model(mars::primitive::csr_direct{});
  check_model(mars::primitive::csr_gemm{});
  check_model(mars::primitive::csr_spatial_pack{});
  CHECK(mars::primitive::kernels::catalogue().size() == 8);
}
