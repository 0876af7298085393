// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/build_problem.hpp>
#include <mars/evaluation/detail/balance.hpp>
#include <mars/evaluation/detail/workload_classes.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/evaluation/schedule_problem.hpp>
#include <mars/evaluation/staging.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// Builds the tables of a staged problem, class by class.
template <WorkloadGraph Graph, AcceleratorSystem System, class Cost, class Strategy,
          class Collective, deferred D = when_called>
class staged_builder {
  using network = std::remove_cvref_t<decltype(std::declval<System const&>().interconnect)>;
  using option = typename design_catalogue<System>::option;
  using schedule_tables = typename later<schedule_problem, D>::tables;

public:
  staged_builder(Graph const& g, System const& system, Cost const& cost, Strategy const& strategy,
                 Collective const& collective)
      : g_{&g},
        net_{&system.interconnect},
        cost_{&cost},
        strategy_{&strategy},
        collective_{&collective},
        catalogue_{system} {
    if constexpr (StagedInterconnect<network>) follow_first_ = joins_follow_first(*net_);
    for (auto const& a : system.accelerators) memory_.push_back(a.memory().count());
  }

  [[nodiscard]] auto operator()(
      later<std::vector<std::vector<accelerator_id>>, D> const& candidates, schedule_tables& t)
      -> expected<void> {
    typename later<mapping_problem, D>::tables known;
    auto classes = classify(*g_, known);
    if (!classes) return unexpected{std::move(classes).error()};
    t.order = std::move(known.order);
    t.op_class = std::move(known.op_class);
    t.edges = std::move(known.edges);
    for (auto const& members : candidates) {
      auto found = catalogue_.options(members);
      if (found.empty()) continue;
      auto& names = t.designs.emplace_back();
      for (auto const& o : found) names.push_back(o.name);
      auto capacity = memory_[members[0].index()];
      for (auto const a : members) capacity = std::min(capacity, memory_[a.index()]);
      t.sets.push_back({members, static_cast<std::uint32_t>(t.sets.size()), capacity});
      options_.push_back(std::move(found));
    }
    if (t.sets.empty())
      return fail(error_code::infeasible, "system", "no candidate set of accelerators",
                  "accelerators with a design in common");
    find_reference(*classes);
    for (auto const& c : classes->operators)
      if (auto ok = add_row(c, t); !ok) return ok;
    for (auto const& e : classes->edges) add_staying(*classes, e, t);
    return {};
  }

private:
  /// The class with the most work gives its proportions to all: neighbours of equal proportions
  /// exchange halos only.
  void find_reference(later<workload_classes, D> const& classes) {
    for (auto const& c : classes.operators)
      if (reference_ == nullptr || macs_of(*c.first) > macs_of(*reference_->first)) reference_ = &c;
  }

  [[nodiscard]] auto add_row(later<operator_class, D> const& of_class, schedule_tables& t)
      -> expected<void> {
    later<operation, D> const& o = *of_class.first;
    auto& row = t.rows.emplace_back();
    hosts_.emplace_back();
    later<std::unordered_map<std::size_t, std::vector<sharding>>, D> proposals; // by set size
    for (std::uint32_t s = 0; s < t.sets.size(); ++s) {
      auto const members = std::span<accelerator_id const>{t.sets[s].accelerators};
      row.first_on.push_back(static_cast<std::uint32_t>(row.choices.size()));
      auto& proposed = proposals[members.size()];
      if (proposed.empty()) {
        auto found = proposed_shardings(*strategy_, o, members.size());
        if (!found) return unexpected{std::move(found).error()};
        proposed = *std::move(found);
      }
      for (std::size_t d = 0; d < options_[s].size(); ++d)
        for (auto const& sharding : proposed)
          for (auto const& variant : variants(of_class, sharding, options_[s][d], members))
            add_choice(of_class, variant, s, d, t, row);
      drop_hopeless(row);
    }
    row.first_on.push_back(static_cast<std::uint32_t>(row.choices.size()));
    if (row.choices.empty())
      return fail(error_code::infeasible, "system", "no design that runs operator '" + o.name + "'",
                  "one at least");
    if (row.shardings.size() > 0xffff)
      return fail(error_code::out_of_range, "strategy", std::to_string(row.shardings.size()),
                  "65535 shardings, with their uneven variants", "operator '" + o.name + "'");
    return {};
  }

