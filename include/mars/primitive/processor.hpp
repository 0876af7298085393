// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/inplace_vector.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/width_peak.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/csr_spatial_pack.hpp>
#include <mars/primitive/detail/other_work.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/rates.hpp>
#include <mars/primitive/spatial_pack.hpp>
#include <mars/primitive/winograd.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace mars::primitive {

/// What is read again and again from a working set of at most `size` bytes.
struct cache_level {
  bytes size{};
  bytes_per_second bandwidth{};

  friend auto operator==(cache_level const&, cache_level const&) -> bool = default;
};

/// A CPU or GPU that runs each layer by one of several algorithms, priced by what each does
/// (`primitive_work`) and what it reaches (`rates`); computing and moving data add up. A shard takes the
/// time of the fastest that supports it.
///
///   layers (`layer_of`)      every primitive that supports them; sparse weights help sparse ones only
///   other matrix products    as GEMM, at the rates of `im2col_gemm`
///   reshape                  nothing, but planes: another format is rewritten first
///   elementwise, pooling, …  all operands moved once, in planes or in blocks
///   softmax, transpose, …    all operands moved once, in planes
///   opaque                   not estimated
///
/// Elements narrower than 32 bits compute at the peak that `peaks` lists for their width and format (up to 8
/// bits all are integers); without one they are emulated: each is converted, one operation per element
/// moved, and computed in 32 bits. Sums of integers are requantised, one operation per element of the
/// output; emulation converts these anyway.
/// Time never falls as extents grow, but those of a convolution's kernel: 3×3 has Winograd. (What each
/// algorithm does grows, rounding included; an algorithm is gained by no other extent; slower levels
/// hold more.)
/// O(primitives). Source: ours, after the additive model with tiers of bandwidth.
template <Primitive... Primitives>
struct basic_processor {
  using rates_list = std::array<rates, sizeof...(Primitives)>;
  using algorithm_list =
      inplace_vector<algorithm_time, std::max<std::size_t>(2, sizeof...(Primitives))>;

  [[nodiscard]] static constexpr auto fitted() -> rates_list {
    return {fitted_rates(Primitives{}.name())...};
  }

  std::string title{"processor"};
  flops_per_second peak_rate{};                    ///< of 32-bit elements
  inplace_vector<hardware::width_peak, 6> peaks{}; ///< of formats that have units of their own
  int lanes{16};                                   ///< 32-bit accumulators of a vector
  inplace_vector<cache_level, 4> caches{};         ///< smallest and fastest first
  bytes_per_second bandwidth{};                    ///< of memory
  seconds launch{};                                ///< before every operator
  code_generation generation{code_generation::tuned};
  rates_list coefficients{fitted()};     ///< in the order of the primitives
  rates reordering{fitted_reordering()}; ///< `call` and `traffic`
  watts power{unknown_watts};            ///< while running; energy is power · time
  std::tuple<Primitives...> primitives{};

  [[nodiscard]] auto name() const -> std::string_view { return title; }

  /// What the units do. Shards whose algorithm leaves MACs out (Winograd, zeros, padding) may be faster.
  [[nodiscard]] auto peak(int element_bits, number_format numbers) const -> flops_per_second {
    for (auto const& p : peaks)
      if (has_units(p, element_bits, numbers)) return p.rate;
    return of_wide(element_bits);
  }
  /// Of the format that is fastest.
  [[nodiscard]] auto peak(int element_bits) const -> flops_per_second {
    auto best = flops_per_second{};
    for (auto const& p : peaks)
      if (p.element_bits == element_bits) best = std::max(best, p.rate);
    return best.count() > 0 ? best : of_wide(element_bits);
  }
  /// Of the fastest cache: no stream exceeds it.
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second {
    return caches.empty() ? bandwidth : caches[0].bandwidth;
  }

