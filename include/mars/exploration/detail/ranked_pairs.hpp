// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/exploration/study.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mars::exploration::detail {

/// A quantity (x) and time (y), cell by cell; of accuracies those of one source, which has the most of
/// these cells, and none unless three differ.
template <deferred D = when_called>
struct basic_ranked_pairs {
  std::vector<double> x, y;
  std::string source;

  basic_ranked_pairs(std::vector<cell const*> const& cells, quantity_id q) {
    std::map<std::string_view, std::size_t> sources;
    if (q == quantity_id::accuracy) {
      for (auto const* c : cells)
        if (value_of(*c, q)) ++sources[c->accuracy.source];
      if (sources.empty()) return;
      source = std::max_element(sources.begin(), sources.end(), [](auto const& a, auto const& b) {
                 return a.second < b.second; // the first of the largest
               })->first;
    }
    for (auto const* c : cells) {
      auto const v = value_of(*c, q);
      if (!v || (q == quantity_id::accuracy && c->accuracy.source != source)) continue;
      x.push_back(*v);
      y.push_back(c->time.count());
    }
    if (q == quantity_id::accuracy && std::set<double>(x.begin(), x.end()).size() < 3)
      x.clear(), y.clear();
  }

private:
  [[nodiscard]] static auto value_of(cell const& c, quantity_id q) -> std::optional<double> {
    switch (q) {
    case quantity_id::model_bytes: return static_cast<double>(c.weights.count());
    case quantity_id::valid_macs: return static_cast<double>(c.valid.count());
    case quantity_id::executed_macs: return c.executed;
    case quantity_id::accuracy:
      if (c.accuracy.known != provenance::unknown) return c.accuracy.top1;
    }
    return std::nullopt;
  }
};

} // namespace mars::exploration::detail
