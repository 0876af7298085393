// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#define MARS_DETAIL_PROBE_X86 1
#include <immintrin.h>
#endif

// What a machine can do must not depend on what the including program is compiled for: on x86-64 each
// width has its kernels, chosen when run. Elsewhere they are as wide as the compiler makes them.
// Independent sums hide the latency of additions: ten of them keep two units busy for four cycles.

#if defined(__clang__)
#define MARS_DETAIL_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define MARS_DETAIL_UNROLL _Pragma("GCC unroll 16")
#else
#define MARS_DETAIL_UNROLL
#endif

namespace mars::measurement::detail {

/// Kernels of one vector width. `multiply_add(n)` does n rounds of `chains` vectors;
/// `read(data, n)` reads n floats, a multiple of 256.
struct probe {
  double fma_per_round{}; ///< multiply-adds
  float (*multiply_add)(std::int64_t rounds){};
  float (*read)(float const* data, std::size_t size){};
};

inline constexpr int chains = 10;
inline constexpr int read_chains = 8;

#if defined(__GNUC__)
using portable_vector = float __attribute__((vector_size(16)));
inline constexpr int portable_lanes = 4;
#else
using portable_vector = float;
inline constexpr int portable_lanes = 1;
#endif

inline auto multiply_add_portable(std::int64_t rounds) -> float {
  portable_vector const a = portable_vector{} + 0.5F;
  portable_vector const b = portable_vector{} + 0.25F;
  portable_vector sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = b * static_cast<float>(i);
  for (std::int64_t n = 0; n < rounds; ++n) {
    MARS_DETAIL_UNROLL
    for (int i = 0; i < chains; ++i) sum[i] = sum[i] * a + b;
  }
  portable_vector all{};
  for (int i = 0; i < chains; ++i) all += sum[i];
  return *reinterpret_cast<float const*>(&all);
}
inline auto read_portable(float const* data, std::size_t size) -> float {
  auto const* p = reinterpret_cast<portable_vector const*>(data);
  portable_vector sum[read_chains]{};
  for (std::size_t n = 0; n < size / portable_lanes; n += read_chains) {
    MARS_DETAIL_UNROLL
    for (std::size_t i = 0; i < read_chains; ++i) sum[i] += p[n + i];
  }
  portable_vector all{};
  for (auto const& s : sum) all += s;
  return *reinterpret_cast<float const*>(&all);
}

#if defined(MARS_DETAIL_PROBE_X86)
__attribute__((target("avx2,fma"))) inline auto multiply_add_avx2(std::int64_t rounds) -> float {
  __m256 const a = _mm256_set1_ps(0.5F), b = _mm256_set1_ps(0.25F);
  __m256 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  for (std::int64_t n = 0; n < rounds; ++n) {
    MARS_DETAIL_UNROLL
    for (int i = 0; i < chains; ++i) sum[i] = _mm256_fmadd_ps(sum[i], a, b);
  }
  __m256 all = sum[0];
  for (int i = 1; i < chains; ++i) all = _mm256_add_ps(all, sum[i]);
  return _mm256_cvtss_f32(all);
}
__attribute__((target("avx2,fma"))) inline auto read_avx2(float const* data, std::size_t size)
    -> float {
  __m256 sum[read_chains];
  for (auto& s : sum) s = _mm256_setzero_ps();
  for (std::size_t n = 0; n < size; n += 8 * read_chains) {
    MARS_DETAIL_UNROLL
    for (std::size_t i = 0; i < read_chains; ++i)
      sum[i] = _mm256_add_ps(sum[i], _mm256_load_ps(data + n + 8 * i));
  }
  __m256 all = sum[0];
  for (int i = 1; i < read_chains; ++i) all = _mm256_add_ps(all, sum[i]);
  return _mm256_cvtss_f32(all);
}
__attribute__((target("avx512f"))) inline auto multiply_add_avx512(std::int64_t rounds) -> float {
  __m512 const a = _mm512_set1_ps(0.5F), b = _mm512_set1_ps(0.25F);
  __m512 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  for (std::int64_t n = 0; n < rounds; ++n) {
    MARS_DETAIL_UNROLL
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], a, b);
  }
  __m512 all = sum[0];
  for (int i = 1; i < chains; ++i) all = _mm512_add_ps(all, sum[i]);
  return _mm512_cvtss_f32(all);
}
__attribute__((target("avx512f"))) inline auto read_avx512(float const* data, std::size_t size)
    -> float {
  __m512 sum[read_chains];
  for (auto& s : sum) s = _mm512_setzero_ps();
  for (std::size_t n = 0; n < size; n += 16 * read_chains) {
    MARS_DETAIL_UNROLL
    for (std::size_t i = 0; i < read_chains; ++i)
      sum[i] = _mm512_add_ps(sum[i], _mm512_load_ps(data + n + 16 * i));
  }
  __m512 all = sum[0];
  for (int i = 1; i < read_chains; ++i) all = _mm512_add_ps(all, sum[i]);
  return _mm512_cvtss_f32(all);
}
#endif

/// The widest that this machine runs.
[[nodiscard]] inline auto widest_probe() -> probe {
#if defined(MARS_DETAIL_PROBE_X86)
  if (__builtin_cpu_supports("avx512f")) return {16.0 * chains, multiply_add_avx512, read_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {8.0 * chains, multiply_add_avx2, read_avx2};
#endif
  return {1.0 * portable_lanes * chains, multiply_add_portable, read_portable};
}

} // namespace mars::measurement::detail

#undef MARS_DETAIL_UNROLL
#undef MARS_DETAIL_PROBE_X86
