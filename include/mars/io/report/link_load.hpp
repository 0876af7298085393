// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/ring_order.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/redistribution.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace mars::io {

/// What one inference of a mapping asks of links and memories.
struct inference_load {
  std::vector<bytes> links;       ///< by link id; empty: the interconnect has no routes
  std::vector<bytes> during;      ///< by operator: held on each accelerator while it runs
  std::vector<operator_id> order; ///< as operators run
};

namespace detail {

/// Bytes over each link. Redistributions: each receiver fetches what it misses, or a part of it that
/// it then gathers from its neighbours, whichever loads the busiest link less (`mars::channel` asks
/// the collective model instead). Exchanges inside an operator: steps of a ring, whatever algorithm
/// the model of collectives would choose.
template <RoutedInterconnect Net>
class link_meter {
public:
  using group = std::vector<accelerator_id>;

  explicit link_meter(Net const& net) : net_{&net} {
    auto const& all = net.links();
    for (link const& l : std::span<link const>{all}) bandwidth_.push_back(l.bandwidth.count());
    total_.resize(bandwidth_.size());
  }

  [[nodiscard]] auto total() const -> std::vector<bytes> {
    std::vector<bytes> out;
    for (auto const b : total_) out.emplace_back(b);
    return out;
  }

  /// `steps` messages of `size` from every member to the next one in the ring.
  void ring(group const& members, std::int64_t steps, bytes size) {
    add_ring(total_, members, steps * size.count());
  }

  void redistribute(layout const& owned, layout const& needed, int element_bits, group const& from,
                    group const& to) {
    auto const& near = nearness(from, to);
    std::vector<transfer> moves;
    redistribution(owned, needed, near.across, moves);
    if (moves.empty()) return;
    std::vector<std::int64_t> direct(total_.size());
    std::vector<std::int64_t> gathered(total_.size());
    std::map<group, std::map<std::uint32_t, std::int64_t>> rings; // of mates: elements by receiver
    for (auto const& t : moves) {
      auto const a = from[t.from];
      auto const b = to[t.to];
      send(direct, a, b, storage(t.elements, element_bits).count());
      group mates;
      for (std::size_t k = 0; k < to.size(); ++k)
        if (k == t.to ||
            (needed[k] == needed[t.to] && near.among(k, t.to) > near.across(t.from, t.to) &&
             near.among(t.to, k) > near.across(t.from, t.to)))
          mates.push_back(to[k]);
      auto const parts = static_cast<std::int64_t>(mates.size());
      send(gathered, a, b, storage(ceil_div(t.elements, parts), element_bits).count());
      if (parts > 1) rings[mates][t.to] += t.elements;
    }
    for (auto const& [mates, by_receiver] : rings) {
      std::int64_t whole = 0;
      for (auto const& [receiver, elements] : by_receiver) whole = std::max(whole, elements);
      auto const parts = static_cast<std::int64_t>(mates.size());
      add_ring(gathered, mates,
               (parts - 1) * storage(ceil_div(whole, parts), element_bits).count());
    }
    auto const& better = busiest(gathered) < busiest(direct) ? gathered : direct;
    for (std::size_t i = 0; i < total_.size(); ++i) total_[i] += better[i];
  }

private:
  struct nearness_of_pair {
    proximity across; ///< owner × receiver
    proximity among;  ///< receiver × receiver
  };

  [[nodiscard]] auto table(group const& from, group const& to) const -> proximity {
    constexpr std::int64_t probe = 1 << 20;
    proximity p{from.size(), to.size(), {}};
    for (auto const a : from)
      for (auto const b : to)
        p.values.push_back(a == b ? proximity::itself
                                  : static_cast<double>(probe) /
                                        net_->transfer_time(a, b, bytes{probe}).count());
    return p;
  }
  [[nodiscard]] auto nearness(group const& from, group const& to) -> nearness_of_pair const& {
    auto const [entry, fresh] = near_.try_emplace({from, to});
    if (fresh) entry->second = {table(from, to), table(to, to)};
    return entry->second;
  }
  [[nodiscard]] auto busiest(std::vector<std::int64_t> const& load) const -> double {
    double worst = 0;
    for (std::size_t i = 0; i < load.size(); ++i)
      worst = std::max(worst, static_cast<double>(load[i]) / bandwidth_[i]);
    return worst;
  }
  void send(std::vector<std::int64_t>& load, accelerator_id from, accelerator_id to,
            std::int64_t size) {
    auto const [entry, fresh] = routes_.try_emplace({from, to});
    if (fresh) {
      auto const& route = net_->route(from, to);
      std::span<link_id const> const ids{route};
      entry->second.assign(ids.begin(), ids.end());
    }
    for (auto const l : entry->second) load[l.index()] += size;
  }
  void add_ring(std::vector<std::int64_t>& load, group const& members, std::int64_t size) {
    if (members.size() < 2) return;
    auto const [entry, fresh] = rings_.try_emplace(members);
    if (fresh) entry->second = collective::detail::ring_order(*net_, members, bytes{1 << 20});
    auto const& order = entry->second;
    for (std::size_t i = 0; i < order.size(); ++i)
      send(load, order[i], order[(i + 1) % order.size()], size);
  }

