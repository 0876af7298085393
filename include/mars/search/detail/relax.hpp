// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace mars::search::detail {

/// Re-chooses the shardings along paths of the graph, slots and everything off the path fixed, by
/// dynamic programming: exact on each path, so the summed value never rises.
///
/// Between two operators only layouts matter: the state of the recursion is the producer's output
/// layout (a dozen or two), not its choice (up to hundreds). Cost of a path: Σ layouts² + choices.
template <deferred D = when_called>
class basic_path_relaxation {
public:
  explicit basic_path_relaxation(later<mapping_problem, D> const& problem) : p_{&problem} {
    find_paths();
  }

  /// Relaxes every path, and again those near a change, until none improves, at most `rounds` times
  /// over. `price` is what a byte of weights or buffers counts, per slot, and behind those what a unit
  /// of spending counts, for searches that must keep within limits. Returns the number of choices priced.
  auto operator()(later<assignment, D>& a, std::span<double const> price, int rounds = 8)
      -> std::uint64_t {
    std::uint64_t priced = 0;
    std::uint32_t now = 1;
    changed_.assign(p_->size(), now);
    relaxed_.assign(paths_.size(), 0);
    for (int round = 0; round < rounds; ++round) {
      bool improved = false;
      for (std::size_t i = 0; i < paths_.size(); ++i) {
        auto const& near = nearby_[i];
        if (std::all_of(near.begin(), near.end(),
                        [&](std::uint32_t v) { return changed_[v] <= relaxed_[i]; }))
          continue;
        relaxed_[i] = now;
        if (!relax(paths_[i], a, price, priced)) continue;
        ++now;
        for (auto const& s : paths_[i]) changed_[s.position] = now;
        relaxed_[i] = now;
        improved = true;
      }
      if (!improved) break;
    }
    return priced;
  }

private:
  struct step {
    std::uint32_t position{};
    std::uint32_t entered_by{}; ///< edge from the previous step; unused on the first
  };
  using trail = std::vector<step>;

  [[nodiscard]] auto is_link(std::uint32_t v) const -> bool {
    return p_->in_edges(v).size() == 1 && p_->out_edges(v).size() == 1;
  }

  /// Backwards from `edge` through operators with one input and one output.
  [[nodiscard]] auto chain_before(std::uint32_t edge) const -> trail {
    trail chain;
    for (;;) {
      auto const u = p_->edges()[edge].producer;
      if (p_->out_edges(u).size() != 1 || p_->in_edges(u).size() > 1) break;
      chain.push_back({u, 0});
      if (p_->in_edges(u).empty()) break;
      edge = p_->in_edges(u).front();
    }
    std::reverse(chain.begin(), chain.end());
    for (std::size_t i = 1; i < chain.size(); ++i)
      chain[i].entered_by = p_->in_edges(chain[i].position).front();
    return chain;
  }
  void append_chain_after(trail& chain, std::uint32_t edge) const {
    for (;;) {
      auto const w = p_->edges()[edge].consumer;
      if (p_->in_edges(w).size() != 1 || p_->out_edges(w).size() > 1) break;
      chain.push_back({w, edge});
      if (p_->out_edges(w).empty()) break;
      edge = p_->out_edges(w).front();
    }
  }

  /// Through every operator that is not a mere link of a chain: one path for each of its inputs, on
  /// to its first output, and one for each of its further outputs.
  void find_paths() {
    auto const add = [&](std::uint32_t v, std::uint32_t const* in, std::uint32_t const* out) {
      trail through = in != nullptr ? chain_before(*in) : trail{};
      through.push_back({v, in != nullptr ? *in : 0});
      if (out != nullptr) append_chain_after(through, *out);
      later<std::vector<std::uint32_t>, D> near;
      for (auto const& s : through) {
        near.push_back(s.position);
        for (auto const e : p_->in_edges(s.position)) near.push_back(p_->edges()[e].producer);
        for (auto const e : p_->out_edges(s.position)) near.push_back(p_->edges()[e].consumer);
      }
      sort_ascending(near);
      near.erase(std::unique(near.begin(), near.end()), near.end());
      nearby_.push_back(std::move(near));
      paths_.push_back(std::move(through));
    };
    for (std::uint32_t v = 0; v < p_->size(); ++v) {
      auto const in = p_->in_edges(v);
      auto const out = p_->out_edges(v);
      // The end of a chain is on the path of the operator that the chain starts from.
      if (is_link(v) || (in.size() == 1 && out.empty())) continue;
      auto const* first_in = in.empty() ? nullptr : &in.front();
      auto const* first_out = out.empty() ? nullptr : &out.front();
      add(v, first_in, first_out);
      for (std::size_t i = 1; i < in.size(); ++i) add(v, &in[i], first_out);
      for (std::size_t j = 1; j < out.size(); ++j) add(v, first_in, &out[j]);
    }
  }

  [[nodiscard]] auto slot_at(later<assignment, D> const& a, std::uint32_t v) const -> slot {
    return a.slots[a.slot_of[v]];
  }

