// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/export/detail/wire.hpp>
#include <mars/io/onnx/detail/proto.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// ONNX's multi-device annotations (IR version 11, ONNX 1.18) as plain values. Generated classes older
// than that keep them as unknown fields; both ways lead here.

namespace mars::io {

/// Shards along one axis; several for fused axes, the first major.
struct onnx_simple_sharding {
  std::optional<std::int64_t> dim_value{};
  std::string dim_param{};
  std::int64_t num_shards{};

  friend auto operator==(onnx_simple_sharding const&, onnx_simple_sharding const&)
      -> bool = default;
};
struct onnx_sharded_dim {
  std::int64_t axis{};
  std::vector<onnx_simple_sharding> simple{};

  friend auto operator==(onnx_sharded_dim const&, onnx_sharded_dim const&) -> bool = default;
};
/// Replicas of one shard.
struct onnx_device_group {
  std::int64_t key{};
  std::vector<std::int64_t> devices{};

  friend auto operator==(onnx_device_group const&, onnx_device_group const&) -> bool = default;
};
/// Where a tensor is. Shards are numbered row-major over `dims` as listed; shard i is on `device[i]`,
/// a device or the key of a group.
struct onnx_sharding_spec {
  std::string tensor_name{};
  std::vector<std::int64_t> device{};
  std::vector<onnx_device_group> groups{};
  std::vector<onnx_sharded_dim> dims{};

  friend auto operator==(onnx_sharding_spec const&, onnx_sharding_spec const&) -> bool = default;
};
struct onnx_node_configuration {
  std::string configuration_id{};
  std::vector<onnx_sharding_spec> specs{};
  std::optional<std::int32_t> pipeline_stage{};

  friend auto operator==(onnx_node_configuration const&, onnx_node_configuration const&)
      -> bool = default;
};
struct onnx_configuration {
  std::string name{};
  std::int32_t num_devices{};
  std::vector<std::string> device{}; ///< names; none, or one each

  friend auto operator==(onnx_configuration const&, onnx_configuration const&) -> bool = default;
};
/// All annotations of a model's main graph.
struct onnx_annotations {
  std::vector<onnx_configuration> configurations{};
  std::vector<std::vector<onnx_node_configuration>> nodes{}; ///< by node

