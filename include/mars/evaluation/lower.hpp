// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/ring_order.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/activity.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/detail/set_channels.hpp>
#include <mars/evaluation/detail/stream_waits.hpp>
#include <mars/evaluation/evaluate.hpp>
#include <mars/evaluation/exchanges.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// What a simulation makes of the collectives of a mapping.
enum class collective_lowering : std::uint8_t {
  blocks, ///< time passes, as the collective model says; they load no link
  rings,  ///< steps of a ring, as transfers; whatever algorithm the model would choose
};

/// A mapping as activities: `simulate` says when each happens.
struct lowered_mapping {
  activity_graph plan;
  std::vector<activity_id> first; ///< by operator: its accelerators are taken
  std::vector<activity_id> last;  ///< by operator: its results are there
  mars::evaluation priced;        ///< by itself: what the simulation is compared with
};

namespace detail {

template <WorkloadGraph Graph, AcceleratorSystem System, class Collective, deferred D = when_called>
class lowering {
  using network = std::remove_cvref_t<decltype(std::declval<System const&>().interconnect)>;
  using list = std::vector<activity_id>;
  using group = std::span<accelerator_id const>;

public:
  lowering(Graph const& g, System const& system, later<mapping, D> const& m,
           Collective const& collective, collective_lowering how, later<evaluation, D> priced)
      : g_{&g},
        net_{&system.interconnect},
        m_{&m},
        collective_{&collective},
        how_{how},
        catalogue_{system},
        devices_{devices_of_sets(catalogue_, m)},
        channels_{system.interconnect, collective, m} {
    all_.first.resize(m.operators.size());
    all_.last.resize(m.operators.size());
    all_.priced = std::move(priced);
  }

  void run(operator_id id) {
    auto const v = id.index();
    auto const& e = all_.priced.operators[v];
    auto const members = members_of(id);
    auto const how = all_.priced.semantics;
    list ready;
    if (how == semantics::sequential && previous_) ready.push_back(*previous_);
    for (input_edge const edge : inputs(*g_, id)) {
      list const made{all_.last[edge.producer.index()]};
      switch (how) {
      case semantics::sequential: // one input after another, once the operator's turn has come
        if (auto moved = move(id, edge, ready); !moved.empty()) ready = std::move(moved);
        break;
      case semantics::overlapped:
        for (auto const a : move(id, edge, made)) ready.push_back(a);
        break;
      case semantics::streamed: {
        auto const moved = move(id, edge, made);
        auto const lag = lag_of(edge.producer, id);
        for (auto const a : moved.empty() ? made : moved)
          ready.push_back(lag > picoseconds{} ? plan().delay(lag, list{a}) : a);
        break;
      }
      case semantics::staged: ready.push_back(made.front()); break;
      }
    }
    if (how == semantics::streamed) {
      take_streams(id, std::move(ready));
      return;
    }
    auto inside = saturating_add(saturating_add(e.rotation, e.reorders),
                                 saturating_add(e.partial_sums, e.state_exchange));
    if (how == semantics::staged) inside = e.communication();
    if (how_ == collective_lowering::blocks || how == semantics::staged) {
      all_.first[v] = all_.last[v] =
          plan().compute(members, saturating_add(e.compute, inside), ready);
    } else {
      unroll(id, ready);
    }
    previous_ = all_.last[v];
  }
  [[nodiscard]] auto finish() && -> later<lowered_mapping, D> { return std::move(all_); }

private:
  [[nodiscard]] auto plan() -> activity_graph& { return all_.plan; }
  [[nodiscard]] auto members_of(operator_id v) const -> group {
    return m_->sets[m_->operators[v.index()].set.index()].accelerators;
  }

  /// What a wait for an event takes beyond a gap.
  [[nodiscard]] auto lag_of(operator_id from, operator_id to) const -> picoseconds {
    auto const& u = all_.priced.operators[from.index()];
    bool const waits = waits_for_event(*m_, from, to) && u.start < u.end;
    return waits ? event_lag(devices_[m_->operators[to.index()].set.index()]) : picoseconds{};
  }
  /// Its streams are free for the next when it ends, its accelerators always.
  void take_streams(operator_id id, list ready) {
    auto const& e = all_.priced.operators[id.index()];
    for (auto const a : members_of(id))
      if (auto const at = last_on_.find({a, m_->stream_of(id)}); at != last_on_.end())
        ready.push_back(at->second);
    auto const ran = plan().delay(e.end >= never ? never : e.end - e.start, ready);
    all_.first[id.index()] = all_.last[id.index()] = ran;
    for (auto const a : members_of(id)) last_on_.insert_or_assign({a, m_->stream_of(id)}, ran);
  }

