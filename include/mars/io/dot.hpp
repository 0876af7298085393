// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

// Graphviz: `dot -Tsvg graph.dot > graph.svg`.

namespace mars::io {

namespace detail {

/// Inside double quotes.
[[nodiscard]] inline auto dot_text(std::string_view text) -> std::string {
  std::string out;
  for (char const c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out;
}

/// Colours that black text can be read on, told apart by most eyes; repeated from the twelfth set on.
[[nodiscard]] inline auto set_colour(std::size_t set) -> std::string_view {
  constexpr std::array<std::string_view, 12> colours{"#8dd3c7", "#ffffb3", "#bebada", "#fb8072",
                                                     "#80b1d3", "#fdb462", "#b3de69", "#fccde5",
                                                     "#d9d9d9", "#bc80bd", "#ccebc5", "#ffed6f"};
  return colours[set % colours.size()];
}

[[nodiscard]] inline auto dot_shape(operand const& t) -> std::string {
  std::string text;
  for (auto const& a : t.axes) text += (text.empty() ? "" : "x") + std::to_string(a.extent);
  return text.empty() ? "scalar" : text;
}

/// `k:4 y:2, shared c:4, scatter k`
[[nodiscard]] inline auto dot_sharding(operation const& op, sharding const& s) -> std::string {
  auto const name = [&](std::size_t d) {
    return d < op.dims.size() ? std::string{op.dims[d].name.view()} : "?";
  };
  std::string text;
  for (auto const& c : s.exclusive)
    text += (text.empty() ? "" : " ") + name(c.dim) + ":" + std::to_string(c.ways);
  if (s.shared)
    text += (text.empty() ? "shared " : ", shared ") + name(s.shared->dim) + ":" +
            std::to_string(s.shared->ways);
  if (s.scatter) text += std::string{", scatter "} + name(*s.scatter);
  return text.empty() ? "replicated" : text;
}

template <WorkloadGraph G>
[[nodiscard]] auto dot_document(G const& g, mapping const* m) -> std::string {
  std::string name;
  if constexpr (requires { std::string{g.name()}; }) name = std::string{g.name()};
  std::string out = std::string{R"(digraph ")"} + dot_text(name) + "\" {\n" +
                    R"(  node [shape=box, style=filled, fillcolor=white, fontname="Helvetica"];)" +
                    "\n";
  for (operator_id const v : operators(g)) {
    operation const& o = op(g, v);
    out += std::string{"  n"} + std::to_string(v.value) + " [label=\"" + dot_text(o.name) + "\\n" +
           dot_text(o.type.empty() ? kind_name(o.kind) : std::string_view{o.type});
    auto const* placed =
        m != nullptr && v.index() < m->operators.size() ? &m->operators[v.index()] : nullptr;
    if (placed != nullptr)
      out += std::string{"\\nset "} + std::to_string(placed->set.value) + ": " +
             dot_text(dot_sharding(o, placed->sharding)) + "\", fillcolor=\"" +
             std::string{set_colour(placed->set.index())};
    out += "\"];\n";
  }
  for (operator_id const v : operators(g))
    for (input_edge const e : inputs(g, v)) {
      out +=
          std::string{"  n"} + std::to_string(e.producer.value) + " -> n" + std::to_string(v.value);
      if (auto const* t = nth_operand(op(g, e.producer), role::output, e.output))
        out += std::string{" [label=\""} + dot_shape(*t) + "\"]";
      out += ";\n";
    }
  if (m != nullptr && !m->sets.empty()) {
    out += "  subgraph cluster_sets {\n    label=\"sets\";\n";
    for (std::size_t s = 0; s < m->sets.size(); ++s) {
      out += std::string{"    set"} + std::to_string(s) + " [label=\"set " + std::to_string(s) +
             ": " + dot_text(m->sets[s].design) + "\\naccelerators";
      for (auto const a : m->sets[s].accelerators)
        out += std::string{" "} + std::to_string(a.value);
      out += std::string{"\", fillcolor=\""} + std::string{set_colour(s)} + "\"];\n";
    }
    out += "  }\n";
  }
  return out + "}\n";
}

} // namespace detail

/// A graph as Graphviz text: operators with their types, edges with the shapes of their tensors.
template <WorkloadGraph G>
[[nodiscard]] auto to_dot(G const& g) -> std::string {
  return detail::dot_document(g, nullptr);
}

/// The same with a colour per set and each operator's sharding; a legend names sets and designs.
/// Operators that the mapping does not place stay white.
template <WorkloadGraph G>
[[nodiscard]] auto to_dot(G const& g, mapping const& m) -> std::string {
  return detail::dot_document(g, &m);
}

} // namespace mars::io
