// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/exchanges.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/io/export/astra_sim.hpp>
#include <mars/io/export/chakra_trace.hpp>
#include <mars/io/export/detail/run_order.hpp>
#include <mars/io/export/exported.hpp>
#include <mars/parallel/redistribution.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mars::io {

namespace detail {

/// The traces of all ranks, operator by operator in the order they run.
template <WorkloadGraph G, Interconnect Net>
class trace_builder {
public:
  trace_builder(G const& g, Net const& net, mapping const& m, std::size_t ranks)
      : g_{&g}, net_{&net}, m_{&m}, ranks_(ranks), end_(m.operators.size()) {}

  /// `compute` is the operator's time on each device, all phases.
  void add(operator_id v, picoseconds compute) {
    operation const& o = op(*g_, v);
    auto const& placed = m_->operators[v.index()];
    auto const& members = m_->sets[placed.set.index()].accelerators;
    std::vector<std::vector<std::uint64_t>> before(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) before[i] = last_of(members[i]);
    for (input_edge const e : inputs(*g_, v)) receive(e, o, placed, members, before);
    compute_phases(o, placed.sharding, members, compute, before);
    exchange(o, placed.sharding, members);
    for (auto const a : members) end_[v.index()].push_back(ranks_[a.index()].last);
  }

  [[nodiscard]] auto nodes(std::size_t number) const -> std::vector<chakra::node> const& {
    return ranks_[number].nodes;
  }
  /// Members by group number, from 1.
  [[nodiscard]] auto groups() const -> std::vector<std::vector<accelerator_id>> const& {
    return groups_;
  }
  [[nodiscard]] auto messages() const -> std::int64_t { return next_tag_; }

private:
  struct rank_state {
    std::vector<chakra::node> nodes;
    std::int64_t exact{};   ///< picoseconds of computation so far
    std::int64_t written{}; ///< microseconds of them in nodes
    std::uint64_t last{};   ///< node that ends the latest operator
    bool ran{};
  };

  [[nodiscard]] auto last_of(accelerator_id a) const -> std::vector<std::uint64_t> {
    auto const& r = ranks_[a.index()];
    return r.ran ? std::vector{r.last} : std::vector<std::uint64_t>{};
  }
  auto put(accelerator_id a, chakra::node n, std::vector<std::uint64_t> deps) -> std::uint64_t {
    auto& r = ranks_[a.index()];
    std::sort(deps.begin(), deps.end());
    deps.erase(std::unique(deps.begin(), deps.end()), deps.end());
    n.depends_on = std::move(deps);
    n.id = r.nodes.size();
    r.nodes.push_back(std::move(n));
    return r.nodes.back().id;
  }
  void finish(accelerator_id a, std::uint64_t node) {
    ranks_[a.index()].last = node;
    ranks_[a.index()].ran = true;
  }
  /// Both ends of one message; the node that receives it.
  auto message(accelerator_id from, accelerator_id to, std::int64_t size, std::string const& name,
               std::vector<std::uint64_t> from_deps, std::vector<std::uint64_t> to_deps)
      -> std::uint64_t {
    chakra::node n;
    n.name = name;
    n.bytes = size;
    n.source = static_cast<std::int32_t>(from.value);
    n.target = static_cast<std::int32_t>(to.value);
    n.tag = static_cast<std::int32_t>(next_tag_++);
    n.type = chakra::node_type::send;
    (void)put(from, n, std::move(from_deps));
    n.type = chakra::node_type::receive;
    return put(to, n, std::move(to_deps));
  }