  /// A sharding with even parts, and, for unlike devices, with balanced ones.
  [[nodiscard]] auto variants(later<operator_class, D> const& of_class,
                              later<sharding, D> const& even, option const& with,
                              std::span<accelerator_id const> members)
      -> later<std::vector<sharding>, D> {
    later<std::vector<sharding>, D> all{even};
    bool const alike = std::all_of(with.by_member.begin(), with.by_member.end(),
                                   [&](auto n) { return n == with.by_member[0]; });
    if (alike || even.exclusive.size() != 1 || even.shared || even.scatter ||
        static_cast<std::size_t>(even.exclusive[0].ways) != members.size())
      return all;
    auto const add = [&](uneven_parts const& parts) {
      if (parts.empty()) return;
      auto uneven = even;
      uneven.parts = parts;
      if (std::find(all.begin(), all.end(), uneven) == all.end()) all.push_back(uneven);
    };
    auto const dim = even.exclusive[0].dim;
    add(balance(of_class, dim, with, members, false));
    add(balance(of_class, dim, with, members, true));
    auto const extent = of_class.first->dims[dim].extent;
    for (std::uint8_t d = 0; d < reference_->first->dims.size(); ++d)
      if (reference_->first->dims[d].name == of_class.first->dims[dim].name)
        add(scaled_parts(balance(*reference_, d, with, members, false), extent));
    if (all.size() > 1) all.erase(all.begin()); // where balancing helps, even parts do not
    return all;
  }

  [[nodiscard]] auto balance(later<operator_class, D> const& of_class, std::uint8_t dim,
                             option const& with, std::span<accelerator_id const> members,
                             bool with_transfers) -> uneven_parts {
    if (members.size() > max_parts) return {};
    std::array<ladder*, max_parts> steps{};
    for (std::size_t i = 0; i < members.size(); ++i)
      steps[i] = &ladder_of(of_class, dim, members[i], with.by_member[i]);
    auto e = full_extents(*of_class.first);
    auto const extent = e[dim];
    return balanced_parts(members.size(), extent, [&](std::size_t i, std::int64_t n) -> ticks {
      auto& step = (*steps[i])[static_cast<std::size_t>(n)];
      if (step[0] == unknown) {
        e[dim] = n;
        auto const& part = ask(of_class, with.by_member[i], e);
        step[0] = part.time;
        step[1] = std::min(no_ticks, part.time +
                                         staged_time(*net_, members[i], part.host.inputs).count() +
                                         staged_time(*net_, members[i], part.host.outputs).count());
      }
      return step[with_transfers ? 1 : 0];
    });
  }

  /// What n iterations cost: to compute, and with transfers.
  using ladder = std::vector<std::array<ticks, 2>>;
  static constexpr ticks unknown = -1;
  [[nodiscard]] auto ladder_of(later<operator_class, D> const& of_class, std::uint8_t dim,
                               accelerator_id a, std::uint32_t design) -> ladder& {
    auto& known = ladders_[{of_class.signature, dim, a.value, design}];
    if (known.empty())
      known.resize(static_cast<std::size_t>(of_class.first->dims[dim].extent) + 1,
                   {unknown, unknown});
    return known;
  }

  void add_choice(later<operator_class, D> const& of_class, later<sharding, D> const& s,
                  std::uint32_t set, std::size_t design, schedule_tables& t,
                  later<schedule_row, D>& row) {
    later<operation, D> const& o = *of_class.first;
    auto const members = std::span<accelerator_id const>{t.sets[set].accelerators};
    auto const p = members.size();
    auto const q = s.shared ? s.shared->ways : 1;
    later<schedule_choice, D> c;
    c.set = set;
    c.design = static_cast<std::uint16_t>(design);
    c.times = row.times.size();
    seconds slowest_phase{};
    ticks least = 0, most = 0;
    for (std::size_t i = 0; i < p; ++i) {
      auto const number = options_[set][design].by_member[i];
      auto const part = ask(of_class, number, rank_extents(o, s, p, i));
      later<member_ticks, D> m;
      m.compute = to_picoseconds(part.seconds_total * static_cast<double>(q)).count();
      m.weights = staged_time(*net_, members[i], part.host.weights).count();
      m.inputs = staged_time(*net_, members[i], part.host.inputs).count();
      m.results = staged_time(*net_, members[i], part.host.outputs).count();
      slowest_phase = std::max(slowest_phase, part.seconds_total);
      least = std::max(least, of_class.fed.empty() ? m.compute + m.inputs : m.compute);
      most = std::max(most, m.compute + m.inputs + m.weights + m.results);
      row.times.push_back(m);
      hosts_.back().push_back(part.host);
    }
    if (least >= no_ticks) { // a member must not run it
      row.times.resize(c.times);
      hosts_.back().resize(c.times);
      return;
    }
    auto const traffic = traffic_of(*net_, *collective_, o, s, members);
    auto const price = combine(s, slowest_phase, traffic);
    c.fixed = price.communication().count();
    c.least = std::min(no_ticks, least + c.fixed);
    c.most = std::min(no_ticks, most + c.fixed);
    auto const print = footprint_of(o, s, p);
    c.weights = print.weights.count();
    c.transient = print.transient().count();
    for (auto const& x : o.operands)
      if (x.role == role::output) {
        std::int64_t largest = 0;
        for (auto const& box : output_layout(o, x, s, p)) largest = std::max(largest, volume(box));
        c.kept += storage(largest, x.element_bits).count();
      }
    auto const known = std::find(row.shardings.begin(), row.shardings.end(), s);
    c.sharding = static_cast<std::uint16_t>(known - row.shardings.begin());
    if (known == row.shardings.end()) row.shardings.push_back(s);
    row.choices.push_back(c);
  }

