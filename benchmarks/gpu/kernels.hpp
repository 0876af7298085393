// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of the benchmark, in single precision, batch 1, layout C·H·W. Each takes one value. Simple on
// purpose: what is compared is when they run, not how well they are written. C++17, for nvcc's sake.
#pragma once

namespace streams_gpu {

/// Implicit GEMM: out[k][y·x] = bias[k] + Σ weights[k][c·r·s] · in[c][y·stride + r − pad][…].
struct conv_args {
  float const *in, *weights, *bias;
  float* out;
  int channels, height, width; ///< of the input
  int filters, rows, columns;  ///< k, r, s
  int stride, pad_rows, pad_columns;
  int out_height, out_width;
};

struct pool_args {
  float const* in;
  float* out;
  int channels, height, width;
  int window, stride, pad;
  int out_height, out_width;
  int is_max; ///< else the mean, padding included
};

struct map_args {
  float const *a, *b; ///< b: of additions
  float* out;
  int count;
};

struct concat_args {
  float const* in[4]; ///< those that are not there are empty
  int end[4];         ///< in `out`, of each
  float* out;
  int count;
};

struct no_args {
  int unused;
};

/// What the runtime knows kernels by, and how they are to be launched.
struct kernel_menu {
  void const *conv_small, *conv_large; ///< tiles of 32 · 32 and 64 · 64 results
  void const *pool, *relu, *add, *concat, *nothing;
};
auto kernels() -> kernel_menu;

constexpr int small_tile = 32, large_tile = 64;
template <int Tile>
constexpr int tile_threads = Tile / 4 * (Tile / 4); // 4 · 4 results each
constexpr int map_threads = 256, map_each = 4, pool_threads = 128;

} // namespace streams_gpu
