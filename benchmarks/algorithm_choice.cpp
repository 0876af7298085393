// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What choosing an algorithm per operator gains on one processor: the proven optimum, reorders included,
// against one algorithm for the whole network (direct where it cannot run), and against the fastest
// algorithm of each operator by itself, which pays for the reorders that it did not think of. Then
// with a compression of the whole network that somebody published, and with one for each operator.
//
//   algorithm_choice [SYSTEM...]      default: the processors among the presets

#include <mars/compressed_mapper.hpp>
#include <mars/compression.hpp>
#include <mars/compression/published_accuracy.hpp>
#include <mars/hardware/presets.hpp>
#include <mars/mars.hpp>
#include <mars/zoo/registry.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// One algorithm for all layers that it can run; the others, and all else, as they like.
struct one_algorithm {
  std::string name;

  template <mars::AcceleratorDesign D>
  [[nodiscard]] auto operator()(mars::shard const& s, D const& design) const -> mars::shard_cost {
    return mars::cost::analytical{}(s, design);
  }
  template <mars::AlgorithmicDesign D>
  [[nodiscard]] auto algorithms(mars::shard const& s, D const& design) const
      -> std::vector<mars::algorithm_cost> {
    auto all = mars::cost::analytical{}.algorithms(s, design);
    for (auto const wanted : {std::string_view{name}, std::string_view{"direct"}}) {
      auto const is_other = [&](auto const& a) { return a.how.name != wanted; };
      if (std::all_of(all.begin(), all.end(), is_other)) continue;
      std::erase_if(all, is_other);
      break;
    }
    return all;
  }
};

template <class Cost>
[[nodiscard]] auto exact_plan(mars::graph const& g, mars::any_system const& s, Cost cost)
    -> mars::plan {
  return mars::mapper{std::move(cost), mars::parallel::whole{}, mars::search::exact{}}(g, s);
}

/// Every operator's fastest algorithm, whatever it reads and writes.
[[nodiscard]] auto greedy(mars::graph const& g, mars::any_system const& s) -> mars::plan {
  mars::mapper const map{mars::cost::analytical{}, mars::parallel::whole{}};
  auto m = map(g, s).mapping;
  auto const& design = s.accelerators[0].designs().front();
  for (mars::operator_id const v : operators(g)) {
    auto const all = design.algorithms(mars::shard{op(g, v)});
    auto const best = std::min_element(all.begin(), all.end(), [](auto const& a, auto const& b) {
      return a.time.total < b.time.total;
    });
    m.operators[v.index()].format.clear();
    m.operators[v.index()].algorithm = best == all.end() ? std::string{} : std::string{best->name};
  }
  return map.price(g, s, std::move(m)).value();
}

[[nodiscard]] auto milliseconds(mars::plan const& p) -> double {
  return p.feasible() ? 1e3 * p.latency().count() : -1;
}

} // namespace

auto main(int argc, char** argv) -> int {
  std::vector<std::string> systems(argv + 1, argv + argc);
  if (systems.empty())
    systems = {"zen5_core", "core_i7_8700_core", "hikey_970_core", "hikey_970_gpu",
               "jetson_agx_xavier"};
  constexpr char const* networks[] = {"resnet18",       "resnet50",     "vgg16",
                                      "mobilenet_v1",   "mobilenet_v2", "densenet161",
                                      "efficientnet_b0"};
  std::vector<mars::any_compression> const compressions{
      mars::compression::none{}, mars::compression::bfloat16{}, mars::compression::int8{}};
  auto const points = mars::compression::published_accuracies();
  std::puts("fp32, batch 1, ms; gap: of best; single: the best one algorithm; fastest: of each "
            "operator by itself");
  std::printf("%-18s %-16s %9s %6s %9s %-14s %6s %9s %6s %9s %-9s %9s\n", "system", "network",
              "best", "gap", "single", "", "gain", "fastest", "gain", "published", "", "mixed*");
  for (auto const& name : systems) {
    auto const system = mars::presets::find(name);
    if (!system) {
      std::fprintf(stderr, "no system %s\n", name.c_str());
      return 2;
    }
    for (auto const* network : networks) {
      auto const g = mars::zoo::find(network, {.element_bits = 32}).value();
      auto const best = exact_plan(g, *system, mars::cost::analytical{});
      double single = -1;
      std::string which;
      for (auto const* one :
           {"direct", "im2col_gemm", "spatial_pack", "winograd_f2x3", "winograd_f4x3"}) {
        auto const t = milliseconds(exact_plan(g, *system, one_algorithm{one}));
        if (t < 0 || (single >= 0 && t >= single)) continue;
        single = t;
        which = one;
      }
      mars::mapper const map{mars::cost::analytical{}, mars::parallel::whole{},
                             mars::search::exact{}};
      auto const published = find_compressed(map, g, *system, compressions,
                                             {.network = network, .most_loss = 1, .points = points})
                                 .value();
      auto const mixed = find_mixed_of_unknown_accuracy(map, g, *system, compressions).value();
      auto const t = milliseconds(best);
      auto const quick = milliseconds(greedy(g, *system));
      std::printf("%-18s %-16s %9.3f %5.1f%% %9.3f %-14s %5.2fx %9.3f %5.2fx %9.3f %-9s %9.3f\n",
                  name.c_str(), network, t, 100 * best.gap(), single, which.c_str(), single / t,
                  quick, quick / t, milliseconds(published.plan), published.compression.c_str(),
                  milliseconds(mixed.plan));
    }
  }
  std::puts("* a compression for each operator: accuracy unknown. published: at most 1 point of "
            "top-1 lost in one source");
  return 0;
}
