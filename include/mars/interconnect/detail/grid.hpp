// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mars::interconnect::detail {

/// An n-dimensional grid of accelerators in row-major order (the last coordinate varies fastest),
/// routed dimension by dimension, first dimension first. Links are numbered by dimension, then
/// direction (rising, falling), then the accelerator they leave.
template <deferred D = when_called>
struct basic_grid {
  std::span<std::uint32_t const> extents;
  later<std::vector<bool>, D> const* wrap = nullptr; ///< per dimension; null or empty: `wrap_all`
  bool wrap_all = false;

  /// Two nodes in a dimension are neighbours already: wrapping would only double their links.
  [[nodiscard]] auto wraps(std::size_t d) const -> bool {
    return extents[d] > 2 && (wrap != nullptr && !wrap->empty() ? (*wrap)[d] : wrap_all);
  }
  [[nodiscard]] auto size() const -> std::size_t {
    std::size_t n = 1;
    for (auto const e : extents) n *= e;
    return n;
  }
  [[nodiscard]] auto stride(std::size_t d) const -> std::size_t {
    std::size_t s = 1;
    for (auto k = d + 1; k < extents.size(); ++k) s *= extents[k];
    return s;
  }
  [[nodiscard]] auto coordinate(std::size_t node, std::size_t d) const -> std::size_t {
    return node / stride(d) % extents[d];
  }
  /// Steps in dimension d, and whether they rise. Half-way round a ring, rising wins.
  [[nodiscard]] auto distance(std::size_t from, std::size_t to, std::size_t d) const
      -> std::pair<std::size_t, bool> {
    auto const a = coordinate(from, d);
    auto const b = coordinate(to, d);
    if (!wraps(d)) return {a < b ? b - a : a - b, a < b};
    auto const rising = (b + extents[d] - a) % extents[d];
    auto const falling = extents[d] - rising;
    return rising <= falling ? std::pair{rising, true} : std::pair{falling, false};
  }
  [[nodiscard]] auto hops(std::size_t from, std::size_t to) const -> std::size_t {
    std::size_t sum = 0;
    for (std::size_t d = 0; d < extents.size(); ++d) sum += distance(from, to, d).first;
    return sum;
  }
  /// The neighbour one step on; precondition: there is one.
  [[nodiscard]] auto neighbour(std::size_t node, std::size_t d, bool rising) const -> std::size_t {
    auto const c = coordinate(node, d);
    auto const next = rising ? (c + 1) % extents[d] : (c + extents[d] - 1) % extents[d];
    return node - c * stride(d) + next * stride(d);
  }
  [[nodiscard]] auto leaves(std::size_t node, std::size_t d, bool rising) const -> bool {
    auto const c = coordinate(node, d);
    return wraps(d) || (rising ? c + 1 < extents[d] : c > 0);
  }
  /// Links of one direction of dimension d.
  [[nodiscard]] auto links_along(std::size_t d) const -> std::size_t {
    return wraps(d) ? size() : size() / extents[d] * (extents[d] - 1);
  }
  [[nodiscard]] auto link_from(std::size_t node, std::size_t d, bool rising) const -> link_id {
    std::size_t base = rising ? 0 : links_along(d);
    for (std::size_t k = 0; k < d; ++k) base += 2 * links_along(k);
    if (wraps(d)) return link_id{base + node};
    // Nodes on the far face have no link: leave them out of the count.
    auto const s = stride(d);
    auto const c = coordinate(node, d) - (rising ? 0 : 1);
    return link_id{base + (node / (s * extents[d]) * (extents[d] - 1) + c) * s + node % s};
  }

  [[nodiscard]] auto links(bytes_per_second bandwidth, seconds latency) const
      -> later<std::vector<link>, D> {
    later<std::vector<link>, D> all;
    for (std::size_t d = 0; d < extents.size(); ++d)
      for (bool const rising : {true, false})
        for (std::size_t node = 0; node < size(); ++node)
          if (leaves(node, d, rising))
            all.push_back(make_link(accelerator(node), accelerator(neighbour(node, d, rising)),
                                    bandwidth, latency));
    return all;
  }
  [[nodiscard]] auto route(std::size_t from, std::size_t to) const
      -> later<std::vector<link_id>, D> {
    later<std::vector<link_id>, D> path;
    for (std::size_t d = 0; d < extents.size(); ++d) {
      auto const [steps, rising] = distance(from, to, d);
      for (std::size_t k = 0; k < steps; ++k) {
        path.push_back(link_from(from, d, rising));
        from = neighbour(from, d, rising);
      }
    }
    return path;
  }
  [[nodiscard]] auto check() const -> expected<void> {
    if (extents.empty())
      return fail(error_code::out_of_range, "extents", "no dimension", "at least one");
    std::size_t n = 1;
    for (std::size_t d = 0; d < extents.size(); ++d) {
      if (extents[d] == 0)
        return fail(error_code::out_of_range, at("extents", d), "0", "at least 1");
      n = capped_product(n, extents[d]);
    }
    if (wrap != nullptr && !wrap->empty())
      if (auto r = check_length("wrap", wrap->size(), extents.size()); !r) return r;
    return check_count("extents", n);
  }
};
using grid = basic_grid<>;

} // namespace mars::interconnect::detail
