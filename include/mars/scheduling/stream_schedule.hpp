// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars {

/// Which stream launches each node of a `stream_graph`, and in which order the host launches them. A
/// stream runs its nodes in launch order; a node waits for an event of each input on another stream.
struct stream_schedule {
  std::vector<stream_id> stream_of{};        ///< indexed by node; streams are 0 … streams() − 1
  std::vector<std::uint32_t> launch_order{}; ///< every node once, producers first
  std::vector<std::uint32_t> stage_of{}; ///< empty, or of every node: the device is synchronised
                                         ///< between stages (IOS); not decreasing in launch order
  std::vector<std::vector<std::uint32_t>>
      merged{}; ///< nodes that run as one, next to each other in
                ///< launch order on one stream

  [[nodiscard]] auto streams() const -> std::size_t {
    std::size_t n = 0;
    for (auto const s : stream_of) n = std::max(n, s.index() + 1);
    return n;
  }

  friend auto operator==(stream_schedule const&, stream_schedule const&) -> bool = default;
};

} // namespace mars
