// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Real files. MACs, parameters and activations are those counted independently of mars when the
// files were collected (README beside them).

#include "io/onnx/model.hpp"

#include <cstdint>
#include <string>

using namespace mars_test;

namespace {

#ifdef MARS_TEST_SHARED_DIR
auto file(std::string const& name) -> std::string {
  return std::string{MARS_TEST_SHARED_DIR} + "/data/onnx/" + name + ".onnx";
}

struct published {
  char const* name;
  std::int64_t parameters;
  std::int64_t convolution_macs;
  std::int64_t gemm_macs;
  /// Elements of every first output; 0 where Dropout, which is elided, was counted.
  std::int64_t activations;
};
#endif

} // namespace

TEST_CASE("the networks of the ONNX test suite", "[onnx]") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  for (auto const& p : {
           published{"light_bvlc_alexnet", 60'965'224, 595'938'432, 58'621'952, 0},
           published{"light_densenet121", 8'146'152, 2'834'161'664, 0, 80'120'552},
           published{"light_inception_v1", 6'998'552, 1'430'532'352, 1'024'000, 0},
           published{"light_inception_v2", 11'234'792, 2'017'827'840, 1'024'000, 21'135'984},
           published{"light_resnet50", 25'610'152, 4'087'136'256, 2'048'000, 37'562'832},
           published{"light_shufflenet", 1'420'152, 124'120'528, 544'000, 14'267'968},
           published{"light_squeezenet", 1'235'496, 349'151'936, 0, 0},
           published{"light_vgg19", 143'667'240, 19'508'428'800, 123'633'664, 0},
           published{"light_zfnet512", 87'250'536, 1'401'011'232, 80'715'776, 4'710'000},
       }) {
    CAPTURE(p.name);
    auto const r = mars::io::load_onnx(file(p.name));
    INFO((r ? std::string{} : to_string(r.error())));
    REQUIRE(r);
    CHECK(r->warnings.empty());
    std::int64_t convolution = 0;
    std::int64_t other = 0;
    std::int64_t activations = 0;
    for (auto const v : operators(r->graph)) {
      auto const& o = op(r->graph, v);
      (o.kind == mars::op_kind::convolution ? convolution : other) += macs_of(o).count();
      activations += elements_of(*nth_operand(o, mars::role::output, 0));
    }
    CHECK(convolution == p.convolution_macs);
    CHECK(other == p.gemm_macs);
    CHECK(mars::parameters_of(r->graph) == p.parameters);
    if (p.activations != 0) CHECK(activations == p.activations);
  }
#endif
}

TEST_CASE("the Megatron attention block", "[onnx]") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  auto const r = mars::io::load_onnx(file("bart_self_attention_megatron_basic_test"));
  REQUIRE(r);
  CHECK(mars::macs_of(r->graph).count() == 6144);
  CHECK(mars::parameters_of(r->graph) == 83);
  CHECK(r->warnings.empty());
  CHECK(result_of(*r, "add3") == shape{8, 6, 4});
#endif
}

TEST_CASE("an inconsistent attention block is imported with a warning", "[onnx]") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  auto const r = mars::io::load_onnx(file("attention_distilbert"));
  REQUIRE(r);
  CHECK(mars::macs_of(r->graph).count() == 272);
  REQUIRE(r->warnings.size() == 1);
  CHECK_THAT(r->warnings[0], contains_text("reshape_x"));
  // 307 stored elements but for the scalar that only the folded mask is compared with.
  CHECK(mars::parameters_of(r->graph) == 306);
#endif
}
