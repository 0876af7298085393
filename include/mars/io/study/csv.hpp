// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

namespace mars::io {

namespace detail {

/// In quotes where a reader would take it apart.
[[nodiscard]] inline auto csv_field(std::string_view text) -> std::string {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string out{'"'};
  for (char const c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}
/// Empty where unknown.
[[nodiscard]] inline auto csv_number(double x) -> std::string {
  return std::isfinite(x) ? fmt::format("{}", x) : std::string{};
}

} // namespace detail

/// One row a legal cell, in index order. An empty field is unknown or not run.
[[nodiscard]] inline auto study_csv(exploration::study const& s) -> std::string {
  std::string out =
      "network,compression,primitive,code_generation,design,time_s,reorders_s,weights_bytes,"
      "workspace_bytes,valid_macs,executed_macs,fallback_share,energy_j,accuracy,"
      "accuracy_reference,accuracy_provenance,accuracy_source,accuracy_setting,measured_s,"
      "modelled_of_measured_s,measured_share,log_ratio\n";
  for (auto const& c : s.cells) {
    for (auto const a : exploration::all_axes) out += detail::csv_field(s.name_of(c.at, a)) + ",";
    out += fmt::format("{},{},{},{},{},{},{},{},", c.time.count(), c.reorders.count(),
                       c.weights.count(), c.workspace.count(), c.valid.count(), c.executed,
                       c.fallback, detail::csv_number(c.energy.count()));
    if (c.accuracy.known == exploration::provenance::unknown)
      out += ",,unknown,,,";
    else
      out +=
          fmt::format("{},{},{},{},{},", c.accuracy.top1, c.accuracy.reference,
                      exploration::word_of(c.accuracy.known), detail::csv_field(c.accuracy.source),
                      detail::csv_field(c.accuracy.setting));
    if (c.run)
      out += fmt::format("{},{},{},{}\n", c.run->measured.count(), c.run->modelled.count(),
                         c.run->share, c.run->log_ratio);
    else
      out += ",,,\n";
  }
  return out;
}

/// Rejected cells by the relation that they fail first.
[[nodiscard]] inline auto rejections_csv(exploration::study const& s) -> std::string {
  std::string out = "relation,cells,reason\n";
  for (auto const& r : s.rejections)
    out += fmt::format("{},{},{}\n", detail::csv_field(r.relation), r.cells,
                       detail::csv_field(r.reason));
  return out;
}

} // namespace mars::io
