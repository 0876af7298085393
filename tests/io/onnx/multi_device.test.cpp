// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io/onnx/model.hpp"
#include "mapping/fixture.hpp"
#include "support/factory_operations.hpp"
#include "support/random_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/core/random.hpp>
#include <mars/io/files.hpp>
#include <mars/io/onnx/multi_device.hpp>
#include <mars/io/onnx/write_model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace mars_test;

namespace {

using rule = mars::io::onnx_violation::rule;

/// Bytes of a field that the generated classes do not know, tag and length included.
auto unknown_bytes(google::protobuf::Message const& m) -> std::string {
  std::string bytes;
  REQUIRE(m.GetReflection()->GetUnknownFields(m).SerializeToString(&bytes));
  return bytes;
}

/// x → MatMul W → Relu → y, with the annotations {"tp2", 2}: W split in 2 on axis 1.
auto tp2() -> model {
  model m{17, 11};
  m.input("x", {4, 8}).weight("W", {8, 6}).info("h", {4, 6}).output("y");
  m.node("MatMul", {"x", "W"}, {"h"}, "mm");
  m.node("Relu", {"h"}, {"y"}, "relu");
  return m;
}
auto tp2_annotations() -> mars::io::onnx_annotations {
  mars::io::onnx_sharding_spec w{"W", {0, 1}, {}, {{1, {{{}, {}, 2}}}}};
  return {{{"tp2", 2, {}}}, {{{"tp2", {w}, 0}}, {}}};
}

/// The rules broken by annotations that `change` spoils.
template <class Change>
auto broken_by(Change const& change) -> std::vector<rule> {
  auto m = tp2();
  auto a = tp2_annotations();
  change(m, a);
  std::vector<rule> rules;
  for (auto const& v : mars::io::validate_device_configurations(m.proto, a)) {
    CHECK(!v.path.empty());
    CHECK(v.is_warning() == (v.what == rule::uneven_split || v.what == rule::stage_order));
    rules.push_back(v.what);
  }
  return rules;
}

/// A graph of one operator on a set of its own order, and its annotated skeleton read back.
auto sent_round(mars::operation o, mars::sharding const& s, std::size_t n)
    -> std::pair<mars::mapping, mars::expected<mars::mapping>> {
  o.name = "o";
  mars::mapping m{{set_of({})}, {mars::placement{mars::set_id{0U}, s}}, {}};
  for (std::size_t i = 0; i < n; ++i) m.sets[0].accelerators.emplace_back(n - 1 - i);
  auto const g = mars::make_graph("one", {o}, {}).value();
  auto proto = mars::io::to_onnx_model(g).value();
  REQUIRE(mars::io::annotate_onnx(proto, g, small(n), m));
  // Through bytes, as a file would.
  pb::ModelProto again;
  REQUIRE(again.ParseFromString(proto.SerializeAsString()));
  for (auto const& v : mars::io::validate_device_configurations(
           again, mars::io::read_device_configurations(again).value()))
    if (!v.is_warning()) FAIL(text_of(v));
  return {m, mars::io::read_onnx_mapping(again, g)};
}

} // namespace

TEST_CASE("multi-device annotations byte for byte", "[onnx]") {
  auto m = tp2();
  mars::io::write_device_configurations(m.proto, tp2_annotations());
  std::string const configuration{"\xd2\x01\x07\x0a\x03"
                                  "tp2"
                                  "\x10\x02"};
  std::string node{"\x52\x18\x0a\x03"
                   "tp2"
                   "\x12\x0f\x0a\x01"
                   "W"
                   "\x10"};
  node.append(1, '\0').append("\x10\x01\x22\x06\x08\x01\x12\x02\x18\x02\x18").append(1, '\0');
  CHECK(unknown_bytes(m.proto) == configuration);
  CHECK(unknown_bytes(m.proto.graph().node(0)) == node);
  CHECK(unknown_bytes(m.proto.graph().node(1)).empty());
  CHECK(mars::io::read_device_configurations(m.proto).value() == tp2_annotations());
  // Written again they are there once; taken out, nothing is left.
  mars::io::write_device_configurations(m.proto, tp2_annotations());
  CHECK(unknown_bytes(m.proto.graph().node(0)) == node);
  mars::io::write_device_configurations(m.proto, {{}, {{}, {}}});
  CHECK(unknown_bytes(m.proto).empty());
  CHECK(unknown_bytes(m.proto.graph().node(0)).empty());
}

