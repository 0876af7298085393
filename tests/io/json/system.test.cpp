// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io/json/mutations.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <mars/io/json/system.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using mars::error_code;
using mars::io::load_system;
using mars_test::contains_text;

auto error_in_system(std::string_view text) -> mars::error {
  auto const r = load_system(text);
  REQUIRE_FALSE(r);
  return r.error();
}
auto complaint_about_system(std::string_view text) -> std::string {
  return to_string(error_in_system(text));
}

std::string const two_gpus = R"({
  "schema": "mars.system/1",
  "name": "pair",
  "accelerators": [
    {"name": "gpu", "count": 2, "memory_bytes": 8e9, "power_w": 300,
     "designs": [{"kind": "roofline", "name": "gpu", "peak_flops_per_s": 1e12,
                  "bandwidth_bytes_per_s": 5e11, "launch_s": 1e-6,
                  "peaks": [{"element_bits": 8, "flops_per_s": 2e12}]}]},
    {"name": "fpga", "memory_bytes": 1000000000,
     "designs": [{"kind": "super_lip", "tm": 32, "weight_words_per_cycle": null},
                 {"kind": "systolic_array", "dram_bytes_per_s": "infinity", "row_loop": "rows"},
                 {"kind": "winograd", "other_layers": "split"}]}
  ],
  "interconnect": {"kind": "ring", "bandwidth_bytes_per_s": 1e9, "latency_s": 2e-6}
})";

/// two_gpus with another interconnect.
auto with_network(std::string const& net) -> std::string {
  auto document = mars::io::parse_json(two_gpus).value();
  document["interconnect"] = mars::io::parse_json(net).value();
  return document.dump();
}

void check_equal(mars::any_interconnect const& a, mars::any_interconnect const& b) {
  CHECK(a.name() == b.name());
  CHECK(a.forwarding() == b.forwarding());
  CHECK(std::equal(a.links().begin(), a.links().end(), b.links().begin(), b.links().end()));
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(a.size(), 20); ++i)
    for (std::size_t j = 0; j < std::min<std::size_t>(a.size(), 20); ++j) {
      mars::accelerator_id const from{i};
      mars::accelerator_id const to{j};
      CHECK(a.route(from, to) == b.route(from, to));
      CHECK(a.transfer_time(from, to, mars::bytes{12345}) ==
            b.transfer_time(from, to, mars::bytes{12345}));
    }
}

void check_round_trip(mars::any_system const& s) {
  auto const text = mars::io::write_json(mars::io::system_to_json(s).value());
  auto const back = load_system(text);
  REQUIRE(back);
  CHECK(back->name == s.name);
  CHECK(back->accelerators == s.accelerators);
  check_equal(back->interconnect, s.interconnect);
  CHECK(mars::io::write_json(mars::io::system_to_json(*back).value()) == text);
}

} // namespace

