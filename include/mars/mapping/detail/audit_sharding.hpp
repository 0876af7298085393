// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/mapping/detail/audit.hpp>
#include <mars/mapping/violation.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace mars::detail::audit {

/// Adds what is wrong with a sharding of `op` over `set_size` devices; true if nothing is.
template <deferred D = when_called>
class basic_sharding_audit {
public:
  basic_sharding_audit(later<operation, D> const& op, later<sharding, D> const& s,
                       std::size_t set_size, std::string path,
                       later<std::vector<violation>, D>& found)
      : op_{op}, s_{s}, set_size_{set_size}, path_{std::move(path)}, found_{found} {}

  auto operator()() -> bool {
    for (auto const& d : op_.dims) recurrent_ |= d.kind == dim_kind::sequential && d.extent > 1;
    // Later questions make sense only where earlier ones have an answer.
    return exclusive_cuts() && uneven_parts() && divides_set() && whole_results(false) &&
           shared_cut() && scatter();
  }

private:
  auto reject(violation_kind kind, std::string const& where, std::string why) -> bool {
    found_.push_back(
        {kind, path_ + where, std::string{"operator '"} + op_.name + "': " + std::move(why)});
    return false;
  }
  [[nodiscard]] auto name_of(std::size_t dim) const -> std::string {
    return std::string{"dimension "} + std::string{op_.dims[dim].name.view()};
  }

  auto exclusive_cuts() -> bool {
    bool good = true;
    for (std::size_t i = 0; i < s_.exclusive.size(); ++i) {
      auto const [dim, ways] = s_.exclusive[i];
      auto const where = std::string{".exclusive["} + std::to_string(i) + "]";
      if (!may_cut(dim, where, true)) {
        good = false;
        continue;
      }
      for (std::size_t j = 0; j < i; ++j)
        if (s_.exclusive[j].dim == dim)
          good = reject(violation_kind::repeated_dimension, where, name_of(dim) + " is cut twice");
      if (!fits(ways, op_.dims[dim].extent, dim, where)) good = false;
    }
    return good;
  }

  auto uneven_parts() -> bool {
    if (s_.parts.empty()) return true;
    auto const no = [&](std::string why) {
      return reject(violation_kind::bad_parts, ".parts", std::move(why));
    };
    if (s_.exclusive.empty()) return no("uneven parts of no cut");
    if (s_.shared || s_.scatter) return no("uneven parts neither rotate nor scatter");
    auto const& first = s_.exclusive[0];
    if (std::ssize(s_.parts) != first.ways)
      return no(std::to_string(s_.parts.size()) + " parts of a cut into " +
                std::to_string(first.ways));
    std::int64_t left = op_.dims[first.dim].extent;
    for (auto const n : s_.parts) {
      if (n < 1 || n > left) return no("parts that are empty or too long");
      left -= n;
    }
    return left == 0 ||
           no(std::to_string(left) + " iterations of " + name_of(first.dim) + " belong to no part");
  }

  auto may_cut(std::size_t dim, std::string const& where, bool exclusive) -> bool {
    if (dim >= op_.dims.size())
      return reject(violation_kind::unknown_dimension, where,
                    std::string{"there is no dimension "} + std::to_string(dim));
    if (op_.dims[dim].kind == dim_kind::sequential)
      return reject(violation_kind::sequential_dimension, where, name_of(dim) + " runs in order");
    if (recurrent_ && (!exclusive || op_.dims[dim].kind == dim_kind::reduction))
      return reject(violation_kind::sequential_dimension, where,
                    name_of(dim) + " would have to be exchanged at every step of a recurrence");
    return true;
  }
  auto fits(std::int64_t ways, std::int64_t extent, std::size_t dim, std::string const& where)
      -> bool {
    if (ways >= 2 && ways <= extent) return true;
    return reject(violation_kind::bad_ways, where,
                  std::to_string(ways) + " ways of " + name_of(dim) + ", of which a device has " +
                      std::to_string(extent));
  }

  auto divides_set() -> bool {
    auto rest = static_cast<std::int64_t>(set_size_);
    for (auto const& c : s_.exclusive) {
      if (rest % c.ways != 0)
        return reject(violation_kind::uneven_set, ".exclusive",
                      "the ways do not multiply to a divisor of the set size, " +
                          std::to_string(set_size_));
      rest /= c.ways;
    }
    return true;
  }

  /// Every two devices own the same part of each result, or parts that do not overlap.
  auto whole_results(bool scattered) -> bool {
    auto const kind = scattered ? violation_kind::bad_scatter : violation_kind::overlapping_shards;
    auto plain = s_;
    if (!scattered) plain.scatter.reset();
    later<std::vector<box>, D> parts;
    for (auto const& t : op_.operands) {
      if (t.role != role::output) continue;
      parts.clear();
      for (std::size_t rank = 0; rank < set_size_; ++rank) {
        auto const part = seat{op_, plain, set_size_, rank}.kept(t);
        bool known = false;
        for (auto const& other : parts) {
          if (part == other)
            known = true;
          else if (common_volume(part, other) != 0)
            return reject(kind, scattered ? ".scatter" : ".exclusive",
                          "devices would own overlapping parts of a result");
        }
        if (!known) parts.push_back(part);
      }
    }
    return true;
  }

  /// Iterations of the largest shard along a dimension.
  [[nodiscard]] auto shard_extent(std::size_t dim) const -> std::int64_t {
    auto extent = op_.dims[dim].extent;
    for (auto const& c : s_.exclusive)
      if (c.dim == dim) extent = longest_share(extent, c.ways);
    if (!s_.parts.empty() && s_.exclusive[0].dim == dim)
      extent = *std::max_element(s_.parts.begin(), s_.parts.end());
    return extent;
  }

  auto shared_cut() -> bool {
    if (!s_.shared) return true;
    auto const [dim, ways] = *s_.shared;
    if (!may_cut(dim, ".shared", false) || !fits(ways, shard_extent(dim), dim, ".shared"))
      return false;
    if (rotating(op_, s_, set_size_) == nullptr)
      return reject(violation_kind::bad_rotation, ".shared",
                    std::string{"no tensor along "} + name_of(dim) + " is held alike by " +
                        std::to_string(ways) + " devices");
    return true;
  }

  auto scatter() -> bool {
    if (!s_.scatter) return true;
    auto const dim = *s_.scatter;
    auto const no = [&](std::string why) {
      return reject(violation_kind::bad_scatter, ".scatter", std::move(why));
    };
    if (dim >= op_.dims.size())
      return reject(violation_kind::unknown_dimension, ".scatter",
                    std::string{"there is no dimension "} + std::to_string(dim));
    if (op_.dims[dim].kind != dim_kind::parallel) return no(name_of(dim) + " is not parallel");
    auto const summands = seat{op_, s_, set_size_, 0}.among_summands().second;
    if (summands < 2) return no("no reduction dimension is cut");
    if (shard_extent(dim) < summands)
      return no(name_of(dim) + " is shorter than the " + std::to_string(summands) +
                " devices that share a sum");
    for (auto const& t : op_.operands)
      if (t.role == role::output && !is_indexed_by(t, dim))
        return no(name_of(dim) + " does not divide every result");
    return whole_results(true);
  }

  later<operation, D> const& op_;
  later<sharding, D> const& s_;
  std::size_t set_size_;
  std::string path_;
  later<std::vector<violation>, D>& found_;
  bool recurrent_{false};
};
using sharding_audit = basic_sharding_audit<>;

} // namespace mars::detail::audit
