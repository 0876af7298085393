// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/detail/stream_waits.hpp>
#include <mars/evaluation/evaluate_schedule.hpp>
#include <mars/hardware/detail/kernels_of.hpp>
#include <mars/hardware/detail/priced_kernel.hpp>
#include <mars/scheduling/detail/kernel_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::detail {

/// A mapping with streams on its way to an evaluation: every operator is priced, its kernels are
/// derived, then all accelerators run together, event by event. See `evaluate_streams`.
template <WorkloadGraph Graph, AcceleratorSystem System, class Cost, class Collective,
          deferred D = when_called>
class stream_pricing : schedule_pricing<Graph, System, Cost, Collective, D> {
  using base = schedule_pricing<Graph, System, Cost, Collective, D>;

public:
  stream_pricing(Graph const& g, System const& system, later<mapping, D> const& m, Cost const& cost,
                 Collective const& collective, design_catalogue<System> const& catalogue,
                 later<std::vector<operation const*>, D> const& ops,
                 later<set_devices, D> const& devices)
      : base{g, system, m, cost, collective, catalogue, ops},
        devices_{&devices},
        units_(ops.size()),
        first_part_(ops.size() + 1),
        engines_(system.accelerators.size()) {
    this->result_.semantics = semantics::streamed;
    for (std::size_t i = 0; i < m.launch_order.size(); ++i)
      units_[m.launch_order[i].index()].place = static_cast<std::uint32_t>(i);
    for (std::size_t v = 0; v < ops.size(); ++v) {
      auto const s = m.operators[v].set.index();
      auto& entry = this->result_.operators[v];
      this->price(v, s, m.sets[s].accelerators, entry);
      entry.start = entry.end = never; // until it runs
      first_part_[v] = static_cast<std::uint32_t>(parts_.size());
      if (entry.compute < never) derive_parts(v, s, entry.compute);
    }
    first_part_.back() = static_cast<std::uint32_t>(parts_.size());
    join();
  }

  void run() {
    for (std::size_t s = 0; s < devices_->size(); ++s)
      for (std::size_t i = 0; i < (*devices_)[s].size(); ++i)
        if (auto const* d = (*devices_)[s][i])
          if (auto& e = engines_[this->m_->sets[s].accelerators[i].index()]; !e)
            e.emplace(limits_of(*d));
    for (auto const v : this->m_->launch_order)
      if (units_[v.index()].waits_for == 0) ready(v.index());
    for (;;) {
      auto now = timers_.empty() ? never.count() : std::get<0>(timers_.top());
      for (auto const& e : engines_)
        if (e) now = std::min(now, e->next());
      if (now >= never.count()) break;
      for (auto& e : engines_)
        if (e) e->advance(now, [&](std::uint32_t number) { kernel_ended(number, now); });
      while (!timers_.empty() && std::get<0>(timers_.top()) <= now) {
        auto const [when, place, next, number] = timers_.top();
        timers_.pop();
        handle(next, number, now);
      }
      for (auto& e : engines_)
        if (e) e->dispatch(now, [](std::uint32_t) {});
    }
  }

  [[nodiscard]] auto finish() && -> later<evaluation, D> {
    auto& result = this->result_;
    using span = std::pair<picoseconds, picoseconds>;
    later<std::vector<std::vector<span>>, D> runs(engines_.size()); // by accelerator
    for (auto const id : this->m_->launch_order) {
      auto const v = id.index();
      auto& e = result.operators[v];
      result.latency = std::max(result.latency, e.end);
      if (e.compute >= never)
        result.shortages.push_back(
            {shortage::kind::unsupported, members(v).front(), id, {}, {}, {}});
      else if (e.end < never)
        e.compute = e.end - e.start - inside(v);
      for (auto const a : members(v)) runs[a.index()].emplace_back(e.start, e.end);
    }
    for (auto& of_one : runs) {
      std::sort(of_one.begin(), of_one.end());
      picoseconds busy{}, until{};
      for (auto const& [start, end] : of_one) {
        if (end > until && end < never) busy += end - std::max(start, until);
        if (end >= never) busy = never;
        until = std::max(until, end);
      }
      result.bottleneck = std::max(result.bottleneck, busy);
    }
    if (this->energy_known_) result.energy = joules{to_seconds(this->picojoules_).count()};
    schedule_memory(*this->g_, *this->system_, *this->m_, result);
    return std::move(result);
  }

