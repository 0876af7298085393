// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/core/sort.hpp>
#include <mars/scheduling/detail/endings.hpp>
#include <mars/scheduling/merge.hpp>
#include <mars/scheduling/stream_problem.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// The operators of a problem, which are the nodes that launch something, in order. What they read
/// through nodes that do not (views, inputs) they read themselves. Operators of equal `kernel_class` launch
/// the same kernels, those of equal `convolution_class` are the same convolution; names do not enter.
template <deferred D = when_called>
class basic_operator_list {
public:
  using numbers = later<std::vector<std::uint32_t>, D>;

  explicit basic_operator_list(later<stream_problem, D> const& problem) : p_{&problem} {
    auto const n = problem.size();
    std::vector<numbers> sources(n); // of each node: operators whose results reach it
    for (std::uint32_t v = 0; v < n; ++v) {
      auto& all = sources[v];
      for (auto const u : problem.inputs(v))
        all.insert(all.end(), sources[u].begin(), sources[u].end());
      sort_ascending(all);
      all.erase(std::unique(all.begin(), all.end()), all.end());
      if (!problem.launches(v)) continue;
      auto const i = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back(v);
      reads_.push_back(std::exchange(all, {i}));
      kernel_class_.push_back(class_of_kernels(v));
      convolution_class_.push_back(class_of_convolution(v));
    }
    last_reader_.resize(size());
    for (std::uint32_t i = 0; i < size(); ++i) {
      last_reader_[i] = i;
      for (auto const r : reads_[i]) last_reader_[r] = i;
    }
  }

  [[nodiscard]] auto size() const -> std::size_t { return nodes_.size(); }
  [[nodiscard]] auto node(std::size_t i) const -> std::uint32_t { return nodes_[i]; }
  [[nodiscard]] auto reads(std::size_t i) const -> numbers const& { return reads_[i]; }
  [[nodiscard]] auto kernel_class(std::size_t i) const -> std::uint32_t { return kernel_class_[i]; }
  [[nodiscard]] auto convolution_class(std::size_t i) const -> std::uint32_t {
    return convolution_class_[i];
  }

  /// First operators of the blocks and size(): blocks as the graph says (else one), those larger than
  /// `most` in parts.
  [[nodiscard]] auto blocks(std::size_t most) const -> later<std::vector<std::size_t>, D> {
    auto const& block_of = p_->graph().block_of;
    later<std::vector<std::size_t>, D> starts{0};
    for (std::size_t to = 1; to <= size(); ++to) {
      if (to < size() && (block_of.empty() || block_of[nodes_[to]] == block_of[nodes_[to - 1]]))
        continue;
      for (auto from = starts.back(); to - from > most; from = starts.back())
        starts.push_back(split(from, to, from + 1, from + most));
      starts.push_back(to);
    }
    return starts;
  }
  /// Where to divide operators [from, to): the last place in [least, most] that only results of the
  /// operator right before it cross; else `most`.
  [[nodiscard]] auto split(std::size_t from, std::size_t to, std::size_t least,
                           std::size_t most) const -> std::size_t {
    auto found = most;
    std::size_t reach = from;
    for (auto at = from + 1; at <= most && at < to; ++at) {
      if (at >= least && reach < at) found = at;
      reach = std::max<std::size_t>(reach, last_reader_[at - 1]);
    }
    return found;
  }

