// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/mapping/detail/audit.hpp>
#include <mars/mapping/detail/audit_algorithms.hpp>
#include <mars/mapping/violation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::detail::audit {

/// Everything memory depends on, by operator number.
struct memory_question {
  std::vector<operation const*> ops;
  wiring const* wires{};
  mapping const* plan{};
  std::vector<bytes> capacities;                  ///< by accelerator
  std::vector<time_span> spans;                   ///< when operators run
  std::vector<std::vector<bool>> results;         ///< outputs that stay to the end
  std::vector<std::vector<algorithm_use>> uses{}; ///< by rank
};

/// Walks the operators of one accelerator in the order they run.
template <deferred D = when_called>
class basic_memory_walk {
public:
  explicit basic_memory_walk(memory_question const& q) : q_{q}, position_(q.ops.size()) {
    auto const n = q.ops.size();
    later<std::vector<std::uint32_t>, D> rank_in_order(n);
    for (std::size_t i = 0; i < n; ++i)
      rank_in_order[q.wires->order[i]] = static_cast<std::uint32_t>(i);
    later<std::vector<std::uint32_t>, D> all(q.wires->order);
    auto const key = [&](std::uint32_t v) {
      return std::tuple{q.spans[v].start, q.spans[v].end, rank_in_order[v]};
    };
    std::sort(all.begin(), all.end(), [&](auto a, auto b) { return key(a) < key(b); });
    for (std::size_t i = 0; i < n; ++i) position_[all[i]] = static_cast<std::uint32_t>(i);
    of_accelerator_.resize(q.capacities.size());
    for (auto const v : all) {
      auto const& members = q.plan->sets[q.plan->operators[v].set.index()].accelerators;
      for (std::uint32_t rank = 0; rank < members.size(); ++rank)
        of_accelerator_[members[rank].index()].push_back({v, rank});
    }

    release_.resize(n);
    for (std::size_t v = 0; v < n; ++v) {
      std::size_t outputs = 0;
      for (auto const& t : q.ops[v]->operands) outputs += t.role == role::output;
      // Read by nobody: gone when its operator ends.
      release_[v].assign(outputs, {q.spans[v].end, position_[v]});
      for (std::size_t i = 0; i < outputs; ++i)
        if (q.results[v][i]) release_[v][i] = never_released();
    }
    for (auto const& e : q.wires->edges)
      release_[e.producer][e.output] = std::max(
          release_[e.producer][e.output], moment{q.spans[e.consumer].end, position_[e.consumer]});
  }

  [[nodiscard]] auto demand_of(accelerator_id a) const -> memory_demand {
    memory_demand d{.accelerator = a, .capacity = {}, .at = {}, .largest = {}};
    d.capacity = q_.capacities[a.index()];

    std::vector<entry> entries;
    std::int64_t resident = 0;
    std::int64_t live = 0;
    std::int64_t highest = -1;
    std::size_t highest_at = 0;
    // Live results: when they go, and how large they are.
    using leaving = std::pair<moment, std::int64_t>;
    std::priority_queue<leaving, std::vector<leaving>, std::greater<>> living;
    later<std::vector<std::size_t>, D> running; // entries; one at a time, but for streams
    for (auto const& turn : of_accelerator_[a.index()]) {
      auto const v = turn.first;
      // Whoever ends leaves its results in place of its buffers.
      std::erase_if(running, [&](std::size_t i) {
        auto const& ended = entries[i];
        if (!is_over(end_of(ended.op), v)) return false;
        live -= ended.buffers;
        for (std::size_t k = 0; k < ended.kept.size(); ++k) {
          live += ended.kept[k];
          living.emplace(release_[ended.op][k], ended.kept[k]);
        }
        return true;
      });
      while (!living.empty() && is_over(living.top().first, v)) {
        live -= living.top().second;
        living.pop();
      }
      auto e = entry_of(v, turn.second);
      resident += e.weights;
      live += e.buffers;
      if (live > highest) {
        highest = live;
        highest_at = entries.size();
      }
      running.push_back(entries.size());
      entries.push_back(std::move(e));
    }
    d.resident = bytes{resident};
    d.peak = bytes{resident + std::max<std::int64_t>(highest, 0)};
    if (entries.empty()) return d;
    d.at = operator_id{entries[highest_at].op};
    d.largest = largest_parts(entries, highest_at);
    return d;
  }

private:
  /// The end of an operator; position tells operators of no duration apart.
  using moment = later<std::pair<seconds, std::uint32_t>, D>;

