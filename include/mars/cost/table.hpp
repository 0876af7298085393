// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/cost/analytical.hpp>
#include <mars/cost/concept.hpp>
#include <mars/cost/question.hpp>
#include <mars/workload/shard.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::cost {

/// Counts of lookups, for whoever wants to know how much of an answer was measured. Thread-safe.
struct lookup_counts {
  std::atomic<std::int64_t> found{0};
  std::atomic<std::int64_t> missing{0};
};

/// Measured costs, and a model for what was not measured.
///
///   mars::cost::table<> measured{};
///   measured.add(shard, "winograd", {.time = {.total = seconds{1.2e-3}}}).value();
///   measured.report = &counts;  // found and missing, kept outside: the table is constant
///
/// `Fallback` decides about gaps: cost::analytical fills them with the design's model,
/// cost::unavailable refuses them. Measured and modelled times mix well only if the model was
/// calibrated; a table with gaps may also make a larger shard cheaper than a smaller one.
/// Prefer it when a device is there to measure. O(1) after hashing the operator.
template <CostModel Fallback = analytical>
struct table {
  std::unordered_map<question, shard_cost, question_hash> entries{};
  Fallback fallback{};
  lookup_counts* report{}; ///< not owned; null: nobody counts

  /// Errors: a time that is negative or NaN, a question that has an answer already.
  auto add(shard const& s, std::string_view design, shard_cost cost) -> expected<void> {
    return add(question_of(s, design), cost);
  }
  auto add(question q, shard_cost cost) -> expected<void> {
    if (!(cost.time.total >= seconds{}))
      return fail(error_code::out_of_range, "time", std::to_string(cost.time.total.count()),
                  "a time of at least 0 s, or infinity for \"must not\"");
    auto const design = q.design;
    if (!entries.try_emplace(std::move(q), cost).second)
      return fail(error_code::duplicate, "question",
                  std::string{"a second cost on design "} + design,
                  "one cost per operator signature, extents and design");
    return {};
  }

  /// The measurement, if there is one.
  [[nodiscard]] auto find(shard const& s, std::string_view design) const
      -> std::optional<shard_cost> {
    auto const it = entries.find(question_of(s, design));
    if (it == entries.end()) return std::nullopt;
    return it->second;
  }

  template <class D>
  requires CostModelFor<Fallback, D>
  [[nodiscard]] auto operator()(shard const& s, D const& design) const -> shard_cost {
    auto const measured = find(s, std::string_view{design.name()});
    if (report != nullptr) ++(measured ? report->found : report->missing);
    return measured ? *measured : shard_cost{fallback(s, design)};
  }

  /// Those of the design. What one costs is looked up as of the design `NAME/ALGORITHM`; one that is not
  /// there costs what the fallback says, and is left out if that prices none.
  template <AlgorithmicDesign D>
  requires CostModelFor<Fallback, D>
  [[nodiscard]] auto algorithms(shard const& s, D const& design) const
      -> std::vector<algorithm_cost> {
    std::vector<algorithm_cost> all;
    auto const prefix = std::string{std::string_view{design.name()}} + "/";
    auto const is_missing = [&](algorithm_cost& a) {
      auto const measured = find(s, prefix + std::string{a.how.name});
      if (report != nullptr) ++(measured ? report->found : report->missing);
      if (!measured) return true;
      a.how.time = measured->time;
      a.energy = measured->energy;
      return false;
    };
    if constexpr (AlgorithmCostModelFor<Fallback, D>) {
      for (auto const& a : fallback.algorithms(s, design)) (void)is_missing(all.emplace_back(a));
    } else {
      for (auto const& a : design.algorithms(s)) all.push_back({a, unknown_joules});
      std::erase_if(all, is_missing);
    }
    return all;
  }
};

} // namespace mars::cost