TEST_CASE("a system document becomes a system") {
  auto const s = load_system(two_gpus).value();
  CHECK(s.name == "pair");
  REQUIRE(s.accelerators.size() == 3);
  CHECK(s.accelerators[0].name == "gpu0");
  CHECK(s.accelerators[1].name == "gpu1");
  CHECK(s.accelerators[1].memory().count() == 8'000'000'000);
  CHECK(s.accelerators[1].power().count() == 300);
  CHECK(s.accelerators[2].name == "fpga");
  CHECK_FALSE(is_known(s.accelerators[2].power()));
  auto const* lip = s.accelerators[2].designs()[0].get_if<mars::hardware::super_lip>();
  REQUIRE(lip != nullptr);
  CHECK(*lip == mars::hardware::super_lip{.tm = 32});
  auto const* array = s.accelerators[2].designs()[1].get_if<mars::hardware::systolic_array>();
  REQUIRE(array != nullptr);
  CHECK(array->row_loop == mars::hardware::conv_loop::rows);
  auto const* gpu = s.accelerators[0].designs()[0].get_if<mars::hardware::roofline>();
  REQUIRE(gpu != nullptr);
  CHECK(gpu->peak(8).count() == 2e12);
  // Two neighbours on a ring of three: 2 µs and 1 ms for a million bytes.
  CHECK(
      s.interconnect
          .transfer_time(mars::accelerator_id{0U}, mars::accelerator_id{2U}, mars::bytes{1'000'000})
          .count() == mars_test::approx(1.002e-3));
  check_round_trip(s);
}

TEST_CASE("every preset comes back equal") {
  for (auto const& p : mars::presets::catalogue()) {
    CAPTURE(std::string{p.info.name});
    check_round_trip(p.build());
  }
}

TEST_CASE("every interconnect comes back equal") {
  mars::accelerator const a{
      .name = "a", .capacity = mars::bytes{1}, .configurations = {mars::hardware::winograd{}}};
  for (auto const& net : mars_test::every_model()) {
    CAPTURE(net.name());
    check_round_trip({"s", std::vector<mars::accelerator>(net.size(), a), net});
  }
  mars::interconnect::topology detour{
      .accelerators = 3, .accelerators_forward = false, .reference = mars::bytes{7}};
  for (std::uint32_t i = 0; i < 3; ++i)
    for (std::uint32_t j = 0; j < 3; ++j)
      if (i != j)
        detour.links.push_back({"",
                                {mars::node_kind::accelerator, i},
                                {mars::node_kind::accelerator, j},
                                mars::bytes_per_second{1e9},
                                mars::seconds{0.1 * (i + 1)}});
  check_round_trip({"s", std::vector<mars::accelerator>(3, a),
                    mars::interconnect::arbitrary::build(detour).value()});
}

TEST_CASE("every number of a design comes back equal") {
  mars::hardware::roofline odd{.title = "odd",
                               .peak_rate = mars::flops_per_second{0.1 + 0.2},
                               .bandwidth = mars::bytes_per_second{1e300},
                               .launch = mars::seconds{5e-324},
                               .compute_efficiency = 1.0 / 3,
                               .power = mars::watts{0}};
  mars::any_system const s{
      "odd",
      {{.name = "", .capacity = mars::bytes{std::int64_t{1} << 62}, .configurations = {odd}},
       {.name = "x0", .capacity = mars::bytes{1}, .configurations = {odd}},
       {.name = "x1", .capacity = mars::bytes{1}, .configurations = {odd}},
       {.name = "x1", .capacity = mars::bytes{1}, .configurations = {odd}}},
      mars::interconnect::fully_connected{.accelerators = 4,
                                          .bandwidth = mars::bytes_per_second{1.0 / 0.0}}};
  check_round_trip(s);
}

TEST_CASE("a GPU with its streaming multiprocessors: every limit comes back, bad ones are named") {
  mars::hardware::gpu odd{.title = "odd",
                          .memory_efficiency = 1.0 / 3,
                          .elementwise_efficiency = 0.1,
                          .power = mars::watts{7}};
  // No two numbers alike: none may be written in another's place.
  odd.limits = {.sms = 11,
                .threads_per_sm = 1536,
                .registers_per_sm = 65537,
                .shared_per_sm = mars::bytes{100'001},
                .blocks_per_sm = 17,
                .warp = 31,
                .register_unit = 255,
                .shared_unit = mars::bytes{127},
                .shared_reserved = mars::bytes{1023},
                .peak_rate = mars::flops_per_second{1.5e12},
                .bandwidth = mars::bytes_per_second{0.1 + 0.2e12},
                .l2 = mars::bytes{4'000'003},
                .saturating_warps = 7.5,
                .bytes_per_warp = 511.5,
                .dram_latency = mars::seconds{5e-7},
                .overheads = {mars::seconds{1e-6}, mars::seconds{2e-6}, mars::seconds{3e-6},
                              mars::seconds{4e-6}, mars::seconds{5e-6}, mars::seconds{6e-6},
                              mars::seconds{7e-6}}};
  odd.limits.peaks.push_back({16, mars::flops_per_second{3e12}});
  mars::any_system const s{
      "odd",
      {{.name = "g", .capacity = mars::bytes{1'000'000}, .configurations = {odd}}},
      mars::interconnect::fully_connected{.accelerators = 1,
                                          .bandwidth = mars::bytes_per_second{1e9}}};
  check_round_trip(s);
  auto const whole = mars::io::write_json(mars::io::system_to_json(s).value());
  auto const path_of = [&](auto change) {
    auto document = mars::io::parse_json(whole).value();
    change(document["accelerators"][0]["designs"][0]);
    return error_in_system(document.dump()).path;
  };
  using mars::io::json;
  std::string const at = "accelerators[0].designs[0].";
  CHECK(path_of([](json& d) { d.erase("sms"); }) == at + "sms");
  CHECK(path_of([](json& d) { d["sms"] = 0; }) == at + "sms");
  CHECK(path_of([](json& d) { d["bandwidth_bytes_per_s"] = "infinity"; }) ==
        at + "bandwidth_bytes_per_s");
  CHECK(path_of([](json& d) { d["overheads"]["gap_s"] = -1; }) == at + "overheads.gap_s");
  CHECK(path_of([](json& d) { d["overheads"]["gaps"] = 1; }) == at + "overheads.gaps");
  CHECK(path_of([](json& d) { d["overheads"] = 1; }) == at + "overheads");
  CHECK(path_of([](json& d) { d["shared_unit_bytes"] = 0; }) == at + "shared_unit_bytes");
  // What the model itself refuses, by the document's key: no tile fits.
  CHECK(path_of([](json& d) { d["shared_bytes_per_sm"] = 4096; }) == at + "shared_bytes_per_sm");
  for (auto const* name : {"launch", "wait", "record", "gap", "event", "graph", "barrier"})
    CHECK(mars::io::detail::in_document(
              {mars::error_code::out_of_range, std::string{"overheads."} + name, {}, {}, {}})
              .path == std::string{"overheads."} + name + "_s");
  CHECK(mars::io::detail::with_unit("l2") == "l2_bytes");
  auto document = mars::io::parse_json(whole).value();
  document["accelerators"][0]["designs"][0] = {
      {"kind", "gpu"}, {"sms", 4}, {"peak_flops_per_s", 1e12}, {"bandwidth_bytes_per_s", 1e11}};
  auto const least = load_system(document.dump()).value();
  mars::hardware::gpu expected{};
  expected.limits.sms = 4;
  expected.limits.peak_rate = mars::flops_per_second{1e12};
  expected.limits.bandwidth = mars::bytes_per_second{1e11};
  CHECK(*least.accelerators[0].configurations[0].get_if<mars::hardware::gpu>() == expected);
}

TEST_CASE("a processor with its algorithms: every rate comes back, bad ones are named") {
  mars::primitive::processor odd{.title = "odd",
                                 .peak_rate = mars::flops_per_second{1.5e11},
                                 .lanes = 7,
                                 .bandwidth = mars::bytes_per_second{0.1 + 0.2e9},
                                 .launch = mars::seconds{3e-6},
                                 .generation = mars::primitive::code_generation::untuned,
                                 .power = mars::watts{9}};
  odd.peaks.push_back({8, mars::flops_per_second{4.5e11}});
  odd.peaks.push_back({16, mars::flops_per_second{2.5e11}, mars::number_format::bfloat});
  odd.caches.push_back({mars::bytes{1001}, mars::bytes_per_second{2e9}});
  odd.caches.push_back({mars::bytes{2002}, mars::bytes_per_second{1e9}});
  // No two numbers alike: none may be written in another's place.
  double next = 1;
  auto const fill = [&](mars::primitive::rates& r) {
    r = {.macs = next + 0.1,
         .traffic = next + 0.2,
         .call = mars::seconds{next + 0.3},
         .transforms = next + 0.4,
         .decoding = next + 0.5,
         .untuned = next + 0.6,
         .least_channels = next + 0.7};
    next += 1;
  };
  for (auto& r : odd.coefficients) fill(r);
  fill(odd.reordering);
  std::get<2>(odd.primitives) = {.tile = {2, 3}, .whole_blocks = true};
  std::get<5>(odd.primitives).registers = 5;
  std::get<6>(odd.primitives).registers = 6;
  std::get<7>(odd.primitives).tile = {4, 7};
  mars::any_system const s{
      "odd",
      {{.name = "p", .capacity = mars::bytes{1'000'000}, .configurations = {odd}}},
      mars::interconnect::fully_connected{.accelerators = 1,
                                          .bandwidth = mars::bytes_per_second{1e9}}};
  check_round_trip(s);
  auto const whole = mars::io::write_json(mars::io::system_to_json(s).value());
  auto const path_of = [&](auto change) {
    auto document = mars::io::parse_json(whole).value();
    change(document["accelerators"][0]["designs"][0]);
    return error_in_system(document.dump()).path;
  };
  using mars::io::json;
  std::string const at = "accelerators[0].designs[0].";
  CHECK(path_of([](json& d) { d.erase("peak_flops_per_s"); }) == at + "peak_flops_per_s");
  CHECK(path_of([](json& d) { d["code_generation"] = "best"; }) == at + "code_generation");
  CHECK(path_of([](json& d) { d["primitives"]["direct"]["macs"] = -1; }) ==
        at + "primitives.direct.macs");
  CHECK(path_of([](json& d) { d["primitives"]["direkt"] = 1; }) == at + "primitives.direkt");
  CHECK(path_of([](json& d) { d["primitives"]["direct"]["registers"] = 1; }) ==
        at + "primitives.direct.registers");
  CHECK(path_of([](json& d) { d["caches"][0]["bytes"] = 0; }) == at + "caches[0].bytes");
  // What the model itself refuses, by the document's key.
  CHECK(path_of([](json& d) { d["caches"][0]["bytes"] = 3003; }) == at + "caches");
  CHECK(path_of([](json& d) { d["bandwidth_bytes_per_s"] = 3e9; }) == at + "bandwidth_bytes_per_s");
  auto document = mars::io::parse_json(whole).value();
  document["accelerators"][0]["designs"][0] = {
      {"kind", "processor"}, {"peak_flops_per_s", 1e12}, {"bandwidth_bytes_per_s", 1e11}};
  auto const least = load_system(document.dump()).value();
  CHECK(*least.accelerators[0].configurations[0].get_if<mars::primitive::processor>() ==
        mars::primitive::processor{.peak_rate = mars::flops_per_second{1e12},
                                   .bandwidth = mars::bytes_per_second{1e11}});
}

TEST_CASE("a preset may be named, with other memory") {
  auto const s = load_system(R"({"schema": "mars.system/1", "preset": "aws_f1_16xlarge",
                                 "memory_bytes": 64e6})")
                     .value();
  CHECK(s.name == "aws_f1_16xlarge");
  REQUIRE(s.accelerators.size() == 8);
  for (auto const& a : s.accelerators) CHECK(a.memory().count() == 64'000'000);
  CHECK(load_system(R"({"schema": "mars.system/1", "preset": "h100_sxm_8", "name": "mine"})")
            .value()
            .name == "mine");
  CHECK_THAT(complaint_about_system(R"({"schema": "mars.system/1", "preset": "aws_f1"})"),
             contains_text("did you mean aws_f1_16xlarge?"));
  CHECK(error_in_system(R"({"schema": "mars.system/1", "preset": "h100_sxm_8", "memory_bytes": 0})")
            .path == "memory_bytes");
  CHECK(
      error_in_system(R"({"schema": "mars.system/1", "preset": "h100_sxm_8", "accelerators": []})")
          .code == error_code::unknown_key);
}

TEST_CASE("bandwidths that are none are refused where they stand") {
  for (auto const* bad : {"0", "-1", "\"NaN\"", "\"nan\"", "[]", "false"}) {
    CAPTURE(bad);
    auto const e = error_in_system(
        with_network(R"({"kind": "ring", "bandwidth_bytes_per_s": )" + std::string{bad} + "}"));
    CHECK(e.path == "interconnect.bandwidth_bytes_per_s");
  }
  std::string raw = two_gpus;
  raw.replace(raw.find("1e9"), 3, "NaN");
  CHECK(error_in_system(raw).code == error_code::parse);
  CHECK_THAT(error_in_system(raw).path, contains_text("line 14"));

  auto document = mars::io::parse_json(two_gpus).value();
  document["accelerators"][0]["designs"][0]["bandwidth_bytes_per_s"] = -5;
  CHECK(error_in_system(document.dump()).path ==
        "accelerators[0].designs[0].bandwidth_bytes_per_s");
}

TEST_CASE("what models refuse is reported by the document's keys") {
  CHECK(error_in_system(with_network(R"({"kind": "ring"})")).path ==
        "interconnect.bandwidth_bytes_per_s");
  CHECK(complaint_about_system(with_network(R"({"kind": "ring", "bandwith_bytes_per_s": 1})")) ==
        "interconnect.bandwith_bytes_per_s: found a key nobody knows, wanted one of kind, name, "
        "accelerators, bandwidth_bytes_per_s, latency_s, forwarding; did you mean "
        "bandwidth_bytes_per_s? [unknown-key]");
  CHECK(
      error_in_system(with_network(R"({"kind": "grouped_through_host", "groups": [[0, 1], [2]]})"))
          .path == "interconnect.intra_bandwidth_bytes_per_s");
  CHECK(error_in_system(with_network(R"({"kind": "grouped_through_host", "groups": [[0, 1], [1]],
                                  "intra_bandwidth_bytes_per_s": 1})"))
            .path == "interconnect.groups[1][0]");
  CHECK(error_in_system(with_network(R"({"kind": "switched", "bandwidths_bytes_per_s": [1, 2]})"))
            .path == "interconnect.bandwidths_bytes_per_s");
  CHECK(error_in_system(
            with_network(R"({"kind": "mesh", "extents": [2, 2], "bandwidth_bytes_per_s": 1})"))
            .code == error_code::shape_mismatch);
  CHECK(error_in_system(with_network(R"({"kind": "arbitrary", "links": [
            {"from": {"accelerator": 0}, "to": {"accelerator": 9}, "bandwidth_bytes_per_s": 1}]})"))
            .path == "interconnect.links[0].to");
  CHECK(error_in_system(with_network(R"({"kind": "arbitrary", "links": [
            {"from": {"accelerator": 0}, "to": {"host": 0}, "bandwidth_bytes_per_s": 1}]})"))
            .path == "interconnect.links");
  CHECK(error_in_system(with_network(R"({"kind": "arbitrary", "links": [
            {"from": {}, "to": {"host": 0}, "bandwidth_bytes_per_s": 1}]})"))
            .path == "interconnect.links[0].from");

  auto document = mars::io::parse_json(two_gpus).value();
  document["accelerators"][1]["designs"][1]["col_loop"] = "rows";
  CHECK(error_in_system(document.dump()).path == "accelerators[1].designs[1].row_loop");
  document = mars::io::parse_json(two_gpus).value();
  document["accelerators"][1]["designs"][1]["name"] = "winograd";
  CHECK(error_in_system(document.dump()).code == error_code::duplicate);
}