  /// Each way to run a shard. Empty: there is none.
  [[nodiscard]] auto algorithms(shard const& s) const -> algorithm_list {
    algorithm_list all;
    visit(s, [&](algorithm_time a) {
      a.energy = power * a.time.total;
      all.push_back(a);
    });
    return all;
  }
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    auto best = unsupported_time();
    visit(s, [&](algorithm_time const& a) {
      if (a.time.total < best.total) best = a.time;
    });
    return best;
  }
  [[nodiscard]] auto supports(shard const& s) const -> bool { return is_supported(time(s)); }
  [[nodiscard]] auto energy(shard const& s) const -> joules { return power * time(s).total; }

  /// Reads and writes the tensor, as an operator of its own.
  [[nodiscard]] auto reorder(bytes size, std::string_view from, std::string_view to) const
      -> seconds {
    if (from == to || from.empty() || to.empty() || size <= bytes{0}) return {};
    auto const moved = detail::passes(size, 1);
    return launch + reordering.call + stream(moved) * reordering.traffic;
  }

  /// The elements that some work is on.
  struct elements {
    int bits{32};
    number_format numbers{number_format::automatic};
    std::int64_t channels{1}; ///< of the input, in a group
    double outputs{};         ///< elements
  };
  [[nodiscard]] auto price(primitive_work const& w, rates const& r, elements const& e) const
      -> time_breakdown {
    auto const peak_macs = peak_rate.count() / 2;
    auto const macs_per_second = peak(e.bits, e.numbers).count() / 2;
    auto const slower = generation == code_generation::untuned ? r.untuned : 1;
    auto const reuse = std::max(1.0, r.least_channels / detail::real(e.channels));
    auto compute =
        slower * (r.macs * reuse * w.macs / macs_per_second +
                  (r.transforms * w.transform_ops + r.decoding * w.decoded * lanes) / peak_macs);
    if (is_emulated(e.bits, e.numbers))
      compute += detail::real(w.traffic.count()) * 8 / e.bits / peak_macs;
    else if (is_quantised(e.bits, e.numbers))
      compute += e.outputs / peak_macs;
    time_breakdown t{.compute = seconds{compute},
                     .memory = stream(w.traffic) * r.traffic,
                     .overhead = launch + r.call * w.calls};
    t.total = t.overhead + t.compute + t.memory;
    return t;
  }

  [[nodiscard]] auto validate() const -> expected<void> {
    hardware::detail::parameter_check check;
    check.name(title)
        .positive("peak_rate", peak_rate.count())
        .at_least("lanes", lanes, 1)
        .positive("bandwidth", bandwidth.count())
        .finite("launch", launch.count());
    for (auto const& p : peaks)
      check.at_least("peaks", p.element_bits, 1).positive("peaks", p.rate.count());
    cache_level before{.bandwidth = bytes_per_second{std::numeric_limits<double>::infinity()}};
    for (auto const& c : caches) {
      check.positive("caches", c.bandwidth.count())
          .that(c.size > before.size && c.bandwidth <= before.bandwidth, "caches", "out of order",
                "larger caches after smaller ones, and none faster than one before it");
      before = c;
    }
    check.that(bandwidth <= before.bandwidth, "bandwidth", "faster than a cache",
               "at most the bandwidth of the last cache");
    for (auto const& r : coefficients) check_rates(check, "coefficients", r);
    check_rates(check, "reordering", reordering);
    if (is_known(power)) check.finite("power", power.count());
    return check.result();
  }
  /// Two unknown powers are equal.
  friend auto operator==(basic_processor const& a, basic_processor const& b) -> bool {
    return a.title == b.title && a.peak_rate == b.peak_rate && a.peaks == b.peaks &&
           a.lanes == b.lanes && a.caches == b.caches && a.bandwidth == b.bandwidth &&
           a.launch == b.launch && a.generation == b.generation &&
           a.coefficients == b.coefficients && a.reordering == b.reordering &&
           (a.power == b.power || (!is_known(a.power) && !is_known(b.power))) &&
           a.primitives == b.primitives;
  }

