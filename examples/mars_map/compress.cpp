// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compress.hpp"

#include "numbers.hpp"

#include <mars/compressed_mapper.hpp>
#include <mars/compression.hpp>
#include <mars/compression/published_accuracy.hpp>
#include <mars/core/deadline.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars_map {

namespace {

namespace compression = mars::compression;

/// `int8`, `weight_pruning_80`, and sums of them.
[[nodiscard]] auto compression_named(std::string_view name)
    -> std::optional<mars::any_compression> {
  if (auto const plus = name.rfind('+'); plus != name.npos) {
    auto const first = compression_named(name.substr(0, plus));
    auto const second = compression_named(name.substr(plus + 1));
    if (!first || !second) return std::nullopt;
    return compression::then<mars::any_compression, mars::any_compression>{*first, *second};
  }
  if (name == "none") return compression::none{};
  if (name == "float16") return compression::float16{};
  if (name == "bfloat16") return compression::bfloat16{};
  if (name == "int8") return compression::int8{};
  if (name == "int8_inside") return compression::int8{.keep_ends = true};
  if (auto const w = percent_after(name, "weight_pruning_"))
    return compression::weight_pruning{.sparsity = *w};
  if (auto const c = percent_after(name, "channel_pruning_"))
    return compression::channel_pruning{.keep = 1 - *c};
  return std::nullopt;
}

[[nodiscard]] auto unknown_compression(std::string_view name) -> mars::unexpected<mars::error> {
  return mars::fail(mars::error_code::unknown_name, "--compressions",
                    std::string{name.substr(0, 64)},
                    "none, float16, bfloat16, int8, int8_inside, weight_pruning_N, "
                    "channel_pruning_N, or sums of them");
}

} // namespace

auto load_compressed(options const& o) -> mars::expected<workload> {
  auto w = load_workload(o);
  if (!w || o.compressions.empty()) return w;
  auto const& name = o.compressions.front();
  auto const c = compression_named(name);
  if (!c) return unknown_compression(name);
  auto smaller = (*c)(w->graph);
  if (!smaller) return mars::unexpected{std::move(smaller).error().inside("compression " + name)};
  w->graph = *std::move(smaller);
  return w;
}

auto answer_compressed(options const& o, workload& w, answer_function const& answer)
    -> mars::expected<outcome> {
  if (!o.mapping.empty() && o.compressions.size() > 1)
    return mars::fail(mars::error_code::invalid_argument, "--compressions",
                      std::to_string(o.compressions.size()) + " names",
                      "with --mapping the one of the mapping");
  mars::accuracy_limit const limit{.network = w.graph.name(),
                                   .most_loss = o.accuracy_loss,
                                   .points = compression::published_accuracies()};
  std::optional<outcome> best;
  std::optional<mars::graph> network;
  std::optional<mars::bound> least;
  auto const until =
      o.budget.wall ? mars::deadline::after(*o.budget.wall) : mars::deadline::never();
  auto with = o;
  std::size_t done = 0;
  std::uint64_t evaluations = 0;
  mars::seconds wall{};
  bool exhausted = true;
  std::vector<std::pair<std::string, std::string>> rejected;
  for (auto const& name : o.compressions) {
    auto const c = compression_named(name);
    if (!c) return unknown_compression(name);
    auto point = mars::permitting_point(w.graph, *c, limit);
    if (!point && name != "none" && !o.accuracy_unknown) {
      rejected.emplace_back(name,
                            fmt::format("nobody published that {} loses at most {} points with it",
                                        limit.network, limit.most_loss));
      ++done;
      continue;
    }
    auto smaller = (*c)(w.graph);
    if (!smaller)
      return mars::unexpected{std::move(smaller).error().inside("--compressions " + name)};
    if (!until.is_never())
      with.budget.wall = until.remaining() / static_cast<double>(o.compressions.size() - done);
    ++done;
    auto found = answer(with, {*smaller, w.warnings});
    if (!found) return found;
    evaluations += found->plan.evaluations;
    wall = wall + found->plan.wall;
    exhausted = exhausted && found->plan.exhausted;
    if (!least || found->plan.bound.value < least->value) least = found->plan.bound;
    bool const better = !best || (found->plan.feasible() != best->plan.feasible()
                                      ? found->plan.feasible()
                                      : found->plan.value < best->plan.value);
    if (!better) continue;
    best = *std::move(found);
    best->compression = mars::io::compression_result{name, std::move(point)};
    network = *std::move(smaller);
  }
  if (!best)
    return mars::fail(mars::error_code::infeasible, "--compressions", "none that is permitted",
                      "none, or one with a published accuracy, or --accuracy-unknown",
                      rejected.front().first + ": " + rejected.front().second);
  best->plan.bound = *least;
  best->plan.evaluations = evaluations;
  best->plan.wall = wall;
  best->plan.exhausted = exhausted;
  best->compression->rejected = std::move(rejected);
  w.graph = *std::move(network);
  return *std::move(best);
}

} // namespace mars_map
