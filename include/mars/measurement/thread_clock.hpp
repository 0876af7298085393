// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <chrono>
#include <ctime>
#include <string_view>

namespace mars::measurement {

/// CPU time of the calling thread where the system counts it, so that programs beside this one cost
/// cache and frequency but not their share of the core; else time that passes. `name` says which.
/// On Linux a reading is a system call of 0.1 to 0.5 µs: samples should be hundreds of times longer.
struct thread_clock {
#if defined(CLOCK_THREAD_CPUTIME_ID)
  [[nodiscard]] auto now() const -> seconds {
    std::timespec t{};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return seconds{static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec)};
  }
  [[nodiscard]] auto name() const -> std::string_view { return "thread CPU time"; }
#else
  [[nodiscard]] auto now() const -> seconds {
    return seconds{
        std::chrono::duration<double>{std::chrono::steady_clock::now().time_since_epoch()}.count()};
  }
  [[nodiscard]] auto name() const -> std::string_view { return "wall-clock time"; }
#endif
};

} // namespace mars::measurement
