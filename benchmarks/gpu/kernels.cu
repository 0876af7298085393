// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bodies are written in phases that all threads of a block go through, with a barrier after each. So
// they are CUDA kernels for nvcc, and for a C++ compiler functions that run one block, thread after thread:
// tests/runtime runs them there, forwards and backwards, and compares with a float64 reference.
#include "kernels.hpp"

#include <cuda_runtime_api.h>

namespace streams_gpu {

#if defined(__CUDACC__)
#define STREAMS_KERNEL __global__ void
#define STREAMS_SHARED __shared__

namespace {
__device__ int block_x() { return static_cast<int>(blockIdx.x); }
__device__ int block_y() { return static_cast<int>(blockIdx.y); }

template <int Threads, class Phase>
__device__ void each_thread(Phase const& phase) {
  phase(static_cast<int>(threadIdx.x));
  __syncthreads();
}

/// What a thread keeps between phases.
template <class T, int Threads>
struct per_thread {
  T mine;
  __device__ T& operator[](int) { return mine; }
};

template <class Args>
void const* handle(void (*kernel)(Args), int, unsigned) {
  return reinterpret_cast<void const*>(kernel);
}
} // namespace

#else
#define STREAMS_KERNEL void
#define STREAMS_SHARED static thread_local

bool backwards = false; ///< the order in which the threads of a block are run

namespace {
dim3 block_at;
int block_x() { return static_cast<int>(block_at.x); }
int block_y() { return static_cast<int>(block_at.y); }

template <int Threads, class Phase>
void each_thread(Phase const& phase) {
  for (int i = 0; i < Threads; ++i) phase(backwards ? Threads - 1 - i : i);
}

template <class T, int Threads>
struct per_thread {
  T all[Threads];
  T& operator[](int thread) { return all[thread]; }
};

template <class Args>
void const* handle(void (*kernel)(Args), int registers, unsigned shared) {
  return mars_test::cuda_register(kernel, registers, shared, [](dim3 at) { block_at = at; });
}
} // namespace
#endif

namespace {

constexpr int depth = 8; // of a slice of both factors in shared memory

struct results {
  float of[4][4];
};

template <int Tile>
STREAMS_KERNEL convolve(conv_args a) {
  constexpr int threads = tile_threads<Tile>, across = Tile / 4;
  STREAMS_SHARED float filters[depth][Tile];
  STREAMS_SHARED float pixels[depth][Tile];
  int const first_filter = block_x() * Tile, first_pixel = block_y() * Tile;
  int const taps = a.channels * a.rows * a.columns, outputs = a.out_height * a.out_width;

  per_thread<results, threads> sum;
  each_thread<threads>([&](int t) {
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x) sum[t].of[y][x] = 0;
  });
  for (int first_tap = 0; first_tap < taps; first_tap += depth) {
    each_thread<threads>([&](int t) {
      for (int i = t; i < depth * Tile; i += threads) {
        int const filter = first_filter + i / depth, tap = first_tap + i % depth;
        bool const inside = filter < a.filters && tap < taps;
        filters[i % depth][i / depth] = inside ? a.weights[filter * taps + tap] : 0;
      }
      for (int i = t; i < depth * Tile; i += threads) {
        int const pixel = first_pixel + i % Tile, tap = first_tap + i / Tile;
        int const area = a.rows * a.columns;
        int const y = pixel / a.out_width * a.stride + tap % area / a.columns - a.pad_rows;
        int const x = pixel % a.out_width * a.stride + tap % a.columns - a.pad_columns;
        bool const inside =
            pixel < outputs && tap < taps && y >= 0 && y < a.height && x >= 0 && x < a.width;
        pixels[i / Tile][i % Tile] = inside ? a.in[(tap / area * a.height + y) * a.width + x] : 0;
      }
    });
    each_thread<threads>([&](int t) {
      for (int d = 0; d < depth; ++d)
        for (int y = 0; y < 4; ++y)
          for (int x = 0; x < 4; ++x)
            sum[t].of[y][x] += filters[d][t / across * 4 + y] * pixels[d][t % across * 4 + x];
    });
  }
  each_thread<threads>([&](int t) {
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x) {
        int const filter = first_filter + t / across * 4 + y;
        int const pixel = first_pixel + t % across * 4 + x;
        if (filter < a.filters && pixel < outputs)
          a.out[filter * outputs + pixel] = sum[t].of[y][x] + a.bias[filter];
      }
  });
}

STREAMS_KERNEL pool(pool_args a) {
  each_thread<pool_threads>([&](int t) {
    int const area = a.out_height * a.out_width;
    int const i = block_x() * pool_threads + t;
    if (i >= a.channels * area) return;
    float const* const plane = a.in + i / area * a.height * a.width;
    int const y0 = i % area / a.out_width * a.stride - a.pad;
    int const x0 = i % a.out_width * a.stride - a.pad;
    float found = 0;
    bool any = false;
    for (int y = y0; y < y0 + a.window; ++y)
      for (int x = x0; x < x0 + a.window; ++x) {
        if (y < 0 || y >= a.height || x < 0 || x >= a.width) continue;
        float const value = plane[y * a.width + x];
        if (a.is_max == 0)
          found += value;
        else if (!any || value > found)
          found = value;
        any = true;
      }
    a.out[i] = a.is_max != 0 ? found : found / static_cast<float>(a.window * a.window);
  });
}

STREAMS_KERNEL relu(map_args a) {
  each_thread<map_threads>([&](int t) {
    for (int e = 0; e < map_each; ++e) {
      int const i = (block_x() * map_each + e) * map_threads + t;
      if (i < a.count) a.out[i] = a.a[i] > 0 ? a.a[i] : 0;
    }
  });
}

STREAMS_KERNEL add(map_args a) {
  each_thread<map_threads>([&](int t) {
    for (int e = 0; e < map_each; ++e) {
      int const i = (block_x() * map_each + e) * map_threads + t;
      if (i < a.count) a.out[i] = a.a[i] + a.b[i];
    }
  });
}

STREAMS_KERNEL concat(concat_args a) {
  each_thread<map_threads>([&](int t) {
    for (int e = 0; e < map_each; ++e) {
      int const i = (block_x() * map_each + e) * map_threads + t;
      if (i >= a.count) continue;
      // Unrolled: arguments are not indexed by what is not known, which would copy them to memory.
      float const* from = a.in[0];
      int begin = 0;
      for (int part = 1; part < 4; ++part)
        if (i >= a.end[part - 1]) {
          from = a.in[part];
          begin = a.end[part - 1];
        }
      a.out[i] = from[i - begin];
    }
  });
}

STREAMS_KERNEL nothing(no_args) {}

} // namespace

auto kernels() -> kernel_menu {
  constexpr unsigned slices = 2 * depth * sizeof(float);
  // Registers and shared memory are for where the runtime cannot be asked: as nvcc 13.0 says for sm_80.
  return {handle(&convolve<small_tile>, 69, slices * small_tile),
          handle(&convolve<large_tile>, 71, slices * large_tile),
          handle(&pool, 31, 0),
          handle(&relu, 10, 0),
          handle(&add, 14, 0),
          handle(&concat, 14, 0),
          handle(&nothing, 4, 0)};
}

} // namespace streams_gpu
