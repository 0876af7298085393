// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/detail/spatial.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace mars::hardware {

/// Cycles of a tiled loop nest, by cause.
struct tiled_cycles {
  double total{};
  double compute{}; ///< ports infinitely wide
  double memory{};  ///< multipliers infinitely fast
};

/// Tiled loop nest of Super-LIP: Tm × Tn multipliers walk one output pixel and kernel tap per
/// cycle, while ports of fixed width fetch the next tiles (double buffering).
///
/// Prefer it for FPGA accelerators whose ports, not only whose multipliers, limit them: it is the
/// one FPGA design here that models the three streams one by one, and it has a form for shared
/// tensors (`xfer_cycles`).
/// O(1). Source: Super-LIP, arXiv 1907.08985, PerformanceModel/SuperLinearBackend.py of XFER_FPGA.
/// The input tile carries no halo and stride does not enter. Groups and batch run one after
/// another.
struct super_lip {
  std::string title{"super_lip"};
  std::int64_t tm{64}; ///< out-channels in parallel
  std::int64_t tn{7};  ///< in-channels in parallel
  std::int64_t tr{7};  ///< rows of a tile
  std::int64_t tc{14}; ///< columns of a tile
  hertz clock{200e6};
  double weight_words_per_cycle{std::numeric_limits<double>::infinity()}; ///< ∞: compute only
  double input_words_per_cycle{std::numeric_limits<double>::infinity()};
  double output_words_per_cycle{std::numeric_limits<double>::infinity()};
  bool clip_tiles{false};              ///< assumed variant: tiles no larger than the layer
  double vector_elements_per_cycle{0}; ///< 0: other operators are fused into the output (assumed)

  [[nodiscard]] auto name() const -> std::string_view { return title; }

  /// Tm·Tn, the multipliers.
  [[nodiscard]] auto macs_per_cycle() const -> double {
    return detail::real(tm) * detail::real(tn);
  }
  [[nodiscard]] auto peak(int /*element_bits*/) const -> flops_per_second {
    return flops_per_second{2 * macs_per_cycle() * clock.count()};
  }

  [[nodiscard]] auto tile_rows(convolution_shape const& c) const -> std::int64_t {
    return clip_tiles ? std::min(tr, c.rows) : tr;
  }
  [[nodiscard]] auto tile_columns(convolution_shape const& c) const -> std::int64_t {
    return clip_tiles ? std::min(tc, c.columns) : tc;
  }

  [[nodiscard]] auto cycles(convolution_shape const& c) const -> tiled_cycles;

  template <deferred = when_called>
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    if (auto const shape = as_convolution(s)) {
      auto const count = cycles(*shape);
      return {.total = detail::duration(count.total, clock),
              .compute = detail::duration(count.compute, clock),
              .memory = detail::duration(count.memory, clock)};
    }
    double in = 0;
    double out = 0;
    for (auto const& t : s.op->operands)
      (t.role == role::output ? out : in) += static_cast<double>(elements_of(t, s.extents));
    return detail::outside_loop_nest(
        s, vector_elements_per_cycle, clock,
        detail::duration(std::max(in / input_words_per_cycle, out / output_words_per_cycle),
                         clock));
  }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::parameter_check{}
        .name(title)
        .at_least("tm", tm, 1)
        .at_least("tn", tn, 1)
        .at_least("tr", tr, 1)
        .at_least("tc", tc, 1)
        .finite_positive("clock", clock.count())
        .positive("weight_words_per_cycle", weight_words_per_cycle)
        .positive("input_words_per_cycle", input_words_per_cycle)
        .positive("output_words_per_cycle", output_words_per_cycle)
        .finite("vector_elements_per_cycle", vector_elements_per_cycle)
        .result();
  }
  friend auto operator==(super_lip const&, super_lip const&) -> bool = default;
};