TEST_CASE("annotations that are no annotations are refused, and name their node", "[onnx]") {
  auto m = tp2();
  auto& node = *m.proto.mutable_graph()->mutable_node(1);
  auto* unknown = node.GetReflection()->MutableUnknownFields(&node);
  unknown->AddLengthDelimited(10)->assign("\x0a\x7f");
  auto const cut = mars::io::read_device_configurations(m.proto);
  REQUIRE(!cut);
  CHECK(cut.error().path == "graph.node[1].device_configurations[0]");
  unknown->Clear();
  unknown->AddVarint(10, 3);
  CHECK(!mars::io::read_device_configurations(m.proto));
  unknown->Clear();
  unknown->AddLengthDelimited(10)->assign("\x12\x04\x12\x02\xff\xff"); // a packed list, cut
  CHECK(!mars::io::read_device_configurations(m.proto));
  unknown->Clear();
  unknown->AddLengthDelimited(10)->assign("\x12\x04\x12\x02\x05\x06"); // a packed list
  CHECK(mars::io::read_device_configurations(m.proto).value().nodes[1][0].specs[0].device ==
        std::vector<std::int64_t>{5, 6});
}

TEST_CASE("every rule of the annotations, broken on purpose", "[onnx]") {
  using annotations = mars::io::onnx_annotations;
  auto const broken = [](auto const& change) {
    return broken_by([&](model& m, annotations& a) { change(m, a, a.nodes[0][0].specs[0]); });
  };
  using spec = mars::io::onnx_sharding_spec;
  using list = std::vector<rule>;
  CHECK(broken([](model&, annotations&, spec&) {}).empty());
  CHECK(broken([](model& m, annotations&, spec&) { m.proto.set_ir_version(10); }) ==
        list{rule::old_ir_version});
  CHECK(broken([](model&, annotations& a, spec&) {
          a.configurations.push_back({"", 1, {}});
        }) == list{rule::unnamed_configuration});
  CHECK(broken([](model&, annotations& a, spec&) {
          a.configurations.push_back({"tp2", 2, {}});
        }) == list{rule::duplicate_configuration});
  CHECK(broken([](model&, annotations& a, spec&) {
          a.configurations.push_back({"b", 0, {}});
        }) == list{rule::no_devices});
  CHECK(broken([](model&, annotations& a, spec&) { a.configurations[0].device = {"gpu"}; }) ==
        list{rule::device_names});
  CHECK(broken([](model&, annotations& a, spec&) { a.nodes[0][0].configuration_id = "tp4"; }) ==
        list{rule::unknown_configuration});
  CHECK(broken([](model&, annotations& a, spec&) {
          a.nodes[0].push_back({"tp2", {}, {}});
        }) == list{rule::repeated_configuration});
  CHECK(broken([](model&, annotations&, spec& s) { s.tensor_name = "y"; }) ==
        list{rule::unknown_tensor});
  CHECK(broken([](model&, annotations& a, spec& s) {
          auto const copy = s;
          a.nodes[0][0].specs.push_back(copy);
        }) == list{rule::repeated_tensor});
  CHECK(broken([](model&, annotations&, spec& s) { s.dims[0].axis = 2; }) ==
        list{rule::axis_out_of_range});
  CHECK(broken([](model&, annotations&, spec& s) { s.dims[0].axis = -3; }) ==
        list{rule::axis_out_of_range});
  CHECK(broken([](model&, annotations&, spec& s) { s.dims[0].axis = -1; }).empty());
  CHECK(broken([](model&, annotations&, spec& s) {
          s.dims.push_back({-1, {{{}, {}, 1}}});
        }) == list{rule::repeated_axis});
  CHECK(broken([](model&, annotations&, spec& s) {
          s.dims.push_back({0, {{{}, {}, 0}}});
        }) == list{rule::no_shards});
  CHECK(broken([](model&, annotations&, spec& s) { s.device = {0}; }) ==
        list{rule::wrong_device_count});
  CHECK(broken([](model&, annotations&, spec& s) { s.dims.clear(); }) ==
        list{rule::wrong_device_count});
  CHECK(broken([](model&, annotations&, spec& s) { s.dims[0].simple[0].dim_value = 8; }) ==
        list{rule::wrong_dim_value});
  CHECK(broken([](model&, annotations&, spec& s) { s.dims[0].simple[0].dim_value = 6; }).empty());
  CHECK(broken([](model&, annotations&, spec& s) {
          s.device = {0, 2};
        }) == list{rule::unknown_device});
  CHECK(broken([](model&, annotations&, spec& s) {
          s.device = {0, -1};
        }) == list{rule::unknown_device});
  CHECK(broken([](model&, annotations&, spec& s) {
          s.device = {0, -1};
          s.groups = {{-1, {1}}};
        }).empty());
  CHECK(broken([](model&, annotations&, spec& s) {
          s.device = {0, -1};
          s.groups = {{-1, {2}}};
        }) == list{rule::group_member});
  CHECK(broken([](model&, annotations&, spec& s) {
          s.device = {0, -1};
          s.groups = {{-1, {1, 1}}};
        }) == list{rule::repeated_group_member});
  CHECK(broken([](model&, annotations&, spec& s) {
          s.device = {-1, -2};
          s.groups = {{-1, {0, 1}}, {-2, {1}}};
        }) == list{rule::overlapping_groups});
  CHECK(broken([](model&, annotations& a, spec& s) {
          a.configurations[0].num_devices = 4;
          s.device = {0, 1, 2, 3};
          s.dims[0].simple[0].num_shards = 4;
        }) == list{rule::uneven_split});
  CHECK(broken([](model&, annotations& a, spec&) {
          a.nodes[0][0].pipeline_stage = 1;
          a.nodes[1].push_back({"tp2", {}, 0});
        }) == list{rule::stage_order});
  // A product of shards beyond 64 bits is wrong, not undefined.
  CHECK(broken([](model&, annotations&, spec& s) {
          s.dims[0].simple = {{{}, {}, INT64_MAX}, {{}, {}, INT64_MAX}};
        }) == list{rule::wrong_device_count});
}

