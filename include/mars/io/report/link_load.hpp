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

/// A tensor that moves between operators.
struct moved_tensor {
  operator_id from;
  operator_id to;
  std::size_t input{}; ///< its position in `inputs(graph, to)`
  bytes size{};        ///< over all receivers
};

/// What one inference of a mapping asks of links.
struct inference_load {
  std::vector<bytes> links;        ///< by link id; empty: the interconnect has no routes
  std::vector<moved_tensor> moved; ///< those of which something moves
  std::vector<operator_id> order;  ///< as operators are launched
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

/// Bytes that the receivers of one edge lack. Who owns what does not matter for how much that is,
/// except on the same device.
[[nodiscard]] inline auto missing_bytes(layout const& owned, layout const& needed,
                                        std::vector<accelerator_id> const& from,
                                        std::vector<accelerator_id> const& to, int element_bits)
    -> bytes {
  proximity same{from.size(), to.size(), {}};
  for (auto const a : from)
    for (auto const b : to) same.values.push_back(a == b ? proximity::itself : 1.0);
  std::vector<transfer> moves;
  redistribution(owned, needed, same, moves);
  bytes sum{};
  for (auto const& t : moves) sum += storage(t.elements, element_bits);
  return sum;
}

} // namespace detail

/// Walks through one inference. What is staged in a host's memory is not in `links`. Precondition: the mapping can be evaluated on this graph and
/// interconnect. Complexity: O(E·p²) box intersections.
template <WorkloadGraph Graph, Interconnect Net>
[[nodiscard]] auto measure_load(Graph const& graph, Net const& net, mapping const& m)
    -> inference_load {
  inference_load out;
  out.order = m.is_scheduled() ? m.launch_order : topological_order(graph).value();
  auto meter = [&] {
    if constexpr (RoutedInterconnect<Net>)
      return detail::link_meter<Net>{net};
    else
      return detail::no_meter{};
  }();
  for (auto const v : out.order) {
    operation const& o = op(graph, v);
    auto const& placed = m.operators[v.index()];
    auto const& members = m.sets[placed.set.index()].accelerators;
    std::size_t input = 0;
    for (input_edge const e : inputs(graph, v)) {
      auto const& from = m.operators[e.producer.index()];
      auto const& owners = m.sets[from.set.index()].accelerators;
      operation const& producer = op(graph, e.producer);
      auto const* produced = nth_operand(producer, role::output, e.output);
      auto const owned = output_layout(producer, *produced, from.sharding, owners.size());
      auto const needed = input_layout(o, o.operands[e.operand], placed.sharding, members.size());
      auto const size =
          detail::missing_bytes(owned, needed, owners, members, produced->element_bits);
      if (size > bytes{}) out.moved.push_back({e.producer, v, input, size});
      ++input;
      if constexpr (RoutedInterconnect<Net>)
        if (!m.is_scheduled() ||
            !is_staged(net)) // else operators load and store, which an evaluation knows
          meter.redistribute(owned, needed, produced->element_bits, owners, members);
    }
    detail::add_exchanges(meter, o, placed.sharding, members);
  }
  if constexpr (RoutedInterconnect<Net>) out.links = meter.total();
  return out;
}

} // namespace mars::io
