// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/cheapest.hpp>
#include <mars/collective/detail/ring_order.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/detail/missing_parts.hpp>
#include <mars/evaluation/detail/set_channels.hpp>
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

/// Bytes over each link: the messages that `mars::channel` prices, and for collectives steps of a
/// ring, whatever algorithm the model would choose.
template <RoutedInterconnect Net>
class link_meter {
public:
  using group = std::span<accelerator_id const>;

  link_meter(Net const& net, mapping const& m)
      : net_{&net}, m_{&m}, channels_{net, collective_, m} {
    auto const& all = net.links();
    total_.resize(std::span<link const>{all}.size());
  }

  link_meter(link_meter const&) = delete; // channels refer to it
  auto operator=(link_meter const&) -> link_meter& = delete;

  [[nodiscard]] auto total() const -> std::vector<bytes> const& { return total_; }

  void redistribute(layout const& owned, layout const& needed, int element_bits, set_id from,
                    set_id to) {
    auto const moved = channels_.between(from, to).messages(movement{owned, needed}, element_bits);
    auto const& owners = m_->sets[from.index()].accelerators;
    auto const& readers = m_->sets[to.index()].accelerators;
    for (auto const& m : moved.sent) send(owners[m.from], readers[m.to], m.size);
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
  mapping const* m_;
  collective::standard collective_;
  std::vector<bytes> total_;
  std::map<std::vector<accelerator_id>, std::vector<accelerator_id>> rings_;
  mars::detail::set_channels<Net, collective::standard> channels_;
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

/// Bytes that the receivers of one edge lack.
[[nodiscard]] inline auto missing_bytes(layout const& owned, layout const& needed,
                                        std::vector<accelerator_id> const& from,
                                        std::vector<accelerator_id> const& to, int element_bits)
    -> bytes {
  bytes sum{};
  for (auto const& t : mars::detail::missing_parts(owned, needed, from, to))
    sum += storage(t.elements, element_bits);
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
      return detail::link_meter<Net>{net, m};
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
          meter.redistribute(owned, needed, produced->element_bits, from.set, placed.set);
    }
    detail::add_exchanges(meter, o, placed.sharding, members);
  }
  if constexpr (RoutedInterconnect<Net>) out.links = meter.total();
  return out;
}

} // namespace mars::io