TEST_CASE("a mapping of a loaded model is annotated and read back", "[onnx]") {
  model m{17, 8};
  m.input("x", {2, 8, 4, 4}).weight("W", {6, 8, 3, 3}).weight("V", {5, 96}).output("y");
  m.node("Conv", {"x", "W"}, {"c"}, "conv").set("pads", {1, 1, 1, 1});
  m.node("Relu", {"c"}, {"r"}); // unnamed
  m.node("Dropout", {"r"}, {"d"}, "drop");
  m.node("Flatten", {"d"}, {"f"}, "flat").set("axis", 1);
  m.node("Gemm", {"f", "V"}, {"y"}, "fc").set("transB", 1);
  auto const g = imported(m).graph;
  REQUIRE(g.size() == 4);
  mars::mapping map{
      {set_of({2, 0, 1, 3}), set_of({5, 4}, "wino")}, std::vector<mars::placement>(4), {}};
  map.operators[0].sharding.exclusive = {along(g, 0, "k", 2), along(g, 0, "y", 2)};
  map.operators[1].sharding.exclusive = {along(g, 1, "k", 2)};
  map.operators[3].set = mars::set_id{1U};
  map.operators[3].sharding.exclusive = {along(g, 3, "k", 2)};

  auto proto = m.proto;
  auto const lost = mars::io::annotate_onnx(proto, g, small(6), map);
  INFO((lost ? std::string{} : to_string(lost.error())));
  REQUIRE(lost);
  CHECK(proto.ir_version() == 11);
  auto const a = mars::io::read_device_configurations(proto).value();
  CHECK(a.configurations.size() == 1);
  CHECK(a.configurations[0].device.size() == 6);
  for (auto const& v : mars::io::validate_device_configurations(proto, a)) CHECK(text_of(v) == "");
  // conv: the weight is cut along its first axis, and each half is on two devices.
  auto const& specs = a.nodes[0][0].specs;
  REQUIRE(specs.size() == 3);
  auto const w =
      std::find_if(specs.begin(), specs.end(), [](auto const& s) { return s.tensor_name == "W"; });
  REQUIRE(w != specs.end());
  CHECK(*w == mars::io::onnx_sharding_spec{
                  "W", {-1, -2}, {{-1, {2, 0}}, {-2, {1, 3}}}, {{0, {{6, {}, 2}}}}});
  CHECK(a.nodes[2].empty()); // the Dropout is no operator
  CHECK(!a.nodes[3].empty());

  auto const back = mars::io::read_onnx_mapping(proto, g);
  INFO((back ? std::string{} : to_string(back.error())));
  REQUIRE(back);
  CHECK(*back == map);
  // The importer does not mind.
  CHECK(mars::io::parse_onnx(proto.SerializeAsString()).value().graph.size() == 4);

  // Without the metadata sets are the devices as a spec lists them; designs are not told.
  proto.clear_metadata_props();
  auto const plain = mars::io::read_onnx_mapping(proto, g, "gpu");
  REQUIRE(plain);
  CHECK(plain->sets == std::vector{set_of({2, 0, 1, 3}), set_of({5, 4})});
  CHECK(plain->operators == map.operators);

  // Another configuration is left alone.
  auto other = m.proto;
  mars::io::write_device_configurations(other, {{{"theirs", 1, {}}}, {{}, {}, {}, {}, {}}});
  REQUIRE(mars::io::annotate_onnx(other, g, small(6), map));
  CHECK(mars::io::read_device_configurations(other).value().configurations[0].name == "theirs");

  // What is not this model is refused, and stays as it is.
  auto strange = tp2().proto;
  auto const before = strange.SerializeAsString();
  auto const refused_line = mars::io::annotate_onnx(strange, g, small(6), map);
  REQUIRE(!refused_line);
  CHECK(refused_line.error().path == "model");
  CHECK(strange.SerializeAsString() == before);
  CHECK(mars::io::read_onnx_mapping(m.proto, g).error().path == "operators[0]");
}

