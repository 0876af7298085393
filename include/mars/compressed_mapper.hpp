// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/accuracy.hpp>
#include <mars/compression/any_compression.hpp>
#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/operator_forms.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// What compressing may cost. Accuracy is that of a whole network in one published setting; of any other
/// setting, and of every mixture, it is unknown.
struct accuracy_limit {
  std::string network; ///< as tables spell it, but for capitals and dashes
  double most_loss{};  ///< percent points of top-1, within one source
  std::string dataset{"ImageNet"};
  std::vector<compression::accuracy_point> points{}; ///< `published_accuracies()`, or your own
};

/// A compression that was not considered, and why.
struct rejected_compression {
  std::string name;
  std::string reason;
};

/// A plan and the compressed network that it maps.
struct compressed_plan {
  mars::plan plan; ///< its bound is of all compressions that were considered
  graph network;   ///< what `plan.mapping` is a mapping of
  std::string compression;
  std::optional<compression::accuracy_point> accuracy; ///< nothing: unknown
  std::vector<std::string> considered;
  std::vector<rejected_compression> rejected;
};

namespace detail {
/// Published points are of networks of 32 bits, and of what compressions make of those.
template <deferred D = when_called>
[[nodiscard]] auto has_wide_layers(graph const& g) -> bool {
  for (operator_id const v : operators(g)) {
    operation const& o = op(g, v);
    if (macs_of(o).count() == 0) continue;
    for (auto const& x : o.operands)
      if ((x.role == role::input || x.role == role::weight) && x.element_bits != 32) return false;
  }
  return true;
}
} // namespace detail

/// The published point that permits a compression: of those within the limit the one that loses least.
/// The network as it is needs none. Nothing: no source says that it loses so little, or the layers of `g`,
/// before it is compressed, are not of 32 bits: nobody published what such a network reaches.
template <deferred D = when_called>
[[nodiscard]] auto permitting_point(graph const& g, any_compression const& c,
                                    accuracy_limit const& limit)
    -> later<std::optional<compression::accuracy_point>, D> {
  later<std::optional<compression::accuracy_point>, D> best;
  if (!detail::has_wide_layers<D>(g)) return best;
  auto const found =
      compression::find_accuracies<D>(limit.points, limit.network, c.accuracy(), limit.dataset);
  for (auto const& p : found)
    if (auto const loss = p.loss(); loss && *loss <= limit.most_loss)
      if (!best || *loss < *best->loss()) best = p;
  return best;
}

namespace detail {
template <deferred = when_called>
[[nodiscard]] auto is_uncompressed(any_compression const& c) -> bool {
  return c.accuracy().compression == "none";
}
} // namespace detail

