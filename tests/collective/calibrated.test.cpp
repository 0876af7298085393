// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <mars/collective.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>

using namespace mars_test;
using mars::bytes;
using mars::collective_kind;
using mars::error_code;
using mars::seconds;
namespace co = mars::collective;

namespace {
auto const net8 = ic::switched{.accelerators = 8, .bandwidth = 300_GBps};

auto small_table() -> co::calibrated<> {
  return {
      .curves = {
          {collective_kind::all_reduce, 2, {{bytes{100}, seconds{1}}, {bytes{10'000}, seconds{4}}}},
          {collective_kind::all_reduce,
           8,
           {{bytes{100}, seconds{3}}, {bytes{10'000}, seconds{36}}}}}};
}
auto at(co::calibrated<> const& m, std::size_t g, std::int64_t size) -> double {
  return m.time(net8, collective_kind::all_reduce, first(g), bytes{size}).count();
}
} // namespace

TEST_CASE("calibrated: points exactly, log-log between, by hand", "[collective]") {
  auto const m = small_table();
  REQUIRE(m.validate());
  CHECK(at(m, 2, 100) == 1);
  CHECK(at(m, 2, 10'000) == 4);
  CHECK(at(m, 2, 1'000) == approx(2)); // half way in decades: √(1·4)
  CHECK(at(m, 2, 1) == 1);             // the floor
  CHECK(at(m, 2, 0) == 1);
  CHECK(at(m, 2, 30'000) == approx(12));          // the last bandwidth
  CHECK(at(m, 4, 100) == approx(std::sqrt(3.0))); // 4 is half way from 2 to 8
  CHECK(at(m, 4, 10'000) == approx(12));          // √(4·36)
  CHECK(m.algorithm(net8, collective_kind::all_reduce, first(4), bytes{1}) == "measured");
}

TEST_CASE("calibrated: asks the other model outside the table", "[collective]") {
  auto m = small_table();
  m.curves.erase(m.curves.begin());
  ic::fully_connected const net{.accelerators = 4, .bandwidth = 8_Gbps};
  CHECK(m.time(net, collective_kind::all_reduce, first(4), bytes{200704}).count() ==
        approx(0.301056e-3));
  CHECK(m.time(net, collective_kind::shift, first(4), bytes{1179648}).count() ==
        approx(1.179648e-3));
  CHECK(m.algorithm(net, collective_kind::shift, first(4), bytes{1}) == "ring");
}

TEST_CASE("calibrated: errors name the culprit", "[collective]") {
  auto const path = [](co::calibrated<> const& m) {
    auto const r = m.validate();
    return r ? std::string{"(valid)"} : r.error().path;
  };
  auto m = small_table();
  m.curves[1].points[1].size = bytes{100};
  CHECK(path(m) == "curves[1].points[1].size");
  m = small_table();
  m.curves[0].points[0].size = bytes{0};
  CHECK(path(m) == "curves[0].points[0].size");
  m = small_table();
  m.curves[0].points[1].time = seconds{std::numeric_limits<double>::quiet_NaN()};
  CHECK(path(m) == "curves[0].points[1].time");
  m = small_table();
  m.curves[1].group_size = 2;
  CHECK(path(m) == "curves[1]");
  CHECK(m.validate().error().code == error_code::duplicate);
  m = small_table();
  m.curves[0].points.clear();
  CHECK(path(m) == "curves[0].points");
  m = small_table();
  m.curves[0].group_size = 1;
  CHECK(path(m) == "curves[0].group_size");
}

#if defined(MARS_TEST_SHARED_DIR)
namespace {
struct row {
  collective_kind kind;
  std::size_t gpus;
  bytes size;
  seconds time;
};

/// The 16-bit rows of an nccl-tests table: sizes in elements of 2 bytes, times in milliseconds.
auto read_nccl(std::string const& file) -> std::vector<row> {
  static std::map<std::string, collective_kind> const kinds{
      {"all_reduce", collective_kind::all_reduce},
      {"all_gather", collective_kind::all_gather},
      {"reduce_scatter", collective_kind::reduce_scatter},
      {"alltoall", collective_kind::all_to_all}};
  std::ifstream in{std::string{MARS_TEST_SHARED_DIR} + "/data/nccl/" + file};
  std::vector<row> rows;
  std::string line;
  std::getline(in, line); // header
  while (std::getline(in, line)) {
    std::vector<std::string> cells;
    std::stringstream cell{line};
    for (std::string c; std::getline(cell, c, ',');) cells.push_back(c);
    if (cells.size() != 9 || cells[5] != "half") continue;
    rows.push_back({kinds.at(cells[3]), std::stoul(cells[6]), bytes{2 * std::stoll(cells[7])},
                    seconds{std::stod(cells[8]) * 1e-3}});
  }
  return rows;
}
auto table_of(std::vector<row> const& rows) -> co::calibrated<> {
  std::map<std::pair<collective_kind, std::size_t>, std::vector<co::curve::point>> curves;
  for (auto const& r : rows) curves[{r.kind, r.gpus}].push_back({r.size, r.time});
  co::calibrated<> m;
  for (auto const& [key, points] : curves) m.curves.push_back({key.first, key.second, points});
  return m;
}
} // namespace

TEST_CASE("calibrated: measured NCCL tables come back exactly", "[collective]") {
  for (char const* const file :
       {"a100_sxm_comm_nccl_2.27.3_nccl_perf.csv", "h100_sxm_comm_nccl_2.29.2_nccl_perf.csv"}) {
    INFO(file);
    auto const rows = read_nccl(file);
    if (rows.empty()) MARS_TEST_SKIP("no measured tables here");
    CHECK(rows.size() == 252); // 4 operations × 3 group sizes × 21 sizes
    auto const m = table_of(rows);
    REQUIRE(m.validate());
    for (auto const& r : rows) REQUIRE(m.time(net8, r.kind, first(r.gpus), r.size) == r.time);
  }
}

TEST_CASE("calibrated: published bus bandwidths of 8 GPUs at 512 MiB", "[collective]") {
  // hardware.md §5: S/t · 2·7/8 in GB/s.
  for (auto const& [file, wanted] : {std::pair{"a100_sxm_comm_nccl_2.27.3_nccl_perf.csv", 222.3},
                                     std::pair{"h100_sxm_comm_nccl_2.29.2_nccl_perf.csv", 445.0}}) {
    auto const rows = read_nccl(file);
    if (rows.empty()) MARS_TEST_SKIP("no measured tables here");
    auto const t = table_of(rows).time(net8, collective_kind::all_reduce, first(8),
                                       bytes{std::int64_t{512} << 20});
    CHECK(static_cast<double>(512 << 20) / t.count() * 2 * 7 / 8 / 1e9 ==
          approx(wanted).margin(0.06));
  }
}
#endif
