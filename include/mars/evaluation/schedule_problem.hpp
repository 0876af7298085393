// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/evaluation/schedule_assignment.hpp>
#include <mars/mapping/mapping.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars {

/// One way to run an operator: on a set, with a design, sharded. Choices of an operator are sorted by
/// set.
struct schedule_choice {
  std::uint32_t set{};
  std::uint16_t design{};   ///< of `schedule_problem::designs(set)`
  std::uint16_t sharding{}; ///< of the row
  std::uint32_t place{};    ///< among the choices on its set
  std::uint16_t move{};     ///< overlapped: its number in `tables::moves`
  std::size_t times{};      ///< into the row's member times: those of its members, in rank order
  ticks fixed{};            ///< exchanges inside the operator, behind the slowest member
  std::int64_t weights{};   ///< bytes resident on each member
  std::int64_t transient{}; ///< bytes while it runs; overlapped: but for what other operators made
  std::int64_t kept{};      ///< bytes of its results
  ticks least{};            ///< no neighbours make its duration shorter
  ticks most{};             ///< … or longer: everything crosses the host
};

/// What one member does for an operator, in ticks. Without staging there is one "member", whose
/// computation is all.
struct member_ticks {
  ticks weights{};
  ticks inputs{};
  ticks compute{};
  ticks results{};
};
/// What is left of a member's `inputs` and its predecessor's `results` when one follows the other.
struct staying_ticks {
  ticks inputs{};
  ticks results{};
};

/// Choices of a class of operators.
struct schedule_row {
  std::vector<sharding> shardings;
  std::vector<schedule_choice> choices;
  std::vector<member_ticks> times;
  std::vector<std::uint32_t> first_on; ///< [set] first choice there; one past the end
};

/// Staged problems: what stays when the reader of an edge of this class follows its producer.
struct staying_table {
  std::vector<std::size_t> first;   ///< [choice of the reader] → of its first pair
  std::vector<staying_ticks> times; ///< … + place of the producer's choice · members + member
};

/// Everything a search for schedules may know, as numbers. Built by `build_schedule_problem`;
/// immutable; safe to read from several threads.
template <deferred D = when_called>
class basic_schedule_problem {
public:
  struct tables {
    aggregate how{aggregate::sum}; ///< sum: the makespan
    mars::semantics semantics{semantics::overlapped};
    std::vector<operator_id> order;      ///< by position
    std::vector<std::uint32_t> op_class; ///< by position
    std::vector<problem_edge> edges;     ///< sorted by consumer, then operand
    std::vector<problem_set> sets;
    std::vector<std::vector<std::string>> designs;     ///< [set]
    std::vector<std::vector<std::uint16_t>> design_id; ///< [set][design], one number for one name
    std::vector<schedule_row> rows;                    ///< [operator class]
    std::vector<staying_table> stay;                   ///< [edge class]
    std::vector<std::uint8_t> may_store_less; ///< by position: one result, read by one edge alone
    std::vector<std::uint8_t> leaves;         ///< by position: its result is one of the graph
    std::vector<std::int64_t> capacity;       ///< by accelerator
    later<std::optional<mapping_problem>, D> moves; ///< overlapped: prices of redistributions
  };

  explicit basic_schedule_problem(tables t) : t_{std::move(t)} {
    auto const n = size();
    first_in_.assign(n + 1, 0);
    first_out_.assign(n + 1, 0);
    for (auto const& e : t_.edges) {
      ++first_in_[e.consumer + 1];
      ++first_out_[e.producer + 1];
    }
    for (std::size_t v = 0; v < n; ++v) {
      first_in_[v + 1] += first_in_[v];
      first_out_[v + 1] += first_out_[v];
    }
    out_.resize(t_.edges.size());
    auto next = first_out_;
    for (std::uint32_t i = 0; i < t_.edges.size(); ++i) out_[next[t_.edges[i].producer]++] = i;
    link_chains();
    std::vector<std::optional<std::uint16_t>> design(t_.capacity.size());
    for (std::uint32_t s = 0; s < t_.sets.size(); ++s)
      for (auto const a : t_.sets[s].accelerators)
        for (auto const number : t_.design_id[s])
          one_design_ =
              one_design_ && *(design[a.index()] = design[a.index()].value_or(number)) == number;
    std::int64_t most = 0, largest = 0;
    for (std::size_t v = 0; v < n; ++v) {
      std::int64_t held = 0;
      for (auto const& c : choices(v)) {
        held = std::max(held, c.weights + c.kept);
        largest = std::max(largest, c.transient);
      }
      most += held;
    }
    auto const least = std::min_element(t_.capacity.begin(), t_.capacity.end());
    always_fits_ = least == t_.capacity.end() || most + largest <= *least;
  }

