// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/small_study.hpp"

#include <mars/exploration/analyse.hpp>
#include <mars/io/study.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

using namespace mars;
namespace ex = mars::exploration;

namespace {
auto lines_of(std::string const& text) -> std::vector<std::string> {
  std::vector<std::string> all;
  std::stringstream in{text};
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}
/// Fields of a line; quotes as RFC 4180 has them.
auto fields_of(std::string const& line) -> std::vector<std::string> {
  std::vector<std::string> all(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      all.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      all.emplace_back();
    } else {
      all.back() += line[i];
    }
  }
  return all;
}
} // namespace

TEST_CASE("a row a cell, every field in its column") {
  auto s = mars_test::small_study();
  s.cells[0].run = {seconds{110}, seconds{100}, 1, 0.0953};
  auto const lines = lines_of(io::study_csv(s));
  REQUIRE(lines.size() == 1 + s.cells.size());
  auto const head = fields_of(lines[0]);
  for (auto const& line : lines) CHECK(fields_of(line).size() == head.size());
  auto const field = [&](std::size_t row, std::string const& column) {
    auto const at = std::find(head.begin(), head.end(), column);
    REQUIRE(at != head.end());
    return fields_of(lines[row])[static_cast<std::size_t>(at - head.begin())];
  };
  CHECK(field(1, "network") == "big");
  CHECK(field(1, "time_s") == "100");
  CHECK(field(1, "energy_j").empty());
  CHECK(field(1, "accuracy") == "76");
  CHECK(field(1, "accuracy_source") == "a table, its first page");
  CHECK(field(1, "measured_s") == "110");
  CHECK(field(1, "log_ratio") == "0.0953");
  CHECK(field(2, "measured_s").empty());
  CHECK(field(s.cells.size(), "compression") == "quarter, left");
  CHECK(field(s.cells.size(), "accuracy").empty());
  CHECK(field(s.cells.size(), "accuracy_provenance") == "unknown");
}

TEST_CASE("rejected cells are counted by reason") {
  auto const lines = lines_of(io::rejections_csv(mars_test::small_study()));
  REQUIRE(lines.size() == 2);
  CHECK(fields_of(lines[1]) ==
        std::vector<std::string>{"accepts_weights_for", "8", "needs zeros, \"pruned\""});
}