  /// Value of the choices of v apart from the edges on the path: its own cost and the edges to and
  /// from operators off the path. False when such an operator is on the path after all.
  auto local_values(trail const& through, std::size_t i, later<assignment, D> const& a,
                    std::span<double const> price, later<std::vector<ticks>, D>& values) -> bool {
    auto const v = through[i].position;
    auto const here = slot_at(a, v);
    auto const& row = p_->row(v, here.set);
    auto const rate = price.empty() ? 0.0 : price[a.slot_of[v]];
    values = row.node[here.design];
    if (rate > 0)
      for (std::size_t c = 0; c < values.size(); ++c)
        values[c] = mapping_problem::add(
            values[c], static_cast<ticks>(std::min(
                           static_cast<double>(no_ticks),
                           rate * static_cast<double>(row.resident[c] + row.transient[c]))));
    if (price.size() > a.slots.size() && price.back() > 0 && p_->limits_spending())
      for (std::size_t c = 0; c < values.size(); ++c)
        values[c] = mapping_problem::add(
            values[c], static_cast<ticks>(std::min(
                           static_cast<double>(no_ticks),
                           price.back() * static_cast<double>(row.spent[here.design][c]))));
    auto const on_path = [&](std::uint32_t u) {
      return std::any_of(through.begin(), through.end(),
                         [u](step const& s) { return s.position == u; });
    };
    for (auto const e_index : p_->in_edges(v)) {
      if (i > 0 && e_index == through[i].entered_by) continue;
      auto const& e = p_->edges()[e_index];
      if (on_path(e.producer)) return false;
      auto const from = slot_at(a, e.producer);
      auto const& table = p_->table(e, from.set, here.set);
      auto const* line =
          &table.time[std::size_t{
                          p_->row(e.producer, from.set).own[e.output][a.choice_of[e.producer]]} *
                      table.columns];
      auto const& need = row.need[e.operand];
      for (std::size_t c = 0; c < values.size(); ++c)
        values[c] = mapping_problem::add(values[c], line[need[c]]);
    }
    for (auto const e_index : p_->out_edges(v)) {
      if (i + 1 < through.size() && e_index == through[i + 1].entered_by) continue;
      auto const& e = p_->edges()[e_index];
      if (on_path(e.consumer)) return false;
      auto const to = slot_at(a, e.consumer);
      auto const& table = p_->table(e, here.set, to.set);
      auto const column = p_->row(e.consumer, to.set).need[e.operand][a.choice_of[e.consumer]];
      auto const& own = row.own[e.output];
      for (std::size_t c = 0; c < values.size(); ++c)
        values[c] = mapping_problem::add(values[c],
                                         table.time[std::size_t{own[c]} * table.columns + column]);
    }
    return true;
  }

  auto relax(trail const& through, later<assignment, D>& a, std::span<double const> price,
             std::uint64_t& priced) -> bool {
    // values_[i][c]: best value of the path up to step i if it chooses c. came_from_[i][n]: the
    // choice of step i−1 to take when step i needs layout n.
    values_.resize(std::max(values_.size(), through.size()));
    came_from_.resize(std::max(came_from_.size(), through.size()));
    ticks before = 0;
    for (std::size_t i = 0; i < through.size(); ++i) {
      auto const v = through[i].position;
      if (!local_values(through, i, a, price, values_[i])) return false;
      before = mapping_problem::add(before, values_[i][a.choice_of[v]]);
      priced += values_[i].size();
      if (i == 0) continue;
      auto const& e = p_->edges()[through[i].entered_by];
      auto const from = slot_at(a, e.producer);
      auto const to = slot_at(a, v);
      before = mapping_problem::add(
          before, p_->edge_value(e, from.set, a.choice_of[e.producer], to.set, a.choice_of[v]));
      auto const& table = p_->table(e, from.set, to.set);
      auto const layouts = table.time.size() / table.columns;
      auto const& own = p_->row(e.producer, from.set).own[e.output];
      best_of_layout_.assign(layouts, no_ticks);
      choice_of_layout_.assign(layouts, 0);
      for (std::size_t c = 0; c < own.size(); ++c)
        if (values_[i - 1][c] < best_of_layout_[own[c]]) {
          best_of_layout_[own[c]] = values_[i - 1][c];
          choice_of_layout_[own[c]] = static_cast<std::uint16_t>(c);
        }
      entry_.assign(table.columns, no_ticks);
      came_from_[i].assign(table.columns, 0);
      for (std::size_t m = 0; m < layouts; ++m) {
        if (best_of_layout_[m] >= no_ticks) continue;
        auto const* line = &table.time[m * table.columns];
        for (std::size_t n = 0; n < table.columns; ++n)
          if (auto const t = best_of_layout_[m] + line[n]; t < entry_[n]) {
            entry_[n] = t;
            came_from_[i][n] = choice_of_layout_[m];
          }
      }
      auto const& need = p_->row(v, to.set).need[e.operand];
      for (std::size_t c = 0; c < need.size(); ++c)
        values_[i][c] = mapping_problem::add(values_[i][c], entry_[need[c]]);
    }
    auto const last = through.size() - 1;
    auto const best = std::min_element(values_[last].begin(), values_[last].end());
    if (*best >= before) return false;
    auto choice = static_cast<std::uint16_t>(best - values_[last].begin());
    for (std::size_t i = last + 1; i-- > 0;) {
      auto const v = through[i].position;
      a.choice_of[v] = choice;
      if (i == 0) break;
      auto const& e = p_->edges()[through[i].entered_by];
      choice = came_from_[i][p_->row(v, slot_at(a, v).set).need[e.operand][choice]];
    }
    return true;
  }

  later<mapping_problem, D> const* p_;
  std::vector<trail> paths_;
  later<std::vector<std::vector<std::uint32_t>>, D>
      nearby_; ///< operators that a path's best depends on
  later<std::vector<std::uint32_t>, D> changed_,
      relaxed_; ///< when, counted in successful relaxations
  later<std::vector<std::vector<ticks>>, D> values_;
  later<std::vector<std::vector<std::uint16_t>>, D> came_from_;
  later<std::vector<ticks>, D> best_of_layout_, entry_;
  later<std::vector<std::uint16_t>, D> choice_of_layout_;
};
using path_relaxation = basic_path_relaxation<>;

} // namespace mars::search::detail
