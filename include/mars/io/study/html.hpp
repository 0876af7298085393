// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/exploration/study.hpp>
#include <mars/io/files.hpp>
#include <mars/io/report/detail/page.hpp>
#include <mars/io/report/detail/script.hpp>
#include <mars/io/report/detail/style.hpp>
#include <mars/io/study/detail/algorithms.hpp>
#include <mars/io/study/detail/chart.hpp>
#include <mars/io/study/detail/effects.hpp>
#include <mars/io/study/detail/heat_map.hpp>
#include <mars/io/study/detail/measured.hpp>
#include <mars/io/study/detail/overview.hpp>
#include <mars/io/study/detail/pareto.hpp>
#include <mars/io/study/detail/script.hpp>
#include <mars/io/study/detail/statistics.hpp>
#include <mars/io/study/detail/study_data.hpp>
#include <mars/io/study/detail/style.hpp>

#include <fmt/format.h>

#include <string>

namespace mars::io {

namespace detail {

/// Links to the cards that are there.
[[nodiscard]] inline auto contents(std::string const& cards) -> std::string {
  struct entry {
    std::string_view id, name;
  };
  std::string out = "<nav class=\"contents\" aria-label=\"On this page\">";
  for (auto const& e :
       {entry{"legality", "what can be"}, entry{"pareto", "Pareto fronts"},
        entry{"cells", "all cells"}, entry{"measured", "model and measurement"},
        entry{"variance", "what time depends on"}, entry{"moves", "single moves"},
        entry{"interactions", "interactions"}, entry{"correlation", "correlation"},
        entry{"compression", "compression by design"}, entry{"break-even", "break-even sparsity"},
        entry{"algorithms", "algorithms per operator"}, entry{"flips", "tuning"}})
    if (cards.find(fmt::format("<section class=\"card\" id=\"{}\">", e.id)) != cards.npos)
      out += fmt::format("<a href=\"#{}\">{}</a>", e.id, e.name);
  return out + "</nav>";
}

} // namespace detail

/// One page of a study: findings, what could not be, Pareto fronts, all cells, model against
/// measurement, effects and interactions, correlations, break-even sparsities, algorithms per operator.
/// It loads nothing else, reads without a script and follows the reader's light or dark setting; scripts
/// add tooltips, choosing, finding and sorting. Names may hold anything. Equal studies, equal bytes.
/// Precondition: coordinates and indices in `s` name existing elements and cells.
[[nodiscard]] inline auto study_html(exploration::study const& s) -> std::string {
  detail::algorithm_colours const colours{s};
  auto const title = detail::study_title(s);
  auto cards = detail::legality_card(s);
  cards += detail::pareto_card(s, colours);
  cards += detail::heat_map_card(s);
  cards += detail::measured_card(s, colours);
  cards += detail::variance_card(s);
  cards += detail::perturbation_card(s);
  cards += detail::interactions_card(s);
  cards += detail::correlation_card(s);
  cards += detail::compression_card(s);
  cards += detail::break_even_card(s, colours);
  cards += detail::algorithms_card(s, colours);
  cards += detail::flips_card(s, colours);
  cards += detail::axes_card(s);
  cards += detail::study_notes_card(s);
  return detail::page_head("A study of the acceleration stack",
                           std::string{detail::report_style} + std::string{detail::study_style}) +
         detail::mark_shapes_svg() + "<header><h1>A study of the acceleration stack</h1>\n<p>" +
         title + "</p>" + detail::contents(cards) + "</header>\n" + detail::findings_card(s) +
         detail::study_tiles(s) + cards +
         "</main>\n<script type=\"application/json\" id=\"mars-data\">" + detail::study_data(s) +
         "</script>\n<script>" + std::string{detail::report_script} +
         std::string{detail::study_script} + "</script>\n</body>\n</html>\n";
}

/// All of the page, or the file as it was (see `write_file`). Error: `io`.
[[nodiscard]] inline auto write_study_html(std::string const& path, exploration::study const& s)
    -> expected<void> {
  return write_file(path, study_html(s));
}

} // namespace mars::io
