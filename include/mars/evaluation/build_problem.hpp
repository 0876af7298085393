// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/evaluation/detail/layout_pool.hpp>
#include <mars/evaluation/detail/move_pool.hpp>
#include <mars/evaluation/detail/operator_ways.hpp>
#include <mars/evaluation/detail/proposed_shardings.hpp>
#include <mars/evaluation/detail/remembered_collective.hpp>
#include <mars/evaluation/detail/surveyed_network.hpp>
#include <mars/evaluation/detail/tensor_ends.hpp>
#include <mars/evaluation/detail/workload_classes.hpp>
#include <mars/evaluation/operator_forms.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/parallel/concept.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars {

/// May operators on sets that overlap exchange tensors? For schedules only: an assignment of a
/// `mapping_problem` has disjoint sets, and searches take two sets with a price between them to be so.
enum class overlaps : bool { no, yes };

/// Are algorithms, where designs list them, part of what is chosen, or the design's own business?
enum class algorithm_choice : bool { design, mapper };

namespace detail {

/// Position of `id` in `list`, appended if absent.
template <deferred D = when_called>
auto position_in(later<std::vector<std::uint32_t>, D>& list, std::uint32_t id) -> std::uint16_t {
  auto const index = std::find(list.begin(), list.end(), id) - list.begin();
  if (static_cast<std::size_t>(index) == list.size()) list.push_back(id);
  return static_cast<std::uint16_t>(index);
}

/// Builds the tables of one problem, class by class.
template <AcceleratorSystem System, class Cost, class Strategy, class Collective, class Objective_,
          deferred D = when_called>
class problem_builder {
public:
  problem_builder(System const& system, Cost const& cost, Strategy const& strategy,
                  Collective const& collective, Objective_ const& wanted, overlaps sets_may,
                  algorithm_choice who_chooses, operator_forms const& forms)
      : sets_may_{sets_may},
        who_chooses_{who_chooses},
        forms_{&forms},
        system_{&system},
        cost_{&cost},
        strategy_{&strategy},
        wanted_{&wanted},
        net_{system.interconnect},
        channel_class_{net_},
        together_{collective, channel_class_},
        catalogue_{system},
        ways_{catalogue_, cost},
        ends_{catalogue_, layouts_} {
    t_.how = wanted.how();
    t_.objective = std::string{std::string_view{wanted.name()}};
    t_.accelerators = system.accelerators.size();
    if constexpr (LimitingObjective<Objective_>) {
      if (auto const limit = wanted.memory_limit()) most_bytes_ = limit->count();
      t_.spending_limit = wanted.spending_limit().value_or(no_ticks);
    }
  }

  template <WorkloadGraph Graph>
  [[nodiscard]] auto operator()(
      Graph const& g, later<std::vector<std::vector<accelerator_id>>, D> const& candidates)
      -> later<expected<mapping_problem>, D> {
    if (auto ok = check_forms(g, *forms_); !ok) return unexpected{std::move(ok).error()};
    auto classes = classify(g, t_, *forms_);
    if (!classes) return unexpected{std::move(classes).error()};
    classes_ = *std::move(classes);
    if constexpr (AlgorithmCostModelFor<Cost, design_of_system<System>>)
      chooses_ = who_chooses_ == algorithm_choice::mapper && ways_.survey(classes_.operators, true);
    if (!forms_->empty() && !chooses_) {
      (void)ways_.survey(classes_.operators, false); // every design's own choice
      chooses_ = true;
    }
    if (chooses_) {
      t_.edges.clear();
      t_.op_class.clear();
      t_.has_macs.clear();
      classes_ = classify(g, t_, *forms_, results_of(g, t_.order.size())).value();
    }
    list_sets(candidates);
    if (t_.sets.empty())
      return fail(error_code::infeasible, "system", "no candidate set of accelerators",
                  "accelerators with a design in common");
    if (auto ok = price_operators(); !ok) return unexpected{std::move(ok).error()};
    list_pairs();
    price_moves();
    return later<mapping_problem, D>{std::move(t_)};
  }

private:
  using network = std::remove_cvref_t<decltype(std::declval<System const&>().interconnect)>;
  using design_option = typename design_catalogue<System>::option;
  using channel_type =
      channel<surveyed_network<network>, remembered_collective<network, Collective>>;

