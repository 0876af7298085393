// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/objective.hpp>
#include <mars/mapping/mapping.hpp>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mars {

/// How an operator runs besides its sharding; names as in `placement`.
struct operator_variant {
  std::string algorithm;
  std::string format;
  std::string compression;

  friend auto operator==(operator_variant const&, operator_variant const&) -> bool = default;
};

/// Candidate shardings of one operator class on one class of sets, and what they cost there.
struct choice_row {
  std::vector<sharding> shardings; ///< of each choice; several may differ in their variant alone
  std::vector<std::vector<ticks>> node;    ///< [design][choice]
  std::vector<std::vector<ticks>> compute; ///< [design][choice], picoseconds, critical shard
  std::vector<std::vector<ticks>> spent;   ///< [design][choice]; empty where nothing limits it
  std::vector<std::int64_t> resident;      ///< bytes of weights held
  std::vector<std::int64_t> transient;     ///< bytes while it runs, but for graph inputs it owns
  std::vector<std::int64_t> kept;          ///< bytes of its outputs until their last use
  std::vector<std::vector<std::uint16_t>> own;  ///< [output][choice] → row of an edge table
  std::vector<std::vector<std::uint16_t>> need; ///< [operand][choice] → column of an edge table
  std::vector<double> prior;                    ///< seeding weight of each choice
  std::vector<std::uint32_t>
      variant; ///< of each choice; empty: shardings are all there is to choose
};

/// Moving one tensor between two classes of sets: time and bytes received, by producer's layout and
/// consumer's layout.
struct edge_table {
  std::uint32_t columns{};
  std::vector<ticks> time;
  std::vector<std::int64_t> missing;
};

struct problem_edge {
  std::uint32_t producer{}; ///< position
  std::uint32_t consumer{}; ///< position
  std::uint16_t output{};
  std::uint16_t operand{};
  std::uint32_t edge_class{};
};

struct problem_set {
  std::vector<accelerator_id> accelerators;
  std::uint32_t set_class{};
  std::int64_t capacity{}; ///< bytes, the smallest over the members
};

/// Everything a search may know, as numbers: dense tables indexed by position, slot and choice.
/// Built by `build_problem`; immutable; safe to read from several threads.
template <deferred D = when_called>
class basic_mapping_problem {
public:
  struct tables {
    aggregate how{aggregate::sum};
    std::string objective;
    std::vector<operator_id> order;       ///< by position
    std::vector<std::uint32_t> op_class;  ///< by position
    std::vector<bool> has_macs;           ///< by position
    std::vector<std::vector<label>> dims; ///< [operator class], names
    std::vector<problem_edge> edges;      ///< sorted by consumer
    std::vector<problem_set> sets;
    std::vector<std::vector<std::string>> designs;     ///< [set class]
    std::vector<std::vector<choice_row>> rows;         ///< [operator class][set class]
    std::vector<std::vector<std::int32_t>> pair_class; ///< [set][set], −1 = they overlap
    std::vector<edge_table> edge_tables;               ///< distinct ones
    std::vector<std::uint32_t> table_of; ///< [edge class · pair_classes + pair class]
    std::vector<std::uint32_t> last_use; ///< by position: position of last consumer
    std::uint32_t pair_classes{};
    std::size_t accelerators{};
    ticks spending_limit{no_ticks};         ///< of the sum of `choice_row::spent`
    std::vector<operator_variant> variants; ///< what `choice_row::variant` refers to
  };

  explicit basic_mapping_problem(tables t) : t_{std::move(t)} {
    index(first_in_, in_, [](problem_edge const& e) { return e.consumer; });
    index(first_out_, out_, [](problem_edge const& e) { return e.producer; });
    first_freed_.assign(size() + 1, 0);
    for (auto const last : t_.last_use)
      if (last < size()) ++first_freed_[last + 1];
    for (std::size_t i = 1; i <= size(); ++i) first_freed_[i] += first_freed_[i - 1];
    freed_.resize(first_freed_[size()]);
    auto next = first_freed_;
    for (std::uint32_t v = 0; v < size(); ++v)
      if (t_.last_use[v] < size()) freed_[next[t_.last_use[v]]++] = v;
    bound_memory();
  }

