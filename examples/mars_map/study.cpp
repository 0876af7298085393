// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "study.hpp"

#include "study_measure.hpp"
#include "study_stack.hpp"

#include <mars/compression/accuracy.hpp>
#include <mars/compression/published_accuracy.hpp>
#include <mars/core/files.hpp>
#include <mars/exploration/explore.hpp>
#include <mars/exploration/tabulated_accuracy.hpp>
#include <mars/io/study/csv.hpp>
#include <mars/io/study/html.hpp>
#include <mars/io/study/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

namespace mars_map {

namespace {

namespace exploration = mars::exploration;
using exploration::axis_id;
using exploration::cell;
using found_study = exploration::study;

[[nodiscard]] auto accuracies(study_options const& o)
    -> mars::expected<exploration::tabulated_accuracy> {
  if (o.accuracy.empty())
    return exploration::tabulated_accuracy{mars::compression::published_accuracies()};
  auto const text = mars::io::read_file(o.accuracy);
  if (!text) return mars::unexpected{text.error()};
  auto points = mars::compression::load_accuracy_points(*text);
  if (!points) return mars::unexpected{std::move(points).error().inside(o.accuracy)};
  return exploration::tabulated_accuracy{*std::move(points)};
}

[[nodiscard]] auto legality_text(found_study const& s) -> std::string {
  std::string text = "study of";
  for (std::size_t a = 0; a < s.axes.size(); ++a)
    text += fmt::format("{}{} {}{}", a == 0 ? " " : " x ", s.axes[a].elements.size(),
                        s.axes[a].name, s.axes[a].elements.size() == 1 ? "" : "s");
  text += fmt::format("\ncells {}: {} legal, {} rejected\n", s.product(), s.cells.size(),
                      s.rejected.size());
  for (auto const& r : s.rejections)
    if (r.cells > 0) text += fmt::format("  {:>6}  {} ({})\n", r.cells, r.reason, r.relation);
  return text;
}

[[nodiscard]] auto stack_text(found_study const& s, cell const* c) -> std::string {
  if (c == nullptr) return fmt::format("{:>10} {:<40}", "-", "");
  return fmt::format("{:>10.3f} {:<40}", c->time.count() * 1e3,
                     fmt::format("{}, {}, {}", s.name_of(c->at, axis_id::compression),
                                 s.name_of(c->at, axis_id::primitive),
                                 s.name_of(c->at, axis_id::code_generation)));
}

/// By network and design: the fastest cell whose accuracy is known, and the fastest of all.
[[nodiscard]] auto fastest_text(found_study const& s) -> std::string {
  auto text = fmt::format("\n{:<16} {:<18} {:<51} {:>6}  {}\n", "network", "hardware",
                          "ms, fastest of known accuracy", "top-1", "ms, fastest of all");
  auto const networks = s.elements(axis_id::network).size();
  auto const designs = s.elements(axis_id::design).size();
  for (std::size_t n = 0; n < networks; ++n)
    for (std::size_t d = 0; d < designs; ++d) {
      cell const* known = nullptr;
      cell const* any = nullptr;
      for (auto const& c : s.cells) {
        if (c.at[0] != n || c.at[4] != d) continue;
        if (any == nullptr || c.time < any->time) any = &c;
        if (c.accuracy.known != exploration::provenance::unknown &&
            (known == nullptr || c.time < known->time))
          known = &c;
      }
      if (any == nullptr) continue;
      text += fmt::format("{:<16} {:<18} {} {:>6}  {}\n", s.elements(axis_id::network)[n].name,
                          s.elements(axis_id::design)[d].name, stack_text(s, known),
                          known == nullptr ? std::string{"-"}
                                           : fmt::format("{:.2f}", known->accuracy.top1),
                          stack_text(s, any));
    }
  return text;
}

[[nodiscard]] auto findings_text(found_study const& s) -> std::string {
  std::string text = "\nfindings of DLAS, on these cells\n";
  for (auto const& f : s.findings) {
    constexpr std::string_view words[] = {"holds", "does not hold", "cannot be said"};
    text += fmt::format("  {}: {}\n    {}\n", words[static_cast<std::size_t>(f.result)], f.claim,
                        f.evidence);
  }
  return text;
}

} // namespace

auto study_stack_of(options const& o, mars::stop_token stop) -> mars::expected<study_outcome> {
  auto const accuracy = accuracies(o.study);
  if (!accuracy) return mars::unexpected{accuracy.error()};
  auto stack = make_stack(o);
  if (!stack) return mars::unexpected{stack.error()};
  std::shared_ptr<measured_machine const> machine;
  if (o.study.measure) {
    auto measured = measure_stack(o, *stack, stop);
    if (!measured) return mars::unexpected{std::move(measured).error()};
    machine = std::make_shared<measured_machine const>(*std::move(measured));
    stack = with_design(*std::move(stack), machine_design(machine->layers.on));
  }
  auto found = exploration::explore(
      *stack, study_cost{machine},
      exploration::fallbacks{mars::primitive::direct{}, mars::primitive::csr_direct{}}, *accuracy,
      study_times{machine});
  if (!found) return mars::unexpected{found.error()};
  found->fitted_to_runs = machine != nullptr;
  study_outcome answer;
  answer.report.text = legality_text(*found);
  if (machine != nullptr) answer.report.text += agreement_text(*machine);
  answer.report.text += fastest_text(*found) + findings_text(*found);
  answer.report.json = mars::io::study_json(*found);
  if (!o.report.empty())
    answer.files = {{"study.html", mars::io::study_html(*found)},
                    {"study.json", answer.report.json},
                    {"cells.csv", mars::io::study_csv(*found)},
                    {"rejections.csv", mars::io::rejections_csv(*found)}};
  return answer;
}

} // namespace mars_map
