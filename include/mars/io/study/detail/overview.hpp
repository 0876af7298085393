// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/report/detail/page.hpp>
#include <mars/io/report/detail/text.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

// The head of a study's page: what was asked, what came out, and what of the product could not be.

namespace mars::io::detail {

[[nodiscard]] inline auto study_title(exploration::study const& s) -> std::string {
  std::string out;
  for (auto const& a : s.axes)
    out += fmt::format("{}{} {}{}", out.empty() ? "" : " × ", a.elements.size(), html_text(a.name),
                       a.elements.size() == 1 ? "" : "s");
  return out;
}

[[nodiscard]] inline auto study_tiles(exploration::study const& s) -> std::string {
  auto const product = static_cast<double>(std::max<std::size_t>(s.product(), 1));
  std::string out = "<section class=\"tiles\">\n";
  out += tile("legal cells", count_text(s.cells.size()),
              "of " + count_text(s.product()) + ", " +
                  percent_text(static_cast<double>(s.cells.size()) / product));
  auto const reasons = std::count_if(s.rejections.begin(), s.rejections.end(),
                                     [](auto const& r) { return r.cells > 0; });
  out += tile("rejected cells", count_text(s.rejected.size()),
              reasons == 0 ? std::string{"none"}
                           : fmt::format("for {} reason{}", reasons, reasons == 1 ? "" : "s"));
  out += tile("questions to the model", count_text(s.questions),
              count_text(s.operators) + " distinct operators");
  auto const measured = std::count_if(s.cells.begin(), s.cells.end(),
                                      [](auto const& c) { return c.run.has_value(); });
  out += tile("measured cells", count_text(static_cast<std::uint64_t>(measured)),
              measured == 0 ? std::string{"all times are modelled"}
                            : std::string{"a real run beside the model"});
  auto const known = std::count_if(s.cells.begin(), s.cells.end(), [](auto const& c) {
    return c.accuracy.known != exploration::provenance::unknown;
  });
  out += tile("with known accuracy", count_text(static_cast<std::uint64_t>(known)),
              "tabulated, never modelled");
  if (s.flip_candidates > 0)
    out += tile("flips by tuning", count_text(s.flips.size()),
                "of " + count_text(s.flip_candidates) + " choices of a primitive");
  return out + "</section>\n";
}

[[nodiscard]] inline auto findings_card(exploration::study const& s) -> std::string {
  if (s.findings.empty()) return {};
  struct look {
    std::string_view style, sign, says;
  };
  // Evidence is clauses: one below the other.
  auto const clauses = [](std::string_view text) {
    std::string list;
    while (!text.empty()) {
      auto const end = text.find("; ");
      list += "<li>" + html_text(text.substr(0, end)) + "</li>";
      text = end == text.npos ? std::string_view{} : text.substr(end + 2);
    }
    return list;
  };
  std::string out =
      "<section class=\"findings\" aria-label=\"What the study says of published claims\">\n";
  for (auto const& f : s.findings) {
    auto const l = f.result == exploration::verdict::holds ? look{"holds", "✓", "holds here"}
                   : f.result == exploration::verdict::does_not_hold
                       ? look{"fails", "✗", "does not hold here"}
                       : look{"open", "?", "cannot be said"};
    out += fmt::format("<article class=\"finding {}\"><h2><i aria-hidden=\"true\">{}</i>{}</h2>"
                       "<p>{}</p><ul>{}</ul></article>\n",
                       l.style, l.sign, l.says, html_text(f.claim), clauses(f.evidence));
  }
  return out + "</section>\n";
}

/// The product, cell by cell, as one bar; the reasons below it.
[[nodiscard]] inline auto legality_card(exploration::study const& s) -> std::string {
  auto const product = static_cast<double>(std::max<std::size_t>(s.product(), 1));
  auto const share = [&](std::size_t n) { return static_cast<double>(n) / product; };
  std::string bar = "<div class=\"track tall\">";
  bar +=
      fmt::format("<i class=\"legal\" style=\"width:{:.3f}%\"></i>", 100 * share(s.cells.size()));
  std::size_t const no_first = 1; // the first colour is that of what is legal
  for (std::size_t i = 0; i < s.rejections.size(); ++i)
    bar += fmt::format("<i class=\"{} part\" style=\"width:{:.3f}%\"></i>",
                       colour_class(i + no_first), 100 * share(s.rejections[i].cells));
  bar += "</div>\n";
  std::string idle; // relations that reject nothing
  std::string rows = fmt::format(
      "<table><thead><tr><th>cells</th><th>relation</th><th class=\"num\">number</th><th "
      "class=\"num\">share</th></tr></thead><tbody>\n<tr><td><i class=\"swatch legal\"></i>"
      "legal</td><td></td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
      count_text(s.cells.size()), percent_text(share(s.cells.size())));
  for (std::size_t i = 0; i < s.rejections.size(); ++i) {
    auto const& r = s.rejections[i];
    if (r.cells == 0) {
      idle += (idle.empty() ? "" : ", ") + ("<code>" + html_text(r.relation) + "</code>");
      continue;
    }
    rows += fmt::format("<tr><td class=\"name\"><i class=\"swatch part {}\"></i>{}</td><td><code>{}"
                        "</code></td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
                        colour_class(i + no_first), html_text(r.reason), html_text(r.relation),
                        count_text(r.cells), percent_text(share(r.cells)));
  }
  rows += fmt::format("<tr class=\"sum\"><td>the whole product</td><td></td><td class=\"num\">{}"
                      "</td><td class=\"num\">100 %</td></tr></tbody></table>\n",
                      count_text(s.product()));
  return study_card(
      "legality", "What can be", "cells of the product, by first failing relation", "",
      "A cell is one element of each axis. What cannot be is counted under the first "
      "relation that fails; legal and rejected cells add up to the product.",
      bar + rows +
          (idle.empty() ? std::string{}
                        : "<p class=\"see\">Asked, too, and always true: " + idle + "</p>\n"));
}

[[nodiscard]] inline auto axes_card(exploration::study const& s) -> std::string {
  std::string out = "<section class=\"card\"><details><summary>What was combined<small>elements of "
                    "the axes</small></summary>\n<dl class=\"axes\">\n";
  for (auto const& a : s.axes) {
    out += fmt::format("<dt>{}</dt><dd><ul>", html_text(a.name));
    for (auto const& e : a.elements)
      out += fmt::format("<li><b>{}</b>{}{}</li>", html_text(e.name), e.note.empty() ? "" : " – ",
                         html_text(e.note));
    out += "</ul></dd>\n";
  }
  return out + "</dl></details></section>\n";
}

[[nodiscard]] inline auto study_notes_card(exploration::study const& s) -> std::string {
  std::vector<std::string> lines{
      s.timing_is_measured
          ? "Times are the cost model's; where an operator was run on the machine at hand, the run "
            "stands beside the model and never in its place."
          : "All times are those of a cost model, none was measured.",
      "Accuracies are taken from tables with their source or are unknown; they are never modelled. "
      "A figure may be compared with the reference of its own source only.",
      "Bytes of a model are those the primitive keeps: indices of sparse weights and scales of "
      "integers are in. Executed MACs count padding and rounding up and leave out zeros that a "
      "sparse primitive skips.",
      "Operators that a primitive does not support run another one; a cell says which share of its "
      "MACs does.",
      "÷2 is half of the time, ×2 is twice as long."};
  std::string out = "<section class=\"card notes\"><h2>What this shows, and what not</h2><ul>\n";
  for (auto const& l : lines) out += "<li>" + l + "</li>\n";
  return out + "</ul></section>\n";
}

} // namespace mars::io::detail
