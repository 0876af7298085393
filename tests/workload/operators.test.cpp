// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators with work: shapes, MACs and halos worked out by hand, and every multiplication of
// random convolutions against the textbook loops.

#include "points.hpp"
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/workload/operators.hpp>
#include <mars/workload/shard.hpp>

#include <array>
#include <string>
#include <tuple>

using namespace mars_test;
using mars::role;
using mars::tensor_shape;
namespace ops = mars::ops;

TEST_CASE("the first convolution of ResNet: 118 013 952 MACs, three rows of halo") {
  auto const op = ops::conv({1, 3, 224, 224}, {.out_channels = 64,
                                               .kernel = {7, 7},
                                               .stride = {2, 2},
                                               .padding = {3, 3},
                                               .bias = false})
                      .value();
  CHECK(shape_of_output(op) == tensor_shape{1, 64, 112, 112});
  CHECK(macs_of(op).count() == 118013952); // 112² · 7² · 3 · 64
  CHECK(parameters_of(op) == 9408);        // 64 · 3 · 7²
  CHECK(kind_of(op, "y") == mars::dim_kind::parallel);
  CHECK(kind_of(op, "c") == mars::dim_kind::reduction);

  // Rows 28 … 55 of the output read rows 56 − 3 … 110 + 3 of the input.
  auto box = full_box(op);
  box[*find_dim(op, "y")] = {28, 56};
  auto const rows = reach(op.operands[0], box)[2];
  CHECK(rows.begin == 53);
  CHECK(rows.end == 114);
  // At the top three of them are padding.
  box[*find_dim(op, "y")] = {0, 28};
  CHECK(reach(op.operands[0], box)[2] == mars::interval{0, 58});
}

TEST_CASE("grouped, depthwise, 1-D and 3-D convolutions") {
  // AlexNet (2012) conv2: 48 channels per group, 27² · 5² · 48 · 256 MACs.
  auto const grouped =
      ops::conv({1, 96, 27, 27}, {.out_channels = 256, .kernel = {5}, .padding = {2}, .groups = 2})
          .value();
  CHECK(macs_of(grouped).count() == 223948800);
  CHECK(parameters_of(grouped) == 256 * 48 * 25 + 256);
  CHECK(extent_of(grouped, "g") == 2);
  CHECK(extent_of(grouped, "k") == 128);

  // MobileNetV1, first depthwise: 112² · 9 · 32.
  auto const depthwise =
      ops::conv({1, 32, 112, 112},
                {.out_channels = 32, .kernel = {3, 3}, .padding = {1, 1}, .groups = 32})
          .value();
  CHECK(macs_of(depthwise).count() == 3612672);
  CHECK(shape_of(depthwise.operands[1]) == tensor_shape{32, 1, 3, 3});

  // Whisper's second: stride 2 over 3000 frames.
  auto const one =
      ops::conv({1, 384, 3000}, {.out_channels = 384, .kernel = {3}, .stride = {2}, .padding = {1}})
          .value();
  CHECK(shape_of_output(one) == tensor_shape{1, 384, 1500});
  CHECK(extent_of(one, "s") == 3);
  CHECK(extent_of(one, "y") == -1);

  auto const three = ops::conv({2, 3, 16, 112, 112},
                               {.out_channels = 64, .kernel = {3, 3, 3}, .padding = {1, 1, 1}})
                         .value();
  CHECK(shape_of_output(three) == tensor_shape{2, 64, 16, 112, 112});
  CHECK(extent_of(three, "z") == 16);
  CHECK(extent_of(three, "q") == 3);

  // Padding before and behind differ: begins first, then ends.
  auto const uneven = ops::conv({1, 1, 5, 5}, {.kernel = {2, 2}, .padding = {1, 0, 0, 2}}).value();
  CHECK(shape_of_output(uneven) == tensor_shape{1, 1, 5, 6});
}

