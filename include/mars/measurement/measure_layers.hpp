// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/statistics.hpp>
#include <mars/cost/calibration.hpp>
#include <mars/measurement/candidate.hpp>
#include <mars/measurement/layers.hpp>
#include <mars/measurement/machine.hpp>
#include <mars/measurement/measurements.hpp>
#include <mars/measurement/pace.hpp>
#include <mars/measurement/progress_bar.hpp>
#include <mars/measurement/timing.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars::measurement {

/// One kernel on one layer of a network.
struct measured_layer {
  std::string network{};
  std::string layer{}; ///< the first of its shape
  std::int64_t repeats{1};
  convolution_layer shape{}; ///< elements as wide as they were measured
  std::string primitive{};
  std::string code{};
  precision element{precision::fp32};
  int lanes{1};
  bool automatic{};
  bool from_cache{};
  kernel_record record{};

  [[nodiscard]] auto time() const -> seconds { return record.time.time; }
  [[nodiscard]] auto valid() const -> macs { return valid_macs_of(shape); }
  /// MACs that the primitive does; those of the layer for a primitive that is not ours.
  [[nodiscard]] auto executed() const -> double {
    auto const work = work_of(primitive, shape, lanes);
    return work ? work->macs : static_cast<double>(macs_of(shape).count());
  }
};

struct measured_layers {
  machine on{};
  std::string clock{}; ///< what time is
  std::vector<measured_layer> rows{};
  /// False: the observer ended it before all had been measured; what is there is whole layers.
  bool complete{true};
  /// Distinct layers measured at another pace than most, for want of visits.
  std::size_t restless{};

  /// Of a layer whose shape is this, in any network; the first that `wanted`. Null: not measured.
  template <class Wanted>
  [[nodiscard]] auto find(convolution_layer const& shape, Wanted const& wanted) const
      -> measured_layer const* {
    auto const it = std::find_if(rows.begin(), rows.end(), [&](measured_layer const& r) {
      return r.shape == shape && wanted(r);
    });
    return it == rows.end() ? nullptr : &*it;
  }
};

struct measure_options {
  timing_options timing{.budget = seconds{0.15}};
  std::vector<kernel_source> sources{};
  std::vector<double> densities{1}; ///< shares of nonzero weights; each is a layer of its own
  machine on{};                     ///< from `measure_machine` or `describe_machine`
  /// Asked before anything runs, and told what did; a layer is taken from it only with all its kernels,
  /// so that ratios within a layer are of one run. Not owned; null: none.
  measurements* cache{};
  /// If copies of a layer's weights would take more, its kernels are made and timed one after another.
  bytes memory{std::int64_t{6} << 30};
  /// How often a layer is measured at most: again at the end where the machine was slower or faster meanwhile
  /// than with most layers, by more than `unrest`. The visit nearest to that pace counts, with all kernels of
  /// the layer.
  int visits{2};
  double unrest{0.05};
  /// What tells the pace, by the same clock; empty: a `pace_probe`. Not asked where `visits` is 1. With a clock
  /// that real work does not move give what moves it.
  std::function<void()> pace{};
};

namespace detail {

/// `SHAPE; fp32 onednn 2.6.3 direct brgconv:avx512_core automatic`
[[nodiscard]] inline auto key_of(convolution_layer const& shape, candidate const& c)
    -> std::string {
  auto key = to_text(shape).append("; ").append(to_string(c.element));
  auto const word = [&](std::string_view w) {
    if (!w.empty()) key.append(" ").append(w);
  };
  word(c.code);
  word(c.version);
  word(c.primitive);
  word(c.kernel);
  word(c.automatic ? "automatic" : "");
  return key;
}

/// All records, or none.
[[nodiscard]] inline auto recall(convolution_layer const& shape, std::vector<candidate> const& all,
                                 measure_options const& o) -> std::vector<kernel_record> {
  std::vector<kernel_record> records;
  if (o.cache == nullptr) return records;
  auto const key = o.on.key();
  for (auto const& c : all) {
    auto found = o.cache->find(key, key_of(shape, c));
    if (!found) return {};
    records.push_back(std::move(*found));
  }
  return records;
}

/// All kernels of a layer, as they were on one visit.
struct visit {
  std::vector<kernel_record> records{};
  seconds pace{}; ///< of the probe, meanwhile
  bool cached{};  ///< no visit: recalled
};

template <Clock C>
[[nodiscard]] auto time_candidates(convolution_layer const& shape,
                                   std::vector<candidate> const& all, measure_options const& o,
                                   C& clock) -> expected<visit> {
  visit result;
  auto& records = result.records;
  double groups = 0;
  auto const weights = 4.0 * static_cast<double>(weights_of(shape));
  auto const together =
      weights * static_cast<double>(all.size()) <= static_cast<double>(o.memory.count());
  auto const step = together ? std::max<std::size_t>(all.size(), 1) : 1;
  for (std::size_t first = 0; first < all.size(); first += step) {
    std::vector<std::function<void()>> calls;
    for (std::size_t i = first; i < std::min(first + step, all.size()); ++i) {
      auto kernel = all[i].prepare();
      if (!kernel) return unexpected{std::move(kernel).error().inside(key_of(shape, all[i]))};
      records.push_back({.implementation = kernel->implementation,
                         .reorders_input = kernel->reorders_input,
                         .reorders_output = kernel->reorders_output});
      calls.push_back(std::move(kernel->run));
    }
    auto const kernels = calls.size();
    if (o.visits > 1) calls.push_back(o.pace);
    auto const times = time_interleaved(std::span{calls}, o.timing, clock);
    for (std::size_t i = 0; i < kernels; ++i) records[first + i].time = times[i];
    if (o.visits > 1) result.pace += times.back().time;
    ++groups;
  }
  if (groups > 0) result.pace = result.pace / groups;
  return result;
}

/// Distinct layers of some networks, measured.
template <Clock C>
class campaign {
public:
  campaign(std::span<graph const> networks, measure_options const& o, job_observer const& observer,
           C& clock)
      : networks_{networks}, o_{o}, observer_{observer}, clock_{clock} {
    if (o_.visits > 1 && !o_.pace) o_.pace = pace_probe{};
    for (std::size_t n = 0; n < networks.size(); ++n)
      for (auto const& l : distinct_layers(networks[n]))
        for (auto const density : o.densities) {
          auto shape = l.shape;
          shape.density = density;
          auto it = std::find_if(jobs_.begin(), jobs_.end(),
                                 [&](job const& j) { return j.shape == shape; });
          if (it == jobs_.end()) it = jobs_.insert(it, {.shape = shape});
          it->uses.push_back({n, l.name, l.repeats});
        }
    total_ = jobs_.size();
  }

