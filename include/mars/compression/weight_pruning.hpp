// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/compression/detail/rebuild.hpp>
#include <mars/compression/detail/weights.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::compression {

namespace detail {

/// `o` with the share `sparsity` of its nonzero weights made zero, or nothing where nothing changes.
template <deferred = when_called>
[[nodiscard]] auto prune_weights(operation const& o, double sparsity) -> std::optional<operation> {
  if (sparsity == 0) return std::nullopt;
  auto const* const weight = multiplied_weight(o);
  if (weight == nullptr) return std::nullopt;
  auto pruned = o;
  pruned.operands[static_cast<std::size_t>(weight - o.operands.data())].density *= 1 - sparsity;
  return pruned;
}

} // namespace detail

/// Uniform magnitude pruning of single weights: the share `sparsity` of the weights of every
/// convolution and fully connected layer is zero; biases and normalisations stay. Shapes, MACs and the
/// bytes of dense storage do not change: who skips or leaves out zeros reads `operand::density`.
/// Depthwise convolutions have few weights and lose most by it; they are kept, as is usual.
///
/// Errors: `sparsity` outside [0, 1].
struct weight_pruning {
  double sparsity{0.8};
  bool depthwise{false}; ///< prune depthwise convolutions too

  static constexpr compression_effects effects{.zero_weights = true};

  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return "weight_pruning_" + detail::percent(sparsity) + (depthwise ? "_depthwise" : "");
  }
  /// Tables are of networks whose depthwise convolutions stay: with them pruned it has none.
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const -> accuracy_key {
    if (depthwise) return {};
    return {"weight_pruning", "sparsity " + detail::percent(sparsity) + " %"};
  }
  /// Precondition: `sparsity` in [0, 1].
  template <deferred = when_called>
  [[nodiscard]] auto operator()(operation const& o) const -> std::optional<operation> {
    if (!depthwise && detail::is_depthwise(o)) return std::nullopt;
    return detail::prune_weights(o, sparsity);
  }
  template <deferred = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    if (auto ok = detail::check_share("sparsity", sparsity); !ok) return unexpected{ok.error()};
    return detail::each_operator(g, *this);
  }
};

/// Weights pruned to a sparsity of its own in each layer, as searches over layers leave them. Layers
/// without a line stay dense.
///
/// Errors: a sparsity outside [0, 1]; a layer that the network does not have, or that has no weights to
/// multiply with.
template <deferred D = when_called>
struct basic_layerwise_weight_pruning {
  struct layer {
    std::string name; ///< of the operator
    double sparsity{};
  };
  std::string label; ///< what tells this choice of sparsities from another: part of the name
  later<std::vector<layer>, D> layers;

  static constexpr compression_effects effects{.zero_weights = true};

  [[nodiscard]] auto name() const -> std::string { return "weight_pruning_" + label; }
  [[nodiscard]] auto operator()(later<operation, D> const& o) const -> std::optional<operation> {
    for (auto const& l : layers)
      if (l.name == o.name) return detail::prune_weights(o, l.sparsity);
    return std::nullopt;
  }
  [[nodiscard]] auto operator()(later<graph, D> const& g) const -> expected<graph> {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const path = "layers[" + std::to_string(i) + "]";
      auto const& l = layers[i];
      if (auto ok = detail::check_share("sparsity", l.sparsity); !ok)
        return unexpected{error{ok.error()}.inside(path)};
      auto const v = find(g, l.name);
      if (!v)
        return fail(error_code::unknown_name, path, l.name, "an operator of the network",
                    std::string{g.name()});
      if (detail::multiplied_weight(op(g, *v)) == nullptr)
        return fail(error_code::unsupported, path, l.name,
                    "a convolution or fully connected layer");
    }
    return detail::each_operator(g, *this);
  }
};
using layerwise_weight_pruning = basic_layerwise_weight_pruning<>;

} // namespace mars::compression
