// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/workload/builder.hpp>

#include <array>
#include <string>
#include <vector>

using mars::builder;
using mars::error_code;
using mars::role;
using mars::tensor_shape;
using mars::value;
using mars_test::contains_text;

TEST_CASE("LeNet-5 as PyTorch writes it: 61 706 parameters, 416 520 MACs") {
  builder b{"lenet5"};
  auto x = b.input("image", {1, 1, 28, 28});
  x = b.relu(b.conv(x, {.out_channels = 6, .kernel = {5, 5}, .padding = {2, 2}}, "conv1"));
  x = b.max_pool(x, {.kernel = {2, 2}, .stride = {2, 2}});
  x = b.relu(b.conv(x, {.out_channels = 16, .kernel = {5, 5}}, "conv2"));
  x = b.flatten(b.max_pool(x, {.kernel = {2, 2}, .stride = {2, 2}}), 1);
  CHECK(b.shape(x) == tensor_shape{1, 400});
  x = b.relu(b.linear(x, 120));
  x = b.relu(b.linear(x, 84));
  b.output(b.linear(x, 10, true, "logits"));
  auto const g = std::move(b).build().value();
  CHECK(g.name() == "lenet5");
  CHECK(parameters_of(g) == 61706); // 156 + 2416 + 48120 + 10164 + 850
  // 28²·25·6 + 10²·25·6·16 + 400·120 + 120·84 + 84·10
  CHECK(macs_of(g).count() == 117600 + 240000 + 48000 + 10080 + 840);
  auto const logits = find(g, "logits").value();
  CHECK(outputs(g) == std::vector<mars::tensor_ref>{{logits, 0}});
  CHECK(op(g, find(g, "conv2").value()).operands[1].name == "conv2.weight");
  CHECK(external_inputs(g).size() == 1);
  CHECK(op(g, external_inputs(g)[0].op).operands[0].name == "image");
}

TEST_CASE("names: generated after the type, made unique") {
  builder b{"names"};
  auto const x = b.input("x", {4});
  b.relu(x);
  b.relu(x, "same");
  b.relu(x, "same");
  b.relu(x, "same_2");
  b.relu(x, "same");
  auto const w = b.constant("same", {4, 4});
  b.linear(x, w, std::nullopt, "l");
  auto const g = std::move(b).build().value();
  std::vector<std::string> names;
  for (auto const v : operators(g)) names.push_back(op(g, v).name);
  CHECK(names == std::vector<std::string>{"relu_0", "same", "same_2", "same_2_2", "same_3", "l"});
}

TEST_CASE("constants become weights, shared ones count once") {
  builder b{"tied"};
  auto const table = b.constant("table", {1000, 64});
  auto const ids = b.input("ids", {1, 16}, 64);
  auto const x = b.gather(table, ids, 0, "embed");
  CHECK(b.shape(x) == tensor_shape{1, 16, 64});
  CHECK(b.element_bits(x) == 16); // the table's, not the indices'
  auto const logits = b.linear(x, table, std::nullopt, "head");
  auto const masked = b.add(logits, b.constant("bias", {1000}), "masked");
  CHECK(b.shape(masked) == tensor_shape{1, 16, 1000});
  auto const g = std::move(b).build().value();
  CHECK(parameters_of(g) == 64000 + 1000);
  CHECK(op(g, mars::operator_id{0}).operands[0].role == role::weight);
  CHECK(op(g, mars::operator_id{0}).operands[1].element_bits == 64);
  CHECK(op(g, mars::operator_id{1}).operands[1].name == "table");
}

TEST_CASE("attention is its parts") {
  auto const build = [](std::int64_t kv_heads) {
    builder b{"attention"};
    auto const q = b.input("q", {2, 128, 768});
    auto const k = b.input("k", {2, 128, 64 * kv_heads});
    auto const v = b.input("v", {2, 128, 64 * kv_heads});
    auto const out = b.attention(q, k, v, 12, kv_heads, true, "self");
    CHECK(b.shape(out) == tensor_shape{2, 128, 768});
    return std::move(b).build().value();
  };
  // Scores and context: 2 · 12 · 128 · 128 · 64 each, however many key heads are shared.
  for (auto const kv_heads : {12, 4, 1}) {
    auto const g = build(kv_heads);
    CHECK(macs_of(g).count() == 2LL * 2 * 12 * 128 * 128 * 64);
    CHECK(find(g, "self.softmax").has_value());
    auto const& scores = op(g, find(g, "self.scores").value());
    // The head is a batch dimension that both sides know, so tensor parallelism may cut it.
    auto const heads = find_dim(scores, kv_heads == 1 ? "b0" : "b1").value();
    CHECK(scores.dims[heads].extent == (kv_heads == 1 ? 2 : kv_heads));
    CHECK(indexes(scores.operands[0], heads));
    CHECK(indexes(scores.operands[1], heads));
  }
  builder b{"bad"};
  auto const q = b.input("q", {2, 128, 768});
  b.attention(q, q, q, 12, 5);
  CHECK(b.first_error()->code == error_code::shape_mismatch);
}

