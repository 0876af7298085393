// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reports: a plan for the eye.
//
//   auto report = mars::io::make_report(graph, system, plan, baseline, points, warnings);
//   report.seed = 1;
//   mars::io::write_file("report.html", mars::io::report_html(report)).value();
//   mars::io::write_file("trace.json", mars::io::trace_json(report)).value();
//
// report_data     everything that is shown, as plain values; fill it by hand for your own tool
// make_report     fills it from a plan, its graph and its system, sequential or scheduled
// measure_load    bytes over each link, by itself
// report_html     one page that needs no other file, no network and, to be read, no script
// trace_json      one inference for chrome://tracing and ui.perfetto.dev
//
// Why a schedule takes so long and what fills memories is found by `find_critical_path` and
// `memory_over_time` (evaluation.hpp).
//
// The same report gives the same bytes on every machine. Names may hold anything. Needs {fmt}.

#include <mars/io/report/data.hpp>
#include <mars/io/report/html.hpp>
#include <mars/io/report/link_load.hpp>
#include <mars/io/report/make_report.hpp>
#include <mars/io/report/trace.hpp>
