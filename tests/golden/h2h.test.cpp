// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// H2H's comparison problem: the reference's vectors of single layers, its networks, and the legal
// makespans of H2H's steps on both networks at five bandwidths. Milliseconds as printed there.
#include "support/catch.hpp"

#include <mars/collective/cheapest.hpp>
#include <mars/cost/analytical.hpp>
#include <mars/evaluation/build_schedule_problem.hpp>
#include <mars/evaluation/evaluate.hpp>
#include <mars/hardware/presets/h2h.hpp>
#include <mars/interconnect/any_interconnect.hpp>
#include <mars/mapping/validate.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/search/h2h.hpp>
#include <mars/workload/layer_table.hpp>
#include <mars/zoo/multi_modal.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {
using namespace mars;

auto h2h_at(double gb_per_s) -> any_system {
  return presets::h2h(bytes_per_second{gb_per_s * 1e9});
}

/// One layer, run whole on the accelerator of that name: everything crosses the link, or nothing.
auto milliseconds(table_layer const& layer, std::string_view board, bool everything) -> double {
  auto const g = graph_of_table("one", {layer}, {}, 32).value();
  auto const system = h2h_at(everything ? 0.125 : 1e9);
  for (std::size_t i = 0; i < system.accelerators.size(); ++i) {
    auto const& a = system.accelerators[i];
    if (a.name != board) continue;
    mapping m;
    m.sets = {{{accelerator_id{i}}, std::string{a.designs()[0].name()}}};
    m.operators = {{set_id{0}, {}, residency::streamed}};
    m.launch_order = {operator_id{0}};
    auto const e = evaluate(g, system, m, cost::analytical{}, collective::standard{}).value();
    REQUIRE(e.semantics == semantics::staged);
    auto const& of = e.operators[0];
    CHECK(e.latency == of.compute + of.redistribution + of.weights + of.results);
    return 1e3 * to_seconds(everything ? e.latency : of.compute).count();
  }
  FAIL("no such accelerator");
  return 0;
}

/// Every operator whole on one accelerator, as H2H has it.
auto problem_of(graph const& g, any_system const& system) -> schedule_problem {
  std::vector<std::vector<accelerator_id>> singles;
  for (std::size_t a = 0; a < system.accelerators.size(); ++a)
    singles.push_back({accelerator_id{a}});
  return build_schedule_problem(g, system, cost::analytical{}, parallel::exclusive_shared{},
                                collective::standard{}, objective::latency{}, singles)
      .value();
}

struct makespans {
  double gb_per_s{};
  double after[4]{}; ///< steps 1 to 4, the last as "legal step 4"
};

/// The figures hold for `evaluate`, and the validator has no objection.
void check_steps(graph const& g, std::vector<makespans> const& rows) {
  for (auto const& row : rows) {
    auto const system = h2h_at(row.gb_per_s);
    auto const p = problem_of(g, system);
    for (int steps = 1; steps <= 4; ++steps) {
      CAPTURE(row.gb_per_s, steps);
      auto const found = search::h2h{.steps = steps}(p, {});
      CHECK(std::abs(static_cast<double>(found.value.value) * 1e-9 - row.after[steps - 1]) <
            0.0005 + 1e-9);
      CHECK(found.value.feasible());
      CHECK(found.bound.value <= found.value.value);
      if (steps < 3) continue; // the evaluator lets stay what can
      auto const m = p.decode(found.best);
      auto const e = evaluate(g, system, m, cost::analytical{}, collective::standard{}).value();
      CHECK(e.latency.count() == found.value.value);
      std::vector<time_span> spans;
      for (auto const& o : e.operators) spans.push_back({to_seconds(o.start), to_seconds(o.end)});
      CHECK(validate(m, g, system, spans).empty());
    }
  }
}

} // namespace

