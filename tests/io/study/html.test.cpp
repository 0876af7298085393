// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/html_page.hpp"
#include "support/synthetic_study.hpp"

#include <mars/io/study/html.hpp>

#if MARS_HAS_JSON
#include <nlohmann/json.hpp>
#endif

#include <cstddef>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace ex = mars::exploration;
using mars::io::study_html;
using mars_test::count;
using mars_test::nesting_error;

/// What lies between two marks of a page.
auto between(std::string const& page, std::string_view from, std::string_view to) -> std::string {
  auto const begin = page.find(from);
  REQUIRE(begin != page.npos);
  auto const end = page.find(to, begin);
  REQUIRE(end != page.npos);
  return page.substr(begin + from.size(), end - begin - from.size());
}
auto data_of(std::string const& page) -> std::string {
  return between(page, "id=\"mars-data\">", "</script>");
}
/// Its content, without style, data and script.
auto body_of(std::string const& page) -> std::string { return between(page, "<main>", "</main>"); }

/// One network on one design: none, int8 and a pruning, whose accuracy nobody knows.
auto three_cells() -> ex::study {
  ex::study s;
  s.axes = {{{"network", {{"n", "", {}}}},
             {"compression", {{"none", "", {}}, {"int8", "", {}}, {"pruned", "", {}}}},
             {"primitive", {{"direct", "", {}}}},
             {"code generation", {{"tuned", "", {}}}},
             {"design", {{"cpu", "", {}}}}}};
  for (std::uint16_t c = 0; c < 3; ++c) {
    ex::cell x;
    x.at = {0, c, 0, 0, 0};
    x.time = mars::seconds{1e-3 * (4 - c)};
    x.weights = mars::bytes{4'000'000 / (c + 1)};
    if (c < 2) x.accuracy = {ex::provenance::published, 70.0 - c, 70, "somebody", ""};
    s.cells.push_back(x);
  }
  s.fronts = {{0, 0, {ex::criterion::accuracy, ex::criterion::time}, 2, {1, 0}},
              {0, 0, {ex::criterion::model_bytes, ex::criterion::time}, 1, {2}}};
  return s;
}

} // namespace

TEST_CASE("the page of a study is one well-formed file that asks for nothing else") {
  auto const s = mars_test::make_synthetic_study();
  auto const page = study_html(s);
  CHECK(nesting_error(page).empty());
  bool const same = page == study_html(mars_test::make_synthetic_study());
  CHECK(same);
  CHECK(count(page, "http") == 0);
  CHECK(count(page, "src=") == 0);
  CHECK(count(page, "@import") == 0);
  CHECK(count(page, "url(") == count(page, "url(#"));
  for (auto const* part : {"nan", "Minf", "\"inf", "inf%", "-inf", ":inf", ",inf"})
    CHECK(count(body_of(page) + data_of(page), part) == 0);
  // A card for each output of a study, each linked to from the top.
  for (auto const* card :
       {"legality", "pareto", "cells", "measured", "variance", "moves", "interactions",
        "correlation", "compression", "break-even", "algorithms", "flips"}) {
    INFO(card);
    CHECK(count(page, std::string{"<section class=\"card\" id=\""} + card + "\">") == 1);
    CHECK(count(page, std::string{"<a href=\"#"} + card + "\">") == 1);
  }
  CHECK(count(page, "<p class=\"see\">") == 12); // each plot says what to see in it
  for (auto const& f : s.findings) CHECK(count(page, f.evidence) == 1);
  CHECK(count(page, "class=\"finding holds\"") == 2);
  CHECK(count(page, "class=\"finding fails\"") == 1);
  CHECK(count(page, "class=\"finding open\"") == 1);
}