  /// Sets that differ in nothing but which accelerators they are.
  struct set_class {
    std::vector<design_option> options; ///< designs that the members have in common
    later<std::vector<accelerator_id>, D> first;
    std::size_t size{}; ///< index into sizes_
  };
  /// What an operator class proposes on sets of one size. Lists are of layouts, for the tables of
  /// edges; numbers of lists.
  struct class_on_size {
    later<choice_row, D> choices;              ///< without prices
    later<std::vector<std::uint32_t>, D> own;  ///< [output]
    later<std::vector<std::uint32_t>, D> need; ///< [operand]
  };

  void list_sets(later<std::vector<std::vector<accelerator_id>>, D> const& candidates) {
    later<interner<std::vector<std::uint32_t>>, D> known;
    for (auto const& candidate : candidates) {
      auto found = catalogue_.options(candidate);
      if (found.empty()) continue;
      later<std::vector<std::uint32_t>, D> key{channel_class_(candidate, candidate)};
      auto capacity = most_bytes_;
      for (auto const a : candidate)
        capacity = std::min(capacity, system_->accelerators[a.index()].memory().count());
      for (auto const& option : found)
        key.insert(key.end(), option.by_member.begin(), option.by_member.end());
      auto const number = known(key);
      if (number == set_classes_.size()) {
        auto& names = t_.designs.emplace_back();
        for (auto const& option : found) names.push_back(option.name);
        // With algorithms, what a set proposes depends on its designs, too.
        auto const size =
            chooses_ ? sizes_.end() : std::find(sizes_.begin(), sizes_.end(), candidate.size());
        set_classes_.push_back(
            {std::move(found), candidate, static_cast<std::size_t>(size - sizes_.begin())});
        if (size == sizes_.end()) sizes_.push_back(candidate.size());
      }
      t_.sets.push_back({candidate, number, capacity});
    }
  }

  /// Rows: choices of every operator class on every class of sets.
  [[nodiscard]] auto price_operators() -> expected<void> {
    later<std::map<std::pair<std::uint32_t, std::size_t>, std::vector<sharding>>, D> proposals;
    t_.rows.resize(classes_.operators.size());
    on_size_.resize(classes_.operators.size());
    for (std::size_t k = 0; k < classes_.operators.size(); ++k) {
      auto const& of_class = classes_.operators[k];
      auto& names = t_.dims.emplace_back();
      for (auto const& d : of_class.first->dims) names.push_back(d.name);
      for (auto const size : sizes_) {
        auto& known = proposals[{of_class.signature, size}];
        if (known.empty()) {
          auto proposed = proposed_shardings(*strategy_, *of_class.first, size);
          if (!proposed) return unexpected{std::move(proposed).error()};
          known = *std::move(proposed);
        }
        on_size_[k].push_back(describe(of_class, known, size));
      }
      for (auto const& c : set_classes_) {
        auto& on_size = on_size_[k][c.size];
        if (chooses_) {
          auto expanded = expand(of_class, c, on_size);
          if (!expanded) return unexpected{std::move(expanded).error()};
          on_size = *std::move(expanded);
          t_.rows[k].push_back(on_size.choices);
          continue;
        }
        t_.rows[k].push_back(on_size.choices);
        if (auto ok = price(of_class, c, t_.rows[k].back()); !ok)
          return unexpected{std::move(ok).error()};
      }
    }
    return {};
  }