  /// The part of a sum of times that begins at `so_far`, in whole picoseconds: rounded so that the
  /// parts add up to the rounded sum, as evaluators have it.
  [[nodiscard]] static auto part_of_sum(double& so_far, seconds more) -> picoseconds {
    auto const before = to_picoseconds(seconds{so_far});
    so_far += more.count();
    auto const after = to_picoseconds(seconds{so_far});
    return after >= never ? never : after - before;
  }
  auto send(accelerator_id from, accelerator_id to, bytes size, picoseconds alone,
            list const& after) -> activity_id {
    return add_transfer(plan(), *net_, from, to, size, alone, after);
  }

  /// Moves one input; the ends of what was done, nothing if it is in place.
  [[nodiscard]] auto move(operator_id id, input_edge const& edge, list const& after) -> list {
    auto const& from = m_->operators[edge.producer.index()];
    auto const& to = m_->operators[id.index()];
    auto const owners = members_of(edge.producer);
    auto const receivers = members_of(id);
    later<operation, D> const& producer = op(*g_, edge.producer);
    later<operation, D> const& o = op(*g_, id);
    auto const* produced = nth_operand(producer, role::output, edge.output);
    auto const moved =
        channels_.between(from.set, to.set)
            .messages(
                movement{output_layout(producer, *produced, from.sharding, owners.size()),
                         input_layout(o, o.operands[edge.operand], to.sharding, receivers.size())},
                produced->element_bits);

    list ends;
    later<std::vector<double>, D> received(receivers.size());
    later<std::vector<std::size_t>, D> end_of(receivers.size());
    for (auto const& message : moved.sent) {
      auto const a = owners[message.from];
      auto const b = receivers[message.to];
      auto& so_far = received[message.to];
      auto& end = end_of[message.to]; // one more than its place
      auto const alone = part_of_sum(so_far, net_->transfer_time(a, b, message.size));
      auto const sent = send(a, b, message.size, alone, end == 0 ? after : list{ends[end - 1]});
      if (end == 0) {
        ends.push_back(sent);
        end = ends.size();
      } else {
        ends[end - 1] = sent;
      }
    }
    if (moved.gatherings.empty()) return ends;
    if (how_ == collective_lowering::blocks) {
      for (auto const& each : moved.gatherings) {
        auto& end = ends[end_of[each.to] - 1];
        auto const takes =
            part_of_sum(received[each.to], collective_->time(*net_, collective_kind::all_gather,
                                                             group{each.group}, each.size));
        end = plan().delay(takes, list{end});
      }
      return ends;
    }
    // A group gathers once, what its neediest member does, when all of it has its parts.
    list const fetched{plan().join(ends)};
    for (std::size_t i = 0; i < moved.gatherings.size(); ++i) {
      auto const& each = moved.gatherings[i];
      auto size = each.size;
      bool known = false;
      for (std::size_t k = 0; k < moved.gatherings.size(); ++k)
        if (moved.gatherings[k].group == each.group) {
          known = known || k < i;
          size = std::max(size, moved.gatherings[k].size);
        }
      if (known) continue;
      for (auto const a : ring(each.group, collective_kind::all_gather, size, 1, fetched))
        ends.push_back(a);
    }
    return ends;
  }

  /// Every member passes a piece to the next, `steps` times; a step waits for the one before of the
  /// sender and of whom it hears from. Returns the last step.
  [[nodiscard]] auto ring(group members, collective_kind kind, bytes size, std::int64_t repeated,
                          list const& after) -> list {
    auto const g = members.size();
    auto const [piece, once] = collective::detail::ring_steps(kind, g, size);
    auto const order = collective::detail::ring_order(*net_, members, piece);
    auto const steps = static_cast<std::int64_t>(once) * repeated;
    list before, now(g);
    later<std::vector<double>, D> so_far(g);
    for (std::int64_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i < g; ++i) {
        auto const a = order[i];
        auto const b = order[(i + 1) % g];
        auto const alone = part_of_sum(so_far[i], net_->transfer_time(a, b, piece));
        now[i] =
            send(a, b, piece, alone, step == 0 ? after : list{before[i], before[(i + g - 1) % g]});
      }
      before = now;
    }
    return before.empty() ? after : before;
  }
  [[nodiscard]] auto rings(exchange const& e, group members, std::int64_t repeated,
                           list const& after) -> list {
    list ends;
    std::vector<accelerator_id> some;
    for_each_group(e.groups, members, some, [&](group g) {
      for (auto const a : ring(g, e.kind, e.size, repeated, after)) ends.push_back(a);
    });
    return ends;
  }

