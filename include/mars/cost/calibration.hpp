// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/cost/bandwidth_curve.hpp>
#include <mars/cost/detail/nonnegative_fit.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::cost {

/// Layers whose time has different reasons; each class has coefficients of its own.
enum class layer_class : std::uint8_t {
  dense,
  pointwise,     ///< 1×1: a matrix product of the input as it lies, run by code of its own
  depthwise,     ///< one input channel a group: few MACs for what is read
  matrix_vector, ///< one output position: each weight is used once
};
[[nodiscard]] inline auto class_of(convolution_layer const& c) -> layer_class {
  if (c.is_depthwise()) return layer_class::depthwise;
  if (c.batch * c.out.rows * c.out.columns == 1) return layer_class::matrix_vector;
  return c.is_pointwise() ? layer_class::pointwise : layer_class::dense;
}
[[nodiscard]] constexpr auto to_string(layer_class c) -> std::string_view {
  switch (c) {
  case layer_class::dense: return "dense";
  case layer_class::pointwise: return "pointwise";
  case layer_class::depthwise: return "depthwise";
  case layer_class::matrix_vector: return "matrix-vector";
  }
  return "unknown";
}

/// What a fit divides by: a core's limits. `measurement::machine` has them.
struct machine_rates {
  flops_per_second peak{}; ///< a multiply-add is two
  bandwidth_curve bandwidth{};
};

/// One timed layer.
struct observation {
  std::string algorithm{}; ///< layers are compared within one: whatever tells code apart
  int element_bits{32};
  layer_class kind{layer_class::dense};
  primitive_work work{};
  seconds time{};
  std::string group{}; ///< what may be left out together, such as a network
  /// What was timed; equal words are copies of one timing or near enough, which no validation may train on
  /// and ask about. Empty: like no other.
  std::string shape{};
};

/// Coefficients of t = Σ θ_j·x_j, all at least 0.
enum class time_feature : std::uint8_t {
  macs,       ///< MACs / (peak / 2)
  traffic,    ///< bytes / B(bytes), by the bandwidth curve
  constant,   ///< 1 µs
  calls,      ///< 1 µs each
  workspace,  ///< bytes / B(bytes), beyond its share of the traffic
  transforms, ///< operations / (peak / 2)
  decoding,   ///< indices / (peak / 2)
};
inline constexpr std::size_t time_features = 7;
using coefficients = std::array<double, time_features>;

template <deferred = when_called>
[[nodiscard]] auto features_of(primitive_work const& w, machine_rates const& rates)
    -> coefficients {
  constexpr double microsecond = 1e-6;
  auto const macs_per_second = rates.peak.count() / 2;
  return {w.macs / macs_per_second,
          rates.bandwidth.time(w.traffic).count(),
          microsecond,
          w.calls * microsecond,
          rates.bandwidth.time(w.workspace).count(),
          w.transform_ops / macs_per_second,
          w.decoded / macs_per_second};
}

/// Times of algorithms for convolutions, fitted to measurements of one machine:
///
///   t = α·MACs/P + β·bytes/B(bytes) + γ, and what the algorithm does besides (`time_feature`)
///
/// with coefficients of its own for each algorithm, element width and class of layers. Work is what the
/// algorithm executes (`Primitive::work`), so padding skipped and vectors half full are in the features,
/// not in the coefficients. Coefficients are not negative, so that no layer becomes cheaper by growing, and
/// minimise *relative* errors: a network's short layers count like its long ones.
///
/// Where data leave a choice (a class measured once, features that go together), it falls on what is
/// nearest to a machine that reaches its peaks and whose calls are free: timings that repeat to 5 % against
/// the belief that rates are within half of the peaks, and constants within half a microsecond. Many
/// layers outvote it. A class never measured gets the coefficients of all classes of its algorithm
/// together.
template <deferred D = when_called>
class basic_calibration {
public:
  using key = std::tuple<std::string, int, std::optional<layer_class>>; ///< no class: all together

  basic_calibration() = default;

