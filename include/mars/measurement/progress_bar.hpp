// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace mars::measurement {

/// How far a long job is. `done` and `total` are in whatever unit grows evenly with time, such as
/// seconds of budget.
struct job_progress {
  double done{};
  double total{};
  std::string_view what{}; ///< in hand; valid during the call only
};
/// Told of progress; false ends the job with what it has.
using job_observer = std::function<bool(job_progress const&)>;

/// Is this stream a terminal? Not where there is no way to know.
[[nodiscard]] inline auto is_terminal([[maybe_unused]] std::FILE* stream) -> bool {
#if __has_include(<unistd.h>)
  return stream != nullptr && isatty(fileno(stream)) != 0;
#else
  return false;
#endif
}

/// One line, written over and over, that goes away in the end:
///
///     [########............]  40 %  12 s left  resnet18 layer1.0.conv1
///
/// The time left is what passed, in proportion. Writes at most ten times a second, and nothing where
/// the stream is no terminal. The seconds are wall-clock: what a person waits for.
class progress_bar {
public:
  using writer = std::function<void(std::string_view)>;
  using wall_clock = std::function<seconds()>;

  /// Nothing is written if `stream` is no terminal.
  explicit progress_bar(std::FILE* stream)
      : progress_bar{is_terminal(stream) ? writer{[stream](std::string_view text) {
          (void)std::fwrite(text.data(), 1, text.size(), stream);
          (void)std::fflush(stream);
        }}
                                         : writer{}} {}
  explicit progress_bar(writer write, wall_clock now = steady_now)
      : write_{std::move(write)}, now_{std::move(now)}, start_{now_()} {}
  progress_bar(progress_bar const&) = delete;
  auto operator=(progress_bar const&) -> progress_bar& = delete;
  ~progress_bar() { clear(); }

  /// An observer that never ends the job: `std::ref(bar)` is a `job_observer`.
  auto operator()(job_progress const& p) -> bool {
    show(p);
    return true;
  }
  void show(job_progress const& p) {
    auto const now = now_();
    if (!write_ || (shown_ && p.done < p.total && (now - last_).count() < 0.1)) return;
    shown_ = true;
    last_ = now;
    auto const share = p.total > 0 ? std::clamp(p.done / p.total, 0.0, 1.0) : 0.0;
    auto const filled = static_cast<std::size_t>(share * 20);
    auto line = "[" + std::string(filled, '#') + std::string(20 - filled, '.') + "] ";
    auto const percent = std::to_string(static_cast<int>(100 * share));
    line.append(percent.size() < 3 ? 3 - percent.size() : 0, ' ').append(percent).append(" %");
    if (share > 0)
      line.append("  ")
          .append(duration_text((now - start_).count() * (1 - share) / share))
          .append(" left");
    line.append("  ").append(p.what);
    line.resize(std::min<std::size_t>(line.size(), 79));
    auto const width = line.size();
    if (width < width_) line.append(width_ - width, ' ');
    width_ = width;
    write_("\r" + line);
  }
  void clear() {
    if (width_ > 0) write_("\r" + std::string(width_, ' ') + "\r");
    width_ = 0;
  }

  /// `8 s`, `2 min 05 s`, `3 h 20 min`.
  [[nodiscard]] static auto duration_text(double s) -> std::string {
    auto const two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    auto const all = static_cast<std::int64_t>(std::clamp(s, 0.0, 1e9) + 0.5);
    if (all < 60) return std::to_string(all) + " s";
    if (all < 3600) return std::to_string(all / 60) + " min " + two(all % 60) + " s";
    return std::to_string(all / 3600) + " h " + two(all / 60 % 60) + " min";
  }

private:
  [[nodiscard]] static auto steady_now() -> seconds {
    return seconds{
        std::chrono::duration<double>{std::chrono::steady_clock::now().time_since_epoch()}.count()};
  }

  writer write_;
  wall_clock now_;
  seconds start_;
  seconds last_{};
  bool shown_{};
  std::size_t width_{};
};

} // namespace mars::measurement
