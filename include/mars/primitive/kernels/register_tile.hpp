// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/vector.hpp>

#include <algorithm>
#include <type_traits>

namespace mars::primitive::kernels {

/// What every dense kernel but the depthwise one ends in: Scalars × Vectors sums held in registers. Per
/// step it loads `Vectors` vectors and `Scalars` numbers and multiplies each with each; so it wants both
/// large, and `Scalars · Vectors + Vectors + 1` registers.
///
/// Direct, spatial pack and Winograd have output channels in the vectors and image positions (tiles) in
/// the scalars; GEMM has image positions in the vectors and output channels in the scalars.
///
/// Four sums or fewer are each kept in parts, so that multiply-adds need not wait for the one before (two
/// start in a cycle and each takes four, or about that).
template <int Vectors, int Scalars>
class register_tile {
public:
  static_assert(Vectors >= 1 && Scalars >= 1 && Scalars <= 32);

  [[gnu::always_inline]] void clear() {
    unrolled<Scalars>([&](auto x) __attribute__((always_inline)) {
      unrolled<Vectors>([&](auto v) __attribute__((always_inline)) { set(x, v, vec{}); });
    });
  }

  /// `count` times: sums[x][v] += scalars[x · step] · vectors[v]; then `scalars` moves by `next_scalar`,
  /// `vectors` by `next_vector`. Strides are offsets or integral constants.
  template <class Step, class NextScalar, class NextVector>
  [[gnu::always_inline]] void accumulate(float const* scalars, Step step, NextScalar next_scalar,
                                         float const* vectors, NextVector next_vector,
                                         offset count) {
    auto const add = [&](auto part) __attribute__((always_inline)) {
      vec loaded[Vectors];
      unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
        loaded[v] = load(vectors + v * lanes);
      });
      unrolled<Scalars>([&](auto x) __attribute__((always_inline)) {
        vec const scalar = broadcast(scalars[x * step]);
        unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
          sums_[part][x][v] += scalar * loaded[v];
        });
      });
      scalars += next_scalar;
      vectors += next_vector;
    };
    offset c = 0;
    for (; c + parts <= count; c += parts) unrolled<parts>(add);
    for (; c < count; ++c) add(std::integral_constant<int, 0>{});
  }

  /// The same for those x whose bit is set in `mask`, with scalars[first + x · step]; the others' numbers
  /// are not read, and `first` may lie before the beginning. The branches are the same each time round,
  /// so they cost an instruction, not a misprediction.
  template <class Step, class NextScalar, class NextVector>
  [[gnu::always_inline]] void accumulate_some(unsigned mask, float const* scalars, offset first,
                                              Step step, NextScalar next_scalar,
                                              float const* vectors, NextVector next_vector,
                                              offset count) {
    for (offset c = 0; c < count; ++c) {
      vec loaded[Vectors];
      unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
        loaded[v] = load(vectors + v * lanes);
      });
      unrolled<Scalars>([&](auto x) __attribute__((always_inline)) {
        if ((mask >> x & 1U) == 0) return;
        vec const scalar = broadcast(scalars[first + x * step]);
        unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
          sums_[0][x][v] += scalar * loaded[v];
        });
      });
      first += next_scalar;
      vectors += next_vector;
    }
  }

  /// The first `count` x, each `step` from the last; vectors are `next` apart.
  [[gnu::always_inline]] void load_from(float const* p, offset step, offset next, int count) {
    unrolled<Scalars>([&](auto x) __attribute__((always_inline)) {
      if (x < count)
        unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
          set(x, v, load(p + x * step + v * next));
        });
      else
        unrolled<Vectors>([&](auto v) __attribute__((always_inline)) { set(x, v, vec{}); });
    });
  }
  [[gnu::always_inline]] void store_to(float* p, offset step, offset next, int count) const {
    unrolled<Scalars>([&](auto x) __attribute__((always_inline)) {
      if (x < count)
        unrolled<Vectors>([&](auto v) __attribute__((always_inline)) {
          vec sum = sums_[0][x][v];
          unrolled<parts - 1>([&](auto part)
                                  __attribute__((always_inline)) { sum += sums_[part + 1][x][v]; });
          store(p + x * step + v * next, sum);
        });
    });
  }

private:
  /// No more than channels come at a time.
  static constexpr int parts = Vectors * Scalars > 4 ? 1 : std::min(8 / (Vectors * Scalars), lanes);

  [[gnu::always_inline]] void set(int x, int v, vec sum) {
    sums_[0][x][v] = sum;
    unrolled<parts - 1>([&](auto part)
                            __attribute__((always_inline)) { sums_[part + 1][x][v] = vec{}; });
  }

  vec sums_[parts][Scalars][Vectors];
};

} // namespace mars::primitive::kernels
