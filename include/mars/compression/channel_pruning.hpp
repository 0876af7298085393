// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/compression/detail/channel_choice.hpp>
#include <mars/compression/detail/channel_classes.hpp>
#include <mars/compression/detail/prune_channels.hpp>
#include <mars/compression/detail/rebuild.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars::compression {

/// Channels that are alike: of one layer, or of several whose results are added.
template <deferred D = when_called>
struct basic_channel_family {
  later<std::vector<operator_id>, D> layers; ///< that make them, ascending
  std::int64_t channels{};                   ///< to choose from; each goes with all its copies
  std::int64_t kept{};
  bool held{}; ///< by the network's results, its inputs, or an operator that cannot be followed
};
using channel_family = basic_channel_family<>;

/// What channel pruning does to a network.
template <deferred D = when_called>
struct basic_channel_report {
  later<std::vector<channel_family>, D> families;
  later<std::vector<operator_id>, D> unfollowed; ///< they hold the channels they read, ascending
};
using channel_report = basic_channel_report<>;

/// Structured pruning: of each family of channels the share `keep` stays, in whole blocks of `multiple`.
///
/// A layer that loses output channels takes its weights and biases with them, and so does everybody who
/// reads them: element-wise operators, pooling, normalisations (with their parameters), concatenations,
/// splits, slices and pads of channels, depthwise and grouped convolutions (alike in every group), maps
/// flattened for a matrix product (channels × pixels), products of two activations. Tensors that are
/// added share one choice. What a network reads and what it returns keeps its shape.
///
/// Held, with all that is tied to it: channels that a reshape splits, that a gather, a recurrence or an
/// opaque operator reads, that a softmax normalises. `families` says which.
///
/// With keep ρ at both sides a layer keeps ρ² of its weights and MACs, a depthwise one ρ. Complexity:
/// near linear in operators and channels.
/// Errors: `keep` outside (0, 1], `multiple` below 1; a graph with a cycle.
struct channel_pruning {
  double keep{0.5};
  /// Lanes of a vector: kernels in blocked layouts compute whole blocks, so the channels of a started
  /// block are free.
  std::int64_t multiple{16};

  static constexpr compression_effects effects{.fewer_channels = true};

  /// By the share that goes, as for weight pruning.
  template <deferred = when_called>
  [[nodiscard]] auto name() const -> std::string {
    return "channel_pruning_" + detail::percent(1 - keep) +
           (multiple == 16 ? std::string{} : "_by_" + std::to_string(multiple));
  }
  /// Of the default blocks: other ones keep other channels, and nobody tabulated those.
  template <deferred = when_called>
  [[nodiscard]] auto accuracy() const -> accuracy_key {
    if (multiple != 16) return {};
    return {"channel_pruning", "filters " + detail::percent(1 - keep) + " %"};
  }

  template <deferred D = when_called>
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> {
    auto const order = checked_order<D>(g);
    if (!order) return unexpected{order.error()};
    detail::basic_channel_classes<D> const classes{g, *order};
    detail::basic_channel_choice<D> const choice{classes, keep, multiple};
    later<std::vector<operation>, D> operations;
    operations.reserve(g.size());
    for (auto const v : operators(g))
      operations.push_back(detail::prune_channels<D>(v, op(g, v), classes, choice));
    return detail::rebuild(g, std::move(operations));
  }

  /// The families of channels of `g`, by the first layer, and how many stay of each.
  template <deferred D = when_called>
  [[nodiscard]] auto families(graph const& g) const -> expected<channel_report> {
    auto const order = checked_order<D>(g);
    if (!order) return unexpected{order.error()};
    detail::basic_channel_classes<D> const classes{g, *order};
    detail::basic_channel_choice<D> const choice{classes, keep, multiple};
    channel_report report{.families = {}, .unfollowed = classes.unfollowed()};
    for (auto const& f : choice.families()) {
      channel_family family{.layers = {}, .channels = f.channels, .kept = f.kept, .held = f.fixed};
      for (std::uint32_t c = 0; c < classes.size(); ++c)
        if (auto const v = classes.maker(c);
            v && std::binary_search(f.classes_of.begin(), f.classes_of.end(), classes.root(c)))
          family.layers.push_back(*v);
      if (!family.layers.empty()) report.families.push_back(std::move(family));
    }
    return report;
  }

private:
  template <deferred D>
  [[nodiscard]] auto checked_order(graph const& g) const -> expected<std::vector<operator_id>> {
    if (!(keep > 0 && keep <= 1))
      return fail(error_code::out_of_range, "keep", std::to_string(keep), "above 0, at most 1");
    if (multiple < 1)
      return fail(error_code::out_of_range, "multiple", std::to_string(multiple), "at least 1");
    return topological_order(g);
  }
};

} // namespace mars::compression
