// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// H2H's tables: networks, accelerators, and the latency of every layer on every accelerator.
#include "support/catch.hpp"

#include <mars/collective/cheapest.hpp>
#include <mars/cost/analytical.hpp>
#include <mars/evaluation/evaluate.hpp>
#include <mars/evaluation/staging.hpp>
#include <mars/hardware/presets.hpp>
#include <mars/io/files.hpp>
#include <mars/io/json/system.hpp>
#include <mars/io/json/workload.hpp>
#include <mars/workload/layer_table.hpp>
#include <mars/zoo/multi_modal.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {
using mars_test::contains_text;
using table_json = mars::io::json;

std::string const small_table = R"({
  "schema": "mars.h2h.model/1", "name": "small", "batch": 1, "element_bits": 32,
  "totals": {"layers": 3, "parameters": 2296, "macs": 129952},
  "layers": [
    {"id": "M1L1", "modality": 1, "kind": "conv", "M_out_channels": 8, "N_in_channels": 3,
     "R_out_rows": 16, "C_out_cols": 16, "K_kernel": 3, "stride": 1},
    {"id": "M1L2", "modality": 1, "kind": "conv", "M_out_channels": 16, "N_in_channels": 8,
     "R_out_rows": 8, "C_out_cols": 8, "K_kernel": 3, "stride": 1},
    {"id": "M2L1", "modality": 2, "kind": "fc", "M_out_channels": 4, "N_in_channels": 232,
     "R_out_rows": 1, "C_out_cols": 1, "K_kernel": 1, "stride": 1}
  ],
  "edges": [{"from": "M1L1", "to": "M1L2", "kind": "chain"},
            {"from": "M1L2", "to": "M2L1", "kind": "cross_modality"}]
})";

std::string const small_boards = R"({
  "schema": "mars.h2h.accelerators/1", "GB_means_bytes": 1000000000,
  "host_bandwidth_levels": [{"name": "Low", "GB_per_s": 0.15}, {"name": "High", "GB_per_s": 1.25}],
  "accelerators": [
    {"id": "a", "board": "x", "supported_kinds": ["conv", "fc"], "throughput_GOP_per_s": 80,
     "clock_MHz": 100, "dram_port_bits": 512, "dram_GB": 2, "weight_fraction_of_dram": 0.5,
     "power_W": 20,
     "tile": {"Tm_out_channels": 16, "Tn_in_channels": 8, "Tr_out_rows": 7, "Tc_out_cols": 9,
              "Tr_in_rows": 10, "Tc_in_cols": 11}}
  ]
})";

/// What is said of a document changed in one place.
template <class Load, class Change>
auto said_of(Load load, std::string const& text, Change change) -> mars::error {
  auto document = mars::io::parse_json(text).value();
  change(document);
  auto const r = load(document.dump());
  REQUIRE_FALSE(r);
  return r.error();
}

#ifdef MARS_TEST_SHARED_DIR
auto shared_h2h(std::string const& name) -> std::string {
  return mars::io::read_file(std::string{MARS_TEST_SHARED_DIR} + "/data/h2h/" + name).value();
}
#endif

} // namespace

TEST_CASE("a table of layers becomes a graph") {
  auto const g = mars::io::load_workload(small_table).value();
  CHECK(g.name() == "small");
  REQUIRE(g.size() == 3);
  CHECK(inputs(g, mars::operator_id{1U}).size() == 1);
  CHECK(op(g, mars::operator_id{2U}).kind == mars::op_kind::matmul);
  CHECK(parameters_of(g) == 8 * 3 * 9 + 16 * 8 * 9 + 4 * 232);
  CHECK(macs_of(g).count() == 8 * 3 * 9 * 256 + 16 * 8 * 9 * 64 + 4 * 232);

  auto const said = [](auto change) {
    return said_of([](auto const& t) { return mars::io::load_workload(t); }, small_table, change);
  };
  auto e = said([](table_json& d) { d["totals"]["macs"] = 129953; });
  CHECK(e.path == "totals.macs");
  CHECK_THAT(e.wanted, contains_text("129952"));
  CHECK(said([](table_json& d) { d["totals"]["layers"] = 4; }).path == "totals.layers");
  CHECK(said([](table_json& d) { d["totals"]["parameters"] = 0; }).path == "totals.parameters");
  e = said([](table_json& d) { d["edges"][1]["from"] = "M9L9"; });
  CHECK(e.code == mars::error_code::dangling);
  CHECK(e.path == "edges[1].from");
  CHECK(said([](table_json& d) { d["edges"][0]["to"] = "nobody"; }).path == "edges[0].to");
  CHECK(said([](table_json& d) { d["edges"][0]["kind"] = "shortcut"; }).path == "edges[0].kind");
  e = said([](table_json& d) { d["layers"][1]["id"] = "M1L1"; });
  CHECK(e.code == mars::error_code::duplicate);
  CHECK(e.path == "layers[1].id");
  CHECK(said([](table_json& d) { d["layers"][0]["M_out_channels"] = 0; }).path ==
        "layers[0].M_out_channels");
  CHECK(said([](table_json& d) { d["layers"][0].erase("K_kernel"); }).path == "layers[0].K_kernel");
  CHECK(said([](table_json& d) { d["layers"][0]["stride"] = 2; }).path == "layers[0].stride");
  CHECK(said([](table_json& d) { d["layers"][0]["kind"] = "pool"; }).path == "layers[0].kind");
  CHECK(said([](table_json& d) { d["layers"][0]["colour"] = 1; }).path == "layers[0].colour");
  CHECK(said([](table_json& d) { d["batch"] = 2; }).path == "batch");
  // A reader before what it reads: a cycle of two.
  CHECK_FALSE(mars::io::load_workload([] {
    auto d = mars::io::parse_json(small_table).value();
    d.erase("totals");
    d["edges"].push_back({{"from", "M1L2"}, {"to", "M1L1"}});
    return d.dump();
  }()));
}

