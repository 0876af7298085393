// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// make-demo-onnx FILE: writes a small residual network with an inception block as an ONNX model, so
// that mars-map has a real file to read where none was downloaded. Weights are made by
// ConstantOfShape nodes, as in the ONNX test suite: the file stays small, the extents are real.
// Batch is the symbol N.

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace pb = ONNX_NAMESPACE;
using extents = std::vector<std::int64_t>;

/// A network written layer by layer; every call returns the name of its result.
class network {
public:
  network() {
    model_.set_ir_version(8);
    model_.set_producer_name("mars make-demo-onnx");
    model_.add_opset_import()->set_version(13);
    graph_->set_name("mars_demo");
  }

  auto input(std::string const& name, std::string const& batch, extents const& rest)
      -> std::string {
    auto& type = *describe(*graph_->add_input(), name);
    type.mutable_shape()->add_dim()->set_dim_param(batch);
    for (auto const e : rest) type.mutable_shape()->add_dim()->set_dim_value(e);
    return name;
  }
  void output(std::string const& name) { describe(*graph_->add_output(), name); }

  auto conv(std::string const& x, std::string const& name, std::int64_t in, std::int64_t out,
            std::int64_t kernel, std::int64_t stride = 1, std::int64_t groups = 1) -> std::string {
    auto const w = weight(name + ".weight", {out, in / groups, kernel, kernel});
    auto& n = node("Conv", {x, w}, name);
    list(n, "kernel_shape", {kernel, kernel});
    list(n, "strides", {stride, stride});
    list(n, "pads", extents(4, kernel / 2));
    number(n, "group", groups);
    strings inputs{name};
    for (auto const* part : {".scale", ".shift", ".mean", ".variance"})
      inputs.push_back(weight(name + part, {out}));
    node("BatchNormalization", inputs, name + ".bn");
    return name + ".bn";
  }
  auto relu(std::string const& x) -> std::string { return unary("Relu", x, x + ".relu"); }
  auto unary(std::string const& type, std::string const& x, std::string const& name)
      -> std::string {
    node(type, {x}, name);
    return name;
  }
  auto max_pool(std::string const& x, std::string const& name, std::int64_t kernel,
                std::int64_t stride) -> std::string {
    auto& n = node("MaxPool", {x}, name);
    list(n, "kernel_shape", {kernel, kernel});
    list(n, "strides", {stride, stride});
    list(n, "pads", extents(4, kernel / 2));
    return name;
  }
  auto add(std::string const& a, std::string const& b, std::string const& name) -> std::string {
    node("Add", {a, b}, name);
    return name;
  }
  auto concat(std::vector<std::string> const& xs, std::string const& name) -> std::string {
    number(node("Concat", xs, name), "axis", 1);
    return name;
  }
  auto gemm(std::string const& x, std::string const& name, std::int64_t in, std::int64_t out)
      -> std::string {
    auto const w = weight(name + ".weight", {out, in});
    auto const b = weight(name + ".bias", {out});
    number(node("Gemm", {x, w, b}, name), "transB", 1);
    return name;
  }
  /// To [N, everything else] the way exporters write it: Shape → Gather → Unsqueeze → Concat →
  /// Reshape.
  auto flatten(std::string const& x, std::string const& name) -> std::string {
    auto const zero = integers(name + ".zero", {0}, false);
    auto const axis = integers(name + ".axis", {0});
    auto const rest = integers(name + ".rest", {-1});
    node("Shape", {x}, name + ".shape");
    node("Gather", {name + ".shape", zero}, name + ".batch");
    node("Unsqueeze", {name + ".batch", axis}, name + ".batch1");
    number(node("Concat", {name + ".batch1", rest}, name + ".target"), "axis", 0);
    node("Reshape", {x, name + ".target"}, name);
    return name;
  }

  [[nodiscard]] auto model() const -> pb::ModelProto const& { return model_; }

private:
  using strings = std::vector<std::string>;

