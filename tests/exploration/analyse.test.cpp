// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/small_study.hpp"

#include <mars/exploration/analyse.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace mars;
using mars_test::approx;
using mars_test::small_study;
namespace ex = mars::exploration;

namespace {
auto result_of(ex::study const& s, std::string const& name) -> ex::finding const& {
  auto const at = std::find_if(s.findings.begin(), s.findings.end(),
                               [&](auto const& f) { return f.name == name; });
  REQUIRE(at != s.findings.end());
  return *at;
}
} // namespace

TEST_CASE("moves and interactions start from the base cell of each network") {
  auto s = small_study();
  ex::analyse(s);
  // big, none, dense, untuned, cpu takes 100 s; tuned 50; on the gpu 40; tuned there 10.
  auto const effect = [&](ex::axis_id a, std::uint16_t to) {
    for (auto const& p : s.perturbations)
      if (p.axis == a && p.to == to && p.base == s.base) return p.effect;
    return 0.0;
  };
  CHECK(effect(ex::axis_id::code_generation, 1) == approx(std::log(0.5)));
  CHECK(effect(ex::axis_id::design, 1) == approx(std::log(0.4)));
  CHECK(effect(ex::axis_id::network, 1) == approx(std::log(0.1)));
  // The sparse primitive cannot be on the base: no move there.
  CHECK(effect(ex::axis_id::primitive, 1) == 0.0);
  bool found = false;
  for (auto const& i : s.interactions)
    if (i.base == s.base && i.first == ex::axis_id::code_generation &&
        i.second == ex::axis_id::design) {
      found = true;
      CHECK(i.effect == approx(std::log(10.0 * 100 / (50 * 40))));
    }
  CHECK(found);
  CHECK(std::is_sorted(
      s.interactions.begin(), s.interactions.end(),
      [](auto const& a, auto const& b) { return std::abs(a.effect) > std::abs(b.effect); }));
}

TEST_CASE("variance is split over the largest complete block, the rest is excluded and counted") {
  auto s = small_study();
  ex::analyse(s);
  // Legal: dense on all three compressions, sparse on the two prunings: 5 · 2 · 2 · 2 = 40 cells.
  // Complete: dense × three (24), or both × two (32).
  CHECK(s.variance.method == ex::variance_method::orthogonal);
  CHECK(s.variance.cells == 32);
  CHECK(s.variance.excluded == 8);
  CHECK(s.variance.block[1] == std::vector<std::uint16_t>{1, 2});
  double sum = 0;
  for (auto const& v : s.variance.shares) sum += v.share;
  CHECK(sum == approx(1));
}

TEST_CASE("a table that is mostly holes gets sums of squares by leaving out, and says so") {
  auto s = small_study();
  // Cells on a diagonal: the largest complete block is one cell.
  std::erase_if(s.cells, [](ex::cell const& c) {
    return c.at[0] != c.at[3] || c.at[1] != c.at[2] || c.at[3] != c.at[4];
  });
  ex::analyse(s);
  CHECK(s.variance.method == ex::variance_method::drop_one);
  CHECK(s.variance.excluded == 0);
}

TEST_CASE("fronts: what is known of accuracy decides which, and sources do not compare") {
  auto s = small_study();
  ex::analyse(s);
  std::size_t with = 0;
  for (auto const& f : s.fronts) {
    bool const known = f.criteria.front() == ex::criterion::accuracy;
    with += known ? 1 : 0;
    CHECK(f.criteria.size() == (known ? 3 : 2)); // energies are unknown
    CHECK(!f.cells.empty());
    for (auto const i : f.cells) {
      CHECK((s.cells[i].accuracy.known != ex::provenance::unknown) == known);
      CHECK(s.cells[i].at[4] == f.design);
    }
  }
  CHECK(with == 2 * (1 + 2));
  // On the cpu, big: 76 of 76 as it is; 72 of 70 pruned to half, smaller and faster, in another source.
  // Neither beats the other until one source says both.
  auto const accurate = [&](std::optional<std::uint16_t> network) {
    std::vector<ex::coordinate> at;
    for (auto const& f : s.fronts)
      if (f.network == network && f.design == 0 && f.criteria.front() == ex::criterion::accuracy)
        for (auto const i : f.cells) at.push_back(s.cells[i].at);
    return at;
  };
  using coordinates = std::vector<ex::coordinate>;
  CHECK(accurate(0) == coordinates{{0, 1, 1, 1, 0}, {0, 0, 0, 1, 0}});
  for (auto& c : s.cells)
    if (c.at[1] == 1 && c.at[0] == 0) c.accuracy.top1 = 76;
  ex::analyse(s);
  CHECK(accurate(0) == coordinates{{0, 1, 1, 1, 0}, {0, 0, 0, 1, 0}});
  for (auto& c : s.cells)
    if (c.accuracy.known != ex::provenance::unknown) c.accuracy.source = "one table";
  ex::analyse(s);
  CHECK(accurate(0) == coordinates{{0, 1, 1, 1, 0}, {0, 0, 0, 1, 0}}); // the references differ
  CHECK(accurate(std::nullopt) == coordinates{{1, 0, 0, 1, 0}, {0, 1, 1, 1, 0}});
  for (auto& c : s.cells)
    if (c.at[0] == 0) c.accuracy.reference = 76;
  ex::analyse(s);
  CHECK(accurate(0) == coordinates{{0, 1, 1, 1, 0}});
}