  /// Memory and layouts of every choice.
  [[nodiscard]] auto describe(later<operator_class, D> const& of_class,
                              later<std::vector<sharding>, D> const& shardings, std::size_t p)
      -> class_on_size {
    later<operation, D> const& o = *of_class.first;
    std::size_t outputs = 0;
    for (auto const& x : o.operands) outputs += x.role == role::output;
    class_on_size d;
    auto& row = d.choices;
    row.shardings = shardings;
    row.own.resize(outputs);
    row.need.resize(o.operands.size());
    later<std::vector<std::vector<std::uint32_t>>, D> own(outputs), need(o.operands.size());
    for (auto const& s : shardings) {
      auto const print = footprint_of(o, s, p);
      std::int64_t transient = (print.transient() - print.inputs).count();
      std::int64_t kept = 0;
      auto const* rotating = rotating_operand(o, s, p);
      std::size_t output = 0;
      for (std::size_t i = 0; i < o.operands.size(); ++i) {
        auto const& x = o.operands[i];
        if (x.role == role::output) {
          auto const l = output_layout(o, x, s, p);
          std::int64_t largest = 0;
          for (auto const& box : l) largest = std::max(largest, volume(box));
          kept += storage(largest, x.element_bits).count();
          row.own[output].push_back(position_in(own[output], layouts_(l)));
          ++output;
        } else if (x.role == role::input) {
          if (std::binary_search(of_class.fed.begin(), of_class.fed.end(), i))
            row.need[i].push_back(position_in(need[i], layouts_(input_layout(o, x, s, p))));
          else
            transient +=
                size_of(x, rotating == &x ? phase_extents(o, s) : shard_extents(o, s)).count();
        }
      }
      row.resident.push_back(print.weights.count());
      row.transient.push_back(transient);
      row.kept.push_back(kept);
      if constexpr (SeedingStrategy<Strategy>)
        row.prior.push_back(strategy_->prior(o, s));
      else
        row.prior.push_back(1.0);
    }
    for (auto& list : own) d.own.push_back(number_of_list(std::move(list)));
    for (auto& list : need) d.need.push_back(number_of_list(std::move(list)));
    return d;
  }
  [[nodiscard]] auto number_of_list(later<std::vector<std::uint32_t>, D> list) -> std::uint32_t {
    auto const number = list_number_(list);
    if (number == lists_.size()) lists_.push_back(std::move(list));
    return number;
  }

  /// Values of every choice with every design.
  [[nodiscard]] auto price(later<operator_class, D> const& of_class, set_class const& on,
                           later<choice_row, D>& row) -> expected<void> {
    size_prices(row, on);
    for (auto const& s : row.shardings) {
      auto const traffic = traffic_of(net_, together_, *of_class.first, s, on.first);
      for (std::size_t d = 0; d < on.options.size(); ++d)
        if (auto ok = append(price_of_design(of_class, s, on.options[d], traffic),
                             on.options[d].name, d, row);
            !ok)
          return ok;
    }
    return {};
  }
  void size_prices(later<choice_row, D>& row, set_class const& on) const {
    row.node.resize(on.options.size());
    row.compute.resize(on.options.size());
    if (t_.spending_limit < no_ticks) row.spent.resize(on.options.size());
  }
  [[nodiscard]] auto price_of_design(later<operator_class, D> const& of_class, sharding const& s,
                                     design_option const& design, operator_traffic const& traffic)
      -> operator_price {
    later<operation, D> const& o = *of_class.first;
    auto const& members = design.by_member;
    return price_operator(s, members, traffic, [&](std::uint32_t number, std::size_t rank) {
      auto const part = rank_extents(o, s, members.size(), rank);
      auto const [entry, fresh] = asked_.try_emplace({of_class.signature, number, part});
      if (fresh) entry->second = (*cost_)(shard{o, part}, catalogue_[number]);
      return entry->second;
    });
  }
  /// The values of one more choice with one design.
  [[nodiscard]] auto append(operator_price const& price, std::string const& design, std::size_t d,
                            later<choice_row, D>& row) -> expected<void> {
    auto const value = wanted_->node(price);
    if (!value)
      return fail(error_code::invalid_argument, "objective", t_.objective,
                  "an objective that every design can answer",
                  "design " + design + " does not know it");
    row.node[d].push_back(std::min(*value, no_ticks));
    row.compute[d].push_back(price.compute.count());
    if constexpr (LimitingObjective<Objective_>)
      if (!row.spent.empty()) {
        auto const spent = wanted_->spent(price);
        if (!spent)
          return fail(error_code::invalid_argument, "objective", t_.objective,
                      "a limit on what every design knows",
                      "design " + design + " does not know what it spends");
        row.spent[d].push_back(std::min(*spent, no_ticks));
      }
    return {};
  }

