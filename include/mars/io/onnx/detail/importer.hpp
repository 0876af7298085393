// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Walks the nodes of a model: dispatch to handlers, branches, functions.

#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/folding_layout.hpp>
#include <mars/io/onnx/detail/handlers_contrib.hpp>
#include <mars/io/onnx/detail/handlers_convolution.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>
#include <mars/io/onnx/detail/handlers_gather.hpp>
#include <mars/io/onnx/detail/handlers_layout.hpp>
#include <mars/io/onnx/detail/handlers_matmul.hpp>
#include <mars/io/onnx/detail/handlers_normalization.hpp>
#include <mars/io/onnx/detail/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Handlers of the default domain.
[[nodiscard]] inline auto default_handlers() -> handler_table const& {
  static handler_table const table = [] {
    handler_table t;
    add_elementwise(t);
    add_convolution(t);
    add_normalization(t);
    add_layout(t);
    add_gather(t);
    add_matmul(t);
    add_attention(t);
    return t;
  }();
  return table;
}
[[nodiscard]] inline auto contrib_handlers() -> handler_table const& {
  static handler_table const table = [] {
    auto t = default_handlers();
    add_contrib(t);
    return t;
  }();
  return table;
}

/// Versions by domain; a domain imported twice counts with the highest.
template <class Imports>
[[nodiscard]] auto read_opsets(Imports const& imports) -> opset_map {
  opset_map versions;
  for (auto const& i : imports) {
    auto& v = versions[std::string{canonical(i.domain())}];
    v = std::max(v, i.version());
  }
  return versions;
}

/// A weight of the file: dims and type, values if small and stored here.
inline auto read_initializer(session& s, frame const& f, pb::TensorProto const& t,
                             std::string const& where) -> expected<tensor> {
  tensor out;
  out.name = printable(t.name());
  out.weight = f.name_prefix + out.name;
  out.type = t.data_type();
  out.bits = s.bits_for(out.type);
  out.shape.assign(t.dims().begin(), t.dims().end());
  out.constant = true;
  auto const n = stored_elements(out.shape);
  if (!n) return unexpected{error{n.error()}.inside(where)};
  out.values = read_literal(t, out.shape, *n);
  for (auto const& e : t.external_data())
    if (e.key() == "location" &&
        (e.value().starts_with('/') || e.value().find("..") != std::string::npos ||
         e.value().find(':') != std::string::npos))
      s.warn(where + ": external data at " + in_quotes(e.value()) +
             " lies outside the model's folder and is not read");
  return out;
}

/// Initializers (dense and sparse) and stored shapes of a graph.
inline auto read_tensors(session& s, frame& f, pb::GraphProto const& g) -> expected<void> {
  auto const add = [&](pb::TensorProto const& t, std::string const& where) -> expected<void> {
    auto read = read_initializer(s, f, t, where);
    if (!read) return unexpected{std::move(read).error()};
    if (auto const it = f.names.find(t.name()); it != f.names.end()) {
      if (s.at(it->second).shape != read->shape)
        return fail(error_code::duplicate, where, in_quotes(t.name()),
                    "an initializer name of its own");
      s.warn(where + ": " + in_quotes(t.name()) + " is stored twice");
    }
    f.names.insert_or_assign(t.name(), s.add(*std::move(read)));
    return {};
  };
  for (int i = 0; i < g.initializer_size(); ++i)
    if (auto ok = add(g.initializer(i), f.path + "initializer[" + std::to_string(i) + "]"); !ok)
      return ok;
  for (int i = 0; i < g.sparse_initializer_size(); ++i) {
    auto const& sparse = g.sparse_initializer(i);
    tensor t;
    t.name = printable(sparse.values().name());
    t.weight = f.name_prefix + t.name;
    t.type = sparse.values().data_type();
    t.bits = s.bits_for(t.type);
    t.shape.assign(sparse.dims().begin(), sparse.dims().end());
    t.constant = true;
    auto const where = f.path + "sparse_initializer[" + std::to_string(i) + "]";
    if (auto const n = stored_elements(t.shape); !n)
      return unexpected{error{n.error()}.inside(where)};
    f.names.insert_or_assign(sparse.values().name(), s.add(std::move(t)));
  }
  for (auto const& v : g.value_info()) f.stored.insert_or_assign(v.name(), &v);
  for (auto const& v : g.output()) {
    f.stored.emplace(v.name(), &v);
    f.outputs.push_back(v.name());
  }
  return {};
}