TEST_CASE("energy is on a front where it says more than time") {
  auto s = small_study();
  auto const counts = [&] {
    ex::analyse(s);
    return std::count(s.fronts[0].criteria.begin(), s.fronts[0].criteria.end(),
                      ex::criterion::energy);
  };
  for (auto& c : s.cells) c.energy = watts{3} * c.time;
  CHECK(counts() == 0);
  for (auto& c : s.cells) c.energy = c.energy * (c.at[2] == 1 ? 2.0 : c.at[3] == 1 ? 1.5 : 1.0);
  CHECK(counts() == 1);
  for (auto& c : s.cells) c.energy = unknown_joules;
  CHECK(counts() == 0);
}

TEST_CASE("accuracies are ranked within one source, with three that differ") {
  auto s = small_study();
  ex::analyse(s);
  auto const accurate = [](auto const& c) { return c.quantity == ex::quantity_id::accuracy; };
  // 76 and 70 of one table, 72 of another.
  CHECK(std::none_of(s.correlations.begin(), s.correlations.end(), accurate));
  CHECK(std::none_of(s.correlation_ranges.begin(), s.correlation_ranges.end(), accurate));
  for (auto& c : s.cells)
    c.accuracy = {ex::provenance::published, 80.0 - 10 * c.at[0] - c.at[1], 80,
                  c.at[1] == 2 && c.at[0] == 1 ? "a guess" : "one table", ""};
  ex::analyse(s);
  std::size_t found = 0;
  for (auto const& c : s.correlations) {
    CHECK(c.source == (accurate(c) ? "one table" : ""));
    if (!accurate(c) || c.pooled) continue;
    ++found;
    CHECK(c.n == (c.primitive == 0 ? 5 : 3));
    CHECK(c.discordant.has_value());
  }
  CHECK(found == 2 * 2 * 2);
}

TEST_CASE("break-even is read between the prunings, against each dense primitive") {
  auto s = small_study();
  ex::analyse(s);
  REQUIRE(s.break_evens.size() == 2 * 2 * 2);
  // big, untuned, cpu: sparse takes 120 s at 50 % and 60 s at 75 %; dense 100.
  auto const& b = s.break_evens.front();
  CHECK(b.sparse == 1);
  CHECK(b.opponent == 0);
  REQUIRE(b.sparsity);
  CHECK(*b.sparsity == approx(0.5 + 0.25 * 20 / 60));
  CHECK(!b.at_most);
  // Tuned on the cpu: 30 s at 50 % already beat 50.
  CHECK(s.break_evens[2].at_most);
  CHECK(s.break_evens[2].sparsity == 0.5);
  // On the gpu sparse never pays.
  CHECK(!s.break_evens[1].sparsity);
}

TEST_CASE("findings are computed from the cells") {
  auto s = small_study();
  ex::analyse(s);
  CHECK(result_of(s, "interactions").result == ex::verdict::holds);
  // Pruning pays on the cpu only.
  CHECK(result_of(s, "hardware_dependent").result == ex::verdict::holds);
  CHECK(std::none_of(s.compression_effects.begin(), s.compression_effects.end(),
                     [](auto const& e) { return e.sign_changes; }));
  // Pruned to half, untuned, cpu: dense (100) before, sparse (30) when tuned.
  CHECK(result_of(s, "tuning_flips").result == ex::verdict::holds);
  CHECK(s.flip_candidates == 2 * 3 * 2);
  CHECK(s.flips.size() == 2);
  CHECK(s.flips[0].untuned == 0);
  CHECK(s.flips[0].tuned == 1);

  // A device on which compressed networks are slower.
  for (auto& c : s.cells)
    if (c.at[4] == 1 && c.at[1] > 0) c.time = c.time * 3;
  ex::analyse(s);
  CHECK(result_of(s, "hardware_dependent").result == ex::verdict::holds);
  CHECK(std::any_of(s.compression_effects.begin(), s.compression_effects.end(),
                    [](auto const& e) { return e.sign_changes; }));

  // Times that are a product of one factor an axis do not interact, and follow size.
  for (auto& c : s.cells) c.time = seconds{c.at[0] == 0 ? 10.0 : 1} * (c.at[3] == 0 ? 2 : 1);
  ex::analyse(s);
  CHECK(result_of(s, "interactions").result == ex::verdict::does_not_hold);
  CHECK(result_of(s, "hardware_dependent").result == ex::verdict::does_not_hold);
  CHECK(result_of(s, "tuning_flips").result == ex::verdict::does_not_hold);

  std::erase_if(s.cells, [](auto const& c) { return c.at != ex::coordinate{}; });
  ex::analyse(s);
  CHECK(result_of(s, "uncorrelated").result == ex::verdict::cannot_be_said);
  CHECK(result_of(s, "hardware_dependent").result == ex::verdict::cannot_be_said);
  CHECK(result_of(s, "tuning_flips").result == ex::verdict::cannot_be_said);
  CHECK(result_of(s, "interactions").result == ex::verdict::cannot_be_said);
}