/// Maps a network under each compression that `limit` permits, all operators compressed alike, and takes
/// the best plan; of equal ones the first. It says which published point permits it. The searches share the
/// wall-clock budget, each getting an equal part of what is left; a budget of evaluations is of each. The plan
/// counts the evaluations and the time of all, and is exhausted if all were. What a context starts or resumes
/// from belongs to one problem, and is not used.
///
/// Complexity: a search for each. Errors: of a compression or a search; `infeasible` when none is permitted.
template <class Mapper, AcceleratorSystem System, deferred D = when_called>
[[nodiscard]] auto find_compressed(Mapper const& map, graph const& g, System const& system,
                                   std::span<any_compression const> compressions,
                                   accuracy_limit const& limit, search_context const& context = {})
    -> later<expected<compressed_plan>, D> {
  auto const until =
      context.budget.wall ? deadline::after(*context.budget.wall) : deadline::never();
  struct candidate {
    any_compression const* compression{};
    std::optional<compression::accuracy_point> accuracy;
  };
  later<std::vector<candidate>, D> permitted;
  std::vector<rejected_compression> rejected;
  for (auto const& c : compressions) {
    auto point = permitting_point<D>(g, c, limit);
    if (point || detail::is_uncompressed<D>(c)) {
      permitted.push_back({&c, std::move(point)});
      continue;
    }
    auto const key = c.accuracy();
    rejected.push_back(
        {c.name(),
         key.compression.empty() ? std::string{"its accuracy is not tabulated"}
         : !detail::has_wide_layers<D>(g)
             ? std::string{"no source has the network with layers that are not of 32 bits"}
             : "no source has '" + limit.network + "' with " + key.compression + " (" +
                   key.setting + ") that loses at most " + std::to_string(limit.most_loss) +
                   " points"});
  }
  if (permitted.empty())
    return fail(error_code::infeasible, "compressions", "none that is permitted",
                "one with a published accuracy, or the network as it is",
                rejected.empty() ? std::string{} : rejected.front().reason);
  later<std::optional<compressed_plan>, D> best;
  std::vector<std::string> considered;
  bound least{no_ticks, "none"};
  std::uint64_t evaluations = 0;
  seconds wall{};
  bool exhausted = true;
  for (auto& one : permitted) {
    auto const& c = *one.compression;
    auto smaller = c(g);
    if (!smaller) return unexpected{std::move(smaller).error().inside(c.name())};
    auto its_own = context;
    its_own.start.reset();
    its_own.start_schedule.reset();
    its_own.resume.reset();
    auto const left = static_cast<double>(permitted.size() - considered.size());
    if (!until.is_never()) its_own.budget.wall = until.remaining() / left;
    auto found = map.find(*smaller, system, std::move(its_own));
    if (!found) return unexpected{std::move(found).error().inside(c.name())};
    considered.push_back(c.name());
    if (considered.size() == 1 || found->bound.value < least.value) least = found->bound;
    evaluations += found->evaluations;
    wall = wall + found->wall;
    exhausted = exhausted && found->exhausted;
    auto const beats = [](plan const& a, plan const& b) {
      return a.feasible() != b.feasible() ? a.feasible() : a.value < b.value;
    };
    if (!best || beats(*found, best->plan))
      best = compressed_plan{.plan = *std::move(found),
                             .network = *std::move(smaller),
                             .compression = c.name(),
                             .accuracy = std::move(one.accuracy),
                             .considered = {},
                             .rejected = {}};
  }
  best->plan.bound = least;
  best->plan.evaluations = evaluations;
  best->plan.wall = wall;
  best->plan.exhausted = exhausted;
  best->considered = std::move(considered);
  best->rejected = std::move(rejected);
  return *std::move(best);
}

/// By operator, what those compressions make of it that act on single operators.
template <deferred D = when_called>
[[nodiscard]] auto forms_of(graph const& g, std::span<any_compression const> compressions)
    -> operator_forms {
  operator_forms forms(g.size());
  for (operator_id const v : operators(g))
    for (auto const& c : compressions)
      if (auto form = c(op(g, v))) forms[v.index()].push_back({c.name(), *std::move(form)});
  return forms;
}

/// A plan that compresses every operator as it sees fit. Its accuracy is unknown.
struct mixed_plan {
  mars::plan plan;      ///< the placements say who is compressed how
  operator_forms forms; ///< `form_graph(g, forms, plan.mapping)` is the graph that it maps
};

/// Chooses a compression, or none, for each operator by itself, with everything else that is chosen. The
/// accuracy of such a mixture is unknown, whatever is known of its parts: to call this is to accept it.
/// Where neighbours differ in the width of what passes between them, the reader rewrites it.
template <class Mapper, AcceleratorSystem System, deferred D = when_called>
[[nodiscard]] auto find_mixed_of_unknown_accuracy(Mapper const& map, graph const& g,
                                                  System const& system,
                                                  std::span<any_compression const> compressions,
                                                  search_context const& context = {})
    -> later<expected<mixed_plan>, D> {
  auto forms = forms_of(g, compressions);
  auto found = map.find_formed(g, system, forms, context);
  if (!found) return unexpected{std::move(found).error()};
  return mixed_plan{*std::move(found), std::move(forms)};
}

} // namespace mars