TEST_CASE("weights given by value decide kernel and channels") {
  builder b{"values"};
  auto const x = b.input("x", {1, 8, 10, 10}, 8);
  auto const w = b.constant("w", {16, 4, 3, 3}, 4);
  auto const c = b.conv(x, w, b.constant("bias", {16}), {.stride = {2, 2}, .groups = 2}, "conv");
  CHECK(b.shape(c) == tensor_shape{1, 16, 4, 4});
  CHECK(b.element_bits(c) == 8);
  auto const t =
      b.conv_transpose(c, b.constant("wt", {16, 8, 2, 2}), std::nullopt, {.stride = {2, 2}}, "up");
  CHECK(b.shape(t) == tensor_shape{1, 8, 8, 8});
  b.set_element_bits(t, 32);
  b.relu(t, "r");
  auto const g = std::move(b).build().value();
  CHECK(op(g, mars::operator_id{0}).operands[1].element_bits == 4);
  CHECK(op(g, mars::operator_id{0}).operands.size() == 4);
  CHECK(nth_operand(op(g, mars::operator_id{1}), role::output, 0)->element_bits == 32);
  CHECK(op(g, mars::operator_id{2}).operands[0].element_bits == 32);
}

TEST_CASE("several results; a hand-written operation") {
  builder b{"several"};
  auto const x = b.input("x", {6, 2, 10});
  auto const parts = b.split(x, 0, {1, 2, 3});
  REQUIRE(parts.size() == 3);
  CHECK(b.shape(parts[2]) == tensor_shape{3, 2, 10});
  auto const states = b.lstm(x, 7, 2);
  REQUIRE(states.size() == 3);
  CHECK(b.shape(states[0]) == tensor_shape{6, 2, 2, 7});
  auto const boxes = b.opaque(std::array{parts[0], states[1]}, {{5, 4}, {5}}, "NonMaxSuppression");
  CHECK(b.shape(boxes[1]) == tensor_shape{5});
  auto const own = b.add_operation(mars::ops::matmul({5, 4}, {4, 3}).value(),
                                   std::array{boxes[0], b.constant("w", {4, 3})});
  REQUIRE(own.size() == 1);
  CHECK(b.shape(own[0]) == tensor_shape{5, 3});
  auto const g = std::move(b).build().value();
  auto const& opaque = op(g, find(g, "nonmaxsuppression_2").value());
  CHECK(opaque.operands.size() == 4);
  CHECK(inputs(g, find(g, "nonmaxsuppression_2").value())[1].output == 1);
  CHECK(find(g, "matmul_3").has_value());
}

TEST_CASE("the first error stays, with path and name; what follows does nothing") {
  builder b{"broken"};
  auto x = b.input("x", {1, 3, 8, 8});
  x = b.relu(x);
  CHECK_FALSE(b.failed());
  x = b.conv(x, {.kernel = {9, 9}}, "wide");
  CHECK(b.failed());
  CHECK(b.shape(x).size() == mars::max_rank); // may be indexed like any shape
  x = b.linear(x, -5, true, "later");
  for (auto const part : b.split(x, 0, {1, 2, 3})) b.output(part);
  CHECK(b.size() == 1);
  auto const e = std::move(b).build().error();
  CHECK(e.code == error_code::shape_mismatch);
  CHECK(e.path == "operators[1].kernel");
  CHECK_THAT(to_string(e), contains_text("'wide'"));

  builder other{"foreign"};
  other.relu(value{99});
  CHECK(other.first_error()->code == error_code::dangling);
  builder external{"external"};
  external.output(external.input("x", {1}));
  CHECK(external.first_error()->code == error_code::dangling);
  builder zero{"zero"};
  zero.input("x", {1, 0});
  CHECK(zero.first_error()->path == "inputs[x].shape");
  builder mismatch{"mismatch"};
  auto const y = mismatch.input("y", {2, 3});
  mismatch.linear(y, mismatch.constant("w", {5, 4}), std::nullopt, "fc");
  CHECK(mismatch.first_error()->path == "operators[0].operands[1]");
  CHECK(builder("bits", 0).failed());
}