TEST_CASE("a table of accelerators becomes a staged system") {
  auto const s = mars::io::load_system(small_boards).value();
  REQUIRE(s.size() == 1);
  CHECK(s.validate());
  CHECK(s.accelerators[0].name == "a");
  CHECK(s.accelerators[0].memory().count() == 1'000'000'000);
  REQUIRE(s.accelerators[0].designs().size() == 2);
  auto const* d = s.accelerators[0].designs()[0].get_if<mars::hardware::h2h>();
  REQUIRE(d != nullptr);
  CHECK(*d == mars::hardware::h2h{.title = "h2h-conv",
                                  .rate = mars::flops_per_second{80e9},
                                  .clock = mars::hertz{100e6},
                                  .tm = 16,
                                  .tn = 8,
                                  .tr = 7,
                                  .tc = 9,
                                  .tr_in = 10,
                                  .tc_in = 11,
                                  .power = mars::watts{20}});
  CHECK(s.accelerators[0].designs()[1].name() == "h2h-fc");
  auto const* net = s.interconnect.get_if<mars::interconnect::host_staged>();
  REQUIRE(net != nullptr);
  CHECK(net->bandwidth.count() == 0.15e9); // the first level
  CHECK(net->follow_first);

  auto const said = [](auto change) {
    return said_of([](auto const& t) { return mars::io::load_system(t); }, small_boards, change);
  };
  CHECK(said([](table_json& j) { j["host_bandwidth_levels"][1]["GB_per_s"] = 0; }).path ==
        "host_bandwidth_levels[1].GB_per_s");
  CHECK(said([](table_json& j) { j["host_bandwidth_levels"] = table_json::array(); }).path ==
        "host_bandwidth_levels");
  CHECK(said([](table_json& j) { j["accelerators"] = table_json::array(); }).path ==
        "accelerators");
  CHECK(said([](table_json& j) {
          j["accelerators"][0]["supported_kinds"] = table_json::array();
        }).path == "accelerators[0].supported_kinds");
  CHECK(said([](table_json& j) { j["accelerators"][0]["supported_kinds"][1] = "pool"; }).path ==
        "accelerators[0].supported_kinds[1]");
  CHECK(said([](table_json& j) { j["accelerators"][0]["clock_MHz"] = -1; }).path ==
        "accelerators[0].clock_MHz");
  CHECK(said([](table_json& j) { j["accelerators"][0]["tile"].erase("Tc_in_cols"); }).path ==
        "accelerators[0].tile.Tc_in_cols");
}

TEST_CASE("H2H's design and staged links in a system document") {
  std::string const text = R"({"schema": "mars.system/1", "name": "pair", "accelerators": [
      {"name": "a", "count": 2, "memory_bytes": 1e9, "designs": [
        {"kind": "h2h", "name": "conv", "layers": "conv", "rate_flops_per_s": 8e10, "clock_hz": 1e8,
         "tm": 16}]}],
      "interconnect": {"kind": "host_staged", "bandwidths_bytes_per_s": [1e9, 5e8],
                       "latency_s": 1e-6}})";
  auto const s = mars::io::load_system(text).value();
  auto const* d = s.accelerators[1].designs()[0].get_if<mars::hardware::h2h>();
  REQUIRE(d != nullptr);
  CHECK(d->tm == 16);
  CHECK(d->tn == 32);
  CHECK(mars::is_staged(s.interconnect));
  CHECK_FALSE(mars::joins_follow_first(s.interconnect));
  // 1 µs and a millisecond; half as fast.
  CHECK(s.interconnect.host_time(mars::accelerator_id{1U}, mars::bytes{500'000}).count() ==
        mars_test::approx(1.001e-3));
  auto const written = mars::io::write_json(mars::io::system_to_json(s).value());
  auto const back = mars::io::load_system(written).value();
  CHECK(back.accelerators == s.accelerators);
  CHECK(*back.interconnect.get_if<mars::interconnect::host_staged>() ==
        *s.interconnect.get_if<mars::interconnect::host_staged>());
  auto const said = [&](auto change) {
    return said_of([](auto const& t) { return mars::io::load_system(t); }, text, change).path;
  };
  CHECK(said([](table_json& j) { j["accelerators"][0]["designs"][0]["layers"] = "pool"; }) ==
        "accelerators[0].designs[0].layers");
  CHECK(said([](table_json& j) { j["accelerators"][0]["designs"][0].erase("clock_hz"); }) ==
        "accelerators[0].designs[0].clock_hz");
  CHECK(said([](table_json& j) { j["accelerators"][0]["designs"][0]["tn"] = 0; }) ==
        "accelerators[0].designs[0].tn");
  CHECK_THAT(said([](table_json& j) { j["interconnect"]["bandwidths_bytes_per_s"].erase(1); }),
             contains_text("interconnect"));
}

TEST_CASE("the networks of the zoo are those of the tables, operator by operator") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  for (auto const& [file, built] : {std::pair{"casia_surf.json", mars::zoo::casia_surf()},
                                    std::pair{"facebag.json", mars::zoo::facebag()}}) {
    CAPTURE(file);
    auto const read = mars::io::load_workload(shared_h2h(file)).value();
    REQUIRE(read.size() == built.size());
    for (auto const v : operators(read)) {
      CAPTURE(op(read, v).name);
      CHECK(same_signature(op(read, v), op(built, v)));
      CHECK(op(read, v).name == op(built, v).name);
      auto const a = inputs(read, v);
      auto const b = inputs(built, v);
      CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
  }
#endif
}

TEST_CASE("the presets are the table of accelerators at its five levels") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  auto document = mars::io::parse_json(shared_h2h("accelerators.json")).value();
  auto const levels = document["host_bandwidth_levels"];
  REQUIRE(levels.size() == std::size(mars::presets::h2h_levels));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    document["host_bandwidth_levels"] = table_json::array({levels[i]});
    auto const read = mars::io::load_system(document.dump()).value();
    auto const preset = mars::presets::find(mars::presets::h2h_levels[i].info.name).value();
    CAPTURE(preset.name);
    REQUIRE(read.size() == preset.size());
    for (std::size_t a = 0; a < read.size(); ++a) {
      CAPTURE(a);
      CHECK(read.accelerators[a] == preset.accelerators[a]);
    }
    CHECK(*read.interconnect.get_if<mars::interconnect::host_staged>() ==
          *preset.interconnect.get_if<mars::interconnect::host_staged>());
  }
