// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars {

/// A collective that an operator runs on groups of its set, on all of them at the same time.
struct exchange {
  enum class cause : std::uint8_t { rotation, partial_sums, state } what{};
  collective_kind kind{};
  bytes size{};            ///< as `collective_kind` says
  std::int64_t repeated{}; ///< one after another
  rank_groups const& groups;
};

/// Calls `use(exchange)` for all that a sharding makes the members of a set exchange, in the order
/// in which prices are added up. Of groups of one nothing is said.
template <class Use>
void for_each_exchange(operation const& op, sharding const& s, std::size_t set_size, Use&& use) {
  auto const shard = shard_extents(op, s);
  auto const tell = [&](exchange::cause what, collective_kind kind, bytes size,
                        std::int64_t repeated, rank_groups const& groups) {
    if (groups.size() > 1) use(exchange{what, kind, size, repeated, groups});
  };
  if (auto const* t = rotating_operand(op, s, set_size))
    tell(exchange::cause::rotation, collective_kind::shift, size_of(*t, phase_extents(op, s)),
         s.shared->ways - 1, replication_groups(*t, s, set_size));
  if (partial_sums(op, s) > 1)
    for (auto const& t : op.operands)
      if (t.role == role::output)
        tell(exchange::cause::partial_sums,
             s.scatter ? collective_kind::reduce_scatter : collective_kind::all_reduce,
             size_of(t, shard), 1, partial_sum_groups(op, s, set_size));
  if (shard_count(s) > 1) {
    std::int64_t steps = 1;
    for (auto const& d : op.dims)
      if (d.kind == dim_kind::sequential) steps *= d.extent;
    for (auto const& t : op.operands)
      if (t.role == role::state)
        tell(exchange::cause::state, collective_kind::all_gather, size_of(t, shard), steps,
             replication_groups(t, s, set_size));
  }
}

/// Calls `use(members)` for every group of ranks; `group` is working space.
template <class Use>
void for_each_group(rank_groups const& groups, std::span<accelerator_id const> members,
                    std::vector<accelerator_id>& group, Use&& use) {
  auto const offsets = groups.offsets();
  group.resize(groups.size());
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    if (groups.first(rank) != rank) continue;
    for (std::size_t i = 0; i < group.size(); ++i) group[i] = members[rank + offsets[i]];
    use(std::span<accelerator_id const>{group});
  }
}

} // namespace mars
