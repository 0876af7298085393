// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/exploration/analyse.hpp>
#include <mars/exploration/cell_cost.hpp>
#include <mars/exploration/detail/compiled_network.hpp>
#include <mars/exploration/detail/format_choice.hpp>
#include <mars/exploration/detail/pricing.hpp>
#include <mars/exploration/relations.hpp>
#include <mars/exploration/stack.hpp>
#include <mars/exploration/study.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::exploration {

namespace detail {

/// Everything of one study while it is made.
template <class Stack, class Cost, class Fallbacks, class Accuracy, class Measured, class Relations>
class explorer {
  using space_type = cell_space<Relations, decltype(Stack::networks), decltype(Stack::compressions),
                                decltype(Stack::primitives), decltype(Stack::code_generations),
                                decltype(Stack::designs)>;

public:
  explorer(Stack const& s, Cost const& cost, Fallbacks const& f, Accuracy const& a,
           Measured const& m)
      : stack_{s},
        accuracy_{a},
        space_{s.networks, s.compressions, s.primitives, s.code_generations, s.designs},
        prices_{s, cost, f, m, kinds_} {}

  [[nodiscard]] auto operator()() -> expected<study> {
    describe_axes();
    for (std::size_t a = 0; a < axis_count; ++a)
      if (space_.extent(a) == 0 || space_.extent(a) > most_elements)
        return fail(error_code::invalid_argument, out_.axes[a].name,
                    std::to_string(space_.extent(a)) + " elements", "1 to 65535");
    if (auto ok = check_names(); !ok) return unexpected{std::move(ok).error()};
    if (auto ok = compress_all(); !ok) return unexpected{std::move(ok).error()};
    for (std::size_t i = 0; i < space_.size(); ++i) visit(space_.coordinate_of(i));
    choose_algorithms();
    out_.operators = kinds_.size();
    out_.questions = prices_.questions();
    return std::move(out_);
  }

private:
  static constexpr std::size_t most_elements = 65535;
  static constexpr auto relation_count = space_type::asked().size();
  static constexpr auto does_not_compress = relation_count;
  static constexpr auto supports_nothing = relation_count + 1;
  static constexpr auto does_not_run = relation_count + 2;

