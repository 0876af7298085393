// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/evaluation/assign_streams.hpp>
#include <mars/scheduling/critical_path.hpp>

#include "support/catch.hpp"
#include "support/html_page.hpp"
#include "support/networks.hpp"

#include <mars/hardware/presets/fpga.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/interconnect/host_staged.hpp>
#include <mars/io/report.hpp>
#include <mars/workload/builder.hpp>
#include <mars/zoo/registry.hpp>

#if MARS_HAS_JSON
#include <nlohmann/json.hpp>
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using mars_test::count;
using mars_test::nesting_error;

auto plan_of(mars::graph const& g, mars::any_system const& s) -> mars::plan {
  mars::search_context context;
  context.budget.evaluations = 1000;
  return mars::mapper{}(g, s, context);
}
/// squeezenet, each fire module's two branches on accelerators of their own.
auto scheduled_report(bool staged) -> mars::io::report_data {
  auto const g = mars::zoo::find("squeezenet").value();
  mars::any_system s = mars::presets::aws_f1_16xlarge();
  if (staged)
    s.interconnect = mars::interconnect::host_staged{.accelerators = 8,
                                                     .bandwidth = mars::bytes_per_second{1e9}};
  auto m = mars::find_baseline(g, s).value().mapping;
  for (std::size_t set = 0; set < 3; ++set)
    m.sets.push_back({mars_test::group({2 * set, 2 * set + 1}), m.sets[0].design});
  auto const added = m.sets.size() - 3;
  m.sets.erase(m.sets.begin(), m.sets.begin() + static_cast<std::ptrdiff_t>(added));
  for (std::size_t v = 0; v < g.size(); ++v) {
    m.operators[v] = {mars::set_id{v % 3}, {}};
    if (staged && v % 4 == 1) m.operators[v].weights = mars::residency::streamed;
  }
  m.launch_order = mars::topological_order(g).value();
  auto const plan = mars::mapper{}.price(g, s, m).value();
  return mars::io::make_report(g, s, plan);
}
/// googlenet on one GPU, streams by the critical path; with what it must say.
auto streamed_report() -> mars::io::report_data {
  auto const g = mars::zoo::find("googlenet").value();
  mars::any_system const s = mars::presets::gpu_system(mars::presets::gpu_devices()[2]);
  mars::mapping m{{{{mars::accelerator_id{}}, s.name}}, std::vector<mars::placement>(g.size())};
  auto found = mars::assign_streams(g, s, std::move(m), mars::cost::analytical{},
                                    mars::collective::standard{}, mars::scheduling::critical_path{})
                   .value();
  REQUIRE(found.streams == 4); // the branches of an inception module
  return mars::io::make_report(g, s, mars::mapper{}.price(g, s, found.mapping).value());
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

TEST_CASE("a report of streams has a row and a thread for each") {
  auto const r = streamed_report();
  CHECK(r.semantics == mars::semantics::streamed);
  CHECK(r.has_streams());
  CHECK(r.time.compute_s == mars_test::approx(r.latency_s).epsilon(0.02)); // waits for events
  CHECK(r.time.idle_s == 0);
  double end = 0;
  std::map<std::size_t, double> of_stream;
  for (auto const& o : r.operators) {
    CHECK(o.start_s >= of_stream[o.stream] * (1 - 1e-12));
    of_stream[o.stream] = o.end_s;
    end = std::max(end, o.end_s);
  }
  CHECK(end == r.latency_s);
  auto const page = mars::io::report_html(r);
  CHECK(nesting_error(page).empty());
  CHECK(count(page, "class=\"lane\"") == 4 + 1); // and one of memory
  for (int s = 0; s < 4; ++s) {
    auto const name = "stream " + std::to_string(s);
    CHECK(count(page, "a100_pcie") > 0);
    CHECK(count(page, ">gpu0 " + name + "<") == 1);
    CHECK(count(mars::io::trace_json(r), "{\"name\":\"" + name + "\"}") == 1);
  }
  CHECK(count(mars::io::trace_json(r), "\"name\":\"compute\"") == 0);
  auto const none = scheduled_report(false);
  CHECK_FALSE(none.has_streams());
  CHECK(count(mars::io::report_html(none), " stream 0<") == 0);
}

TEST_CASE("a scheduled report explains all of its time") {
  for (bool const staged : {false, true}) {
    CAPTURE(staged);
    auto const r = scheduled_report(staged);
    CHECK(r.semantics == (staged ? mars::semantics::staged : mars::semantics::overlapped));
    // Causes along the critical path add up to the latency.
    CHECK(r.time.compute_s + r.time.communication_s() ==
          mars_test::approx(r.latency_s).epsilon(1e-9));
    CHECK(r.time.idle_s == 0);
    CHECK((r.time.weights_s > 0) == staged);
    CHECK((r.time.store_s > 0) == staged);

    std::vector<double> explained(r.accelerators.size());
    for (auto const& o : r.operators) {
      CHECK(o.time.compute_s + o.time.communication_s() ==
            mars_test::approx(o.end_s - o.start_s).epsilon(1e-9));
      for (auto const a : r.sets[o.set].accelerators) explained[a] += o.end_s - o.start_s;
    }
    for (auto const& gap : r.gaps) {
      CHECK(gap.cause != mars::wait_cause::unexplained);
      CHECK(gap.cause != mars::wait_cause::turn);
      explained[gap.accelerator] += gap.end_s - gap.start_s;
    }
    for (std::size_t a = 0; a < 6; ++a)
      CHECK(explained[a] == mars_test::approx(r.latency_s).epsilon(1e-9));
    for (auto const& a : r.accelerators) {
      std::int64_t most = 0;
      for (auto const& step : a.memory) most = std::max(most, step.total());
      CHECK(most == a.peak_bytes);
    }
    for (auto const& t : r.transfers) {
      CHECK(t.end_s <= (staged ? r.operators[t.to].end_s : r.operators[t.to].start_s) + 1e-15);
      CHECK(t.start_s >= r.operators[t.from].end_s - 1e-15);
    }
    if (staged) { // host links carry what operators load and store
      double loads = 0, stores = 0, sent = 0, received = 0;
      for (auto const& o : r.operators) {
        loads += 2 * (o.time.redistribution_s + o.time.weights_s); // two accelerators each
        stores += 2 * o.time.store_s;
      }
      for (auto const& l : r.links) (l.to < 8 ? received : sent) += l.busy_s;
      CHECK(received == mars_test::approx(loads).epsilon(1e-6));
      CHECK(sent == mars_test::approx(stores).epsilon(1e-6));
    }
    auto const page = report_html(r);
    CHECK(nesting_error(page).empty());
    CHECK(count(page, "Operators run one after another") == 0);
    CHECK(count(page, "id=\"critical\"") == 1);
  }
  auto const page = report_html(squeezenet_report());
  CHECK(count(page, "Operators run one after another") == 1);
  CHECK(count(page, "id=\"critical\"") == 0);
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
                           {.compute_s = 0.7e-6, .redistribution_s = 0.3e-6}});
  r.latency_s = r.bottleneck_s = r.time.compute_s = 20e-3;
  auto const svg = mars::io::detail::gantt_svg(r);
  CHECK(count(svg, "M") <= 1100);
  // Computation has the larger share of every pixel.
  auto const path = svg.find("<path class=\"c1 bars\"");
  CHECK(svg.substr(path, svg.find("/>", path) - path) == "<path class=\"c1 bars\" d=\"\"");
}

