// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters and MACs against published figures: mars.md §8, the `num_params` and `_ops` (10⁹ MACs)
// that torchvision states for its weights, the papers' tables, and exact counts of the networks of
// the ONNX test suite.

#include "support/catch.hpp"

#include <mars/workload/shard.hpp>
#include <mars/workload/topology.hpp>
#include <mars/zoo.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

using mars::graph;
using mars::op_kind;
using mars::operator_id;
using mars::role;
namespace zoo = mars::zoo;

struct totals {
  int count{};
  std::int64_t parameters{};
  std::int64_t macs{};
};

auto totals_of(graph const& g, op_kind kind) -> totals {
  totals t;
  for (auto const v : operators(g))
    if (auto const& o = op(g, v); o.kind == kind) {
      ++t.count;
      t.parameters += parameters_of(o);
      t.macs += macs_of(o).count();
    }
  return t;
}

/// What a table prints that shows `unit`s to `digits` places.
auto printed(std::int64_t count, double unit, int digits) -> std::string {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, static_cast<double>(count) / unit);
  return text;
}
auto millions(std::int64_t n) -> std::string { return printed(n, 1e6, 3); }
auto billions(std::int64_t n, int digits) -> std::string { return printed(n, 1e9, digits); }

} // namespace

TEST_CASE("the table of mars.md section 8, to its last digit") {
  // It counts weights only: AlexNet's 61.090 M are torchvision's 61,100,840 less 10,344 additive
  // terms (64 + 192 + 384 + 256 + 256 of the convolutions, 4096 + 4096 + 1000 of the rest).
  struct row {
    zoo::image_facts const& network;
    int convolutions, shortcuts;
    char const *conv_parameters, *conv_macs, *fc_parameters, *parameters, *macs;
  };
  row const rows[] = {
      {zoo::alexnet, 5, 0, "2.469", "0.6556", "58.622", "61.090", "0.7142"},
      {zoo::alexnet_2012, 5, 0, "2.333", "0.6658", "58.622", "60.955", "0.7244"},
      {zoo::vgg16, 13, 0, "14.710", "15.3466", "123.634", "138.344", "15.4703"},
      {zoo::resnet34, 36, 3, "21.268", "3.6632", "0.512", "21.780", "3.6638"},
      {zoo::resnet101, 104, 4, "42.395", "7.7994", "2.048", "44.443", "7.8014"},
      {zoo::wrn50_2, 53, 4, "66.766", "11.3960", "2.048", "68.814", "11.3980"},
  };
  for (auto const& r : rows) {
    CAPTURE(std::string{r.network.name});
    auto const g = zoo::find(r.network.name, {.bias = false}).value();
    auto const conv = totals_of(g, op_kind::convolution);
    auto const fc = totals_of(g, op_kind::matmul);
    int shortcuts = 0;
    for (auto const v : operators(g))
      shortcuts += op(g, v).name.find("downsample") != std::string::npos;
    CHECK(conv.count == r.convolutions);
    CHECK(shortcuts == r.shortcuts);
    CHECK(millions(conv.parameters) == r.conv_parameters);
    CHECK(billions(conv.macs, 4) == r.conv_macs);
    CHECK(millions(fc.parameters) == r.fc_parameters);
    CHECK(millions(parameters_of(g)) == r.parameters);
    CHECK(billions(macs_of(g).count(), 4) == r.macs);
  }
}

TEST_CASE("3x3 convolutions of stride 1, as mars.md section 9 counts them") {
  auto const winograd_layers = [](graph const& g) {
    int n = 0;
    for (auto const v : operators(g)) {
      auto const& o = op(g, v);
      if (o.kind != op_kind::convolution) continue;
      auto const c = *as_convolution(mars::shard{o});
      n += c.kernel_rows == 3 && c.kernel_columns == 3 && c.stride == 1;
    }
    return n;
  };
  CHECK(winograd_layers(zoo::alexnet()) == 3);
  CHECK(winograd_layers(zoo::vgg16()) == 13);
  CHECK(winograd_layers(zoo::resnet34()) == 29);
  CHECK(winograd_layers(zoo::resnet101()) == 30);
  CHECK(winograd_layers(zoo::wrn50_2()) == 13);
}