TEST_CASE("every cell of a study stands in its page, and so does why others do not") {
  auto const s = mars_test::make_synthetic_study();
  auto const page = study_html(s);
  REQUIRE(s.cells.size() + s.rejected.size() == s.product());
  auto const tiles = between(page, "<section class=\"tiles\">", "</section>");
  CHECK(count(tiles, "<strong>" + mars::io::detail::count_text(s.cells.size()) + "</strong>") == 1);
  CHECK(count(tiles, "<strong>" + mars::io::detail::count_text(s.rejected.size()) + "</strong>") ==
        1);
  // As a rectangle of the heat map,
  CHECK(count(between(page, "<g id=\"heat-cells\">", "</g>"), "z") == s.cells.size());
  CHECK(count(between(page, "<path class=\"hatched\" d=\"", "\"/>"), "z") == s.rejected.size());
  // as a mark beside the others of its network and of its design, and as one of what was measured.
  auto const body = body_of(page);
  for (std::size_t i = 0; i < s.cells.size(); ++i) {
    std::size_t const marks = s.cells[i].run ? 3 : 2;
    INFO(i);
    CHECK(count(body, "data-c=\"" + std::to_string(i) + "\"/>") == marks);
  }
  for (auto const& r : s.rejections) CHECK(count(body, r.reason) == 1);
  // A segment for each operator, in the row of its network, compression, code and design.
  for (std::size_t i = 0; i < s.best.size(); ++i) {
    auto const strip = between(page, "data-best=\"" + std::to_string(i) + "\"", "</svg>");
    std::size_t wishes = 0;
    for (auto const& o : s.best[i].operators) wishes += o.fastest != o.algorithm;
    CHECK(count(strip, "z") == s.best[i].operators.size() + wishes);
  }
#if MARS_HAS_JSON
  auto const data = nlohmann::json::parse(data_of(page));
  std::set<std::size_t> seen;
  REQUIRE(data["cells"].size() == s.cells.size());
  for (std::size_t i = 0; i < s.cells.size(); ++i) {
    auto const& row = data["cells"][i];
    auto const& c = s.cells[i];
    auto at = row[0].get<std::size_t>();
    seen.insert(at);
    for (std::size_t a = ex::axis_count; a-- > 0; at /= s.axes[a].elements.size())
      CHECK(at % s.axes[a].elements.size() == c.at[a]);
    CHECK(row[1].get<double>() == mars_test::approx(c.time.count()).epsilon(1e-5));
    CHECK(row.size() == (c.run ? 13 : 10));
  }
  for (auto const& r : data["rejected"]) seen.insert(r[0].get<std::size_t>());
  CHECK(seen.size() == s.product());
#endif
}

TEST_CASE("what is known and what is not never share a plot") {
  auto const page = study_html(three_cells());
  auto const known = between(page, "<h3>Accuracy is known", "<h3>Accuracy is unknown");
  auto const unknown = between(page, "<h3>Accuracy is unknown", "<ul class=\"legend");
  CHECK(count(known, "data-c=\"0\"") == 1);
  CHECK(count(known, "data-c=\"1\"") == 1);
  CHECK(count(known, "data-c=\"2\"") == 0);
  CHECK(count(unknown, "data-c=") == 1);
  CHECK(count(unknown, "data-c=\"2\"") == 1);
  CHECK(count(known, "fronts of accuracy and time") == 1);
  CHECK(count(unknown, "fronts of bytes and time") == 1);
  CHECK(count(known, "href=\"#m0\"") == 2); // published
  CHECK(count(unknown, "href=\"#m3\"") == 1);
  CHECK(count(unknown, "class=\"front dashed\"") == 1);
  // Nothing follows from three cells: no empty card is shown.
  CHECK(count(page, "id=\"moves\"") == 0);
  CHECK(count(page, "id=\"measured\"") == 0);
  CHECK(nesting_error(page).empty());
}

TEST_CASE("names of a study cannot leave their place") {
  std::string const evil = "</script></title><script>alert(1)</script>\"'&\\\n\xff";
  auto s = mars_test::make_synthetic_study({2, 3, 4, 2, true});
  for (auto& a : s.axes) {
    a.name = evil;
    for (auto& e : a.elements) e.name = e.note = evil + e.name;
  }
  for (auto& c : s.cells) c.accuracy.source = c.accuracy.setting = evil;
  for (auto& r : s.rejections) r.reason = r.relation = evil;
  for (auto& f : s.findings) f.name = f.claim = f.evidence = evil;
  for (auto& b : s.best)
    for (auto& o : b.operators)
      for (auto* text : {&o.name, &o.algorithm, &o.fastest, &o.input_format, &o.output_format})
        *text = evil + *text;
  auto const page = study_html(s);
  CHECK(nesting_error(page).empty());
  CHECK(count(page, "<script>alert") == 0);
  CHECK(count(page, "\xff") == 0);
#if MARS_HAS_JSON
  auto const data = nlohmann::json::parse(data_of(page));
  CHECK(data["axes"][2][0].get<std::string>().find("</script></title>") == 0);
  CHECK(data["names"][0].get<std::string>().find("</script></title>") == 0);
#endif
}