TEST_CASE("rank correlations: pooled and per slice, with n, none where a side is constant") {
  auto s = small_study();
  ex::analyse(s);
  auto const& pooled = s.correlations.front();
  CHECK(pooled.pooled);
  CHECK(pooled.quantity == ex::quantity_id::model_bytes);
  CHECK(pooled.n == s.cells.size());
  for (auto const& c : s.correlations)
    if (!c.pooled && c.quantity == ex::quantity_id::valid_macs) {
      // Two networks of different MACs, the larger slower everywhere.
      CHECK(c.n == (c.primitive == 0 ? 6U : 4U));
      CHECK(c.kendall.value() > 0);
    }
  for (auto& c : s.cells) c.valid = macs{5};
  ex::analyse(s);
  for (auto const& c : s.correlations)
    if (c.quantity == ex::quantity_id::valid_macs) CHECK(!c.kendall);
}

TEST_CASE("size and time are called uncorrelated within slices only") {
  auto s = small_study();
  // Time rises with bytes on each design, with ties in bytes; one design is much slower.
  for (auto& c : s.cells)
    c.time = seconds{static_cast<double>(c.weights.count()) * (c.at[4] == 0 ? 1.0 : 1e-3) *
                     (1 + 1e-4 * c.at[1])};
  ex::analyse(s);
  CHECK(*s.correlations.front().kendall < 0.8); // pooled
  CHECK(std::any_of(s.correlations.begin(), s.correlations.end(), [](auto const& c) {
    return !c.pooled && c.kendall && *c.kendall < 0.95; // ties on one side
  }));
  CHECK(result_of(s, "uncorrelated").result == ex::verdict::does_not_hold);
  for (auto& c : s.cells) // the small one is the slower one on one design
    if (c.at[4] == 1 && c.at[0] == 1) c.time = seconds{100};
  ex::analyse(s);
  CHECK(result_of(s, "uncorrelated").result == ex::verdict::holds);
  // MACs are no part of the claim.
  for (auto& c : s.cells) {
    c.time = seconds{static_cast<double>(c.weights.count())};
    c.valid = macs{1'000'000 / c.weights.count()};
  }
  ex::analyse(s);
  CHECK(result_of(s, "uncorrelated").result == ex::verdict::does_not_hold);
}

TEST_CASE("what compression buys differs by more than noise, among what all designs run") {
  auto s = small_study();
  for (auto& c : s.cells) c.time = seconds{c.at[1] == 1 ? (c.at[4] == 0 ? 0.99 : 1.01) : 1.0};
  ex::analyse(s);
  CHECK(std::none_of(s.compression_effects.begin(), s.compression_effects.end(),
                     [](auto const& e) { return e.sign_changes; }));
  // The most pruned is twice as fast, half of it a little faster; the gpu runs only the latter.
  for (auto& c : s.cells) c.time = seconds{c.at[1] == 2 ? 0.5 : c.at[1] == 1 ? 0.9 : 1};
  std::erase_if(s.cells, [](auto const& c) { return c.at[1] == 2 && c.at[4] == 1; });
  ex::analyse(s);
  CHECK(result_of(s, "hardware_dependent").result == ex::verdict::does_not_hold);
}

TEST_CASE("flips of real runs are counted beside the model's") {
  auto s = small_study();
  ex::analyse(s);
  CHECK(s.measured_flip_candidates == 0);
  CHECK(result_of(s, "tuning_flips").evidence.find("by the model") == 0);
  // Run on the cpu: dense is best whatever the model says, but for one network when tuned. A sparse run
  // covers half of the time.
  for (auto& c : s.cells) {
    if (c.at[4] != 0 || c.at[1] == 0) continue;
    bool const sparse = c.at[2] == 1;
    auto const t = !sparse ? 10.0 : c.at[0] == 1 && c.at[3] == 1 ? 4.0 : 6.0;
    c.run = ex::cell_measurement{seconds{t}, c.time * (sparse ? 0.5 : 1.0), sparse ? 0.5 : 1, 0};
  }
  ex::analyse(s);
  CHECK(s.measured_flip_candidates == 2 * 2);
  CHECK(s.measured_flips == 2);
  CHECK(result_of(s, "tuning_flips")
            .evidence.find("measured on this machine, a whole network's: 2 "
                           "of 4") != std::string::npos);
  for (auto& c : s.cells)
    if (c.run) c.run->share = 0.4; // too little of it
  ex::analyse(s);
  CHECK(s.measured_flip_candidates == 0);
}

TEST_CASE("an empty study draws no conclusion") {
  ex::study s;
  for (auto& a : s.axes) a.elements.push_back({"one", "", {}});
  ex::analyse(s);
  CHECK(s.findings.size() == 4);
  for (auto const& f : s.findings) CHECK(f.result == ex::verdict::cannot_be_said);
}