TEST_CASE("every multiplication of a convolution, against the textbook loops") {
  mars::random_stream random{11};
  auto const pick = [&random](std::int64_t low, std::int64_t high) {
    auto const count = static_cast<std::uint64_t>(high - low + 1);
    return low + static_cast<std::int64_t>(random.below(count));
  };
  bool const transposed = GENERATE(false, true);
  int compared = 0;
  for (int trial = 0; trial < 400; ++trial) {
    auto const groups = pick(1, 2);
    auto const in = groups * pick(1, 2);
    auto const out = groups * pick(1, 2);
    auto const rank = static_cast<std::size_t>(pick(1, 2));
    tensor_shape x{pick(1, 2), in};
    ops::spatial kernel, stride, dilation, padding(2 * rank), longer;
    for (std::size_t i = 0; i < rank; ++i) {
      x.push_back(pick(1, 6));
      kernel.push_back(pick(1, 4));
      stride.push_back(pick(1, 3));
      dilation.push_back(pick(1, 3));
      padding[i] = pick(0, 2);
      padding[rank + i] = pick(0, 2);
      longer.push_back(stride.back() > 1 ? pick(0, stride.back() - 1) : 0);
    }
    CAPTURE(transposed, x, out, groups, kernel, stride, dilation, padding, longer);
    auto const made = transposed ? ops::conv_transpose(x, {.out_channels = out,
                                                           .kernel = kernel,
                                                           .stride = stride,
                                                           .dilation = dilation,
                                                           .padding = padding,
                                                           .output_padding = longer,
                                                           .groups = groups,
                                                           .bias = false})
                                 : ops::conv(x, {.out_channels = out,
                                                 .kernel = kernel,
                                                 .stride = stride,
                                                 .dilation = dilation,
                                                 .padding = padding,
                                                 .groups = groups,
                                                 .bias = false});
    // Output extents by the frameworks' formulas.
    tensor_shape y{x[0], out};
    bool possible = true;
    for (std::size_t i = 0; i < rank; ++i) {
      auto const taps = dilation[i] * (kernel[i] - 1) + 1;
      auto const pads = padding[i] + padding[rank + i];
      auto const n = transposed ? (x[2 + i] - 1) * stride[i] - pads + taps + longer[i]
                                : (x[2 + i] + pads - taps) / stride[i] + 1;
      possible = possible && (transposed ? n > 0 : x[2 + i] + pads >= taps);
      y.push_back(n);
    }
    REQUIRE(made.has_value() == possible);
    if (!possible) continue;
    ++compared;
    REQUIRE(shape_of_output(*made) == y);

    tensor_shape w = transposed ? tensor_shape{in, out / groups} : tensor_shape{out, in / groups};
    w.insert(w.end(), kernel.begin(), kernel.end());
    REQUIRE(shape_of(made->operands[1]) == w);

    // The textbook: for every place of the window, tap and pair of channels. What slides is the
    // output in a convolution, the input in a transposed one.
    std::vector<index> wanted;
    auto const& sliding = transposed ? x : y;
    for_each_index(sliding, [&](index const& a) {
      auto const group = a[1] / (sliding[1] / groups);
      for_each_index(kernel, [&](index const& tap) {
        auto const& other = transposed ? y : x;
        auto const per_group = other[1] / groups;
        for (std::int64_t c = 0; c < per_group; ++c) {
          index b{a[0], group * per_group + c};
          index weight{a[1], c};
          for (std::size_t i = 0; i < rank; ++i) {
            b.push_back(a[2 + i] * stride[i] - padding[i] + tap[i] * dilation[i]);
            weight.push_back(tap[i]);
          }
          auto const place = flat(b, other);
          if (!place) continue;
          auto const first = *flat(a, sliding);
          wanted.push_back(
              {transposed ? *place : first, transposed ? first : *place, *flat(weight, w)});
        }
      });
    });
    std::sort(wanted.begin(), wanted.end());
    REQUIRE(incidences(*made, {2, 0, 1}) == wanted);
  }
  CHECK(compared > 200);
}

TEST_CASE("a transposed convolution by two: phases are out-channels of a convolution of stride 1") {
  auto const op =
      ops::conv_transpose({1, 8, 16, 16},
                          {.out_channels = 4, .kernel = {2, 2}, .stride = {2, 2}, .bias = false})
          .value();
  CHECK(shape_of_output(op) == tensor_shape{1, 4, 32, 32});
  CHECK(macs_of(op).count() == 16 * 16 * 8 * 4 * 4); // every input meets every tap
  auto const shape = as_convolution(mars::shard{op}).value();
  CHECK(shape.rows == 16);
  CHECK(shape.out_channels == 16);
  CHECK(shape.stride == 1);
  CHECK(shape.rows * shape.columns * shape.out_channels * shape.in_channels * shape.kernel_rows *
            shape.kernel_columns ==
        macs_of(op).count());
  // Rows of input blocks and rows of output go together: no halo, no overlap.
  auto box = full_box(op);
  box[*find_dim(op, "y")] = {4, 8};
  CHECK(reach(op.operands[0], box)[2] == mars::interval{4, 8});
  CHECK(reach(op.operands[2], box)[2] == mars::interval{8, 16});
}