  /// What an edge moves. Sequential: when all before is done; scheduled: as soon as it is made.
  void receive(input_edge const& e, operation const& o, placement const& placed,
               std::vector<accelerator_id> const& members,
               std::vector<std::vector<std::uint64_t>>& before) {
    operation const& producer = op(*g_, e.producer);
    auto const& made = m_->operators[e.producer.index()];
    auto const& owners = m_->sets[made.set.index()].accelerators;
    auto const* output = nth_operand(producer, role::output, e.output);
    auto const owned = output_layout(producer, *output, made.sharding, owners.size());
    auto const needed = input_layout(o, o.operands[e.operand], placed.sharding, members.size());
    std::vector<transfer> moves;
    redistribution(owned, needed, nearness(made.set, placed.set), moves);
    auto const& ends = end_[e.producer.index()];
    for (std::size_t i = 0; i < members.size(); ++i)
      for (std::size_t k = 0; k < owners.size(); ++k)
        if (owners[k] == members[i]) before[i].push_back(ends[k]);
    for (auto const& t : moves) {
      auto const from = owners[t.from];
      auto deps = m_->is_scheduled() ? std::vector{ends[t.from]} : last_of(from);
      before[t.to].push_back(message(from, members[t.to],
                                     storage(t.elements, output->element_bits).count(),
                                     producer.name + " to " + o.name, std::move(deps), {}));
    }
  }
  [[nodiscard]] auto nearness(set_id from, set_id to) -> proximity const& {
    auto const [entry, fresh] = near_.try_emplace({from.value, to.value});
    auto& p = entry->second;
    if (!fresh) return p;
    constexpr std::int64_t probe = 1 << 20;
    auto const& owners = m_->sets[from.index()].accelerators;
    auto const& members = m_->sets[to.index()].accelerators;
    p = {owners.size(), members.size(), {}};
    for (auto const a : owners)
      for (auto const b : members)
        p.values.push_back(a == b ? proximity::itself
                                  : std::min(static_cast<double>(probe) /
                                                 net_->transfer_time(a, b, bytes{probe}).count(),
                                             std::numeric_limits<double>::max()));
    return p;
  }

