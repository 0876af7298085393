// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/detail/spatial.hpp>
#include <mars/hardware/host_traffic.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mars::hardware {

/// The layers an accelerator of H2H is made for.
enum class layer_kind : std::uint8_t { conv, fc, lstm };

/// Names of the designs: accelerators of one kind of layer may form sets.
[[nodiscard]] constexpr auto h2h_title(layer_kind k) -> std::string_view {
  switch (k) {
  case layer_kind::conv: return "h2h-conv";
  case layer_kind::fc: return "h2h-fc";
  case layer_kind::lstm: break;
  }
  return "h2h-lstm";
}

/// The accelerators of H2H: each knows one kind of layer, reads weights and maps from its own DRAM
/// through a port, and neither overlaps the streams of a convolution with computing nor knows stride
/// and padding. One MAC is two operations; b = bits of an element.
///
///   conv  ⌈R/Tr⌉·⌈C/Tc⌉·⌈M/Tm⌉·( ⌈N/Tn⌉·(t_w + t_i + t_c) + t_o )
///         t_w = Tm·Tn·K²·b/port, t_i = Tn·Tr'·Tc'·b/port, t_o = Tm·Tr·Tc·b/port,
///         t_c = 2·Tm·Tn·Tr·Tc·K²/rate                     (groups and batch one after another)
///   fc    max( (M·N + N)·b/port, 2·M·N/rate, M·b/port )
///   lstm  steps · max( (4·H·(D + H) + D)·b/port, 8·H·(D + H)/rate, H·b/port )
///
/// What crosses a host link (`host_traffic`): all weights; of a convolution N·2R·2C inputs, whatever
/// the stride; of an LSTM one step's input and state. Operators without MACs are taken to be fused:
/// no time of their own. O(1). Source: H2H, arXiv 2204.13852, and the accelerator models of MARCH.
struct h2h {
  std::string title{"h2h"};
  layer_kind layers{layer_kind::conv};
  flops_per_second rate{};
  hertz clock{};
  std::int64_t port_bits{512}; ///< to DRAM, per cycle
  std::int64_t tm{32};         ///< out-channels of a tile
  std::int64_t tn{32};         ///< in-channels
  std::int64_t tr{16};         ///< rows of the output
  std::int64_t tc{14};         ///< columns
  std::int64_t tr_in{16};      ///< rows of the input
  std::int64_t tc_in{16};
  watts power{unknown_watts}; ///< while running; energy is power · time

  [[nodiscard]] auto name() const -> std::string_view { return title; }
  [[nodiscard]] auto peak(int /*element_bits*/) const -> flops_per_second { return rate; }
  [[nodiscard]] auto supports(shard const& s) const -> bool {
    if (s.op->work.macs == 0) return s.op->kind != op_kind::opaque;
    return layers_of(s) == layers;
  }

