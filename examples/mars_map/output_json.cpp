// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "output.hpp"

#include <mars/io/files.hpp>
#include <mars/io/json/checkpoint.hpp>
#include <mars/io/json/result.hpp>

namespace mars_map {

auto json_text(options const& o, workload const& w, mars::any_system const& system,
               outcome const& answer) -> std::string {
  auto const* baseline = answer.baseline ? &*answer.baseline : nullptr;
  auto warnings = w.warnings;
  if (baseline == nullptr)
    warnings.push_back(std::string{"no baseline: "} + answer.no_baseline);
  else if (!baseline->feasible())
    warnings.push_back("the baseline does not fit");
  if (answer.baseline_cut_short)
    warnings.push_back("the baseline was cut short: it may be better than it is shown");
  return mars::io::write_json(mars::io::result_to_json(w.graph, system, answer.plan,
                                                       {.baseline = baseline,
                                                        .seed = o.seed,
                                                        .warnings = std::move(warnings),
                                                        .simulation = answer.simulation,
                                                        .streams = answer.streams,
                                                        .compression = answer.compression}));
}

auto keep_checkpoint(options const& o, mars::checkpoint const& c) -> mars::expected<void> {
  auto const document = mars::io::checkpoint_to_json(
      {.search = std::string{name_of(o.search)}, .seed = o.seed, .checkpoint = c});
  return mars::io::write_file(o.checkpoint, mars::io::write_json(document));
}

} // namespace mars_map
