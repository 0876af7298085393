// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "progress.hpp"

#include "text.hpp"

#include <mars/core/format.hpp>

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace mars_map {

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

extern "C" void on_interrupt(int signal_number) {
  interrupted.store(true, std::memory_order_relaxed);
  (void)std::signal(signal_number, SIG_DFL);
}

[[nodiscard]] auto is_terminal() -> bool {
#if __has_include(<unistd.h>)
  return isatty(STDERR_FILENO) != 0;
#else
  return false;
#endif
}

} // namespace

auto stop_on_interrupt() -> mars::stop_token {
  // Who started this with interrupts ignored (nohup, a script's background job) wants them ignored.
  if (std::signal(SIGINT, on_interrupt) == SIG_IGN) (void)std::signal(SIGINT, SIG_IGN);
  return mars::stop_token{&interrupted};
}

progress_line::progress_line(objective_name objective, bool wanted)
    : objective_{objective}, on_{wanted && is_terminal()} {}

void progress_line::show(mars::progress const& p) {
  if (!on_) return;
  auto const now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds{100}) return;
  last_ = now;
  auto line =
      fmt::format("best {}, bound {}, gap {:.1f} %, {} evaluations",
                  p.best < mars::never ? value_text(p.best.count(), objective_) : "none yet",
                  value_text(p.bound.count(), objective_), 100 * gap(p), count_text(p.evaluations));
  if (p.elapsed.count() > 0)
    line +=
        fmt::format(", {}/s", count_text(static_cast<double>(p.evaluations) / p.elapsed.count()));
  if (p.remaining < mars::infinite_seconds)
    line += fmt::format(", {:.1f} s left", p.remaining.count());
  auto const width = line.size();
  if (width < width_) line.append(width_ - width, ' ');
  width_ = width;
  fmt::print(stderr, "\r{}", line);
  (void)std::fflush(stderr);
}

void progress_line::clear() {
  if (width_ == 0) return;
  fmt::print(stderr, "\r{:{}}\r", "", width_);
  (void)std::fflush(stderr);
  width_ = 0;
}

} // namespace mars_map
