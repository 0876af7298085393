// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Between a sharding of one operator and the specs of its tensors, and back.

#include <mars/core/checked.hpp>
#include <mars/core/id.hpp>
#include <mars/io/export/tensor_split.hpp>
#include <mars/io/onnx/device_configuration.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Where a tensor of an operator is. `members` are the accelerators of its set; `symbolic(axis)` tells
/// which extents the file leaves open. Fused axes where digits divide an axis evenly, one number of
/// shards where they do not.
template <class Symbolic>
[[nodiscard]] auto spec_of(operation const& o, operand const& t, sharding const& s,
                           std::span<accelerator_id const> members, Symbolic const& symbolic)
    -> onnx_sharding_spec {
  device_digits const digits{s, members.size()};
  auto const split = split_of(o, t, s, members.size());
  onnx_sharding_spec out;
  std::size_t shards = 1;
  for (std::size_t i = 0; i < split.axes.size(); ++i) {
    auto const& axis = split.axes[i];
    if (axis.empty()) continue;
    auto& dim = out.dims.emplace_back();
    dim.axis = static_cast<std::int64_t>(i);
    auto const ways = static_cast<std::int64_t>(io::detail::parts_along(digits, axis));
    shards *= static_cast<std::size_t>(ways);
    auto const extent = t.axes[i].extent;
    if (extent % ways == 0 && axis.size() > 1) {
      auto rest = extent;
      for (auto const digit : axis) {
        auto const last = dim.simple.size() + 1 == axis.size();
        auto& one = dim.simple.emplace_back();
        if (!symbolic(i)) one.dim_value = last ? rest : digits.ways[digit];
        one.num_shards = digits.ways[digit];
        rest /= digits.ways[digit];
      }
    } else {
      auto& one = dim.simple.emplace_back();
      if (!symbolic(i)) one.dim_value = extent;
      one.num_shards = ways;
    }
  }
  // Row-major over the axes in their order: who holds each shard.
  std::vector<std::vector<std::int64_t>> holders(shards);
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    std::size_t shard = 0;
    for (auto const& axis : split.axes)
      shard = shard * io::detail::parts_along(digits, axis) +
              io::detail::part_number(digits, axis, rank);
    holders[shard].push_back(static_cast<std::int64_t>(members[rank].value));
  }
  for (auto& group : holders) {
    if (group.size() == 1) {
      out.device.push_back(group.front());
      continue;
    }
    auto const key = -1 - static_cast<std::int64_t>(out.groups.size());
    out.device.push_back(key);
    out.groups.push_back({key, std::move(group)});
  }
  return out;
}

