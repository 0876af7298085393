// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/closest_name.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/io/operator_graph.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io {

/// What files leave open.
struct operator_graph_options {
  std::int64_t batch{1}; ///< shapes in files are of one input
  int element_bits{32};  ///< of every tensor
};

} // namespace mars::io

namespace mars::io::detail {

/// Nodes of a document that may be read from: those before the one at hand.
class node_names {
public:
  /// False, and an error at `where`, if the name is taken.
  auto add(std::string const& name, std::uint32_t node, reader const& where) -> bool {
    if (table_.emplace(name, node).second) return true;
    where.reject(error_code::duplicate, "a name of its own");
    return false;
  }
  [[nodiscard]] auto find(std::string const& name, reader const& where) const
      -> std::optional<std::uint32_t> {
    if (where.failed()) return std::nullopt;
    if (auto const at = table_.find(name); at != table_.end()) return at->second;
    std::vector<std::string_view> known;
    for (auto const& [n, node] : table_) known.push_back(n);
    std::sort(known.begin(), known.end());
    auto const near = mars::detail::closest_name(name, known);
    where.reject(error_code::dangling, "the name of a node before it",
                 near.empty() ? std::string{}
                              : std::string{"did you mean "} + std::string{near} + "?");
    return std::nullopt;
  }

private:
  std::unordered_map<std::string, std::uint32_t> table_;
};

inline void read_from(operator_node& node, std::uint32_t producer) {
  if (std::find(node.inputs.begin(), node.inputs.end(), producer) == node.inputs.end())
    node.inputs.push_back(producer);
}

/// Appends an operation of a node, its tensors of the width given. Its output's shape, or an error at
/// `where`.
inline auto append_operation(operator_node& node, expected<operation> op, int element_bits,
                             reader const& where) -> tensor_shape {
  if (!op) {
    where.reject(error{op.error()});
    return {};
  }
  op->name = node.name;
  for (auto& t : op->operands) t.element_bits = element_bits;
  auto shape = shape_of(*nth_operand(*op, role::output, 0));
  node.operations.push_back(*std::move(op));
  return shape;
}

} // namespace mars::io::detail
