// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Models in memory: what the importer's tests read.

#include "support/catch.hpp"

#include <mars/io/onnx.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mars_test {

namespace pb = ONNX_NAMESPACE;
using shape = mars::tensor_shape;
using strings = std::vector<std::string>;

/// An extent or a symbol.
using dim = std::variant<std::int64_t, std::string>;

/// Fluent access to one node's attributes.
class node_ref {
public:
  explicit node_ref(pb::NodeProto& node) : node_{&node} {}

  auto set(std::string const& name, std::int64_t v) -> node_ref& {
    auto& a = add(name, pb::AttributeProto::INT);
    a.set_i(v);
    return *this;
  }
  auto set(std::string const& name, int v) -> node_ref& { return set(name, std::int64_t{v}); }
  auto set(std::string const& name, float v) -> node_ref& {
    add(name, pb::AttributeProto::FLOAT).set_f(v);
    return *this;
  }
  auto set(std::string const& name, char const* v) -> node_ref& {
    add(name, pb::AttributeProto::STRING).set_s(v);
    return *this;
  }
  auto set(std::string const& name, std::initializer_list<std::int64_t> vs) -> node_ref& {
    auto& a = add(name, pb::AttributeProto::INTS);
    for (auto const v : vs) a.add_ints(v);
    return *this;
  }
  auto set(std::string const& name, std::vector<std::int64_t> const& vs) -> node_ref& {
    auto& a = add(name, pb::AttributeProto::INTS);
    for (auto const v : vs) a.add_ints(v);
    return *this;
  }
  auto scales(std::initializer_list<float> vs) -> node_ref& {
    auto& a = add("scales", pb::AttributeProto::FLOATS);
    for (auto const v : vs) a.add_floats(v);
    return *this;
  }
  auto refer(std::string const& name, std::string const& outer, pb::AttributeProto::AttributeType t)
      -> node_ref& {
    add(name, t).set_ref_attr_name(outer);
    return *this;
  }
  auto set(std::string const& name, pb::TensorProto const& t) -> node_ref& {
    *add(name, pb::AttributeProto::TENSOR).mutable_t() = t;
    return *this;
  }
  auto set(std::string const& name, pb::GraphProto const& g) -> node_ref& {
    *add(name, pb::AttributeProto::GRAPH).mutable_g() = g;
    return *this;
  }
  auto domain(char const* d) -> node_ref& {
    node_->set_domain(d);
    return *this;
  }

private:
  auto add(std::string const& name, pb::AttributeProto::AttributeType t) -> pb::AttributeProto& {
    auto& a = *node_->add_attribute();
    a.set_name(name);
    a.set_type(t);
    return a;
  }
  pb::NodeProto* node_;
};

inline auto add_node(google::protobuf::RepeatedPtrField<pb::NodeProto>& nodes,
                     std::string const& type, strings const& inputs, strings const& outputs,
                     std::string const& name = {}) -> node_ref {
  auto& n = *nodes.Add();
  n.set_op_type(type);
  if (!name.empty()) n.set_name(name);
  for (auto const& i : inputs) n.add_input(i);
  for (auto const& o : outputs) n.add_output(o);
  return node_ref{n};
}

inline void describe(pb::ValueInfoProto& info, std::string const& name,
                     std::vector<dim> const& dims, int type = 1) {
  info.set_name(name);
  auto& t = *info.mutable_type()->mutable_tensor_type();
  t.set_elem_type(type);
  t.mutable_shape();
  for (auto const& d : dims) {
    auto& out = *t.mutable_shape()->add_dim();
    if (auto const* v = std::get_if<std::int64_t>(&d))
      out.set_dim_value(*v);
    else
      out.set_dim_param(std::get<std::string>(d));
  }
}

inline auto stored(std::string const& name, shape const& dims, int type = 1) -> pb::TensorProto {
  pb::TensorProto t;
  t.set_name(name);
  t.set_data_type(type);
  for (auto const d : dims) t.add_dims(d);
  return t;
}

