// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/scheduling/detail/priced_kernel.hpp>
#include <mars/scheduling/stream_graph.hpp>

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
  /// Errors: `invalid_argument`, `out_of_range`, `infeasible`; paths `nodes[3].inputs[0]`,
  /// `nodes[3].kernels[1].blocks`, `device.sms`. O(V + E).
  [[nodiscard]] static auto make(later<stream_graph, D> graph, later<gpu_device, D> const& device,
                                 later<stream_options, D> options = {})
      -> expected<basic_stream_problem>;

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

  /// The kernels of nodes merged into one; nothing where they cannot be (`merged_convolution`).
  [[nodiscard]] auto merged(std::span<std::uint32_t const> nodes) const
      -> std::optional<std::vector<detail::priced_kernel>>;

private:
  stream_graph graph_;
  gpu_device device_;
  stream_options options_;
  std::vector<std::uint32_t> first_, consumers_;
  std::vector<std::vector<detail::priced_kernel>> priced_;
  std::vector<picoseconds> alone_, least_;
  detail::overhead_ticks overheads_{};
};
using stream_problem = basic_stream_problem<>;

} // namespace mars