  /// One computation a phase; of a rotating tensor each phase sends on what it computes with, and the
  /// next one waits for what the neighbour sent.
  void compute_phases(operation const& o, sharding const& s,
                      std::vector<accelerator_id> const& members, picoseconds compute,
                      std::vector<std::vector<std::uint64_t>>& before) {
    auto const* rotating = rotating_operand(o, s, members.size());
    auto const phases = rotating == nullptr ? std::int64_t{1} : std::int64_t{s.shared->ways};
    mars::shard const rotated{o, phase_extents(o, s)};
    std::vector<std::vector<std::uint64_t>> arrived = before;
    for (std::int64_t phase = 0; phase < phases; ++phase) {
      for (std::size_t i = 0; i < members.size(); ++i) {
        auto& r = ranks_[members[i].index()];
        mars::shard const part{o, rank_extents(o, s, members.size(), i)};
        chakra::node n;
        n.name = o.name;
        if (phases > 1) n.name += std::string{" phase "} + std::to_string(phase);
        n.operations = flops_of(part).count();
        n.tensor_bytes = static_cast<std::uint64_t>(traffic_of(part).count());
        // Rounded so that the sum of a rank is right, not each summand.
        r.exact += share(compute.count(), phases, phase);
        auto const micros = (r.exact + 500'000) / 1'000'000 - r.written;
        r.written += micros;
        n.micros = static_cast<std::uint64_t>(micros);
        finish(members[i], put(members[i], n, before[i]));
        before[i] = last_of(members[i]);
      }
      if (phase + 1 == phases) break;
      auto const groups = replication_groups(*rotating, s, members.size());
      auto const size = size_of(*rotating, rotated.extents).count();
      auto const offsets = groups.offsets();
      std::vector<std::uint64_t> received(members.size());
      for (std::size_t i = 0; i < members.size(); ++i) {
        auto const previous =
            groups.first(i) + offsets[(groups.place(i) + groups.size() - 1) % groups.size()];
        received[previous] =
            message(members[i], members[previous], size,
                    o.name + " rotates " + std::to_string(phase), arrived[i], arrived[previous]);
      }
      for (std::size_t i = 0; i < members.size(); ++i) {
        arrived[i] = {received[i]};
        before[i].push_back(received[i]);
      }
    }
  }
  /// Part `i` of a time in equal phases, so that they add up.
  [[nodiscard]] static auto share(std::int64_t time, std::int64_t phases, std::int64_t i)
      -> std::int64_t {
    return time / phases + (i < time % phases ? 1 : 0);
  }

  /// What is exchanged once the computation is over: a rotation is in the phases.
  void exchange(operation const& o, sharding const& s, std::vector<accelerator_id> const& members) {
    using cause = mars::exchange::cause;
    for_each_exchange(o, s, members.size(), [&](mars::exchange const& e) {
      if (e.what == cause::rotation) return;
      if (e.what == cause::partial_sums)
        return collective(members, e.groups,
                          e.kind == collective_kind::reduce_scatter
                              ? chakra::collective_type::reduce_scatter
                              : chakra::collective_type::all_reduce,
                          e.size.count(), o.name + " partial sums");
      auto const own = ceil_div(e.size.count(), static_cast<std::int64_t>(e.groups.size()));
      collective(members, e.groups, chakra::collective_type::all_gather, own * e.repeated,
                 o.name + " state");
    });
  }
  void collective(std::vector<accelerator_id> const& members, rank_groups const& groups,
                  chakra::collective_type type, std::int64_t size, std::string const& name) {
    for (std::size_t first = 0; first < members.size(); ++first) {
      if (groups.first(first) != first) continue;
      std::vector<accelerator_id> group;
      for (auto const i : groups.members(first)) group.push_back(members[i]);
      chakra::node n;
      n.name = name;
      n.type = chakra::node_type::collective;
      n.collective = type;
      n.bytes = size;
      n.group = group_number(group);
      for (auto const a : group) finish(a, put(a, n, last_of(a)));
    }
  }
  [[nodiscard]] auto group_number(std::vector<accelerator_id> const& group) -> std::uint32_t {
    bool everybody = group.size() == ranks_.size();
    for (std::size_t i = 0; i < group.size() && everybody; ++i) everybody = group[i].index() == i;
    if (everybody) return 0;
    auto const [entry, fresh] =
        group_numbers_.try_emplace(group, static_cast<std::uint32_t>(groups_.size() + 1));
    if (fresh) groups_.push_back(group);
    return entry->second;
  }

  G const* g_;
  Net const* net_;
  mapping const* m_;
  std::vector<rank_state> ranks_;
  std::vector<std::vector<std::uint64_t>> end_; ///< by operator, then rank in its set
  std::map<std::pair<std::uint32_t, std::uint32_t>, proximity> near_;
  std::map<std::vector<accelerator_id>, std::uint32_t> group_numbers_;
  std::vector<std::vector<accelerator_id>> groups_;
  std::int64_t next_tag_{};
};

[[nodiscard]] inline auto groups_json(std::vector<std::vector<accelerator_id>> const& groups)
    -> std::string {
  std::string text{"{"};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    text += std::string{i == 0 ? "\n" : ",\n"} + "  \"" + std::to_string(i + 1) + "\": [";
    for (std::size_t k = 0; k < groups[i].size(); ++k)
      text += (k == 0 ? "" : ", ") + std::to_string(groups[i][k].value);
    text += "]";
  }
  return text + (groups.empty() ? "}\n" : "\n}\n");
}

/// Sentences on what the traces lack.
[[nodiscard]] inline auto trace_losses(mapping const& m, features const& uses, evaluation const& e,
                                       astra_sim::network const& network, bool moves)
    -> std::vector<std::string> {
  std::vector<std::string> lost;
  auto const tell = [&lost](std::string sentence) { lost.push_back(std::move(sentence)); };
  tell("Durations in less than microseconds: they are rounded so that the sum of each rank is "
       "right.");
  tell("Unlike shards: each device computes for as long as the slowest one of its set.");
  tell("Delays, chunks and local memory bandwidth in system.json: they are ASTRA-sim's sample's.");
  if (!network.approximation.empty()) tell(network.approximation);
  if (e.semantics == semantics::staged)
    tell("Staging: what goes through the host's memory is sent from accelerator to accelerator.");
  if (!m.is_scheduled() && uses.sets > 1)
    tell("That operators run one after another: ranks without a common dependency overlap.");
  if (moves) tell("Redistributions by all-gather: every receiver fetches what it misses itself.");
  if (uses.state)
    tell(said(uses.state) + "exchange their state once, not at every step of the sequence.");
  if (uses.on_streams)
    tell(said(uses.on_streams) + "are on streams: an accelerator computes them one after another.");
  if (uses.streamed) tell(said(uses.streamed) + "have streamed weights, which are not moved.");
  tell("Memory: what an accelerator holds.");
  return lost;
}

} // namespace detail

