// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "names.hpp"

#include <mars/core/observer.hpp>
#include <mars/core/stop.hpp>

#include <chrono>
#include <cstddef>

namespace mars_map {

/// Raised by the first SIGINT, which so ends the search with the best so far; the second ends the
/// program as usual.
[[nodiscard]] auto stop_on_interrupt() -> mars::stop_token;

/// A line on the terminal that says where a search stands, and goes away in the end. Writes nothing
/// when standard error is not a terminal.
class progress_line {
public:
  progress_line(objective_name objective, bool wanted);
  progress_line(progress_line const&) = delete;
  auto operator=(progress_line const&) -> progress_line& = delete;
  ~progress_line() { clear(); }

  void show(mars::progress const& p);
  void clear();

private:
  objective_name objective_;
  bool on_;
  std::size_t width_{};
  std::chrono::steady_clock::time_point last_{};
};

} // namespace mars_map
