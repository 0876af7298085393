// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/problem.hpp>

#include <cstdint>
#include <set>
#include <utility>

namespace mars {

/// Where a search that goes in rounds (`search::portfolio`) stands between two of them: enough to go
/// on later as if it had never stopped.
struct checkpoint {
  std::uint64_t problem{}; ///< `fingerprint` of what is searched
  std::uint64_t rounds{};  ///< that are over
  std::uint64_t evaluations{};
  assignment best;
  mars::bound bound;
  bool exhausted{};

  friend auto operator==(checkpoint const& a, checkpoint const& b) -> bool {
    return a.problem == b.problem && a.rounds == b.rounds && a.evaluations == b.evaluations &&
           a.best == b.best && a.bound.value == b.bound.value && a.bound.name == b.bound.name &&
           a.exhausted == b.exhausted;
  }
};

/// A number that two problems share only if their tables are equal (but for accidents of hashing):
/// stable across runs and platforms. O(tables).
template <deferred D = when_called>
[[nodiscard]] auto fingerprint(later<mapping_problem, D> const& p) -> std::uint64_t {
  stable_hash h;
  auto const add_all = [&](auto const& list) {
    h.add(list.size());
    for (auto const x : list) h.add(x);
  };
  h.add(p.size()).add(p.sets().size()).add(p.accelerators()).add(p.spending_limit());
  h.add(static_cast<int>(p.how())).add(p.objective_name());
  for (std::uint32_t s = 0; s < p.sets().size(); ++s) {
    h.add(p.sets()[s].set_class).add(p.sets()[s].capacity);
    for (auto const a : p.sets()[s].accelerators) h.add(a.value);
    for (auto const& design : p.designs(s)) h.add(std::string_view{design});
  }
  later<std::set<std::pair<std::uint32_t, std::uint32_t>>, D>
      rows; // by class of operators and of sets
  for (std::uint32_t v = 0; v < p.size(); ++v) {
    h.add(p.op_class(v)).add(p.last_use(v));
    for (std::uint32_t s = 0; s < p.sets().size(); ++s) {
      if (!rows.emplace(p.op_class(v), p.sets()[s].set_class).second) continue;
      auto const& row = p.row(v, s);
      for (auto const* by_design : {&row.node, &row.spent})
        for (auto const& values : *by_design) add_all(values);
      for (auto const* amounts : {&row.resident, &row.transient, &row.kept}) add_all(*amounts);
      for (auto const* layouts : {&row.own, &row.need})
        for (auto const& of : *layouts) add_all(of);
    }
  }
  later<std::set<std::pair<std::uint32_t, std::size_t>>, D>
      tables; // by class of edges and of pairs
  for (auto const& e : p.edges()) {
    h.add(e.producer).add(e.consumer).add(e.output).add(e.operand);
    for (std::uint32_t a = 0; a < p.sets().size(); ++a)
      for (std::uint32_t b = 0; b < p.sets().size(); ++b) {
        if ((a != b && !p.disjoint(a, b)) ||
            !tables.emplace(e.edge_class, p.pair_class(a, b)).second)
          continue;
        auto const& t = p.table(e, a, b);
        h.add(a).add(b).add(t.columns);
        add_all(t.time);
        add_all(t.missing);
      }
  }
  return h.digest();
}

} // namespace mars
