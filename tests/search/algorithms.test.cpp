// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact choice of algorithms and formats on one device, against every mapping there is: enumerated as
// values and priced by the evaluator, without tables.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/toy_processor.hpp"

#include <mars/mapper.hpp>
#include <mars/search/annealing.hpp>
#include <mars/search/beam.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {
using namespace mars;

/// Algorithm and format, as a placement names them.
using option = std::pair<std::string, std::string>;

/// What an operator may run as, read off the design by hand.
auto options_of(operation const& o, mars_test::toy_processor const& toy) -> std::vector<option> {
  std::vector<option> all;
  for (auto const& a : toy.algorithms(shard{o})) {
    all.emplace_back(std::string{a.name}, "");
    if (a.name == "vector") all.emplace_back("vector", "nchwc");
  }
  if (!all.empty()) return all;
  all.emplace_back();
  for (auto const kind : {op_kind::elementwise, op_kind::pooling, op_kind::concat, op_kind::split,
                          op_kind::softmax, op_kind::normalization})
    if (o.kind == kind) all.emplace_back("", "nchwc");
  return all;
}

struct oracle {
  ticks best{no_ticks};
  ticks best_without_memory{no_ticks};
  std::size_t mappings{};
  std::vector<std::int64_t> peaks;
};

/// Prices all mappings; nothing (0 mappings) when there are too many.
template <class System>
auto enumerate(graph const& g, System const& s, mars_test::toy_processor const& toy) -> oracle {
  oracle found;
  std::vector<std::vector<option>> options;
  double count = 1;
  mapping m{.sets = {{{accelerator_id{0}}, toy.title}}, .operators = {}};
  for (operator_id const v : operators(g)) {
    options.push_back(options_of(op(g, v), toy));
    count *= static_cast<double>(options.back().size());
    m.operators.push_back({set_id{0}, sharding{}});
  }
  if (count > 1500) return found;
  std::vector<std::size_t> digit(options.size());
  for (bool more = true; more;) {
    for (std::size_t v = 0; v < digit.size(); ++v)
      std::tie(m.operators[v].algorithm, m.operators[v].format) = options[v][digit[v]];
    auto const e = evaluate(g, s, m, cost::analytical{}, collective::standard{}).value();
    if (e.feasible()) found.best = std::min(found.best, e.latency.count());
    found.best_without_memory = std::min(found.best_without_memory, e.latency.count());
    found.peaks.push_back(e.memory[0].peak.count());
    ++found.mappings;
    more = false;
    for (std::size_t v = 0; v < digit.size() && !more; ++v) {
      more = ++digit[v] < options[v].size();
      if (!more) digit[v] = 0;
    }
  }
  return found;
}

} // namespace

TEST_CASE("exact search finds the best algorithms and formats, and proves it") {
  std::size_t compared = 0, mixed = 0, reordered = 0, short_of_memory = 0, impossible = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    random_stream r{911, trial};
    auto const g = mars_test::random_network(r, 2 + r.below(6));
    auto const toy = mars_test::random_toy(r);
    auto s = mars_test::toy_system(toy);
    auto all = enumerate(g, s, toy);
    if (all.mappings == 0) continue;
    bool const scarce = r.chance(0.4);
    if (scarce) {
      // Less than most mappings need, now and then less than any.
      std::sort(all.peaks.begin(), all.peaks.end());
      s.accelerators[0].capacity =
          bytes{all.peaks[r.below(1 + all.peaks.size() / 3)] - (r.chance(0.1) ? 1 : 0)};
      all = enumerate(g, s, toy);
    }
    mapper const map{cost::analytical{}, parallel::exclusive_shared{}, search::exact{}};
    auto const p = map(g, s);
    ++compared;
    CHECK(p.exhausted);
    if (all.best >= no_ticks) {
      CHECK_FALSE(p.feasible());
      ++impossible;
      continue;
    }
    CHECK(p.value == all.best);
    CHECK(p.bound.value == all.best);
    short_of_memory += all.best > all.best_without_memory;
    std::vector<std::string> names;
    for (auto const& placed : p.mapping.operators) names.push_back(placed.algorithm);
    auto const has = [&](char const* n) { return std::count(names.begin(), names.end(), n) > 0; };
    mixed += has("rows") && (has("blocks") || has("transformed"));
    for (auto const& o : p.evaluation.operators) reordered += o.reorders > picoseconds{};
  }
  // All that makes the choice hard occurs.
  CHECK(compared >= 200);
  CHECK(mixed >= 15);
  CHECK(reordered >= 40);
  CHECK(short_of_memory >= 10);
  CHECK(impossible >= 2);
}

TEST_CASE("other searches choose algorithms, too, and never beat the proof") {
  std::size_t equal = 0, compared = 0;
  for (std::uint64_t trial = 0; trial < 30; ++trial) {
    CAPTURE(trial);
    random_stream r{912, trial};
    auto const g = mars_test::random_network(r, 4 + r.below(6));
    auto const s = mars_test::toy_system(mars_test::random_toy(r));
    auto const p = mars_test::make_problem(g, s);
    auto const best = search::exact{}(p, {});
    REQUIRE(best.exhausted);
    search_context const few{.budget = {.evaluations = 4000}};
    for (auto const& found : {search::two_level_genetic{.seed = 1}(p, few),
                              search::annealing{.seed = 1}(p, few), search::beam{}(p, few)}) {
      CHECK_FALSE(found.value < best.value);
      CHECK(found.bound.value <= best.value.value);
      equal += found.value == best.value;
      ++compared;
    }
  }
  CHECK(equal >= compared * 9 / 10);
}
