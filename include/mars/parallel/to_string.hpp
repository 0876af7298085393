// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/sharding.hpp>

#include <string>

namespace mars {

/// `k:4 y:2`, uneven parts as `y:3(56+40+16)`, a shared cut as `ring c:4`, a reduce-scatter as
/// `scatter k`; `replicated` for none.
template <deferred = when_called>
[[nodiscard]] auto to_string(sharding const& s, operation const& op) -> std::string {
  auto const name = [&](std::size_t dim) {
    return dim < op.dims.size() ? std::string{op.dims[dim].name.view()} : std::string{"?"};
  };
  std::string text;
  for (std::size_t i = 0; i < s.exclusive.size(); ++i) {
    text += name(s.exclusive[i].dim) + ":" + std::to_string(s.exclusive[i].ways);
    for (std::size_t k = 0; i == 0 && k < s.parts.size(); ++k)
      text += (k == 0 ? "(" : "+") + std::to_string(s.parts[k]);
    text += i == 0 && !s.parts.empty() ? ") " : " ";
  }
  if (s.shared)
    text += std::string{"ring "} + name(s.shared->dim) + ":" + std::to_string(s.shared->ways) + " ";
  if (s.scatter) text += std::string{"scatter "} + name(*s.scatter) + " ";
  if (text.empty()) return "replicated";
  text.pop_back();
  return text;
}

} // namespace mars