class importer {
public:
  explicit importer(session& s) : s_{s} {}

  /// Imports the nodes of a frame whose inputs and initializers are named already.
  auto run(frame& f) -> expected<void> {
    auto const order = schedule(s_, f);
    if (!order) return unexpected{order.error()};
    for (auto const i : *order)
      if (auto ok = import_node(f, i); !ok) return ok;
    for (auto const name : f.outputs)
      if (!name.empty() && !f.find(name))
        return fail(error_code::dangling, f.path + "output", in_quotes(name),
                    "a tensor somebody produces");
    return {};
  }

private:
  auto import_node(frame& f, int index) -> expected<void> {
    auto const domain = canonical(f.nodes->Get(index).domain());
    auto const version = f.opsets.find(domain);
    auto const opset = version == f.opsets.end() ? std::int64_t{1} : version->second;
    call c{s_, f, index, static_cast<int>(std::clamp<std::int64_t>(opset, 1, 1'000'000))};
    if (++s_.nodes > max_nodes)
      return fail(error_code::unsupported, c.path(),
                  std::string{"more than "} + std::to_string(max_nodes) + " nodes",
                  "a smaller model", "functions inlined");
    for (int i = 0; i < c.node().input_size(); ++i)
      if (auto const& name = c.node().input(i); !name.empty() && !f.find(name))
        return fail(error_code::dangling, c.path() + ".input[" + std::to_string(i) + "]",
                    in_quotes(name), "a tensor somebody produces");
    dispatch(c);
    if (!c.failed() && lacks_output(c)) import_unknown(c, captured(c), describe(c));
    if (c.failed()) return unexpected{c.take_error()};
    return {};
  }

  /// In the default domain handlers come before the model's own functions, whose structure says
  /// less than the operator's name; elsewhere the file knows best.
  void dispatch(call& c) {
    auto const& type = c.type();
    if (c.domain().empty()) {
      if (type == "If") return import_branch(c);
      if (type == "Loop" || type == "Scan") return;
      if (fold(c) || c.failed()) return;
      if (auto const h = default_handlers().find(type); h != default_handlers().end())
        return h->second(c);
    }
    auto const function =
        s_.functions.find(session::function_key(c.domain(), type, overload_of(c.node())));
    if (function != s_.functions.end()) return import_function(c, *function->second);
    if (c.domain() == "com.microsoft")
      if (auto const h = contrib_handlers().find(type); h != contrib_handlers().end())
        return h->second(c);
  }

  /// Something reads an output that no handler has defined.
  [[nodiscard]] static auto lacks_output(call& c) -> bool {
    for (int i = 0; i < c.node().output_size(); ++i)
      if (c.wants(static_cast<std::size_t>(i)) && !c.the_frame().names.contains(c.node().output(i)))
        return true;
    return false;
  }

  [[nodiscard]] static auto describe(call const& c) -> std::string {
    auto text = "operator " + in_quotes(c.type());
    if (!c.domain().empty()) text += " of domain " + in_quotes(c.domain());
    return text;
  }

  /// Tensors of enclosing scopes that the node's subgraphs read.
  [[nodiscard]] static auto captured(call& c) -> std::vector<tensor_id> {
    std::vector<tensor_id> ids;
    for_each_captured(c.node(), [&](std::string_view name) {
      if (auto const id = c.the_frame().find(name); id && *id != absent) ids.push_back(*id);
    });
    return ids;
  }