  template <deferred = when_called>
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    if (!supports(s)) return unsupported_time();
    auto const shape = as_convolution(s);
    if (!shape) return unestimated_time();
    auto const b = static_cast<double>(bits_of(s));
    double const port = static_cast<double>(port_bits) * clock.count();
    using detail::real;
    using detail::tiles;
    switch (layers) {
    case layer_kind::conv: {
      double const kernel = real(shape->kernel_rows) * real(shape->kernel_columns);
      double const t_w = real(tm) * real(tn) * kernel * b / port;
      double const t_i = real(tn) * real(tr_in) * real(tc_in) * b / port;
      double const t_o = real(tm) * real(tr) * real(tc) * b / port;
      double const t_c = 2 * real(tm) * real(tn) * real(tr) * real(tc) * kernel / rate.count();
      double const loops = real(shape->batch) * real(shape->groups) * tiles(shape->rows, tr) *
                           tiles(shape->columns, tc) * tiles(shape->out_channels, tm);
      double const blocks = tiles(shape->in_channels, tn);
      return {.total = seconds{loops * (blocks * (t_w + t_i + t_c) + t_o)},
              .compute = seconds{loops * blocks * t_c},
              .memory = seconds{loops * (blocks * (t_w + t_i) + t_o)}};
    }
    case layer_kind::fc: {
      double const m = real(shape->out_channels);
      double const n = real(shape->in_channels);
      return streamed(real(shape->columns) * real(shape->groups), (m * n + n) * b / port,
                      2 * m * n / rate.count(), m * b / port);
    }
    case layer_kind::lstm: break;
    }
    double const h = real(s.extent("k"));
    double const both = real(s.extent("c"));
    double const d = both - real(hidden_of(s));
    return streamed(real(s.extent("t")) * real(s.extent("d")) * real(s.extent("n")),
                    (4 * h * both + d) * b / port, 8 * h * both / rate.count(), h * b / port);
  }

  [[nodiscard]] auto energy(shard const& s) const -> joules { return power * time(s).total; }

  template <deferred = when_called>
  [[nodiscard]] auto host_traffic(shard const& s) const -> host_bytes {
    auto bytes_held = bytes_by_role(s);
    auto const shape = as_convolution(s);
    if (!shape || s.op->work.macs == 0) return bytes_held;
    auto const of = [b = bits_of(s)](std::int64_t n) { return storage(n, b); };
    if (s.op->kind == op_kind::convolution)
      bytes_held.inputs =
          of(shape->batch * shape->groups * shape->in_channels * 4 * shape->rows * shape->columns);
    if (s.op->kind == op_kind::matmul)
      bytes_held.inputs = of(shape->in_channels * shape->columns * shape->groups);
    if (s.op->kind == op_kind::lstm) {
      bytes_held.weights = of(4 * s.extent("d") * s.extent("k") * s.extent("c"));
      bytes_held.inputs = of(s.extent("n") * (s.extent("c") - hidden_of(s)));
      bytes_held.outputs = of(s.extent("n") * s.extent("k"));
    }
    return bytes_held;
  }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    detail::parameter_check check;
    check.name(title)
        .finite_positive("rate", rate.count())
        .finite_positive("clock", clock.count())
        .at_least("port_bits", port_bits, 1)
        .at_least("tm", tm, 1)
        .at_least("tn", tn, 1)
        .at_least("tr", tr, 1)
        .at_least("tc", tc, 1)
        .at_least("tr_in", tr_in, 1)
        .at_least("tc_in", tc_in, 1);
    if (is_known(power)) check.finite("power", power.count());
    return check.result();
  }
  /// Two unknown powers are equal.
  friend auto operator==(h2h const& a, h2h const& b) -> bool {
    return a.title == b.title && a.layers == b.layers && a.rate == b.rate && a.clock == b.clock &&
           a.port_bits == b.port_bits && a.tm == b.tm && a.tn == b.tn && a.tr == b.tr &&
           a.tc == b.tc && a.tr_in == b.tr_in && a.tc_in == b.tc_in &&
           (a.power == b.power || (!is_known(a.power) && !is_known(b.power)));
  }

private:
  [[nodiscard]] static auto layers_of(shard const& s) -> std::optional<layer_kind> {
    switch (s.op->kind) {
    case op_kind::convolution: return layer_kind::conv;
    case op_kind::matmul: return layer_kind::fc;
    case op_kind::lstm: return layer_kind::lstm;
    default: return std::nullopt;
    }
  }
  [[nodiscard]] static auto bits_of(shard const& s) -> int {
    auto const* out = nth_operand(*s.op, role::output, 0);
    return out != nullptr ? out->element_bits : 32;
  }
  /// H of the whole layer: `c` runs over the input and all of the state.
  [[nodiscard]] static auto hidden_of(shard const& s) -> std::int64_t {
    for (auto const& d : s.op->dims)
      if (d.name == label{"k"}) return d.extent;
    return 0;
  }
  [[nodiscard]] static auto streamed(double times, double in, double compute, double out)
      -> time_breakdown {
    return {.total = seconds{times * std::max({in, compute, out})},
            .compute = seconds{times * compute},
            .memory = seconds{times * std::max(in, out)}};
  }
};

} // namespace mars::hardware
