// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"

#include <mars/zoo.hpp>

#include <algorithm>
#include <set>
#include <string>

namespace zoo = mars::zoo;
using mars::error_code;

TEST_CASE("names are unique, listed once, and found") {
  auto const names = zoo::names();
  CHECK(std::set<std::string_view>(names.begin(), names.end()).size() == names.size());
  CHECK(names.size() == zoo::list().size());
  for (auto const wanted :
       {"alexnet",     "alexnet_2012", "vgg16",           "vgg19",           "resnet18",
        "resnet34",    "resnet50",     "resnet101",       "resnet152",       "wrn50_2",
        "googlenet",   "inception_v3", "mobilenet_v1",    "mobilenet_v2",    "squeezenet",
        "densenet121", "densenet161",  "efficientnet_b0", "bert_base",       "bert_large",
        "gpt2",        "gpt3_175b",    "vit_b16",         "t5_small_encoder"}) {
    CAPTURE(wanted);
    CHECK(std::count(names.begin(), names.end(), wanted) == 1);
  }
  for (auto const& e : zoo::list()) {
    CAPTURE(std::string{e.name});
    CHECK_FALSE(e.family.empty());
    CHECK_FALSE(e.source.empty());
    CHECK(e.size > 0);
    auto const usual = zoo::find(e.name).value();
    auto const said = e.reads_text ? zoo::find(e.name, {.sequence = e.size})
                                   : zoo::find(e.name, {.image = e.size});
    CHECK(macs_of(said.value()) == macs_of(usual));
  }
}

TEST_CASE("an unknown name is answered with the nearest known one") {
  auto const hint = [](std::string_view name) {
    auto const g = zoo::find(name);
    REQUIRE_FALSE(g);
    CHECK(g.error().code == error_code::unknown_name);
    CHECK(g.error().path == "model");
    CHECK_THAT(g.error().wanted, mars_test::contains_text("resnet101, "));
    return g.error().detail;
  };
  CHECK(hint("resnet-101") == "did you mean resnet101?");
  CHECK(hint("ResNet101") == "did you mean resnet101?");
  CHECK(hint("resnet201") == "did you mean resnet101?");
  CHECK(hint("mobilnet_v2") == "did you mean mobilenet_v2?");
  CHECK(hint("vit") == "did you mean vit_b16?");
  CHECK(hint("bert") == "did you mean bert_base?");
  CHECK(hint("gpt1") == "did you mean gpt2?");
  CHECK(hint("t5_small") == "did you mean t5_small_encoder?");
  CHECK(hint("gpt3") == "did you mean gpt3_175b?");
  CHECK(hint("llama_70b").empty());
  CHECK(hint("").empty());
  CHECK(hint("\xff\n").empty());
  CHECK(hint(std::string(100'000, 'r')).empty());
  CHECK(to_string(zoo::find("a\nb").error()).find('\n') == std::string::npos);
}

TEST_CASE("arguments of the other kind are refused, not ignored") {
  auto const image = zoo::find("bert_base", {.image = 224});
  REQUIRE_FALSE(image);
  CHECK(image.error().code == error_code::invalid_argument);
  CHECK(image.error().path == "image");
  auto const sequence = zoo::find("resnet18", {.sequence = 128});
  REQUIRE_FALSE(sequence);
  CHECK(sequence.error().path == "sequence");
}

TEST_CASE("arguments reach the network") {
  CHECK(macs_of(zoo::find("resnet18", {.batch = 3, .image = 64}).value()) ==
        macs_of(zoo::resnet18({.batch = 3, .image = 64})));
  CHECK(macs_of(zoo::find("gpt2", {.batch = 2, .sequence = 64}).value()) ==
        macs_of(zoo::gpt2({.batch = 2, .sequence = 64})));
  CHECK(parameters_of(zoo::find("vgg16", {.bias = false}).value()) ==
        138'344'128); // mars.md §8: 138.344 M
}

#if defined(__cpp_exceptions)
TEST_CASE("calling a network with bad arguments throws what build returns") {
  CHECK_THROWS_AS(zoo::resnet18({.batch = 0}), mars::exception);
}
#endif
