// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/compression.hpp>
#include <mars/compression/published_accuracy.hpp>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mars::compression;

std::string const csv_header = "model,dataset,compression,setting,top1_percent,source,locator";

auto complaint_about_csv(std::string const& text) -> std::string {
  auto const r = load_accuracy_points(text);
  REQUIRE_FALSE(r);
  return to_string(r.error());
}

} // namespace

TEST_CASE("published accuracies are found by exactly their setting, never between") {
  auto const points = published_accuracies();
  CHECK(points.size() == 67);
  // dlas.md section 5: NNCF, ResNet-50 75.05 → 74.38 at 80 %, MobileNetV2 71.85 → 71.34 at 50 %.
  auto const p = find_accuracy(points, "resnet50", weight_pruning{.sparsity = 0.8});
  REQUIRE(p);
  CHECK(p->top1 == 74.38);
  CHECK(p->reference_top1 == 75.05);
  CHECK(*p->loss() == Approx(0.67));
  CHECK(p->source == "NNCF compressed model zoo");
  CHECK(p->locator == "github.com/openvinotoolkit/nncf docs/ModelZoo.md @05fa660c");
  CHECK(*find_accuracy(points, "mobilenet_v2", weight_pruning{.sparsity = 0.5})->loss() ==
        Approx(0.51));
  CHECK(find_accuracy(points, "resnet18", channel_pruning{.keep = 0.6})->top1 == 69.27);
  CHECK(find_accuracy(points, "resnet50", channel_pruning{.keep = 0.475})->top1 == 75.23);
  CHECK(find_accuracy(points, "resnet50", then{weight_pruning{.sparsity = 0.5}, int8{}})->top1 ==
        75.50);
  CHECK(find_accuracy(points, "mobilenet_v1", bfloat16{})->top1 == 70.71);
  CHECK(find_accuracy(points, "vgg16", none{})->top1 == 71.59);
  CHECK(find_accuracy(points, "efficientnet_b0", none{}, "CIFAR-10")->top1 == 90.38);

  // Two criteria and two sources at one setting: all of them, the first in the table first.
  auto const both = find_accuracies(points, "ResNet-18", {"channel_pruning", "filters 40 %"});
  REQUIRE(both.size() == 2);
  CHECK(both[0].method == "magnitude criterion");
  CHECK(both[1].top1 == 69.31);
  CHECK(find_accuracies(points, "resnet18", {"int8", "int8"}).size() == 2);

  // Unknown stays unknown: between two settings, another network, nobody's number format.
  CHECK_FALSE(find_accuracy(points, "resnet50", weight_pruning{.sparsity = 0.7}));
  CHECK_FALSE(find_accuracy(points, "vgg16", channel_pruning{.keep = 0.6}));
  CHECK_FALSE(find_accuracy(points, "vgg16", weight_pruning{.sparsity = 0.8}));
  CHECK_FALSE(find_accuracy(points, "densenet161", bfloat16{}));
  CHECK_FALSE(find_accuracy(points, "resnet50", float16{}));
  CHECK_FALSE(find_accuracy(points, "resnet50", int8{.keep_ends = true}));
  CHECK_FALSE(find_accuracy(points, "resnet50", layerwise_weight_pruning{}));
  CHECK_FALSE(find_accuracy(points, "resnet5", none{}));
}

TEST_CASE("no loss where the source has no reference") {
  auto const points = published_accuracies();
  auto const skim = std::find_if(points.begin(), points.end(), [](accuracy_point const& p) {
    return p.network == "ResNet-50" && p.source == "SkimCaffe README";
  });
  REQUIRE(skim != points.end());
  CHECK(skim->top1 == 72.838);
  CHECK_FALSE(skim->loss());
  for (auto const& p : points) {
    CHECK_FALSE(p.source.empty());
    CHECK_FALSE(p.locator.empty());
  }
}

