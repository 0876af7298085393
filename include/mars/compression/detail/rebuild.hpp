// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars::compression::detail {

/// `g` with other operations in the places of its own.
template <deferred D = when_called>
[[nodiscard]] auto rebuild(later<graph, D> const& g, later<std::vector<operation>, D> operations)
    -> expected<graph> {
  return make_graph(g.name(), std::move(operations), edges_of(g), outputs(g));
}

/// `g` with every operator that `compress` turns into another one replaced.
template <class OperatorForm>
[[nodiscard]] auto each_operator(graph const& g, OperatorForm const& compress) -> expected<graph> {
  std::vector<operation> operations;
  operations.reserve(g.size());
  for (auto const v : operators(g)) {
    auto made = compress(op(g, v));
    operations.push_back(made ? *std::move(made) : op(g, v));
  }
  return rebuild(g, std::move(operations));
}

/// A share in percent as names and tables write it: `80`, `52.5`; at most four decimals.
template <deferred = when_called>
[[nodiscard]] auto percent(double share) -> std::string {
  auto const scaled = static_cast<std::int64_t>(std::floor(share * 1e6 + 0.5));
  auto text = std::to_string(scaled / 10000);
  auto rest = scaled % 10000;
  if (rest == 0) return text;
  text += '.';
  for (std::int64_t unit = 1000; rest != 0; unit /= 10) {
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

/// Error `out_of_range` unless `share` is in [0, 1]; `path` names the parameter.
template <deferred = when_called>
[[nodiscard]] auto check_share(char const* path, double share) -> expected<void> {
  if (share >= 0 && share <= 1) return {};
  return fail(error_code::out_of_range, path, std::to_string(share), "0 to 1");
}

} // namespace mars::compression::detail
