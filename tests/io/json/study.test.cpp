// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/small_study.hpp"

#include <mars/exploration/analyse.hpp>
#include <mars/io/study/json.hpp>

#include <nlohmann/json.hpp>

#include <string>

using namespace mars;
namespace ex = mars::exploration;

TEST_CASE("a study as JSON says what it is made of, and what follows") {
  auto s = mars_test::small_study();
  ex::best_algorithms best{.time = seconds{9}, .operators = {}};
  best.operators.push_back({"conv", "dense", "sparse", "nchw", "nchw", seconds{1}, seconds{}});
  s.best.push_back(best);
  best.compression = 1;
  s.best.push_back(best);
  ex::analyse(s);
  auto const text = io::study_json(s);
  auto const j = nlohmann::json::parse(text);
  CHECK(j["schema"] == "mars.study/1");
  CHECK(j["axes"]["compression"][1]["sparsity"] == 0.5);
  CHECK(j["axes"]["design"][0]["note"] == "a \"core\"");
  CHECK(j["cells"]["legal"] == 40);
  CHECK(j["cells"]["rejected"] == 8);
  CHECK(j["cells"]["product"] == 48);
  CHECK(j["cells"]["by_reason"][0]["cells"] == 8);
  REQUIRE(j["cells"]["rows"].size() == 40);
  for (auto const& row : j["cells"]["rows"]) CHECK(row.size() == j["cells"]["columns"].size());
  CHECK(j["cells"]["columns"][5] == "time_s");
  CHECK(j["cells"]["rows"][0][5] == 100.0);
  CHECK(j["cells"]["rows"][0][12].is_null()); // energy
  CHECK(j["correlations"]["with_time"][0]["n"] == 40);
  CHECK(j["findings"].size() == 4);
  CHECK(j["pareto"][0]["network"].is_null());
  CHECK(j["pareto"].size() == s.fronts.size());
  CHECK(j["variance"]["method"] == "orthogonal");
  CHECK(j["break_even"].size() == 8);
  CHECK(j["best_algorithms"][0]["operators"].size() == 1);
  CHECK(!j["best_algorithms"][1].contains("operators")); // counted only
  CHECK(j["best_algorithms"][1]["algorithms"]["dense"] == 1);
  CHECK(io::study_json(s) == text);
}

TEST_CASE("the study of nothing is JSON too") {
  CHECK(nlohmann::json::parse(io::study_json({}))["cells"]["legal"] == 0);
}
