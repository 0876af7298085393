// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What holds for every network, whatever its figures.

#include "support/catch.hpp"

#include <mars/workload/concept.hpp>
#include <mars/workload/shape.hpp>
#include <mars/workload/topology.hpp>
#include <mars/zoo.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using mars::error_code;
using mars::graph;
namespace zoo = mars::zoo;

auto result_shape(graph const& g) -> mars::tensor_shape {
  auto const results = outputs(g);
  REQUIRE(results.size() == 1);
  return shape_of(*nth_operand(op(g, results[0].producer), mars::role::output, results[0].output));
}

auto wanted_shape(zoo::entry const& e, std::int64_t batch) -> mars::tensor_shape {
  if (e.name == "gpt2") return {batch, 1024, 50257};
  if (e.name == "gpt3_175b") return {batch, 2048, 50257};
  if (e.name == "bert_base") return {batch, 768};
  if (e.name == "bert_large") return {batch, 1024};
  if (e.name == "t5_small_encoder") return {batch, 128, 512};
  if (e.name == "casia_surf") return {batch, 512, 7, 7};
  if (e.name == "facebag") return {batch, 3};
  return {batch, 1000};
}

/// Tables of layers have one size.
auto is_table(zoo::entry const& e) -> bool { return e.family == "multi-modal"; }

} // namespace

static_assert(mars::WorkloadGraph<graph>);

TEST_CASE("every network is sound, acyclic, and ends in one result of the right shape") {
  for (auto const& e : zoo::list()) {
    CAPTURE(std::string{e.name});
    auto const g = zoo::find(e.name).value();
    CHECK(g.name() == e.name);
    CHECK(validate(g));
    CHECK(topological_order(g).value().size() == g.size());
    CHECK(result_shape(g) == wanted_shape(e, 1));
    int sinks = 0;
    for (auto const v : operators(g)) sinks += consumers(g, v).empty();
    CHECK(sinks == 1);
    CHECK(external_inputs(g).size() == (e.family == "GPT" || e.family == "T5" ? 2u
                                        : e.reads_text || is_table(e)         ? 3u
                                                                              : 1u));
    for (auto const v : operators(g)) CHECK(op(g, v).kind != mars::op_kind::opaque);
  }
}

TEST_CASE("work grows with the batch, parameters do not") {
  for (auto const& e : zoo::list()) {
    CAPTURE(std::string{e.name});
    if (is_table(e)) continue;
    auto const one = zoo::find(e.name).value();
    auto const five = zoo::find(e.name, {.batch = 5}).value();
    CHECK(macs_of(five).count() == 5 * macs_of(one).count());
    CHECK(parameters_of(five) == parameters_of(one));
    CHECK(result_shape(five) == wanted_shape(e, 5));
  }
}

TEST_CASE("element bits are those of every tensor") {
  for (auto const& e : zoo::list()) {
    CAPTURE(std::string{e.name});
    auto const g = zoo::find(e.name, {.element_bits = 8}).value();
    bool all = true;
    for (auto const v : operators(g))
      for (auto const& t : op(g, v).operands) all = all && t.element_bits == 8;
    CHECK(all);
  }
}