  /// What one operator puts on one device.
  struct entry {
    std::uint32_t op{};
    std::int64_t weights{};                   ///< for the whole inference
    std::int64_t buffers{};                   ///< while it runs
    later<std::vector<std::int64_t>, D> kept; ///< by result, from its end until `release_`
  };

  [[nodiscard]] static auto never_released() -> moment {
    return {infinite_seconds, std::numeric_limits<std::uint32_t>::max()};
  }
  [[nodiscard]] auto end_of(std::uint32_t v) const -> moment {
    return {q_.spans[v].end, position_[v]};
  }
  [[nodiscard]] auto is_over(moment const& m, std::uint32_t v) const -> bool {
    return m.first <= q_.spans[v].start && m.second < position_[v];
  }

  /// Bytes of the largest part of a rotating tensor that this device ever holds.
  [[nodiscard]] static auto largest_phase(operand const& t, box iterations, cut const& shared)
      -> std::int64_t {
    std::int64_t most = 0;
    auto const whole = iterations.side[shared.dim];
    for (std::int64_t part = 0; part < shared.ways; ++part) {
      iterations.side[shared.dim] = share(whole, shared.ways, part);
      most = std::max(most, touched(t, iterations).volume());
    }
    return octets(most, t.element_bits);
  }

  [[nodiscard]] auto entry_of(std::uint32_t v, std::size_t rank) const -> entry {
    later<operation, D> const& op = *q_.ops[v];
    auto const& placed = q_.plan->operators[v];
    auto const& s = placed.sharding;
    auto const set_size = q_.plan->sets[placed.set.index()].accelerators.size();
    seat const here{op, s, set_size, rank};
    auto const mine = here.iterations();
    auto const* rotates = rotating(op, s, set_size);
    entry e{.op = v, .kept = {}};
    auto const& use = q_.uses[v][rank];
    bool const own_form = use.weights && s.shared;
    std::int64_t partial = 0;
    std::int64_t reduced = 0;
    bool first_weight = true;
    e.buffers += use.workspace;
    for (std::size_t k = 0; k < op.operands.size(); ++k) {
      auto const& t = op.operands[k];
      auto const held = rotates == &t ? largest_phase(t, mine, *s.shared)
                                      : octets(touched(t, mine).volume(), t.element_bits);
      if (rotates == &t) e.buffers += held; // the part on its way in
      switch (t.role) {
      case role::weight:
        if (placed.weights == residency::resident)
          e.weights +=
              first_weight && use.weights
                  ? *use.weights * (own_form && uses_dim(t, s.shared->dim) ? s.shared->ways : 1)
                  : held;
        first_weight = false;
        break;
      case role::state: e.buffers += held; break;
      case role::input:
        if (auto const* feed = feed_of(v, k)) {
          e.buffers += received(*feed, t, here, mine, rotates == &t, rank);
          auto const& maker = q_.uses[feed->producer].front();
          auto const& made = *result_of(*q_.ops[feed->producer], feed->output);
          bool const converts =
              made.element_bits != t.element_bits &&
              q_.plan->operators[feed->producer].compression != placed.compression;
          if (converts || differ(maker.writes, use.reads))
            e.buffers += octets(needed(t, here, mine, s, rotates == &t).volume(),
                                converts ? t.element_bits : made.element_bits);
        } else {
          e.buffers += held;
          if (differ(std::string{plain_format}, use.reads))
            e.buffers += octets(needed(t, here, mine, s, rotates == &t).volume(), t.element_bits);
        }
        break;
      case role::output:
        e.kept.push_back(octets(here.kept(t).volume(), t.element_bits));
        if (q_.results[v][e.kept.size() - 1] && differ(use.writes, std::string{plain_format}))
          e.buffers += e.kept.back();
        partial += held;
        reduced += e.kept.back();
        break;
      }
    }
    e.buffers += partial;
    if (auto const summands = here.among_summands().second; summands > 1)
      e.buffers += s.scatter ? reduced : (partial + summands - 1) / summands;
    return e;
  }

