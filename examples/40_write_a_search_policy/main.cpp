// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A search policy is a value with a name and a call operator: problem and context in, solution out. This one puts all
// operators on one set and improves their shardings one by one until nothing gets better: coordinate descent.

#include <mars/mars.hpp>
#include <mars/testing.hpp>

struct coordinate_descent {
  int sweeps{20};

  [[nodiscard]] auto name() const -> std::string_view { return "descent"; }

  [[nodiscard]] auto operator()(mars::mapping_problem const& problem,
                                mars::search_context const& context) const -> mars::solution {
    mars::search::meter clock{context, 1'000'000}; // 1. counts evaluations, watches the budget
    mars::solution found;
    found.bound = mars::static_bound(problem); // 2. what can be said without searching
    if (context.start) found.best = *context.start;
    if (context.start) found.value = problem.evaluate(found.best);
    bool has_answer = context.start.has_value();

    for (std::uint32_t set = 0; set < problem.sets().size(); ++set) // 3. every set, every design
      for (std::uint32_t design = 0; design < problem.designs(set).size(); ++design) {
        if (has_answer && clock.spent()) break;
        mars::delta_evaluator now{problem, start_on(problem, {set, design})};
        for (int sweep = 0; sweep < sweeps && improve(now, clock); ++sweep) continue;
        auto const value = now.value(); // 4. limits included
        if (has_answer && !(value < found.value)) continue;
        found.best = now.current();
        found.value = value;
        has_answer = true;
        clock.report(found.value, found.bound, name()); // 5. tell whoever watches
      }
    found.evaluations = clock.evaluations();
    return found;
  }

private:
  static auto start_on(mars::mapping_problem const& p, mars::slot where) -> mars::assignment {
    mars::assignment a{{where}, std::vector<std::uint16_t>(p.size()), {}};
    for (std::size_t v = 0; v < p.size(); ++v) { // the cheapest by itself
      auto const& node = p.row(v, where.set).node[where.design];
      a.choice_of.push_back(
          static_cast<std::uint16_t>(std::min_element(node.begin(), node.end()) - node.begin()));
    }
    return a;
  }

  /// One pass: each operator takes what is best for itself and its neighbours.
  static auto improve(mars::delta_evaluator& now, mars::search::meter& clock) -> bool {
    auto const before = now.sum();
    auto const& p = now.problem();
    auto const set = now.current().slots.front().set;
    for (std::size_t v = 0; v < p.size() && !clock.spent(); ++v) {
      for (std::size_t c = 0; c < p.shardings(v, set).size(); ++c) // a few nanoseconds each
        if (now.try_choice(v, c) < now.sum()) now.set_choice(v, c);
      clock.count(p.shardings(v, set).size());
    }
    return now.sum() < before;
  }
};
static_assert(mars::SearchPolicy<coordinate_descent>);

int main() {
  for (auto const& b :
       mars::testing::check_search(coordinate_descent{})) // 6. does it keep its word?
    fmt::print("not kept: {} ({})\n", b.law, b.where);

  auto const network = mars::zoo::resnet101();
  auto const system = mars::presets::aws_f1_16xlarge();
  auto const baseline = mars::find_baseline(network, system).value();
  mars::mapper const mapper{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            coordinate_descent{}};
  auto const plan = mapper(network, system);
  fmt::print("baseline {:.4}, coordinate descent {:.4}: {:.1f} % less\n", baseline.latency(),
             plan.latency(), 100 * (1 - plan.latency() / baseline.latency()));
}
