// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io/json/mutations.hpp"
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/io/json/mapping.hpp>
#include <mars/mapping/validate.hpp>

#include <string>
#include <string_view>

namespace {

using namespace mars_test;
using mars::error_code;

auto const network = skip_network();
auto const machine = small(4);

auto error_in_mapping(std::string_view text) -> mars::error {
  auto const r = mars::io::load_mapping(text, network, machine);
  REQUIRE_FALSE(r);
  return r.error();
}

/// Everything a sharding can say, on two sets.
auto full_mapping() -> mars::mapping {
  auto m = skip_mapping(network);
  m.sets.push_back(set_of({3, 2}));
  m.operators[0].sharding.shared = along(network, 0, "k", 2);
  m.operators[2].set = mars::set_id{1U};
  m.operators[2].sharding.exclusive[0] = along(network, 2, "c", 2);
  m.operators[2].sharding.scatter = along(network, 2, "k", 1).dim;
  m.operators[3].sharding = {};
  return m;
}

std::string const written = R"({
  "schema": "mars.mapping/1",
  "workload": {"name": "skip", "operators": 4, "macs": 0, "parameters": 0},
  "latency_s": 0.5, "energy_j": null, "gap": 0, "search": {"policy": "by hand"}, "memory": [],
  "sets": [
    {"id": 7, "accelerators": [0, 1], "design": "gpu"},
    {"id": 3, "accelerators": [3, 2], "design": "gpu"}
  ],
  "operators": [
    {"name": "conv2", "set": 3, "exclusive": [{"dim": "c", "ways": 2}], "shared": null,
     "scatter": "k", "start_s": 0.2, "end_s": 0.3, "compute_s": 0.1, "communication_s": 0},
    {"name": "conv1", "set": 7, "exclusive": [{"dim": "y", "ways": 2}],
     "shared": {"dim": "k", "ways": 2}, "start_s": 0, "end_s": 0.1},
    {"name": "relu", "set": 7, "exclusive": [{"dim": "y", "ways": 2}], "scatter": null,
     "start_s": 0.1, "end_s": 0.2},
    {"name": "add", "set": 7, "exclusive": [], "start_s": 0.3, "end_s": 0.5}
  ]
})";

} // namespace

TEST_CASE("a mapping document becomes a mapping and a schedule") {
  auto const document = mars::io::load_mapping_document(written, network, machine).value();
  CHECK(document.mapping == full_mapping());
  REQUIRE(document.schedule.size() == 4);
  CHECK(document.schedule[2] == mars::time_span{mars::seconds{0.2}, mars::seconds{0.3}});
  CHECK(validate(document.mapping, network, machine, document.schedule).empty());
  CHECK(mars::io::load_mapping(written, network, machine).value() == full_mapping());

  auto partly = mars::io::parse_json(written).value();
  partly["operators"][1].erase("end_s");
  CHECK(mars::io::load_mapping_document(partly.dump(), network, machine)->schedule.empty());
}

TEST_CASE("what is written comes back equal, in the same bytes") {
  auto const m = full_mapping();
  auto const text = mars::io::write_json(mars::io::mapping_document_to_json(m, network));
  CHECK(mars::io::load_mapping(text, network, machine).value() == m);
  CHECK(mars::io::write_json(mars::io::mapping_document_to_json(
            mars::io::load_mapping(text, network, machine).value(), network)) == text);
  auto const parts = mars::io::mapping_to_json(m, network);
  CHECK(parts["sets"].dump() == R"([{"id":0,"accelerators":[0,1],"design":"gpu"},)"
                                R"({"id":1,"accelerators":[3,2],"design":"gpu"}])");
  CHECK(
      parts["operators"][0].dump() ==
      R"({"name":"conv1","set":0,"exclusive":[{"dim":"y","ways":2}],"shared":{"dim":"k","ways":2}})");
  CHECK(
      parts["operators"][2].dump() ==
      R"({"name":"conv2","set":1,"exclusive":[{"dim":"c","ways":2}],"shared":null,"scatter":"k"})");
}

