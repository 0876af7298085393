// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <queue>
#include <utility>
#include <vector>

namespace mars::search::detail {

/// One thing an operator may do in a subproblem, and what that costs by itself.
struct state {
  slot where;
  std::uint16_t choice{};
  ticks value{};
};
/// What every operator may do, by position.
using domains = std::vector<std::vector<state>>;

/// Minimises the sum of node and edge values over domains by eliminating one operator after another
/// (min-plus variable elimination, alias non-serial dynamic programming: Bertelè and Brioschi 1972),
/// where every pair of neighbours must be in the same slot or in disjoint ones. Memory is not looked
/// at, nor slots that are not neighbours: the answer is a lower bound, and optimal if it happens to
/// respect both.
///
/// Neighbours are coupled through layouts only, so tables are indexed by layouts (a dozen or two per
/// slot), not by choices (hundreds), and of the states that look the same from outside the cheapest
/// stands for all. Chains cost O(layouts³) an operator, residual and inception blocks not much more.
/// Blocks that repeat are eliminated once: a minimum is known by the tables it is made of and how they
/// hang together, and equal tables are one.
/// Where a table would pass `most_entries`, the operator is split (mini-buckets: Dechter and Rish
/// 1997): still a bound, no longer exact.
template <deferred D = when_called>
class basic_elimination {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  struct answer {
    ticks bound{no_ticks};        ///< no choice from the domains is below; `no_ticks`: none at all
    bool exact{true};             ///< `state_of` attains the bound
    vector<std::size_t> state_of; ///< by position, an index into its domain; empty = none
  };

  basic_elimination(later<mapping_problem, D> const& problem, later<domains, D> const& all,
                    std::size_t most_entries)
      : p_{&problem}, domains_{&all}, most_{most_entries} {
    make_ports();
    collapse();
    make_factors();
  }

  /// `interrupted()` ends it early, with a bound of 0 and no states.
  template <class Interrupted>
  [[nodiscard]] auto operator()(Interrupted&& interrupted) -> answer {
    auto const n = p_->size();
    std::priority_queue<entry, vector<entry>, std::greater<>> next;
    vector<std::uint32_t> version(n);
    for (std::uint32_t v = 0; v < n; ++v) next.push({cost_of(v), v, 0});
    vector<vector<std::uint32_t>> eliminated_with(n); // factors, by operator
    vector<std::uint32_t> order;
    answer result;
    result.bound = 0;
    while (!next.empty()) {
      auto const [cost, v, made] = next.top();
      next.pop();
      if (made != version[v] || done_[v]) continue;
      if (interrupted()) return {0, false, {}};
      eliminated_with[v] = incident(v);
      order.push_back(v);
      eliminate(v, eliminated_with[v], result);
      done_[v] = true;
      if (result.bound >= no_ticks) return {};
      for (auto const w : neighbours_) next.push({cost_of(w), w, ++version[w]});
    }
    backtrack(order, eliminated_with, result);
    return result;
  }

private:
  struct port {
    std::uint32_t owner{};
    bool gives{}; ///< a result, not an operand
    std::uint16_t index{};
    std::uint32_t values{}; ///< which of `value_lists_`
  };
  using value_list = vector<std::pair<slot, std::uint16_t>>; ///< slot and layout, by number
  /// States with equal layouts at all ports, as their cheapest.
  struct group {
    ticks value{};
    std::uint32_t state{};
    vector<std::uint32_t> at; ///< by port of the operator: number of its value
  };
  struct factor {
    vector<std::uint32_t> scope; ///< ports
    std::uint32_t table{};       ///< which of `tables_`
    bool alive{true};
  };
  /// What is computed for one operator and holds for all like it.
  struct collapsed {
    std::uint32_t representative{};
    std::uint32_t groups{};         ///< which of `group_lists_`
    vector<std::uint32_t> values{}; ///< by port
  };
  /// A minimum that is known: its table, and its scope as places among the ports around.
  struct minimum_known {
    std::uint32_t table{};
    vector<std::uint32_t> scope;
  };
  struct entry {
    double cost{};
    std::uint32_t v{};
    std::uint32_t version{};
    friend auto operator>(entry const& a, entry const& b) -> bool {
      return a.cost != b.cost ? a.cost > b.cost : a.v > b.v;
    }
  };

