// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace mars::detail {

/// Gives equal values equal small numbers, in order of first appearance.
template <class Key>
class interner {
public:
  auto operator()(Key const& key) -> std::uint32_t {
    return ids_.try_emplace(key, static_cast<std::uint32_t>(ids_.size())).first->second;
  }
  [[nodiscard]] auto size() const -> std::size_t { return ids_.size(); }

private:
  std::map<Key, std::uint32_t> ids_;
};

} // namespace mars::detail