  [[nodiscard]] auto run() -> expected<measured_layers> {
    auto ok = visit_all();
    auto const ended = visited_ < jobs_.size();
    find_usual();
    for (int more = 1; ok && !stopped_ && more < o_.visits; ++more) ok = visit_restless();
    auto const kept = remember();
    if (!ok) return unexpected{std::move(ok).error()};
    if (!kept) return unexpected{kept.error()};
    measured_layers result{
        .on = o_.on, .clock = std::string{clock_.name()}, .rows = rows(), .complete = !ended};
    for (auto const& j : jobs_) result.restless += is_restless(j) ? 1 : 0;
    if (!stopped_) (void)proceed("done");
    return result;
  }

private:
  struct use {
    std::size_t network; ///< which: names need not differ
    std::string layer;
    std::int64_t repeats;
  };
  struct job {
    convolution_layer shape{};
    std::vector<use> uses{};
    std::vector<candidate> candidates{};
    visit best{}; ///< the one nearest to the usual pace
  };

  [[nodiscard]] auto name_of(job const& j) const -> std::string {
    return std::string{networks_[j.uses.front().network].name()} + " " + j.uses.front().layer;
  }
  /// False once the observer has ended it.
  [[nodiscard]] auto proceed(std::string_view what) -> bool {
    stopped_ =
        observer_ && !observer_({static_cast<double>(done_), static_cast<double>(total_), what});
    return !stopped_;
  }

  [[nodiscard]] auto visit_all() -> expected<void> {
    for (auto& j : jobs_) {
      auto const what = name_of(j);
      if (!proceed(what)) return {};
      for (auto const& source : o_.sources) {
        auto some = source(j.shape);
        if (!some) return unexpected{std::move(some).error().inside(what)};
        std::move(some->begin(), some->end(), std::back_inserter(j.candidates));
      }
      j.best.records = recall(j.shape, j.candidates, o_);
      j.best.cached = !j.best.records.empty();
      if (!j.best.cached) {
        auto timed = time_candidates(j.shape, j.candidates, o_, clock_);
        if (!timed) return unexpected{std::move(timed).error()};
        j.best = std::move(*timed);
      }
      ++visited_;
      ++done_;
    }
    return {};
  }

  void find_usual() {
    std::vector<double> paces;
    for (auto const& j : jobs_)
      if (was_timed(j)) paces.push_back(j.best.pace.count());
    if (!paces.empty()) usual_ = seconds{median(paces)};
  }
  [[nodiscard]] static auto was_timed(job const& j) -> bool {
    return !j.best.cached && !j.best.records.empty();
  }
  [[nodiscard]] auto distance(visit const& v) const -> double {
    if (!(usual_ > seconds{}) || !(v.pace > seconds{})) return 0;
    return std::max(v.pace / usual_, usual_ / v.pace) - 1;
  }
  [[nodiscard]] auto is_restless(job const& j) const -> bool {
    return was_timed(j) && distance(j.best) > o_.unrest;
  }

  [[nodiscard]] auto visit_restless() -> expected<void> {
    std::vector<job*> again;
    for (auto& j : jobs_)
      if (is_restless(j)) again.push_back(&j);
    total_ += again.size();
    for (auto* const j : again) {
      if (!proceed(name_of(*j))) return {};
      auto timed = time_candidates(j->shape, j->candidates, o_, clock_);
      if (!timed) return unexpected{std::move(timed).error()};
      if (distance(*timed) < distance(j->best)) j->best = std::move(*timed);
      ++done_;
    }
    return {};
  }