TEST_CASE("annotations of no sharding, and nonsense, are told apart from mappings", "[onnx]") {
  auto m = tp2();
  auto const g = imported(m).graph;
  auto const read = [&](std::vector<mars::io::onnx_sharding_spec> const& specs) {
    mars::io::write_device_configurations(
        m.proto,
        {{{"mars", 4, {}}}, {{{"mars", specs, {}}}, {{"mars", {{"y", {0}, {}, {}}}, {}}}}});
    return mars::io::read_onnx_mapping(m.proto, g);
  };
  CHECK(read({{"W", {0, 1}, {}, {{1, {{{}, {}, 2}}}}}}));
  // A weight on other devices than the result.
  CHECK(read({{"W", {0, 1}, {}, {{1, {{{}, {}, 2}}}}}, {"h", {2}, {}, {}}}).error().code ==
        mars::error_code::unsupported);
  CHECK(read({{"W", {0, 1}, {}, {{1, {{{}, {}, INT64_MAX}, {{}, {}, INT64_MAX}}}}}}).error().code ==
        mars::error_code::unsupported);
  CHECK(read({{"W", {0, 1}, {}, {{7, {{{}, {}, 2}}}}}}).error().code ==
        mars::error_code::unsupported);
  CHECK(read({{"W", {0, -1}, {}, {{1, {{{}, {}, 2}}}}}}).error().code == mars::error_code::parse);
  CHECK(read({}).error().code == mars::error_code::parse);
  std::vector<std::int64_t> many(5000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::int64_t>(i);
  CHECK(read({{"W", {-1}, {{-1, many}}, {}}}).error().code == mars::error_code::unsupported);
  auto& entry = *m.proto.add_metadata_props();
  entry.set_key("mars.set.0");
  for (auto const* broken : {"", "0,", "0,1", "x", "0,-1 d", "0;1 d"}) {
    entry.set_value(broken);
    CAPTURE(broken);
    CHECK(read({{"W", {0, 1}, {}, {{1, {{{}, {}, 2}}}}}}).error().code == mars::error_code::parse);
  }
  entry.set_value("1,0 a design");
  auto const found = read({{"W", {0, 1}, {}, {{1, {{{}, {}, 2}}}}}});
  REQUIRE(found);
  CHECK(found->sets[0] == set_of({1, 0}, "a design"));
  CHECK(found->sets[1] == set_of({0, 1}, "")); // the first half is on 0
}

TEST_CASE("random shardings of random operators survive ONNX", "[onnx]") {
  mars::random_stream const root{26};
  std::size_t equal = 0, all = 0, rotating = 0, scattered = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    auto r = root.substream(i);
    operation_generator by_hand{r.substream(0)};
    factory_generator by_factory{r.substream(1)};
    auto const o = i % 2 == 0 ? by_hand(i / 2) : by_factory(i / 2);
    auto n = 1 + r.below(12);
    mars::sharding s;
    for (int tries = 0; tries < 40 && shard_count(s) < 2; ++tries) {
      n = 1 + r.below(12);
      s = any_sharding(r, o, n);
      if (!check(o, s, n)) s = {};
    }
    // What no split of an axis says is lost: that is told, and not looked for.
    bool said = true;
    for (auto const& t : o.operands)
      if (t.role != mars::role::state)
        said &= mars::io::split_of(o, t, s, n).boxes != mars::io::tensor_split::parts::irregular;
    if (!said) continue;
    CAPTURE(i, n);
    auto const [sent, got] = sent_round(o, s, n);
    INFO((got ? std::string{} : to_string(got.error())));
    REQUIRE(got);
    ++all;
    rotating += s.shared.has_value();
    scattered += s.scatter.has_value();
    CHECK(got->sets == sent.sets);
    if (*got == sent) {
      ++equal;
      continue;
    }
    // Another sharding may put every tensor in the same place: then ONNX cannot tell them apart.
    auto const members = std::span<mars::accelerator_id const>{sent.sets[0].accelerators};
    for (auto const& t : o.operands) {
      if (t.role == mars::role::state) continue;
      auto const symbolic = [](std::size_t) { return false; };
      auto const a = mars::io::onnx_detail::spec_of(o, t, s, members, symbolic);
      auto const b =
          mars::io::onnx_detail::spec_of(o, t, got->operators[0].sharding, members, symbolic);
      CHECK(mars::io::onnx_detail::same_place(a, b, t.axes.size()));
    }
  }
  CHECK(all > 200);
  CHECK(equal * 10 > all * 8);
  CHECK(rotating > 5);
  CHECK(scattered > 3);
}

