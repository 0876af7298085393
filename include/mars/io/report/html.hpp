// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/charts.hpp>
#include <mars/io/report/detail/gantt.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/report/detail/memory_chart.hpp>
#include <mars/io/report/detail/page.hpp>
#include <mars/io/report/detail/page_data.hpp>
#include <mars/io/report/detail/script.hpp>
#include <mars/io/report/detail/script_time_line.hpp>
#include <mars/io/report/detail/style.hpp>
#include <mars/io/report/detail/text.hpp>
#include <mars/io/report/detail/topology.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mars::io {

namespace detail {

[[nodiscard]] inline auto tiles(report_data const& r) -> std::string {
  std::string out = "<section class=\"tiles\">\n";
  bool const energy = r.value_unit != "s";
  out += tile("latency", time_text(r.latency_s),
              r.feasible ? "of one inference" : "if it could run", r.feasible ? "" : "bad");
  if (auto const reduction = r.reduction()) {
    bool const shorter = *reduction > -0.0005; // what is printed as 0.0 % is not longer
    out += tile(shorter ? "reduction" : "longer than the baseline",
                percent_text(shorter ? std::max(0.0, *reduction) : -*reduction),
                std::string{"against the baseline's "} + time_text(*r.baseline_latency_s),
                !shorter              ? "bad"
                : *reduction > 0.0005 ? "good"
                                      : "");
  } else {
    out +=
        tile("reduction", "–",
             r.baseline_latency_s ? "this mapping cannot run" : "no feasible baseline to compare");
  }
  if (r.lower_bound > 0) {
    out += tile("lower bound", quantity_text(r.lower_bound, r.value_unit),
                (r.objective == "throughput" ? std::string{"of the busiest set's time"}
                                             : std::string{"of the "} + r.objective) +
                    std::string{"; binding: "} + r.bound_name);
    bool const proven = r.feasible && r.gap <= 0;
    bool const of_placement = r.semantics == semantics::streamed;
    out +=
        tile("gap to the bound", r.feasible ? percent_text(r.gap) : "–",
             !r.feasible ? "nothing feasible was found"
             : proven ? of_placement ? "optimal for this placement" : "optimal among the candidates"
             : r.exhausted  ? "all candidates were tried"
             : of_placement ? "no streams can be better by more"
                            : "no candidate can be better by more",
             proven ? "good" : "");
  } else {
    out += tile("lower bound", "–", "none was computed");
  }
  if (energy || r.energy_j)
    out += tile("energy", r.energy_j ? quantity_text(*r.energy_j, "J") : "–", "of one inference");
  bool const flows = r.feasible && r.bottleneck_s > 0;
  out += tile("throughput", flows ? number_text(1 / r.bottleneck_s) + " /s" : "–",
              (r.is_scheduled() ? std::string{"pipelined, busiest accelerator "}
                                : std::string{"pipelined, busiest set "}) +
                  time_text(r.bottleneck_s));
  bool const searched = !r.policy.empty() && r.policy != "none";
  auto below = count_text(r.evaluations) +
               (r.evaluations == 1 ? " evaluation in " : " evaluations in ") + time_text(r.wall_s);
  if (r.seed) below += std::string{", seed "} + std::to_string(*r.seed);
  out += tile("search", searched ? r.policy : "none", searched ? below : "the mapping was given");
  return out + "</section>\n";
}

[[nodiscard]] inline auto gantt_card(report_data const& r) -> std::string {
  auto out = fmt::format(
      "<section class=\"card\"><div class=\"head\"><h2>Time line<small>one inference</small></h2>"
      "<div class=\"tools\"><span id=\"window\"></span>{}<button id=\"zoom-out\" "
      "aria-label=\"Zoom out\">−</button><button id=\"zoom-in\" aria-label=\"Zoom in\">+</button>"
      "<button id=\"zoom-all\">whole</button></div></div>\n",
      r.is_scheduled() ? "<button id=\"critical\" aria-pressed=\"false\">critical path</button>"
                       : "");
  out += gantt_svg(r);
  out += "<ul class=\"legend\">";
  std::array<bool, cause_count> occurs{};
  for (auto const& o : r.operators) {
    auto const parts = causes_in_order(o.time);
    for (std::size_t c = 0; c < parts.size(); ++c) occurs[c] = occurs[c] || parts[c] > 0;
  }
  for (std::size_t c = 0; c < occurs.size(); ++c)
    if (occurs[c])
      out += fmt::format("<li><i class=\"swatch c{}\"></i>{}</li>", c, cause_name(c, r.semantics));
  if (is_overlapped(r.semantics) && !r.transfers.empty())
    out += "<li><svg viewBox=\"0 0 26 10\"><path style=\"stroke:var(--c1)\" stroke-width=\"3\" "
           "d=\"M0 5H26\"/></svg>tensors arriving</li>";
  std::string idle;
  auto const set = sets_by_accelerator(r);
  std::size_t unused = 0;
  for (std::size_t a = 0; a < set.size(); ++a)
    if (!set[a] && ++unused <= 8) idle += (idle.empty() ? "" : ", ") + r.accelerators[a].name;
  if (unused > 0)
    out += fmt::format("<li>not used: {}{}</li>", html_text(idle), unused > 8 ? ", …" : "");
  return out + "</ul>\n<p class=\"hint\">Wheel or drag to zoom, shift and drag to move, double "
               "click for the whole. With the keyboard: + − 0, arrows to step and to change the "
               "row, shift and arrows to move.</p></section>\n";
}

/// What accelerators do with their time, of those that are used.
[[nodiscard]] inline auto idle_card(report_data const& r) -> std::string {
  if (!r.is_scheduled() || r.gaps.empty() || !std::isfinite(r.latency_s)) return {};
  constexpr std::size_t most = 24;
  constexpr std::size_t causes = 6;
  std::vector<std::array<double, causes>> rest(r.accelerators.size());
  for (auto const& g : r.gaps)
    rest[g.accelerator][static_cast<std::size_t>(g.cause)] += g.end_s - g.start_s;
  std::string out =
      "<section class=\"card\"><h2>Waiting<small>share of the latency</small></h2>\n<table><thead>"
      "<tr><th>accelerator</th><th class=\"num\">busy</th><th class=\"num\">results</th><th "
      "class=\"num\">transfers</th><th class=\"num\">others</th><th class=\"num\">done</th></tr>"
      "</thead><tbody>\n";
  auto const groups = lane_groups(r);
  std::size_t shown = 0;
  for (auto const& g : groups) {
    if (++shown > most) break;
    auto const& of = rest[g.accelerators.front()];
    double sum = 0;
    for (auto const s : of) sum += s;
    auto const cell = [&](double s) {
      return fmt::format("<td class=\"num\">{}</td>", percent_text(s / r.latency_s));
    };
    auto const at = [&](wait_cause c) { return of[static_cast<std::size_t>(c)]; };
    out += fmt::format("<tr><td class=\"name\">{}</td>",
                       html_text(accelerators_text(r, g.accelerators))) +
           cell(std::max(0.0, r.latency_s - sum)) + cell(at(wait_cause::result)) +
           cell(at(wait_cause::transfer)) +
           cell(at(wait_cause::accelerator) + at(wait_cause::turn) + at(wait_cause::unexplained)) +
           cell(at(wait_cause::nothing)) + "</tr>\n";
  }
  out += "</tbody></table>\n";
  if (groups.size() > most)
    out += fmt::format("<p class=\"legend\">… and {} more.</p>\n", groups.size() - most);
  return out + "<p class=\"legend\">Until another operator is ready; until what it computed has "
               "come; until the other accelerators of a set are free; nothing left to "
               "do.</p></section>\n";
}

[[nodiscard]] inline auto busiest_links_card(report_data const& r) -> std::string {
  constexpr std::size_t most = 10;
  std::vector<report_link const*> links;
  for (auto const& l : r.links)
    if (l.bytes > 0) links.push_back(&l);
  std::stable_sort(links.begin(), links.end(),
                   [](auto const* a, auto const* b) { return a->busy_s > b->busy_s; });
  std::string out =
      "<section class=\"card\"><h2>Busiest links<small>over one inference</small></h2>\n";
  if (links.empty()) return out + "<p class=\"muted\">Nothing is sent over links.</p></section>\n";
  out +=
      "<table><thead><tr><th>link</th><th class=\"num\">bandwidth</th><th class=\"num\">bytes</th>"
      "<th class=\"num\">busy</th><th class=\"num\">of latency</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(most, links.size()); ++i) {
    auto const& l = *links[i];
    out += fmt::format(
        "<tr><td class=\"name\">{} → {}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
        html_text(r.nodes[l.from].name), html_text(r.nodes[l.to].name),
        quantity_text(l.bandwidth_bytes_per_s, "B/s"), bytes_text(l.bytes), time_text(l.busy_s),
        percent_text(l.busy_s / r.latency_s));
  }
  out += "</tbody></table>\n";
  if (links.size() > most)
    out += fmt::format("<p class=\"legend\">{} more links carry something.</p>\n",
                       links.size() - most);
  return out + "</section>\n";
}