TEST_CASE("H2H's accelerators take what the reference computes by hand") {
  struct vector {
    std::string_view board;
    double a_local, a_all, b_local, b_all;
  };
  table_layer const a{"a", table_layer::what::conv, 128, 192, 13, 13, 3};
  table_layer const b{"b", table_layer::what::conv, 64, 64, 112, 112, 3};
  for (auto const& v : {vector{"cnn_acc_1", 1.219648, 13.143104, 11.473784, 141.103992},
                        vector{"cnn_acc_2", 1.887129, 13.810585, 17.947709, 147.577917},
                        vector{"cnn_acc_3", 1.600246, 13.523702, 15.270134, 144.900342},
                        vector{"cnn_acc_4", 3.817984, 15.741440, 35.969024, 165.599232},
                        vector{"cnn_acc_6", 1.636443, 13.559899, 15.607976, 145.238184},
                        vector{"cnn_acc_7", 0.948261, 12.871717, 9.073438, 138.703646},
                        vector{"cnn_acc_8", 2.391575, 14.315031, 22.488623, 152.118831},
                        vector{"cnn_acc_9", 2.892032, 14.815488, 27.159552, 156.789760}}) {
    CAPTURE(v.board);
    CHECK(std::abs(milliseconds(a, v.board, false) - v.a_local) < 0.6e-6);
    CHECK(std::abs(milliseconds(a, v.board, true) - v.a_all) < 0.6e-6);
    CHECK(std::abs(milliseconds(b, v.board, false) - v.b_local) < 0.6e-6);
    CHECK(std::abs(milliseconds(b, v.board, true) - v.b_all) < 0.6e-6);
  }
  struct other {
    std::string_view board;
    table_layer layer;
    double local, all;
  };
  table_layer const fc{"fc", table_layer::what::fc, 4096, 9216};
  table_layer const lstm{.name = "lstm",
                         .kind = table_layer::what::lstm,
                         .out_channels = 384,
                         .in_channels = 192,
                         .steps = 50};
  for (auto const& v : {other{"FCAccESE", fc, 15.732480, 1224.118016},
                        other{"FCAccDeeper", fc, 62.914560, 1271.300096},
                        other{"LSTMAccPYNQZ1", lstm, 110.592000, 138.921984},
                        other{"LSTMAccVC707", lstm, 18.436000, 46.765984}}) {
    CAPTURE(v.board);
    CHECK(std::abs(milliseconds(v.layer, v.board, false) - v.local) < 0.6e-6);
    CHECK(std::abs(milliseconds(v.layer, v.board, true) - v.all) < 0.6e-6);
  }
}

TEST_CASE("CASIA-SURF and FaceBag are as large as the reference says") {
  struct network {
    graph g;
    std::size_t layers;
    std::int64_t parameters, macs;
    std::size_t edges;
  };
  for (auto const& n : {network{zoo::casia_surf(), 44, 13'239'360, 7'752'794'112, 43},
                        network{zoo::facebag(), 52, 24'738'294, 1'529'855'958, 51}}) {
    CAPTURE(n.layers);
    CHECK(n.g.size() == n.layers);
    CHECK(parameters_of(n.g) == n.parameters);
    CHECK(macs_of(n.g).count() == n.macs);
    std::size_t edges = 0, fed_by_three = 0;
    for (auto const v : operators(n.g)) {
      auto const in = inputs(n.g, v);
      edges += in.size();
      fed_by_three += in.size() == 3;
    }
    CHECK(edges == n.edges);
    CHECK(fed_by_three == 1);
  }
}

TEST_CASE("H2H's steps on CASIA-SURF, legal makespans") {
  check_steps(zoo::casia_surf(), {{0.125, {1141.418, 767.414, 644.583, 354.613}},
                                  {0.15, {970.436, 658.766, 556.407, 313.803}},
                                  {0.25, {628.472, 441.471, 380.055, 231.887}},
                                  {0.5, {372.000, 278.499, 247.791, 191.512}},
                                  {1.25, {218.116, 180.716, 168.433, 139.812}}});
}

TEST_CASE("H2H's steps on FaceBag, legal makespans") {
  check_steps(zoo::facebag(), {{0.125, {915.400, 205.226, 188.307, 139.510}},
                               {0.15, {779.587, 187.775, 173.675, 133.040}},
                               {0.25, {507.962, 152.875, 144.411, 120.099}},
                               {0.5, {304.243, 126.699, 122.462, 112.121}},
                               {1.25, {182.012, 110.994, 109.294, 106.569}}});
}
