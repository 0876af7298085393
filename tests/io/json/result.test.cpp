// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/io/json/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mars_test;
using mars::io::ordered_json;

auto const skip = skip_network();
auto const pair = small(2);

auto priced(mars::mapping const& m, small_system const& on = pair) -> mars::plan {
  return mars::mapper{}.price(skip, on, m).value();
}
/// Everything on accelerator 0.
auto alone() -> mars::mapping { return {{set_of({0})}, std::vector<mars::placement>(skip.size())}; }
auto keys_of(ordered_json const& j) -> std::vector<std::string> {
  std::vector<std::string> keys;
  for (auto const& [key, value] : j.items()) keys.push_back(key);
  return keys;
}

} // namespace

TEST_CASE("a result document has the keys of the contract, in its order") {
  auto const j = mars::io::result_to_json(skip, pair, priced(skip_mapping(skip)));
  CHECK(keys_of(j) == std::vector<std::string>{"schema",
                                               "workload",
                                               "system",
                                               "objective",
                                               "latency_s",
                                               "throughput_per_s",
                                               "energy_j",
                                               "lower_bound_s",
                                               "gap",
                                               "binding_bound",
                                               "baseline_latency_s",
                                               "reduction_vs_baseline",
                                               "search",
                                               "memory",
                                               "sets",
                                               "operators",
                                               "semantics",
                                               "feasible",
                                               "shortages",
                                               "warnings"});
  for (auto const& key : keys_of(j)) {
    CAPTURE(key);
    CHECK(std::find(mars::io::mapping_keys.begin(), mars::io::mapping_keys.end(), key) !=
          mars::io::mapping_keys.end());
  }
  CHECK(keys_of(j["workload"]) ==
        std::vector<std::string>{"name", "operators", "macs", "parameters"});
  CHECK(keys_of(j["system"]) == std::vector<std::string>{"name", "accelerators"});
  CHECK(keys_of(j["search"]) == std::vector<std::string>{"policy", "seed", "evaluations", "wall_s",
                                                         "evaluations_per_s", "exhausted"});
  CHECK(keys_of(j["memory"][0]) ==
        std::vector<std::string>{"accelerator", "peak_bytes", "capacity_bytes"});
  CHECK(keys_of(j["sets"][0]) == std::vector<std::string>{"id", "accelerators", "design"});
  CHECK(keys_of(j["operators"][0]) == std::vector<std::string>{"name", "set", "exclusive", "shared",
                                                               "start_s", "end_s", "compute_s",
                                                               "communication_s"});
  // conv1: 8·8·8·4·9 MACs and 8·4·9 weights; conv2: 8·8·8·8 and 8·8.
  CHECK(j["workload"]["name"] == "skip");
  CHECK(j["workload"]["operators"] == 4);
  CHECK(j["workload"]["macs"] == 18'432 + 4'096);
  CHECK(j["workload"]["parameters"] == 288 + 64);
  CHECK(j["system"]["name"] == "small");
  CHECK(j["system"]["accelerators"] == 2);
}

TEST_CASE("times of a result document are those of the plan and survive text") {
  auto const plan = priced(skip_mapping(skip));
  auto const text = mars::io::write_json(mars::io::result_to_json(skip, pair, plan));
  auto const j = mars::io::parse_json(text).value();
  CHECK(j["latency_s"].get<double>() == plan.latency().count());
  CHECK(j["throughput_per_s"].get<double>() ==
        1.0 / to_seconds(plan.evaluation.bottleneck).count());
  for (std::size_t v = 0; v < skip.size(); ++v) {
    auto const& e = plan.evaluation.operators[v];
    auto const& o = j["operators"][v];
    CHECK(o["start_s"].get<double>() == to_seconds(e.start).count());
    CHECK(o["end_s"].get<double>() == to_seconds(e.end).count());
    CHECK(o["compute_s"].get<double>() == to_seconds(e.compute).count());
    CHECK(o["communication_s"].get<double>() == to_seconds(e.communication()).count());
  }
  auto const back = mars::io::load_mapping_document(text, skip, pair).value();
  CHECK(back.mapping == plan.mapping);
  REQUIRE(back.schedule.size() == skip.size());
  CHECK(back.schedule.back().end == plan.latency());
  CHECK(priced(back.mapping).evaluation.latency == plan.evaluation.latency);
}