  /// What `expand` makes: choices, and for tables the ends of their tensors.
  struct expansion {
    class_on_size all;
    later<std::vector<std::vector<std::uint32_t>>, D> own, need;
  };

  /// The choices of shardings, each times the forms of the operator and the ways to run it there, with
  /// their prices. What no design can run is left out, unless nothing would be left.
  [[nodiscard]] auto expand(later<operator_class, D> const& of_class, set_class const& on,
                            class_on_size const& base) -> expected<class_on_size> {
    expansion x;
    auto& row = x.all.choices;
    row.own.resize(base.own.size());
    row.need.resize(base.need.size());
    x.own.resize(base.own.size());
    x.need.resize(base.need.size());
    size_prices(row, on);
    // Of the graph's form one choice stays in any case, so that a row has one.
    if (auto ok = add_form(of_class, {}, on, base, x); !ok)
      return unexpected{std::move(ok).error()};
    if (of_class.id.index() < forms_->size()) {
      auto const& forms = (*forms_)[of_class.id.index()];
      for (std::size_t i = 0; i < forms.size(); ++i) {
        auto formed = of_class;
        formed.first = &forms[i].op;
        formed.signature +=
            static_cast<std::uint32_t>((i + 1) * classes_.operators.size()); // a number of its own
        auto const described = describe(formed, base.choices.shardings, on.first.size());
        if (auto ok = add_form(formed, forms[i].compression, on, described, x); !ok)
          return unexpected{std::move(ok).error()};
      }
    }
    if (row.shardings.size() > std::numeric_limits<std::uint16_t>::max())
      return fail(error_code::out_of_range, "strategy", std::to_string(row.shardings.size()),
                  "65535 shardings, each with every algorithm and compression",
                  "operator '" + of_class.first->name + "'");
    for (auto& list : x.own) x.all.own.push_back(number_of_list(std::move(list)));
    for (auto& list : x.need) x.all.need.push_back(number_of_list(std::move(list)));
    return std::move(x.all);
  }
  [[nodiscard]] auto add_form(later<operator_class, D> const& of_class,
                              std::string const& compression, set_class const& on,
                              class_on_size const& base, expansion& x) -> expected<void> {
    later<operation, D> const& o = *of_class.first;
    auto const& shardings = base.choices.shardings;
    operator_price const refused{.compute = never, .energy = joules{}};
    auto& row = x.all.choices;
    for (std::size_t c = 0; c < shardings.size(); ++c) {
      auto const& s = shardings[c];
      auto const traffic = traffic_of(net_, together_, o, s, on.first);
      auto const ways = ways_(o, of_class.signature, s, on.options);
      for (auto const& w : ways) {
        auto const& design = on.options[w.design];
        auto price = w.run.cost.empty()
                         ? price_of_design(of_class, s, design, traffic)
                         : price_operator(s, design.by_member, traffic,
                                          [&](auto, std::size_t rank) { return w.run.cost[rank]; });
        auto const ends = price_of_ends<D>(o, s, catalogue_, design.by_member, w.run, of_class.fed,
                                           of_class.results);
        price.reorders = ends.time;
        bool const last = c + 1 == shardings.size() && &w == &ways.back();
        if (price.total() >= never && !(last && row.shardings.empty())) continue;
        for (std::size_t i = 0; i < on.options.size(); ++i)
          if (auto ok = append(i == w.design ? price : refused, on.options[i].name, i, row); !ok)
            return ok;
        add_choice(o, base, c, w, compression, design.by_member, ends.copy, x);
      }
    }
    return {};
  }
  /// All of a choice but its prices: what its sharding says, and the way it runs.
  template <class Way>
  void add_choice(later<operation, D> const& o, class_on_size const& base, std::size_t c,
                  Way const& w, std::string const& compression,
                  std::span<std::uint32_t const> designs, std::int64_t copies, expansion& x) {
    auto const& of = base.choices;
    auto& row = x.all.choices;
    row.shardings.push_back(of.shardings[c]);
    row.resident.push_back(of.resident[c] + w.run.resident);
    row.transient.push_back(of.transient[c] + w.run.transient + copies);
    row.kept.push_back(of.kept[c]);
    row.prior.push_back(of.prior[c]);
    auto how = w.how;
    how.compression = compression;
    row.variant.push_back(static_cast<std::uint32_t>(index_of(t_.variants, std::move(how))));
    auto const form = static_cast<std::uint32_t>(index_of(compressions_, compression));
    std::size_t output = 0;
    for (std::size_t i = 0; i < o.operands.size(); ++i) {
      auto const bits = o.operands[i].element_bits;
      if (o.operands[i].role == role::output) {
        auto const layout = lists_[base.own[output]][of.own[output][c]];
        row.own[output].push_back(
            position_in(x.own[output], ends_(layout, w.run.output_format, form, bits)));
        ++output;
      } else if (!of.need[i].empty()) {
        auto const layout = lists_[base.need[i]][of.need[i][c]];
        row.need[i].push_back(
            position_in(x.need[i], ends_(layout, w.run.input_format, form, bits, designs)));
      }
    }
  }
  template <class T>
  [[nodiscard]] static auto index_of(std::vector<T>& list, T value) -> std::size_t {
    auto const at =
        static_cast<std::size_t>(std::find(list.begin(), list.end(), value) - list.begin());
    if (at == list.size()) list.push_back(std::move(value));
    return at;
  }

