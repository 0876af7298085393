// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A design with three algorithms and two formats, small enough to price by hand.

#include <mars/core/random.hpp>
#include <mars/evaluation/build_problem.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/shard.hpp>

#include "support/tiny_systems.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars_test {

/// Convolutions run as `rows` (plain format), as `blocks` (format nchwc), or, 3×3 without stride, as
/// `transformed` (nchwc, four times the weights, a workspace of twice the input). Elementwise operators, given
/// `open_algorithms`, as `vector`, which works in any format; all else has no algorithm.
struct toy_processor {
  std::string title{"toy"};
  double rows_rate{1e9};        ///< MAC/s
  double blocks_rate{3e9};      ///< MAC/s
  double transformed_rate{5e9}; ///< MAC/s
  double bytes_rate{1e9};       ///< B/s, of everything else and of reorders
  bool open_algorithms{true};

  [[nodiscard]] auto name() const -> std::string_view { return title; }
  [[nodiscard]] auto time(mars::shard const& s) const -> mars::time_breakdown {
    if (mars::layer_of(s)) return after(work(s) / rows_rate);
    return after(static_cast<double>(mars::traffic_of(s).count()) / bytes_rate);
  }
  [[nodiscard]] auto algorithms(mars::shard const& s) const -> std::vector<mars::algorithm_time> {
    std::vector<mars::algorithm_time> all;
    auto const layer = mars::layer_of(s);
    if (!layer) {
      if (open_algorithms && s.op->kind == mars::op_kind::elementwise)
        all.push_back({.name = "vector", .time = time(s)});
      return all;
    }
    all.push_back({.name = "rows",
                   .time = after(work(s) / rows_rate),
                   .input_format = "nchw",
                   .output_format = "nchw"});
    all.push_back({.name = "blocks",
                   .time = after(work(s) / blocks_rate),
                   .input_format = "nchwc",
                   .output_format = "nchwc"});
    if (layer->kernel == mars::plane{3, 3} && layer->stride == mars::plane{} &&
        layer->groups == 1) {
      auto const* weight = mars::nth_operand(*s.op, mars::role::weight, 0);
      auto const* input = mars::nth_operand(*s.op, mars::role::input, 0);
      all.push_back({.name = "transformed",
                     .time = after(work(s) / transformed_rate),
                     .input_format = "nchwc",
                     .output_format = "nchwc",
                     .workspace = mars::bytes{2 * mars::size_of(*input, s.extents).count()},
                     .weights = mars::bytes{4 * mars::size_of(*weight, s.extents).count()}});
    }
    return all;
  }
  [[nodiscard]] auto reorder(mars::bytes size, std::string_view from, std::string_view to) const
      -> mars::seconds {
    if (from == to) return {};
    return mars::seconds{static_cast<double>(2 * size.count()) / bytes_rate};
  }

  friend auto operator==(toy_processor const&, toy_processor const&) -> bool = default;

private:
  [[nodiscard]] static auto work(mars::shard const& s) -> double {
    return static_cast<double>(mars::macs_of(s).count());
  }
  [[nodiscard]] static auto after(double time) -> mars::time_breakdown {
    return mars::overlapped(mars::seconds{time}, {});
  }
};

/// Rates that make every algorithm the best one now and then, and reorders now and then worth while.
inline auto random_toy(mars::random_stream& r, std::string title = "toy") -> toy_processor {
  auto const rate = [&](double least) { return least * (1 + 7 * r.uniform()); };
  return {.title = std::move(title),
          .rows_rate = rate(5e8),
          .blocks_rate = rate(5e8),
          .transformed_rate = rate(5e8),
          .bytes_rate = rate(r.chance(0.5) ? 2e7 : 2e8),
          .open_algorithms = r.chance(0.5)};
}

/// One accelerator.
inline auto toy_system(mars::any_design design, mars::bytes memory = mars::bytes{1'000'000'000}) {
  return uniform_system(
      ic::fully_connected{.accelerators = 1, .bandwidth = mars::bytes_per_second{1e9}},
      {std::move(design)}, memory);
}

} // namespace mars_test
