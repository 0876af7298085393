// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The acceleration stack as one space: which compression, which algorithm and which code generation suit
// which network on which processor, and do these choices depend on each other?
#include <mars/compression.hpp>
#include <mars/compression/published_accuracy.hpp>
#include <mars/exploration.hpp>
#include <mars/hardware/presets/processor.hpp>
#include <mars/primitive.hpp>
#include <mars/zoo.hpp>

#include <fmt/format.h>

#include <string>
#include <vector>

using namespace mars;
namespace ex = mars::exploration;
using ex::axis_id;

int main() {
  // An axis is a list of types, with any number of values of each.
  std::vector<ex::network> networks;
  for (auto const* name : {"resnet18", "vgg16", "mobilenet_v1", "mobilenet_v2"})
    networks.push_back({name, zoo::find(name, {.element_bits = 32}).value()});
  std::vector<primitive::processor> processors;
  for (auto const& p : presets::processors()) processors.push_back(presets::processor_design(p));
  ex::stack const stack{
      ex::axis{networks},
      ex::axis{compression::none{},
               std::vector<compression::weight_pruning>{{.sparsity = 0.8}, {.sparsity = 0.9}},
               compression::channel_pruning{.keep = 0.5}, compression::int8{}},
      ex::axis{primitive::direct{}, primitive::im2col_gemm{}, primitive::winograd<4>{},
               primitive::csr_direct{}},
      ex::axis{ex::untuned{}, ex::tuned{}}, ex::axis{processors}};

  // Each legal cell is priced by what its design says of its primitive; a layer that the primitive does
  // not support runs on a fallback. Accuracy is looked up, never modelled.
  auto const study = ex::explore(stack, ex::listed_algorithms{},
                                 ex::fallbacks{primitive::direct{}, primitive::csr_direct{}},
                                 ex::tabulated_accuracy{compression::published_accuracies()})
                         .value();

  fmt::print("{} cells, {} legal\n", study.product(), study.cells.size());
  for (auto const& r : study.rejections)
    if (r.cells > 0) fmt::print("{} rejected: {}\n", r.cells, r.reason);

  fmt::print("\n{:<14} {:<18} {:>8} {:<36} {:>9}\n", "network", "processor", "ms", "fastest",
             "per layer");
  for (auto const& b : study.best) {
    if (b.compression != study.base[1] ||
        study.name_of(axis_id::code_generation, b.code_generation) != "tuned")
      continue;
    fmt::print("{:<14} {:<18} {:>8.3f} {:<36} {:>8.2f}x\n",
               study.name_of(axis_id::network, b.network), study.name_of(axis_id::design, b.design),
               b.uniform.count() * 1e3, study.name_of(axis_id::primitive, b.uniform_primitive),
               b.uniform / b.time);
  }

  auto const& variance = study.variance;
  bool const complete = variance.method == ex::variance_method::orthogonal;
  fmt::print("\nshare of the variance of ln time, n = {} cells{}; {} legal cells excluded\n",
             variance.cells,
             complete ? " of a complete block: shares add up"
                      : " with holes: what the fit loses without an axis, shares need not add up",
             variance.excluded);
  for (auto const& v : study.variance.shares) {
    if (v.share < 0.005) continue;
    std::string who;
    for (auto const a : v.axes)
      who += (who.empty() ? "" : " x ") + study.axes[static_cast<std::size_t>(a)].name;
    fmt::print("{:>6.1f} %  {}\n", 100 * v.share, who);
  }

  fmt::print("\nfindings\n");
  for (auto const& f : study.findings)
    fmt::print("{}: {}\n  {}\n",
               f.result == ex::verdict::holds           ? "holds"
               : f.result == ex::verdict::does_not_hold ? "does not hold"
                                                        : "cannot be said",
               f.claim, f.evidence);
}