TEST_CASE("a graph from elsewhere is written as a skeleton, annotated, and read back", "[onnx]") {
  mars::builder b{"mixed"};
  auto const x = b.input("x", {2, 8, 6, 6});
  auto const stem = b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}}, "x'");
  auto const parts = b.split(stem, 1, {4, 4}, "parts");
  auto const product = b.mul(parts[0], parts[0], "square");
  auto const joined = b.concat({product, parts[1]}, 1, "joined");
  b.output(b.linear(b.flatten(joined, 1, "flat"), 12, true, "x"));
  auto const g = std::move(b).build().value();
  mars::mapping m{{set_of({3, 2, 1, 0}), set_of({4, 5})}, std::vector<mars::placement>(6), {}};
  m.operators[0].sharding.exclusive = {along(g, 0, "k", 4)};
  m.operators[1].set = mars::set_id{1U};
  m.operators[5].sharding.exclusive = {along(g, 5, "n", 2), along(g, 5, "k", 2)};
  m.operators[5].sharding.scatter = along(g, 5, "n", 2).dim;
  m.operators[2].weights = mars::residency::streamed;
  auto const out = mars::io::export_onnx(g, small(6), m);
  INFO((out ? std::string{} : to_string(out.error())));
  REQUIRE(out);
  REQUIRE(out->files.size() == 1);
  CHECK(out->files[0].name == "model.onnx");
  std::string lost;
  for (auto const& line : out->not_expressed) lost += line + "\n";
  CHECK_THAT(lost, contains_text("1 operator, 'x', leave partial sums"));
  CHECK_THAT(lost, contains_text("streamed weights"));
  CHECK_THAT(lost, contains_text("no attributes"));
  CHECK_THAT(lost, !contains_text("no annotation"));

  pb::ModelProto model;
  REQUIRE(model.ParseFromString(out->files[0].content));
  CHECK(model.ir_version() == 11);
  auto const a = mars::io::read_device_configurations(model).value();
  for (auto const& v : mars::io::validate_device_configurations(model, a)) CHECK(text_of(v) == "");
  auto wanted = m;
  wanted.operators[2].weights = mars::residency::resident;
  CHECK(mars::io::read_onnx_mapping(model, g).value() == wanted);
  // Importers see a graph of as many operators, whose work nobody knows.
  CHECK(mars::io::parse_onnx(out->files[0].content).value().graph.size() == g.size());

  // Annotated as a file, nothing else changes.
  auto const again = mars::io::export_onnx(g, small(6), m, out->files[0].content).value();
  CHECK(again.files[0].content == out->files[0].content);
  CHECK(mars::io::export_onnx(g, small(6), m, std::string{"noise"}).error().code ==
        mars::error_code::parse);
}