TEST_CASE("same padding: as many outputs as the stride leaves") {
  // 224 by 3, stride 2: 112 outputs cover 225, one element missing, at the end.
  CHECK(ops::same_padding({224}, {3}, {2}) == ops::spatial{0, 1});
  CHECK(ops::same_padding({224}, {3}, {2}, {}, false) == ops::spatial{1, 0});
  CHECK(ops::same_padding({10, 7}, {5, 1}, {1}, {2}) == ops::spatial{4, 0, 4, 0});
}

TEST_CASE("matrix products broadcast like NumPy's") {
  auto const batched = ops::matmul({8, 1, 12, 64}, {5, 64, 32}).value();
  CHECK(shape_of_output(batched) == tensor_shape{8, 5, 12, 32});
  CHECK(macs_of(batched).count() == 8 * 5 * 12 * 32 * 64);
  CHECK(extent_of(batched, "b0") == 8);
  CHECK(extent_of(batched, "b1") == 5);
  CHECK(kind_of(batched, "k") == mars::dim_kind::reduction);
  CHECK_FALSE(indexes(batched.operands[0], *find_dim(batched, "b1")));
  CHECK_FALSE(indexes(batched.operands[1], *find_dim(batched, "b0")));

  CHECK(shape_of_output(ops::matmul({7}, {7}).value()).empty());
  CHECK(shape_of_output(ops::matmul({3, 7}, {7}).value()) == tensor_shape{3});
  CHECK(shape_of_output(ops::matmul({7}, {2, 7, 5}).value()) == tensor_shape{2, 5});
  CHECK(ops::matmul({3, 7}, {6, 5}).error().code == mars::error_code::shape_mismatch);
  CHECK(ops::matmul({2, 3, 7}, {3, 7, 5}).error().code == mars::error_code::shape_mismatch);
  CHECK(ops::matmul({}, {7}).error().code == mars::error_code::shape_mismatch);
}

TEST_CASE("linear keeps leading axes apart, gemm transposes and adds") {
  auto const bert = ops::linear({8, 128, 768}, 3072).value();
  CHECK(shape_of_output(bert) == tensor_shape{8, 128, 3072});
  CHECK(macs_of(bert).count() == 8LL * 128 * 768 * 3072);
  CHECK(parameters_of(bert) == 768 * 3072 + 3072);
  CHECK(extent_of(bert, "b0") == 8);
  CHECK(extent_of(bert, "m") == 128);
  // A batch of one leaves no dimension behind, and one vector is one row.
  CHECK(ops::linear({1, 128, 768}, 2)->dims.size() == 3);
  CHECK(extent_of(ops::linear({1, 768}, 2).value(), "m") == 1);
  // The weights do not change along the batch: it extends the columns of the product.
  auto const shape = as_convolution(mars::shard{bert}).value();
  CHECK(shape.groups == 1);
  CHECK(shape.columns == 8 * 128);
  CHECK(as_convolution(mars::shard{ops::matmul({6, 4, 5}, {6, 5, 3}).value()})->groups == 6);

  auto const gemm = ops::gemm({5, 2}, {7, 5}, tensor_shape{7}, true, true).value();
  CHECK(shape_of_output(gemm) == tensor_shape{2, 7});
  CHECK(macs_of(gemm).count() == 2 * 7 * 5);
  CHECK(ops::gemm({5, 2}, {7, 5}, tensor_shape{2, 1}, true, true).has_value());
  CHECK_FALSE(ops::gemm({5, 2}, {7, 5}, tensor_shape{5}, true, true).has_value());
  CHECK_FALSE(ops::gemm({5, 2}, {7, 5}, tensor_shape{1, 2, 7}, true, true).has_value());
  CHECK_FALSE(ops::gemm({5, 2}, {5, 7}, std::nullopt, true, true).has_value());
}

