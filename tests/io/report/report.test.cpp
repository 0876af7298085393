// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/hardware/presets/fpga.hpp>
#include <mars/io/report.hpp>
#include <mars/workload/builder.hpp>
#include <mars/zoo/registry.hpp>

#if MARS_HAS_JSON
#include <nlohmann/json.hpp>
#endif

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

auto count(std::string_view text, std::string_view part) -> std::size_t {
  std::size_t n = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// The first thing wrong with the nesting of a page, or nothing. Scripts and styles are skipped.
auto nesting_error(std::string_view page) -> std::string {
  std::set<std::string, std::less<>> const empty{"meta", "link", "!DOCTYPE"};
  std::vector<std::string> open;
  for (auto at = page.find('<'); at != page.npos; at = page.find('<', at)) {
    auto const end = page.find('>', at);
    if (end == page.npos) return "a tag without an end";
    auto const tag = page.substr(at + 1, end - at - 1);
    at = end;
    if (tag.find('<') != tag.npos) return std::string{"a tag inside a tag: "} + std::string{tag};
    bool const closes = tag.front() == '/';
    auto const name =
        std::string{tag.substr(closes ? 1 : 0, tag.find_first_of(" />\n", 1) - (closes ? 1 : 0))};
    if (closes) {
      if (open.empty() || open.back() != name) return std::string{"unexpected </"} + name + ">";
      open.pop_back();
    } else if (tag.back() != '/' && empty.count(name) == 0) {
      open.push_back(name);
      if (name == "script" || name == "style") at = page.find(std::string{"</"} + name, at);
    }
  }
  return open.empty() ? std::string{} : std::string{"<"} + open.back() + "> stays open";
}

auto plan_of(mars::graph const& g, mars::any_system const& s) -> mars::plan {
  mars::search_context context;
  context.budget.evaluations = 1000;
  return mars::mapper{}(g, s, context);
}
auto squeezenet_report() -> mars::io::report_data {
  auto const g = mars::zoo::find("squeezenet").value();
  mars::any_system const s = mars::presets::aws_f1_16xlarge();
  auto const inf = std::numeric_limits<double>::infinity();
  auto r = mars::io::make_report(g, s, plan_of(g, s), mars::find_baseline(g, s).value(),
                                 {{1, 0.1, inf, 0}, {10, 0.2, 5e-3, 1e-3}, {50, 0.3, 4e-3, 1e-3}},
                                 {"a <warning>"});
  r.seed = 7;
  r.wall_s = 0.5; // all else is the same every time
  return r;
}

} // namespace

TEST_CASE("a report repeats the plan's figures") {
  auto const g = mars::zoo::find("squeezenet").value();
  mars::any_system const s = mars::presets::aws_f1_16xlarge();
  auto const plan = plan_of(g, s);
  auto const r = mars::io::make_report(g, s, plan);
  CHECK(r.workload == "squeezenet");
  CHECK(r.latency_s == plan.latency().count());
  CHECK(r.operators.size() == g.size());
  CHECK(r.time.compute_s + r.time.communication_s() ==
        mars_test::approx(plan.latency().count()).epsilon(1e-12));
  for (std::size_t i = 1; i < r.operators.size(); ++i)
    CHECK(r.operators[i].start_s == r.operators[i - 1].end_s);
  CHECK(r.operators.back().end_s == r.latency_s);
  CHECK_FALSE(r.reduction().has_value());
  REQUIRE(r.nodes.size() == 9); // eight accelerators and the host
  CHECK(r.nodes[8].name == "host");
  CHECK(r.links.size() == 40);
  for (auto const& l : r.links) CHECK(l.busy_s <= r.latency_s);
}

TEST_CASE("accelerators of one name are told apart") {
  auto const g = mars::zoo::find("alexnet").value();
  mars::any_system s = mars::presets::aws_f1_16xlarge();
  for (auto& a : s.accelerators) a.name = "fpga";
  s.accelerators[3].name = "odd";
  auto const r = mars::io::make_report(g, s, plan_of(g, s));
  CHECK(r.accelerators[2].name == "fpga 2");
  CHECK(r.accelerators[3].name == "odd");
}

TEST_CASE("a page is one well-formed file that asks for nothing else") {
  auto const r = squeezenet_report();
  auto const page = report_html(r);
  CHECK(nesting_error(page).empty());
  bool const same = page == report_html(squeezenet_report());
  CHECK(same);
  CHECK(count(page, "http") == 1); // the name of the SVG language in the script
  CHECK(count(page, "src=") == 0);
  CHECK(count(page, "@import") == 0);
  CHECK(count(page, "url(") == count(page, "url(#"));
  CHECK(count(page, "a &lt;warning&gt;") == 1);
  for (auto const* part : {"squeezenet", "aws_f1_16xlarge", "seed 7", "Time line", "Convergence",
                           "Latency by cause", "Memory", "lower bound", "reduction"})
    CHECK(count(page, part) >= 1);
  for (auto const* part : {"nan", "Minf", "\"inf", "inf%", "-inf"}) CHECK(count(page, part) == 0);
}