  Net const* net_;
  std::vector<double> bandwidth_;
  std::vector<std::int64_t> total_;
  std::map<std::pair<accelerator_id, accelerator_id>, std::vector<link_id>> routes_;
  std::map<group, group> rings_;
  std::map<std::pair<group, group>, nearness_of_pair> near_;
};

/// Calls `use(members of a group)` once for every group that `group_of(rank)` makes.
template <class GroupOf, class Use>
void for_each_group(std::vector<accelerator_id> const& set, GroupOf&& group_of, Use&& use) {
  std::vector<accelerator_id> members;
  for (std::size_t rank = 0; rank < set.size(); ++rank) {
    auto const ranks = group_of(rank);
    if (ranks.size() < 2 || ranks.front() != rank) continue;
    members.clear();
    for (auto const r : ranks) members.push_back(set[r]);
    use(members);
  }
}

/// The exchanges inside one operator.
template <class Meter>
void add_exchanges(Meter& meter, operation const& o, sharding const& s,
                   std::vector<accelerator_id> const& set) {
  auto const p = set.size();
  auto const shard = shard_extents(o, s);
  if (auto const* t = rotating_operand(o, s, p))
    for_each_group(
        set, [&](std::size_t rank) { return replication_group(o, *t, s, p, rank); },
        [&](auto const& g) {
          meter.ring(g, s.shared->ways - 1, size_of(*t, phase_extents(o, s)));
        });
  if (auto const ways = partial_sums(o, s); ways > 1)
    for (auto const& t : o.operands)
      if (t.role == role::output)
        for_each_group(
            set, [&](std::size_t rank) { return partial_sum_group(o, s, p, rank); },
            [&](auto const& g) {
              meter.ring(g, (s.scatter ? 1 : 2) * (ways - 1),
                         bytes{ceil_div(size_of(t, shard).count(), ways)});
            });
  std::int64_t steps = 1;
  for (auto const& d : o.dims)
    if (d.kind == dim_kind::sequential) steps *= d.extent;
  if (shard_count(s) > 1)
    for (auto const& t : o.operands)
      if (t.role == role::state)
        for_each_group(
            set, [&](std::size_t rank) { return replication_group(o, t, s, p, rank); },
            [&](auto const& g) {
              auto const n = static_cast<std::int64_t>(g.size());
              meter.ring(g, steps * (n - 1), bytes{ceil_div(size_of(t, shard).count(), n)});
            });
}

struct no_meter {
  void ring(std::vector<accelerator_id> const&, std::int64_t, bytes) {}
};

} // namespace detail

/// Walks through one inference. Memory follows `mars::evaluate` (weights of the whole mapping, live
/// activations, what the operator at hand needs); that they agree on the peak is tested.
/// Precondition: the mapping can be evaluated on this graph and interconnect.
/// Complexity: O(E·p²) box intersections.
template <WorkloadGraph Graph, Interconnect Net>
[[nodiscard]] auto measure_load(Graph const& graph, Net const& net, mapping const& m)
    -> inference_load {
  inference_load out;
  out.order = topological_order(graph).value();
  auto const n = out.order.size();
  auto meter = [&] {
    if constexpr (RoutedInterconnect<Net>)
      return detail::link_meter<Net>{net};
    else
      return detail::no_meter{};
  }();

  std::vector<std::size_t> last_use(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (input_edge const e : inputs(graph, out.order[i])) last_use[e.producer.index()] = i;
  std::vector<bytes> live(m.sets.size());
  std::vector<bytes> resident(m.sets.size());
  std::vector<bytes> kept(n);
  out.during.resize(n);

  for (std::size_t i = 0; i < n; ++i) {
    auto const v = out.order[i];
    operation const& o = op(graph, v);
    auto const set = m.operators[v.index()].set;
    auto const& s = m.operators[v.index()].sharding;
    auto const& members = m.sets[set.index()].accelerators;
    auto const print = footprint_of(o, s, members.size());
    auto demand = live[set.index()] + print.transient();
    for (input_edge const e : inputs(graph, v)) {
      auto const& from = m.operators[e.producer.index()];
      auto const& owners = m.sets[from.set.index()].accelerators;
      operation const& producer = op(graph, e.producer);
      auto const* produced = nth_operand(producer, role::output, e.output);
      auto const& consumed = o.operands[e.operand];
      auto const owned = output_layout(producer, *produced, from.sharding, owners.size());
      auto const needed = input_layout(o, consumed, s, members.size());
      bool const rotates = rotating_operand(o, s, members.size()) == &consumed;
      demand -= size_of(consumed, rotates ? phase_extents(o, s) : shard_extents(o, s));
      // Who owns what does not matter for how much is missing, except on the same device.
      proximity same{owners.size(), members.size(), {}};
      for (auto const a : owners)
        for (auto const b : members) same.values.push_back(a == b ? proximity::itself : 1.0);
      std::vector<transfer> moves;
      redistribution(owned, needed, same, moves);
      demand += storage(largest_missing(moves, members.size()), produced->element_bits);
      if constexpr (RoutedInterconnect<Net>)
        meter.redistribute(owned, needed, produced->element_bits, owners, members);
    }
    detail::add_exchanges(meter, o, s, members);

    out.during[v.index()] = demand;
    resident[set.index()] += print.weights;
    for (auto const& t : o.operands)
      if (t.role == role::output) {
        std::int64_t largest = 0;
        for (auto const& box : output_layout(o, t, s, members.size()))
          largest = std::max(largest, volume(box));
        kept[v.index()] += storage(largest, t.element_bits);
      }
    live[set.index()] += kept[v.index()];
    for (input_edge const e : inputs(graph, v)) {
      auto const u = e.producer.index();
      if (last_use[u] != i) continue;
      live[m.operators[u].set.index()] -= kept[u];
      last_use[u] = n; // freed once, also when the operator reads it twice
    }
  }
  for (std::size_t v = 0; v < n; ++v) out.during[v] += resident[m.operators[v].set.index()];
  if constexpr (RoutedInterconnect<Net>) out.links = meter.total();
  return out;
}

} // namespace mars::io
