// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/sharding.hpp>

#include <vector>

namespace mars {

/// Which part of a tensor each device of a set holds or needs, by rank in the set.
using layout = std::vector<tensor_box>;

namespace detail {
/// Does a cut divide this axis of an output? Where none does, a device has all of it, even elements
/// that no iteration writes: those between the points of a transposed convolution, say.
template <deferred = when_called>
[[nodiscard]] auto divides(sharding const& s, axis const& a) -> bool {
  return (s.scatter && a.uses(*s.scatter)) ||
         std::any_of(s.exclusive.begin(), s.exclusive.end(),
                     [&a](cut const& c) { return a.uses(c.dim); });
}
} // namespace detail

/// What each device owns of an output once the operator and its exchange of partial sums are done.
/// Boxes are disjoint or equal (replicas), and together they are the tensor.
template <deferred = when_called>
[[nodiscard]] auto output_layout(operation const& op, operand const& output, sharding const& s,
                                 std::size_t set_size) -> layout {
  auto const groups = partial_sum_groups(op, s, set_size);
  layout boxes;
  boxes.reserve(set_size);
  for (std::size_t rank = 0; rank < set_size; ++rank) {
    auto box = shard_box(op, s, set_size, rank);
    if (s.scatter) {
      auto const place = static_cast<std::int64_t>(groups.place(rank));
      box[*s.scatter] = part_of(box[*s.scatter], static_cast<std::int64_t>(groups.size()), place);
    }
    auto owned = reach(output, box);
    for (std::size_t i = 0; i < owned.size(); ++i)
      if (!detail::divides(s, output.axes[i])) owned[i] = {0, output.axes[i].extent};
    boxes.push_back(owned);
  }
  return boxes;
}

/// What each device needs of an input when the operator starts: the halo included, and of a rotating
/// input only the part it starts with.
template <deferred = when_called>
[[nodiscard]] auto input_layout(operation const& op, operand const& input, sharding const& s,
                                std::size_t set_size) -> layout {
  bool const rotates = rotating_operand(op, s, set_size) == &input;
  layout boxes;
  boxes.reserve(set_size);
  for (std::size_t rank = 0; rank < set_size; ++rank)
    boxes.push_back(reach(input, rotates ? phase_box(op, s, set_size, rank, 0)
                                         : shard_box(op, s, set_size, rank)));
  return boxes;
}

/// Bytes one device holds for an operator; the largest over the devices of its set.
struct footprint {
  bytes weights;  ///< resident from start to end: of a rotating weight, the part held
  bytes arriving; ///< the part of a rotating tensor that is on its way in, while it runs
  bytes inputs;   ///< needed while it runs, halo included
  bytes outputs;  ///< partial sums before they are reduced
  bytes exchange; ///< receive buffer of the exchange of partial sums
  bytes state;

  [[nodiscard]] auto transient() const -> bytes {
    return arriving + inputs + outputs + exchange + state;
  }
  friend auto operator==(footprint const&, footprint const&) -> bool = default;
};

template <deferred = when_called>
[[nodiscard]] auto footprint_of(operation const& op, sharding const& s, std::size_t set_size)
    -> footprint {
  auto const shard = shard_extents(op, s);
  auto const phase = phase_extents(op, s);
  auto const* rotating = rotating_operand(op, s, set_size);
  auto const output_size = [&s](operand const& t, extents const& part) {
    std::int64_t n = 1;
    for (auto const& a : t.axes) n *= detail::divides(s, a) ? reach_size(a, part) : a.extent;
    return storage(n, t.element_bits);
  };
  footprint f{};
  for (auto const& t : op.operands) {
    bool const rotates = rotating == &t;
    auto const held =
        t.role == role::output ? output_size(t, shard) : size_of(t, rotates ? phase : shard);
    if (rotates) f.arriving += held;
    switch (t.role) {
    case role::weight: f.weights += held; break;
    case role::input: f.inputs += held; break;
    case role::output: f.outputs += held; break;
    case role::state: f.state += held; break;
    }
  }
  if (auto const g = partial_sums(op, s); g > 1) {
    if (!s.scatter) {
      f.exchange = bytes{ceil_div(f.outputs.count(), g)};
    } else {
      // The parts are as uneven as the extent they divide: 9 rows over 2 devices are 5 and 4.
      auto kept = shard;
      kept[*s.scatter] = ceil_div(kept[*s.scatter], g);
      for (auto const& t : op.operands)
        if (t.role == role::output) f.exchange += output_size(t, kept);
    }
  }
  return f;
}

} // namespace mars