  /// Pairs of sets that may exchange tensors, and their classes.
  void list_pairs() {
    later<interner<std::array<std::uint32_t, 3>>, D> known;
    auto const sets = t_.sets.size();
    t_.pair_class.assign(sets, std::vector<std::int32_t>(sets, -1));
    later<std::vector<bool>, D> member(t_.accelerators);
    for (std::uint32_t i = 0; i < sets; ++i) {
      auto const& a = t_.sets[i];
      for (auto const x : a.accelerators) member[x.index()] = true;
      for (std::uint32_t j = 0; j < sets; ++j) {
        auto const& b = t_.sets[j];
        bool const overlap = std::any_of(b.accelerators.begin(), b.accelerators.end(),
                                         [&](auto x) { return member[x.index()]; });
        if (i != j && overlap && sets_may_ == overlaps::no) continue;
        auto const pair =
            known({a.set_class, b.set_class, channel_class_(a.accelerators, b.accelerators)});
        if (pair == first_pair_.size()) first_pair_.emplace_back(i, j);
        t_.pair_class[i][j] = static_cast<std::int32_t>(pair);
      }
      for (auto const x : a.accelerators) member[x.index()] = false;
    }
    t_.pair_classes = static_cast<std::uint32_t>(first_pair_.size());
  }

  /// The tables of edges. Pairs of sets of the same two sizes share their questions.
  void price_moves() {
    t_.table_of.assign(classes_.edges.size() * first_pair_.size(), 0);
    later<std::map<std::pair<std::size_t, std::size_t>, std::vector<std::uint32_t>>, D> pairs;
    for (std::uint32_t pair = 0; pair < first_pair_.size(); ++pair)
      pairs[{size_of_set(first_pair_[pair].first), size_of_set(first_pair_[pair].second)}]
          .push_back(pair);
    for (auto const& [sizes, of_sizes] : pairs) price_moves(sizes.first, sizes.second, of_sizes);
  }
  [[nodiscard]] auto size_of_set(std::uint32_t set) const -> std::size_t {
    return set_classes_[t_.sets[set].set_class].size;
  }

