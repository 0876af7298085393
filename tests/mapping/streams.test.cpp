// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What only mappings with streams can have wrong, and how they differ.
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/hardware/designs/gpu.hpp>
#include <mars/interconnect/host_staged.hpp>
#include <mars/mapping/diff.hpp>
#include <mars/mapping/validate.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace {

auto const stream_graph_at_hand = mars_test::skip_network();

auto gpu_pair(std::int64_t memory = 1'000'000) -> mars::any_system {
  mars::hardware::gpu design{.title = "gpu"};
  design.limits.peak_rate = mars::flops_per_second{1e12};
  design.limits.bandwidth = mars::bytes_per_second{1e11};
  mars::accelerator const a{
      .name = "a", .capacity = mars::bytes{memory}, .configurations = {design}};
  return {"pair",
          {a, a},
          mars::interconnect::fully_connected{.accelerators = 2,
                                              .bandwidth = mars::bytes_per_second{1e9}}};
}
/// All on accelerator 0, on these streams.
auto streamed_mapping(std::initializer_list<std::size_t> streams) -> mars::mapping {
  mars::mapping m{{mars_test::set_of({0})}, std::vector<mars::placement>(4)};
  for (std::size_t v = 0; v < 4; ++v) m.launch_order.emplace_back(v);
  for (auto const s : streams) m.streams.emplace_back(s);
  return m;
}
auto complaints(mars::mapping const& m, mars::any_system const& s,
                std::vector<mars::time_span> const* times = nullptr) -> std::vector<std::string> {
  std::vector<std::string> all;
  for (auto const& v : times != nullptr ? validate(m, stream_graph_at_hand, s, *times)
                                        : validate(m, stream_graph_at_hand, s))
    all.push_back(to_string(v));
  return all;
}
using sentences = std::vector<std::string>;
auto between(double start, double end) -> mars::time_span {
  return {mars::seconds{start}, mars::seconds{end}};
}

} // namespace

TEST_CASE("streams need an operator each, an order, kernels and no host", "[streams]") {
  auto const s = gpu_pair();
  CHECK(complaints(streamed_mapping({0, 3, 0, 1}), s).empty());
  CHECK(complaints(streamed_mapping({0, 3}), s) ==
        sentences{"streams: 2 streams of 4 operators [bad-streams]"});
  auto m = streamed_mapping({0, 3, 0, 1});
  m.launch_order.clear();
  CHECK(complaints(m, s) ==
        sentences{"streams: streams of a mapping without a launch order [bad-streams]"});
  auto staged = s;
  staged.interconnect =
      mars::interconnect::host_staged{.accelerators = 2, .bandwidth = mars::bytes_per_second{1e9}};
  CHECK(complaints(streamed_mapping({0, 0, 0, 0}), staged) ==
        sentences{"streams: streams of accelerators that are staged through a host [no-streams]"});
  mars::any_system const plain = mars_test::small(2);
  CHECK(complaints(streamed_mapping({0, 0, 0, 0}), plain).empty());
  CHECK(complaints(streamed_mapping({0, 0, 2, 0}), plain) ==
        sentences{"operators[2].stream: operator 'conv2' is on stream 2 of accelerator 0, whose "
                  "design 'gpu' launches no kernels [no-streams]"});
}

TEST_CASE("operators of one stream take turns, those of two do not", "[streams]") {
  auto const s = gpu_pair();
  // conv1, then relu and (after it) conv2, then add.
  std::vector<mars::time_span> const beside{between(0, 1), between(1, 2), between(2, 4),
                                            between(4, 5)};
  CHECK(complaints(streamed_mapping({0, 1, 0, 1}), s, &beside).empty());
  // conv1 and conv2 do not depend on each other's accelerator, but relu is launched before conv2.
  auto m = streamed_mapping({0, 0, 0, 0});
  std::vector<mars::time_span> const together{between(0, 2), between(2, 3), between(3, 5),
                                              between(4.5, 6)};
  m.streams[3] = mars::stream_id{std::size_t{1}};
  CHECK(complaints(m, s, &together) ==
        sentences{"schedule[3]: operator 'add' starts before 'conv2', whose result it reads, has "
                  "ended [precedence]"});
  // Two readers of conv1: add is not one of relu's. Launched later, it may start first on its own stream.
  mars::builder b{"fork"};
  auto const x = b.input("x", {64});
  b.output(b.relu(x, "left"));
  b.output(b.relu(x, "right"));
  auto const fork = std::move(b).build().value();
  mars::mapping two{{mars_test::set_of({0})}, std::vector<mars::placement>(2)};
  two.launch_order = {mars::operator_id{0U}, mars::operator_id{1U}};
  std::vector<mars::time_span> const crossed{between(1, 3), between(0, 2)};
  two.streams = {mars::stream_id{0U}, mars::stream_id{1U}};
  CHECK(validate(two, fork, s, crossed).empty());
  two.streams[1] = mars::stream_id{0U};
  auto const found = validate(two, fork, s, crossed);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == mars::violation_kind::busy_accelerator);
  CHECK(found[0].message == "operator 'left' starts while 'right' still runs on the same stream");
  std::vector<mars::time_span> const reversed{between(2, 3), between(0, 2)};
  REQUIRE(validate(two, fork, s, reversed).size() == 1);
  CHECK(validate(two, fork, s, reversed)[0].kind == mars::violation_kind::out_of_order);

  // 128 bytes each: beside each other both inputs and both results are there, after each other the
  // first result, and what `right` reads and writes.
  auto const peak = [&](std::vector<mars::time_span> const& times) {
    return memory_demands(two, fork, s, times)[0].peak.count();
  };
  CHECK(peak({between(0, 1), between(1, 2)}) == 3 * 128);
  CHECK(peak({between(0, 2), between(1, 2)}) == 4 * 128);
}

TEST_CASE("mappings differ in streams", "[streams]") {
  auto const a = streamed_mapping({0, 1, 0, 1});
  auto const b = streamed_mapping({0, 1, 2, 0});
  auto none = a;
  none.streams.clear();
  auto const differences_between = [&](mars::mapping const& x, mars::mapping const& y) {
    sentences all;
    for (auto const& d : diff(x, y, stream_graph_at_hand)) all.push_back(to_string(d));
    return all;
  };
  CHECK(differences_between(a, a).empty());
  CHECK(differences_between(a, b) ==
        sentences{"operators[2].stream (conv2): 0 -> 2", "operators[3].stream (add): 1 -> 0"});
  CHECK(differences_between(none, a) ==
        sentences{"operators[1].stream (relu): 0 -> 1", "operators[3].stream (add): 0 -> 1"});
  CHECK(diff(none, a)[0].kind == mars::difference_kind::stream);
  CHECK(kind_name(mars::difference_kind::stream) == "stream");
}
