// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/to_string.hpp>
#include <mars/workload/operation.hpp>

#include <string>

namespace mars {

/// How an operator runs, besides where: `k:4 c~2, winograd_f4x3, format nchwc, float16`, of which all but
/// the sharding is there only if the placement says so.
template <deferred = when_called>
[[nodiscard]] auto to_string(placement const& p, operation const& o) -> std::string {
  auto text = to_string(p.sharding, o);
  if (!p.algorithm.empty()) text += ", " + p.algorithm;
  if (!p.format.empty()) text += ", format " + p.format;
  if (!p.compression.empty()) text += ", " + p.compression;
  return text;
}

} // namespace mars
