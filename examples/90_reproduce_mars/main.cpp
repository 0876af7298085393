// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MARS's experiment on its platform: five networks on AWS F1 (eight adaptive accelerators, three
// designs), the two-level genetic search against the written baseline, for both readings of the
// systolic design's vector width. The paper (arXiv 2307.12234) reports an average reduction of 32.2 %
// against its own baseline; its per-network figures and its exact parameters are not known to us. Beside the genetic
// search stands the optimum that the exact search proves over the same candidates.

#include <mars/mars.hpp>

#include <array>
#include <string>
#include <string_view>

namespace {

auto describe(mars::plan const& plan) {
  std::string text;
  for (auto const& s : plan.mapping.sets)
    text += fmt::format("{}{}x {}", text.empty() ? "" : " + ", s.accelerators.size(), s.design);
  return text;
}

/// The shardings that take most of the time.
auto main_shardings(mars::plan const& plan) {
  std::vector<std::pair<mars::picoseconds, std::string>> all;
  for (std::size_t v = 0; v < plan.operators.size(); ++v) {
    auto const& e = plan.evaluation.operators[v];
    auto const& name = plan.operators[v].sharding;
    auto const found =
        std::find_if(all.begin(), all.end(), [&](auto const& x) { return x.second == name; });
    if (found == all.end())
      all.emplace_back(e.end - e.start, name);
    else
      found->first += e.end - e.start;
  }
  std::stable_sort(all.begin(), all.end(),
                   [](auto const& a, auto const& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, all.size()); ++i)
    text += fmt::format("{}{} {:.0f} %", i > 0 ? ", " : "", all[i].second,
                        100 * (all[i].first / plan.evaluation.latency));
  return text;
}

} // namespace

int main() {
  constexpr std::array networks{"alexnet", "vgg16", "resnet34", "resnet101", "wrn50_2"};
  for (auto const vec : {8, 4}) {
    auto const system = mars::presets::aws_f1_16xlarge({.vec = vec});
    fmt::print("AWS F1, systolic vec = {}\n", vec);
    fmt::print("{:<10} {:>12} {:>12} {:>12} {:>7} {:>10}  mapping\n", "network", "baseline ms",
               "genetic ms", "optimum ms", "above", "reduction");
    double sum = 0;
    bool proven = true;
    for (auto const* name : networks) {
      auto const network = mars::zoo::find(name, {}).value();
      auto const baseline = mars::find_baseline(network, system).value();
      auto const plan = mars::mapper{}.with_start(baseline.mapping)(network, system);
      auto const best = mars::mapper{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                                     mars::search::exact{}}(network, system);
      proven = proven && best.exhausted;
      auto const reduction = 1 - plan.latency() / baseline.latency();
      sum += reduction;
      fmt::print("{:<10} {:>12.4f} {:>12.4f} {:>12.4f} {:>6.1f}% {:>9.1f}%  {}; {}\n", name,
                 baseline.latency().count() * 1e3, plan.latency().count() * 1e3,
                 best.latency().count() * 1e3, 100 * (plan.latency() / best.latency() - 1),
                 100 * reduction, describe(plan), main_shardings(plan));
      fmt::print("{:<10} baseline: {}; {}\n", "", describe(baseline), main_shardings(baseline));
    }
    fmt::print(
        "average reduction {:.1f} % (paper, its own baseline: 32.2 %); optima proven: {}\n\n",
        100 * sum / static_cast<double>(networks.size()), proven ? "all" : "not all");
  }
}