/// A model with one graph.
class model {
public:
  explicit model(std::int64_t opset = 17, std::int64_t ir = 8) {
    proto.set_ir_version(ir);
    proto.mutable_graph()->set_name("test");
    auto& import = *proto.add_opset_import();
    import.set_domain("");
    import.set_version(opset);
  }

  auto graph() -> pb::GraphProto& { return *proto.mutable_graph(); }
  auto input(std::string const& name, std::vector<dim> const& dims, int type = 1) -> model& {
    describe(*graph().add_input(), name, dims, type);
    return *this;
  }
  auto output(std::string const& name) -> model& {
    graph().add_output()->set_name(name);
    return *this;
  }
  /// What is known of an intermediate tensor.
  auto info(std::string const& name, std::vector<dim> const& dims, int type = 1) -> model& {
    describe(*graph().add_value_info(), name, dims, type);
    return *this;
  }
  /// A weight: extents only, as if its data were elsewhere.
  auto weight(std::string const& name, shape const& dims, int type = 1) -> model& {
    *graph().add_initializer() = stored(name, dims, type);
    return *this;
  }
  auto integers(std::string const& name, std::vector<std::int64_t> const& values) -> model& {
    auto t = stored(name, {static_cast<std::int64_t>(values.size())}, 7);
    for (auto const v : values) t.add_int64_data(v);
    *graph().add_initializer() = t;
    return *this;
  }
  auto scalar(std::string const& name, std::int64_t value, int type = 7) -> model& {
    auto t = stored(name, {}, type);
    if (type == 7)
      t.add_int64_data(value);
    else
      t.add_int32_data(static_cast<std::int32_t>(value));
    *graph().add_initializer() = t;
    return *this;
  }
  auto reals(std::string const& name, std::vector<float> const& values) -> model& {
    auto t = stored(name, {static_cast<std::int64_t>(values.size())});
    for (auto const v : values) t.add_float_data(v);
    *graph().add_initializer() = t;
    return *this;
  }
  auto node(std::string const& type, strings const& inputs, strings const& outputs,
            std::string const& name = {}) -> node_ref {
    return add_node(*graph().mutable_node(), type, inputs, outputs, name);
  }

  [[nodiscard]] auto bytes() const -> std::string { return proto.SerializeAsString(); }

  pb::ModelProto proto;
};

[[nodiscard]] inline auto imported(model const& m, mars::io::onnx_options const& options = {})
    -> mars::io::onnx_import {
  auto r = mars::io::parse_onnx(m.bytes(), options);
  INFO((r ? std::string{} : to_string(r.error())));
  REQUIRE(r);
  return *std::move(r);
}
/// The error's one line.
[[nodiscard]] inline auto refused(model const& m, mars::io::onnx_options const& options = {})
    -> std::string {
  auto const r = mars::io::parse_onnx(m.bytes(), options);
  REQUIRE_FALSE(r);
  auto const line = to_string(r.error());
  CHECK(line.find('\n') == std::string::npos);
  return line;
}

[[nodiscard]] inline auto operation_called(mars::io::onnx_import const& i, std::string_view name)
    -> mars::operation const& {
  auto const v = find(i.graph, name);
  INFO(name);
  REQUIRE(v);
  return op(i.graph, *v);
}
/// Shape of the n-th result of an operator.
[[nodiscard]] inline auto result_of(mars::io::onnx_import const& i, std::string_view name,
                                    std::size_t n = 0) -> shape {
  auto const* t = nth_operand(operation_called(i, name), mars::role::output, n);
  REQUIRE(t != nullptr);
  return shape_of(*t);
}

/// Shape of the result of a model with the single compute node called "op".
[[nodiscard]] inline auto result_of(model const& m, std::size_t n = 0,
                                    mars::io::onnx_options const& options = {}) -> shape {
  return result_of(imported(m, options), "op", n);
}

/// x → the node "op" → y, with what the caller adds.
inline auto on(std::vector<dim> const& x, std::int64_t opset = 17) -> model {
  model m{opset};
  m.input("x", x).output("y");
  return m;
}

} // namespace mars_test