  friend auto operator==(onnx_annotations const&, onnx_annotations const&) -> bool = default;
};

namespace onnx_detail {

inline constexpr int model_configuration_field = 26;
inline constexpr int node_configurations_field = 10;

/// The generated classes know the messages.
template <class Model>
concept has_configuration = requires(Model const& m) {
  m.configuration();
};
template <class Node>
concept has_device_configurations = requires(Node const& n) {
  n.device_configurations();
};

// ---- Writing ----

[[nodiscard]] inline auto encode(onnx_configuration const& c) -> std::string {
  io::detail::wire_writer w;
  w.text(1, c.name);
  w.number(2, std::int64_t{c.num_devices});
  for (auto const& d : c.device) w.text(3, d);
  return w.bytes();
}
[[nodiscard]] inline auto encode(onnx_sharded_dim const& d) -> std::string {
  io::detail::wire_writer w;
  w.number(1, d.axis);
  for (auto const& s : d.simple) {
    io::detail::wire_writer simple;
    if (s.dim_value)
      simple.number(1, *s.dim_value);
    else if (!s.dim_param.empty())
      simple.text(2, s.dim_param);
    simple.number(3, s.num_shards);
    w.text(2, simple.bytes());
  }
  return w.bytes();
}
[[nodiscard]] inline auto encode(onnx_sharding_spec const& s) -> std::string {
  io::detail::wire_writer w;
  w.text(1, s.tensor_name);
  for (auto const d : s.device) w.number(2, d);
  for (auto const& g : s.groups) {
    io::detail::wire_writer group;
    group.number(1, g.key);
    for (auto const d : g.devices) group.number(2, d);
    w.text(3, group.bytes());
  }
  for (auto const& d : s.dims) w.text(4, encode(d));
  return w.bytes();
}
[[nodiscard]] inline auto encode(onnx_node_configuration const& c) -> std::string {
  io::detail::wire_writer w;
  w.text(1, c.configuration_id);
  for (auto const& s : c.specs) w.text(2, encode(s));
  if (c.pipeline_stage) w.number(3, std::int64_t{*c.pipeline_stage});
  return w.bytes();
}

// ---- Reading ----

/// Fields of one message; false for anything that the schema does not have there.
using wire_field = google::protobuf::UnknownField;

[[nodiscard]] inline auto take(wire_field const& f, std::int64_t& into) -> bool {
  if (f.type() != wire_field::TYPE_VARINT) return false;
  into = static_cast<std::int64_t>(f.varint());
  return true;
}
[[nodiscard]] inline auto take(wire_field const& f, std::int32_t& into) -> bool {
  std::int64_t wide = 0;
  if (!take(f, wide)) return false;
  into = static_cast<std::int32_t>(wide); // as protobuf truncates
  return true;
}
[[nodiscard]] inline auto take(wire_field const& f, std::string& into) -> bool {
  if (f.type() != wire_field::TYPE_LENGTH_DELIMITED) return false;
  into = f.length_delimited();
  return true;
}
/// One number of a list, or several packed.
[[nodiscard]] inline auto take(wire_field const& f, std::vector<std::int64_t>& into) -> bool {
  if (f.type() == wire_field::TYPE_VARINT) {
    into.push_back(static_cast<std::int64_t>(f.varint()));
    return true;
  }
  if (f.type() != wire_field::TYPE_LENGTH_DELIMITED) return false;
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (char const c : f.length_delimited()) {
    auto const byte = static_cast<unsigned char>(c);
    if (shift > 63) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    into.push_back(static_cast<std::int64_t>(value));
    value = 0;
    shift = 0;
  }
  return shift == 0;
}
template <class Take>
[[nodiscard]] auto for_each_field(std::string const& bytes, Take const& take_one) -> bool {
  google::protobuf::UnknownFieldSet fields;
  if (!fields.ParseFromString(bytes)) return false;
  for (int i = 0; i < fields.field_count(); ++i)
    if (!take_one(fields.field(i))) return false;
  return true;
}
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_simple_sharding& s) -> bool;
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_sharded_dim& d) -> bool;
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_device_group& g) -> bool;
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_sharding_spec& s) -> bool;
/// A nested message, appended to a list.
template <class Message>
[[nodiscard]] auto take_message(wire_field const& f, std::vector<Message>& into) -> bool {
  return f.type() == wire_field::TYPE_LENGTH_DELIMITED &&
         decode(f.length_delimited(), into.emplace_back());
}

[[nodiscard]] inline auto decode(std::string const& bytes, onnx_configuration& c) -> bool {
  return for_each_field(bytes, [&](wire_field const& f) {
    switch (f.number()) {
    case 1: return take(f, c.name);
    case 2: return take(f, c.num_devices);
    case 3: return take(f, c.device.emplace_back());
    default: return true; // newer than this reader
    }
  });
}
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_simple_sharding& s) -> bool {
  return for_each_field(bytes, [&](wire_field const& f) {
    switch (f.number()) {
    case 1: return take(f, s.dim_value.emplace());
    case 2: return take(f, s.dim_param);
    case 3: return take(f, s.num_shards);
    default: return true;
    }
  });
}
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_sharded_dim& d) -> bool {
  return for_each_field(bytes, [&](wire_field const& f) {
    switch (f.number()) {
    case 1: return take(f, d.axis);
    case 2: return take_message(f, d.simple);
    default: return true;
    }
  });
}
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_device_group& g) -> bool {
  return for_each_field(bytes, [&](wire_field const& f) {
    switch (f.number()) {
    case 1: return take(f, g.key);
    case 2: return take(f, g.devices);
    default: return true;
    }
  });
}
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_sharding_spec& s) -> bool {
  return for_each_field(bytes, [&](wire_field const& f) {
    switch (f.number()) {
    case 1: return take(f, s.tensor_name);
    case 2: return take(f, s.device);
    case 3: return take_message(f, s.groups);
    case 4: return take_message(f, s.dims);
    default: return true;
    }
  });
}
[[nodiscard]] inline auto decode(std::string const& bytes, onnx_node_configuration& c) -> bool {
  return for_each_field(bytes, [&](wire_field const& f) {
    switch (f.number()) {
    case 1: return take(f, c.configuration_id);
    case 2: return take_message(f, c.specs);
    case 3: return take(f, c.pipeline_stage.emplace());
    default: return true;
    }
  });
}

