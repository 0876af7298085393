// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/onnx/detail/literal.hpp>
#include <mars/io/onnx/detail/proto.hpp>
#include <mars/io/onnx/options.hpp>
#include <mars/workload/builder.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Index of a tensor in its session; 0 is the tensor that is not there (an optional input left
/// out).
using tensor_id = std::uint32_t;
inline constexpr tensor_id absent = 0;

/// What is known of a tensor of the file.
struct tensor {
  std::string name; ///< printable
  /// The name a constant has in the graph: its root's, while nothing but layout changed.
  std::string weight;
  int type{element::undefined};
  int bits{32}; ///< as the graph stores it
  tensor_shape shape;
  bool shaped{true}; ///< false: an input without tensor type (a sequence, a map), or without shape
  bool produced{false};   ///< by an operator of the graph
  bool constant{false};   ///< depends on weights only
  bool parameter{false};  ///< a weight although of integer type (a quantised bias)
  tensor_id root{absent}; ///< the constant this one is the transpose of (rank 2)
  std::optional<literal> values;
  std::optional<value> handle; ///< in the builder, once an operator consumes or produces it

  [[nodiscard]] auto elements() const -> std::int64_t { return stored_elements(shape).value_or(0); }
  [[nodiscard]] auto rank() const -> std::size_t { return shape.size(); }
};

using attribute_map = std::unordered_map<std::string_view, pb::AttributeProto const*>;
using opset_map = std::map<std::string, std::int64_t, std::less<>>;
using node_list = google::protobuf::RepeatedPtrField<pb::NodeProto>;

/// One list of nodes and the names visible in it: the main graph, a branch, an inlined function.
struct frame {
  frame const* outer{}; ///< whose names are visible too; none for a function
  node_list const* nodes{};
  std::vector<std::string_view> outputs;
  std::unordered_map<std::string_view, tensor_id> names;
  std::unordered_map<std::string_view, pb::ValueInfoProto const*> stored; ///< value_info, outputs
  std::unordered_set<std::string_view> used; ///< names some live node reads, and the outputs
  attribute_map attributes;                  ///< what ref_attr_name refers to
  opset_map opsets;
  std::string path;        ///< `graph.`
  std::string name_prefix; ///< of operators and weights
  int depth{0};

  [[nodiscard]] auto find(std::string_view name) const -> std::optional<tensor_id> {
    for (auto const* f = this; f != nullptr; f = f->outer)
      if (auto const it = f->names.find(name); it != f->names.end()) return it->second;
    return std::nullopt;
  }
  [[nodiscard]] auto find_stored(std::string_view name) const -> pb::ValueInfoProto const* {
    auto const it = stored.find(name);
    return it == stored.end() ? nullptr : it->second;
  }
};

/// `graph.node[17](Conv "conv1")`
[[nodiscard]] inline auto node_path(frame const& f, int index) -> std::string {
  auto const& n = f.nodes->Get(index);
  auto text = f.path + "node[" + std::to_string(index) + "](" + printable(n.op_type());
  if (!n.name().empty()) text.append(1, ' ').append(in_quotes(n.name()));
  return text + ")";
}

/// Limits that keep a small hostile file from becoming a large import.
inline constexpr int max_depth = 48;              ///< functions and branches inside one another
inline constexpr std::size_t max_nodes = 500'000; ///< after inlining
inline constexpr std::size_t max_warnings = 200;

/// Everything one import shares.
class session {
public:
  session(onnx_options const& opts, pb::ModelProto const& file, std::string name)
      : options{opts}, model{file}, graph{std::move(name)} {
    tensors_.emplace_back();
    tensors_.back().shaped = false;
  }

  onnx_options const& options;
  pb::ModelProto const& model;
  builder graph;
  std::unordered_map<std::string, pb::FunctionProto const*> functions; ///< by `function_key`
  std::unordered_set<std::int64_t> old_batches; ///< extents the batch option replaced
  std::deque<pb::AttributeProto> defaults;      ///< of functions, decoded from newer fields
  std::size_t nodes{0};