TEST_CASE("a model that was fitted to the runs beside it says so") {
  auto s = mars_test::make_synthetic_study({2, 3, 3, 3, true});
  CHECK(count(study_html(s), "fitted to these very runs") == 0);
  s.fitted_to_runs = true;
  CHECK(count(study_html(s), "fitted to these very runs") == 1);
}

TEST_CASE("what is missing or not finite spoils nothing on a study's page") {
  auto const inf = std::numeric_limits<double>::infinity();
  auto const nan = std::numeric_limits<double>::quiet_NaN();
  auto odd = mars_test::make_synthetic_study();
  odd.cells[0].time = mars::seconds{inf};
  odd.cells[1].time = mars::seconds{0};
  odd.cells[2].run->measured = mars::seconds{nan};
  odd.perturbations[0].effect = nan;
  odd.interactions[0].effect = inf;
  odd.compression_effects[0].by_design[0] = inf;
  odd.best[0].blind = mars::seconds{inf};
  odd.variance.method = ex::variance_method::drop_one;
  odd.variance.shares[0].share = -1e-17;
  for (auto const& s : {odd, three_cells(), ex::study{}}) {
    auto const page = study_html(s);
    CHECK(nesting_error(page).empty());
    for (auto const* part : {"nan", "Minf", "\"inf", "inf%", "-inf", ":inf", ",inf"})
      CHECK(count(body_of(page) + data_of(page), part) == 0);
#if MARS_HAS_JSON
    CHECK(nlohmann::json::parse(data_of(page))["cells"].size() == s.cells.size());
#endif
  }
}

TEST_CASE("thousands of cells fit on a page") {
  auto const s = mars_test::make_synthetic_study({7, 8, 8, 5, true});
  REQUIRE(s.product() == 4480);
  auto const page = study_html(s);
  CHECK(page.size() < 5'000'000);
  CHECK(count(between(page, "<g id=\"heat-cells\">", "</g>"), "z") == s.cells.size());
}

TEST_CASE("the page of a study is written whole") {
  auto const s = three_cells();
  auto const path = (std::filesystem::temp_directory_path() / "mars_study_page_test.html").string();
  REQUIRE(mars::io::write_study_html(path, s).has_value());
  bool const same = mars::io::read_file(path).value() == study_html(s);
  CHECK(same);
  std::filesystem::remove(path);
  auto const failed = mars::io::write_study_html("/nowhere/at/all.html", s);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == mars::error_code::io);
}

TEST_CASE("scales, ticks and factors of a study's plots") {
  namespace d = mars::io::detail;
  d::plot_scale const x{1, 100, 0, 200, true};
  CHECK(x(1) == 0);
  CHECK(x(10) == mars_test::approx(100));
  CHECK(x(100) == mars_test::approx(200));
  CHECK(d::log_ticks(x) == std::vector<double>{1, 10, 100}); // 30 pixels from 1 to 2: no room
  CHECK(d::log_ticks({1, 10, 0, 200, true}) == std::vector<double>{1, 2, 5, 10});
  CHECK(d::short_text(0.002, "s") == "2 ms");
  CHECK(d::short_text(12.5e6, "B") == "12.5 MB");
  CHECK(d::short_text(0.2, "s") == "200 ms");
  CHECK(d::factor_text(0) == "×1");
  CHECK(d::factor_text(std::log(2.5)) == "×2.50");
  CHECK(d::factor_text(-std::log(40.0)) == "÷40.0");
  CHECK(d::speed_text(-std::log(3.0)) == "3.00× faster");
  CHECK(d::signed_text(-0.0001, 3) == "0.000");
  CHECK(d::signed_text(-0.25, 2) == "−0.25");
  // Colours of the heat map: the best, then steps of 1.25, 2, 4 and 10.
  std::vector<std::size_t> classes;
  for (double const f : {1.0, 1.2, 1.25, 3.0, 9.9, 10.0}) classes.push_back(d::heat_class(f));
  CHECK(classes == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
}
