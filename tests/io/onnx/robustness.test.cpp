// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that are broken, hostile or merely long. Most value when built with sanitizers.

#include "io/onnx/model.hpp"

#include <mars/core/random.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace mars_test;

namespace {

/// A small model that visits many handlers.
auto busy_model() -> model {
  model m;
  m.input("x", {"N", 3, 16, 16}).output("y");
  m.weight("w", {8, 3, 3, 3})
      .weight("b", {8})
      .weight("bn", {8})
      .weight("fc", {8, 10})
      .weight("lstm", {1, 32, 10});
  m.weight("rec", {1, 32, 8});
  m.node("Conv", {"x", "w", "b"}, {"c"}, "conv").set("pads", {1, 1, 1, 1}).set("strides", {2, 2});
  m.node("BatchNormalization", {"c", "bn", "bn", "bn", "bn"}, {"n"}, "bn");
  m.node("Relu", {"n"}, {"r"});
  m.node("MaxPool", {"r"}, {"p"}, "pool").set("kernel_shape", {3, 3}).set("auto_pad", "SAME_UPPER");
  m.node("Concat", {"p", "r"}, {"k"}).set("axis", 1);
  m.integers("half", {8, 8}).integers("eight", {8});
  m.node("Split", {"k", "half"}, {"k1", "k2"}).set("axis", 1);
  m.node("Add", {"k1", "k2"}, {"a"});
  m.node("GlobalAveragePool", {"a"}, {"g"});
  m.node("Shape", {"g"}, {"s"});
  m.scalar("zero", 0).integers("axis", {0}).integers("minus", {-1});
  m.node("Gather", {"s", "zero"}, {"s0"});
  m.node("Unsqueeze", {"s0", "axis"}, {"s1"});
  m.node("Concat", {"s1", "minus"}, {"to"}).set("axis", 0);
  m.node("Reshape", {"g", "to"}, {"f"}, "flatten");
  m.node("MatMul", {"f", "fc"}, {"l"});
  m.node("Unsqueeze", {"l", "axis"}, {"l3"});
  m.node("LSTM", {"l3", "lstm", "rec"}, {"", "h"}, "lstm").set("hidden_size", 8);
  m.node("Softmax", {"h"}, {"q"}).set("axis", 2);
  model branch;
  branch.node("Slice", {"q", "axis", "eight"}, {"o"});
  branch.output("o");
  m.input("cond", {}, 9);
  m.node("If", {"cond"}, {"y"}, "if")
      .set("then_branch", branch.graph())
      .set("else_branch", branch.graph());
  return m;
}

/// Whatever comes out, it is an answer: a graph, or one line.
auto survives(std::string const& bytes) -> bool {
  auto const r = mars::io::parse_onnx(bytes);
  return r || to_string(r.error()).find('\n') == std::string::npos;
}

} // namespace

TEST_CASE("the model that is about to be broken is whole", "[onnx]") {
  CHECK(imported(busy_model()).graph.size() == 14);
}

TEST_CASE("every prefix of a file is refused or read, never fatal", "[onnx]") {
  auto const bytes = busy_model().bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    REQUIRE(survives(bytes.substr(0, n)));
  }
}

TEST_CASE("flipped bytes are refused or read, never fatal", "[onnx]") {
  auto const bytes = busy_model().bytes();
  mars::random_stream random{20240607};
  for (int round = 0; round < 4000; ++round) {
    auto broken = bytes;
    auto const flips = 1 + round % 5;
    for (int k = 0; k < flips; ++k) {
      auto const at = random.below(broken.size());
      broken[at] = static_cast<char>(round % 2 == 0 ? static_cast<int>(random.below(256))
                                                    : broken[at] ^ (1 << random.below(8)));
    }
    CAPTURE(round);
    REQUIRE(survives(broken));
  }
}

