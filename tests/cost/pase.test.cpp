// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PaSE's objective, by hand. A word has 4 bytes and a byte costs r = 10e12 / 16e9 = 625 FLOP: 2500
// FLOP a word, unless it is said otherwise.
#include "support/catch.hpp"

#include <mars/cost/pase.hpp>
#include <mars/evaluation/build_uniform_problem.hpp>
#include <mars/parallel/iteration_splits.hpp>
#include <mars/search/exact.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operators.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace {
using namespace mars;

static_assert(LayerwiseCost<cost::pase>);

auto split(inplace_vector<cut, max_cuts> cuts) -> sharding {
  return {.exclusive = cuts, .shared = {}, .scatter = {}};
}
} // namespace

TEST_CASE("PaSE: a matrix product 8 x 16 x 32 on 2 x 2 x 2 devices") {
  auto const op = ops::linear({8, 32}, 16, false).value(); // m n k
  auto const s = split({{0, 2}, {1, 2}, {2, 2}});
  cost::pase const f{.element_bytes = 4};
  CHECK(f.flop_per_byte() == 625);
  auto const c = f.breakdown(op, s);
  CHECK(c.compute == 3 * 4 * 8 * 16);
  // 2 (n − 1)/n = 1 for n = 2.
  CHECK(c.reductions == 2500 * 4 * 8);            // result m·n over k
  CHECK(c.gradients == 2500 * (4 * 16 + 8 * 16)); // x m·k over n, w n·k over m
  CHECK(c.states == 0);
  CHECK(f.layer(op, s) == 1536 + 80'000 + 160'000 + 320'000);

  // All-reduce over four: 2 · 3/4 words for each word held.
  CHECK(f.breakdown(op, split({{2, 4}})).reductions == 2500 * 1.5 * 8 * 16);
  CHECK(f.breakdown(op, split({{2, 4}})).gradients == 0);
  CHECK(f.layer(op, {}) == 3 * 8 * 16 * 32);

  // Inference: one product, no gradients. An addition is an operation too, if wished.
  CHECK(cost::pase{.element_bytes = 4, .training = false}.layer(op, s) == 512 + 80'000);
  CHECK(cost::pase{.element_bytes = 4, .flop_per_mac = 2}.breakdown(op, s).compute == 3072);
  // Tensors say how wide they are: 16 bits where nothing else is said.
  CHECK(cost::pase{}.breakdown(op, s).reductions == 40'000);
  CHECK(cost::pase{.peak = flops_per_second{1e12}, .bandwidth = bytes_per_second{1e12}}
            .breakdown(op, s)
            .reductions == 64);

  // What PaSE does not know it does not price.
  auto rotating = split({{0, 2}});
  rotating.shared = cut{2, 2};
  CHECK(f.layer(op, rotating) > 1e300);
}

TEST_CASE("PaSE: a bias is added after the reduction") {
  auto const op = ops::linear({8, 32}, 16, true).value();
  cost::pase const f{.element_bytes = 4};
  // Over m: w (16 · 32 words) and the bias (16). Over k: neither, only the result.
  CHECK(f.breakdown(op, split({{0, 2}})).gradients == 2500 * (16 * 32 + 16));
  CHECK(f.breakdown(op, split({{2, 2}})).gradients == 0);
}

TEST_CASE("PaSE: a 3 x 3 convolution of 4 images, 6 to 8 channels, 8 x 8") {
  auto const op = ops::conv({4, 6, 8, 8},
                            {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}, .bias = false})
                      .value(); // n0 k1 y2 x3 c4 r5 s6
  cost::pase const f{.element_bytes = 4};
  auto const channels = split({{0, 2}, {1, 2}, {4, 2}});
  auto const c = f.breakdown(op, channels);
  CHECK(c.compute == 3 * 2 * 4 * 64 * 3 * 9);
  CHECK(c.reductions == 2500 * (2 * 4 * 64)); // over c
  // Over k the image's gradient, each element once for every point of the window; over n the weights'.
  CHECK(c.gradients == 2500 * (2 * 64 * 3 * 9 + 4 * 3 * 9));
  CHECK(cost::pase{.element_bytes = 4, .unfolded = false}.breakdown(op, channels).gradients ==
        2500 * (2 * 3 * 64 + 4 * 3 * 9));

  // Rows: weights are replicated, and a shard of four rows reads six of its producer's.
  auto const rows = split({{2, 2}});
  CHECK(f.breakdown(op, rows).gradients == 2500 * 8 * 6 * 9);
  auto const& x = op.operands[0];
  auto const& y = op.operands[2];
  CHECK(x.role == role::input);
  CHECK(y.role == role::output);
  auto const need = f.part(op, x, rows);
  CHECK(need.extents == inplace_vector<std::int64_t, max_rank>{4, 6, 6, 8});
  CHECK(f.part(op, y, rows).extents == inplace_vector<std::int64_t, max_rank>{4, 8, 4, 8});
  // A producer of [4, 6, 8, 8] cut into two times four rows: two rows are missing, there and back.
  auto const before = ops::elementwise({{4, 6, 8, 8}}, "Relu", 1).value();
  auto const have = f.part(before, before.operands[1], split({{2, 2}}));
  CHECK(f.transfer(have, need) == 2500 * 2 * (4 * 6 * 2 * 8));
  CHECK(cost::pase{.element_bytes = 4, .training = false}.transfer(have, need) ==
        2500 * (4 * 6 * 2 * 8));
}

// r = 1 and words of one byte. A: 8 x 16 x 32, B: 8 x 4 x 16. Uncut, A costs 3·4096 = 12288, B 1536.
//        A                     B              between them: A's result has 8·16 words, twice
//   m/2  6144 + 512 (w)        768 + 64
//   n/2  6144 + 256 (x)        768 + 128
//   k/2  6144 + 128 (y)        768 + 32
// A by k leaves whole results behind. B by m needs half of one on two devices: by the tool's rule
// they have nothing (one part before, two after), so A k, B m: 6272 + 832 + 2·64 = 7232, B k: 7200.
// B by n needs it whole: 6272 + 896 = 7168, the least. A n, B k fits at 6400 + 800 = 7200; A m, B m
// at 6656 + 832 = 7488; A n, B m lacks a quarter of the tensor: 6400 + 832 + 2·32 = 7296.
// Counted by devices there are two before and after, and A k, B k is the least, 6272 + 800 = 7072.
TEST_CASE("PaSE: two matrix products on two devices, every pair by hand") {
  builder b{"two"};
  auto const x = b.input("x", {8, 32});
  b.output(b.linear(b.linear(x, 16, false, "A"), 4, false, "B"));
  auto const g = std::move(b).build().value();
  cost::pase f{.peak = flops_per_second{1}, .bandwidth = bytes_per_second{1}, .element_bytes = 1};
  auto const least = [&] {
    auto const problem = build_uniform_problem(g, 2, parallel::iteration_splits{}, f).value();
    CHECK(problem.shardings(0, 0).size() == 4);
    auto const found = search::exact{}(problem, {});
    CHECK(found.exhausted);
    CHECK(found.value.feasible());
    CHECK(in_units(found.bound.value) == in_units(found.value.value));
    return std::pair{in_units(found.value.value), problem.decode(found.best)};
  };
  auto const by_parts = least();
  auto const m = by_parts.second;
  CHECK(by_parts.first == 7168);
  CHECK(m.operators[0].sharding == split({{2, 2}}));
  CHECK(m.operators[1].sharding == split({{1, 2}}));

  auto const problem = build_uniform_problem(g, 2, parallel::iteration_splits{}, f).value();
  auto const value = [&](sharding const& a, sharding const& c) {
    mapping wanted = m;
    wanted.operators[0].sharding = a;
    wanted.operators[1].sharding = c;
    return in_units(problem.evaluate(problem.encode(wanted).value()).value);
  };
  CHECK(value({}, {}) == 12288 + 1536);
  CHECK(value(split({{2, 2}}), split({{0, 2}})) == 7232);
  CHECK(value(split({{2, 2}}), split({{2, 2}})) == 7200);
  CHECK(value(split({{1, 2}}), split({{2, 2}})) == 7200);
  CHECK(value(split({{0, 2}}), split({{0, 2}})) == 7488);
  CHECK(value(split({{1, 2}}), split({{0, 2}})) == 7296);

  f.holders = cost::pase_holders::devices;
  CHECK(least().first == 7072);
}

TEST_CASE("PaSE: the gradient of a row read whole, and the state of a recurrence") {
  // Softmax over 16 columns, cut in two: each shard reads whole rows, so their gradients add up.
  auto const softmax = ops::softmax({8, 16}).value();
  cost::pase const f{.element_bytes = 4};
  CHECK(f.breakdown(softmax, split({{1, 2}})).gradients == 2500 * 8 * 16);
  CHECK(f.breakdown(softmax, split({{0, 2}})).gradients == 0);

  // Three steps of 2 x 4 states, by k: half of them arrive at every step, there and back.
  auto const lstm = ops::lstm({3, 2, 4}, 4).value(); // t d n k c
  CHECK(f.breakdown(lstm, split({{3, 2}})).states == 2500 * 2 * 3 * (2 * 4) / 2.0);
  CHECK(f.breakdown(lstm, split({{2, 2}})).states == 0);
}