  /// See `bound_placement`.
  [[nodiscard]] auto least() const -> bound {
    auto const n = units_.size();
    later<std::vector<picoseconds>, D> begin(n), end(n);
    picoseconds longest{}, busiest{};
    for (auto const id : this->m_->launch_order) {
      auto const v = id.index();
      // All that it waits for comes before it in launch order, and has reached it.
      end[v] =
          is_view(v) ? begin[v] : saturating_add(begin[v], saturating_add(least_of(v), inside(v)));
      longest = std::max(longest, end[v]);
      for (auto const& w : units_[v].next) {
        if (w.on_stream) continue;
        auto const lag = is_view(v) ? picoseconds{} : std::min(picoseconds{}, w.lag);
        auto const from = is_view(v) ? begin[v] : end[v] + lag;
        begin[w.to] = std::max(begin[w.to], saturating_add(from, w.move));
      }
    }
    later<std::vector<double>, D> compute(engines_.size()), memory(engines_.size());
    for (auto const& p : parts_) {
      auto& sum = compute[p.where.index()];
      if (p.fixed > 0 && !p.fills) sum += static_cast<double>(p.fixed);
      if (p.fixed > 0) continue;
      for (auto const& k : kernels_[p.kernels]) {
        sum += k.compute;
        memory[p.where.index()] += k.memory;
      }
    }
    for (std::size_t a = 0; a < engines_.size(); ++a) {
      auto const most = std::max(compute[a], memory[a]) * (1 - 1e-9);
      busiest = std::max(busiest, to_picoseconds(seconds{most * 1e-12}));
    }
    return longest >= busiest ? bound{longest.count(), "kernel path"}
                              : bound{busiest.count(), "kernel work"};
  }

private:
  /// What an operator does on one member.
  struct part {
    std::uint32_t op{};
    accelerator_id where;
    std::uint32_t kernels{};     ///< which list
    std::uint32_t next_kernel{}; ///< of the list
    time_ticks gap{};
    time_ticks fixed{}; ///< runs for so long instead of its kernels; 0: it has kernels
    bool fills{};       ///< and keeps others from the device meanwhile, as a kernel that fills it
  };
  struct wait {
    std::uint32_t to{};
    picoseconds move{};
    picoseconds lag{}; ///< beyond the gap, if there was something to run before
    bool on_stream{};  ///< not for a result: for its turn
  };
  struct unit {
    std::uint32_t place{}; ///< in launch order
    std::uint32_t waits_for{};
    std::uint32_t parts_left{};
    picoseconds begin{};  ///< a gap before its first kernel can start
    picoseconds latest{}; ///< all that it waits for has ended
    std::vector<wait> next{};
  };
  enum class what : std::uint8_t { view, launch, part_end, end };

  [[nodiscard]] auto members(std::size_t v) const -> std::span<accelerator_id const> {
    return this->m_->sets[this->m_->operators[v].set.index()].accelerators;
  }
  [[nodiscard]] auto is_view(std::size_t v) const -> bool {
    return first_part_[v] == first_part_[v + 1] && this->result_.operators[v].compute < never;
  }
  /// Exchanges after the last kernel.
  [[nodiscard]] auto inside(std::size_t v) const -> picoseconds {
    auto const& e = this->result_.operators[v];
    return saturating_add(e.rotation, saturating_add(e.partial_sums, e.state_exchange));
  }

