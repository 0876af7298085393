// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "output.hpp"

#include <mars/io/dot.hpp>
#include <mars/io/report.hpp>

#include <filesystem>
#include <utility>

namespace mars_map {

void add_report(file_batch& files, options const& o, workload const& w,
                mars::any_system const& system, outcome const& answer, std::string mapping_json) {
  std::vector<mars::io::convergence_point> points;
  for (auto const& p : answer.convergence)
    points.push_back({.evaluations = p.evaluations,
                      .elapsed_s = p.elapsed.count(),
                      .best_s = to_seconds(p.best).count(),
                      .bound_s = to_seconds(p.bound).count()});
  auto report = mars::io::make_report(w.graph, system, answer.plan, answer.baseline,
                                      std::move(points), w.warnings);
  if (answer.plan.policy == "genetic") report.seed = o.seed;
  auto const in_folder = [&](char const* name) {
    return (std::filesystem::path{o.report} / name).string();
  };
  files.add(in_folder("report.html"), report_html(report));
  files.add(in_folder("trace.json"), trace_json(report));
  files.add(in_folder("mapping.json"), std::move(mapping_json));
  files.add(in_folder("graph.dot"), mars::io::to_dot(w.graph, answer.plan.mapping));
}

} // namespace mars_map
