// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel profiles: read, written, refused.
#include "io/json/mutations.hpp"
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/io/json/operator_graph.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

std::string const profile_text = R"({
  "schema": "mars.kernels/1", "name": "two",
  "device": {"sms": 80, "peak_flops_per_s": 1.57e13, "bandwidth_bytes_per_s": 9e11, "shared_bytes_per_sm": 98304,
             "peaks": [{"element_bits": 16, "flops_per_s": 1.25e14}], "overheads": {"launch_s": 3e-6}},
  "nodes": [
    {"name": "x", "inputs": []},
    {"name": "a", "inputs": ["x"], "output_bytes": 4096, "kernels": [
      {"name": "gemm", "blocks": 10, "threads": 128, "registers": 64, "shared_bytes": 8192, "flops": 1000000,
       "bytes": 5000, "element_bits": 16, "alone_s": 2.5e-6},
      {"blocks": 3, "threads": 256}]},
    {"name": "b", "inputs": ["a", "x"]}]
})";

auto profile_with(std::string const& pointer, mars::io::json value) -> std::string {
  auto document = mars::io::parse_json(profile_text).value();
  document[mars::io::json::json_pointer{pointer}] = std::move(value);
  auto const r = mars::io::load_kernel_profile(document.dump());
  return r ? "nothing" : to_string(r.error());
}

auto same_graph(mars::stream_graph const& a, mars::stream_graph const& b) -> bool {
  return a.name == b.name && a.block_of == b.block_of &&
         std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                    [](auto const& x, auto const& y) {
                      return x.name == y.name && x.kernels == y.kernels && x.inputs == y.inputs &&
                             x.output == y.output;
                    });
}

} // namespace

TEST_CASE("a kernel profile", "[json][kernel_profile]") {
  auto const p = mars::io::load_kernel_profile(profile_text).value();
  REQUIRE(p.device);
  CHECK(p.device->sms == 80);
  CHECK(p.device->shared_per_sm == mars::bytes{98304});
  CHECK(p.device->threads_per_sm == mars::gpu_device{}.threads_per_sm);
  CHECK(p.device->peak(16).count() == 1.25e14);
  CHECK(p.device->overheads.launch.count() == 3e-6);
  CHECK(p.device->overheads.gap == mars::launch_overheads{}.gap);
  REQUIRE(p.graph.size() == 3);
  CHECK(p.graph.nodes[0].kernels.empty());
  CHECK(p.graph.nodes[2].inputs == std::vector<std::uint32_t>{1, 0});
  CHECK(p.graph.nodes[1].output == mars::bytes{4096});
  mars::kernel const wanted{.name = "gemm",
                            .blocks = 10,
                            .threads = 128,
                            .registers = 64,
                            .shared = mars::bytes{8192},
                            .work = mars::flops{1'000'000},
                            .traffic = mars::bytes{5000},
                            .element_bits = 16,
                            .alone = mars::seconds{2.5e-6}};
  CHECK(p.graph.nodes[1].kernels[0] == wanted);
  CHECK(p.graph.nodes[1].kernels[1] == mars::kernel{.blocks = 3});
  // Which file it is, is found out; the design is not asked.
  auto const nothing = [](mars::operation const&) { return std::vector<mars::kernel>{}; };
  auto const any = mars::io::load_stream_graph(profile_text, nothing).value();
  CHECK(same_graph(any.graph, p.graph));
  CHECK(any.device == p.device);
}

TEST_CASE("kernel profiles come back equal", "[json][kernel_profile]") {
  mars::random_stream random{1};
  for (int round = 0; round < 50; ++round) {
    mars::io::kernel_profile p;
    p.graph = mars_test::random_stream_dag(random, 1 + random.below(9));
    if (random.chance(0.5)) p.graph.name = "some name";
    if (random.chance(0.5))
      for (std::uint32_t v = 0; v < p.graph.size(); ++v) p.graph.block_of.push_back(v / 2);
    if (random.chance(0.7)) p.device = gpu_design(random.pick(mars::presets::gpu_devices())).limits;
    for (auto& node : p.graph.nodes)
      for (auto& k : node.kernels) {
        k.name = node.name + "\"\n";
        k.alone = mars::seconds{random.chance(0.5) ? random.uniform() : 0};
        k.compute_efficiency = 1 - random.uniform() / 2;
      }
    auto const back =
        mars::io::load_kernel_profile(mars::io::write_json(mars::io::kernel_profile_to_json(p)))
            .value();
    REQUIRE(same_graph(back.graph, p.graph));
    REQUIRE(back.device == p.device);
  }
}

TEST_CASE("what kernel profiles are refused for", "[json][kernel_profile]") {
  CHECK_THAT(profile_with("/nodes/1/kernels/0/blocks", 0),
             mars_test::contains_text("nodes[1].kernels[0].blocks: found 0"));
  CHECK_THAT(profile_with("/nodes/1/inputs/0", "y"),
             mars_test::contains_text("nodes[1].inputs[0]: found \"y\""));
  CHECK_THAT(profile_with("/nodes/1/inputs", mars::io::json::array({"x", "x"})),
             mars_test::contains_text("each producer once"));
  CHECK_THAT(profile_with("/nodes/2/name", "a"), mars_test::contains_text("[duplicate]"));
  CHECK_THAT(profile_with("/nodes/1/block", 2), mars_test::contains_text("nodes[1]"));
  CHECK_THAT(profile_with("/device/warp", 0), mars_test::contains_text("device.warp: found 0"));
  CHECK_THAT(profile_with("/device/overheads/launch_s", -1),
             mars_test::contains_text("device.overheads.launch_s: found -1"));
  CHECK_THAT(profile_with("/device/sm", 3), mars_test::contains_text("did you mean sms?"));
  CHECK_THAT(profile_with("/nodes/1/kernels/0/alone", 1),
             mars_test::contains_text("did you mean alone_s?"));
  CHECK_THAT(profile_with("/schema", "mars.kernels/2"),
             mars_test::contains_text("wanted \"mars.kernels/1\""));
  int refused = 0;
  for (auto const& m : mars_test::mutations_of(profile_text)) {
    auto const r = mars::io::load_kernel_profile(m.text);
    if (r) continue;
    ++refused;
    auto const line = to_string(r.error());
    INFO(m.what << " → " << line);
    REQUIRE(line.find('\n') == line.npos);
    REQUIRE((m.where.empty() || !r.error().path.empty()));
  }
  CHECK(refused > 200);
}