  auto enter(call& c, std::string_view part) -> frame {
    auto& outer = c.the_frame();
    frame f;
    f.path = c.path().append(".").append(part).append(".");
    f.name_prefix = c.name() + "/";
    f.opsets = outer.opsets;
    f.depth = outer.depth + 1;
    if (f.depth > max_depth)
      c.reject(error_code::cycle,
               std::string{"functions or branches nested more than "} + std::to_string(max_depth) +
                   " deep",
               "a finite nesting");
    return f;
  }

  /// Outputs of the inner frame become those of the node.
  static void leave(call& c, frame const& inner) {
    for (std::size_t i = 0; i < inner.outputs.size(); ++i)
      if (auto const id = inner.find(inner.outputs[i]); id && *id != absent) c.define(i, *id);
  }

  /// If: the branch a constant condition chooses; else the first, with a warning.
  void import_branch(call& c) {
    auto const* condition = c.literal_at(0);
    bool const known = condition != nullptr && condition->size() == 1;
    bool const first = !known || condition->as_real(0) != 0;
    char const* const part = first ? "then_branch" : "else_branch";
    if (!known) c.warn("the condition is known only at run time: then_branch is taken");
    auto const* a = c.attribute(part);
    if (a == nullptr || !a->has_g())
      return c.reject(error_code::missing_key, "no branch", "a graph", {}, part);
    auto f = enter(c, part);
    if (c.failed()) return;
    f.outer = &c.the_frame();
    f.attributes = c.the_frame().attributes;
    f.nodes = &a->g().node();
    if (auto ok = read_tensors(s_, f, a->g()); !ok) return c.reject_as(std::move(ok).error());
    if (auto ok = run(f); !ok) return c.reject_as(std::move(ok).error());
    leave(c, f);
  }

  /// A model-local function, inlined: its inputs are the node's, its attributes the node's or their
  /// defaults, its operator versions its own.
  void import_function(call& c, pb::FunctionProto const& function) {
    auto f = enter(c, "function");
    if (c.failed()) return;
    f.nodes = &function.node();
    if (auto own = read_opsets(function.opset_import()); !own.empty()) f.opsets = std::move(own);
    auto const& ids = c.ids();
    for (int i = 0; i < function.input_size(); ++i) {
      auto const k = static_cast<std::size_t>(i);
      f.names.emplace(function.input(i), k < ids.size() ? ids[k] : absent);
    }
    for (auto const& name : function.output()) f.outputs.push_back(name);
    for (auto const& name : function.attribute())
      if (auto const* a = c.attribute(name)) f.attributes.emplace(name, a);
    read_defaults(c, function, f);
    if (auto ok = run(f); !ok) return c.reject_as(std::move(ok).error());
    leave(c, f);
  }

  /// `attribute_proto` (field 11, IR 9): attributes with a default.
  void read_defaults(call const& c, pb::FunctionProto const& function, frame& f) {
    auto const use = [&](pb::AttributeProto const& a) {
      auto const* given = c.attribute(a.name());
      f.attributes.emplace(a.name(), given != nullptr ? given : &a);
    };
    read_defaults_of(function, use); // a template: the field may have an accessor or not
  }
  template <class Function, class Use>
  void read_defaults_of(Function const& function, Use const& use) {
    if constexpr (requires { function.attribute_proto(); }) {
      for (auto const& a : function.attribute_proto()) use(a);
    } else {
      auto const& unknown = function.GetReflection()->GetUnknownFields(function);
      for (int i = 0; i < unknown.field_count(); ++i) {
        auto const& field = unknown.field(i);
        if (field.number() != 11 ||
            field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
          continue;
        s_.defaults.emplace_back();
        if (s_.defaults.back().ParseFromString(field.length_delimited())) use(s_.defaults.back());
      }
    }
  }

  session& s_;
};

} // namespace mars::io::onnx_detail