/// Super-LIP's sharing over several FPGAs, Pb·Pr·Pc·Pm of them: those that differ only in Pm share
/// the input, those that differ in batch, rows or columns share the weights; each loads its part
/// from DRAM and receives the rest over the links.
struct xfer {
  std::int64_t batch{1};
  std::int64_t rows{1};
  std::int64_t columns{1};
  std::int64_t out_channels{1};
  double link_words_per_cycle{std::numeric_limits<double>::infinity()}; ///< A_p
};

/// Cycles of one layer on `x.batch · x.rows · x.columns · x.out_channels` FPGAs.
/// Source: "Layer Parameters/PARA.py" of XFER_FPGA. With one FPGA it is the plain form.
[[nodiscard]] inline auto xfer_cycles(super_lip const& d, convolution_shape const& c, xfer const& x)
    -> tiled_cycles {
  using detail::real;
  using detail::tiles;
  double const tr = real(d.tile_rows(c));
  double const tc = real(d.tile_columns(c));
  double const tm = real(d.tm);
  double const tn = real(d.tn);
  double const kernel = real(c.kernel_rows) * real(c.kernel_columns);
  double const sharing_weights = real(x.batch) * real(x.rows) * real(x.columns); // q

  double const compute = kernel * tr * tc;
  double const input = tn * tr * tc / d.input_words_per_cycle;
  double const weight = tm * tn * kernel / d.weight_words_per_cycle;
  double const output = tm * tr * tc / d.output_words_per_cycle;
  double const input_net = tn * tr * tc / x.link_words_per_cycle;
  double const weight_net = tm * tn * kernel / x.link_words_per_cycle;
  double const in_term =
      x.out_channels == 1 ? input : std::max(input, input_net) / real(x.out_channels);
  double const weight_term =
      sharing_weights == 1 ? weight : std::max(weight, weight_net) / sharing_weights;

  double const n = tiles(c.in_channels, d.tn);
  double const loops = tiles(c.batch, x.batch) * real(c.groups) *
                       tiles(ceil_div(c.rows, x.rows), d.tile_rows(c)) *
                       tiles(ceil_div(c.columns, x.columns), d.tile_columns(c)) *
                       tiles(ceil_div(c.out_channels, x.out_channels), d.tm);
  double const streams = std::max(in_term, weight_term);
  return {.total = loops * std::max(n * std::max(streams, compute), output),
          .compute = loops * n * compute,
          .memory = loops * std::max(n * streams, output)};
}

inline auto super_lip::cycles(convolution_shape const& c) const -> tiled_cycles {
  return xfer_cycles(*this, c, {});
}

/// What a design takes of an FPGA.
struct fpga_resources {
  double dsp{};
  double bram18{};
};

/// DSP slices and 18 kbit block RAMs for kernels of the given size. Source: as the cycles; the
/// source knows 16-bit fixed point and 32-bit floating point, other widths follow the nearer one
/// above (assumed).
[[nodiscard]] inline auto resources_of(super_lip const& d, int element_bits,
                                       std::int64_t kernel_rows, std::int64_t kernel_columns)
    -> fpga_resources {
  using detail::real;
  // 18000 bits: the source counts a block as 18 000, not 18 432.
  auto const blocks = [](double bits) {
    double const whole = static_cast<double>(static_cast<std::int64_t>(bits / 18000));
    return whole * 18000 < bits ? whole + 1 : whole;
  };
  bool const fixed_point = element_bits <= 16;
  double const multipliers = d.macs_per_cycle();
  double const tile_bits = real(d.tr) * real(d.tc) * element_bits;
  double const kernel_bits = real(kernel_rows) * real(kernel_columns) * element_bits;
  double const buffers = 2 * (real(d.tn) + real(d.tm)) * blocks(tile_bits);
  return {.dsp = fixed_point ? multipliers : 5 * multipliers,
          .bram18 = buffers + (fixed_point ? multipliers * blocks(4 * kernel_bits)
                                           : 2 * multipliers * blocks(kernel_bits))};
}

} // namespace mars::hardware