#endif
}

TEST_CASE("every layer takes on every accelerator what the reference says") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  auto const reference = mars::io::parse_json(shared_h2h("reference_latencies.json")).value();
  auto const tolerance = reference["relative_tolerance"].get<double>();
  std::size_t cases = 0;
  for (auto const& layer : reference["layers"]) {
    auto const size = [&](char const* key) {
      return layer.contains(key) ? layer[key].get<std::int64_t>() : std::int64_t{1};
    };
    auto const kind = layer["kind"].get<std::string>();
    mars::table_layer l{.name = "one", .kind = mars::table_layer::what::conv};
    l.out_channels = size(kind == "lstm" ? "H_hidden" : "M_out_channels");
    l.in_channels = size(kind == "lstm" ? "D_input" : "N_in_channels");
    l.rows = size("R_out_rows");
    l.columns = size("C_out_cols");
    l.kernel = size("K_kernel");
    l.steps = size("steps");
    if (kind == "fc") l.kind = mars::table_layer::what::fc;
    if (kind == "lstm") l.kind = mars::table_layer::what::lstm;
    auto const g = mars::graph_of_table("one", {l}, {}, 32).value();
    for (auto const& c : reference["cases"]) {
      if (c["layer"] != layer["id"]) continue;
      CAPTURE(c.dump());
      ++cases;
      mars::any_system const system =
          mars::presets::h2h(mars::bytes_per_second{c["host_GB_per_s"].get<double>() * 1e9});
      std::size_t a = 0;
      while (system.accelerators.at(a).name != c["accelerator"].get<std::string>()) ++a;
      mars::mapping m;
      m.sets = {
          {{mars::accelerator_id{a}}, std::string{system.accelerators[a].designs()[0].name()}}};
      m.operators = {{mars::set_id{0U}, {}, mars::residency::streamed}};
      m.launch_order = {mars::operator_id{0U}};
      auto const e = evaluate(g, system, m, mars::cost::analytical{}, mars::collective::standard{})
                         .value()
                         .operators[0];
      auto time = to_seconds(e.compute);
      if (c["moves_weights"].get<bool>()) time = time + to_seconds(e.weights);
      if (c["moves_input"].get<bool>()) time = time + to_seconds(e.redistribution);
      if (c["moves_output"].get<bool>()) time = time + to_seconds(e.results);
      auto const wanted = c["latency_ms"].get<double>();
      // And two picoseconds: every part is a whole number of them.
      CHECK(std::abs(time.count() * 1e3 - wanted) <= tolerance * wanted + 2e-9);
    }
  }
  CHECK(cases == reference["cases"].size());
  CHECK(cases == 470);
#endif
}
