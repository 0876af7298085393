// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

// The validator's own arithmetic. It repeats, from the definitions in parallel/sharding.hpp's
// comments and nowhere else, what the rest of the library derives with other code: a mistake there
// does not hide itself here.

namespace mars::detail::audit {

/// Half-open range, by its ends.
struct range {
  std::int64_t lo{};
  std::int64_t hi{};

  [[nodiscard]] auto length() const -> std::int64_t { return hi > lo ? hi - lo : 0; }
  friend auto operator==(range const&, range const&) -> bool = default;
};

/// The `index`-th of `ways` shares of a range; the first `length mod ways` are one longer.
template <deferred = when_called>
[[nodiscard]] auto share(range whole, std::int64_t ways, std::int64_t index) -> range {
  auto const each = whole.length() / ways;
  auto const longer = whole.length() % ways;
  auto const begins = [&](std::int64_t i) {
    return whole.lo + i * each + (i < longer ? i : longer);
  };
  return {begins(index), begins(index + 1)};
}
/// The longest share.
[[nodiscard]] inline auto longest_share(std::int64_t length, std::int64_t ways) -> std::int64_t {
  return length / ways + (length % ways == 0 ? 0 : 1);
}

/// Iterations by dimension, or elements by axis.
struct box {
  std::array<range, max_dims> side{};
  std::size_t sides{};

  [[nodiscard]] auto volume() const -> std::int64_t {
    std::int64_t v = 1;
    for (std::size_t i = 0; i < sides; ++i) v *= side[i].length();
    return v;
  }
  friend auto operator==(box const&, box const&) -> bool = default;
};

[[nodiscard]] inline auto common_volume(box const& a, box const& b) -> std::int64_t {
  std::int64_t v = 1;
  for (std::size_t i = 0; i < a.sides; ++i)
    v *= range{std::max(a.side[i].lo, b.side[i].lo), std::min(a.side[i].hi, b.side[i].hi)}.length();
  return v;
}

/// Elements of a tensor that iterations touch: per axis from the least to the greatest index, cut
/// off at the ends of the tensor; everything, where the axis says nothing.
[[nodiscard]] inline auto touched(operand const& t, box const& iterations) -> box {
  box result;
  for (auto const& a : t.axes) {
    range r{0, a.extent};
    bool nothing = false;
    for (auto const& term : a.terms) nothing |= iterations.side[term.dim].length() == 0;
    if (nothing) {
      r = {0, 0};
    } else if (a.terms.size() != 0) {
      std::int64_t least = a.offset;
      std::int64_t greatest = a.offset;
      for (auto const& term : a.terms) {
        auto const& d = iterations.side[term.dim];
        auto const at_first = term.stride * d.lo;
        auto const at_last = term.stride * (d.hi - 1);
        least += at_first < at_last ? at_first : at_last;
        greatest += at_first < at_last ? at_last : at_first;
      }
      r = {std::max<std::int64_t>(least, 0), std::min(greatest + 1, a.extent)};
      if (r.lo >= r.hi) r = {0, 0};
    }
    result.side[result.sides++] = r;
  }
  return result;
}

[[nodiscard]] inline auto is_indexed_by(operand const& t, std::size_t dim) -> bool {
  for (auto const& a : t.axes)
    for (auto const& term : a.terms)
      if (term.dim == dim) return true;
  return false;
}

/// Bytes of so many elements: whole bytes, rounded up.
[[nodiscard]] inline auto octets(std::int64_t elements, int bits) -> std::int64_t {
  auto const eighths = elements % 8; // eight elements are `bits` bytes
  return elements / 8 * bits + (eighths * bits + 7) / 8;
}

/// Where a device stands in the grid that the exclusive cuts make of its set: ranks are numbered
/// along the last coordinate (replicas) first, along the first cut last.
template <deferred D = when_called>
class basic_seat {
public:
  /// Precondition: the ways multiply to a divisor of `set_size`.
  basic_seat(later<operation, D> const& op, later<sharding, D> const& s, std::size_t set_size,
             std::size_t rank)
      : op_{&op}, sharding_{&s}, replicas_{static_cast<std::int64_t>(set_size)} {
    auto block = static_cast<std::int64_t>(set_size);
    auto const r = static_cast<std::int64_t>(rank);
    for (std::size_t i = 0; i < s.exclusive.size(); ++i) {
      auto const ways = static_cast<std::int64_t>(s.exclusive[i].ways);
      block /= ways;
      at_[i] = r / block % ways;
    }
    replicas_ = block;
    replica_ = r % block;
  }