  static auto describe(pb::ValueInfoProto& info, std::string const& name)
      -> pb::TypeProto::Tensor* {
    info.set_name(name);
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(pb::TensorProto::FLOAT);
    return type;
  }
  auto node(std::string const& type, strings const& inputs, std::string const& name)
      -> pb::NodeProto& {
    auto& n = *graph_->add_node();
    n.set_op_type(type);
    n.set_name(name);
    for (auto const& i : inputs) n.add_input(i);
    n.add_output(name);
    return n;
  }
  static auto attribute(pb::NodeProto& n, char const* name, pb::AttributeProto::AttributeType type)
      -> pb::AttributeProto& {
    auto& a = *n.add_attribute();
    a.set_name(name);
    a.set_type(type);
    return a;
  }
  static void number(pb::NodeProto& n, char const* name, std::int64_t v) {
    attribute(n, name, pb::AttributeProto::INT).set_i(v);
  }
  static void list(pb::NodeProto& n, char const* name, extents const& values) {
    auto& a = attribute(n, name, pb::AttributeProto::INTS);
    for (auto const v : values) a.add_ints(v);
  }
  auto integers(std::string const& name, extents const& values, bool vector = true) -> std::string {
    auto& t = *graph_->add_initializer();
    t.set_name(name);
    t.set_data_type(pb::TensorProto::INT64);
    if (vector) t.add_dims(static_cast<std::int64_t>(values.size()));
    for (auto const v : values) t.add_int64_data(v);
    return name;
  }
  auto weight(std::string const& name, extents const& shape) -> std::string {
    auto& n = node("ConstantOfShape", {integers(name + ".shape", shape)}, name);
    auto& value = *attribute(n, "value", pb::AttributeProto::TENSOR).mutable_t();
    value.add_dims(1);
    value.set_data_type(pb::TensorProto::FLOAT);
    value.add_float_data(0.02F);
    return name;
  }

  pb::ModelProto model_;
  pb::GraphProto* graph_ = model_.mutable_graph();
};

auto demo() -> pb::ModelProto {
  network n;
  auto x = n.input("image", "N", {3, 224, 224});
  x = n.relu(n.conv(x, "stem", 3, 64, 7, 2));
  x = n.max_pool(x, "stem.pool", 3, 2);
  // Two residual blocks, the second with a projection.
  auto y = n.relu(n.conv(x, "block1.conv1", 64, 64, 3));
  x = n.relu(n.add(n.conv(y, "block1.conv2", 64, 64, 3), x, "block1.add"));
  y = n.relu(n.conv(x, "block2.conv1", 64, 128, 3, 2));
  y = n.conv(y, "block2.conv2", 128, 128, 3);
  x = n.relu(n.add(y, n.conv(x, "block2.project", 64, 128, 1, 2), "block2.add"));
  // An inception block; its third branch is depthwise separable.
  auto const a = n.relu(n.conv(x, "mixed.1x1", 128, 64, 1));
  auto const b =
      n.relu(n.conv(n.relu(n.conv(x, "mixed.3x3_reduce", 128, 64, 1)), "mixed.3x3", 64, 96, 3));
  auto const c =
      n.conv(n.conv(x, "mixed.depthwise", 128, 128, 5, 1, 128), "mixed.pointwise", 128, 64, 1);
  auto const d =
      n.relu(n.conv(n.max_pool(x, "mixed.pool", 3, 1), "mixed.pool_project", 128, 32, 1));
  x = n.concat({a, b, n.relu(c), d}, "mixed");
  x = n.unary("GlobalAveragePool", x, "head.pool");
  x = n.gemm(n.flatten(x, "head.flatten"), "head.fc", 256, 1000);
  n.output(n.unary("Softmax", x, "probabilities"));
  return n.model();
}

} // namespace

auto main(int argc, char** argv) -> int {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make-demo-onnx FILE.onnx\n");
    return 2;
  }
  std::ofstream out{argv[1], std::ios::binary};
  if (!out || !demo().SerializeToOstream(&out) || !out.flush()) {
    std::fprintf(stderr, "make-demo-onnx: %s: cannot be written\n", argv[1]);
    return 2;
  }
  return 0;
}
