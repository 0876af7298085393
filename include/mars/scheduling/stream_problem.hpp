// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/detail/priced_kernel.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/scheduling/merge.hpp>
#include <mars/scheduling/stream_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// How kernels reach the device.
enum class launch_mode : std::uint8_t {
  replay, ///< captured once, replayed: one overhead per replay, stages are joined by events
  eager,  ///< by the host one after another, which waits between stages
};

/// Which ready kernel places blocks when the first in launch order has blocks left.
enum class dispatch_rule : std::uint8_t {
  blocking, ///< none (head-of-line blocking, as GPUs do)
  skipping, ///< the next one that fits
};

/// What schedules must keep.
struct stream_limits {
  std::size_t streams{}; ///< 0: any number
  std::optional<std::size_t> events{};
  std::optional<bytes> memory{}; ///< for results of nodes, at most at once (`peak_memory`)
};

struct stream_options {
  launch_mode mode{launch_mode::replay};
  dispatch_rule dispatch{dispatch_rule::blocking};
  stream_limits limits{};
  /// Kernels of a merged convolution; empty where it cannot run. None: nothing is merged.
  std::function<std::vector<kernel>(mergeable_convolution const&)> lower{};
};

/// A `stream_graph` on a device, compiled for schedulers: dependences both ways, every kernel priced.
template <deferred D = when_called>
class basic_stream_problem {
  using numbers = later<std::vector<std::uint32_t>, D>;
  using priced_kernels = later<std::vector<detail::priced_kernel>, D>;

public:
  /// Errors: `out_of_range`, `shape_mismatch`, `infeasible` (a block that fits no SM); paths such as
  /// `nodes[3].inputs[0]`, `nodes[3].kernels[1].blocks`, `device.sms`. O(V + E).
  [[nodiscard]] static auto make(later<stream_graph, D> g, gpu_device const& device,
                                 later<stream_options, D> options = {})
      -> expected<basic_stream_problem> {
    if (auto r = device.validate(); !r) return unexpected{std::move(r).error().inside("device")};
    basic_stream_problem p;
    p.graph_ = std::move(g);
    p.device_ = device;
    p.options_ = std::move(options);
    p.limits_of_device_ = detail::limits_of(device);
    p.overheads_ = detail::to_ticks(device.overheads);
    auto const n = p.graph_.nodes.size();
    auto const at = [](std::string const& path, std::size_t i) {
      return path + "[" + std::to_string(i) + "]";
    };
    if (!p.graph_.block_of.empty() && p.graph_.block_of.size() != n)
      return fail(error_code::shape_mismatch, "block_of", std::to_string(p.graph_.block_of.size()),
                  std::to_string(n) + " numbers, one per node");
    p.first_.assign(n + 1, 0);
    for (std::size_t v = 0; v < n; ++v) {
      auto const path = at("nodes", v);
      auto const& node = p.graph_.nodes[v];
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        auto const u = node.inputs[i];
        if (u >= v)
          return fail(error_code::out_of_range, path + at(".inputs", i), std::to_string(u),
                      "a node before " + std::to_string(v), node.name);
        if (std::find(node.inputs.begin(), node.inputs.begin() + static_cast<std::ptrdiff_t>(i),
                      u) != node.inputs.begin() + static_cast<std::ptrdiff_t>(i))
          return fail(error_code::duplicate, path + at(".inputs", i), std::to_string(u),
                      "each producer once", node.name);
        ++p.first_[u + 1];
      }
      if (v > 0 && !p.graph_.block_of.empty() && p.graph_.block_of[v] < p.graph_.block_of[v - 1])
        return fail(error_code::out_of_range, at("block_of", v),
                    std::to_string(p.graph_.block_of[v]),
                    "at least " + std::to_string(p.graph_.block_of[v - 1]), node.name);
      auto priced = p.price_all(node.kernels, path);
      if (!priced) return unexpected{std::move(priced).error()};
      p.priced_.push_back(*std::move(priced));
    }
    for (std::size_t v = 0; v < n; ++v) p.first_[v + 1] += p.first_[v];
    p.consumers_.resize(p.first_[n]);
    auto next = p.first_;
    for (std::uint32_t v = 0; v < n; ++v)
      for (auto const u : p.graph_.nodes[v].inputs) p.consumers_[next[u]++] = v;
    for (std::size_t v = 0; v < n; ++v) {
      p.alone_.push_back(p.sum(p.priced_[v], detail::alone_ticks<D>));
      p.least_.push_back(p.sum(p.priced_[v], detail::least_ticks<D>));
    }
    if (auto r = p.check_sums(); !r) return unexpected{std::move(r).error()};
    if (p.options_.lower) p.find_floors();
    return p;
  }

  [[nodiscard]] auto size() const -> std::size_t { return graph_.nodes.size(); }
  [[nodiscard]] auto graph() const -> stream_graph const& { return graph_; }
  [[nodiscard]] auto node(std::size_t v) const -> stream_node const& { return graph_.nodes[v]; }
  [[nodiscard]] auto device() const -> gpu_device const& { return device_; }
  [[nodiscard]] auto options() const -> stream_options const& { return options_; }
  [[nodiscard]] auto limits() const -> stream_limits const& { return options_.limits; }

  /// Producers of a node, each once, in the order of first use.
  [[nodiscard]] auto inputs(std::size_t v) const -> std::span<std::uint32_t const> {
    return graph_.nodes[v].inputs;
  }
  /// Consumers of a node, in order.
  [[nodiscard]] auto outputs(std::size_t v) const -> std::span<std::uint32_t const> {
    return {consumers_.data() + first_[v], consumers_.data() + first_[v + 1]};
  }
  [[nodiscard]] auto edges() const -> std::size_t { return consumers_.size(); }

  [[nodiscard]] auto kernels(std::size_t v) const -> std::span<detail::priced_kernel const> {
    return priced_[v];
  }
  [[nodiscard]] auto launches(std::size_t v) const -> bool { return !priced_[v].empty(); }
  /// Its kernels after each other, nothing beside them, gaps included.
  [[nodiscard]] auto alone(std::size_t v) const -> picoseconds { return alone_[v]; }
  /// No schedule runs it in less.
  [[nodiscard]] auto least(std::size_t v) const -> picoseconds { return least_[v]; }
  [[nodiscard]] auto overheads() const -> detail::overhead_ticks const& { return overheads_; }
  [[nodiscard]] auto device_limits() const -> detail::device_limits const& {
    return limits_of_device_;
  }

  /// The kernels of nodes merged into one; nothing where they cannot be (`merged_convolution`).
  [[nodiscard]] auto merged(std::span<std::uint32_t const> nodes) const
      -> std::optional<priced_kernels> {
    numbers key(nodes.begin(), nodes.end());
    std::sort(key.begin(), key.end());
    if (auto const known = merged_.find(key); known != merged_.end()) return known->second;
    return price_merged(key);
  }

  /// What merging with others leaves of a node at least.
  struct floor {
    bool may_merge{};                 ///< with some other node
    std::int64_t least{};             ///< ps, of the shortest merged kernel
    std::int64_t compute{}, memory{}; ///< ps of the whole device, its share of a merged kernel
  };
  [[nodiscard]] auto merged_floor(std::size_t v) const -> floor const& { return floors_[v]; }
  /// Whether some schedule may merge it with others.
  [[nodiscard]] auto may_merge(std::size_t v) const -> bool {
    return !floors_.empty() && floors_[v].may_merge;
  }

  /// Kernels on this device. Errors: as `make`.
  [[nodiscard]] auto price_all(later<std::vector<kernel>, D> const& kernels,
                               std::string const& path) const -> expected<priced_kernels> {
    priced_kernels all;
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      auto const& k = kernels[i];
      auto const where = [&] { return path + ".kernels[" + std::to_string(i) + "]"; };
      hardware::detail::parameter_check check;
      constexpr std::int64_t many = 1 << 20;
      check.within("blocks", k.blocks, 1, std::numeric_limits<std::int32_t>::max())
          .within("threads", k.threads, 1, many)
          .within("registers", k.registers, 0, many)
          .within("shared", k.shared.count(), 0, std::int64_t{1} << 40)
          .at_least("work", k.work.count(), 0)
          .at_least("traffic", k.traffic.count(), 0)
          .fraction("compute_efficiency", k.compute_efficiency)
          .fraction("memory_efficiency", k.memory_efficiency)
          .finite("alone", k.alone.count());
      if (auto r = check.result(); !r) return unexpected{std::move(r).error().inside(where())};
      all.push_back(detail::price(device_, k));
      if (all.back().fit == 0)
        return fail(error_code::infeasible, where(),
                    std::to_string(k.threads) + " threads, " + std::to_string(k.registers) +
                        " registers each, " + std::to_string(k.shared.count()) +
                        " bytes of shared memory",
                    "a block that fits an SM", k.name);
    }
    return all;
  }
  /// Of kernels after each other on one stream, gaps included.
  template <class Each>
  [[nodiscard]] auto sum(priced_kernels const& kernels, Each each) const -> picoseconds {
    picoseconds all{};
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      if (i > 0) all = saturating_add(all, picoseconds{overheads_.gap});
      all = saturating_add(all, picoseconds{each(limits_of_device_, kernels[i])});
    }
    return all;
  }

  /// Some nodes as a problem of its own, in the order given; inputs from others are dropped.
  /// Precondition: producers come first.
  [[nodiscard]] auto part(std::span<std::uint32_t const> nodes) const -> basic_stream_problem {
    later<stream_graph, D> g;
    g.name = graph_.name;
    later<std::vector<std::pair<std::uint32_t, std::uint32_t>>, D> places; // node, place
    for (std::uint32_t i = 0; i < nodes.size(); ++i) places.emplace_back(nodes[i], i);
    std::sort(places.begin(), places.end());
    for (auto const v : nodes) {
      auto node = graph_.nodes[v];
      node.inputs.clear();
      for (auto const u : graph_.nodes[v].inputs) {
        auto const at =
            std::lower_bound(places.begin(), places.end(), std::pair{u, std::uint32_t{0}});
        if (at != places.end() && at->first == u) node.inputs.push_back(at->second);
      }
      g.nodes.push_back(std::move(node));
    }
    return *make(std::move(g), device_, options_);
  }