#if MARS_HAS_JSON
namespace {

/// Checks the rules of the trace-event format, and counts events by kind.
auto check_trace(mars::io::report_data const& r) -> std::map<std::string, int> {
  auto const trace = nlohmann::json::parse(trace_json(r));
  CHECK(trace.at("displayTimeUnit") == "ns");
  std::map<std::string, int> kinds;
  using thread = std::pair<int, int>;
  struct slice {
    long long begin, end;
  };
  auto const ns = [](nlohmann::json const& us) { return std::llround(us.get<double>() * 1000); };
  std::map<thread, std::vector<slice>> slices;
  std::map<std::string, std::vector<nlohmann::json>> flows, pairs; // by category and id
  std::set<int> named, counted;
  std::map<int, long long> last_count;
  for (auto const& e : trace.at("traceEvents")) {
    auto const kind = e.at("ph").get<std::string>();
    ++kinds[kind];
    auto const pid = e.at("pid").get<int>();
    CHECK(pid > 0);
    auto const at = thread{pid, e.at("tid").get<int>()};
    auto const key = [&] { return e.at("cat").get<std::string>() + e.at("id").dump(); };
    if (kind == "X") {
      CHECK(ns(e.at("dur")) > 0);
      slices[at].push_back({ns(e.at("ts")), ns(e.at("ts")) + ns(e.at("dur"))});
    } else if (kind == "M") {
      if (e.at("name") == "process_name") named.insert(pid);
    } else if (kind == "C") {
      counted.insert(pid);
      for (auto const& series : e.at("args")) CHECK(series.is_number());
      CHECK(ns(e.at("ts")) >= last_count[pid]);
      last_count[pid] = ns(e.at("ts"));
    } else if (kind == "b" || kind == "e") {
      pairs[key()].push_back(e);
    } else if (kind == "s" || kind == "f") {
      if (kind == "f") CHECK(e.at("bp") == "e");
      // An arrow is bound to a slice that was written before and is open at that time.
      auto const when = ns(e.at("ts"));
      auto const& known = slices[at];
      CHECK(std::any_of(known.begin(), known.end(),
                        [&](auto const& x) { return x.begin <= when && when < x.end; }));
      flows[key()].push_back(e);
    } else {
      FAIL("unexpected event " << e.dump());
    }
  }
  for (auto& [at, events] : slices) { // they nest, because they follow each other
    CHECK(named.count(at.first) == 1);
    std::sort(events.begin(), events.end(),
              [](auto const& a, auto const& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < events.size(); ++i) CHECK(events[i - 1].end <= events[i].begin);
  }
  auto const check_both = [&](auto const& all, char const* first, char const* second) {
    for (auto const& [id, events] : all) {
      REQUIRE(events.size() == 2);
      CHECK(events[0].at("ph") == first);
      CHECK(events[1].at("ph") == second);
      CHECK(events[0].at("name") == events[1].at("name"));
      CHECK(ns(events[0].at("ts")) <= ns(events[1].at("ts")));
    }
  };
  check_both(flows, "s", "f");
  check_both(pairs, "b", "e");
  CHECK(counted == named);
  return kinds;
}

} // namespace

TEST_CASE("traces follow the rules of their viewers") {
  auto const sequential = squeezenet_report();
  bool const same = trace_json(sequential) == trace_json(squeezenet_report());
  CHECK(same);
  auto kinds = check_trace(sequential);
  CHECK(kinds["X"] > 100);
  CHECK(kinds["s"] > 0);
  CHECK(kinds["b"] == 0);

  auto const overlapped = scheduled_report(false);
  kinds = check_trace(overlapped);
  CHECK(kinds["X"] > 40);
  CHECK(kinds["b"] > 10);
  CHECK(kinds["s"] > 10);
  auto const text = trace_json(overlapped);
  CHECK(count(text, "\"arriving tensors\"") == 6);

  auto const staged = scheduled_report(true);
  kinds = check_trace(staged);
  CHECK(kinds["b"] == 0);
  CHECK(count(trace_json(staged), "\"cat\":\"weights streamed\"") >= 10);

  // Two streams on one accelerator: what overlaps becomes an asynchronous pair.
  mars::io::report_data streams;
  streams.semantics = mars::semantics::overlapped;
  streams.sets = {{{0}, "d"}};
  streams.accelerators.resize(1);
  streams.accelerators[0].memory.push_back({});
  for (double const start : {0.0, 1e-3})
    streams.operators.push_back({"op", "Relu", 0, "", start, start + 2e-3, {.compute_s = 2e-3}});
  kinds = check_trace(streams);
  CHECK(kinds["X"] == 1);
  CHECK(kinds["b"] == 1);
}

TEST_CASE("a trace of one set has all of its computation, and ends when the report does") {
  auto const r = squeezenet_report();
  auto const trace = nlohmann::json::parse(trace_json(r));
  double compute = 0;
  double end = 0;
  for (auto const& e : trace.at("traceEvents")) {
    if (e.at("ph") != "X") continue;
    end = std::max(end, e.at("ts").get<double>() + e.at("dur").get<double>());
    if (e.at("tid") == 1 && e.at("pid") == static_cast<int>(r.sets[0].accelerators[0]) + 1)
      compute += e.at("dur").get<double>();
  }
  CHECK(end == mars_test::approx(r.latency_s * 1e6).epsilon(1e-5));
  if (r.sets.size() == 1)
    CHECK(compute == mars_test::approx(r.time.compute_s * 1e6).epsilon(1e-4)); // whole nanoseconds
}
#endif