  [[nodiscard]] auto size() const -> std::size_t { return t_.order.size(); }
  [[nodiscard]] auto how() const -> aggregate { return t_.how; }
  [[nodiscard]] auto objective_name() const -> std::string_view { return t_.objective; }
  [[nodiscard]] auto accelerators() const -> std::size_t { return t_.accelerators; }
  [[nodiscard]] auto operator_at(std::size_t position) const -> operator_id {
    return t_.order[position];
  }
  [[nodiscard]] auto has_macs(std::size_t position) const -> bool { return t_.has_macs[position]; }
  [[nodiscard]] auto op_class(std::size_t position) const -> std::uint32_t {
    return t_.op_class[position];
  }
  /// What the operators may spend together (picojoules: `objective::within`); `no_ticks`: anything.
  [[nodiscard]] auto spending_limit() const -> ticks { return t_.spending_limit; }
  [[nodiscard]] auto limits_spending() const -> bool { return t_.spending_limit < no_ticks; }
  /// What one operator spends; 0 where nothing limits it.
  [[nodiscard]] auto spent(std::size_t position, slot s, std::size_t choice) const -> ticks {
    return limits_spending() ? row(position, s.set).spent[s.design][choice] : 0;
  }
  /// Names of the operator's dimensions, which the cuts of its shardings refer to.
  [[nodiscard]] auto dims(std::size_t position) const -> std::span<label const> {
    return t_.dims[t_.op_class[position]];
  }
  [[nodiscard]] auto sets() const -> std::span<problem_set const> { return t_.sets; }
  [[nodiscard]] auto designs(std::uint32_t set) const -> std::span<std::string const> {
    return t_.designs[t_.sets[set].set_class];
  }
  [[nodiscard]] auto disjoint(std::uint32_t a, std::uint32_t b) const -> bool {
    return a != b && t_.pair_class[a][b] >= 0;
  }
  /// Kind of a pair of sets that do not overlap (or are one set): pairs of a kind share edge tables.
  [[nodiscard]] auto pair_class(std::uint32_t a, std::uint32_t b) const -> std::size_t {
    return static_cast<std::size_t>(t_.pair_class[a][b]);
  }
  /// Position of the last operator that reads a result of this one; `size()`: it stays to the end.
  [[nodiscard]] auto last_use(std::size_t position) const -> std::uint32_t {
    return t_.last_use[position];
  }
  /// Positions whose results are dropped once this operator has run.
  [[nodiscard]] auto freed_after(std::size_t position) const -> std::span<std::uint32_t const> {
    return std::span{freed_}.subspan(first_freed_[position],
                                     first_freed_[position + 1] - first_freed_[position]);
  }
  /// Choices of the operator at a position on a set.
  [[nodiscard]] auto row(std::size_t position, std::uint32_t set) const -> choice_row const& {
    return t_.rows[t_.op_class[position]][t_.sets[set].set_class];
  }
  [[nodiscard]] auto shardings(std::size_t position, std::uint32_t set) const
      -> std::span<sharding const> {
    return row(position, set).shardings;
  }
  /// Of a choice; null where only shardings are chosen.
  [[nodiscard]] auto variant(std::size_t position, std::uint32_t set, std::size_t choice) const
      -> operator_variant const* {
    auto const& of = row(position, set).variant;
    return of.empty() ? nullptr : &t_.variants[of[choice]];
  }
  [[nodiscard]] auto edges() const -> std::span<problem_edge const> { return t_.edges; }
  /// Indices into `edges()`.
  [[nodiscard]] auto in_edges(std::size_t position) const -> std::span<std::uint32_t const> {
    return std::span{in_}.subspan(first_in_[position],
                                  first_in_[position + 1] - first_in_[position]);
  }
  [[nodiscard]] auto out_edges(std::size_t position) const -> std::span<std::uint32_t const> {
    return std::span{out_}.subspan(first_out_[position],
                                   first_out_[position + 1] - first_out_[position]);
  }