TEST_CASE("a short document cannot ask for a large machine") {
  auto const with = [](std::string const& count, std::string const& kind) {
    return R"({"schema": "mars.system/1", "accelerators": [{"count": )" + count +
           R"(, "memory_bytes": 1, "designs": [{"kind": "winograd"}]}], "interconnect": {"kind": ")" +
           kind + R"(", "bandwidth_bytes_per_s": 1}})";
  };
  CHECK(error_in_system(with("1e15", "ring")).path == "accelerators[0].count");
  CHECK(error_in_system(with("16000", "fully_connected")).path == "interconnect");
  CHECK(load_system(with("500", "fully_connected")));
  CHECK(
      error_in_system(
          with_network(
              R"({"kind": "fat_tree", "arity": [65535, 65535, 65535], "bandwidth_bytes_per_s": [1, 1, 1]})"))
          .path == "interconnect.arity");
}

namespace {
/// A design of somebody else's.
struct foreign {
  [[nodiscard]] static auto name() -> std::string_view { return "foreign"; }
  [[nodiscard]] static auto time(mars::shard const&) -> mars::time_breakdown { return {}; }
};
struct wire {
  std::vector<mars::link> all{};
  [[nodiscard]] static auto size() -> std::size_t { return 1; }
  [[nodiscard]] static auto transfer_time(mars::accelerator_id, mars::accelerator_id, mars::bytes)
      -> mars::seconds {
    return mars::seconds{0};
  }
  [[nodiscard]] auto links() const -> std::vector<mars::link> const& { return all; }
  [[nodiscard]] static auto route(mars::accelerator_id, mars::accelerator_id)
      -> std::vector<mars::link_id> {
    return {};
  }
};
} // namespace