TEST_CASE("algorithms, formats and compressions are written where they are named, and come back") {
  auto m = full_mapping();
  m.operators[1].algorithm = "winograd_f4x3";
  m.operators[2].format = "nchwc";
  m.operators[2].compression = "int8";
  auto const j = mars::io::mapping_document_to_json(m, network);
  CHECK_FALSE(j["operators"][0].contains("algorithm"));
  CHECK_FALSE(j["operators"][1].contains("format"));
  CHECK(j["operators"][1]["algorithm"] == "winograd_f4x3");
  CHECK(j["operators"][2]["format"] == "nchwc");
  auto document = mars::io::parse_json(mars::io::write_json(j)).value();
  CHECK(mars::io::load_mapping(document.dump(), network, machine).value() == m);
  document["operators"][1]["algorithm"] = 3;
  CHECK(error_in_mapping(document.dump()).path == "operators[1].algorithm");
  document["operators"][1]["algorithm"] = nullptr;
  m.operators[1].algorithm.clear();
  CHECK(mars::io::load_mapping(document.dump(), network, machine).value() == m);
}

TEST_CASE("streams are written and read; of operators without one it is stream 0") {
  auto m = full_mapping();
  for (auto const v : {0U, 1U, 2U, 3U}) m.launch_order.push_back(mars::operator_id{v});
  auto const j = mars::io::mapping_document_to_json(m, network);
  CHECK_FALSE(j["operators"][1].contains("stream"));
  m.streams = {mars::stream_id{0U}, mars::stream_id{2U}, mars::stream_id{0U}, mars::stream_id{1U}};
  auto const text = mars::io::write_json(mars::io::mapping_document_to_json(m, network));
  CHECK(mars::io::load_mapping(text, network, machine).value() == m);
  auto document = mars::io::parse_json(text).value();
  CHECK(document["operators"][1]["stream"] == 2);
  document["operators"][1].erase("stream");
  m.streams[1] = mars::stream_id{0U};
  CHECK(mars::io::load_mapping(document.dump(), network, machine).value() == m);
  for (auto const* bad : {"-1", "0.5", "4294967296", "null", "\"0\""}) {
    CAPTURE(bad);
    document["operators"][3]["stream"] = mars::io::parse_json(bad).value();
    CHECK(error_in_mapping(document.dump()).path == "operators[3].stream");
  }
}

TEST_CASE("documents that do not fit workload or system are refused where they go wrong") {
  auto const changed = [](auto change) {
    auto document = mars::io::parse_json(written).value();
    change(document);
    return error_in_mapping(document.dump());
  };
  using mars::io::json;
  auto e = changed([](json& d) { d["operators"][0]["name"] = "conv3"; });
  CHECK(e.path == "operators[0].name");
  CHECK_THAT(e.detail, contains_text("did you mean conv"));
  e = changed([](json& d) { d["operators"][1]["name"] = "conv2"; });
  CHECK(e.code == error_code::duplicate);
  CHECK(e.path == "operators[1].name");
  e = changed([](json& d) { d["operators"].erase(3); });
  CHECK(e.code == error_code::invalid_mapping);
  CHECK(e.path == "operators");
  CHECK_THAT(e.detail, contains_text("'add'"));
  e = changed([](json& d) { d["operators"][2]["set"] = 1; });
  CHECK(e.path == "operators[2].set");
  e = changed([](json& d) { d["operators"][1]["exclusive"][0]["dim"] = "z"; });
  CHECK(e.path == "operators[1].exclusive[0].dim");
  CHECK_THAT(e.wanted, contains_text("one of n, k, y, x"));
  e = changed([](json& d) { d["operators"][1]["exclusive"][0]["ways"] = 1; });
  CHECK(e.path == "operators[1].exclusive[0].ways");
  e = changed([](json& d) {
    d["operators"][1]["exclusive"] = json::array({{{"dim", "n"}, {"ways", 2}},
                                                  {{"dim", "k"}, {"ways", 2}},
                                                  {{"dim", "y"}, {"ways", 2}},
                                                  {{"dim", "x"}, {"ways", 2}},
                                                  {{"dim", "c"}, {"ways", 2}},
                                                  {{"dim", "r"}, {"ways", 2}},
                                                  {{"dim", "s"}, {"ways", 2}}});
  });
  CHECK(e.path == "operators[1].exclusive");
  e = changed([](json& d) { d["operators"][0]["scatter"] = "q"; });
  CHECK(e.path == "operators[0].scatter");
  e = changed([](json& d) { d["sets"][0]["accelerators"][1] = 4; });
  CHECK(e.path == "sets[0].accelerators[1]");
  e = changed([](json& d) { d["sets"][1]["id"] = 7; });
  CHECK(e.code == error_code::duplicate);
  e = changed([](json& d) { d["operators"][0]["end_s"] = -1; });
  CHECK(e.path == "operators[0].end_s");
  e = changed([](json& d) { d["schema"] = "mars.mapping/9"; });
  CHECK(e.code == error_code::unsupported);
  e = changed([](json& d) { d["latencys"] = 1; });
  CHECK(e.code == error_code::unknown_key);
}