  /// Is this an assignment of the problem: disjoint slots that exist, choices that exist?
  [[nodiscard]] auto accepts(later<assignment, D> const& a) const -> bool {
    if (a.slot_of.size() != size() || a.choice_of.size() != size()) return false;
    for (std::size_t i = 0; i < a.slots.size(); ++i) {
      if (a.slots[i].set >= t_.sets.size() || a.slots[i].design >= designs(a.slots[i].set).size())
        return false;
      for (std::size_t j = 0; j < i; ++j)
        if (!disjoint(a.slots[i].set, a.slots[j].set)) return false;
    }
    for (std::size_t v = 0; v < size(); ++v)
      if (a.slot_of[v] >= a.slots.size() ||
          a.choice_of[v] >= shardings(v, a.slots[a.slot_of[v]].set).size())
        return false;
    return true;
  }

  [[nodiscard]] auto node_value(std::size_t position, slot s, std::size_t choice) const -> ticks {
    return row(position, s.set).node[s.design][choice];
  }
  /// The table of an edge between two sets, for loops over many choices.
  [[nodiscard]] auto table(problem_edge const& e, std::uint32_t from, std::uint32_t to) const
      -> edge_table const& {
    auto const pair = static_cast<std::size_t>(t_.pair_class[from][to]);
    return t_.edge_tables[t_.table_of[std::size_t{e.edge_class} * t_.pair_classes + pair]];
  }
  [[nodiscard]] auto edge_index(problem_edge const& e, std::uint32_t from, std::size_t producer,
                                std::uint32_t to, std::size_t consumer) const -> std::size_t {
    return std::size_t{row(e.producer, from).own[e.output][producer]} * table(e, from, to).columns +
           row(e.consumer, to).need[e.operand][consumer];
  }
  [[nodiscard]] auto edge_value(problem_edge const& e, std::uint32_t from, std::size_t producer,
                                std::uint32_t to, std::size_t consumer) const -> ticks {
    return table(e, from, to).time[edge_index(e, from, producer, to, consumer)];
  }

  /// The whole value: every operator, every edge, and the memory of every slot. O(V + E).
  [[nodiscard]] auto evaluate(later<assignment, D> const& a) const -> assignment_value {
    later<std::vector<ticks>, D> load(a.slots.size());
    for (std::size_t v = 0; v < size(); ++v) {
      auto& l = load[a.slot_of[v]];
      l = add(l, node_value(v, a.slots[a.slot_of[v]], a.choice_of[v]));
      for (auto const i : in_edges(v)) l = add(l, edge_value_in(a, t_.edges[i]));
    }
    assignment_value result{0, overflow(a), overspent(a)};
    for (auto const l : load)
      result.value = t_.how == aggregate::sum ? add(result.value, l) : std::max(result.value, l);
    return result;
  }

  /// Peak bytes of each slot: weights of all its operators, plus the largest demand while one of them
  /// runs: what earlier operators left for later ones, what it receives, and its own buffers.
  [[nodiscard]] auto peak_bytes(later<assignment, D> const& a) const -> std::vector<std::int64_t> {
    memory_space space;
    later<std::vector<std::int64_t>, D> peak;
    peak_bytes(a, space, peak);
    return peak;
  }
  /// Working space of `peak_bytes`, for callers who must not allocate.
  struct memory_space {
    std::vector<std::int64_t> resident, live;
  };
  void peak_bytes(later<assignment, D> const& a, memory_space& space,
                  std::vector<std::int64_t>& peak) const {
    auto& [resident, live] = space;
    for (auto* of : {&resident, &live, &peak}) of->assign(a.slots.size(), 0);
    for (std::size_t v = 0; v < size(); ++v) {
      auto const s = a.slot_of[v];
      auto const set = a.slots[s].set;
      auto const& r = row(v, set);
      auto const c = a.choice_of[v];
      auto demand = live[s] + r.transient[c];
      for (auto const i : in_edges(v)) {
        auto const& e = t_.edges[i];
        auto const from = a.slots[a.slot_of[e.producer]].set;
        demand += table(e, from, set).missing[edge_index(e, from, a.choice_of[e.producer], set, c)];
      }
      peak[s] = std::max(peak[s], demand);
      resident[s] += r.resident[c];
      live[s] += r.kept[c];
      for (auto const u : freed_after(v))
        live[a.slot_of[u]] -= row(u, a.slots[a.slot_of[u]].set).kept[a.choice_of[u]];
    }
    for (std::size_t s = 0; s < peak.size(); ++s) peak[s] += resident[s];
  }
  /// What the operators spend beyond the limit.
  [[nodiscard]] auto overspent(assignment const& a) const -> ticks {
    ticks sum = 0;
    for (std::size_t v = 0; limits_spending() && v < size(); ++v)
      sum = add(sum, spent(v, a.slots[a.slot_of[v]], a.choice_of[v]));
    return std::max<ticks>(0, sum - t_.spending_limit);
  }
  /// Bytes that any result of one operator takes at most on a set.
  [[nodiscard]] auto most_kept(std::uint32_t set) const -> std::int64_t {
    return most_kept_[t_.sets[set].set_class];
  }
  /// No assignment overflows: not even the largest choices of all operators together.
  [[nodiscard]] auto always_fits() const -> bool { return always_fits_; }
  [[nodiscard]] auto overflow(later<assignment, D> const& a) const -> std::int64_t {
    if (always_fits_) return 0;
    auto const peak = peak_bytes(a);
    std::int64_t over = 0;
    for (std::size_t s = 0; s < peak.size(); ++s)
      over += std::max<std::int64_t>(0, peak[s] - t_.sets[a.slots[s].set].capacity);
    return over;
  }

