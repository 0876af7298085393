// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mars-map: the library as a command. See --help.
//
//   options*.cpp  the command line          run.cpp       search, price, baseline; run_*.cpp
//   load*.cpp     files and names           print.cpp     the answer for a person
//   streams.cpp   operators of one GPU      schedulers.hpp
//   check.cpp     a given mapping           explain.cpp   why there is none
//   inspect.cpp   diff, explain             pase.cpp      PaSE's objective
//   export*.cpp   for other tools           study*.cpp    the acceleration stack
//   policies.hpp  run-time choice           output*.cpp   JSON, report, files
//   compress.cpp  compressions of the network
//
// One source file per heavy dependency: CLI11, nlohmann, protobuf and the mapper compile apart.
#include "check.hpp"
#include "compress.hpp"
#include "export.hpp"
#include "inspect.hpp"
#include "load.hpp"
#include "options.hpp"
#include "output.hpp"
#include "pase.hpp"
#include "print.hpp"
#include "progress.hpp"
#include "run.hpp"
#include "streams.hpp"
#include "study.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace mars_map {

namespace {

constexpr int mapped = 0;
constexpr int infeasible = 1;
constexpr int refused = 2;

void print_error(std::string message) {
  fmt::print(stderr, "mars-map: error: {}\n", one_line(std::move(message)));
}
[[nodiscard]] auto report_error(mars::error const& e) -> int {
  print_error(to_string(e));
  return e.code == mars::error_code::infeasible ? infeasible : refused;
}

/// Standard output may be a full disk or a closed pipe: what is not written is not called done.
[[nodiscard]] auto print_out(std::string const& text) -> bool {
  bool const done = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) == 0 && done) return true;
  print_error("standard output: cannot write");
  return false;
}

[[nodiscard]] auto answer(options const& o, workload const& w, mars::any_system const& system)
    -> mars::expected<outcome> {
  if (!o.mapping.empty()) {
    auto mapping = load_json_mapping(o.mapping, w.graph, system);
    if (!mapping) return mars::unexpected{std::move(mapping).error()};
    auto const verdict = check_mapping(w.graph, system, *mapping);
    auto const tell = [&](mars::error_code code, std::vector<std::string> const& lines) {
      auto const more = lines.size() - 1;
      return mars::fail(code, o.mapping, {}, {},
                        lines.front() + (more == 0 ? "" : fmt::format(" (and {} more)", more)));
    };
    if (!verdict.wrong.empty()) return tell(mars::error_code::invalid_mapping, verdict.wrong);
    if (!verdict.lacking.empty()) return tell(mars::error_code::infeasible, verdict.lacking);
    return price_mapping(o, w.graph, system, *std::move(mapping));
  }
  auto const stop = stop_on_interrupt();
  progress_line line{o.objective, !o.quiet};
  auto found = find_mapping(o, w.graph, system, stop, [&](mars::progress const& p) {
    line.show(p);
    return mars::verdict::proceed;
  });
  line.clear();
  if (found && !found->no_checkpoint.empty())
    fmt::print(stderr, "mars-map: no checkpoint: {}\n", one_line(found->no_checkpoint));
  if (stop.stop_requested()) fmt::print(stderr, "mars-map: interrupted, this is the best so far\n");
  return found;
}

[[nodiscard]] auto write_files(options const& o, workload const& w, mars::any_system const& system,
                               outcome const& found) -> mars::expected<std::string> {
  if (o.json.empty() && o.report.empty()) return std::string{};
  auto json = json_text(o, w, system, found);
  file_batch files;
  if (!o.json.empty() && !o.json_to_stdout()) files.add(o.json, json);
  if (!o.report.empty()) add_report(files, o, w, system, found, json);
  if (auto ok = files.write(); !ok) return mars::unexpected{std::move(ok).error()};
  return json;
}

[[nodiscard]] auto map(options o) -> int {
  // Where to write is looked at first: nobody wants to wait for a search that ends in nothing.
  if (!o.json.empty() && !o.json_to_stdout())
    if (auto ok = check_writable_file("--json", o.json); !ok) return report_error(ok.error());
  if (!o.report.empty())
    if (auto ok = check_writable_folder("--report", o.report); !ok) return report_error(ok.error());
  if (!o.checkpoint.empty())
    if (auto ok = check_writable_file("--checkpoint", o.checkpoint); !ok)
      return report_error(ok.error());
  auto w = load_workload(o);
  if (!w) return report_error(w.error());
  auto const system = load_system(o);
  if (!system) return report_error(system.error());
  if (auto ok = settle(o, *system); !ok) return report_error(ok.error());
  if (auto ok = check_streams(o, *system); !ok) return report_error(ok.error());
  auto const of = [&](options const& with, workload const& one) {
    return answer(with, one, *system);
  };
  auto found = o.compressions.empty() ? of(o, *w) : answer_compressed(o, *w, of);
  if (!found) return report_error(found.error());
  if (o.streams && found->plan.evaluation.latency < mars::never)
    if (auto ok = add_streams(o, w->graph, *system, stop_on_interrupt(), *found); !ok)
      return report_error(ok.error());
  if (o.simulate && found->plan.feasible()) {
    auto simulated = simulate_mapping(o, w->graph, *system, found->plan.mapping);
    if (!simulated) return report_error(simulated.error());
    found->simulation = *std::move(simulated);
  }
  auto const json = write_files(o, *w, *system, *found);
  if (!json) return report_error(json.error());
  if (o.json_to_stdout() && !print_out(*json)) return refused;
  if (found->plan.feasible()) {
    if (!o.quiet && !o.json_to_stdout() && !print_out(plan_text(o, *w, *system, *found)))
      return refused;
    return mapped;
  }
  fmt::print(stderr, "{}",
             explanation_text(*w, *system, found->plan, find_levers(o, *w, *system, found->plan)));
  return infeasible;
}