private:
  /// Neither times nor sizes may overflow, whatever a schedule makes of them: one after another, all takes
  /// less than ten hours, a 64th of `never`.
  [[nodiscard]] auto check_sums() const -> expected<void> {
    auto const& o = overheads_;
    auto const whole = [](std::int64_t x) { return static_cast<double>(x); };
    double time = whole(o.graph), size = 0;
    for (std::size_t v = 0; v < this->size(); ++v) {
      auto const path = [&] { return "nodes[" + std::to_string(v) + "]"; };
      auto const& x = node(v);
      time += whole(alone(v).count()) + whole(o.gap) + whole(o.event) + whole(o.barrier) +
              whole(o.record) + whole(o.launch) * static_cast<double>(x.kernels.size()) +
              whole(o.wait) * static_cast<double>(x.inputs.size());
      if (!(time < whole(never.count() / 64)))
        return fail(error_code::out_of_range, path(),
                    std::to_string(time * 1e-12) + " s until here", "less than ten hours in all",
                    x.name);
      size += whole(x.output.count());
      if (x.output < bytes{} || !(size < whole(never.count())))
        return fail(error_code::out_of_range, path() + ".output",
                    std::to_string(x.output.count()) + " bytes", "0 or more, less than 2^61 in all",
                    x.name);
    }
    return {};
  }

  [[nodiscard]] auto price_merged(std::span<std::uint32_t const> nodes) const
      -> std::optional<priced_kernels> {
    if (!options_.lower) return std::nullopt;
    later<std::vector<mergeable_convolution>, D> all;
    for (auto const v : nodes) {
      auto const& x = graph_.nodes[v];
      if (!x.convolution || x.inputs.size() != 1 || x.inputs != graph_.nodes[nodes.front()].inputs)
        return std::nullopt;
      all.push_back(*x.convolution);
    }
    auto const one = merged_convolution<D>(all);
    if (!one) return std::nullopt;
    auto priced = price_all(options_.lower(*one), "merged");
    if (!priced || priced->empty()) return std::nullopt;
    return *std::move(priced);
  }

  /// Prices every set of convolutions that may be merged, up to ten of one input; of larger classes
  /// nothing is certain.
  void find_floors() {
    constexpr std::size_t most = 10;
    floors_.resize(size());
    later<std::vector<char>, D> seen(size(), 0);
    for (std::uint32_t v = 0; v < size(); ++v) {
      if (seen[v] != 0 || !node(v).convolution || node(v).inputs.size() != 1) continue;
      numbers alike; // may-merge is an equivalence
      for (auto const w : outputs(node(v).inputs[0])) {
        std::uint32_t const pair[] = {v, w};
        if (w == v || (node(w).convolution && node(w).inputs.size() == 1 && price_merged(pair)))
          alike.push_back(w);
      }
      for (auto const w : alike) seen[w] = 1;
      if (alike.size() < 2) continue;
      for (auto const w : alike) floors_[w].may_merge = true;
      if (alike.size() > most) continue;
      price_sets(alike);
    }
  }
  void price_sets(numbers const& alike) {
    later<std::vector<char>, D> priced_once(alike.size(), 0);
    for (std::uint32_t set = 1; set < (std::uint32_t{1} << alike.size()); ++set) {
      numbers nodes;
      for (std::size_t i = 0; i < alike.size(); ++i)
        if ((set >> i & 1U) != 0) nodes.push_back(alike[i]);
      auto kernels = nodes.size() == 1 ? std::optional{priced_[nodes[0]]} : price_merged(nodes);
      if (!kernels) continue; // it cannot run
      double compute = 0, memory = 0;
      for (auto const& k : *kernels) {
        compute += k.compute;
        memory += k.memory;
      }
      auto const share = (1 - 1e-8) / static_cast<double>(nodes.size());
      floor const now{true, sum(*kernels, detail::least_ticks<D>).count(),
                      static_cast<std::int64_t>(compute * share),
                      static_cast<std::int64_t>(memory * share)};
      for (std::size_t i = 0; i < alike.size(); ++i) {
        if ((set >> i & 1U) == 0) continue;
        auto& f = floors_[alike[i]];
        if (std::exchange(priced_once[i], 1) == 0) {
          f = now;
          continue;
        }
        f.least = std::min(f.least, now.least);
        f.compute = std::min(f.compute, now.compute);
        f.memory = std::min(f.memory, now.memory);
      }
      if (nodes.size() > 1) merged_.emplace(std::move(nodes), *std::move(kernels));
    }
  }

  later<stream_graph, D> graph_;
  gpu_device device_;
  later<stream_options, D> options_;
  numbers first_, consumers_;
  std::vector<priced_kernels> priced_;
  later<std::vector<picoseconds>, D> alone_, least_;
  std::vector<floor> floors_;
  std::map<numbers, priced_kernels> merged_;
  detail::overhead_ticks overheads_{};
  detail::device_limits limits_of_device_{};
};
using stream_problem = basic_stream_problem<>;

} // namespace mars