TEST_CASE("any operator on anything is refused or read, never fatal", "[onnx]") {
  namespace detail = mars::io::onnx_detail;
  strings types{"If", "Loop", "Scan", "Unknown"};
  for (auto const& [name, handler] : detail::contrib_handlers()) types.emplace_back(name);
  std::sort(types.begin(), types.end());
  strings attributes;
  std::istringstream list{
      "axis axes perm split keepdims to group strides pads dilations kernel_shape output_shape "
      "output_padding blocksize size num_groups hidden_size transA transB shape starts ends steps "
      "allowzero k num_outputs num_heads q_num_heads kv_num_heads batch_dims layout K N bits start "
      "end scales depth qkv_hidden_sizes repeats"};
  for (std::string word; list >> word;) attributes.push_back(word);
  mars::random_stream random{7};
  auto const number = [&]() -> std::int64_t {
    switch (random.below(12)) {
    case 0: return 0;
    case 1: return -1;
    case 2: return static_cast<std::int64_t>(1) << random.below(63);
    case 3: return -(static_cast<std::int64_t>(1) << random.below(63));
    case 4: return random.below(2) == 0 ? INT64_MAX : INT64_MIN;
    default: return static_cast<std::int64_t>(random.below(5)) + 1;
    }
  };
  auto const numbers = [&] {
    std::vector<std::int64_t> all;
    for (auto n = random.below(6); n-- > 0;) all.push_back(number());
    return all;
  };
  auto const extents = [&] {
    shape s;
    for (auto n = random.below(6); n-- > 0;)
      s.push_back(random.below(40) == 0 ? number()
                                        : static_cast<std::int64_t>(1 + random.below(4)));
    return s;
  };
  auto const type = [&] { return 1 + static_cast<int>(random.below(12)); };
  int const rounds = 10'000;
  int accepted = 0;
  for (int round = 0; round < rounds; ++round) {
    model m{static_cast<std::int64_t>(1 + random.below(23))};
    strings tensors{"", "w", "n", "s", "r"};
    auto const common = extents();
    for (int k = 0; k < 3; ++k) {
      tensors.push_back(std::string{"x"} + std::to_string(k));
      auto const s = random.below(3) == 0 ? extents() : common;
      m.input(tensors.back(), {s.begin(), s.end()}, type());
    }
    m.weight("w", extents(), type()).integers("n", numbers()).scalar("s", number());
    m.reals("r", {static_cast<float>(number()), 2.0F});
    for (int k = round % 3; k < 3; ++k) {
      strings in;
      strings out;
      for (auto n = 1 + random.below(5); n-- > 0;)
        in.push_back(tensors[random.below(tensors.size())]);
      for (auto n = 1 + random.below(3); n-- > 0;)
        out.push_back(std::string{"t"} + std::to_string(k) + std::to_string(n));
      auto node = m.node(types[random.below(types.size())], in, out, "op");
      if (random.below(4) == 0) node.domain("com.microsoft");
      for (auto n = random.below(5); n-- > 0;) {
        auto const& a = attributes[random.below(attributes.size())];
        if (random.below(2) == 0)
          node.set(a, number());
        else
          node.set(a, numbers());
      }
      if (random.below(3) == 0) node.set("auto_pad", random.below(2) == 0 ? "SAME_UPPER" : "VALID");
      if (random.below(3) == 0)
        node.set("equation", random.below(2) == 0 ? "ij,jk->ik" : "...a,ab->...b");
      for (auto const& o : out) tensors.push_back(o);
      m.output(out.back());
    }
    CAPTURE(round);
    auto const r = mars::io::parse_onnx(m.bytes());
    accepted += r ? 1 : 0;
    if (!r) REQUIRE(to_string(r.error()).find('\n') == std::string::npos);
  }
  CHECK(accepted > rounds / 50); // or the test reaches nothing
}

TEST_CASE("no model at all", "[onnx]") {
  auto const line = [](std::string const& bytes) {
    auto const r = mars::io::parse_onnx(bytes);
    REQUIRE_FALSE(r);
    return to_string(r.error());
  };
  CHECK_THAT(line(""), contains_text("[parse]"));
  CHECK_THAT(line("this is not a protobuf message"), contains_text("[parse]"));
  CHECK_THAT(line(std::string(64, '\0')), contains_text("[parse]"));
  CHECK_THAT(line(std::string("\x08\x07", 2)), contains_text("graph")); // ir_version only
  model empty;
  CHECK_THAT(line(empty.bytes()), contains_text("graph"));
}

TEST_CASE("files: absent, a directory, empty, good", "[onnx]") {
  auto const folder = std::filesystem::temp_directory_path();
  auto const r = mars::io::load_onnx(folder / "mars-no-such-file.onnx");
  REQUIRE_FALSE(r);
  CHECK(r.error().code == mars::error_code::io);
  auto const d = mars::io::load_onnx(folder);
  REQUIRE_FALSE(d);
  CHECK(d.error().code == mars::error_code::io);
  auto const path = folder / "mars-test-model.onnx";
  std::ofstream{path, std::ios::binary} << "";
  auto const e = mars::io::load_onnx(path);
  REQUIRE_FALSE(e);
  CHECK(e.error().code == mars::error_code::parse);
  std::ofstream{path, std::ios::binary} << busy_model().bytes();
  CHECK(mars::io::load_onnx(path));
  std::filesystem::remove(path);
}

TEST_CASE("a chain of a hundred thousand nodes, written backwards", "[onnx]") {
  model m;
  auto const length = 100'000;
  m.input("t0", {4}).output(std::string{"t"} + std::to_string(length));
  for (int k = length; k > 0; --k)
    m.node("Relu", {std::string{"t"} + std::to_string(k - 1)},
           {std::string{"t"} + std::to_string(k)});
  CHECK(imported(m).graph.size() == static_cast<std::size_t>(length));
}

TEST_CASE("subgraphs nested deeper than any reader goes", "[onnx]") {
  // Each level is node, attribute, graph: protobuf refuses at a hundred messages.
  pb::GraphProto g;
  g.add_output()->set_name("x");
  for (int k = 0; k < 60; ++k) {
    pb::GraphProto outer;
    add_node(*outer.mutable_node(), "If", {"c"}, {std::string{"y"} + std::to_string(k)}, "if")
        .set("then_branch", g);
    outer.add_output()->set_name(std::string{"y"} + std::to_string(k));
    g = outer;
  }
  model m;
  m.graph() = g;
  m.input("c", {}, 9).input("x", {2});
  CHECK(survives(m.bytes()));
}