  /// As a mapping: slots that run nothing are left out.
  [[nodiscard]] auto decode(later<assignment, D> const& a) const -> mapping {
    later<mapping, D> m;
    later<std::vector<std::optional<set_id>>, D> id_of(a.slots.size());
    m.operators.resize(size());
    for (std::size_t v = 0; v < size(); ++v) {
      auto const s = a.slot_of[v];
      auto const [set, design] = a.slots[s];
      if (!id_of[s]) {
        id_of[s] = set_id{m.sets.size()};
        m.sets.push_back({t_.sets[set].accelerators, designs(set)[design]});
      }
      auto& placed = m.operators[t_.order[v].index()];
      placed = {*id_of[s], row(v, set).shardings[a.choice_of[v]]};
      if (auto const* how = variant(v, set, a.choice_of[v]); how != nullptr) {
        placed.algorithm = how->algorithm;
        placed.format = how->format;
        placed.compression = how->compression;
      }
    }
    return m;
  }

  /// The assignment that decodes to `m`; nothing when a set, design, sharding or variant is not a
  /// candidate or sets overlap.
  [[nodiscard]] auto encode(later<mapping, D> const& m) const
      -> later<std::optional<assignment>, D> {
    later<assignment, D> a;
    if (m.operators.size() != size()) return std::nullopt;
    for (auto const& wanted : m.sets) {
      auto const set = std::find_if(t_.sets.begin(), t_.sets.end(), [&](auto const& s) {
        return s.accelerators == wanted.accelerators;
      });
      if (set == t_.sets.end()) return std::nullopt;
      for (auto const& other : a.slots)
        if (!disjoint(other.set, static_cast<std::uint32_t>(set - t_.sets.begin())))
          return std::nullopt;
      auto const names = designs(static_cast<std::uint32_t>(set - t_.sets.begin()));
      auto const design = std::find(names.begin(), names.end(), wanted.design);
      if (design == names.end()) return std::nullopt;
      a.slots.push_back({static_cast<std::uint32_t>(set - t_.sets.begin()),
                         static_cast<std::uint32_t>(design - names.begin())});
    }
    for (std::size_t v = 0; v < size(); ++v) {
      auto const& p = m.operators[t_.order[v].index()];
      if (p.set.index() >= a.slots.size()) return std::nullopt;
      auto const found = choice_of(v, a.slots[p.set.index()], p);
      if (!found) return std::nullopt;
      a.slot_of.push_back(static_cast<std::uint16_t>(p.set.index()));
      a.choice_of.push_back(*found);
    }
    return a;
  }

