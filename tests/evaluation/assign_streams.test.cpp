// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams for the sets of a mapping: never slower than one stream, valid, and what the scheduler said
// where there is one device.
#include <mars/evaluation/assign_streams.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/make_stream_graph.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/sequential.hpp>

#include "support/catch.hpp"

#include "support/random_gpus.hpp"
#include "support/random_problems.hpp"

#include <mars/evaluation/evaluate.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/mapping/validate.hpp>
#include <mars/zoo/inception.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace {
using namespace mars;

template <class Scheduler>
auto assigned(graph const& g, any_system const& s, mapping const& m, Scheduler const& scheduler) {
  return assign_streams(g, s, m, cost::analytical{}, collective::standard{}, scheduler);
}

} // namespace

TEST_CASE("assigned streams are valid and never slower than one", "[streams]") {
  random_stream const root{81};
  std::size_t faster = 0, several = 0, without = 0;
  for (std::uint64_t trial = 0; trial < 150; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const g = mars_test::random_network(r, 4 + r.below(12));
    auto const s = mars_test::random_gpus(r, 1 + r.below(4));
    auto m = mars_test::random_gpu_mapping(r, g, s);
    auto const one = evaluate(g, s, m, cost::analytical{}, collective::standard{}).value();
    for (int which = 0; which < 3; ++which) {
      CAPTURE(which);
      auto const found = which == 0   ? assigned(g, s, m, scheduling::opara{})
                         : which == 1 ? assigned(g, s, m, scheduling::critical_path{})
                                      : assigned(g, s, m, scheduling::ios{});
      if (!found) {
        CHECK(found.error().code == error_code::unsupported);
        CHECK(found.error().path == "streams");
        ++without;
        break;
      }
      CHECK(found->one_stream == one.latency);
      CHECK(found->evaluation.latency <= one.latency);
      CHECK((found->evaluation.feasible() || !one.feasible()));
      CHECK(found->mapping.sets == m.sets);
      CHECK(found->mapping.operators == m.operators);
      CHECK(evaluate(g, s, found->mapping, cost::analytical{}, collective::standard{})
                .value()
                .latency == found->evaluation.latency);
      std::vector<time_span> spans;
      for (auto const& o : found->evaluation.operators)
        spans.push_back({to_seconds(o.start), to_seconds(o.end)});
      for (auto const& v : validate(found->mapping, g, s, spans)) {
        CAPTURE(to_string(v));
        CHECK(v.kind == violation_kind::memory);
      }
      faster += found->evaluation.latency < one.latency;
      several += found->streams > 1;
    }
  }
  WARN(faster << " of 450 faster than one stream, " << several << " on several");
  CHECK(faster > 80);
  CHECK(without < 30);
}

TEST_CASE("on one device the answer is the scheduler's, to the picosecond", "[streams]") {
  auto const g = zoo::googlenet();
  auto const s = presets::gpu_system(presets::gpu_devices()[2]);
  mapping m{
      {{{accelerator_id{}}, std::string{s.accelerators[0].configurations[0].name()}}}, {}, {}};
  m.operators.assign(g.size(), {set_id{}, {}});
  auto const& device = *s.accelerators[0].configurations[0].device();
  auto const later = to_picoseconds(device.overheads.graph) - to_picoseconds(device.overheads.gap);
  auto const found = assigned(g, s, m, scheduling::critical_path{}).value();
  auto const* design = s.accelerators[0].configurations[0].get_if<hardware::gpu>();
  REQUIRE(design != nullptr);
  std::vector<operator_id> nodes;
  auto const problem =
      stream_problem::make(make_stream_graph(g, *design, {}, &nodes).value(), device).value();
  auto const alone = scheduling::critical_path{}(problem, {});
  CHECK(found.evaluation.latency + later == alone.latency());
  CHECK(found.one_stream + later == scheduling::sequential{}(problem, {}).latency());
  CHECK(found.evaluation.latency < found.one_stream);
  CHECK(found.streams > 1);
  auto const same = assigned(g, s, m, scheduling::sequential{}).value();
  CHECK(same.evaluation.latency == same.one_stream);
  CHECK(same.streams == 1);
}
