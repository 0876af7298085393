// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/interconnect/bandwidth.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace mars::interconnect {

/// Accelerators in rising order.
using accelerator_set = std::vector<accelerator_id>;
/// Disjoint sets, in the order of their first members.
using partition = std::vector<accelerator_set>;

namespace detail {

template <deferred D = when_called>
class basic_disjoint_sets {
public:
  explicit basic_disjoint_sets(std::size_t n) : parent_(n) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  [[nodiscard]] auto find(std::size_t i) -> std::size_t {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  /// The smaller root stays, so that a root is the first member of its set.
  auto unite(std::size_t i, std::size_t j) -> bool {
    auto const a = find(i);
    auto const b = find(j);
    parent_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }
  [[nodiscard]] auto sets(std::span<accelerator_id const> members) -> partition {
    partition out;
    later<std::vector<std::size_t>, D> slot(parent_.size());
    for (std::size_t i = 0; i < parent_.size(); ++i) {
      auto const root = find(i);
      if (root == i) {
        slot[i] = out.size();
        out.emplace_back();
      }
      out[slot[root]].push_back(members[i]);
    }
    return out;
  }

private:
  later<std::vector<std::size_t>, D> parent_;
};
using disjoint_sets = basic_disjoint_sets<>;

template <deferred = when_called>
[[nodiscard]] auto sorted(std::span<accelerator_id const> members) -> accelerator_set {
  accelerator_set s(members.begin(), members.end());
  sort_ascending(s);
  return s;
}
template <Interconnect Net>
[[nodiscard]] auto all_accelerators(Net const& net) -> accelerator_set {
  accelerator_set s;
  for (std::size_t i = 0; i < net.size(); ++i) s.push_back(accelerator_id{i});
  return s;
}
/// Larger sets first, then by members; each set once.
template <deferred D = when_called>
void order_candidates(later<std::vector<accelerator_set>, D>& sets) {
  std::sort(sets.begin(), sets.end(), [](auto const& a, auto const& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
}

} // namespace detail

/// The connected components of `members` while the slowest pairs are cut apart: the first partition
/// is into singles, the last has everything in one set, and each refines the next. A pair is as
/// fast as its slower direction; bandwidths within one millionth of each other count as equal.
/// O(n² log n) for n members.
template <Interconnect Net, deferred D = when_called>
[[nodiscard]] auto partitions_by_bandwidth(Net const& net, std::span<accelerator_id const> members)
    -> std::vector<partition> {
  auto const nodes = detail::sorted<D>(members);
  struct pair {
    double bandwidth;
    std::size_t i, j;
  };
  std::vector<pair> pairs;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = i + 1; j < nodes.size(); ++j)
      pairs.push_back({std::min(bandwidth(net, nodes[i], nodes[j]).count(),
                                bandwidth(net, nodes[j], nodes[i]).count()),
                       i, j});
  std::sort(pairs.begin(), pairs.end(),
            [](auto const& a, auto const& b) { return a.bandwidth > b.bandwidth; });
  detail::basic_disjoint_sets<D> sets{nodes.size()};
  later<std::vector<partition>, D> levels{sets.sets(nodes)};
  for (std::size_t k = 0; k < pairs.size();) {
    auto const slowest = pairs[k].bandwidth * (1 - 1e-6);
    bool changed = false;
    for (; k < pairs.size() && !(pairs[k].bandwidth < slowest); ++k)
      changed = sets.unite(pairs[k].i, pairs[k].j) || changed;
    if (changed) levels.push_back(sets.sets(nodes));
  }
  return levels;
}

/// Candidate accelerator sets of MARS: edges are deleted in the order of rising bandwidth, and the
/// connected components of every step are candidates (arXiv 2307.12234, our reading). Largest
/// first, then by first member; the whole system and the single accelerators are among them.
template <Interconnect Net, deferred D = when_called>
[[nodiscard]] auto threshold_components(Net const& net) -> std::vector<accelerator_set> {
  later<std::vector<accelerator_set>, D> candidates;
  for (auto& level : partitions_by_bandwidth(net, detail::all_accelerators(net)))
    for (auto& set : level) candidates.push_back(std::move(set));
  detail::order_candidates(candidates);
  return candidates;
}

/// The same with the contiguous halves of every set of even size above two, halves of halves
/// included; MARS needs them to obtain sets of two on F1 (assumed).
template <deferred D = when_called>
[[nodiscard]] auto with_halves(later<std::vector<accelerator_set>, D> candidates)
    -> later<std::vector<accelerator_set>, D> {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    auto const n = candidates[i].size();
    if (n <= 2 || n % 2 != 0) continue;
    auto const middle = candidates[i].begin() + static_cast<std::ptrdiff_t>(n / 2);
    accelerator_set low(candidates[i].begin(), middle);
    accelerator_set high(middle, candidates[i].end());
    candidates.push_back(std::move(low));
    candidates.push_back(std::move(high));
  }
  detail::order_candidates(candidates);
  return candidates;
}

/// The system without the host: accelerators are together when a chain of pairs connects them whose
/// routes, both ways, pass no host. Switches of the network do not separate. In the order of first
/// members: the sets of MARS's baseline. O(n² · hops).
template <RoutedInterconnect Net>
[[nodiscard]] auto direct_components(Net const& net) -> partition {
  auto const& all = net.links();
  std::span<link const> const links{all};
  auto const direct = [&](accelerator_id from, accelerator_id to) {
    auto const& ids = net.route(from, to);
    std::span<link_id const> const path{ids};
    return std::none_of(path.begin(), path.end(), [&](link_id l) {
      return links[l.index()].from.kind == node_kind::host ||
             links[l.index()].to.kind == node_kind::host;
    });
  };
  auto const nodes = detail::all_accelerators(net);
  detail::disjoint_sets sets{nodes.size()};
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = i + 1; j < nodes.size(); ++j)
      if (sets.find(i) != sets.find(j) && direct(nodes[i], nodes[j]) && direct(nodes[j], nodes[i]))
        sets.unite(i, j);
  return sets.sets(nodes);
}

} // namespace mars::interconnect