private:
  static void check_rates(hardware::detail::parameter_check& check, char const* path,
                          rates const& r) {
    check.finite(path, r.macs)
        .finite(path, r.traffic)
        .finite(path, r.call.count())
        .finite(path, r.transforms)
        .finite(path, r.decoding)
        .finite_positive(path, r.untuned)
        .finite_positive(path, r.least_channels);
  }

  [[nodiscard]] static auto is_quantised(int element_bits, number_format numbers) -> bool {
    return element_bits <= 8 || numbers == number_format::integer;
  }
  [[nodiscard]] static auto has_units(hardware::width_peak const& p, int element_bits,
                                      number_format numbers) -> bool {
    return p.element_bits == element_bits && (p.numbers == numbers || element_bits <= 8);
  }
  [[nodiscard]] auto is_emulated(int element_bits, number_format numbers) const -> bool {
    return element_bits < 32 && std::none_of(peaks.begin(), peaks.end(), [&](auto const& p) {
             return has_units(p, element_bits, numbers);
           });
  }
  [[nodiscard]] auto of_wide(int element_bits) const -> flops_per_second {
    return element_bits <= 32 ? peak_rate : peak_rate * (32.0 / element_bits);
  }
  /// Going through `size` bytes once, from the smallest level that holds them.
  [[nodiscard]] auto stream(bytes size) const -> seconds {
    for (auto const& c : caches)
      if (size <= c.size) return size / c.bandwidth;
    return size / bandwidth;
  }

  [[nodiscard]] auto gemm_rates() const -> rates {
    auto found = fitted_rates("im2col_gemm");
    each([&](auto const& p, rates const& r) {
      if (p.name() == std::string_view{"im2col_gemm"}) found = r;
    });
    return found;
  }
  /// `f(primitive, rates)` in order.
  template <class F>
  void each(F&& f) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::get<I>(primitives), coefficients[I]), ...);
    }
    (std::index_sequence_for<Primitives...>{});
  }

  /// `report(algorithm)` for each way to run the shard.
  template <class F>
  void visit(shard const& s, F&& report) const {
    constexpr std::string_view planes = "nchw";
    constexpr std::string_view blocks = "nchwc";
    if (auto const layer = layer_of(s)) {
      auto const besides = detail::besides_layer(s);
      elements const e{.bits = layer->element_bits,
                       .numbers = layer->numbers,
                       .channels = layer->in_channels / layer->groups,
                       .outputs = detail::real(layer->batch) * detail::real(layer->out_channels) *
                                  detail::real(layer->out.rows) * detail::real(layer->out.columns)};
      each([&](auto const& p, rates const& r) {
        if (!p.supports(*layer)) return;
        primitive_work work = p.work(*layer, lanes);
        work.traffic = detail::total(work.traffic, besides);
        report(algorithm_time{p.name(), price(work, r, e), p.format(), p.format(), work.workspace,
                              work.weights});
      });
      return;
    }
    auto const in_planes = [&](std::string_view how, time_breakdown const& t,
                               bytes workspace = {}) {
      report(algorithm_time{how, t, planes, planes, workspace});
    };
    auto const kind = s.op->kind;
    if (kind == op_kind::opaque) return in_planes("opaque", unestimated_time());
    if (kind == op_kind::reshape) return in_planes("view", {});
    if (s.op->work.macs > 0 && as_convolution(s)) {
      auto const work = detail::product_work(s);
      elements e;
      if (auto const* input = nth_operand(*s.op, role::input, 0)) {
        e.bits = input->element_bits;
        e.numbers = input->numbers;
      }
      if (auto const* output = nth_operand(*s.op, role::output, 0))
        e.outputs = detail::real(elements_of(*output, s.extents));
      return in_planes("gemm", price(work, gemm_rates(), e), work.workspace);
    }
    auto const moving = price({.traffic = detail::moved_by(s)}, {}, {});
    in_planes("in_planes", moving);
    if (detail::keeps_formats(kind)) report(algorithm_time{"in_blocks", moving, blocks, blocks});
  }
};

/// With every algorithm of ours.
using processor = basic_processor<direct, im2col_gemm, spatial_pack, winograd_f2x3, winograd_f4x3,
                                  csr_direct, csr_gemm, csr_spatial_pack>;

} // namespace mars::primitive