[[nodiscard]] inline auto operators_card(report_data const& r) -> std::string {
  auto out = fmt::format(
      "<section class=\"card\"><details{}><summary>Operators<small>{}, in the order they "
      "{}</small>"
      "</summary>\n<div class=\"scroll\"><table class=\"sortable\"><thead><tr><th "
      "class=\"num\">#</th>"
      "<th>operator</th><th>kind</th><th class=\"num\">set</th><th>sharding</th>"
      "<th class=\"num\">start</th><th class=\"num\">takes</th><th class=\"num\">computation</th>"
      "<th class=\"num\">communication</th><th class=\"num\">of latency</th>{}</tr></thead>"
      "<tbody>\n",
      r.operators.size() <= 40 ? " open" : "", count_text(r.operators.size()),
      r.is_scheduled() ? "are launched" : "run", r.is_scheduled() ? "<th>waits for</th>" : "");
  auto const cell = [](double s) {
    return fmt::format("<td class=\"num\" data-v=\"{:.12f}\">{}</td>", std::isfinite(s) ? s : 1e99,
                       time_text(s));
  };
  std::size_t number = 0;
  for (auto const& o : r.operators) {
    auto const total = o.time.compute_s + o.time.communication_s();
    auto const share = total / r.latency_s;
    out += fmt::format("<tr{}><td class=\"num\">{}</td><td class=\"name\">{}</td><td>{}</td><td "
                       "class=\"num\" data-v=\"{}\"><i class=\"swatch {}\"></i>{}</td><td>{}</td>",
                       r.is_scheduled() && o.critical ? " class=\"critical\"" : "", number++,
                       html_text(o.name), html_text(o.kind), o.set, set_class(o.set), o.set,
                       html_text(o.sharding));
    out += cell(o.start_s) + cell(total) + cell(o.time.compute_s) + cell(o.time.communication_s());
    out += fmt::format("<td class=\"num\" data-v=\"{:.9f}\">{}</td>",
                       std::isfinite(share) ? share : 0.0, percent_text(share));
    if (r.is_scheduled())
      out += fmt::format("<td>{}</td>", html_text(wait_text(r, o.wait, o.wait_on)));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></details></section>\n";
}

[[nodiscard]] inline auto assumptions_card(semantics how) -> std::string {
  bool const sequential = how == semantics::sequential;
  std::vector<std::string_view> const lines{
      sequential ? "Operators run one after another in topological order, each after its inputs "
                   "have moved; transfers do not overlap with other operators."
      : how == semantics::streamed
          ? "An operator starts when its inputs have come and its stream is free on all "
            "accelerators "
            "of its set; streams of one accelerator share its multiprocessors and its memory's "
            "bandwidth, so that an operator's time depends on what runs beside it. Transfers lie "
            "between operators and do not slow each other down."
      : how == semantics::overlapped
          ? "An operator starts when its inputs have come and all accelerators of its set are "
            "free; operators on different accelerators run at the same time. Transfers lie between "
            "operators and do not slow each other down."
          : "An operator starts when its producers have ended and all accelerators of its set are "
            "free; operators on different accelerators run at the same time. It loads its inputs "
            "and streamed weights from the host and stores its results there as part of its time, "
            "but for what the operator before it left on the accelerator.",
      "Times are those of the models that priced the mapping, not measurements. An operator takes "
      "as long as its slowest shard, so the accelerators of a set show the same bars.",
      "Bars narrower than a pixel are merged and take the colour of the largest share; zoom in to "
      "see them. Waiting for rotating parts is drawn in one piece after the computation it "
      "interleaves with.",
      "Link loads count bytes: redistributions along the routes of the interconnect, directly or "
      "gathered among the receivers, whichever keeps the busiest link shorter; exchanges inside "
      "operators as steps of a ring, whatever algorithm priced them. Messages' latencies are left "
      "out.",
      how == semantics::staged
          ? "Memory holds resident weights, results until their last reader ends, and buffers of "
            "the operator at hand, all of its inputs among them."
      : sequential
          ? "Memory holds the weights, live activations and the buffers of the operator at hand. "
            "Loading the weights, fetching the network's input and returning its result are not "
            "part of an inference."
          : "Memory holds the weights, results until their last reader ends, and buffers of "
            "operators while they run. Loading resident weights, fetching the network's input and "
            "returning its result are not part of an inference.",
      how == semantics::streamed
          ? "The lower bound holds for all streams and launch orders of this placement, for these "
            "models."
          : "The lower bound holds among the candidate sets and shardings of the search, for these "
            "models."};
  std::string out = "<section class=\"card notes\"><h2>What this shows, and what not</h2><ul>\n";
  for (auto const l : lines) out += std::string{"<li>"} + std::string{l} + "</li>\n";
  if (!sequential)
    out += "<li>The critical path goes back from the operator that ends last to what each start "
           "waited for: a result, its transfer, or an accelerator, whichever came last.</li>\n";
  return out + "</ul></section>\n";
}

} // namespace detail