  /// What it computes, all phases together.
  [[nodiscard]] auto iterations() const -> box {
    box b;
    for (auto const& d : op_->dims) b.side[b.sides++] = {0, d.extent};
    for (std::size_t i = 0; i < sharding_->exclusive.size(); ++i) {
      auto const& c = sharding_->exclusive[i];
      if (i == 0 && !sharding_->parts.empty()) {
        auto& side = b.side[c.dim];
        for (std::int64_t k = 0; k < at_[0]; ++k)
          side.lo += sharding_->parts[static_cast<std::size_t>(k)];
        side.hi = side.lo + sharding_->parts[static_cast<std::size_t>(at_[0])];
        continue;
      }
      b.side[c.dim] = share(b.side[c.dim], c.ways, at_[i]);
    }
    return b;
  }
  /// Its place among the devices that differ from it only in coordinates where `varies` holds (of
  /// the number of a cut), and in the replica if `replicas`; and how many they are.
  template <class Varies>
  [[nodiscard]] auto place(Varies varies, bool replicas) const
      -> std::pair<std::int64_t, std::int64_t> {
    std::int64_t mine = 0;
    std::int64_t all = 1;
    for (std::size_t i = 0; i < sharding_->exclusive.size(); ++i)
      if (varies(sharding_->exclusive[i].dim)) {
        mine = mine * sharding_->exclusive[i].ways + at_[i];
        all *= sharding_->exclusive[i].ways;
      }
    if (replicas) {
      mine = mine * replicas_ + replica_;
      all *= replicas_;
    }
    return {mine, all};
  }
  /// Among the devices that hold the same part of `t`.
  [[nodiscard]] auto among_holders(operand const& t) const
      -> std::pair<std::int64_t, std::int64_t> {
    return place([&](std::size_t dim) { return !is_indexed_by(t, dim); }, true);
  }
  /// Among the devices whose partial sums belong together.
  [[nodiscard]] auto among_summands() const -> std::pair<std::int64_t, std::int64_t> {
    return place([&](std::size_t dim) { return op_->dims[dim].kind == dim_kind::reduction; },
                 false);
  }
  /// What it keeps of a result once partial sums are reduced.
  [[nodiscard]] auto kept(operand const& output) const -> box {
    auto b = iterations();
    if (sharding_->scatter) {
      auto const [mine, all] = among_summands();
      b.side[*sharding_->scatter] = share(b.side[*sharding_->scatter], all, mine);
    }
    return touched(output, b);
  }

private:
  later<operation, D> const* op_;
  later<sharding, D> const* sharding_;
  std::array<std::int64_t, max_cuts> at_{};
  std::int64_t replicas_;
  std::int64_t replica_{};
};
using seat = basic_seat<>;

/// The tensor a shared cut sends round: a weight before an input, the first one that the dimension
/// indexes and that `ways` devices hold alike.
[[nodiscard]] inline auto rotating(operation const& op, sharding const& s, std::size_t set_size)
    -> operand const* {
  if (!s.shared) return nullptr;
  seat const any{op, s, set_size, 0};
  operand const* input = nullptr;
  for (auto const& t : op.operands) {
    if ((t.role != role::weight && t.role != role::input) || !is_indexed_by(t, s.shared->dim) ||
        any.among_holders(t).second != s.shared->ways)
      continue;
    if (t.role == role::weight) return &t;
    if (input == nullptr) input = &t;
  }
  return input;
}

/// Edges of a graph and an order in which they can be satisfied.
struct wiring {
  struct edge {
    std::uint32_t producer;
    std::uint32_t consumer;
    std::uint16_t output;
    std::uint16_t operand;
  };
  std::vector<edge> edges;          ///< by consumer
  std::vector<std::uint32_t> first; ///< of a consumer's edges; one past the end
  std::vector<std::uint32_t> order; ///< smallest ready operator first; shorter if cyclic
  std::optional<edge> dangling;
};

template <WorkloadGraph G>
[[nodiscard]] auto wiring_of(G const& g) -> wiring {
  wiring w;
  std::uint32_t n = 0;
  w.first.push_back(0);
  for (operator_id const v : operators(g)) {
    for (input_edge const e : inputs(g, v))
      w.edges.push_back({e.producer.value, v.value, e.output, e.operand});
    w.first.push_back(static_cast<std::uint32_t>(w.edges.size()));
    ++n;
  }
  std::vector<std::vector<std::uint32_t>> readers(n);
  std::vector<std::uint32_t> waiting(n, 0);
  for (auto const& e : w.edges) {
    if (e.producer >= n) {
      w.dangling = e;
      return w;
    }
    readers[e.producer].push_back(e.consumer);
    ++waiting[e.consumer];
  }
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  for (std::uint32_t v = 0; v < n; ++v)
    if (waiting[v] == 0) ready.push(v);
  while (!ready.empty()) {
    auto const v = ready.top();
    ready.pop();
    w.order.push_back(v);
    for (auto const r : readers[v])
      if (--waiting[r] == 0) ready.push(r);
  }
  return w;
}

/// The `number`-th result of an operator, or null.
template <deferred D = when_called>
[[nodiscard]] auto result_of(later<operation, D> const& op, std::size_t number) -> operand const* {
  for (auto const& t : op.operands)
    if (t.role == role::output && number-- == 0) return &t;
  return nullptr;
}

} // namespace mars::detail::audit