  /// A format that may be any needs no copy in another.
  [[nodiscard]] static auto differ(std::string const& from, std::string const& to) -> bool {
    return from != to && !from.empty() && !to.empty();
  }
  [[nodiscard]] static auto uses_dim(operand const& t, std::size_t dim) -> bool {
    for (auto const& a : t.axes)
      for (auto const& term : a.terms)
        if (term.dim == dim) return true;
    return false;
  }
  /// What this device needs of an input when the operator starts.
  [[nodiscard]] static auto needed(operand const& t, seat const& here, box mine, sharding const& s,
                                   bool rotates) -> box {
    if (rotates) {
      auto& side = mine.side[s.shared->dim];
      side = share(side, s.shared->ways, here.among_holders(t).first);
    }
    return touched(t, mine);
  }
  [[nodiscard]] auto feed_of(std::uint32_t v, std::size_t operand) const -> wiring::edge const* {
    for (auto i = q_.wires->first[v]; i < q_.wires->first[v + 1]; ++i)
      if (q_.wires->edges[i].operand == operand) return &q_.wires->edges[i];
    return nullptr;
  }

  /// Bytes of an input that must come from other devices when the operator starts.
  [[nodiscard]] auto received(wiring::edge const& feed, operand const& t, seat const& here,
                              box mine, bool rotates, std::size_t rank) const -> std::int64_t {
    auto const& consumer = q_.plan->operators[feed.consumer];
    auto const& producer = q_.plan->operators[feed.producer];
    auto const need = needed(t, here, mine, consumer.sharding, rotates);
    auto const& made = *result_of(*q_.ops[feed.producer], feed.output);
    std::int64_t missing = need.volume();
    auto const self = q_.plan->sets[consumer.set.index()].accelerators[rank];
    auto const& makers = q_.plan->sets[producer.set.index()].accelerators;
    for (std::size_t r = 0; r < makers.size(); ++r)
      if (makers[r] == self)
        missing -= common_volume(
            need, seat{*q_.ops[feed.producer], producer.sharding, makers.size(), r}.kept(made));
    return octets(missing, made.element_bits);
  }

  [[nodiscard]] auto largest_parts(std::vector<entry> const& entries, std::size_t peak) const
      -> later<std::vector<memory_part>, D> {
    later<std::vector<memory_part>, D> parts;
    auto const add = [&](std::uint32_t v, memory_part::what part, std::int64_t size) {
      if (size > 0) parts.push_back({operator_id{v}, part, bytes{size}});
    };
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto const& e = entries[i];
      add(e.op, memory_part::what::weights, e.weights);
      if (i > peak) continue;
      if (i == peak || !is_over(end_of(e.op), entries[peak].op)) {
        add(e.op, memory_part::what::buffers, e.buffers);
        continue;
      }
      for (std::size_t k = 0; k < e.kept.size(); ++k)
        if (!is_over(release_[e.op][k], entries[peak].op))
          add(e.op, memory_part::what::result, e.kept[k]);
    }
    auto const end = parts.begin() + std::min<std::ptrdiff_t>(3, std::ssize(parts));
    std::partial_sort(parts.begin(), end, parts.end(), [](auto const& a, auto const& b) {
      return std::tuple{-a.size.count(), a.owner, a.part} <
             std::tuple{-b.size.count(), b.owner, b.part};
    });
    parts.erase(end, parts.end());
    return parts;
  }

  memory_question const& q_;
  later<std::vector<std::uint32_t>, D> position_; // by operator, in the order of starting
  /// Operators in that order, and the accelerator's rank in their sets.
  later<std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>>, D> of_accelerator_;
  std::vector<std::vector<moment>> release_; // by operator and result
};
using memory_walk = basic_memory_walk<>;

} // namespace mars::detail::audit