TEST_CASE("names cannot leave their place") {
  std::string const evil = "</script></title><script>alert(1)</script>\"'&\\\n\xff";
  mars::builder b{evil};
  b.output(b.relu(b.input("x", {1, 8, 8, 8}), evil));
  auto const g = std::move(b).build().value();
  mars::any_system s = mars::presets::aws_f1_16xlarge();
  s.name = evil;
  for (auto& a : s.accelerators) a.name = evil;
  auto const r = mars::io::make_report(g, s, plan_of(g, s), std::nullopt, {}, {evil});
  auto const page = report_html(r);
  CHECK(nesting_error(page).empty());
  CHECK(count(page, "<script>alert") == 0);
  CHECK(count(page, "\xff") == 0);
#if MARS_HAS_JSON
  auto const trace = nlohmann::json::parse(trace_json(r));
  CHECK(trace.dump().find("alert(1)") != std::string::npos);
  auto const from = page.find("id=\"mars-data\">") + 15;
  auto const data = nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
  CHECK(data["ops"][0][0].get<std::string>().find("</script></title>") == 0);
#endif
}

TEST_CASE("what does not fit is explained, and still drawn") {
  auto const g = mars::zoo::find("vgg16").value();
  mars::any_system s = mars::presets::aws_f1_16xlarge();
  for (auto& a : s.accelerators) a.capacity = mars::bytes{1'000'000};
  auto const r = mars::io::make_report(g, s, plan_of(g, s));
  REQUIRE_FALSE(r.feasible);
  REQUIRE_FALSE(r.shortages.empty());
  CHECK_THAT(r.shortages.front(), mars_test::contains_text("1.000 MB"));
  CHECK_THAT(r.shortages.front(), mars_test::contains_text("fc6"));
  auto const page = report_html(r);
  CHECK(nesting_error(page).empty());
  CHECK(count(page, "This mapping cannot run") == 1);
}

TEST_CASE("times without end spoil nothing") {
  auto r = squeezenet_report();
  auto const inf = std::numeric_limits<double>::infinity();
  r.feasible = false;
  r.latency_s = r.bottleneck_s = r.value = r.time.compute_s = inf;
  for (std::size_t i = 5; i < r.operators.size(); ++i) {
    if (i > 5) r.operators[i].start_s = inf;
    r.operators[i].end_s = inf;
  }
  r.operators[5].time.compute_s = inf;
  auto const page = report_html(r);
  CHECK(nesting_error(page).empty());
  for (auto const* part : {"nan", "Minf", "\"inf", "inf%", "-inf", ":inf", ",inf"})
    CHECK(count(page, part) == 0);
  CHECK(count(trace_json(r), "inf") == count(trace_json(r), "\"name\":\"inf"));
  mars::io::report_data const nothing;
  CHECK(nesting_error(report_html(nothing)).empty());
}

TEST_CASE("thousands of operators are drawn as at most as many bars as there are pixels") {
  mars::io::report_data r;
  r.feasible = true;
  r.sets = {{{0, 1, 2, 3}, "d"}};
  r.accelerators.resize(4);
  r.nodes.resize(4);
  for (int i = 0; i < 20'000; ++i)
    r.operators.push_back({"op",
                           "Relu",
                           0,
                           "replicated",
                           i * 1e-6,
                           (i + 1) * 1e-6,
                           {.compute_s = 0.7e-6, .redistribution_s = 0.3e-6},
                           0});
  r.latency_s = r.bottleneck_s = r.time.compute_s = 20e-3;
  auto const svg = mars::io::detail::gantt_svg(r);
  CHECK(count(svg, "M") <= 1100);
  // Computation has the larger share of every pixel.
  auto const path = svg.find("<path class=\"c1\"");
  CHECK(svg.substr(path, svg.find("/>", path) - path) == "<path class=\"c1\" d=\"\"");
}

#if MARS_HAS_JSON
TEST_CASE("a trace follows the rules of its viewers") {
  auto const r = squeezenet_report();
  auto const trace = nlohmann::json::parse(trace_json(r));
  bool const same = trace_json(r) == trace_json(squeezenet_report());
  CHECK(same);
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> slices;
  std::set<int> named, counted;
  for (auto const& e : trace.at("traceEvents")) {
    auto const kind = e.at("ph").get<std::string>();
    auto const pid = e.at("pid").get<int>();
    if (kind == "X")
      slices[{pid, e.at("tid").get<int>()}].emplace_back(e.at("ts").get<double>(),
                                                         e.at("dur").get<double>());
    else if (kind == "M")
      named.insert(e.at("name") == "process_name" ? pid : 0);
    else if (kind == "C")
      counted.insert(e.at("args").at("weights").is_number() ? pid : 0);
    else
      FAIL("unexpected event " << e.dump());
  }
  std::set<int> processes;
  double compute = 0;
  double end = 0;
  for (auto& [thread, events] : slices) {
    processes.insert(thread.first);
    std::sort(events.begin(), events.end());
    for (std::size_t i = 0; i < events.size(); ++i) {
      CHECK(events[i].second > 0);
      if (i > 0) CHECK(events[i - 1].first + events[i - 1].second <= events[i].first + 1e-9);
      end = std::max(end, events[i].first + events[i].second);
      if (thread.second == 1 && thread.first == slices.begin()->first.first)
        compute += events[i].second;
    }
  }
  named.erase(0);
  CHECK(processes == named);
  CHECK(counted == named);
  CHECK(processes.count(0) == 0);
  CHECK(end == mars_test::approx(r.latency_s * 1e6).epsilon(1e-5));
  if (r.sets.size() == 1)
    CHECK(compute == mars_test::approx(r.time.compute_s * 1e6).epsilon(1e-4)); // whole nanoseconds
}
#endif
