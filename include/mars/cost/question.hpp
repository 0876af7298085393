// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/workload/shard.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mars::cost {

/// What identifies a price: operators of one signature, shards of one size, designs of one name
/// cost the same. The signature is a 64-bit hash that is the same on every platform, so a question
/// may be written to a file.
struct question {
  std::uint64_t signature{};
  mars::extents extents{};
  std::string design{};

  friend auto operator==(question const&, question const&) -> bool = default;
};

template <deferred = when_called>
[[nodiscard]] auto question_of(shard const& s, std::string_view design) -> question {
  return {signature_hash(*s.op), s.extents, std::string{design}};
}

struct question_hash {
  [[nodiscard]] auto operator()(question const& q) const -> std::size_t {
    stable_hash h;
    h.add(q.signature).add(q.design).add(q.extents.size());
    for (auto const e : q.extents) h.add(e);
    return static_cast<std::size_t>(h.digest());
  }
};

} // namespace mars::cost