  /// Operators [from, to) as a block. Precondition: at most `operator_set::max_size`.
  [[nodiscard]] auto block(std::size_t from, std::size_t to) const -> later<operator_block, D> {
    later<operator_block, D> b;
    auto const n = to - from;
    b.before.resize(n);
    b.after.resize(n);
    b.merge_class.assign(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (auto const r : reads_[from + i]) {
        if (r < from) continue;
        b.before[i].insert(r - from);
        b.after[r - from].insert(i);
      }
    std::uint32_t classes = 0;
    for (std::size_t i = 0; i < n && p_->options().lower; ++i) {
      if (b.merge_class[i] != 0) continue;
      for (auto j = i + 1; j < n; ++j) {
        if (b.merge_class[j] != 0 || !may_merge(nodes_[from + i], nodes_[from + j])) continue;
        if (b.merge_class[i] == 0) b.merge_class[i] = ++classes;
        b.merge_class[j] = b.merge_class[i];
      }
    }
    return b;
  }
  /// Blocks of equal signature have equal stages.
  [[nodiscard]] auto signature(later<operator_block, D> const& b, std::size_t from) const
      -> numbers {
    numbers key;
    for (std::size_t i = 0; i < b.size(); ++i) {
      auto const merges = b.merge_class[i] != 0;
      key.insert(key.end(), {kernel_class_[from + i], b.merge_class[i],
                             merges ? convolution_class_[from + i] : 0,
                             static_cast<std::uint32_t>(b.before[i].size())});
      b.before[i].for_each([&](std::size_t r) { key.push_back(static_cast<std::uint32_t>(r)); });
    }
    return key;
  }

private:
  using numbers_by_hash = later<std::unordered_multimap<std::uint64_t, std::uint32_t>, D>;

  [[nodiscard]] auto may_merge(std::uint32_t v, std::uint32_t w) const -> bool {
    auto const& a = p_->node(v);
    auto const& b = p_->node(w);
    if (!a.convolution || !b.convolution || a.inputs.size() != 1 || a.inputs != b.inputs)
      return false;
    later<std::array<mergeable_convolution, 2>, D> const pair{*a.convolution, *b.convolution};
    return merged_convolution<D>(pair).has_value();
  }

  /// The number of the first node of which `same` holds, among those of equal hash; else a new one.
  template <class Same>
  [[nodiscard]] static auto intern(numbers_by_hash& known, numbers& representatives,
                                   std::uint64_t hash, std::uint32_t v, Same same)
      -> std::uint32_t {
    auto const [first, last] = known.equal_range(hash);
    for (auto at = first; at != last; ++at)
      if (same(representatives[at->second])) return at->second;
    auto const fresh = static_cast<std::uint32_t>(representatives.size());
    known.emplace(hash, fresh);
    representatives.push_back(v);
    return fresh;
  }
  [[nodiscard]] auto class_of_kernels(std::uint32_t v) -> std::uint32_t {
    stable_hash h;
    for (auto const& k : p_->node(v).kernels)
      h.add(k.blocks).add(k.threads).add(k.work.count()).add(k.traffic.count());
    return intern(kernels_known_, kernels_first_, h.digest(), v, [&](std::uint32_t w) {
      auto const& a = p_->node(v).kernels;
      auto const& b = p_->node(w).kernels;
      return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](kernel x, kernel const& y) {
        x.name = y.name;
        return x == y;
      });
    });
  }
  [[nodiscard]] auto class_of_convolution(std::uint32_t v) -> std::uint32_t {
    auto const& c = p_->node(v).convolution;
    if (!c) return ~std::uint32_t{0};
    stable_hash h;
    for (auto const e : c->input) h.add(e);
    h.add(c->options.out_channels);
    return intern(convolutions_known_, convolutions_first_, h.digest(), v, [&](std::uint32_t w) {
      auto const& d = p_->node(w).convolution;
      auto const& x = c->options;
      auto const& y = d->options;
      return c->input == d->input && c->activation == d->activation &&
             c->element_bits == d->element_bits && x.out_channels == y.out_channels &&
             x.kernel == y.kernel && x.stride == y.stride && x.dilation == y.dilation &&
             x.padding == y.padding && x.groups == y.groups && x.bias == y.bias;
    });
  }

  later<stream_problem, D> const* p_;
  numbers nodes_, kernel_class_, convolution_class_, last_reader_;
  std::vector<numbers> reads_;
  numbers kernels_first_, convolutions_first_;
  numbers_by_hash kernels_known_, convolutions_known_;
};

} // namespace mars::detail