  /// Phases beside the rotation that brings what the next one needs; then partial sums; then states.
  void unroll(operator_id id, list ready) {
    auto const members = members_of(id);
    later<operation, D> const& o = op(*g_, id);
    auto const& s = m_->operators[id.index()].sharding;
    auto const total = all_.priced.operators[id.index()].compute;
    auto const phases = s.shared ? std::int64_t{s.shared->ways} : 1;
    auto const phase = [&](std::int64_t k) {
      if (total >= never) return never;
      auto const until = [&](std::int64_t n) {
        return total.count() / phases * n + total.count() % phases * n / phases;
      };
      return picoseconds{until(k + 1) - until(k)};
    };
    auto const reorders = all_.priced.operators[id.index()].reorders;
    if (reorders > picoseconds{}) ready = {plan().compute(members, reorders, ready)};
    auto now = plan().compute(members, phase(0), ready);
    all_.first[id.index()] = reorders > picoseconds{} ? ready.front() : now;
    // The first phase begins once the accelerators are free, and so does what is beside it.
    list begun(plan().after(now).begin(), plan().after(now).end());
    list done{now};
    for_each_exchange(o, s, members.size(), [&](exchange const& e) {
      if (e.what != exchange::cause::rotation) {
        done = rings(e, members, e.repeated, list{plan().join(done)});
        return;
      }
      for (std::int64_t k = 0; k < e.repeated; ++k) {
        auto const shifted = rings(e, members, 1, begun);
        for (auto const a : shifted) done.push_back(a);
        begun = {plan().join(done)};
        done = {plan().compute(members, phase(k + 1), begun)};
      }
    });
    auto const last = done.size() == 1 ? done.front() : plan().join(done);
    plan().occupy(members, last);
    all_.last[id.index()] = last;
  }

  Graph const* g_;
  network const* net_;
  later<mapping, D> const* m_;
  Collective const* collective_;
  collective_lowering how_;
  design_catalogue<System> catalogue_;
  set_devices devices_; ///< point into the catalogue
  std::optional<activity_id> previous_;
  later<std::map<std::pair<accelerator_id, stream_id>, activity_id>, D> last_on_; ///< of streams
  set_channels<network, Collective> channels_;
  later<lowered_mapping, D> all_;
};

/// Steps of rings are numbered in 32 bits, and a recurrence may have any number of them.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto check_ring_count(Graph const& g, later<mapping, D> const& m,
                                    collective_lowering how) -> expected<void> {
  constexpr std::int64_t most = std::int64_t{1} << 28;
  std::int64_t transfers = 0;
  if (how == collective_lowering::blocks) return {};
  for (operator_id const v : operators(g)) {
    later<operation, D> const& o = op(g, v);
    auto const& placed = m.operators[v.index()];
    auto const p = m.sets[placed.set.index()].accelerators.size();
    for_each_exchange(o, placed.sharding, p, [&](exchange const& e) {
      auto const once = static_cast<std::int64_t>(2 * e.groups.size() * p);
      transfers += std::min(most, e.repeated) > most / once ? most : e.repeated * once;
    });
    if (transfers >= most)
      return fail(error_code::overflow, std::string{"operators["} + std::to_string(v.value) + "]",
                  "too many steps of rings", "fewer than 2^28, or collectives as blocks", o.name);
  }
  return {};
}

} // namespace detail

/// A mapping as activities, for `simulate`. What each operator takes is `evaluate`'s; what moves are
/// the messages that `channel` prices: each receiver takes its own one after another, all receivers
/// at the same time, and those that gather what others need, too, do so afterwards.
///
/// sequential  an operator's inputs begin to move, one after another, when the one before has ended
/// overlapped  an input begins to move when its producer has ended, beside all others; operators take
///             their accelerators in launch order
/// staged      data moves over a link that belongs to one accelerator, which waits for it: part of the
///             operator
/// streamed    as overlapped, by stream instead of by accelerator, with waits for events. An operator
///             takes what it takes in the evaluation, beside what ran beside it there: transfers that
///             are slowed down delay it, but do not change whom it meets. Collectives are blocks.
///
/// With `blocks`, where no transfer is slowed down, the simulated latency is the evaluated one to the
/// picosecond, and never below it. With `rings` that holds where the model is `collective::ring` and
/// all hops of a ring are alike. Errors: as `evaluate`; `unsupported` for rings of a mapping with
/// streams; `overflow` for 2^28 steps of rings. Complexity: that of `evaluate`, and O(p²)
/// transfers an edge; rings: O(p²) a collective.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          CollectiveModelForSystem<System> Collective, deferred D = when_called>
[[nodiscard]] auto lower(Graph const& g, System const& system, mapping const& m, Cost const& cost,
                         Collective const& collective,
                         collective_lowering how = collective_lowering::blocks)
    -> later<expected<lowered_mapping>, D> {
  if (m.is_streamed() && how == collective_lowering::rings)
    return fail(error_code::unsupported, "streams", "collectives as rings",
                "collectives as blocks");
  auto priced = evaluate(g, system, m, cost, collective);
  if (!priced) return unexpected{std::move(priced).error()};
  if (auto ok = detail::check_ring_count(g, m, how); !ok) return unexpected{ok.error()};
  detail::lowering<Graph, System, Collective> lowering{g,          system, m,
                                                       collective, how,    *std::move(priced)};
  auto const order = topological_order(g).value();
  for (auto const v : m.is_scheduled() ? m.launch_order : order) lowering.run(v);
  return std::move(lowering).finish();
}

} // namespace mars
