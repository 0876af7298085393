// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/ring.hpp>
#include <mars/core/expected.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mars::collective {

/// Times measured for one kind and one group size, by rising bytes (S as collective_kind says).
struct curve {
  struct point {
    bytes size{};
    seconds time{};
    friend constexpr auto operator==(point const&, point const&) -> bool = default;
  };
  collective_kind kind{};
  std::size_t group_size{};
  std::vector<point> points{};

  friend auto operator==(curve const&, curve const&) -> bool = default;
};

/// A measured table. At its points the time is the measured one, exactly. Between two sizes it is
/// interpolated log-log (one straight line α + S/b misses the middle by 31–62 % on A100 and H100);
/// below the first it is the first; above the last, the last bandwidth is kept. Group sizes
/// between measured ones are interpolated log-log as well. Kinds and group sizes outside the
/// table ask `otherwise`. Where the group sits in the system does not count: measure the machine
/// you mean.
template <class Fallback = ring>
struct calibrated {
  std::vector<curve> curves{};
  Fallback otherwise{};

  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    auto const g = group.size();
    if (g < 2) return seconds{0};
    auto const [below, above] = around(kind, g);
    if (below == nullptr || above == nullptr) return otherwise.time(net, kind, group, size);
    auto const low = on_curve(*below, size);
    if (below == above) return low;
    auto const high = on_curve(*above, size);
    return log_log(static_cast<double>(below->group_size), low,
                   static_cast<double>(above->group_size), high, static_cast<double>(g));
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const& net, collective_kind kind,
                               std::span<accelerator_id const> group, bytes size) const
      -> std::string_view {
    if (auto const [below, above] = around(kind, group.size());
        below != nullptr && above != nullptr)
      return "measured";
    if constexpr (NamesAlgorithm<Fallback, Net>)
      return otherwise.algorithm(net, kind, group, size);
    else
      return "unnamed";
  }

  /// Errors: no points, a group of fewer than two, sizes that do not rise or are not positive,
  /// times that are not positive and finite, two curves for one question.
  [[nodiscard]] auto validate() const -> expected<void> {
    for (std::size_t i = 0; i < curves.size(); ++i) {
      auto const path = std::string{"curves["} + std::to_string(i) + "]";
      auto const& c = curves[i];
      if (c.group_size < 2)
        return fail(error_code::out_of_range, path + ".group_size", std::to_string(c.group_size),
                    "at least 2");
      if (c.points.empty())
        return fail(error_code::out_of_range, path + ".points", "none", "at least one point");
      for (std::size_t k = 0; k < i; ++k)
        if (curves[k].kind == c.kind && curves[k].group_size == c.group_size)
          return fail(error_code::duplicate, path, std::string{kind_name(c.kind)},
                      "one curve for a kind and group size");
      for (std::size_t k = 0; k < c.points.size(); ++k) {
        auto const here = path + ".points[" + std::to_string(k) + "]";
        auto const least = k == 0 ? bytes{0} : c.points[k - 1].size;
        if (c.points[k].size <= least)
          return fail(error_code::out_of_range, here + ".size",
                      std::to_string(c.points[k].size.count()),
                      std::string{"more than "} + std::to_string(least.count()) + " bytes");
        auto const t = c.points[k].time.count();
        if (!(t > 0) || !std::isfinite(t))
          return fail(error_code::out_of_range, here + ".time", std::to_string(t),
                      "a positive, finite time");
      }
    }
    return {};
  }

  friend auto operator==(calibrated const&, calibrated const&) -> bool = default;

private:
  struct neighbours {
    curve const* below;
    curve const* above;
  };
  /// The curves of the nearest measured group sizes; null where the table ends.
  [[nodiscard]] auto around(collective_kind kind, std::size_t g) const -> neighbours {
    neighbours n{nullptr, nullptr};
    for (auto const& c : curves) {
      if (c.kind != kind || c.points.empty()) continue;
      if (c.group_size <= g && (n.below == nullptr || c.group_size > n.below->group_size))
        n.below = &c;
      if (c.group_size >= g && (n.above == nullptr || c.group_size < n.above->group_size))
        n.above = &c;
    }
    return n;
  }
  [[nodiscard]] static auto log_log(double x0, seconds t0, double x1, seconds t1, double x)
      -> seconds {
    auto const part = std::log(x / x0) / std::log(x1 / x0);
    return seconds{t0.count() * std::exp(part * std::log(t1 / t0))};
  }
  [[nodiscard]] static auto on_curve(curve const& c, bytes size) -> seconds {
    auto const& first = c.points.front();
    auto const& last = c.points.back();
    if (size <= first.size) return first.time;
    if (size > last.size) return (size / last.size) * last.time;
    auto const up = std::lower_bound(c.points.begin(), c.points.end(), size,
                                     [](auto const& p, bytes s) { return p.size < s; });
    if (up->size == size) return up->time;
    auto const& down = *(up - 1);
    return log_log(static_cast<double>(down.size.count()), down.time,
                   static_cast<double>(up->size.count()), up->time,
                   static_cast<double>(size.count()));
  }
};

} // namespace mars::collective