TEST_CASE("one mutation of a mapping is an error that names it, or a mapping that can be judged") {
  for (auto const& m : mars_test::mutations_of(written)) {
    CAPTURE(m.what);
    auto const r = mars::io::load_mapping_document(m.text, network, machine);
    if (r) {
      (void)validate(r->mapping, network, machine);
      if (!r->schedule.empty()) (void)validate(r->mapping, network, machine, r->schedule);
      continue;
    }
    CAPTURE(to_string(r.error()));
    auto const& path = r.error().path;
    // A set's id that changed is missed where it is used; a name that changed leaves one out.
    bool const named = path == m.where || path.rfind(m.where, 0) == 0 ||
                       m.where.rfind(path, 0) == 0 || path.find("].set") != std::string::npos;
    CHECK(named);
  }
}

TEST_CASE("launch orders, uneven parts and streamed weights come back equal") {
  auto m = skip_mapping(network);
  m.sets.push_back(set_of({1, 2}));
  m.operators[1].set = mars::set_id{1U};
  m.operators[0].sharding.parts = {3, 5};
  m.operators[2].weights = mars::residency::streamed;
  for (std::size_t v = 0; v < 4; ++v) m.launch_order.emplace_back(v);
  auto const text = mars::io::write_json(mars::io::mapping_document_to_json(m, network));
  CHECK(mars::io::load_mapping(text, network, machine).value() == m);
  auto const parts = mars::io::mapping_to_json(m, network);
  CHECK(parts["launch_order"].dump() == R"(["conv1","relu","conv2","add"])");
  CHECK(parts["operators"][0]["exclusive"].dump() == R"([{"dim":"y","ways":2,"parts":[3,5]}])");
  CHECK(parts["operators"][2]["weights"] == "streamed");
  CHECK_FALSE(parts["operators"][0].contains("weights"));
  m.launch_order.clear();
  CHECK_FALSE(mars::io::mapping_to_json(m, network).contains("launch_order"));

  auto const said = [&](auto change) {
    auto document = mars::io::parse_json(text).value();
    change(document);
    return error_in_mapping(document.dump());
  };
  using mars::io::json;
  auto e = said([](json& d) { d["launch_order"][2] = "conv3"; });
  CHECK(e.code == error_code::unknown_name);
  CHECK(e.path == "launch_order[2]");
  CHECK(said([](json& d) { d["launch_order"][0] = 0; }).path == "launch_order[0]");
  CHECK(said([](json& d) { d["launch_order"] = json::array(); }).path == "launch_order");
  CHECK(said([](json& d) { d["launch_order"] = "conv1"; }).path == "launch_order");
  CHECK(said([](json& d) { d["operators"][2]["weights"] = "gone"; }).path ==
        "operators[2].weights");
  CHECK(said([](json& d) { d["operators"][0]["exclusive"][0]["parts"][1] = 0; }).path ==
        "operators[0].exclusive[0].parts[1]");
  CHECK(said([](json& d) { d["operators"][0]["exclusive"][0]["parts"] = 8; }).path ==
        "operators[0].exclusive[0].parts");
  CHECK(said([](json& d) {
          d["operators"][0]["exclusive"].push_back(
              {{"dim", "x"}, {"ways", 2}, {"parts", json::array({3, 5})}});
        }).path == "operators[0].exclusive[1].parts"); // the first cut only
  // Of the wrong length, or in the wrong order: read, and for `validate` to judge.
  auto document = mars::io::parse_json(text).value();
  document["launch_order"].erase(3);
  document["operators"][0]["exclusive"][0]["parts"].push_back(1);
  auto const odd = mars::io::load_mapping(document.dump(), network, machine);
  REQUIRE(odd);
  CHECK_FALSE(validate(*odd, network, machine).empty());
}