  void price_moves(std::size_t from, std::size_t to, std::span<std::uint32_t const> pairs) {
    // Every table as numbers of questions; edges whose tables ask the same share one.
    basic_move_pool<D> moves{layouts_};
    later<interner<std::vector<std::uint32_t>>, D> known;
    later<std::vector<std::vector<std::uint32_t>>, D>
        tables;                                    // the number of columns, then the questions
    later<std::vector<std::uint32_t>, D> table_of; // by edge class
    later<std::map<std::array<std::uint32_t, 3>, std::uint32_t>, D> by_lists;
    for (auto const& e : classes_.edges) {
      auto const own = on_size_[e.producer][from].own[e.output];
      auto const need = on_size_[e.consumer][to].need[e.operand];
      auto const bits =
          nth_operand(*classes_.operators[e.producer].first, role::output, e.output)->element_bits;
      auto const [entry, fresh] =
          by_lists.try_emplace({own, need, static_cast<std::uint32_t>(bits)});
      if (fresh) {
        later<std::vector<std::uint32_t>, D> asks{static_cast<std::uint32_t>(lists_[need].size())};
        asks.reserve(1 + lists_[own].size() * lists_[need].size());
        for (auto const r : lists_[own])
          for (auto const c : lists_[need])
            asks.push_back(moves(layout_of(r), layout_of(c), chooses_ ? ends_[r].bits : bits));
        if (chooses_)
          for (auto const r : lists_[own])
            for (auto const c : lists_[need]) asks.push_back(ends_.reorder(r, c));
        entry->second = known(asks);
        if (entry->second == tables.size()) tables.push_back(std::move(asks));
      }
      table_of.push_back(entry->second);
    }

    auto const answers = answer(moves.questions(), pairs);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      auto const first = static_cast<std::uint32_t>(t_.edge_tables.size());
      for (std::size_t e = 0; e < table_of.size(); ++e)
        t_.table_of[e * first_pair_.size() + pairs[i]] = first + table_of[e];
      for (auto const& asks : tables) {
        auto& table = t_.edge_tables.emplace_back();
        table.columns = asks.front();
        auto const cells = chooses_ ? (asks.size() - 1) / 2 : asks.size() - 1;
        table.time.reserve(cells);
        table.missing.reserve(cells);
        for (std::size_t k = 1; k <= cells; ++k) {
          auto const q = asks[k];
          auto const& price = answers[i][q];
          auto const reorder = chooses_ ? ends_.price(asks[cells + k]) : reorder_price{};
          table.time.push_back(wanted_->edge(saturating_add(price.time, reorder.time)));
          table.missing.push_back(
              storage(price.missing_elements, moves.questions()[q].element_bits).count() +
              reorder.copy);
        }
      }
    }
  }

  /// Of an entry of `lists_`.
  [[nodiscard]] auto layout_of(std::uint32_t entry) const -> std::uint32_t {
    return chooses_ ? ends_[entry].layout : entry;
  }