/// One inference as Chakra execution traces for ASTRA-sim: `trace.<rank>.et` for every accelerator,
/// `network.yml`, `system.json`, `memory.json`, and `comm_groups.json` (`comm_groups_empty.json`, if
/// there are none). Computations last as `e` says (of this mapping, as `evaluate` gives it); moves,
/// rotations and exchanges of partial sums are messages and collectives, which ASTRA-sim prices.
/// Node ids and dependencies carry the order in which each accelerator works. Run it with
///
///     --workload-configuration=DIR/trace --system-configuration=DIR/system.json
///     --network-configuration=DIR/network.yml --remote-memory-configuration=DIR/memory.json
///     --comm-group-configuration=DIR/comm_groups.json
///
/// Errors: as `features_of`; `unsupported` for a system of one accelerator, which has no network, or
/// an operator that takes for ever; `overflow` beyond 2^31 messages.
template <WorkloadGraph G, class System>
[[nodiscard]] auto export_chakra(G const& g, System const& system, mapping const& m,
                                 evaluation const& e) -> expected<exported> {
  auto const ranks = system.accelerators.size();
  auto const uses = features_of(g, m, ranks);
  if (!uses) return unexpected{uses.error()};
  if (ranks < 2)
    return fail(error_code::unsupported, "system", "one accelerator", "at least two",
                "ASTRA-sim simulates a network");
  if (e.operators.size() != m.operators.size())
    return fail(error_code::invalid_mapping, "evaluation", counted(e.operators.size(), "operator"),
                std::to_string(m.operators.size()));
  auto const order = detail::run_order(g, m);
  if (!order) return unexpected{order.error()};
  any_interconnect const net{system.interconnect};
  detail::trace_builder traces{g, net, m, ranks};
  picoseconds sum{}; // of what a rank may add up
  for (auto const v : *order) {
    auto const compute = e.operators[v.index()].compute;
    sum = saturating_add(sum, compute);
    if (sum >= never)
      return fail(error_code::unsupported,
                  std::string{"operators["} + std::to_string(v.value) + "]",
                  std::string{"'"} + op(g, v).name + "' takes for ever", "a time");
    traces.add(v, compute);
    if (traces.messages() > std::numeric_limits<std::int32_t>::max())
      return fail(error_code::overflow, "mapping", "too many messages", "below 2^31");
  }

  auto const network = astra_sim::network_of(net);
  exported out;
  for (std::size_t r = 0; r < ranks; ++r)
    out.files.push_back(
        {std::string{"trace."} + std::to_string(r) + ".et", chakra::encode(traces.nodes(r))});
  out.files.push_back({"network.yml", astra_sim::network_yaml(network)});
  out.files.push_back({"system.json", astra_sim::system_json(network)});
  out.files.push_back({"memory.json", "{\"memory-type\": \"NO_MEMORY_EXPANSION\"}\n"});
  out.files.push_back({traces.groups().empty() ? "comm_groups_empty.json" : "comm_groups.json",
                       detail::groups_json(traces.groups())});

  out.not_expressed = detail::trace_losses(m, *uses, e, network, traces.messages() > 0);
  return out;
}

} // namespace mars::io