TEST_CASE("no numbers can crash a builder") {
  mars::random_stream random{31};
  static constexpr std::array<std::int64_t, 18> numbers{
      0,  1,  2,  3,       4,         5,         7,         8,         12,
      -1, -2, -7, 1 << 20, 1LL << 31, 1LL << 55, 1LL << 62, INT64_MAX, INT64_MIN};
  int built = 0;
  int refused = 0;
  for (int trial = 0; trial < 6000; ++trial) {
    bool const tame = random.chance(0.8);
    auto const number = [&]() -> std::int64_t {
      return numbers[random.below(tame || random.chance(0.8) ? 8 : numbers.size())];
    };
    auto const some = [&](std::size_t most) {
      std::vector<std::int64_t> all(random.below(most + 1));
      for (auto& n : all) n = number();
      return all;
    };
    builder b{"fuzz"};
    std::vector<value> values{b.input("a", {2, 4, 6, 6}), b.input("b", some(9)),
                              b.constant("c", some(4)), b.input("d", {4, 3, 5})};
    for (auto steps = random.below(6); steps > 0; --steps) {
      auto const x = random.pick(values);
      auto const y = random.pick(values);
      switch (random.below(24)) {
      case 0:
        values.push_back(b.conv(x, {.out_channels = number(),
                                    .kernel = some(3),
                                    .stride = some(3),
                                    .dilation = some(2),
                                    .padding = some(4),
                                    .groups = number()}));
        break;
      case 1:
        values.push_back(b.conv_transpose(x, {.out_channels = number(),
                                              .kernel = some(3),
                                              .stride = some(3),
                                              .dilation = some(2),
                                              .padding = some(4),
                                              .output_padding = some(2),
                                              .groups = number()}));
        break;
      case 2: values.push_back(b.conv(x, y, std::nullopt, {.groups = number()})); break;
      case 3: values.push_back(b.conv_transpose(x, y, x, {.groups = number()})); break;
      case 4: values.push_back(b.linear(x, number())); break;
      case 5: values.push_back(b.matmul(x, y)); break;
      case 6: values.push_back(b.gemm(x, y, x, random.chance(0.5), random.chance(0.5))); break;
      case 7:
        values.push_back(b.max_pool(x, {.kernel = some(3),
                                        .stride = some(3),
                                        .padding = some(4),
                                        .ceil_mode = random.chance(0.5)}));
        break;
      case 8: values.push_back(b.global_avg_pool(x)); break;
      case 9: values.push_back(b.unary(x, "Exp", "", number())); break;
      case 10: values.push_back(b.add(x, y)); break;
      case 11: values.push_back(b.layer_norm(x, number(), "", number())); break;
      case 12: values.push_back(b.group_norm(x, number(), "", number())); break;
      case 13: values.push_back(b.lrn(x, number())); break;
      case 14: values.push_back(b.softmax(x, number())); break;
      case 15: values.push_back(b.reduce(x, some(3), random.chance(0.5), "ReduceMax")); break;
      case 16: values.push_back(b.concat({x, y}, number())); break;
      case 17:
        for (auto const v : b.split(x, number(), some(3))) values.push_back(v);
        break;
      case 18: values.push_back(b.reshape(x, some(6))); break;
      case 19: values.push_back(b.slice(x, some(2), some(2), some(2), some(2))); break;
      case 20: values.push_back(b.pad(x, some(4), some(4))); break;
      case 21: values.push_back(b.gather(x, y, number())); break;
      case 22: values.push_back(b.resize(x, some(4))); break;
      case 23: values.push_back(b.lstm(x, number(), number()).front()); break;
      }
    }
    auto const g = std::move(b).build();
    ++(g ? built : refused);
    if (g)
      CHECK(mars::validate(*g).has_value());
    else
      CHECK_FALSE(to_string(g.error()).empty());
  }
  CHECK(built > 100);
  CHECK(refused > 100);
}

TEST_CASE("a chain of 100 000 operators builds") {
  builder b{"chain"};
  auto x = b.input("x", {8});
  for (int i = 0; i < 100'000; ++i) x = b.relu(x);
  auto const g = std::move(b).build().value();
  CHECK(g.size() == 100'000);
  CHECK(topological_order(g)->back() == mars::operator_id{99'999});
}