  /// On the last set: what even at its best is no better than another choice at its worst.
  void drop_hopeless(later<schedule_row, D>& row) {
    auto const first = row.choices.begin() + static_cast<std::ptrdiff_t>(row.first_on.back());
    ticks best_worst = no_ticks;
    for (auto c = first; c != row.choices.end(); ++c) best_worst = std::min(best_worst, c->most);
    row.choices.erase(std::remove_if(first, row.choices.end(),
                                     [&](auto const& c) { return c.least > best_worst; }),
                      row.choices.end());
    std::uint32_t place = 0;
    for (auto c = row.choices.begin() + static_cast<std::ptrdiff_t>(row.first_on.back());
         c != row.choices.end(); ++c)
      c->place = place++;
  }

  /// What stays, for every two choices of producer and reader on one set.
  void add_staying(later<workload_classes, D> const& classes, later<edge_class, D> const& e,
                   schedule_tables& t) {
    auto const& producer = *classes.operators[e.producer].first;
    auto const& consumer = *classes.operators[e.consumer].first;
    auto const* made = nth_operand(producer, role::output, e.output);
    auto const& read = consumer.operands[e.operand];
    auto const& from = t.rows[e.producer];
    auto const& to = t.rows[e.consumer];
    auto& table = t.stay.emplace_back();
    table.first.reserve(to.choices.size());
    later<std::vector<layout>, D> owned;
    for (std::uint32_t s = 0; s < t.sets.size(); ++s) {
      auto const members = std::span<accelerator_id const>{t.sets[s].accelerators};
      auto const p = members.size();
      owned.clear();
      for (auto u = from.first_on[s]; u < from.first_on[s + 1]; ++u)
        owned.push_back(
            output_layout(producer, *made, from.shardings[from.choices[u].sharding], p));
      for (auto v = to.first_on[s]; v < to.first_on[s + 1]; ++v) {
        auto const& c = to.choices[v];
        auto const& sharding = to.shardings[c.sharding];
        auto const need = input_layout(consumer, read, sharding, p);
        table.first.push_back(table.times.size());
        for (auto u = from.first_on[s]; u < from.first_on[s + 1]; ++u) {
          auto const& b = from.choices[u];
          auto const of = staying(owned[u - from.first_on[s]], need);
          for (std::size_t i = 0; i < p; ++i) {
            auto const& here = hosts_[e.consumer][c.times + i];
            auto const& there = hosts_[e.producer][b.times + i];
            std::int64_t other = 0;
            if (!follow_first_)
              for (auto const& x : consumer.operands)
                if (x.role == role::input && &x != &read)
                  other += elements_of(x, rank_extents(consumer, sharding, p, i));
            table.times.push_back(
                {staged_time(*net_, members[i],
                             loaded_bytes(here.inputs, of[i], other, follow_first_))
                     .count(),
                 staged_time(*net_, members[i], share_of(there.outputs, of[i].wanted, of[i].owned))
                     .count()});
          }
        }
      }
    }
  }

  struct priced {
    ticks time{};
    seconds seconds_total{};
    host_bytes host{};
  };
  /// Cost model and host traffic of a part, asked once.
  [[nodiscard]] auto ask(later<operator_class, D> const& of_class, std::uint32_t design,
                         extents const& part) -> priced const& {
    auto const [entry, fresh] = asked_.try_emplace({of_class.signature, design, part});
    if (fresh) {
      shard const s{*of_class.first, part};
      auto const time = (*cost_)(s, catalogue_[design]).time.total;
      entry->second = {std::min(to_picoseconds(time).count(), no_ticks), time,
                       host_traffic(catalogue_[design], s)};
    }
    return entry->second;
  }

  Graph const* g_;
  network const* net_;
  Cost const* cost_;
  Strategy const* strategy_;
  Collective const* collective_;
  design_catalogue<System> catalogue_;
  bool follow_first_{};
  std::vector<std::int64_t> memory_;           ///< by accelerator
  std::vector<std::vector<option>> options_;   ///< by set
  std::vector<std::vector<host_bytes>> hosts_; ///< by class, as `schedule_row::times`
  later<operator_class, D> const* reference_{};
  later<std::unordered_map<price_question, priced, price_question_hash>, D> asked_;
  std::map<std::array<std::uint32_t, 4>, ladder> ladders_;
};

} // namespace mars::detail
