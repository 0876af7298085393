// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the devices of a set hold, do and exchange to run one sharded operation, as a plain value: the
// interpreter's input. A test may spoil it to see that the interpreter notices.

#include <mars/parallel/layout.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace mars_test {

/// Integers modulo 2⁶⁴: sums do not depend on their order and nothing overflows.
using word = std::uint64_t;
using element_index = mars::inplace_vector<std::int64_t, mars::max_rank>;

/// Calls `visit` with every point of a box, the last coordinate fastest.
template <std::size_t N, class Visit>
void for_each_point(mars::inplace_vector<mars::interval, N> const& box, Visit visit) {
  mars::inplace_vector<std::int64_t, N> at;
  for (auto const& range : box) {
    if (range.size() == 0) return;
    at.push_back(range.begin);
  }
  for (;;) {
    visit(std::as_const(at));
    auto d = at.size();
    for (; d > 0; --d) {
      if (++at[d - 1] < box[d - 1].end) break;
      at[d - 1] = box[d - 1].begin;
    }
    if (d == 0) return;
  }
}

/// A box of a tensor and its elements, row-major.
struct part {
  mars::tensor_box box;
  std::vector<word> values;

  explicit part(mars::tensor_box const& b = {}, word fill = 0)
      : box{b}, values(static_cast<std::size_t>(mars::volume(b)), fill) {}

  /// The element of the whole tensor at `at`, or null if this part lacks it.
  [[nodiscard]] auto find(element_index const& at) -> word* {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (at[i] < box[i].begin || at[i] >= box[i].end) return nullptr;
      offset = offset * box[i].size() + at[i] - box[i].begin;
    }
    return &values[static_cast<std::size_t>(offset)];
  }
  [[nodiscard]] auto find(element_index const& at) const -> word const* {
    return const_cast<part*>(this)->find(at);
  }
  friend auto operator==(part const&, part const&) -> bool = default;
};

[[nodiscard]] inline auto whole_box(mars::operand const& t) -> mars::tensor_box {
  mars::tensor_box box;
  for (auto const& a : t.axes) box.push_back({0, a.extent});
  return box;
}

/// Copies what `box` asks for. Precondition: it lies inside `from`.
[[nodiscard]] inline auto cut_out(part const& from, mars::tensor_box const& box) -> part {
  part copy{box};
  auto next = copy.values.begin();
  for_each_point(box, [&](element_index const& at) { *next++ = *from.find(at); });
  return copy;
}

[[nodiscard]] constexpr auto scramble(word x) -> word {
  x = (x ^ (x >> 31)) * 0x9E3779B97F4A7C15U;
  return x ^ (x >> 29);
}

/// Small integers of both signs for every operand, a function of `seed`.
[[nodiscard]] inline auto numbers_for(mars::operation const& op, word seed) -> std::vector<part> {
  std::vector<part> all;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    all.emplace_back(whole_box(op.operands[i]));
    word n = scramble(seed + i);
    for (auto& v : all.back().values) v = (scramble(++n) >> 40) % 19 - 9;
  }
  return all;
}

/// What a device holds, does and exchanges.
struct device_plan {
  std::vector<mars::tensor_box> holds;     ///< per operand, at the start; empty for outputs
  mars::iteration_box shard;               ///< all its iterations
  std::vector<mars::iteration_box> phases; ///< the same, in the order it runs them
  std::size_t receives_from{};             ///< ring neighbour whose part comes next
  std::vector<std::size_t> sums_with;      ///< ranks whose partial results combine with its own
  std::vector<mars::tensor_box> computes;  ///< per operand, before the exchange; empty for inputs
  std::vector<mars::tensor_box> keeps;     ///< per operand, afterwards; empty for inputs
};

struct plan {
  std::vector<device_plan> devices;
  std::size_t rotating{std::numeric_limits<std::size_t>::max()}; ///< operand, if any
};

/// The plan that mars derives for a sharding.
[[nodiscard]] inline auto plan_of(mars::operation const& op, mars::sharding const& s,
                                  std::size_t set_size) -> plan {
  plan p;
  p.devices.resize(set_size);
  auto const* rotating = rotating_operand(op, s, set_size);
  for (std::size_t rank = 0; rank < set_size; ++rank) {
    auto& d = p.devices[rank];
    d.shard = shard_box(op, s, set_size, rank);
    auto const phases = rotating == nullptr ? 1 : s.shared->ways;
    for (std::int64_t phase = 0; phase < phases; ++phase)
      d.phases.push_back(phase_box(op, s, set_size, rank, phase));
    if (rotating != nullptr) {
      auto const ring = replication_group(op, *rotating, s, set_size, rank);
      auto const place = std::find(ring.begin(), ring.end(), rank) - ring.begin();
      d.receives_from = ring[(static_cast<std::size_t>(place) + 1) % ring.size()];
    }
    d.sums_with = partial_sum_group(op, s, set_size, rank);
    d.holds.resize(op.operands.size());
    d.computes.resize(op.operands.size());
    d.keeps.resize(op.operands.size());
  }
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    auto const& t = op.operands[i];
    if (&t == rotating) p.rotating = i;
    auto const needed =
        t.role == mars::role::input ? input_layout(op, t, s, set_size) : mars::layout{};
    auto const owned =
        t.role == mars::role::output ? output_layout(op, t, s, set_size) : mars::layout{};
    for (std::size_t rank = 0; rank < set_size; ++rank) {
      auto& d = p.devices[rank];
      if (t.role == mars::role::input)
        d.holds[i] = needed[rank];
      else if (t.role == mars::role::output)
        d.keeps[i] = owned[rank], d.computes[i] = whole_box(t);
      else
        d.holds[i] = reach(t, &t == rotating ? d.phases.front() : d.shard);
      // An axis of which everybody keeps all is all there, written by iterations or not.
      for (std::size_t k = 0; k < d.computes[i].size(); ++k)
        if (std::any_of(owned.begin(), owned.end(),
                        [&](auto const& box) { return !(box[k] == d.computes[i][k]); }))
          d.computes[i][k] = reach(t.axes[k], d.shard);
    }
  }
  return p;
}

} // namespace mars_test