TEST_CASE("image and sequence change the work and not the weights") {
  // Convolutions of VGG16 see nine quarters of the pixels at 336; its linear layers see the same.
  auto const usual = zoo::vgg16();
  auto const large = zoo::vgg16({.image = 336});
  CHECK(macs_of(large).count() == 15'346'630'656 * 9 / 4 + 123'633'664);
  CHECK(parameters_of(large) == parameters_of(usual));
  // 112 pixels leave 3×3 maps, which the classifier wants as 7×7.
  CHECK(macs_of(zoo::vgg16({.image = 112})).count() == 15'346'630'656 / 4 + 123'633'664);
  CHECK(parameters_of(zoo::resnet18({.image = 64})) == parameters_of(zoo::resnet18()));
  CHECK(parameters_of(zoo::bert_base({.sequence = 512})) == parameters_of(zoo::bert_base()));
  // No table of positions bounds T5's text.
  CHECK(parameters_of(zoo::t5_small_encoder({.sequence = 2048})) ==
        parameters_of(zoo::t5_small_encoder()));
  // ViT learns a position for each patch: 24² instead of 14² of them.
  CHECK(parameters_of(zoo::vit_b16({.image = 384})) ==
        parameters_of(zoo::vit_b16()) + (576 - 196) * 768LL);
}

TEST_CASE("classes widen the last layer only") {
  CHECK(parameters_of(zoo::resnet50({.classes = 10})) ==
        parameters_of(zoo::resnet50()) - 990LL * 2049);
  CHECK(result_shape(zoo::squeezenet({.classes = 10})) == mars::tensor_shape{1, 10});
}

TEST_CASE("the smallest image survives its windows; a smaller one is refused as such") {
  for (auto const& e : zoo::list()) {
    if (e.reads_text || is_table(e)) continue;
    CAPTURE(std::string{e.name});
    std::int64_t least = 1;
    while (!zoo::find(e.name, {.image = least})) ++least;
    CHECK(result_shape(zoo::find(e.name, {.image = least}).value()) == wanted_shape(e, 1));
    auto const refused = zoo::find(e.name, {.image = least - 1});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == error_code::out_of_range);
    CHECK(refused.error().path == "image");
    CHECK(refused.error().found == std::to_string(least - 1));
  }
}

TEST_CASE("the smallest images are those torchvision states as min_size") {
  CHECK(zoo::alexnet.least_image == 63);
  CHECK(zoo::vgg16.least_image == 32);
  CHECK(zoo::resnet101.least_image == 1);
  CHECK(zoo::inception_v3.least_image == 75);
  CHECK(zoo::densenet121.least_image == 29);
  CHECK(zoo::efficientnet_b0.least_image == 1);
  // It states 15 and 21 because torch lets a pool's only window hang over a smaller map; here a
  // window must fit.
  CHECK(zoo::googlenet.least_image == 31);
  CHECK(zoo::squeezenet.least_image == 29);
}

TEST_CASE("bad arguments give one line that names the culprit") {
  auto const refuses = [](auto const& network, auto options, std::string const& path) {
    auto const g = network.build(options);
    REQUIRE_FALSE(g);
    CHECK(g.error().path == path);
    CHECK(to_string(g.error()).find('\n') == std::string::npos);
    return g.error().code;
  };
  auto const huge = std::int64_t{1} << 62;
  CHECK(refuses(zoo::resnet101, zoo::image_options{.batch = 0}, "batch") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::resnet101, zoo::image_options{.batch = -3}, "batch") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::resnet101, zoo::image_options{.image = 0}, "image") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::vgg16, zoo::image_options{.image = 31}, "image") == error_code::out_of_range);
  CHECK(refuses(zoo::vit_b16, zoo::image_options{.image = 225}, "image") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::alexnet, zoo::image_options{.classes = 0}, "classes") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::alexnet, zoo::image_options{.element_bits = 0}, "element_bits") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::alexnet, zoo::image_options{.element_bits = 65}, "element_bits") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::bert_base, zoo::text_options{.sequence = 0}, "sequence") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::bert_base, zoo::text_options{.sequence = 513}, "sequence") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::t5_small_encoder, zoo::text_options{.sequence = 0}, "sequence") ==
        error_code::out_of_range);
  CHECK(refuses(zoo::t5_small_encoder, zoo::text_options{.sequence = huge}, "t5_small_encoder") ==
        error_code::overflow);
  CHECK(refuses(zoo::gpt2, zoo::text_options{.batch = 0}, "batch") == error_code::out_of_range);
  CHECK(refuses(zoo::gpt2, zoo::text_options{.sequence = huge}, "sequence") ==
        error_code::out_of_range);
  // Tables of layers have one size.
  for (auto const& e : zoo::list()) {
    if (!is_table(e)) continue;
    CAPTURE(std::string{e.name});
    auto const size = e.name == "facebag" ? 112 : 224;
    CHECK(zoo::find(e.name, {.image = size}));
    CHECK(refuses(e, zoo::arguments{.image = size + 1}, "image") == error_code::invalid_argument);
    CHECK(refuses(e, zoo::arguments{.batch = 2}, "batch") == error_code::out_of_range);
    CHECK(refuses(e, zoo::arguments{.element_bits = 0}, "element_bits") ==
          error_code::out_of_range);
    auto const g = zoo::find(e.name).value();
    for (auto const v : operators(g))
      for (auto const& t : op(g, v).operands) CHECK(t.element_bits == 32);
  }
  CHECK(refuses(zoo::casia_surf, zoo::image_options{.classes = 10}, "classes") ==
        error_code::invalid_argument);
  CHECK(refuses(zoo::facebag, zoo::image_options{.classes = 3}, "classes") ==
        error_code::invalid_argument);
  CHECK(zoo::facebag.build({.classes = zoo::image_options{}.classes}));
  // Each number by itself is fine; their product is not.
  CHECK(refuses(zoo::resnet101, zoo::image_options{.batch = huge}, "resnet101") ==
        error_code::overflow);
  CHECK(refuses(zoo::gpt2, zoo::text_options{.batch = huge}, "gpt2") == error_code::overflow);
}

TEST_CASE("numbers too large are refused by every network") {
  auto const huge = std::int64_t{1} << 62;
  auto const largest = INT64_MAX;
  for (auto const& e : zoo::list())
    for (auto const n : {huge, largest, std::int64_t{1} << 52}) {
      CAPTURE(std::string{e.name}, n);
      CHECK_FALSE(zoo::find(e.name, {.batch = n}));
      if (e.reads_text) continue;
      CHECK_FALSE(zoo::find(e.name, {.image = n}));
      CHECK_FALSE(e.build({.batch = n, .image = n}));
    }
  CHECK_FALSE(zoo::resnet18.build({.classes = huge}));
  // Every operator by itself would fit, their sum would not.
  CHECK_FALSE(zoo::vgg16.build({.batch = std::int64_t{1} << 29}));
}