  /// By pair of sets and question.
  [[nodiscard]] auto answer(std::span<typename basic_move_pool<D>::question const> questions,
                            std::span<std::uint32_t const> pairs)
      -> std::vector<std::vector<typename channel_type::price>> {
    std::vector<channel_type> channels;
    channels.reserve(pairs.size());
    for (auto const pair : pairs)
      channels.emplace_back(net_, together_, t_.sets[first_pair_[pair].first].accelerators,
                            t_.sets[first_pair_[pair].second].accelerators);
    std::vector<std::vector<typename channel_type::price>> answers(
        pairs.size(), std::vector<typename channel_type::price>(questions.size()));
    // A channel remembers who sends what while the same ranks own the same.
    later<std::vector<std::uint32_t>, D> order(questions.size());
    std::iota(order.begin(), order.end(), std::uint32_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return layouts_.grouping(questions[a].owned) < layouts_.grouping(questions[b].owned);
    });
    for (auto const q : order) {
      movement const moved{layouts_[questions[q].owned], layouts_[questions[q].needed]};
      for (std::size_t i = 0; i < pairs.size(); ++i)
        answers[i][q] = channels[i](moved, questions[q].element_bits);
    }
    return answers;
  }

  overlaps sets_may_;
  algorithm_choice who_chooses_;
  operator_forms const* forms_;
  bool chooses_{}; ///< more than shardings: some design lists algorithms, or there are forms
  std::vector<std::string> compressions_{{}};
  System const* system_;
  Cost const* cost_;
  Strategy const* strategy_;
  Objective_ const* wanted_;
  surveyed_network<network> net_;
  channel_classes<network> channel_class_;
  remembered_collective<network, Collective> together_;
  design_catalogue<System> catalogue_;
  operator_ways<design_catalogue<System>, Cost> ways_;
  typename later<mapping_problem, D>::tables t_;
  std::int64_t most_bytes_{std::numeric_limits<std::int64_t>::max()}; ///< of any device
  later<workload_classes, D> classes_;
  later<std::vector<std::size_t>, D> sizes_; ///< of sets, distinct
  std::vector<set_class> set_classes_;
  basic_layout_pool<D> layouts_;
  later<interner<std::vector<std::uint32_t>>, D> list_number_;
  tensor_ends<design_catalogue<System>> ends_;
  later<std::vector<std::vector<std::uint32_t>>, D> lists_; ///< of layouts, or of ends
  std::vector<std::vector<class_on_size>> on_size_;         ///< [operator class][size]
  later<std::unordered_map<price_question, shard_cost, price_question_hash>, D> asked_;
  later<std::vector<std::pair<std::uint32_t, std::uint32_t>>, D>
      first_pair_; ///< by pair class, sets
};

} // namespace detail

/// Compiles a graph, a system and policies into tables (design decision 1): every policy is asked
/// once per distinct question — a cost model once per (operator signature, design, shard extents), a
/// strategy once per (operator signature, set size), the interconnect once per kind of set pair.
/// `candidates` are the sets a search may use, each in rank order.
///
/// Of designs that let choose (`ReorderingDesign`), algorithms are chosen with shardings, and of `forms`
/// the compression of each operator: a choice is all of them, and what one operator writes otherwise than the
/// next one reads is rewritten at the price of the reader's design.
///
/// Complexity, for n operators of k classes, e classes of edges, s classes of sets, t classes of set
/// pairs, c choices and p devices a set: O(n log n + k·s·c·p + e·t·layouts²), and O(p²) for each
/// redistribution whose price no other one has (`detail::move_pool`).
/// Errors: a cyclic graph; no candidate set with a common design; an objective that a design cannot
/// answer (energy unknown); a strategy that proposes nothing, too much, or an illegal sharding.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          ParallelismStrategy Strategy, CollectiveModelForSystem<System> Collective,
          Objective Objective_>
[[nodiscard]] auto build_problem(Graph const& g, System const& system, Cost const& cost,
                                 Strategy const& strategy, Collective const& collective,
                                 Objective_ const& wanted,
                                 std::vector<std::vector<accelerator_id>> const& candidates,
                                 overlaps sets_may = overlaps::no,
                                 algorithm_choice who_chooses = algorithm_choice::mapper,
                                 operator_forms const& forms = {}) -> expected<mapping_problem> {
  return detail::problem_builder<System, Cost, Strategy, Collective, Objective_>{
      system, cost, strategy, collective, wanted, sets_may, who_chooses, forms}(g, candidates);
}

} // namespace mars