  [[nodiscard]] auto size_of_port(std::uint32_t p) const -> std::size_t {
    return value_lists_[ports_[p].values].size();
  }
  [[nodiscard]] auto groups_of(std::uint32_t v) const -> vector<group> const& {
    return group_lists_[groups_[v]];
  }
  [[nodiscard]] auto table_of(factor const& f) const -> vector<ticks> const& {
    return tables_[f.table];
  }
  [[nodiscard]] auto compatible(slot a, slot b) const -> bool {
    return a == b || p_->disjoint(a.set, b.set);
  }

  void make_ports() {
    ports_of_.resize(p_->size());
    edge_ports_.resize(p_->edges().size());
    auto const port_of = [&](std::uint32_t v, bool gives, std::uint16_t index) {
      for (auto const q : ports_of_[v])
        if (ports_[q].gives == gives && ports_[q].index == index) return q;
      ports_of_[v].push_back(static_cast<std::uint32_t>(ports_.size()));
      ports_.push_back({v, gives, index, 0});
      return ports_of_[v].back();
    };
    for (std::size_t e = 0; e < p_->edges().size(); ++e) {
      auto const& edge = p_->edges()[e];
      edge_ports_[e] = {port_of(edge.producer, true, edge.output),
                        port_of(edge.consumer, false, edge.operand)};
    }
  }