/// The values of a field that the generated class may not know, as bytes. False: of another kind.
template <class Message, class Typed>
[[nodiscard]] auto newer_messages(Message const& m, int field, Typed const& typed,
                                  std::vector<std::string>& out) -> bool {
  if (typed(m, out)) return true;
  auto const& unknown = m.GetReflection()->GetUnknownFields(m);
  for (int i = 0; i < unknown.field_count(); ++i) {
    auto const& f = unknown.field(i);
    if (f.number() != field) continue;
    if (f.type() != wire_field::TYPE_LENGTH_DELIMITED) return false;
    out.push_back(f.length_delimited());
  }
  return true;
}
template <class Model>
[[nodiscard]] auto configurations_of(Model const& m, std::vector<std::string>& out) -> bool {
  return newer_messages(
      m, model_configuration_field,
      [](auto const& model, std::vector<std::string>& into) {
        if constexpr (has_configuration<std::remove_cvref_t<decltype(model)>>) {
          for (auto const& c : model.configuration()) into.push_back(c.SerializeAsString());
          return true;
        } else {
          return static_cast<void>(into), false;
        }
      },
      out);
}
template <class Node>
[[nodiscard]] auto node_configurations_of(Node const& n, std::vector<std::string>& out) -> bool {
  return newer_messages(
      n, node_configurations_field,
      [](auto const& node, std::vector<std::string>& into) {
        if constexpr (has_device_configurations<std::remove_cvref_t<decltype(node)>>) {
          for (auto const& c : node.device_configurations()) into.push_back(c.SerializeAsString());
          return true;
        } else {
          return static_cast<void>(into), false;
        }
      },
      out);
}
template <class Message>
void replace_unknown(Message& m, int field, std::vector<std::string> const& values) {
  auto* unknown = m.GetReflection()->MutableUnknownFields(&m);
  unknown->DeleteByNumber(field);
  for (auto const& v : values) unknown->AddLengthDelimited(field)->assign(v);
}

} // namespace onnx_detail

/// The annotations of a model's main graph; subgraphs and functions are not looked at. Error `parse`:
/// a field that is not what the schema says; the path names it.
template <class Model>
[[nodiscard]] auto read_device_configurations(Model const& model) -> expected<onnx_annotations> {
  onnx_annotations a;
  auto const broken = [](std::string path) {
    return fail(error_code::parse, std::move(path), "another kind of message",
                "a multi-device annotation");
  };
  std::vector<std::string> messages;
  if (!onnx_detail::configurations_of(model, messages)) return broken("configuration");
  for (auto const& bytes : messages)
    if (!onnx_detail::decode(bytes, a.configurations.emplace_back()))
      return broken(std::string{"configuration["} + std::to_string(a.configurations.size() - 1) +
                    "]");
  for (int i = 0; i < model.graph().node_size(); ++i) {
    auto const path = std::string{"graph.node["} + std::to_string(i) + "].device_configurations";
    messages.clear();
    if (!onnx_detail::node_configurations_of(model.graph().node(i), messages)) return broken(path);
    auto& list = a.nodes.emplace_back();
    for (auto const& bytes : messages)
      if (!onnx_detail::decode(bytes, list.emplace_back()))
        return broken(path + "[" + std::to_string(list.size() - 1) + "]");
  }
  return a;
}

/// Replaces the annotations of a model's main graph, and raises its IR version to 11 where they need
/// it. Precondition: one entry of `a.nodes` for each node.
template <class Model>
void write_device_configurations(Model& model, onnx_annotations const& a) {
  std::vector<std::string> messages;
  bool any = !a.configurations.empty();
  for (auto const& c : a.configurations) messages.push_back(onnx_detail::encode(c));
  if constexpr (onnx_detail::has_configuration<Model>) {
    model.clear_configuration();
    for (auto const& bytes : messages) (void)model.add_configuration()->ParseFromString(bytes);
  } else {
    onnx_detail::replace_unknown(model, onnx_detail::model_configuration_field, messages);
  }
  for (int i = 0; i < model.graph().node_size(); ++i) {
    auto& node = *model.mutable_graph()->mutable_node(i);
    messages.clear();
    for (auto const& c : a.nodes[static_cast<std::size_t>(i)])
      messages.push_back(onnx_detail::encode(c));
    any |= !messages.empty();
    if constexpr (onnx_detail::has_device_configurations<std::remove_cvref_t<decltype(node)>>) {
      node.clear_device_configurations();
      for (auto const& bytes : messages)
        (void)node.add_device_configurations()->ParseFromString(bytes);
    } else {
      onnx_detail::replace_unknown(node, onnx_detail::node_configurations_field, messages);
    }
  }
  if (any && model.ir_version() < 11) model.set_ir_version(11);
}

} // namespace mars::io