  [[nodiscard]] auto size() const -> std::size_t { return t_.order.size(); }
  [[nodiscard]] auto how() const -> aggregate { return t_.how; }
  [[nodiscard]] auto semantics() const -> mars::semantics { return t_.semantics; }
  [[nodiscard]] auto is_staged() const -> bool { return t_.semantics == mars::semantics::staged; }
  [[nodiscard]] auto accelerators() const -> std::size_t { return t_.capacity.size(); }
  [[nodiscard]] auto operator_at(std::size_t position) const -> operator_id {
    return t_.order[position];
  }
  [[nodiscard]] auto sets() const -> std::span<problem_set const> { return t_.sets; }
  [[nodiscard]] auto members(std::uint32_t set) const -> std::span<accelerator_id const> {
    return t_.sets[set].accelerators;
  }
  [[nodiscard]] auto op_class(std::size_t position) const -> std::uint32_t {
    return t_.op_class[position];
  }
  [[nodiscard]] auto row(std::size_t position) const -> schedule_row const& {
    return t_.rows[t_.op_class[position]];
  }
  [[nodiscard]] auto choices(std::size_t position) const -> std::span<schedule_choice const> {
    return row(position).choices;
  }
  /// Numbers of the choices on one set: [first, last).
  [[nodiscard]] auto choices_on(std::size_t position, std::uint32_t set) const
      -> std::pair<std::uint32_t, std::uint32_t> {
    auto const& first = row(position).first_on;
    return {first[set], first[set + 1]};
  }
  [[nodiscard]] auto edges() const -> std::span<problem_edge const> { return t_.edges; }
  [[nodiscard]] auto in_edges(std::size_t position) const -> std::span<problem_edge const> {
    return std::span{t_.edges}.subspan(first_in_[position],
                                       first_in_[position + 1] - first_in_[position]);
  }
  /// Indices into `edges()`.
  [[nodiscard]] auto out_edges(std::size_t position) const -> std::span<std::uint32_t const> {
    return std::span{out_}.subspan(first_out_[position],
                                   first_out_[position + 1] - first_out_[position]);
  }
  static constexpr auto nobody = std::numeric_limits<std::uint32_t>::max();
  /// Chains along first inputs: the operator that `position` continues, and the one that continues it
  /// (of several the one with the smallest id); `nobody` at the ends.
  [[nodiscard]] auto before(std::size_t position) const -> std::uint32_t {
    return before_[position];
  }
  [[nodiscard]] auto next(std::size_t position) const -> std::uint32_t { return next_[position]; }
  /// Is an operator's result read by one edge alone, so that it need not be stored for others?
  [[nodiscard]] auto may_store_less(std::size_t position) const -> bool {
    return t_.may_store_less[position] != 0;
  }
  [[nodiscard]] auto stays_to_the_end(std::size_t position) const -> bool {
    return t_.leaves[position] != 0;
  }
  [[nodiscard]] auto capacity(std::size_t accelerator) const -> std::int64_t {
    return t_.capacity[accelerator];
  }
  /// No schedule overflows, even if every accelerator took part in everything.
  [[nodiscard]] auto always_fits() const -> bool { return always_fits_; }
  /// Names of the designs that the members of a set have in common.
  [[nodiscard]] auto designs(std::uint32_t set) const -> std::span<std::string const> {
    return t_.designs[set];
  }
  /// The same number for the same name, over all sets.
  [[nodiscard]] auto design_number(std::uint32_t set, std::uint16_t design) const -> std::uint16_t {
    return t_.design_id[set][design];
  }
  [[nodiscard]] auto design_number(schedule_choice const& c) const -> std::uint16_t {
    return design_number(c.set, c.design);
  }
  /// Is there nothing to configure: has every accelerator the same design in all of its sets?
  [[nodiscard]] auto has_one_design() const -> bool { return one_design_; }
  [[nodiscard]] auto times(std::size_t position, schedule_choice const& c) const
      -> std::span<member_ticks const> {
    return std::span{row(position).times}.subspan(c.times, is_staged() ? members(c.set).size() : 1);
  }
  /// By member, what is left when the reader of `e`, with its choice, follows the producer on the
  /// same set. Precondition: staged, both on one set.
  [[nodiscard]] auto staying(problem_edge const& e, std::size_t reader,
                             schedule_choice const& of_reader,
                             schedule_choice const& of_producer) const
      -> std::span<staying_ticks const> {
    auto const p = members(of_reader.set).size();
    auto const& table = t_.stay[e.edge_class];
    return std::span{table.times}.subspan(table.first[reader] + of_producer.place * p, p);
  }
  /// Overlapped: from the producer's end until its result is where the consumer wants it.
  [[nodiscard]] auto move(problem_edge const& e, schedule_choice const& from,
                          schedule_choice const& to) const -> ticks {
    return t_.moves->edge_value(e, from.set, from.move, to.set, to.move);
  }
  /// Overlapped: `move` knows of a choice only where its result lies and where its input is wanted;
  /// choices of one set with equal numbers are alike.
  [[nodiscard]] auto own_layout(problem_edge const& e, schedule_choice const& from) const
      -> std::size_t {
    return t_.moves->row(e.producer, from.set).own[e.output][from.move];
  }
  [[nodiscard]] auto need_layout(problem_edge const& e, schedule_choice const& to) const
      -> std::size_t {
    return t_.moves->row(e.consumer, to.set).need[e.operand][to.move];
  }
  /// How long `e` moves between two sets, by own and needed layout.
  [[nodiscard]] auto moves(problem_edge const& e, std::uint32_t from, std::uint32_t to) const
      -> edge_table const& {
    return t_.moves->table(e, from, to);
  }
  /// Overlapped: bytes of the tensor that a member receives at most.
  [[nodiscard]] auto missing(problem_edge const& e, schedule_choice const& from,
                             schedule_choice const& to) const -> std::int64_t {
    if (is_staged()) return 0;
    return t_.moves->table(e, from.set, to.set)
        .missing[t_.moves->edge_index(e, from.set, from.move, to.set, to.move)];
  }