#ifdef MARS_TEST_SHARED_DIR
TEST_CASE("the built-in table is the collected one") {
  std::ifstream file{MARS_TEST_SHARED_DIR "/data/dlas/accuracy_points.csv"};
  if (!file) MARS_TEST_SKIP("no collected table");
  std::string const text{std::istreambuf_iterator<char>{file}, {}};
  auto const loaded = load_accuracy_points(text);
  REQUIRE(loaded);
  CHECK(*loaded == published_accuracies());
}
#endif

TEST_CASE("accuracy points from comma-separated values") {
  auto const points = load_accuracy_points(
      "note,reference_top1_percent,locator,source,top1_percent,setting,"
      "compression,dataset,model,other\r\n"
      "\"said \"\"so\"\", twice\",,p. 3,\"A, B\",71.25,int8,int8,ImageNet,Net-1,x\r\n"
      "\n"
      ",72,here,C,70,\"two\nlines\",none,CIFAR-10,Net-2,\r\n");
  REQUIRE(points);
  REQUIRE(points->size() == 2);
  auto const& first = points->front();
  CHECK(first.network == "Net-1");
  CHECK(first.source == "A, B");
  CHECK(first.note == "said \"so\", twice");
  CHECK(first.top1 == 71.25);
  CHECK_FALSE(first.reference_top1);
  CHECK(first.method.empty());
  CHECK(points->back().setting == "two\nlines");
  CHECK(*points->back().loss() == 2);
  CHECK(load_accuracy_points(csv_header)->empty());
}

TEST_CASE("a table that is wrong is one line that names line and column") {
  CHECK(complaint_about_csv("") ==
        "line 1: found no text, wanted a line that names the columns [parse]");
  CHECK(complaint_about_csv("model,dataset\n") ==
        "line 1, column compression: found no such column, wanted a column of that name "
        "[missing-key]");
  CHECK(complaint_about_csv(csv_header + ",model\n") ==
        "line 1, column model: found two of it, wanted one [duplicate]");
  CHECK(complaint_about_csv(csv_header + "\nN,D,none,fp32,70,S,L\nN,D,none,fp32,70,S\n") ==
        "line 3: found 6 fields, wanted 7, as many as columns [parse]");
  CHECK(complaint_about_csv(csv_header + "\n\nN,D,none,fp32,x,S,L\n") ==
        "line 3, column top1_percent: found x, wanted a percentage, 0 to 100 [out-of-range]");
  CHECK(complaint_about_csv(csv_header + "\nN,D,none,fp32,170,S,L\n") ==
        "line 2, column top1_percent: found 170, wanted a percentage, 0 to 100 [out-of-range]");
  CHECK(complaint_about_csv(csv_header + ",reference_top1_percent\nN,D,none,fp32,70,S,L,nan\n") ==
        "line 2, column reference_top1_percent: found nan, wanted a percentage, 0 to 100 "
        "[out-of-range]");
  CHECK(complaint_about_csv(csv_header + "\nN,D,none,fp32,70,,L\n") ==
        "line 2, column source: found nothing, wanted a value [parse]");
  CHECK(complaint_about_csv(csv_header + "\nN,D,\"none,fp32,70,S,L\n") ==
        "line 2: found a quote never closed, wanted a closing quote [parse]");
}

TEST_CASE("variants of a compression that nobody tabulated have no key") {
  using namespace mars;
  accuracy_key const none{};
  CHECK(compression::weight_pruning{.sparsity = 0.8}.accuracy() != none);
  CHECK(compression::weight_pruning{.sparsity = 0.8, .depthwise = true}.accuracy() == none);
  CHECK(compression::channel_pruning{.keep = 0.5}.accuracy() != none);
  CHECK(compression::channel_pruning{.keep = 0.5, .multiple = 8}.accuracy() == none);
  CHECK(compression::then{compression::weight_pruning{.depthwise = true}, compression::int8{}}
            .accuracy() == none);
}
