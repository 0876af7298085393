// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reports written by hand, for a browser to open: make_reports FOLDER
//
//   sequential.html  two sets, one operator after another
//   overlapped.html  sets that overlap, transfers between operators
//   staged.html      a set per accelerator, loads and stores inside operators
//   large.html       10 000 operators on 8 accelerators
//   study.html       a study of 360 cells (support/synthetic_study.hpp)
//   stack.html       one of 4480

#include "support/bare_graph.hpp"
#include "support/networks.hpp"
#include "support/synthetic_study.hpp"

#include <mars/core/random.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/io/files.hpp>
#include <mars/io/report/html.hpp>
#include <mars/io/report/trace.hpp>
#include <mars/io/study/html.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using mars::picoseconds;

auto us(std::int64_t n) -> picoseconds { return picoseconds{n * 1'000'000}; }

struct job {
  std::string name;
  std::size_t set;
  std::int64_t takes_us;
  std::vector<std::pair<std::size_t, std::int64_t>> reads; ///< whom, and how long it moves
  std::size_t stream{};
};

/// Runs jobs in their order, each as soon as it can, and tells a report all about it.
auto simulate(std::vector<std::vector<std::size_t>> const& sets, std::vector<job> const& jobs,
              mars::semantics how) -> mars::io::report_data {
  using mars::semantics;
  bool const sequential = how == semantics::sequential;
  bool const overlapped = is_overlapped(how);
  bool const streamed = how == semantics::streamed;
  mars::io::report_data r;
  r.workload = "by hand";
  r.system = sequential   ? "one after another"
             : streamed   ? "streamed"
             : overlapped ? "overlapped"
                          : "staged";
  r.policy = "hand";
  r.semantics = how;
  r.feasible = true;

  mars_test::bare_graph g;
  mars::mapping m;
  std::size_t accelerators = 0;
  for (auto const& s : sets) {
    m.sets.push_back({mars_test::group(s), "design"});
    r.sets.push_back({s, "design"});
    for (auto const a : s) accelerators = std::max(accelerators, a + 1);
  }
  std::vector<mars::operator_times> times;
  mars::input_arrivals arrivals;
  std::map<std::pair<std::size_t, std::size_t>, picoseconds> free; // accelerator and stream
  picoseconds end{};
  auto const seconds = [](picoseconds t) { return to_seconds(t).count(); };
  for (std::size_t v = 0; v < jobs.size(); ++v) {
    auto const& j = jobs[v];
    g.producers.emplace_back();
    arrivals.emplace_back();
    m.operators.push_back({mars::set_id{j.set}, {}});
    if (!sequential) m.launch_order.emplace_back(v);
    if (streamed) m.streams.emplace_back(j.stream);
    auto start = sequential ? end : picoseconds{};
    picoseconds moves{};
    for (auto const& [u, duration] : j.reads) {
      g.producers.back().push_back(u);
      arrivals.back().push_back(times[u].end + (overlapped ? us(duration) : picoseconds{}));
      start = std::max(start, arrivals.back().back());
      moves += us(duration);
    }
    for (auto const a : sets[j.set]) start = std::max(start, free[{a, j.stream}]);
    auto const inside = overlapped ? picoseconds{} : moves;
    auto const stores = how == semantics::staged ? us(20) : picoseconds{};
    times.push_back({start, start + inside + us(j.takes_us) + stores});
    end = std::max(end, times[v].end);
    for (auto const a : sets[j.set]) free[{a, j.stream}] = times[v].end;
    r.operators.push_back({.name = j.name,
                           .kind = "Conv",
                           .set = j.set,
                           .sharding = sets[j.set].size() > 1 ? "k:2" : "whole",
                           .start_s = seconds(start),
                           .end_s = seconds(times[v].end),
                           .time = {.compute_s = seconds(us(j.takes_us)),
                                    .redistribution_s = seconds(inside),
                                    .store_s = seconds(stores)},
                           .stream = j.stream});
    for (std::size_t i = 0; i < j.reads.size(); ++i) {
      auto const& [u, duration] = j.reads[i];
      if (duration == 0) continue;
      r.transfers.push_back({u, v, 1000 * duration, seconds(overlapped ? times[u].end : start),
                             seconds(overlapped ? arrivals[v][i] : start + moves)});
    }
  }

  auto const path = find_critical_path(g, m, times, sequential ? mars::input_arrivals{} : arrivals);
  auto const index = [](auto const& id) { return id ? std::optional{id->index()} : std::nullopt; };
  for (auto const v : path.chain) r.operators[v.index()].critical = true;
  for (std::size_t v = 0; v < jobs.size(); ++v) {
    r.operators[v].wait = path.waits[v].cause;
    r.operators[v].wait_on = index(path.waits[v].on);
  }
  picoseconds reached{};
  for (std::size_t v = 0; v < jobs.size(); ++v) {
    if (!sequential && !r.operators[v].critical) continue;
    auto const& t = r.operators[v].time;
    r.time.compute_s += t.compute_s;
    r.time.redistribution_s += t.redistribution_s + seconds(times[v].start - reached);
    r.time.store_s += t.store_s;
    reached = times[v].end;
  }
  for (auto const& gap : path.gaps)
    r.gaps.push_back({gap.accelerator.index(), seconds(gap.from), seconds(gap.to), gap.cause,
                      index(gap.on), index(gap.busy), index(gap.previous), index(gap.next)});
  r.latency_s = r.bottleneck_s = r.value = seconds(path.makespan);
  r.lower_bound = 0.6 * r.value;
  r.gap = 0.4;
  r.bound_name = "work";
  r.evaluations = 100;
  r.convergence = {{1, 0.1, 2 * r.value, r.lower_bound}, {100, 0.2, r.value, r.lower_bound}};

  for (std::size_t a = 0; a < accelerators; ++a) {
    mars::io::report_accelerator device;
    device.name = std::string{"chip"} + std::to_string(a);
    device.capacity_bytes = 1'000'000;
    device.resident_bytes = 300'000;
    device.memory.push_back({0, 300'000, 0, 0});
    std::int64_t results = 0;
    for (auto const& o : r.operators) {
      auto const& members = sets[o.set];
      if (std::find(members.begin(), members.end(), a) == members.end()) continue;
      device.memory.push_back({o.start_s, 300'000, results, 150'000});
      results = (results + 40'000) % 280'000;
      device.memory.push_back({o.end_s, 300'000, results, 0});
    }
    for (auto const& s : device.memory) device.peak_bytes = std::max(device.peak_bytes, s.total());
    device.peak_at = r.operators.front().name;
    r.accelerators.push_back(std::move(device));
    r.nodes.push_back({mars::io::report_node::kind::accelerator, r.accelerators.back().name});
  }
  for (std::size_t a = 0; a < accelerators; ++a)
    r.links.push_back({a, (a + 1) % accelerators, 1e9, 400'000, 4e-4});
  return r;
}

auto small_network() -> std::vector<job> {
  return {{"stem", 3, 300, {}},
          {"left_1", 0, 400, {{0, 0}}},
          {"right_1", 1, 250, {{0, 40}}},
          {"right_2", 1, 900, {{2, 0}}},
          {"left_2", 0, 200, {{1, 0}}},
          {"side", 2, 700, {{0, 350}}},
          {"join", 3, 350, {{4, 60}, {3, 120}}},
          {"head", 2, 500, {{6, 200}, {5, 0}}}};
}

auto forked_network() -> std::vector<job> {
  return {{"stem", 0, 200, {}, 0},
          {"left", 0, 500, {{0, 0}}, 0},
          {"right", 0, 300, {{0, 0}}, 3},
          {"far", 1, 400, {{0, 100}}, 0},
          {"join", 0, 300, {{1, 0}, {2, 0}, {3, 200}}, 3}};
}

auto large_network() -> std::vector<job> {
  mars::random_stream r{11, 0};
  std::vector<job> jobs;
  for (std::size_t v = 0; v < 10'000; ++v) {
    jobs.push_back({std::string{"layer."} + std::to_string(v),
                    r.below(6),
                    10 + static_cast<std::int64_t>(r.below(60)),
                    {}});
    for (std::size_t k = 0; k < 2 && v > 0; ++k) {
      auto const from = v - 1 - r.below(std::min<std::size_t>(v, 30));
      jobs.back().reads.emplace_back(from, static_cast<std::int64_t>(r.below(20)));
    }
  }
  return jobs;
}

} // namespace

auto main(int argc, char** argv) -> int {
  if (argc != 2) return 2;
  std::string const folder = std::string{argv[1]} + "/";
  using mars::semantics;
  std::vector<std::vector<std::size_t>> const overlapping{{0}, {1}, {2, 3}, {0, 1}};
  auto const write = [&](std::string const& name, mars::io::report_data const& r) {
    return mars::io::write_file(folder + name + ".html", report_html(r)).has_value() &&
           mars::io::write_file(folder + name + ".json", trace_json(r)).has_value();
  };
  auto small = small_network();
  auto const overlapped = simulate(overlapping, small, semantics::overlapped);
  auto const staged = simulate({{0}, {1}, {2}, {3}}, small, semantics::staged);
  for (auto& j : small) j.set %= 2;
  auto const sequential = simulate({{0, 1}, {2, 3}}, small, semantics::sequential);
  auto const large =
      simulate({{0}, {1}, {2, 3}, {4}, {5, 6}, {7}}, large_network(), semantics::overlapped);
  auto const streamed = simulate({{0}, {1}}, forked_network(), semantics::streamed);
  bool const written = write("streamed", streamed) && write("sequential", sequential) &&
                       write("overlapped", overlapped) && write("staged", staged) &&
                       write("large", large);
  auto const write_study = [&](std::string const& name, mars_test::study_shape shape) {
    return mars::io::write_study_html(folder + name + ".html",
                                      mars_test::make_synthetic_study(shape))
        .has_value();
  };
  bool const studied = write_study("study", {}) && write_study("stack", {7, 8, 8, 5, true});
  return written && studied ? 0 : 1;
}