  /// As a mapping: sets that run nothing are left out.
  [[nodiscard]] auto decode(schedule_assignment const& a) const -> later<mapping, D> {
    later<mapping, D> m;
    m.operators.resize(size());
    later<std::vector<std::pair<std::pair<std::uint32_t, std::uint16_t>, set_id>>, D> known;
    for (std::size_t v = 0; v < size(); ++v) {
      auto const& c = choices(v)[a.choice_of[v]];
      std::pair const key{c.set, c.design};
      auto found =
          std::find_if(known.begin(), known.end(), [&](auto const& k) { return k.first == key; });
      if (found == known.end()) {
        found = known.insert(known.end(), {key, set_id{m.sets.size()}});
        m.sets.push_back({t_.sets[c.set].accelerators, t_.designs[c.set][c.design]});
      }
      m.operators[t_.order[v].index()] = {found->second, row(v).shardings[c.sharding],
                                          a.streamed[v] != 0 ? residency::streamed
                                                             : residency::resident};
    }
    for (auto const v : a.order) m.launch_order.push_back(t_.order[v]);
    return m;
  }

  /// The assignment that decodes to `m` (to the same sets, shardings and order); nothing when a set,
  /// design or sharding is not a candidate. A mapping without launch order gets the topological one.
  [[nodiscard]] auto encode(later<mapping, D> const& m) const
      -> later<std::optional<schedule_assignment>, D> {
    later<schedule_assignment, D> a;
    if (m.operators.size() != size()) return std::nullopt;
    later<std::vector<std::uint32_t>, D> position(size());
    for (std::uint32_t v = 0; v < size(); ++v) position[t_.order[v].index()] = v;
    for (std::size_t v = 0; v < size(); ++v) {
      auto const& p = m.operators[t_.order[v].index()];
      auto const& wanted = m.sets[p.set.index()];
      auto const all = choices(v);
      auto const found = std::find_if(all.begin(), all.end(), [&](schedule_choice const& c) {
        return t_.sets[c.set].accelerators == wanted.accelerators &&
               t_.designs[c.set][c.design] == wanted.design &&
               row(v).shardings[c.sharding] == p.sharding;
      });
      if (found == all.end()) return std::nullopt;
      a.choice_of.push_back(static_cast<std::uint32_t>(found - all.begin()));
      a.streamed.push_back(p.weights == residency::streamed ? 1 : 0);
    }
    if (m.is_scheduled()) {
      if (m.launch_order.size() != size()) return std::nullopt;
      for (auto const v : m.launch_order) a.order.push_back(position[v.index()]);
    } else {
      for (std::uint32_t v = 0; v < size(); ++v) a.order.push_back(v);
    }
    return a;
  }

private:
  void link_chains() {
    before_.assign(size(), nobody);
    next_.assign(size(), nobody);
    later<std::vector<std::uint32_t>, D> by_id(size());
    for (std::uint32_t v = 0; v < size(); ++v) by_id[t_.order[v].index()] = v;
    for (auto const v : by_id) {
      if (in_edges(v).empty()) continue;
      auto const u = in_edges(v)[0].producer;
      if (next_[u] != nobody) continue;
      next_[u] = v;
      before_[v] = u;
    }
  }

  tables t_;
  std::vector<std::uint32_t> before_, next_;
  std::vector<std::size_t> first_in_, first_out_;
  std::vector<std::uint32_t> out_;
  bool always_fits_{};
  bool one_design_{true};
};
using schedule_problem = basic_schedule_problem<>;

} // namespace mars