[[nodiscard]] auto tell(options const& o, report_text const& found) -> int {
  if (!o.json.empty() && !o.json_to_stdout()) {
    file_batch files;
    files.add(o.json, found.json);
    if (auto ok = files.write(); !ok) return report_error(ok.error());
  }
  if (o.json_to_stdout()) return print_out(found.json) ? mapped : refused;
  return o.quiet || print_out(found.text) ? mapped : refused;
}

[[nodiscard]] auto pase(options const& o) -> int {
  if (!o.json.empty() && !o.json_to_stdout())
    if (auto ok = check_writable_file("--json", o.json); !ok) return report_error(ok.error());
  auto const w = load_workload(o);
  if (!w) return report_error(w.error());
  auto const found = minimise_pase(o, *w, stop_on_interrupt());
  return found ? tell(o, *found) : report_error(found.error());
}

[[nodiscard]] auto streams(options const& o) -> int {
  auto const& ios = o.streams_command.ios_file;
  if (!o.json.empty() && !o.json_to_stdout())
    if (auto ok = check_writable_file("--json", o.json); !ok) return report_error(ok.error());
  if (!ios.empty())
    if (auto ok = check_writable_file("--ios-schedule", ios); !ok) return report_error(ok.error());
  auto const found = schedule_streams(o, stop_on_interrupt());
  if (!found) return report_error(found.error());
  if (!found->feasible) {
    fmt::print(stderr, "mars-map: {}", found->report.text);
    return infeasible;
  }
  file_batch files;
  if (!ios.empty()) files.add(ios, found->ios);
  if (auto ok = files.write(); !ok) return report_error(ok.error());
  return tell(o, found->report);
}

[[nodiscard]] auto explore_stack(options const& o) -> int {
  if (!o.json.empty() && !o.json_to_stdout())
    if (auto ok = check_writable_file("--json", o.json); !ok) return report_error(ok.error());
  if (!o.report.empty())
    if (auto ok = check_writable_folder("--report", o.report); !ok) return report_error(ok.error());
  auto const found = study_stack_of(o, stop_on_interrupt());
  if (!found) return report_error(found.error());
  file_batch files;
  for (auto const& [name, content] : found->files) files.add(o.report + "/" + name, content);
  if (auto ok = files.write(); !ok) return report_error(ok.error());
  return tell(o, found->report);
}

/// Subcommands that look at mappings.
template <class Inspect>
[[nodiscard]] auto inspect(options o, Inspect look) -> int {
  if (!o.json.empty() && !o.json_to_stdout())
    if (auto ok = check_writable_file("--json", o.json); !ok) return report_error(ok.error());
  if (auto ok = complete_from_mapping(o, o.files.front()); !ok) return report_error(ok.error());
  auto const w = load_compressed(o);
  if (!w) return report_error(w.error());
  auto const system = load_system(o);
  if (!system) return report_error(system.error());
  if (auto ok = settle(o, *system); !ok) return report_error(ok.error());
  auto const found = look(o, *w, *system);
  return found ? tell(o, *found) : report_error(found.error());
}

/// The subcommand `export`: files, and a note for each thing they do not say.
[[nodiscard]] auto export_files(options o) -> int {
  if (auto ok = check_writable_folder("--out", o.out); !ok) return report_error(ok.error());
  if (auto ok = complete_from_mapping(o, o.files.front()); !ok) return report_error(ok.error());
  auto const w = load_compressed(o);
  if (!w) return report_error(w.error());
  auto const system = load_system(o);
  if (!system) return report_error(system.error());
  auto const found = export_mapping(o, *w, *system);
  if (!found) return report_error(found.error());
  file_batch files;
  for (auto const& f : found->files) files.add(o.out + "/" + f.name, f.content);
  if (auto ok = files.write(); !ok) return report_error(ok.error());
  if (o.quiet) return mapped;
  for (auto const& sentence : found->not_expressed)
    fmt::print(stderr, "note: {}\n", one_line(sentence));
  std::string text;
  for (auto const& f : found->files) text += o.out + "/" + f.name + "\n";
  return print_out(text) ? mapped : refused;
}

[[nodiscard]] auto run(int argc, char const* const* argv) -> int {
  auto const c = parse_command_line(argc, argv);
  if (!c) return report_error(c.error());
  switch (c->what) {
  case command::kind::show: return print_out(c->text) ? mapped : refused;
  case command::kind::list: return print_out(list_text()) ? mapped : refused;
  case command::kind::diff: return inspect(c->options, diff_mappings);
  case command::kind::explain: return inspect(c->options, explain_operator);
  case command::kind::export_to: return export_files(c->options);
  case command::kind::pase: return pase(c->options);
  case command::kind::streams: return streams(c->options);
  case command::kind::study: return explore_stack(c->options);
  case command::kind::map: break;
  }
  return map(c->options);
}

} // namespace

} // namespace mars_map

auto main(int argc, char** argv) -> int {
  try {
    return mars_map::run(argc, argv);
  } catch (std::bad_alloc const&) {
    mars_map::print_error("out of memory");
  } catch (std::exception const& e) {
    mars_map::print_error(e.what());
  }
  return mars_map::refused;
}
