// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/accuracy.hpp>
#include <mars/core/deferred.hpp>
#include <mars/exploration/study.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars::exploration {

/// Accuracies of cells from a table of published points (compression/published_accuracy.hpp, or a file of
/// one's own): exact settings on one data set, and nothing between them. Of several sources, the first
/// that also states the uncompressed accuracy: only within a source do two of them compare, and a point
/// without one is as good as unknown.
/// `AccuracyFor` any compression; those that do not say how tables call them are unknown.
template <deferred D = when_called>
struct basic_tabulated_accuracy {
  later<std::vector<compression::accuracy_point>, D> points;
  std::string dataset{"ImageNet"};

  template <Compression C>
  [[nodiscard]] auto operator()(std::string_view network, C const& c) const -> cell_accuracy {
    if constexpr (names_its_accuracy<C>) {
      auto const found = compression::find_accuracies(points, network, c.accuracy(), dataset);
      for (auto const& p : found)
        if (auto const reference = reference_of(p))
          return {.known = provenance::published,
                  .top1 = p.top1,
                  .reference = *reference,
                  .source = p.source + ", " + p.locator,
                  .setting = p.setting};
    }
    return {};
  }

private:
  /// What the source says of the uncompressed network: beside the point, or in a row of its own.
  [[nodiscard]] auto reference_of(compression::accuracy_point const& p) const
      -> std::optional<double> {
    if (p.reference_top1) return p.reference_top1;
    if (p.compression == "none") return p.top1;
    for (auto const& other :
         compression::find_accuracies(points, p.network, {"none", "fp32"}, p.dataset))
      if (other.source == p.source) return other.top1;
    return std::nullopt;
  }
};
using tabulated_accuracy = basic_tabulated_accuracy<>;

} // namespace mars::exploration
