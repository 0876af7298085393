// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/detail/workload_classes.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mars::exploration::detail {

/// Operators of one signature, whatever network they are of.
struct operator_kind {
  operation const* op{};
  std::optional<convolution_layer> layer{}; ///< nothing: primitives have no say
  macs nominal{};
  macs valid{};
  bytes weights{}; ///< all of its parameters, dense
  bytes kernel{};  ///< the part that primitives keep in their own way
  [[nodiscard]] auto is_pruned() const -> bool { return layer && layer->density < 1; }
};

/// Numbers the signatures of all networks of a study. Operations stay where they are.
template <deferred D = when_called>
class basic_operator_kinds {
public:
  auto operator()(later<operation, D> const& o) -> std::uint32_t {
    auto& alike = by_hash_[signature_hash(o)];
    for (auto const k : alike)
      if (same_signature(*kinds_[k].op, o)) return k;
    auto const number = static_cast<std::uint32_t>(kinds_.size());
    alike.push_back(number);
    shard const whole{o};
    operator_kind kind{.op = &o,
                       .layer = layer_of(whole),
                       .nominal = macs_of(o),
                       .weights = bytes_of(whole, role::weight)};
    kind.valid = kind.layer ? valid_macs_of(*kind.layer) : kind.nominal;
    if (kind.layer)
      if (auto const* w = nth_operand(o, role::weight, 0)) kind.kernel = size_of(*w);
    kinds_.push_back(std::move(kind));
    return number;
  }
  [[nodiscard]] auto operator[](std::uint32_t k) const -> operator_kind const& { return kinds_[k]; }
  [[nodiscard]] auto size() const -> std::size_t { return kinds_.size(); }

private:
  std::vector<operator_kind> kinds_;
  later<std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>, D> by_hash_;
};
using operator_kinds = basic_operator_kinds<>;

/// A compressed network by classes of operators and of tensors.
struct compiled_network {
  graph workload;
  mapping_problem::tables tables;        ///< what `classify` fills
  std::vector<std::uint32_t> kind;       ///< by class
  std::vector<std::int64_t> count;       ///< operators, by class
  std::vector<std::int64_t> own_weights; ///< by class: operators whose weights no earlier one has
  std::vector<std::uint32_t> edge_count; ///< by class of edges
  std::vector<bytes> edge_bytes;         ///< by class of edges
  macs nominal{};
};

/// Precondition: `g` does not move afterwards (kinds point into it).
template <deferred D = when_called>
[[nodiscard]] auto compile(later<compiled_network, D>& n, later<operator_kinds, D>& kinds)
    -> expected<void> {
  auto const classes = mars::detail::classify(n.workload, n.tables);
  if (!classes) return unexpected{classes.error()};
  auto const& t = n.tables;
  auto const size = classes->operators.size();
  n.count.assign(size, 0);
  n.own_weights.assign(size, 0);
  for (auto const& c : classes->operators) n.kind.push_back(kinds(*c.first));
  later<std::unordered_set<std::string_view>, D> seen;
  for (std::size_t v = 0; v < t.order.size(); ++v) {
    auto const& o = op(n.workload, t.order[v]);
    ++n.count[t.op_class[v]];
    n.nominal += macs_of(o);
    auto const* w = nth_operand(o, role::weight, 0);
    if (w != nullptr && (w->name.empty() || seen.insert(w->name).second))
      ++n.own_weights[t.op_class[v]];
  }
  n.edge_count.assign(classes->edges.size(), 0);
  for (auto const& e : t.edges) ++n.edge_count[e.edge_class];
  for (auto const& e : classes->edges)
    n.edge_bytes.push_back(
        size_of(*nth_operand(*classes->operators[e.producer].first, role::output, e.output)));
  return {};
}

} // namespace mars::exploration::detail