TEST_CASE("parameters and MACs of image networks, as published") {
  // A published count includes two trained numbers for each channel of every batch normalization;
  // ours does not where the normalization is folded into the convolution before it. `folded` is the
  // number of those channels: the sum of output channels of the normalized convolutions, by hand:
  //   resnet18         64 + 4·64 + (4+1)·128 + (4+1)·256 + (4+1)·512
  //   resnet34         64 + 6·64 + (8+1)·128 + (12+1)·256 + (6+1)·512
  //   resnet50         64 + 3·384+256 + 4·768+512 + 6·1536+1024 + 3·3072+2048
  //   resnet101, 152   the same with 23, and with 8 and 36, blocks in the middle stages
  //   wrn50_2          64 + 3·512+256 + 4·1024+512 + 6·2048+1024 + 3·4096+2048
  //   googlenet        64+64+192 + 368+640 + 624+648+664+704+1024 + 1024+1264
  //   inception_v3     400 + 464+496+496 + 640 + 1536+1728+1728+1920 + 1280 + 2·3264
  //   mobilenet_v1     32 + Σ(in+out): 96+192+256+384+512+768+5·1024+1536+2048
  //   mobilenet_v2     32 + 48 + 216+312 + 320+2·416 + 448+3·832 + 864+2·1248
  //                    + 1312+2·2080 + 2240 + 1280
  //   densenet121      64 + 58·128; densenet161: 96 + 78·192 (the others are operators and counted)
  //   efficientnet_b0  32 + 48 + 216+312 + 328+520 + 560+2·1040 + 1072+2·1456
  //                    + 1536+3·2496 + 2624 + 1280
  struct row {
    zoo::image_facts const& network;
    int convolutions;
    std::int64_t published, folded;
    char const* gmacs;
  };
  row const rows[] = {
      {zoo::alexnet, 5, 61'100'840, 0, "0.714"},
      {zoo::vgg16, 13, 138'357'544, 0, "15.470"},
      {zoo::vgg19, 16, 143'667'240, 0, "19.632"},
      {zoo::resnet18, 20, 11'689'512, 4'800, "1.814"},
      {zoo::resnet34, 36, 21'797'672, 8'512, "3.664"},
      {zoo::resnet50, 53, 25'557'032, 26'560, "4.089"},
      {zoo::resnet101, 104, 44'549'160, 52'672, "7.801"},
      {zoo::resnet152, 155, 60'192'808, 75'712, "11.514"},
      {zoo::wrn50_2, 53, 68'883'240, 34'112, "11.398"},
      {zoo::googlenet, 57, 6'624'904, 7'280, "1.498"},
      // torchvision states 27,161,264 with the auxiliary classifier, whose own are
      // 768·128 + 2·128 + 128·768·25 + 2·768 + 768·1000 + 1000 = 3,326,696.
      {zoo::inception_v3, 94, 27'161'264 - 3'326'696, 17'216, "5.713"},
      // Keras states 4,253,864 with four numbers a normalized channel; the paper's table 4 has
      // 4.2 M and 569 M.
      {zoo::mobilenet_v1, 27, 4'253'864 - 2 * 10'944, 10'944, "0.569"},
      {zoo::mobilenet_v2, 52, 3'504'872, 17'056, "0.301"},
      {zoo::squeezenet, 26, 1'248'424, 0, "0.819"},
      {zoo::densenet121, 120, 7'978'856, 7'488, "2.834"},
      {zoo::densenet161, 160, 28'681'000, 15'072, "7.728"},
      {zoo::efficientnet_b0, 81, 5'288'548, 21'008, "0.386"},
      {zoo::vit_b16, 1, 86'567'656, 0, "17.564"},
  };
  for (auto const& r : rows) {
    CAPTURE(std::string{r.network.name});
    auto const g = zoo::find(r.network.name).value();
    CHECK(totals_of(g, op_kind::convolution).count == r.convolutions);
    CHECK(parameters_of(g) + 2 * r.folded == r.published);
    CHECK(billions(macs_of(g).count(), 3) == r.gmacs);
  }
}

TEST_CASE("MACs to the last one, where the ONNX test suite has the same network") {
  // onnx/backend/test/data/light: convolution + Gemm.
  CHECK(macs_of(zoo::resnet50()).count() == 4'087'136'256 + 2'048'000);
  CHECK(macs_of(zoo::vgg19()).count() == 19'508'428'800 + 123'633'664);
  CHECK(macs_of(zoo::densenet121()).count() == 2'834'161'664);
  CHECK(parameters_of(zoo::vgg19()) == 143'667'240);
  // Its AlexNet has two groups; it does not pad the first convolution, which changes no parameter.
  CHECK(parameters_of(zoo::alexnet_2012()) == 60'965'224);
}

TEST_CASE("single layers of resnet101") {
  auto const g = zoo::resnet101();
  auto const macs_at = [&](std::string_view name) {
    auto const v = find(g, name);
    REQUIRE(v);
    return macs_of(op(g, *v)).count();
  };
  CHECK(macs_at("conv1") == 112LL * 112 * 64 * 3 * 49);
  CHECK(macs_at("layer1.0.downsample") == 56LL * 56 * 256 * 64);
  CHECK(macs_at("layer2.0.conv1") == 56LL * 56 * 128 * 256); // before the stride
  CHECK(macs_at("layer2.0.conv2") == 28LL * 28 * 128 * 128 * 9);
  CHECK(macs_at("layer2.0.downsample") == 28LL * 28 * 512 * 256);
  CHECK(macs_at("layer3.22.conv2") == 14LL * 14 * 256 * 256 * 9);
  CHECK(macs_at("layer4.2.conv3") == 7LL * 7 * 2048 * 512);
  CHECK(macs_at("fc") == 2048LL * 1000);
  CHECK_FALSE(find(g, "layer3.23.conv1"));
  // 104 convolutions, 33 additions, two pools, one linear layer.
  CHECK(g.size() == 140);
}

TEST_CASE("parameters of text networks, as published") {
  CHECK(parameters_of(zoo::bert_base()) ==
        109'482'240); // Hugging Face bert-base-uncased, BertModel
  CHECK(parameters_of(zoo::bert_large()) == 335'141'888); // bert-large-uncased
  CHECK(parameters_of(zoo::gpt2()) == 124'439'808);       // gpt2: the last layer shares its matrix
  // The paper's 175 billion; by hand 96·(12·w² + 13·w) + (50257 + 2048)·w + 2·w with w = 12288.
  CHECK(parameters_of(zoo::gpt3_175b()) == 174'604'259'328);
  CHECK(billions(parameters_of(zoo::gpt3_175b()), 0) == "175");
}

TEST_CASE("parameters of T5's encoder, by hand and against the whole model") {
  // Without biases; width 512, inner width 8 heads · 64, feed-forward 2048.
  constexpr std::int64_t words = 32128LL * 512;           // shared with the decoder
  constexpr std::int64_t attention = 4LL * 512 * 512;     // query, key, value, output
  constexpr std::int64_t feed_forward = 2LL * 512 * 2048; // up, down
  constexpr std::int64_t norm = 512, table = 32LL * 8;
  constexpr auto encoder = words + 6 * (attention + feed_forward + 2 * norm) + norm + table;
  // A block of the decoder also looks at the encoder. Hugging Face states 60,506,624 for t5-small.
  constexpr auto decoder = 6 * (2 * attention + feed_forward + 3 * norm) + norm + table;
  STATIC_REQUIRE(encoder == 35'330'816);
  STATIC_REQUIRE(encoder + decoder == 60'506'624);
  auto const g = zoo::t5_small_encoder();
  CHECK(parameters_of(g) == encoder);
  int norms = 0, scores = 0, biased = 0, tables = 0;
  for (auto const v : operators(g)) {
    auto const& o = op(g, v);
    norms += o.name.find("norm") != std::string::npos;
    scores += o.name.find(".scores") != std::string::npos;
    tables += o.name == "relative_bias";
    for (auto const in : inputs(g, v))
      biased += op(g, in.producer).name == "relative_bias.to_heads";
  }
  CHECK(norms == 13);
  CHECK(scores == 6);
  CHECK(tables == 1); // one gather, read by all blocks
  CHECK(biased == 6);
}

TEST_CASE("MACs of text networks, by hand") {
  // A block: four w×w and two w×f products for each token, two s×s×w ones for the scores and their
  // use.
  CHECK(macs_of(zoo::bert_base()).count() ==
        12LL * (128LL * (4LL * 768 * 768 + 2LL * 768 * 3072) + 2LL * 128 * 128 * 768) +
            768LL * 768);
  // MobileBERT (arXiv:2004.02984) gives it 22.5 G FLOPs for 128 tokens, softmax and all.
  CHECK(static_cast<double>(flops_of(zoo::bert_base()).count()) ==
        mars_test::approx(22.5e9).epsilon(0.01));
  CHECK(macs_of(zoo::bert_large({.sequence = 384})).count() ==
        24LL * (384LL * (4LL * 1024 * 1024 + 2LL * 1024 * 4096) + 2LL * 384 * 384 * 1024) +
            1024LL * 1024);
  CHECK(macs_of(zoo::gpt2()).count() ==
        12LL * (1024LL * (4LL * 768 * 768 + 2LL * 768 * 3072) + 2LL * 1024 * 1024 * 768) +
            1024LL * 768 * 50257);
  CHECK(macs_of(zoo::t5_small_encoder()).count() ==
        6LL * (128LL * (4LL * 512 * 512 + 2LL * 512 * 2048) + 2LL * 128 * 128 * 512));
  CHECK(macs_of(zoo::gpt3_175b()).count() ==
        96LL * (2048LL * (4LL * 12288 * 12288 + 2LL * 12288 * 49152) + 2LL * 2048 * 2048 * 12288) +
            2048LL * 12288 * 50257);
}

TEST_CASE("the seven networks of the DLAS study: weights of their layers and MACs") {
  // dlas.md section 2; weights of convolutions and fully connected layers only.
  struct row {
    char const *network, *parameters, *macs;
  };
  row const rows[] = {{"resnet18", "11.68", "1.814"},    {"resnet50", "25.50", "4.089"},
                      {"vgg16", "138.34", "15.470"},     {"mobilenet_v1", "4.21", "0.569"},
                      {"mobilenet_v2", "3.47", "0.301"}, {"efficientnet_b0", "5.24", "0.386"},
                      {"densenet161", "28.46", "7.728"}};
  for (auto const& r : rows) {
    CAPTURE(std::string{r.network});
    auto const g = zoo::find(r.network, {.bias = false}).value();
    auto const conv = totals_of(g, op_kind::convolution);
    auto const fc = totals_of(g, op_kind::matmul);
    CHECK(printed(conv.parameters + fc.parameters, 1e6, 2) == r.parameters);
    CHECK(printed(conv.macs + fc.macs, 1e9, 3) == r.macs);
  }
}
