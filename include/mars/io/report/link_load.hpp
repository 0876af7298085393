// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/cheapest.hpp>
#include <mars/collective/detail/ring_order.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/exchanges.hpp>
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
#include <utility>
#include <vector>

namespace mars::io {

/// What one inference of a mapping asks of links and memories.
struct inference_load {
  std::vector<bytes> links;       ///< by link id; empty: the interconnect has no routes
  std::vector<bytes> during;      ///< by operator: held on each accelerator while it runs
  std::vector<operator_id> order; ///< as operators run
};

namespace detail {

/// Bytes over each link: the messages that `mars::channel` prices, and for collectives steps of a
/// ring, whatever algorithm the model would choose.
template <RoutedInterconnect Net, CollectiveModel<Net> Collective = collective::standard>
class link_meter {
public:
  using group = std::span<accelerator_id const>;

  explicit link_meter(Net const& net, Collective collective = {})
      : net_{&net}, collective_{std::move(collective)} {
    auto const& all = net.links();
    total_.resize(std::span<link const>{all}.size());
  }

  link_meter(link_meter const&) = delete; // channels refer to it
  auto operator=(link_meter const&) -> link_meter& = delete;

  [[nodiscard]] auto total() const -> std::vector<bytes> const& { return total_; }

  void redistribute(layout const& owned, layout const& needed, int element_bits,
                    std::vector<accelerator_id> const& from,
                    std::vector<accelerator_id> const& to) {
    auto& between =
        channels_.try_emplace({from, to}, *net_, collective_, group{from}, group{to}).first->second;
    auto const moved = between.messages(movement{owned, needed}, element_bits);
    for (auto const& m : moved.sent) send(from[m.from], to[m.to], m.size);
    // By group, what its neediest member does.
    std::map<std::vector<accelerator_id>, bytes> gathered;
    for (auto const& each : moved.gatherings) {
      auto& size = gathered[each.group];
      size = std::max(size, each.size);
    }
    for (auto const& [members, size] : gathered)
      ring(members, collective_kind::all_gather, size, 1);
  }
  void ring(group members, collective_kind kind, bytes size, std::int64_t repeated) {
    auto const [piece, steps] = collective::detail::ring_steps(kind, members.size(), size);
    auto const [entry, fresh] =
        rings_.try_emplace(std::vector<accelerator_id>(members.begin(), members.end()));
    if (fresh) entry->second = collective::detail::ring_order(*net_, members, bytes{1 << 20});
    auto const& order = entry->second;
    for (std::size_t i = 0; i < order.size(); ++i)
      send(order[i], order[(i + 1) % order.size()],
           static_cast<std::int64_t>(steps) * repeated * piece);
  }

private:
  void send(accelerator_id from, accelerator_id to, bytes size) {
    auto const& route = net_->route(from, to);
    for (auto const l : std::span<link_id const>{route}) total_[l.index()] += size;
  }

  Net const* net_;
  Collective collective_;
  std::vector<bytes> total_;
  std::map<std::vector<accelerator_id>, std::vector<accelerator_id>> rings_;
  std::map<std::pair<std::vector<accelerator_id>, std::vector<accelerator_id>>,
           channel<Net, Collective>>
      channels_;
};

/// The exchanges inside one operator.
template <class Meter>
void add_exchanges(Meter& meter, operation const& o, sharding const& s,
                   std::vector<accelerator_id> const& set) {
  std::vector<accelerator_id> group;
  for_each_exchange(o, s, set.size(), [&](exchange const& e) {
    for_each_group(e.groups, set, group,
                   [&](auto const& members) { meter.ring(members, e.kind, e.size, e.repeated); });
  });
}

struct no_meter {
  void ring(std::span<accelerator_id const>, collective_kind, bytes, std::int64_t) {}
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
