// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/onnx/multi_device.hpp>
#include <mars/workload/topology.hpp>

#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mars::io {

namespace onnx_detail {

/// The type of that many bits: floating-point from 16 on, as the graph knows bits only.
[[nodiscard]] inline auto type_of_bits(int bits) -> int {
  switch (bits) {
  case 1: return element::boolean;
  case 2: return 26; // INT2
  case 4: return 22; // INT4
  case 8: return element::int8;
  case 16: return element::float16;
  case 32: return element::float32;
  case 64: return element::float64;
  default: return element::undefined;
  }
}

inline void describe_tensor(pb::ValueInfoProto& info, std::string const& name, operand const& t) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(type_of_bits(t.element_bits));
  auto& shape = *type.mutable_shape();
  for (auto const& a : t.axes) shape.add_dim()->set_dim_value(a.extent);
}

/// Protobuf's limit of a message.
inline constexpr auto most_bytes = static_cast<std::size_t>(std::numeric_limits<int>::max());

[[nodiscard]] inline auto as_file(pb::ModelProto const& model, std::vector<std::string> lost)
    -> expected<exported> {
  if (model.ByteSizeLong() > most_bytes)
    return fail(error_code::unsupported, "model.onnx",
                std::to_string(model.ByteSizeLong()) + " bytes", "at most 2 GiB");
  return exported{{{"model.onnx", model.SerializeAsString()}}, std::move(lost)};
}

} // namespace onnx_detail

/// A graph as the skeleton of an ONNX model, for annotations to be written in: a node for each
/// operator, its type in the domain "mars" (attributes are not known, so that it cannot be run), its
/// name, its tensors with their shapes. Outputs are named after their operators. Errors:
/// `topological_order`'s.
template <WorkloadGraph G>
[[nodiscard]] auto to_onnx_model(G const& g) -> expected<onnx_detail::pb::ModelProto> {
  auto const order = topological_order(g);
  if (!order) return unexpected{order.error()};
  onnx_detail::pb::ModelProto model;
  model.set_ir_version(11);
  model.set_producer_name("mars");
  auto& opset = *model.add_opset_import();
  opset.set_domain("mars");
  opset.set_version(1);
  auto& graph = *model.mutable_graph();
  graph.set_name("workload");
  if constexpr (requires { std::string{g.name()}; })
    if (std::string const name{g.name()}; !name.empty()) graph.set_name(name);

  std::set<std::string> names; // of tensors
  for (auto const v : *order)
    for (auto const& t : op(g, v).operands)
      if (t.role == role::input || t.role == role::weight) names.insert(t.name);
  auto const own = [&names](std::string name) {
    while (!names.insert(name).second) name += "'";
    return name;
  };
  std::vector<std::vector<std::string>> made(order->size());
  std::vector<std::vector<bool>> read(order->size());
  std::set<std::string> declared;
  for (auto const v : *order) {
    operation const& o = op(g, v);
    auto& node = *graph.add_node();
    node.set_domain("mars");
    node.set_op_type(o.type.empty() ? std::string{kind_name(o.kind)} : o.type);
    node.set_name(o.name);
    std::vector<input_edge const*> fed(o.operands.size());
    auto const edges = inputs(g, v);
    for (input_edge const& e : edges) fed[e.operand] = &e;
    for (std::size_t i = 0; i < o.operands.size(); ++i) {
      auto const& t = o.operands[i];
      if (t.role == role::state) continue;
      if (t.role == role::output) {
        auto const k = made[v.index()].size();
        auto const name = own(k == 0 ? o.name : o.name + ":" + std::to_string(k));
        made[v.index()].push_back(name);
        read[v.index()].push_back(false);
        node.add_output(name);
        onnx_detail::describe_tensor(*graph.add_value_info(), name, t);
      } else if (fed[i] != nullptr) {
        node.add_input(made[fed[i]->producer.index()][fed[i]->output]);
        read[fed[i]->producer.index()][fed[i]->output] = true;
      } else {
        auto const name = t.name.empty() ? own(o.name + ".operand" + std::to_string(i)) : t.name;
        node.add_input(name);
        if (!declared.insert(name).second) continue;
        if (t.role == role::input) {
          onnx_detail::describe_tensor(*graph.add_input(), name, t);
        } else {
          auto& weight = *graph.add_initializer(); // without data: its extents matter
          weight.set_name(name);
          weight.set_data_type(onnx_detail::type_of_bits(t.element_bits));
          for (auto const& a : t.axes) weight.add_dims(a.extent);
        }
      }
    }
  }
  auto const result = [&](std::size_t v, std::size_t k) {
    operation const& o = op(g, operator_id{v});
    onnx_detail::describe_tensor(*graph.add_output(), made[v][k], *nth_operand(o, role::output, k));
  };
  if constexpr (requires { outputs(g); }) {
    for (auto const& r : outputs(g)) result(r.producer.index(), r.output);
  } else {
    for (std::size_t v = 0; v < made.size(); ++v)
      for (std::size_t k = 0; k < made[v].size(); ++k)
        if (!read[v][k]) result(v, k);
  }
  return model;
}

/// `model.onnx`: the skeleton of a graph, annotated with a mapping. Errors: those of both.
template <WorkloadGraph G, class System>
[[nodiscard]] auto export_onnx(G const& g, System const& system, mapping const& m)
    -> expected<exported> {
  auto model = to_onnx_model(g);
  if (!model) return unexpected{std::move(model).error()};
  auto lost = annotate_onnx(*model, g, system, m);
  if (!lost) return unexpected{std::move(lost).error()};
  lost->emplace_back(
      "What operators compute: the model is a skeleton, its nodes have no attributes.");
  return onnx_detail::as_file(*model, *std::move(lost));
}

/// `model.onnx`: the model that the graph was imported from, given as bytes, annotated with a mapping.
/// Nothing else in it changes. Errors: as `annotate_onnx`; `parse`.
template <WorkloadGraph G, class System>
[[nodiscard]] auto export_onnx(G const& g, System const& system, mapping const& m,
                               std::string const& bytes) -> expected<exported> {
  google::protobuf::LogSilencer const quiet; // as parse_onnx
  onnx_detail::pb::ModelProto model;
  if (bytes.empty() || bytes.size() > onnx_detail::most_bytes || !model.ParseFromString(bytes) ||
      !model.has_graph())
    return fail(error_code::parse, "", "bytes that are no model", "an ONNX model");
  auto lost = annotate_onnx(model, g, system, m);
  if (!lost) return unexpected{std::move(lost).error()};
  return onnx_detail::as_file(model, *std::move(lost));
}

} // namespace mars::io