  /// What is settled. Where the measurement ended early, restless layers are left to the next one.
  [[nodiscard]] auto remember() const -> expected<void> {
    if (o_.cache == nullptr) return {};
    auto const whole = visited_ == jobs_.size() && !stopped_;
    for (auto const& j : jobs_) {
      if (!was_timed(j) || (!whole && is_restless(j))) continue;
      for (std::size_t i = 0; i < j.candidates.size(); ++i)
        if (auto ok =
                o_.cache->set(o_.on.key(), key_of(j.shape, j.candidates[i]), j.best.records[i]);
            !ok)
          return ok;
    }
    return {};
  }

  [[nodiscard]] auto rows() const -> std::vector<measured_layer> {
    std::vector<measured_layer> all;
    for (std::size_t n = 0; n < networks_.size(); ++n)
      for (auto const& j : jobs_)
        for (auto const& u : j.uses)
          for (std::size_t k = 0; u.network == n && k < j.best.records.size(); ++k) {
            auto const& c = j.candidates[k];
            all.push_back({.network = std::string{networks_[n].name()},
                           .layer = u.layer,
                           .repeats = u.repeats,
                           .shape = j.shape,
                           .primitive = c.primitive,
                           .code = c.code,
                           .element = c.element,
                           .lanes = c.lanes,
                           .automatic = c.automatic,
                           .from_cache = j.best.cached,
                           .record = j.best.records[k]});
            all.back().shape.element_bits = bits_of(c.element);
          }
    return all;
  }

  std::span<graph const> networks_;
  measure_options o_;
  job_observer const& observer_;
  C& clock_;
  std::vector<job> jobs_{};
  seconds usual_{};
  std::size_t visited_{}, done_{}, total_{};
  bool stopped_{};
};

} // namespace detail

/// Times every kernel of every source on every distinct layer of some networks: each shape once, however
/// many networks have it, its kernels in turns; once more at the end where the machine was slower or faster
/// meanwhile (the observer's total grows by these). Rows come in the order of networks, layers and sources.
/// What has been measured goes into the cache also when a source fails or the observer ends it. Errors: those
/// of sources. About one budget a kernel and visit, and what sources take to tune.
template <Clock C = thread_clock>
[[nodiscard]] auto measure_layers(std::span<graph const> networks, measure_options const& o,
                                  job_observer const& observer = {}, C&& clock = {})
    -> expected<measured_layers> {
  return detail::campaign<std::remove_reference_t<C>>{networks, o, observer, clock}.run();
}

/// Whose code and which algorithm: what coefficients are fitted for.
[[nodiscard]] inline auto algorithm_of(measured_layer const& r) -> std::string {
  return r.code + " " + r.primitive;
}
/// For `cost::calibration`, in the order of the rows. Of primitives that are not ours, MACs and operands are
/// all that is known.
[[nodiscard]] inline auto observations_of(measured_layers const& measured)
    -> std::vector<cost::observation> {
  std::vector<cost::observation> all;
  all.reserve(measured.rows.size());
  for (auto const& r : measured.rows) {
    auto work = work_of(r.primitive, r.shape, r.lanes);
    if (!work) work = primitive::direct{}.work(r.shape, 1);
    all.push_back({.algorithm = algorithm_of(r),
                   .element_bits = r.shape.element_bits,
                   .kind = cost::class_of(r.shape),
                   .work = *work,
                   .time = r.time(),
                   .group = r.network,
                   .shape = to_text(r.shape)});
  }
  return all;
}

/// What a calibration divides by.
[[nodiscard]] inline auto rates_of(machine const& m) -> cost::machine_rates {
  return {m.peak, m.bandwidth};
}

/// Puts the fastest measured kernel that `wanted` for each layer of a network into a table (`cost::table`),
/// under the name of a design; layers that have a cost there keep it. The network's element widths are
/// its own: a layer of 16 bits is given kernels of 16 bits only. Returns how many operators found one.
template <class Table, WorkloadGraph G, class Wanted>
[[nodiscard]] auto fill(Table& table, G const& network, measured_layers const& measured,
                        std::string_view design, Wanted const& wanted) -> std::size_t {
  std::size_t found = 0;
  for (auto const v : operators(network)) {
    shard const s{op(network, v)};
    auto const layer = layer_of(s);
    if (!layer) continue;
    measured_layer const* best = nullptr;
    for (auto const& r : measured.rows)
      if (r.shape == *layer && wanted(r) && (best == nullptr || r.time() < best->time())) best = &r;
    if (best == nullptr) continue;
    ++found;
    if (!table.find(s, design))
      (void)table.add(s, design, {.time = {.total = best->time(), .compute = best->time()}});
  }
  return found;
}

} // namespace mars::measurement