  /// Errors: rates or times that are not positive and finite; working sets that do not ascend.
  [[nodiscard]] static auto fit(std::span<observation const> measured, machine_rates rates)
      -> expected<basic_calibration> {
    if (auto ok = check(rates); !ok) return unexpected{std::move(ok).error()};
    basic_calibration result;
    result.rates_ = std::move(rates);
    std::map<key, detail::normal_equations<time_features>> sums;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      auto const& o = measured[i];
      if (!(o.time > seconds{}) || !(o.time < infinite_seconds))
        return fail(error_code::out_of_range,
                    std::string{"observations["} + std::to_string(i) + "].time",
                    std::to_string(o.time.count()), "a positive, finite time");
      auto const x = features_of(o.work, result.rates_);
      for (auto const kind : {std::optional{o.kind}, std::optional<layer_class>{}}) {
        auto [it, fresh] = sums.try_emplace(key{o.algorithm, o.element_bits, kind});
        if (fresh) it->second.expect(nominal, belief);
        it->second.add(x, o.time.count());
      }
    }
    for (auto const& [k, s] : sums) result.fitted_.emplace(k, s.solve());
    return result;
  }

  /// By cause; the total is their sum, because that predicts better than their maximum. Nothing for an
  /// algorithm or element width that was not measured.
  [[nodiscard]] auto predict(std::string_view algorithm, int element_bits, layer_class kind,
                             primitive_work const& work) const -> std::optional<time_breakdown> {
    auto it = fitted_.find(key{algorithm, element_bits, kind});
    if (it == fitted_.end()) it = fitted_.find(key{algorithm, element_bits, std::nullopt});
    if (it == fitted_.end()) return std::nullopt;
    auto const x = features_of(work, rates_);
    auto const part = [&](time_feature f) {
      auto const j = static_cast<std::size_t>(f);
      return seconds{it->second[j] * x[j]};
    };
    using enum time_feature;
    time_breakdown t{.compute = part(macs) + part(transforms) + part(decoding),
                     .memory = part(traffic) + part(workspace),
                     .overhead = part(constant) + part(calls)};
    t.total = t.compute + t.memory + t.overhead;
    return t;
  }
  [[nodiscard]] auto predict(observation const& o) const -> std::optional<seconds> {
    auto const t = predict(o.algorithm, o.element_bits, o.kind, o.work);
    if (!t) return std::nullopt;
    return t->total;
  }

  [[nodiscard]] auto rates() const -> machine_rates const& { return rates_; }
  /// By algorithm, element width and class.
  [[nodiscard]] auto fitted() const -> std::map<key, coefficients> const& { return fitted_; }

private:
  /// Peaks reached, nothing besides.
  static constexpr coefficients nominal{1, 1, 0, 0, 0, 1, 1};
  /// (5 % / 50 %)²: variances of a timing and of what is believed.
  static constexpr double belief = 0.01;

  [[nodiscard]] static auto check(machine_rates const& rates) -> expected<void> {
    auto const usable = [](double rate) {
      return rate > 0 && rate < std::numeric_limits<double>::infinity();
    };
    if (!usable(rates.peak.count()))
      return fail(error_code::out_of_range, "rates.peak", std::to_string(rates.peak.count()),
                  "a positive, finite rate");
    bytes before{};
    auto const& points = rates.bandwidth.points;
    for (std::size_t i = 0; i < points.size(); ++i) {
      auto const path = std::string{"rates.bandwidth.points["} + std::to_string(i) + "]";
      auto const& p = points[i];
      if (!usable(p.rate.count()))
        return fail(error_code::out_of_range, path + ".rate", std::to_string(p.rate.count()),
                    "a positive, finite rate");
      if (p.working_set <= before)
        return fail(error_code::out_of_range, path + ".working_set",
                    std::to_string(p.working_set.count()), "more than the one before");
      before = p.working_set;
    }
    return {};
  }

  machine_rates rates_{};
  std::map<key, coefficients> fitted_;
};
using calibration = basic_calibration<>;

} // namespace mars::cost