/// One page: headline figures, time line and memory over time, system with link loads, latency by
/// cause, convergence, operators, assumptions. It loads nothing else and follows the reader's light or
/// dark setting; scripts add tooltips, sorting, zoom and the critical path's highlight. Equal data, equal bytes.
/// Precondition: indices in `r` name existing sets, accelerators and nodes.
[[nodiscard]] inline auto report_html(report_data const& r) -> std::string {
  auto const workload = detail::html_text(r.workload);
  auto const system = detail::html_text(r.system);
  std::string out =
      detail::page_head(workload + " → " + system, detail::report_style) +
      fmt::format("<header><h1>{}<span class=\"to\">→</span>{}</h1>\n"
                  "<p>{} operators on {} accelerators in {} set{}, mapped for {}</p></header>\n",
                  workload, system, detail::count_text(r.operators.size()), r.accelerators.size(),
                  r.sets.size(), r.sets.size() == 1 ? "" : "s", detail::html_text(r.objective));
  out += detail::note("bad", "This mapping cannot run", r.shortages);
  out += detail::note("warn", "Warnings", r.warnings);
  out += detail::tiles(r);
  out += detail::gantt_card(r);
  out += detail::memory_over_time_card(r);
  out += "<div class=\"pair\"><div class=\"stack\">";
  out += detail::topology_card(r) + detail::memory_card(r);
  out += "</div><div class=\"stack\">";
  out += detail::causes_card(r) + detail::idle_card(r) + detail::busiest_links_card(r);
  out += "</div></div>\n";
  out += detail::convergence_card(r);
  out += detail::operators_card(r);
  out += detail::assumptions_card(r.semantics);
  out += std::string{"</main>\n<script type=\"application/json\" id=\"mars-data\">"} +
         detail::page_data(r) + std::string{"</script>\n<script>"} +
         std::string{detail::report_script} + std::string{detail::time_line_script} +
         "</script>\n</body>\n</html>\n";
  return out;
}

} // namespace mars::io
