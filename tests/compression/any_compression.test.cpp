// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/compression.hpp>
#include <mars/compression/any_compression.hpp>
#include <mars/workload/builder.hpp>

#include <utility>

namespace {
using namespace mars;

auto wrapped_network() -> graph {
  builder b{"net", 32};
  b.output(b.conv(b.input("image", {1, 4, 8, 8}), {.out_channels = 16, .kernel = {3, 3}}));
  return std::move(b).build().value();
}
} // namespace

TEST_CASE("a wrapped compression does what it does alone") {
  static_assert(OperatorCompression<any_compression>);
  auto const g = wrapped_network();
  operation const& conv = op(g, operator_id{0});
  any_compression const narrow = compression::int8{};
  CHECK(narrow.name() == "int8");
  CHECK(narrow.accuracy() == accuracy_key{"int8", "int8"});
  CHECK(narrow.acts_on_operators());
  CHECK(narrow(conv)->operands.size() == compression::int8{}(conv)->operands.size());
  CHECK(op(narrow(g).value(), operator_id{0}).operands[0].element_bits == 8);

  any_compression const slim = compression::channel_pruning{.keep = 0.5};
  CHECK_FALSE(slim.acts_on_operators());
  CHECK_FALSE(slim(conv));

  compression::then<any_compression, any_compression> const both{
      compression::weight_pruning{.sparsity = 0.5}, narrow};
  CHECK(both.name() == "weight_pruning_50+int8");
  CHECK(both.accuracy().compression == "weight_pruning+int8");
  CHECK(any_compression{both}(conv)->operands[1].density == 0.5);
}