  void describe_axes() {
    auto const describe = [this](axis_id a, std::string name, auto const& elements) {
      auto& values = out_.axes[static_cast<std::size_t>(a)];
      values.name = std::move(name);
      elements.for_each([&](auto const& x) {
        axis_element e{.name = std::string{std::string_view{x.name()}}, .note = {}};
        if constexpr (requires { e.note = std::string{std::string_view{x.note()}}; })
          e.note = std::string{std::string_view{x.note()}};
        if constexpr (requires { e.level = x.sparsity; }) e.level = x.sparsity;
        values.elements.push_back(std::move(e));
      });
    };
    describe(axis_id::network, "network", stack_.networks);
    describe(axis_id::compression, "compression", stack_.compressions);
    describe(axis_id::primitive, "primitive", stack_.primitives);
    describe(axis_id::code_generation, "code generation", stack_.code_generations);
    describe(axis_id::design, "design", stack_.designs);
    out_.base_is_uncompressed = false;
    std::uint16_t next = 0;
    stack_.compressions.for_each([&]<class C>(C const&) {
      if (!out_.base_is_uncompressed && effects_of<C>() == compression_effects{}) {
        out_.base[static_cast<std::size_t>(axis_id::compression)] = next;
        out_.base_is_uncompressed = true;
      }
      ++next;
    });
    out_.base[at_code_generation] = static_cast<std::uint16_t>(stack_.code_generations.size() - 1);
    for (auto const& r : space_type::asked())
      out_.rejections.push_back({std::string{r.name}, std::string{r.reason}, 0});
    out_.rejections.push_back(
        {"compresses_for", "the compression does not apply to the network", 0});
    out_.rejections.push_back({"supports_for",
                               "the primitive supports no layer of the compressed network: the "
                               "cell would be that of its fallback",
                               0});
    out_.rejections.push_back(
        {"runs_for", "an operator can run neither as the cell says nor on its fallback", 0});
  }
  [[nodiscard]] auto check_names() const -> expected<void> {
    for (auto const& a : out_.axes)
      for (std::size_t i = 0; i < a.elements.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (a.elements[i].name == a.elements[j].name)
            return fail(error_code::duplicate, a.name, a.elements[i].name, "names that differ");
    return {};
  }

  [[nodiscard]] auto compress_all() -> expected<void> {
    stack_.networks.for_each([&](auto const& n) {
      stack_.compressions.for_each([&](auto const& c) {
        accuracies_.push_back(accuracy_(std::string_view{n.name()}, c));
        expected<graph> g = c(n.workload);
        auto made = std::make_unique<compiled_network>();
        networks_.push_back(nullptr);
        if (!g) return;
        made->workload = *std::move(g);
        if (!compile(*made, kinds_)) return;
        networks_.back() = std::move(made);
      });
    });
    for (std::size_t n = 0; n < space_.extent(0); ++n) {
      bool any = false;
      for (std::size_t c = 0; c < space_.extent(1); ++c) any = any || network_of(n, c) != nullptr;
      if (!any)
        return fail(error_code::invalid_argument, "network", out_.axes[0].elements[n].name,
                    "a graph that some compression applies to");
    }
    return {};
  }
  [[nodiscard]] auto network_of(std::size_t n, std::size_t c) const -> compiled_network const* {
    return networks_[n * space_.extent(1) + c].get();
  }

  void visit(coordinate const& at) {
    auto why = space_.first_failing(at);
    if (why == relation_count) {
      auto const* n = network_of(at[0], at[1]);
      if (n == nullptr) {
        why = does_not_compress;
      } else if (!supports_any(*n, at[2])) {
        why = supports_nothing;
      } else if (auto found = evaluate(*n, at)) {
        found->accuracy = accuracies_[at[0] * space_.extent(1) + at[1]];
        out_.cells.push_back(*std::move(found));
        return;
      } else {
        why = does_not_run;
      }
    }
    ++out_.rejections[why].cells;
    out_.rejected.push_back({at, static_cast<std::uint16_t>(why)});
  }

  [[nodiscard]] auto supports_any(compiled_network const& n, std::size_t p) -> bool {
    return std::any_of(n.kind.begin(), n.kind.end(), [&](std::uint32_t k) {
      return kinds_[k].layer && prices_.runs_as(k, p) == p;
    });
  }
  /// Nothing: an operator cannot run.
  [[nodiscard]] auto evaluate(compiled_network const& n, coordinate const& at)
      -> std::optional<cell> {
    std::size_t const p = at[2], g = at[3], d = at[4];
    cell out{.at = at, .energy = joules{0}, .accuracy = {}};
    options_.assign(n.kind.size(), {});
    ticks measured_model = 0;
    double measured = 0;
    macs on_fallback{};
    for (std::size_t c = 0; c < n.kind.size(); ++c) {
      auto const& kind = kinds_[n.kind[c]];
      auto const count = static_cast<double>(n.count[c]);
      out.valid += kind.valid * n.count[c];
      auto weights = kind.weights.count();
      if (!kind.layer) {
        auto const& r = prices_.rest(n.kind[c], d);
        options_[c] = r.options;
        out.workspace = std::max(out.workspace, bytes{r.workspace});
        out.executed += static_cast<double>(kind.nominal.count()) * count;
        out.energy += r.energy * count;
      } else {
        auto const q = prices_.runs_as(n.kind[c], p);
        auto const& a = prices_.price(n.kind[c], q, g, d);
        options_[c].push_back({a.time, static_cast<std::uint16_t>(q), a.in, a.out});
        out.workspace = std::max(out.workspace, bytes{a.workspace});
        out.executed += a.macs * count;
        out.energy += a.energy * count;
        if (q != p) on_fallback += kind.nominal * n.count[c];
        if (a.weights) weights += *a.weights - kind.kernel.count();
        if (a.measured) {
          measured += a.measured->count() * count;
          measured_model += a.time * n.count[c];
        }
      }
      out.weights += bytes{weights} * n.own_weights[c];
    }
    auto const chosen = solve(n, options_, d);
    if (chosen.time >= no_ticks) return std::nullopt;
    out.time = to_seconds(chosen.time);
    out.reorders = to_seconds(chosen.reorders);
    if (chosen.reorders > 0) out.energy += prices_.power(d) * out.reorders;
    if (n.nominal.count() > 0) out.fallback = on_fallback / n.nominal;
    if (measured_model > 0 && measured > 0) {
      auto const model = to_seconds(measured_model);
      out.run = {.measured = seconds{measured},
                 .modelled = model,
                 .share = model / out.time,
                 .log_ratio = std::log(seconds{measured} / model)};
      out_.timing_is_measured = true;
    }
    return out;
  }

  [[nodiscard]] auto solve(compiled_network const& n, option_lists const& options, std::size_t d)
      -> format_answer {
    return choose_options(n, options, moves_of(n, d));
  }
  /// Kept while one network is looked at, design after design.
  [[nodiscard]] auto moves_of(compiled_network const& n, std::size_t d) -> reorder_table const& {
    if (&n != moved_) {
      moves_.assign(space_.extent(4), {});
      moved_ = &n;
    }
    auto& moves = moves_[d];
    auto const formats = prices_.formats(); // may have grown
    if (moves.formats == formats) return moves;
    moves.formats = formats;
    moves.times.clear();
    for (auto const size : n.edge_bytes)
      for (std::size_t from = 0; from < formats; ++from)
        for (std::size_t to = 0; to < formats; ++to)
          moves.times.push_back(
              from == 0 || to == 0 || from == to ? 0 : prices_.reorder(d, size, from, to));
    return moves;
  }
  [[nodiscard]] static auto to_seconds(ticks t) -> seconds {
    return seconds{static_cast<double>(t) * 1e-12};
  }

  /// The best algorithm of every operator together, for each network, compression, code and design.
  void choose_algorithms() {
    auto const extent = [&](axis_id a) { return space_.extent(static_cast<std::size_t>(a)); };
    std::size_t next = 0; // cell: coordinates rise
    for (std::uint16_t n = 0; n < extent(axis_id::network); ++n)
      for (std::uint16_t c = 0; c < extent(axis_id::compression); ++c) {
        auto const first = next;
        while (next < out_.cells.size() && out_.cells[next].at[0] == n &&
               out_.cells[next].at[1] == c)
          ++next;
        for (std::uint16_t g = 0; g < extent(axis_id::code_generation); ++g)
          for (std::uint16_t d = 0; d < extent(axis_id::design); ++d) {
            std::vector<std::size_t> cells;
            for (auto i = first; i < next; ++i)
              if (out_.cells[i].at[3] == g && out_.cells[i].at[4] == d) cells.push_back(i);
            if (!cells.empty()) choose_algorithms(*network_of(n, c), cells);
          }
      }
  }
  void choose_algorithms(compiled_network const& n, std::vector<std::size_t> const& cells) {
    auto const fastest = *std::min_element(cells.begin(), cells.end(), [&](auto a, auto b) {
      return out_.cells[a].time < out_.cells[b].time;
    });
    auto const& at = out_.cells[fastest].at;
    std::size_t const g = at[3], d = at[4];
    option_lists all(n.kind.size()), blind(n.kind.size());
    for (std::size_t c = 0; c < n.kind.size(); ++c) {
      auto const k = n.kind[c];
      if (!kinds_[k].layer) {
        all[c] = blind[c] = prices_.rest(k, d).options;
        continue;
      }
      std::vector<std::size_t> tried;
      for (auto const i : cells) {
        auto const q = prices_.runs_as(k, out_.cells[i].at[2]);
        if (std::find(tried.begin(), tried.end(), q) != tried.end()) continue;
        tried.push_back(q);
        auto const& a = prices_.price(k, q, g, d);
        all[c].push_back({a.time, static_cast<std::uint16_t>(q), a.in, a.out});
      }
      blind[c].push_back(*std::min_element(all[c].begin(), all[c].end(),
                                           [](auto& a, auto& b) { return a.time < b.time; }));
    }
    auto const best = solve(n, all, d);
    if (best.time >= no_ticks) return;
    auto const as_they_come = solve(n, blind, d);
    best_algorithms out{.network = at[0],
                        .compression = at[1],
                        .code_generation = at[3],
                        .design = at[4],
                        .exact = best.exact,
                        .time = to_seconds(best.time),
                        .reorders = to_seconds(best.reorders),
                        .blind = to_seconds(as_they_come.time),
                        .uniform = out_.cells[fastest].time,
                        .uniform_primitive = at[2],
                        .operators = {}};
    auto const& t = n.tables;
    std::vector<ticks> moved(t.order.size());
    auto const chosen = [&](std::uint32_t v) -> algorithm_option const& {
      return all[t.op_class[v]][best.option_of[v]];
    };
    for (auto const& e : t.edges) {
      moved[e.consumer] +=
          moves_of(n, d)(e.edge_class, chosen(e.producer).out, chosen(e.consumer).in);
    }
    for (std::uint32_t v = 0; v < t.order.size(); ++v) {
      auto const c = t.op_class[v];
      if (all[c].size() < 2 || !kinds_[n.kind[c]].layer) continue;
      auto const& o = chosen(v);
      out.operators.push_back({.name = op(n.workload, t.order[v]).name,
                               .algorithm = prices_.primitive_name(o.algorithm),
                               .fastest = prices_.primitive_name(blind[c].front().algorithm),
                               .input_format = prices_.format_name(o.in),
                               .output_format = prices_.format_name(o.out),
                               .time = to_seconds(o.time),
                               .reorders = to_seconds(moved[v])});
    }
    out_.best.push_back(std::move(out));
  }

  Stack const& stack_;
  Accuracy const& accuracy_;
  space_type space_;
  operator_kinds kinds_;
  price_book<space_type, Stack, Cost, Fallbacks, Measured> prices_;
  std::vector<std::unique_ptr<compiled_network>> networks_; ///< by network and compression
  std::vector<cell_accuracy> accuracies_;
  option_lists options_;             ///< of the cell that is looked at
  compiled_network const* moved_{};  ///< whose `moves_`
  std::vector<reorder_table> moves_; ///< by design
  study out_;
};

} // namespace detail

/// Evaluates every legal cell of a stack, counts every illegal one, and draws the conclusions (`analyse`).
///
///     stack const s{axis{networks}, axis{none{}, weight_pruning{.8}}, axis{direct{}, csr_direct{}},
///                   axis{untuned{}, tuned{}}, axis{std::vector{processor{…}}}};
///     auto const found = explore(s, cost, fallbacks{direct{}, csr_direct{}}).value();
///
/// The first element of each axis is the base that others are compared with; of code generations, which
/// go from the plainest to the best, the last; of compressions the first that changes nothing
/// (`effects_of`). Without one nothing is said of what compression buys.
/// Deterministic: cells in index order, sums in whole picoseconds; only what `measured` says may differ
/// from run to run. Complexity: each distinct question (operator signature, primitive, code generation,
/// design) is put to `cost` once; a cell costs a sum over the classes of its operators, and an
/// elimination where its operators have more than one format.
/// Errors: an axis without elements, or with two of one name; a network that nothing applies to.
template <class Stack, class Cost, class Fallbacks, class Accuracy = nothing_known,
          MeasuredTimes Measured = nothing_measured, class Relations = usual_relations>
[[nodiscard]] auto explore(Stack const& s, Cost const& cost, Fallbacks const& fallback,
                           Accuracy const& accuracy = {}, Measured const& measured = {},
                           Relations = {}) -> expected<study> {
  detail::explorer<Stack, Cost, Fallbacks, Accuracy, Measured, Relations> run{s, cost, fallback,
                                                                              accuracy, measured};
  auto found = run();
  if (found) analyse(*found);
  return found;
}

} // namespace mars::exploration