TEST_CASE("real models keep their annotations", "[onnx]") {
#ifndef MARS_TEST_SHARED_DIR
  MARS_TEST_SKIP("no shared data here");
#else
  for (auto const* name : {"light_resnet50", "light_shufflenet", "attention_distilbert"}) {
    CAPTURE(name);
    auto const bytes =
        mars::io::read_file(std::string{MARS_TEST_SHARED_DIR} + "/data/onnx/" + name + ".onnx");
    REQUIRE(bytes);
    auto const g = mars::io::parse_onnx(*bytes).value().graph;
    mars::random_stream r{3};
    mars::mapping m{{set_of({4, 5, 6, 7}), set_of({1, 0, 3, 2})}, {}, {}};
    for (auto const v : operators(g)) {
      mars::placement p{mars::set_id{static_cast<std::size_t>(r.below(2))}, {}};
      for (int tries = 0; tries < 30; ++tries) {
        p.sharding = any_sharding(r, op(g, v), 4);
        if (check(op(g, v), p.sharding, 4)) break;
        p.sharding = {};
      }
      m.operators.push_back(p);
    }
    auto const out = mars::io::export_onnx(g, small(8), m, *bytes).value();
    pb::ModelProto model;
    REQUIRE(model.ParseFromString(out.files[0].content));
    auto const a = mars::io::read_device_configurations(model).value();
    for (auto const& v : mars::io::validate_device_configurations(model, a))
      if (!v.is_warning()) CHECK(text_of(v) == "");
    auto const back = mars::io::read_onnx_mapping(model, g);
    INFO((back ? std::string{} : to_string(back.error())));
    REQUIRE(back);
    // Another sharding of an operator may say the same: then it is annotated the same.
    auto again = model;
    REQUIRE(mars::io::annotate_onnx(again, g, small(8), *back));
    CHECK(mars::io::read_device_configurations(again).value() == a);
    std::size_t equal = 0;
    for (std::size_t v = 0; v < g.size(); ++v) equal += back->operators[v] == m.operators[v];
    CHECK(equal * 10 > g.size() * 8);
  }
#endif
}
