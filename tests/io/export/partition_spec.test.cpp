// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mars.partition_spec/1 is read back by its description alone: mesh, spec, boxes.

#include "mapping/fixture.hpp"
#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/random_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/core/random.hpp>
#include <mars/io/export/partition_spec.hpp>
#include <mars/workload/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#ifdef MARS_HAS_JSON
#include <nlohmann/json.hpp>
#endif

using namespace mars;

namespace {

/// Accelerators without anything.
struct plain_system {
  std::string name{"plain"};
  std::vector<int> accelerators;
};

} // namespace

TEST_CASE("partition specs of the skip network, word for word", "[export]") {
  auto const g = mars_test::skip_network();
  auto const out =
      io::export_partition_spec(g, mars_test::small(2), mars_test::skip_mapping(g)).value();
  REQUIRE(out.files.size() == 1);
  CHECK(out.files[0].name == "partition_spec.json");
  auto const& text = out.files[0].content;
  CHECK_THAT(text, mars_test::contains_text(
                       R"({"name": "conv1", "set": 0, "mesh": [["y", 2]], "partial_sums": [])"));
  CHECK_THAT(text,
             mars_test::contains_text(
                 R"({"role": "output", "shape": [1, 8, 8, 8], "spec": [null, null, "y", null],)"
                 R"( "parts": "equal"})"));
  CHECK_THAT(
      text, mars_test::contains_text(R"("parts": "overlapping", "boxes": [[[0, 1], [0, 4], [0, 5],)"
                                     R"( [0, 8]], [[0, 1], [0, 4], [3, 8], [0, 8]]]})"));
  REQUIRE(out.not_expressed.size() == 1);
  CHECK_THAT(out.not_expressed[0], mars_test::contains_text("parts of 1 tensor;"));
}

TEST_CASE("parts made uneven for devices of unlike speed are listed", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.operators[1].sharding.parts = {6, 2};
  auto const out = io::export_partition_spec(g, mars_test::small(2), m).value();
  CHECK_THAT(out.files[0].content,
             mars_test::contains_text(R"("spec": [null, null, "y", null], "parts": "uneven",)"
                                      R"( "boxes": [[[0, 1], [0, 8], [0, 6], [0, 8]],)"
                                      R"( [[0, 1], [0, 8], [6, 8], [0, 8]]])"));
}

TEST_CASE("a mapping of something else is refused in one line", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  auto const refused = [&](mapping const& bad) {
    auto const r = io::export_partition_spec(g, mars_test::small(2), bad);
    REQUIRE(!r);
    CHECK(r.error().code == error_code::invalid_mapping);
    return r.error().path;
  };
  auto bad = m;
  bad.operators.pop_back();
  CHECK(refused(bad) == "operators");
  bad = m;
  bad.operators[2].set = set_id{1U};
  CHECK(refused(bad) == "operators[2].set");
  bad = m;
  bad.sets[0].accelerators[1] = accelerator_id{2U};
  CHECK(refused(bad) == "sets[0].accelerators[1]");
  bad = m;
  bad.sets[0].accelerators[1] = accelerator_id{0U};
  CHECK(refused(bad) == "sets[0].accelerators[1]");
  bad = m;
  bad.operators[1].sharding.exclusive[0].ways = 3;
  CHECK_THAT(refused(bad), mars_test::contains_text("operators[1].sharding.exclusive"));
  bad = m;
  bad.launch_order = {operator_id{0U}, operator_id{0U}};
  CHECK(refused(bad) == "launch_order");
}

#ifdef MARS_HAS_JSON
namespace {

/// Boxes by rank, from the document alone.
auto boxes_of(nlohmann::json const& mesh, nlohmann::json const& tensor, std::size_t devices)
    -> layout {
  layout boxes;
  for (std::size_t rank = 0; rank < devices; ++rank) {
    tensor_box box;
    for (std::size_t a = 0; a < tensor["shape"].size(); ++a) {
      if (tensor.contains("boxes")) {
        auto const& given = tensor["boxes"][rank][a];
        box.push_back({given[0].get<std::int64_t>(), given[1].get<std::int64_t>()});
        continue;
      }
      auto const& entry = tensor["spec"][a];
      auto const names = entry.is_null()     ? std::vector<std::string>{}
                         : entry.is_string() ? std::vector{entry.get<std::string>()}
                                             : entry.get<std::vector<std::string>>();
      std::int64_t number = 0;
      std::int64_t ways = 1;
      for (auto const& name : names) {
        // Row-major over the mesh: the index along an axis is what the axes behind it leave.
        std::int64_t stride = 1;
        std::int64_t size = 0;
        for (auto const& axis : mesh) {
          if (size != 0) stride *= axis[1].get<std::int64_t>();
          if (axis[0] == name) size = axis[1];
        }
        REQUIRE(size > 1);
        number = number * size + static_cast<std::int64_t>(rank) / stride % size;
        ways *= size;
      }
      auto const extent = tensor["shape"][a].get<std::int64_t>();
      REQUIRE(extent % ways == 0);
      box.push_back({extent / ways * number, extent / ways * (number + 1)});
    }
    boxes.push_back(box);
  }
  return boxes;
}

} // namespace

TEST_CASE("partition specs say the layouts of random shardings", "[export]") {
  random_stream const root{11};
  std::size_t from_specs = 0, listed = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    auto r = root.substream(i);
    mars_test::operation_generator by_hand{r.substream(0)};
    mars_test::factory_generator by_factory{r.substream(1)};
    auto o = i % 2 == 0 ? by_hand(i / 2) : by_factory(i / 2);
    o.name = "o\"\\";
    auto const n = 1 + r.below(12);
    mapping m;
    m.sets.push_back({{}, "d"});
    plain_system system;
    for (std::size_t a = 0; a < n; ++a) {
      m.sets[0].accelerators.emplace_back(n - 1 - a);
      system.accelerators.push_back(0);
    }
    placement p;
    p.set = set_id{0U};
    for (int tries = 0; tries < 40; ++tries) {
      p.sharding = mars_test::any_sharding(r, o, n);
      if (check(o, p.sharding, n)) break;
      p.sharding = {};
    }
    m.operators = {p};
    auto const graph = make_graph("one", {o}, {});
    REQUIRE(graph);
    auto const out = io::export_partition_spec(*graph, system, m).value();
    CAPTURE(i, n, out.files[0].content);
    auto const doc = nlohmann::json::parse(out.files[0].content);
    CHECK(doc["schema"] == "mars.partition_spec/1");
    CHECK(doc["sets"][0]["accelerators"][0] == n - 1);
    auto const& written = doc["operators"][0];
    CHECK(written["name"] == o.name);
    std::int64_t devices = 1;
    for (auto const& axis : written["mesh"]) devices *= axis[1].get<std::int64_t>();
    CHECK(devices == static_cast<std::int64_t>(n));
    std::size_t k = 0;
    for (auto const& t : o.operands) {
      if (t.role == role::state) continue;
      auto const& tensor = written["tensors"][k++];
      auto const wanted = t.role == role::output ? output_layout(o, t, p.sharding, n)
                                                 : input_layout(o, t, p.sharding, n);
      CHECK(boxes_of(written["mesh"], tensor, n) == wanted);
      ++(tensor.contains("boxes") ? listed : from_specs);
    }
    CHECK(written["tensors"].size() == k);
    CHECK(written.contains("rotates") == p.sharding.shared.has_value());
  }
  CHECK(from_specs > 200);
  CHECK(listed > 20);
}
#endif