TEST_CASE("models of somebody else's cannot be written, and that is said") {
  mars::accelerator const known{
      .name = "a", .capacity = mars::bytes{1}, .configurations = {mars::hardware::winograd{}}};
  auto unknown = known;
  unknown.configurations.emplace_back(foreign{});
  mars::interconnect::ring const one{.accelerators = 1, .bandwidth = mars::bytes_per_second{1}};
  auto const design = mars::io::system_to_json(mars::any_system{"s", {unknown}, one});
  REQUIRE_FALSE(design);
  CHECK(design.error().path == "accelerators[0].designs[1]");
  auto const net = mars::io::system_to_json(mars::any_system{"s", {known}, wire{}});
  REQUIRE_FALSE(net);
  CHECK(net.error().path == "interconnect");
}

TEST_CASE("one mutation of a system is an error that names it, or harmless") {
  auto const whole =
      mars::io::write_json(mars::io::system_to_json(load_system(two_gpus).value()).value());
  for (auto const& m : mars_test::mutations_of(whole)) {
    CAPTURE(m.what);
    auto const r = load_system(m.text);
    if (r) {
      CHECK(r->validate());
      continue;
    }
    CAPTURE(to_string(r.error()));
    CHECK(to_string(r.error()).size() < 700);
    bool const whole_document =
        m.where.empty() || m.where == "interconnect" || m.where.find("accelerators") == 0;
    if (m.what.find("with an unknown key") != std::string::npos)
      CHECK(r.error().path == m.where);
    else if (whole_document)
      // Too few accelerators show in the interconnect, too small an array in its parameter.
      CHECK((!r.error().path.empty() || m.where.empty()));
    else if (r.error().code != error_code::unknown_key) // another kind has other keys
      CHECK(r.error().path.rfind(m.where.substr(0, m.where.find('[')), 0) == 0);
  }
}
