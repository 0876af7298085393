// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace mars::search::detail {

/// Working space that threads borrow in turn: as many copies of a prototype as are out at once. What
/// a borrower leaves in it must not matter to the next.
template <class T>
class scratch {
public:
  explicit scratch(T prototype) : prototype_{std::move(prototype)} {}

  template <class Use>
  auto lend(Use&& use) {
    auto space = take();
    auto result = use(*space);
    std::lock_guard const lock{mutex_};
    free_.push_back(std::move(space));
    return result;
  }

private:
  auto take() -> std::unique_ptr<T> {
    std::lock_guard const lock{mutex_};
    if (free_.empty()) return std::make_unique<T>(prototype_);
    auto space = std::move(free_.back());
    free_.pop_back();
    return space;
  }

  T prototype_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
};

} // namespace mars::search::detail
