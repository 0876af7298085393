// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same question put to three searches: the written baseline, MARS's genetic search, and the exact one. Each answer
// carries a lower bound; only a search that has covered everything may say "proven".

#include <mars/mars.hpp>

namespace {

auto mapped_by(mars::search::any_search search, mars::graph const& network, auto const& system) {
  mars::mapper const mapper{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            std::move(search)};
  return mapper(network, system);
}

void show(mars::plan const& plan) {
  fmt::print("{:<10} {:>12.4} {:>12.4} {:>7.1f} %  {}\n", plan.policy, plan.latency(),
             mars::to_seconds(mars::picoseconds{plan.bound.value}), 100 * plan.gap(),
             plan.exhausted ? "proven" : plan.bound.name);
}

} // namespace

int main() {
  auto const system = mars::presets::aws_f1_16xlarge();
  for (auto const* name : {"bert_base", "squeezenet"}) {
    auto const network = mars::zoo::find(name).value();
    fmt::print("{}\n{:<10} {:>12} {:>12} {:>9}\n", name, "search", "latency", "bound", "gap");
    show(mars::find_baseline(network, system).value());
    show(mapped_by(mars::search::two_level_genetic{.seed = 1}, network, system));
    show(mapped_by(mars::search::exact{}, network, system));
  }
}