TEST_CASE("pooling: sizes of the frameworks, one FLOP per tap") {
  // ResNet: 3×3 stride 2 padding 1 on 112.
  auto const resnet = ops::pool({1, 64, 112, 112},
                                {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}, "MaxPool")
                          .value();
  CHECK(shape_of_output(resnet) == tensor_shape{1, 64, 56, 56});
  CHECK(flops_of(resnet).count() == 64 * 56 * 56 * 9);
  CHECK(macs_of(resnet).count() == 0);
  // GoogLeNet and SqueezeNet round up: 54 → 27 instead of 26.
  CHECK(
      shape_of_output(ops::pool({1, 96, 54, 54},
                                {.kernel = {3, 3}, .stride = {2, 2}, .ceil_mode = true}, "MaxPool")
                          .value())[2] == 27);
  // PyTorch: a window that would begin in the padding behind the input is left out: 4 → 2, not 3.
  CHECK(shape_of_output(
            ops::pool(
                {1, 1, 4, 4},
                {.kernel = {1, 1}, .stride = {3, 3}, .padding = {0, 0, 3, 3}, .ceil_mode = true},
                "MaxPool")
                .value())[2] == 2);
  auto const global = ops::global_pool({2, 512, 7, 7}, "GlobalAveragePool").value();
  CHECK(shape_of_output(global) == tensor_shape{2, 512, 1, 1});
  CHECK(flops_of(global).count() == 2 * 512 * 49);
}

TEST_CASE("elementwise operators broadcast; FLOPs per element of the result") {
  auto const add = ops::elementwise({{8, 1, 6, 1}, {7, 1, 5}}, "Add", 1).value();
  CHECK(shape_of_output(add) == tensor_shape{8, 7, 6, 5});
  CHECK(flops_of(add).count() == 8 * 7 * 6 * 5);
  CHECK(elements_of(add.operands[0]) == 48);
  auto const scalar = ops::elementwise({tensor_shape{}}, "Exp", 3).value();
  CHECK(scalar.dims.empty());
  CHECK(flops_of(scalar).count() == 3);
  CHECK_FALSE(ops::elementwise({{2}, {3}}, "Add", 1).has_value());
  CHECK_FALSE(ops::elementwise({}, "Add", 1).has_value());
}

TEST_CASE("normalisations read rows whole and write elements") {
  auto const softmax = ops::softmax({2, 12, 64, 128}).value();
  auto box = full_box(softmax);
  box[*find_dim(softmax, "x")] = {0, 16};
  box[*find_dim(softmax, "y")] = {8, 12};
  CHECK(reach(softmax.operands[0], box)[3] == mars::interval{0, 128});
  CHECK(reach(softmax.operands[0], box)[2] == mars::interval{8, 12});
  CHECK(reach(softmax.operands[1], box)[3] == mars::interval{0, 16});
  CHECK(flops_of(softmax).count() == 5 * 2 * 12 * 64 * 128);

  auto const layer = ops::layer_norm({4, 10, 20}, -2).value();
  CHECK(parameters_of(layer) == 2 * 10 * 20);
  CHECK(layer.operands[0].axes[1].is_whole());
  CHECK_FALSE(layer.operands[0].axes[0].is_whole());
  CHECK(parameters_of(ops::rms_norm({4, 4096}).value()) == 4096);
  CHECK(parameters_of(ops::batch_norm({1, 64, 56, 56}).value()) == 256);
  CHECK(flops_of(ops::batch_norm({1, 64, 56, 56}).value()).count() == 2 * 64 * 56 * 56);

  // Groups of 4 of 12 channels: channel 5 is of the second group, which reads channels 4 … 7.
  auto const group = ops::group_norm({1, 12, 3, 3}, 3).value();
  box = full_box(group);
  box[*find_dim(group, "g")] = {1, 2};
  box[*find_dim(group, "k")] = {1, 2};
  CHECK(reach(group.operands[0], box)[1] == mars::interval{4, 8});
  CHECK(reach(group.operands[2], box)[1] == mars::interval{5, 6});
  CHECK(flops_of(group).count() == 7 * 12 * 9);
  CHECK(parameters_of(group) == 24);

  // AlexNet's LRN over five channels: two on each side.
  auto const lrn = ops::lrn({1, 96, 55, 55}, 5).value();
  box = full_box(lrn);
  box[*find_dim(lrn, "k")] = {48, 96};
  CHECK(reach(lrn.operands[0], box)[1] == mars::interval{46, 96});
}