  [[nodiscard]] static auto function_key(std::string_view domain, std::string_view name,
                                         std::string_view overload) -> std::string {
    std::string key{canonical(domain)};
    return key.append(1, '\0').append(name).append(1, '\0').append(overload);
  }

  auto add(tensor t) -> tensor_id {
    tensors_.push_back(std::move(t));
    return static_cast<tensor_id>(tensors_.size() - 1);
  }
  [[nodiscard]] auto at(tensor_id id) -> tensor& { return tensors_[id]; }
  [[nodiscard]] auto at(tensor_id id) const -> tensor const& { return tensors_[id]; }

  [[nodiscard]] auto bits_for(int type) const -> int {
    return is_floating(type) && options.element_bits > 0 ? options.element_bits
                                                         : bits_of_type(type);
  }
  /// The same text twice says nothing new.
  void warn(std::string text) {
    for (auto& c : text)
      if (c == '\n' || c == '\r') c = ' ';
    if (!said_.insert(text).second) return;
    if (warnings_.size() < max_warnings)
      warnings_.push_back(std::move(text));
    else
      ++unsaid_;
  }
  [[nodiscard]] auto take_warnings() -> std::vector<std::string> {
    if (unsaid_ != 0)
      warnings_.push_back(std::string{"and "} + std::to_string(unsaid_) + " more warnings");
    return std::move(warnings_);
  }

  /// The tensor as the builder knows it. A constant enters the graph when first consumed: as a
  /// weight if it is a parameter, as an external input if it is a mask or a table of indices.
  auto handle(tensor_id id) -> value {
    auto& t = tensors_[id];
    if (!t.handle) {
      auto const name = t.weight.empty() ? t.name : t.weight;
      auto const is_weight = t.constant && (t.parameter || !is_index_like(t.type));
      // Two views of one weight that look alike are one tensor of the graph.
      auto const [it, fresh] = views_.try_emplace({name, t.shape});
      if (fresh || !t.constant)
        it->second =
            is_weight ? graph.constant(name, t.shape, t.bits) : graph.input(name, t.shape, t.bits);
      t.handle = it->second;
    }
    return *t.handle;
  }

private:
  std::deque<tensor> tensors_;
  std::map<std::pair<std::string, tensor_shape>, value> views_;
  std::vector<std::string> warnings_;
  std::unordered_set<std::string> said_;
  std::size_t unsaid_{0};
};

/// The extent of a dimension of the file: its number, its bound symbol, or 1 with a warning.
[[nodiscard]] inline auto extent_of(session& s, pb::TensorShapeProto::Dimension const& d,
                                    std::string const& where) -> std::int64_t {
  if (d.has_dim_value() && d.dim_value() > 0) return d.dim_value();
  if (d.has_dim_param() && !d.dim_param().empty()) {
    auto const bound = s.options.symbols.find(d.dim_param());
    if (bound != s.options.symbols.end()) return bound->second;
    s.warn("symbol " + in_quotes(d.dim_param()) + " is not bound: taken as 1");
    return 1;
  }
  s.warn(where + ": " +
         (d.has_dim_value() ? std::string{"extent "} + std::to_string(d.dim_value())
                            : "an empty dimension") +
         " taken as 1");
  return 1;
}

/// The stored shape of a tensor-typed value; none if it has no tensor type or no shape.
[[nodiscard]] inline auto stored_shape(session& s, pb::ValueInfoProto const& info,
                                       std::string const& where) -> std::optional<tensor_shape> {
  if (!info.has_type()) return std::nullopt;
  auto const& type = info.type();
  if (!type.has_tensor_type() || !type.tensor_type().has_shape()) return std::nullopt;
  tensor_shape shape;
  for (auto const& d : type.tensor_type().shape().dim())
    shape.push_back(extent_of(s, d, where + " axis " + std::to_string(shape.size())));
  return shape;
}

} // namespace mars::io::onnx_detail