  [[nodiscard]] static constexpr auto add(ticks a, ticks b) -> ticks {
    return a >= no_ticks || b >= no_ticks || a + b >= no_ticks ? no_ticks : a + b;
  }

private:
  /// The choice that a placement is, on a set whose designs mean different things by one name the one
  /// that the slot's design can run. Without an algorithm it is the first of the fastest with its sharding,
  /// format and compression.
  [[nodiscard]] auto choice_of(std::size_t v, slot s, later<placement, D> const& p) const
      -> std::optional<std::uint16_t> {
    auto const& r = row(v, s.set);
    operator_variant const wanted{p.algorithm, p.format, p.compression};
    auto const& node = r.node[s.design];
    auto const& compute = r.compute[s.design];
    std::optional<std::uint16_t> found, fastest;
    for (std::uint16_t c = 0; c < r.shardings.size(); ++c) {
      if (r.shardings[c] != p.sharding) continue;
      auto const* how = variant(v, s.set, c);
      if (how == nullptr && wanted == operator_variant{}) return c;
      if (how == nullptr) continue;
      if (*how == wanted && (!found || node[c] < node[*found])) found = c;
      if (wanted.algorithm.empty() && how->format == wanted.format &&
          how->compression == wanted.compression && (!fastest || compute[c] < compute[*fastest]))
        fastest = c;
    }
    return found ? found : fastest;
  }

  /// What memory can come to at most. O(rows + tables + V).
  void bound_memory() {
    later<std::vector<std::int64_t>, D> most_in_table;
    for (auto const& table : t_.edge_tables)
      most_in_table.push_back(table.missing.empty()
                                  ? 0
                                  : *std::max_element(table.missing.begin(), table.missing.end()));
    later<std::vector<std::int64_t>, D> most_missing(
        t_.pair_classes == 0 ? 0 : t_.table_of.size() / t_.pair_classes); // by edge class
    for (std::size_t i = 0; i < t_.table_of.size(); ++i) {
      auto& most = most_missing[i / t_.pair_classes];
      most = std::max(most, most_in_table[t_.table_of[i]]);
    }
    std::int64_t received = 0;
    for (std::size_t v = 0; v < size(); ++v) {
      std::int64_t all = 0;
      for (auto const i : in_edges(v)) all += most_missing[t_.edges[i].edge_class];
      received = std::max(received, all);
    }
    later<std::vector<double>, D> demand(t_.designs.size(), static_cast<double>(received));
    most_kept_.assign(t_.designs.size(), 0);
    later<std::vector<std::size_t>, D> alike(t_.rows.size());
    for (auto const k : t_.op_class) ++alike[k];
    for (std::size_t k = 0; k < t_.rows.size(); ++k)
      for (std::size_t c = 0; c < t_.rows[k].size(); ++c) {
        auto const most = [](std::vector<std::int64_t> const& amounts) {
          return amounts.empty() ? 0 : *std::max_element(amounts.begin(), amounts.end());
        };
        auto const& row = t_.rows[k][c];
        most_kept_[c] = std::max(most_kept_[c], most(row.kept));
        demand[c] += static_cast<double>(most(row.transient)) +
                     static_cast<double>(alike[k]) * (static_cast<double>(most(row.resident)) +
                                                      static_cast<double>(most(row.kept)));
      }
    for (auto const& s : t_.sets)
      always_fits_ =
          always_fits_ && demand[s.set_class] * (1 + 1e-9) < static_cast<double>(s.capacity);
  }

  [[nodiscard]] auto edge_value_in(assignment const& a, problem_edge const& e) const -> ticks {
    return edge_value(e, a.slots[a.slot_of[e.producer]].set, a.choice_of[e.producer],
                      a.slots[a.slot_of[e.consumer]].set, a.choice_of[e.consumer]);
  }
  template <class End>
  void index(std::vector<std::uint32_t>& first, std::vector<std::uint32_t>& list, End end) {
    first.assign(size() + 1, 0);
    for (auto const& e : t_.edges) ++first[end(e) + 1];
    for (std::size_t i = 1; i <= size(); ++i) first[i] += first[i - 1];
    list.resize(t_.edges.size());
    auto next = first;
    for (std::uint32_t i = 0; i < t_.edges.size(); ++i) list[next[end(t_.edges[i])]++] = i;
  }

  tables t_;
  later<std::vector<std::uint32_t>, D> first_in_, in_, first_out_, out_, first_freed_, freed_;
  later<std::vector<std::int64_t>, D> most_kept_; ///< by class of sets
  bool always_fits_{true};
};
using mapping_problem = basic_mapping_problem<>;

} // namespace mars