  void derive_parts(std::size_t v, std::size_t s, picoseconds priced) {
    auto const& o = *(*this->ops_)[v];
    auto const& placed = this->m_->operators[v];
    auto const& set = this->m_->sets[s].accelerators;
    auto const& devices = (*devices_)[s];
    bool const runs_kernels = launches_kernels(devices) && !placed.sharding.shared;
    std::size_t launched = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
      part p{.op = static_cast<std::uint32_t>(v), .where = set[i]};
      if (auto const* d = devices[i]) p.gap = to_picoseconds(d->overheads.gap).count();
      if (runs_kernels) {
        shard const mine{o, rank_extents(o, placed.sharding, set.size(), i)};
        later<std::vector<priced_kernel>, D> list;
        for (auto const& k : kernels_of((*this->catalogue_)[this->designs_[s][i]], mine))
          list.push_back(mars::detail::price(*devices[i], k));
        launched += list.size();
        p.kernels = static_cast<std::uint32_t>(kernels_.size());
        kernels_.push_back(std::move(list));
      }
      parts_.push_back(p);
    }
    if (launched > 0) return;
    if (priced == picoseconds{}) { // a view
      parts_.resize(first_part_[v]);
      return;
    }
    for (auto i = first_part_[v]; i < parts_.size(); ++i) {
      auto& p = parts_[i];
      auto const* d = devices[i - first_part_[v]];
      p.fixed = std::max<time_ticks>(1, priced.count() - p.gap);
      p.fills = d != nullptr;
      p.kernels = static_cast<std::uint32_t>(kernels_.size());
      auto& list = kernels_.emplace_back();
      if (d == nullptr) continue;
      auto const limits = limits_of(*d);
      priced_kernel k{.blocks = limits.sms,
                      .warps = limits.warps,
                      .registers = limits.registers,
                      .shared = limits.shared,
                      .fit = 1,
                      .waves = 1};
      k.wave = static_cast<double>(p.fixed);
      list.push_back(k);
    }
  }

  /// Who waits for whom.
  void join() {
    auto const add = [&](std::size_t from, wait w) {
      ++units_[w.to].waits_for;
      units_[from].next.push_back(w);
    };
    later<std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>, D> tail; // of a stream
    for (auto const id : this->m_->launch_order) {
      auto const v = static_cast<std::uint32_t>(id.index());
      for (auto const a : members(v)) {
        auto const [before, fresh] = tail.try_emplace({a.value, this->m_->stream_of(id).value}, v);
        if (!fresh) add(before->second, {.to = v, .on_stream = true});
        before->second = v;
      }
      auto const lag = event_lag((*devices_)[this->m_->operators[v].set.index()]);
      auto& entry = this->result_.operators[v];
      for (input_edge const e : inputs(*this->g_, id)) {
        auto const moved = this->move(v, e);
        entry.redistribution = std::max(entry.redistribution, moved);
        add(e.producer.index(),
            {.to = v,
             .move = moved,
             .lag = waits_for_event(*this->m_, e.producer, id) ? lag : picoseconds{}});
      }
    }
  }

  void start_timer(picoseconds at, std::size_t v, what next, std::size_t number) {
    timers_.emplace(at.count(), units_[v].place, next, static_cast<std::uint32_t>(number));
  }

  /// All that `v` waits for is known.
  void ready(std::size_t v) {
    auto& x = units_[v];
    auto& entry = this->result_.operators[v];
    entry.start = std::max(x.begin, x.latest);
    if (entry.start >= never || entry.compute >= never) return;
    if (is_view(v)) {
      entry.end = entry.start;
      start_timer(x.begin, v, what::view, v);
      return;
    }
    x.parts_left = first_part_[v + 1] - first_part_[v];
    for (auto i = first_part_[v]; i < first_part_[v + 1]; ++i)
      start_timer(x.begin + picoseconds{parts_[i].gap}, v, what::launch, i);
  }

  void handle(what next, std::uint32_t number, time_ticks now) {
    switch (next) {
    case what::view: pass_on(number); break;
    case what::launch: launch(number, now); break;
    case what::part_end: part_ended(number, now); break;
    case what::end: pass_on(number); break;
    }
  }
  void launch(std::uint32_t number, time_ticks now) {
    auto& p = parts_[number];
    auto const& list = kernels_[p.kernels];
    if (p.fixed > 0 && !p.fills) {
      start_timer(picoseconds{now + p.fixed}, p.op, what::part_end, number);
    } else if (p.next_kernel < list.size()) {
      auto const& k = list[p.next_kernel++];
      // One that fits no SM never ends.
      if (k.fit > 0) engines_[p.where.index()]->add(k, units_[p.op].place, number);
    } else {
      part_ended(number, now); // its shard launches nothing
    }
  }
  void kernel_ended(std::uint32_t number, time_ticks now) {
    auto const& p = parts_[number];
    if (p.next_kernel < kernels_[p.kernels].size())
      start_timer(picoseconds{now + p.gap}, p.op, what::launch, number);
    else
      part_ended(number, now);
  }
  void part_ended(std::uint32_t number, time_ticks now) {
    auto const v = parts_[number].op;
    if (--units_[v].parts_left > 0) return;
    auto& entry = this->result_.operators[v];
    entry.end = saturating_add(picoseconds{now}, inside(v));
    if (entry.end >= never) return;
    if (entry.end.count() == now)
      pass_on(v);
    else
      start_timer(entry.end, v, what::end, v);
  }
  /// Tells those that wait. On its set a view hands on when it could have started: it adds nothing of
  /// its own. Elsewhere another gap follows, so that what is left of a wait may not be negative.
  void pass_on(std::size_t v) {
    auto const& entry = this->result_.operators[v];
    bool const ran = !is_view(v);
    auto const& placed = this->m_->operators;
    for (auto const& w : units_[v].next) {
      auto& y = units_[w.to];
      bool const here = placed[v].set == placed[w.to].set;
      auto const from = !ran && here ? units_[v].begin : entry.end;
      auto const lag = ran ? w.lag : picoseconds{};
      y.begin = std::max(y.begin, saturating_add(from + lag, w.move));
      y.latest = std::max(y.latest, saturating_add(entry.end, w.move));
      if (--y.waits_for == 0) ready(w.to);
    }
  }

  /// In order of time, then of launching.
  using timer = std::tuple<time_ticks, std::uint32_t, what, std::uint32_t>;

  later<set_devices, D> const* devices_;
  std::vector<unit> units_;                         ///< by operator
  later<std::vector<std::uint32_t>, D> first_part_; ///< of each operator
  std::vector<part> parts_;
  later<std::vector<std::vector<priced_kernel>>, D> kernels_;
  std::vector<std::optional<basic_kernel_engine<D>>> engines_; ///< by accelerator
  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;

  /// After its gap, as the only one on its accelerators.
  [[nodiscard]] auto least_of(std::size_t v) const -> picoseconds {
    picoseconds slowest{};
    for (auto i = first_part_[v]; i < first_part_[v + 1]; ++i) {
      auto const& p = parts_[i];
      auto const& list = kernels_[p.kernels];
      picoseconds sum{p.gap};
      if (p.fixed > 0) {
        sum += picoseconds{p.fixed};
      } else {
        auto const limits =
            limits_of(*(*devices_)[this->m_->operators[v].set.index()][i - first_part_[v]]);
        for (std::size_t k = 0; k < list.size(); ++k)
          sum =
              saturating_add(sum, picoseconds{(k > 0 ? p.gap : 0) + least_ticks(limits, list[k])});
      }
      slowest = std::max(slowest, sum);
    }
    return this->result_.operators[v].compute >= never ? never : slowest;
  }
};

} // namespace mars::detail
