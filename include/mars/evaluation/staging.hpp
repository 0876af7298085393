// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/host_traffic.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Transfers staged in host memory (H2H): every member of a set loads the inputs of its shard, streams
// its weights if they are not resident, computes, and stores its part of the result, one after
// another. An operator that a set launches right after the one that produced its first input finds
// what its members own of it in place.

namespace mars {

/// What one member of a set does for an operator, in this order.
struct staged_times {
  picoseconds weights{};
  picoseconds inputs{};
  picoseconds compute{};
  picoseconds results{};

  [[nodiscard]] auto total() const -> picoseconds {
    return saturating_add(saturating_add(weights, inputs), saturating_add(compute, results));
  }
};

/// Elements, by member, of a tensor whose reader follows its producer on one set.
struct staying_elements {
  std::int64_t needed{};  ///< of what the member reads
  std::int64_t missing{}; ///< … it does not own
  std::int64_t owned{};   ///< of what it made
  std::int64_t wanted{}; ///< … others read and do not own: replicas leave it to the first of them
};

/// O(p²) boxes.
template <deferred D = when_called>
[[nodiscard]] auto staying(later<layout, D> const& owned, later<layout, D> const& needed)
    -> std::vector<staying_elements> {
  auto const p = owned.size();
  std::vector<staying_elements> of(p);
  for (std::size_t i = 0; i < p; ++i) {
    of[i].needed = volume(needed[i]);
    of[i].missing = of[i].needed - shared_volume(owned[i], needed[i]);
    of[i].owned = volume(owned[i]);
    if (std::find(owned.begin(), owned.begin() + static_cast<std::ptrdiff_t>(i), owned[i]) !=
        owned.begin() + static_cast<std::ptrdiff_t>(i))
      continue;
    // Parts that several others want are counted once for each: never too little.
    for (std::size_t j = 0; j < p; ++j)
      if (j != i && !(owned[j] == owned[i])) of[i].wanted += shared_volume(owned[i], needed[j]);
    of[i].wanted = std::min(of[i].wanted, of[i].owned);
  }
  return of;
}

/// ⌈whole · part / total⌉; nothing of nothing.
[[nodiscard]] constexpr auto share_of(bytes whole, std::int64_t part, std::int64_t total) -> bytes {
  if (part <= 0 || total <= 0) return bytes{0};
  if (part >= total) return whole;
  double const exact =
      static_cast<double>(whole.count()) * (static_cast<double>(part) / static_cast<double>(total));
  auto const floor = static_cast<std::int64_t>(exact);
  return bytes{static_cast<double>(floor) < exact ? floor + 1 : floor};
}

/// Which of the operands an operator continues: the first that an edge feeds, in the order of
/// operands. Only that one can stay where it was made.
template <class Edges>
[[nodiscard]] auto continued_edge(Edges const& edges) {
  auto found = std::begin(edges);
  for (auto e = std::begin(edges); e != std::end(edges); ++e)
    if ((*e).operand < (*found).operand) found = e;
  return found;
}

/// Bytes that a member loads when `missing` of the `needed` elements of the continued operand are not
/// there and other operands have `others` elements.
[[nodiscard]] constexpr auto loaded_bytes(bytes inputs, staying_elements const& s,
                                          std::int64_t others, bool follow_first) -> bytes {
  if (follow_first) return share_of(inputs, s.missing, s.needed);
  return share_of(inputs, s.missing + others, s.needed + others);
}

/// Seconds on a host link; a message of no bytes is none.
template <class Net>
[[nodiscard]] auto staged_time(Net const& net, accelerator_id a, bytes size) -> picoseconds {
  if constexpr (StagedInterconnect<Net>)
    return size.count() > 0 ? to_picoseconds(net.host_time(a, size)) : picoseconds{};
  else
    return (void)net, (void)a, (void)size, picoseconds{};
}

} // namespace mars