/// The devices that a spec names, shard by shard. Keys without a group are left as they are.
[[nodiscard]] inline auto listed_devices(onnx_sharding_spec const& s) -> std::vector<std::int64_t> {
  std::vector<std::int64_t> all;
  for (auto const d : s.device) {
    auto const group =
        std::find_if(s.groups.begin(), s.groups.end(), [d](auto const& g) { return g.key == d; });
    if (group == s.groups.end())
      all.push_back(d);
    else
      all.insert(all.end(), group->devices.begin(), group->devices.end());
  }
  return all;
}
/// Each once, rising.
[[nodiscard]] inline auto devices_of(onnx_sharding_spec const& s) -> std::vector<std::int64_t> {
  auto all = listed_devices(s);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Shards along one axis; 0 where numbers of the file are no such thing.
[[nodiscard]] inline auto shards_along(onnx_sharded_dim const& d) -> std::int64_t {
  std::optional<std::int64_t> all{1};
  for (auto const& one : d.simple)
    if (all) all = one.num_shards < 1 ? std::nullopt : checked_multiply(*all, one.num_shards);
  return all.value_or(0);
}

/// The same place in other words: names, keys of groups and spelled-out extents do not matter, and
/// fused shards of one axis are its shards.
[[nodiscard]] inline auto same_place(onnx_sharding_spec const& a, onnx_sharding_spec const& b,
                                     std::size_t rank) -> bool {
  auto const normal = [rank](onnx_sharding_spec const& s) {
    std::vector<std::pair<std::int64_t, std::int64_t>> dims;
    for (auto const& d : s.dims) {
      auto const ways = shards_along(d);
      auto const axis = d.axis < 0 ? d.axis + static_cast<std::int64_t>(rank) : d.axis;
      if (ways != 1) dims.emplace_back(axis, ways);
    }
    return dims;
  };
  auto const holders = [](onnx_sharding_spec const& s) {
    std::vector<std::vector<std::int64_t>> out;
    for (auto const d : s.device) out.push_back(devices_of({.device = {d}, .groups = s.groups}));
    return out;
  };
  return normal(a) == normal(b) && holders(a) == holders(b);
}

/// Tries shardings, few cuts first, until the specs of an operator's tensors are the given ones.
class sharding_finder {
public:
  /// `given[i]` is the spec of operand i, or null.
  sharding_finder(operation const& o, std::vector<onnx_sharding_spec const*> const& given,
                  std::span<accelerator_id const> members)
      : o_{&o}, given_{&given}, members_{members} {
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (given[i] == nullptr) continue;
      auto const& t = o.operands[i];
      for (auto const& d : given[i]->dims) {
        auto const rank = static_cast<std::int64_t>(t.axes.size());
        auto const axis = d.axis < 0 ? d.axis + rank : d.axis;
        if (axis < 0 || axis >= rank) continue;
        auto const all = shards_along(d);
        for (auto const& term : t.axes[static_cast<std::size_t>(axis)].terms) {
          for (auto const& one : d.simple) offer(term.dim, one.num_shards);
          // An uneven axis says its shards in one number.
          for (std::int64_t w = 2; d.simple.size() == 1 && w <= all / 2 && all <= 64; ++w)
            if (all % w == 0) offer(term.dim, w);
        }
      }
    }
  }

  /// The sharding with the fewest cuts; none says it, or it would take more than `budget` trials.
  [[nodiscard]] auto find(std::size_t budget = 20'000) -> std::optional<sharding> {
    left_ = budget;
    for (std::size_t cuts = 0; cuts <= max_cuts; ++cuts) {
      sharding s;
      if (auto found = extend(s, cuts)) return found;
    }
    return std::nullopt;
  }

private:
  void offer(std::uint8_t dim, std::int64_t ways) {
    if (ways < 2 || ways > static_cast<std::int64_t>(members_.size())) return;
    cut const c{dim, static_cast<std::int32_t>(ways)};
    if (std::find(cuts_.begin(), cuts_.end(), c) == cuts_.end()) cuts_.push_back(c);
  }
  [[nodiscard]] auto extend(sharding& s, std::size_t more) -> std::optional<sharding> {
    if (more == 0) return complete(s);
    for (auto const& c : cuts_) {
      if (ways_along(s, c.dim) != 1) continue;
      if (static_cast<std::int64_t>(members_.size()) % (shard_count(s) * c.ways) != 0) continue;
      s.exclusive.push_back(c);
      auto found = extend(s, more - 1);
      s.exclusive.pop_back();
      if (found || left_ == 0) return found;
    }
    return std::nullopt;
  }
  /// With the exclusive cuts of `s`: as it is, scattered, or with a shared cut.
  [[nodiscard]] auto complete(sharding const& s) -> std::optional<sharding> {
    auto trial = s;
    if (fits(trial)) return trial;
    bool const sums = partial_sums(*o_, s) > 1;
    for (std::size_t d = 0; sums && d < o_->dims.size(); ++d) {
      trial.scatter = static_cast<std::uint8_t>(d);
      if (fits(trial)) return trial;
    }
    trial.scatter.reset();
    for (auto const& c : cuts_) {
      trial.shared = c;
      if (fits(trial)) return trial;
      for (std::size_t d = 0; sums && d < o_->dims.size(); ++d) {
        trial.scatter = static_cast<std::uint8_t>(d);
        if (fits(trial)) return trial;
      }
      trial.scatter.reset();
    }
    return std::nullopt;
  }
  [[nodiscard]] auto fits(sharding const& s) -> bool {
    if (left_ == 0) return false;
    --left_;
    if (!check(*o_, s, members_.size())) return false;
    for (std::size_t i = 0; i < given_->size(); ++i) {
      auto const* wanted = (*given_)[i];
      if (wanted == nullptr) continue;
      auto const& t = o_->operands[i];
      auto const spec = spec_of(*o_, t, s, members_, [](std::size_t) { return true; });
      if (!same_place(spec, *wanted, t.axes.size())) return false;
    }
    return true;
  }

  operation const* o_;
  std::vector<onnx_sharding_spec const*> const* given_;
  std::span<accelerator_id const> members_;
  std::vector<cut> cuts_;
  std::size_t left_{};
};

} // namespace mars::io::onnx_detail