  void collapse() {
    groups_.resize(p_->size());
    done_.assign(p_->size(), false);
    std::map<vector<std::uint32_t>, vector<collapsed>> known; // by class and ports
    vector<std::uint32_t> key;
    for (std::uint32_t v = 0; v < p_->size(); ++v) {
      key.assign(1, p_->op_class(v));
      for (auto const q : ports_of_[v])
        key.push_back(std::uint32_t{ports_[q].index} << 1U | std::uint32_t{ports_[q].gives});
      auto& alike = known[key];
      auto const& mine = (*domains_)[v];
      auto found = std::find_if(alike.begin(), alike.end(), [&](collapsed const& c) {
        return same((*domains_)[c.representative], mine);
      });
      if (found == alike.end()) {
        alike.push_back(collapse(v));
        found = alike.end() - 1;
      }
      groups_[v] = found->groups;
      for (std::size_t k = 0; k < ports_of_[v].size(); ++k)
        ports_[ports_of_[v][k]].values = found->values[k];
    }
  }
  [[nodiscard]] static auto same(vector<state> const& a, vector<state> const& b) -> bool {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](state const& x, state const& y) {
      return x.value == y.value && x.choice == y.choice && x.where == y.where;
    });
  }
  [[nodiscard]] auto collapse(std::uint32_t v) -> collapsed {
    auto const& mine = (*domains_)[v];
    std::map<vector<std::uint32_t>, std::size_t> known;
    vector<std::map<std::pair<slot, std::uint16_t>, std::uint32_t>> number(ports_of_[v].size());
    vector<value_list> values(ports_of_[v].size());
    vector<group> groups;
    vector<std::uint32_t> key;
    for (std::uint32_t x = 0; x < mine.size(); ++x) {
      auto const& s = mine[x];
      auto const& row = p_->row(v, s.where.set);
      key.clear();
      for (std::size_t k = 0; k < ports_of_[v].size(); ++k) {
        auto const& q = ports_[ports_of_[v][k]];
        auto const layout = q.gives ? row.own[q.index][s.choice] : row.need[q.index][s.choice];
        auto const [at, fresh] = number[k].try_emplace(
            std::pair{s.where, layout}, static_cast<std::uint32_t>(values[k].size()));
        if (fresh) values[k].emplace_back(s.where, layout);
        key.push_back(at->second);
      }
      auto const [at, fresh] = known.try_emplace(key, groups.size());
      if (fresh)
        groups.push_back({s.value, x, key});
      else if (auto& g = groups[at->second]; s.value < g.value)
        g.value = s.value, g.state = x;
    }
    collapsed c{v, static_cast<std::uint32_t>(group_lists_.size()), {}};
    group_lists_.push_back(std::move(groups));
    for (auto& list : values) {
      auto const at = std::find(value_lists_.begin(), value_lists_.end(), list);
      c.values.push_back(static_cast<std::uint32_t>(at - value_lists_.begin()));
      if (at == value_lists_.end()) value_lists_.push_back(std::move(list));
    }
    return c;
  }

  void make_factors() {
    factors_of_.resize(p_->size());
    // Edges of a class between ports with equal values have one table.
    std::map<std::array<std::uint32_t, 3>, std::uint32_t> known;
    for (std::size_t e = 0; e < p_->edges().size(); ++e) {
      auto const [from, to] = edge_ports_[e];
      auto const& edge = p_->edges()[e];
      auto const [at, fresh] =
          known.try_emplace({edge.edge_class, ports_[from].values, ports_[to].values},
                            static_cast<std::uint32_t>(tables_.size()));
      if (fresh) tables_.push_back(table_between(edge, from, to));
      add({{from, to}, at->second});
    }
  }
  [[nodiscard]] auto table_between(later<problem_edge, D> const& edge, std::uint32_t from,
                                   std::uint32_t to) const -> vector<ticks> {
    vector<ticks> table;
    table.reserve(size_of_port(from) * size_of_port(to));
    for (auto const& [a, row] : value_lists_[ports_[from].values])
      for (auto const& [b, column] : value_lists_[ports_[to].values]) {
        if (!compatible(a, b)) {
          table.push_back(no_ticks);
          continue;
        }
        auto const& t = p_->table(edge, a.set, b.set);
        table.push_back(std::min(no_ticks, t.time[std::size_t{row} * t.columns + column]));
      }
    return table;
  }

  void add(factor f) {
    auto const id = static_cast<std::uint32_t>(factors_.size());
    for (auto const q : f.scope)
      if (auto& of = factors_of_[ports_[q].owner]; of.empty() || of.back() != id) of.push_back(id);
    factors_.push_back(std::move(f));
  }

  [[nodiscard]] auto incident(std::uint32_t v) -> vector<std::uint32_t> {
    std::erase_if(factors_of_[v], [&](std::uint32_t f) { return !factors_[f].alive; });
    return factors_of_[v];
  }

  /// Ports of others in the scopes of factors, rising.
  [[nodiscard]] auto around(std::uint32_t v, vector<std::uint32_t> const& of) const
      -> vector<std::uint32_t> {
    vector<std::uint32_t> all;
    for (auto const f : of)
      for (auto const q : factors_[f].scope)
        if (ports_[q].owner != v) all.push_back(q);
    sort_ascending(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  [[nodiscard]] auto entries(vector<std::uint32_t> const& scope) const -> double {
    double n = 1;
    for (auto const q : scope) n *= static_cast<double>(size_of_port(q));
    return n;
  }
  [[nodiscard]] auto cost_of(std::uint32_t v) -> double { return entries(around(v, incident(v))); }

  /// Replaces the factors around v, and v itself, by their minimum over v.
  void eliminate(std::uint32_t v, vector<std::uint32_t> const& with, answer& result) {
    neighbours_.clear();
    for (auto const q : around(v, with))
      if (neighbours_.empty() ||
          std::find(neighbours_.begin(), neighbours_.end(), ports_[q].owner) == neighbours_.end())
        neighbours_.push_back(ports_[q].owner);
    vector<vector<std::uint32_t>> buckets;
    for (auto const f : with) {
      factors_[f].alive = false;
      auto const fits = std::find_if(buckets.begin(), buckets.end(), [&](auto bucket) {
        bucket.push_back(f);
        return entries(around(v, bucket)) <= static_cast<double>(most_);
      });
      if (fits == buckets.end())
        buckets.push_back({f});
      else
        fits->push_back(f);
    }
    if (buckets.empty()) buckets.emplace_back();
    if (buckets.size() > 1) result.exact = false;
    bool own_value = true;
    for (auto const& bucket : buckets) {
      auto f = known_minimum(v, bucket, own_value);
      own_value = false;
      if (f.scope.empty())
        result.bound = later<mapping_problem, D>::add(result.bound, table_of(f).front());
      else
        add(std::move(f));
    }
  }

  /// `minimum`, or what it was where the same was asked: everything it looks at is in the key.
  [[nodiscard]] auto known_minimum(std::uint32_t v, vector<std::uint32_t> const& bucket,
                                   bool own_value) -> factor {
    auto const ports = around(v, bucket); // rising: places keep their order
    vector<std::uint32_t> key{groups_[v], std::uint32_t{own_value}};
    for (auto const q : ports) key.push_back(static_cast<std::uint32_t>(size_of_port(q)));
    for (auto const id : bucket) {
      key.push_back(factors_[id].table);
      for (auto const q : factors_[id].scope) {
        bool const inner = ports_[q].owner == v;
        auto const& among = inner ? ports_of_[v] : ports;
        auto const at = std::find(among.begin(), among.end(), q) - among.begin();
        key.push_back(static_cast<std::uint32_t>(at) << 1U | std::uint32_t{inner});
      }
    }
    auto const known = minima_.find(key);
    if (known == minima_.end()) {
      auto f = minimum(v, bucket, own_value);
      minimum_known m{f.table, {}};
      for (auto const q : f.scope)
        m.scope.push_back(
            static_cast<std::uint32_t>(std::find(ports.begin(), ports.end(), q) - ports.begin()));
      minima_.emplace(std::move(key), std::move(m));
      return f;
    }
    factor f{{}, known->second.table};
    for (auto const at : known->second.scope) f.scope.push_back(ports[at]);
    return f;
  }

  /// How a factor is entered: by result dimension and by group of v.
  struct access {
    vector<ticks> const* table{};
    vector<std::size_t> stride;   ///< by dimension of the outer scope
    vector<std::size_t> by_group; ///< offset
  };
  [[nodiscard]] auto access_of(std::uint32_t v, std::uint32_t id,
                               vector<std::uint32_t> const& outer) const -> access {
    auto const& f = factors_[id];
    access a{&table_of(f), vector<std::size_t>(outer.size()),
             vector<std::size_t>(groups_of(v).size())};
    std::size_t stride = 1;
    for (auto i = f.scope.size(); i-- > 0;) {
      auto const q = f.scope[i];
      if (ports_[q].owner == v) {
        auto const k = static_cast<std::size_t>(
            std::find(ports_of_[v].begin(), ports_of_[v].end(), q) - ports_of_[v].begin());
        for (std::size_t g = 0; g < groups_of(v).size(); ++g)
          a.by_group[g] += stride * groups_of(v)[g].at[k];
      } else if (auto const at = std::find(outer.begin(), outer.end(), q); at != outer.end()) {
        a.stride[static_cast<std::size_t>(at - outer.begin())] = stride;
      }
      stride *= size_of_port(q);
    }
    return a;
  }

  /// min over the groups of v of its value plus the factors of a bucket. The factor that brings the
  /// most dimensions of its own comes last, after the groups that it cannot tell apart are merged.
  [[nodiscard]] auto minimum(std::uint32_t v, vector<std::uint32_t> bucket, bool own_value)
      -> factor {
    vector<std::uint32_t> outer;
    std::size_t last = bucket.size();
    double most = 1;
    for (std::size_t i = 0; i < bucket.size(); ++i) {
      auto others = bucket;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      auto const rest = around(v, others);
      auto const gained = entries(around(v, bucket)) / entries(rest);
      if (gained > most) most = gained, last = i, outer = rest;
    }
    if (last == bucket.size()) outer = around(v, bucket);
    vector<access> first;
    for (std::size_t i = 0; i < bucket.size(); ++i)
      if (i != last) first.push_back(access_of(v, bucket[i], outer));

    factor result{outer, static_cast<std::uint32_t>(tables_.size())};
    vector<ticks> least;
    std::size_t width = 1; // of the dimensions that only the last factor has
    merged_.assign(groups_of(v).size(), 0);
    std::size_t merged = groups_of(v).size();
    vector<ticks> transposed;
    vector<std::size_t> shared_stride(outer.size()); // of the transposed table
    if (last < bucket.size())
      transpose(v, bucket[last], outer, result.scope, width, merged, shared_stride, transposed);
    else
      for (std::size_t g = 0; g < merged; ++g) merged_[g] = g;

    std::size_t rows = 1;
    for (auto const q : outer) rows *= size_of_port(q);
    least.assign(rows * width, no_ticks);
    vector<std::size_t> digit(outer.size());
    vector<ticks> best(merged);
    for (std::size_t r = 0; r < rows; ++r) {
      std::fill(best.begin(), best.end(), no_ticks);
      for (auto& a : first) {
        std::size_t base = 0;
        for (std::size_t d = 0; d < digit.size(); ++d) base += digit[d] * a.stride[d];
        bases_.resize(first.size());
        bases_[static_cast<std::size_t>(&a - first.data())] = base;
      }
      for (std::size_t g = 0; g < groups_of(v).size(); ++g) {
        auto value = own_value ? groups_of(v)[g].value : ticks{0};
        for (std::size_t i = 0; i < first.size() && value < no_ticks; ++i)
          value += (*first[i].table)[bases_[i] + first[i].by_group[g]];
        best[merged_[g]] = std::min(best[merged_[g]], value);
      }
      auto* out = &least[r * width];
      if (last == bucket.size()) {
        for (auto const b : best) *out = std::min(*out, b);
      } else {
        std::size_t base = 0;
        for (std::size_t d = 0; d < digit.size(); ++d) base += digit[d] * shared_stride[d];
        for (std::size_t m = 0; m < merged; ++m) {
          if (best[m] >= no_ticks) continue;
          auto const* line = &transposed[base + m * width];
          for (std::size_t k = 0; k < width; ++k) out[k] = std::min(out[k], best[m] + line[k]);
        }
      }
      for (auto d = digit.size(); d-- > 0;) {
        if (++digit[d] < size_of_port(outer[d])) break;
        digit[d] = 0;
      }
    }
    tables_.push_back(std::move(least));
    return result;
  }

  /// The table of factor `id` as [dimensions it shares with `outer`][groups of v it tells apart][its
  /// own], which are appended to `scope`.
  void transpose(std::uint32_t v, std::uint32_t id, vector<std::uint32_t> const& outer,
                 vector<std::uint32_t>& scope, std::size_t& width, std::size_t& merged,
                 vector<std::size_t>& shared_stride, vector<ticks>& table) {
    auto const& f = factors_[id];
    auto const& from = table_of(f);
    vector<std::size_t> stride(f.scope.size(), 1);
    for (auto i = f.scope.size(); i-- > 1;) stride[i - 1] = stride[i] * size_of_port(f.scope[i]);
    vector<std::size_t> own, shared; // places in the scope
    for (std::size_t i = 0; i < f.scope.size(); ++i) {
      if (ports_[f.scope[i]].owner == v) continue;
      bool const is_shared = std::find(outer.begin(), outer.end(), f.scope[i]) != outer.end();
      (is_shared ? shared : own).push_back(i);
    }
    for (auto const i : own) {
      scope.push_back(f.scope[i]);
      width *= size_of_port(f.scope[i]);
    }
    auto const by_group = access_of(v, id, {}).by_group;
    vector<std::size_t> offsets; // into f.table, by merged group
    for (std::size_t g = 0; g < by_group.size(); ++g) {
      auto const at = std::find(offsets.begin(), offsets.end(), by_group[g]) - offsets.begin();
      merged_[g] = static_cast<std::size_t>(at);
      if (merged_[g] == offsets.size()) offsets.push_back(by_group[g]);
    }
    merged = offsets.size();
    std::size_t block = merged * width;
    for (auto i = shared.size(); i-- > 0;) {
      auto const d = std::find(outer.begin(), outer.end(), f.scope[shared[i]]) - outer.begin();
      shared_stride[static_cast<std::size_t>(d)] = block;
      block *= size_of_port(f.scope[shared[i]]);
    }
    table.reserve(block);
    vector<std::size_t> outside(shared.size()), inside(own.size());
    auto const offset = [&](vector<std::size_t> const& places, vector<std::size_t> const& digits) {
      std::size_t sum = 0;
      for (std::size_t i = 0; i < places.size(); ++i) sum += digits[i] * stride[places[i]];
      return sum;
    };
    auto const step = [&](vector<std::size_t> const& places, vector<std::size_t>& digits) {
      for (auto i = places.size(); i-- > 0;) {
        if (++digits[i] < size_of_port(f.scope[places[i]])) return true;
        digits[i] = 0;
      }
      return false;
    };
    do {
      auto const base = offset(shared, outside);
      for (auto const o : offsets) do
          table.push_back(from[base + o + offset(own, inside)]);
        while (step(own, inside));
    } while (step(shared, outside));
  }

  void backtrack(vector<std::uint32_t> const& order, vector<vector<std::uint32_t>> const& with,
                 answer& result) const {
    vector<std::uint32_t> group_of(p_->size());
    for (auto at = order.rbegin(); at != order.rend(); ++at) {
      auto const v = *at;
      vector<access> around_v;
      vector<std::size_t> base;
      for (auto const id : with[v]) {
        around_v.push_back(access_of(v, id, {}));
        std::size_t stride = 1, sum = 0;
        auto const& scope = factors_[id].scope;
        for (auto i = scope.size(); i-- > 0;) {
          auto const u = ports_[scope[i]].owner;
          if (u != v) {
            auto const k = std::find(ports_of_[u].begin(), ports_of_[u].end(), scope[i]);
            sum += stride *
                   groups_of(u)[group_of[u]].at[static_cast<std::size_t>(k - ports_of_[u].begin())];
          }
          stride *= size_of_port(scope[i]);
        }
        base.push_back(sum);
      }
      auto least = no_ticks;
      for (std::uint32_t g = 0; g < groups_of(v).size(); ++g) {
        auto value = groups_of(v)[g].value;
        for (std::size_t i = 0; i < around_v.size() && value < no_ticks; ++i)
          value += (*around_v[i].table)[base[i] + around_v[i].by_group[g]];
        if (value < least) least = value, group_of[v] = g;
      }
      if (least >= no_ticks) { // only where mini-buckets lost the connection
        result.state_of.clear();
        return;
      }
      result.state_of.resize(p_->size());
      result.state_of[v] = groups_of(v)[group_of[v]].state;
    }
  }

  later<mapping_problem, D> const* p_;
  later<domains, D> const* domains_;
  std::size_t most_;
  vector<port> ports_;
  vector<vector<std::uint32_t>> ports_of_; ///< by operator
  vector<std::pair<std::uint32_t, std::uint32_t>> edge_ports_;
  vector<value_list> value_lists_;
  vector<vector<group>> group_lists_;
  std::deque<vector<ticks>> tables_; ///< row-major over a scope; references stay good
  std::map<vector<std::uint32_t>, minimum_known> minima_;
  vector<std::uint32_t> groups_; ///< by operator: which of `group_lists_`
  vector<factor> factors_;
  vector<vector<std::uint32_t>> factors_of_; ///< by operator; may list dead ones
  vector<bool> done_;
  vector<std::uint32_t> neighbours_; ///< of the operator just eliminated
  vector<std::size_t> merged_, bases_;
};
using elimination = basic_elimination<>;

} // namespace mars::search::detail
