// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/sharding.hpp>

#include <string>

namespace mars {

/// `k:4 y:2`, a shared cut as `ring c:4`, a reduce-scatter as `scatter k`; `replicated` for none.
template <deferred = when_called>
[[nodiscard]] auto to_string(sharding const& s, operation const& op) -> std::string {
  auto const name = [&](std::size_t dim) {
    return dim < op.dims.size() ? std::string{op.dims[dim].name.view()} : std::string{"?"};
  };
  std::string text;
  for (auto const& c : s.exclusive) text += name(c.dim) + ":" + std::to_string(c.ways) + " ";
  if (s.shared)
    text += std::string{"ring "} + name(s.shared->dim) + ":" + std::to_string(s.shared->ways) + " ";
  if (s.scatter) text += std::string{"scatter "} + name(*s.scatter) + " ";
  if (text.empty()) return "replicated";
  text.pop_back();
  return text;
}

} // namespace mars