TEST_CASE("reductions keep or drop axes") {
  auto const mean = ops::reduce({2, 3, 4, 5}, {-1, 2}, false, "ReduceMean").value();
  CHECK(shape_of_output(mean) == tensor_shape{2, 3});
  CHECK(kind_of(mean, "r") == mars::dim_kind::reduction);
  CHECK(flops_of(mean).count() == 2 * 3 * 4 * 5);
  CHECK(shape_of_output(ops::reduce({2, 3}, {0}, true, "ReduceSum").value()) == tensor_shape{1, 3});
  CHECK(shape_of_output(ops::reduce({2, 3}, {}, false, "ReduceSum").value()).empty());
  CHECK(ops::reduce({2, 3}, {0, -2}, true, "Sum").error().code == mars::error_code::duplicate);
  CHECK_FALSE(ops::reduce({2, 3}, {2}, true, "ReduceSum").has_value());
}

TEST_CASE("gathers walk the result, not the table") {
  auto const gather = ops::gather({3, 1000, 5}, {2, 4}, 1).value();
  CHECK(shape_of_output(gather) == tensor_shape{3, 2, 4, 5});
  CHECK(kind_of(gather, "v") == mars::dim_kind::reduction);
  CHECK(extent_of(gather, "v") == 1000);
  CHECK(work_points(gather, full_extents(gather)) == 3 * 2 * 4 * 5);
  auto const embedding = ops::embedding({1, 128}, 30522, 768).value();
  CHECK(shape_of_output(embedding) == tensor_shape{1, 128, 768});
  CHECK(parameters_of(embedding) == 30522 * 768);
  CHECK(embedding.operands[0].role == role::input);
  CHECK(shape_of_output(ops::gather({4, 5}, {}, 0).value()) == tensor_shape{5});
}

TEST_CASE("recurrent cells: a reduction over input and hidden state") {
  // H2H's example: H = 384, D = 192, 50 steps. PyTorch's LSTM(192, 384) has 887 808 parameters.
  auto const lstm = ops::lstm({50, 1, 192}, 384).value();
  CHECK(macs_of(lstm).count() == 50LL * 4 * 384 * (192 + 384));
  CHECK(parameters_of(lstm) == 887808);
  CHECK(kind_of(lstm, "t") == mars::dim_kind::sequential);
  CHECK(shape_of_output(lstm) == tensor_shape{50, 1, 1, 384});
  CHECK(shape_of_output(lstm, 2) == tensor_shape{1, 1, 384});
  // A device with c in [100, 300) reads the end of the input and the beginning of the state.
  auto box = full_box(lstm);
  box[*find_dim(lstm, "c")] = {100, 300};
  CHECK(reach(*nth_operand(lstm, role::input, 0), box)[2] == mars::interval{100, 192});
  CHECK(reach(*nth_operand(lstm, role::state, 0), box)[2] == mars::interval{0, 108});
  box[*find_dim(lstm, "c")] = {192, 300};
  CHECK(reach(*nth_operand(lstm, role::input, 0), box)[2].size() == 0);

  auto const gru = ops::gru({5, 2, 10}, 20, 2).value();
  CHECK(macs_of(gru).count() == 5 * 2 * 2 * 3 * 20 * 30);
  CHECK(parameters_of(gru) == 2 * (3 * 20 * 30 + 6 * 20));
  CHECK(nth_operand(gru, role::state, 1) == nullptr);
  CHECK_FALSE(ops::gru({5, 2, 10}, 20, 3).has_value());
}

