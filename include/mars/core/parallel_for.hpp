// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace mars {

namespace detail {
/// Threads to use: what was asked for (0 = as many as the machine offers), never more than jobs.
[[nodiscard]] inline auto worker_count(unsigned threads, std::size_t jobs) -> std::size_t {
  auto const wanted = threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  return std::min<std::size_t>(wanted, jobs);
}
} // namespace detail

/// Calls f(i) once for every i < count, in no particular order, and waits for all.
/// f must write to slot i only and must not throw (an exception ends the program). `threads` = 0
/// means hardware_concurrency; 1 runs in the calling thread, in order.
template <class F>
void parallel_for(std::size_t count, unsigned threads, F&& f) {
  auto const workers = detail::worker_count(threads, count);
  if (workers <= 1) {
    for (std::size_t i = 0; i < count; ++i) f(i);
    return;
  }
  // Eight chunks a thread: balances uneven jobs, touches the shared counter rarely.
  auto const chunk = std::max<std::size_t>(1, count / (workers * 8));
  std::atomic<std::size_t> next{0};
  auto const work = [&] {
    for (;;) {
      auto const first = next.fetch_add(chunk, std::memory_order_relaxed);
      if (first >= count) return;
      for (auto i = first; i < std::min(first + chunk, count); ++i) f(i);
    }
  };
  std::vector<std::thread> pool;
  pool.reserve(workers - 1);
  for (std::size_t t = 1; t < workers; ++t) pool.emplace_back(work);
  work();
  for (auto& thread : pool) thread.join();
}

/// init ⊕ map(0) ⊕ map(1) ⊕ …, with ⊕ = combine, associated in a way that depends on `count` only:
/// floating-point results are the same for every number of threads. map and combine are called
/// concurrently and must not throw.
template <class T, class Map, class Combine>
[[nodiscard]] auto parallel_reduce(std::size_t count, unsigned threads, T init, Map&& map,
                                   Combine&& combine) -> T {
  constexpr std::size_t most_chunks = 256;
  auto const chunks = std::min(count, most_chunks);
  std::vector<std::optional<T>> partial(chunks);
  parallel_for(chunks, threads, [&](std::size_t c) {
    // Chunk c covers [c·count/chunks, (c+1)·count/chunks), written so that it cannot overflow.
    auto const bound = [&](std::size_t k) {
      return k * (count / chunks) + std::min(k, count % chunks);
    };
    T sum = map(bound(c));
    for (auto i = bound(c) + 1; i < bound(c + 1); ++i) sum = combine(std::move(sum), map(i));
    partial[c] = std::move(sum);
  });
  for (auto& p : partial) init = combine(std::move(init), std::move(*p));
  return init;
}

} // namespace mars