TEST_CASE("streams of a result: what was made of them, and of each operator") {
  auto m = alone();
  for (auto const v : {0U, 1U, 2U, 3U}) m.launch_order.push_back(mars::operator_id{v});
  m.streams.resize(4);
  auto const j = mars::io::result_to_json(
      skip, pair, priced(m),
      {.streams = mars::io::stream_result{"opara", 3, mars::picoseconds{2'500'000}}});
  CHECK(j["semantics"] == "streamed");
  CHECK(j["streams"].dump() ==
        R"({"scheduler":"opara","streams":3,"latency_one_stream_s":2.5e-06})");
  CHECK(j["operators"][3]["stream"] == 0);
  CHECK(mars::io::load_mapping(j.dump(), skip, pair).value() == m);
}

TEST_CASE("what a result document does not know is null") {
  auto const plan = priced(skip_mapping(skip));
  auto const j = mars::io::result_to_json(skip, pair, plan);
  for (auto const* key : {"energy_j", "lower_bound_s", "gap", "binding_bound", "baseline_latency_s",
                          "reduction_vs_baseline"}) {
    CAPTURE(key);
    CHECK(j[key].is_null());
  }
  CHECK(j["search"]["evaluations_per_s"] == 0.0);
  CHECK(j["warnings"].empty());
}

TEST_CASE("a result document compares with the bound and the baseline") {
  auto const baseline = priced(alone());
  auto plan = priced(skip_mapping(skip));
  plan.bound = {plan.value / 4, "path"};
  plan.policy = "genetic";
  plan.evaluations = 500;
  plan.wall = mars::seconds{0.25};
  auto const j = mars::io::result_to_json(
      skip, pair, plan, {.baseline = &baseline, .seed = 42, .warnings = {"guessed"}});
  auto const latency = j["latency_s"].get<double>();
  CHECK(j["lower_bound_s"].get<double>() == approx(latency / 4).epsilon(1e-6));
  CHECK(j["gap"].get<double>() == approx(0.75).epsilon(1e-6));
  CHECK(j["binding_bound"] == "path");
  CHECK(j["baseline_latency_s"].get<double>() == baseline.latency().count());
  CHECK(j["reduction_vs_baseline"].get<double>() ==
        approx(1 - latency / baseline.latency().count()).epsilon(1e-12));
  CHECK(j["search"]["policy"] == "genetic");
  CHECK(j["search"]["seed"] == 42);
  CHECK(j["search"]["evaluations"] == 500);
  CHECK(j["search"]["evaluations_per_s"] == 2000.0);
  CHECK(j["warnings"] == ordered_json::array({"guessed"}));
}

TEST_CASE("a result document of a mapping that does not fit says what is short") {
  // conv1 alone has 576 bytes of weights, an input of 512 and a result of 1024 bytes.
  auto const tight = small(2, 1'000);
  auto const plan = priced(alone(), tight);
  auto const j = mars::io::result_to_json(skip, tight, plan, {.baseline = &plan});
  CHECK(j["feasible"] == false);
  for (auto const* key : {"latency_s", "throughput_per_s", "energy_j", "gap", "baseline_latency_s",
                          "reduction_vs_baseline"}) {
    CAPTURE(key);
    CHECK(j[key].is_null());
  }
  REQUIRE(j["shortages"].size() == 1);
  auto const& s = j["shortages"][0];
  CHECK(s["what"] == "memory");
  CHECK(s["accelerator"] == 0);
  CHECK(s["capacity_bytes"] == 1'000);
  CHECK(s["demand_bytes"].get<std::int64_t>() > 576 + 1024);
  CHECK(s["largest_weights"] == ordered_json::array({"conv1", "conv2"}));
  // Still a mapping that can be loaded.
  CHECK(mars::io::load_mapping(mars::io::write_json(j), skip, tight).value() == plan.mapping);

  // The design "wino" runs 3×3 convolutions only.
  auto refused = alone();
  refused.sets[0].design = "wino";
  auto const r = mars::io::result_to_json(skip, pair, priced(refused));
  CHECK(r["feasible"] == false);
  REQUIRE_FALSE(r["shortages"].empty());
  CHECK(r["shortages"][0]["what"] == "unsupported");
  CHECK(r["shortages"][0]["operator"] == "conv2");
}