TEST_CASE("resizing by an integer factor is exact, by another reads whole axes") {
  auto const up = ops::resize({1, 3, 4, 5}, {1, 3, 8, 15}).value();
  auto const from = sources(up, 0, 1);
  REQUIRE(from.has_value());
  tensor_shape const x{1, 3, 4, 5}, y{1, 3, 8, 15};
  for_each_index(y, [&](index const& at) {
    auto const wanted = *flat({at[0], at[1], at[2] / 2, at[3] / 3}, x);
    REQUIRE((*from)[static_cast<std::size_t>(*flat(at, y))] == wanted);
  });
  auto const linear = ops::resize(x, y, ops::resize_mode::interpolate).value();
  auto box = full_box(linear);
  box[*find_dim(linear, "y")] = {1, 3};
  CHECK(reach(linear.operands[0], box)[2] == mars::interval{0, 4});
  CHECK(reach(linear.operands[1], box)[2] == mars::interval{2, 6});
  CHECK(work_points(linear, full_extents(linear)) == 3 * 8 * 15);

  auto const down = ops::resize({1, 3, 8, 8}, {1, 3, 4, 4}).value();
  box = full_box(down);
  box[*find_dim(down, "y")] = {1, 2};
  CHECK(reach(down.operands[0], box)[2] == mars::interval{2, 4});
  CHECK(ops::resize({1, 3, 8, 8}, {1, 3, 12, 8}).value().operands[0].axes[2].is_whole());
}

TEST_CASE("opaque operators have tensors and nothing else") {
  std::array<tensor_shape, 2> const in{tensor_shape{2, 3}, tensor_shape{}};
  std::array<tensor_shape, 1> const out{tensor_shape{7}};
  auto const op = ops::opaque(in, out, "NonMaxSuppression").value();
  CHECK(op.dims.empty());
  CHECK(flops_of(op).count() == 0);
  CHECK(reach(op.operands[0], {})[1] == mars::interval{0, 3});
  CHECK(shape_of_output(op) == tensor_shape{7});
}

TEST_CASE("zero, negative and overflowing numbers are errors of a clear kind") {
  using mars::error_code;
  constexpr auto huge = std::int64_t{1} << 62;
  CHECK(ops::conv({1, 3, 0, 8}, {}).error().code == error_code::out_of_range);
  CHECK(ops::conv({1, 3, -8, 8}, {}).error().code == error_code::out_of_range);
  CHECK(ops::conv({huge, 3, 8, 8}, {}).error().code == error_code::overflow);
  CHECK(ops::conv({1, 3, 8}, {.kernel = {9}}).error().code == error_code::shape_mismatch);
  CHECK(ops::conv({1, 3, 8, 8}, {.stride = {0, 1}}).error().code == error_code::out_of_range);
  CHECK(ops::conv({1, 3, 8, 8}, {.kernel = {3, 3, 3}, .padding = {1, 2, 3}}).error().code ==
        error_code::invalid_argument);
  CHECK(ops::conv({1, 3, 8, 8}, {.padding = {-1}}).error().code == error_code::out_of_range);
  CHECK(ops::conv({1, 3, 8, 8}, {.padding = {huge}}).error().code == error_code::out_of_range);
  CHECK(ops::conv({1, 3, 8, 8}, {.out_channels = huge}).error().code == error_code::shape_mismatch);
  CHECK(ops::conv({1, 3, 8, 8}, {.out_channels = 4, .groups = 2}).error().code ==
        error_code::shape_mismatch);
  CHECK(ops::conv({1, 3}, {}).error().code == error_code::unsupported);
  // Each tensor fits, the work does not.
  constexpr auto wide = std::int64_t{1} << 31;
  CHECK(ops::linear({wide, 4}, wide).error().code == error_code::overflow);
  CHECK(ops::matmul({wide, 1024}, {1024, wide}).error().code == error_code::overflow);
  CHECK(ops::linear({4, 4}, -1).error().code == error_code::out_of_range);
  CHECK(ops::lstm({huge, 1, 1}, 4).error().code == error_code::overflow);
  CHECK(ops::lstm({1, 1, 1}, huge).error().code == error_code::out_of_range);
  CHECK(ops::conv_transpose({1, 1, 1 << 30}, {.kernel = {1}, .stride = {1 << 30}}).error().code ==
        error_code::overflow);
  CHECK(ops::conv_transpose({1, 1, 1}, {.kernel = {1}, .padding = {1}}).error().code ==
        error_code::shape_mismatch);
  CHECK(ops::gather({2, 2, 2, 2, 2}, {2, 2, 2, 2, 2}, 0).error().code == error_code::unsupported);
}
