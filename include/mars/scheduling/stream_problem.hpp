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
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// How kernels reach the device.
enum class launch_mode : std::uint8_t {
  graph, ///< captured once, replayed: one overhead per replay, stages are joined by events
  eager, ///< by the host one after another, which waits between stages
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
  launch_mode mode{launch_mode::graph};
  dispatch_rule dispatch{dispatch_rule::blocking};
  stream_limits limits{};
  /// Kernels of a merged convolution; empty where it cannot run. None: nothing is merged.
  std::function<std::vector<kernel>(mergeable_convolution const&)> lower{};
};

/// A `stream_graph` on a device, compiled for schedulers: dependences both ways, every kernel priced.
template <deferred D = when_called>
class basic_stream_problem {
public:
  /// Errors: `out_of_range`, `shape_mismatch`, `infeasible` (a block that fits no SM); paths such as
  /// `nodes[3].inputs[0]`, `nodes[3].kernels[1].blocks`, `device.sms`. O(V + E).
  [[nodiscard]] static auto make(later<stream_graph, D> graph, gpu_device const& device,
                                 later<stream_options, D> options = {})
      -> expected<basic_stream_problem> {
    if (auto r = device.validate(); !r) return unexpected{std::move(r).error().inside("device")};
    basic_stream_problem p;
    p.graph_ = std::move(graph);
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
      -> std::optional<std::vector<detail::priced_kernel>> {
    if (!options_.lower) return std::nullopt;
    std::vector<mergeable_convolution> all;
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

  /// Whether some schedule may merge it with others.
  [[nodiscard]] auto may_merge(std::size_t v) const -> bool {
    return options_.lower != nullptr && !floors_.empty() && floors_[v].may_merge;
  }
  /// Picoseconds of the whole device that its own multiplications, weights and results take, whatever
  /// it is merged with.
  struct floor {
    bool may_merge{};
    std::int64_t compute{}, memory{};
  };
  [[nodiscard]] auto merged_floor(std::size_t v) const -> floor const& { return floors_[v]; }

  /// Kernels on this device. Errors: as `make`.
  [[nodiscard]] auto price_all(std::vector<kernel> const& kernels, std::string const& path) const
      -> expected<std::vector<detail::priced_kernel>> {
    std::vector<detail::priced_kernel> all;
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      auto const& k = kernels[i];
      auto const where = [&] { return path + ".kernels[" + std::to_string(i) + "]"; };
      hardware::detail::parameter_check check;
      check.at_least("blocks", k.blocks, 1)
          .at_least("threads", k.threads, 1)
          .at_least("registers", k.registers, 0)
          .at_least("shared", k.shared.count(), 0)
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
  [[nodiscard]] auto sum(std::vector<detail::priced_kernel> const& kernels, Each each) const
      -> picoseconds {
    picoseconds all{
        kernels.empty() ? 0 : overheads_.gap * static_cast<std::int64_t>(kernels.size() - 1)};
    for (auto const& k : kernels)
      all = saturating_add(all, picoseconds{each(limits_of_device_, k)});
    return all;
  }

  /// Some nodes as a problem of its own, in the order given; inputs from others are dropped.
  /// Precondition: producers come first.
  [[nodiscard]] auto part(std::span<std::uint32_t const> nodes) const -> basic_stream_problem {
    stream_graph g;
    g.name = graph_.name;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> places; // node, place
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
  /// Convolutions of one input and stride may be merged (`merged_convolution` asks for more).
  void find_floors() {
    floors_.resize(size());
    auto const open = [&](std::size_t v) {
      return node(v).convolution && node(v).inputs.size() == 1 && !priced_[v].empty();
    };
    for (std::size_t v = 0; v < size(); ++v) {
      if (!open(v)) continue;
      auto const& c = *node(v).convolution;
      for (auto const w : outputs(node(v).inputs[0]))
        if (w != v && open(w) && node(w).convolution->options.stride == c.options.stride)
          floors_[v].may_merge = true;
      if (!floors_[v].may_merge) continue;
      auto const along = [](ops::spatial const& x, std::size_t i) {
        return x.empty() ? 1 : x[std::min(i, x.size() - 1)];
      };
      double weights = static_cast<double>(c.input[1] / c.options.groups * c.options.out_channels);
      double positions = static_cast<double>(c.input[0]); // those that padding does not add
      for (std::size_t i = 0; i + 2 < c.input.size(); ++i) {
        auto const inner = std::max<std::int64_t>(0, c.input[2 + i] - along(c.options.kernel, i));
        weights *= static_cast<double>(along(c.options.kernel, i));
        positions *= static_cast<double>(inner / along(c.options.stride, i) + 1);
      }
      auto const moved = (weights + positions * static_cast<double>(c.options.out_channels)) *
                         static_cast<double>(c.element_bits) / 8;
      constexpr double digits = 1e12 * (1 - 1e-8);
      floors_[v].compute = static_cast<std::int64_t>(2 * weights * positions /
                                                     device_.peak(c.element_bits).count() * digits);
      floors_[v].memory = static_cast<std::int64_t>(moved / device_.bandwidth.count() * digits);
    }
  }

  stream_graph graph_;
  gpu_device device_;
  stream_options options_;
  std::vector<std::uint32_t> first_, consumers_;
  std::vector<std::vector<detail::priced_kernel>> priced_;
  std::vector<picoseconds> alone_, least_;
  std::vector<floor> floors_;
  detail::overhead_ticks overheads_{};
  detail::device_limits limits_of_device_{};
};
using stream_problem = basic_stream_problem<>;

} // namespace mars
