// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mars::detail {

/// A kernel sliding over one spatial axis.
struct window {
  std::int64_t kernel{1};
  std::int64_t stride{1};
  std::int64_t dilation{1};
  std::int64_t begin{}; ///< padding before the first element
  std::int64_t end{};

  /// Elements from the first to the last tap.
  [[nodiscard]] constexpr auto span() const -> std::int64_t { return dilation * (kernel - 1) + 1; }
};

// Small enough that a product of two stays inside 64 bits, larger than any kernel.
inline constexpr std::int64_t max_window = std::int64_t{1} << 30;

/// One number per spatial axis from an option list: as given, all equal, or `fallback` if empty.
template <deferred D = when_called>
[[nodiscard]] auto per_axis(char const* what, ops::spatial const& list, std::size_t count,
                            std::int64_t fallback, std::int64_t least)
    -> later<expected<ops::spatial>, D> {
  for (auto const n : list)
    if (n < least || n > max_window)
      return fail(error_code::out_of_range, what, to_string(list),
                  std::to_string(least) + " to 2^30");
  if (list.size() == count) return list;
  if (list.empty()) return ops::spatial(count, fallback);
  if (std::all_of(list.begin(), list.end(), [&](auto n) { return n == list.front(); }))
    return ops::spatial(count, list.front());
  return fail(error_code::invalid_argument, what, to_string(list),
              std::to_string(count) + " numbers, one per spatial axis");
}

/// The windows of a convolution or pooling over `count` spatial axes.
template <class Options>
[[nodiscard]] auto windows(Options const& o, std::size_t count) -> expected<std::vector<window>> {
  auto const kernel = per_axis("kernel", o.kernel, count, 1, 1);
  auto const stride = per_axis("stride", o.stride, count, 1, 1);
  auto const dilation = per_axis("dilation", o.dilation, count, 1, 1);
  auto const both = o.padding.size() == 2 * count;
  auto const padding = per_axis("padding", o.padding, both ? 2 * count : count, 0, 0);
  for (auto const* list : {&kernel, &stride, &dilation, &padding})
    if (!*list) return unexpected{list->error()};
  std::vector<window> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({(*kernel)[i], (*stride)[i], (*dilation)[i], (*padding)[i],
                   (*padding)[both ? count + i : i]});
  return out;
}

/// Positions of a window on an axis. With `ceil_mode` a window may hang over the end, but must
/// begin inside the input or the padding before it.
template <deferred D = when_called>
[[nodiscard]] auto positions(std::int64_t extent, window const& w, bool ceil_mode = false)
    -> later<expected<std::int64_t>, D> {
  auto const room = extent + w.begin + w.end - w.span();
  if (room < 0)
    return fail(error_code::shape_mismatch, "kernel",
                std::string{"a window of "} + std::to_string(w.span()),
                std::string{"at most the padded extent "} +
                    std::to_string(extent + w.begin + w.end));
  if (!ceil_mode) return room / w.stride + 1;
  auto const n = ceil_div(room, w.stride) + 1;
  return (n - 1) * w.stride >= extent + w.begin ? n - 1 : n;
}

} // namespace mars::detail
