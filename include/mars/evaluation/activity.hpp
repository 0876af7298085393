// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/core/units.hpp>
#include <mars/interconnect/concept.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace mars {

using activity_id = id<struct activity_tag>;

enum class activity_kind : std::uint8_t {
  compute,  ///< occupies accelerators for a time; without accelerators it is a delay, or a join
  transfer, ///< bytes along a route
};

/// What is to happen, and in which order: computations and transfers, each after some of those that
/// were added before it. So it has no cycle, and ids are a topological order.
///
/// An accelerator runs one computation at a time, in the order they were added: `compute` itself
/// makes each wait for the one before on all of its accelerators. Links are shared as the simulator's
/// policy says. Flat arrays: about 30 bytes an activity, and 4 a link crossed or a wait.
template <deferred D = when_called>
class basic_activity_graph {
public:
  using after_list = std::span<activity_id const>;

  /// Runs on all of `where` at once for `duration`, which may be `never`.
  auto compute(std::span<accelerator_id const> where, picoseconds duration, after_list after)
      -> activity_id {
    begin(activity_kind::compute, duration, {});
    for (auto const a : after) wait_for(a);
    for (auto const a : where) {
      places_.push_back(a.value);
      if (a.index() < last_on_.size() && last_on_[a.index()] != nobody)
        wait_for(activity_id{last_on_[a.index()]});
    }
    auto const self = end();
    occupy(where, self);
    return self;
  }
  /// Passes time on no accelerator.
  auto delay(picoseconds duration, after_list after) -> activity_id {
    return compute({}, duration, after);
  }
  /// Ends when all of `after` have.
  auto join(after_list after) -> activity_id { return compute({}, picoseconds{}, after); }

  /// `size` bytes over the links of `route`, in this order. `alone` is how long they take while
  /// nothing else moves: what the simulator answers then, to the picosecond. Over no links it is a
  /// delay of that length.
  auto transfer(std::span<link_id const> route, bytes size, picoseconds alone, after_list after)
      -> activity_id {
    begin(activity_kind::transfer, alone, size);
    for (auto const a : after) wait_for(a);
    for (auto const l : route) places_.push_back(l.value);
    return end();
  }

  /// Later computations on `where` wait for `until`, too: an operator that ends with a collective
  /// keeps its accelerators until that is over.
  void occupy(std::span<accelerator_id const> where, activity_id until) {
    for (auto const a : where) {
      if (a.index() >= last_on_.size()) last_on_.resize(a.index() + 1, nobody);
      last_on_[a.index()] = until.value;
    }
  }

  [[nodiscard]] auto size() const -> std::size_t { return kind_.size(); }
  [[nodiscard]] auto kind(activity_id a) const -> activity_kind { return kind_[a.index()]; }
  /// Of a transfer: alone.
  [[nodiscard]] auto duration(activity_id a) const -> picoseconds { return duration_[a.index()]; }
  /// 0 of a computation.
  [[nodiscard]] auto moved(activity_id a) const -> bytes { return moved_[a.index()]; }
  /// Numbers of the links that a transfer crosses, or of the accelerators of a computation.
  [[nodiscard]] auto places(activity_id a) const -> std::span<std::uint32_t const> {
    return std::span{places_}.subspan(first_place_[a.index()],
                                      first_place_[a.index() + 1] - first_place_[a.index()]);
  }
  /// What it waits for, the computations before it on its accelerators included. May repeat.
  [[nodiscard]] auto after(activity_id a) const -> after_list {
    return std::span{after_}.subspan(first_after_[a.index()],
                                     first_after_[a.index() + 1] - first_after_[a.index()]);
  }
  /// Where `places(a)` begins among the places of all.
  [[nodiscard]] auto first_place(activity_id a) const -> std::uint32_t {
    return first_place_[a.index()];
  }
  [[nodiscard]] auto place_count() const -> std::size_t { return places_.size(); }
  [[nodiscard]] auto waits() const -> std::size_t { return after_.size(); }

  friend auto operator==(basic_activity_graph const&, basic_activity_graph const&)
      -> bool = default;

private:
  static constexpr auto nobody = std::numeric_limits<std::uint32_t>::max();

  void begin(activity_kind kind, picoseconds duration, bytes moved) {
    kind_.push_back(kind);
    duration_.push_back(duration < picoseconds{} ? picoseconds{} : duration);
    moved_.push_back(moved);
  }
  void wait_for(activity_id a) {
    assert(a.index() + 1 < size()); // added before
    // Sets are launched as one: usually all members wait for the same.
    if (after_.size() == first_after_.back() || after_.back() != a) after_.push_back(a);
  }
  auto end() -> activity_id {
    first_place_.push_back(static_cast<std::uint32_t>(places_.size()));
    first_after_.push_back(static_cast<std::uint32_t>(after_.size()));
    return activity_id{size() - 1};
  }

  later<std::vector<activity_kind>, D> kind_;
  later<std::vector<picoseconds>, D> duration_;
  later<std::vector<bytes>, D> moved_;
  later<std::vector<std::uint32_t>, D> first_place_ = std::vector<std::uint32_t>(1),
                                       first_after_ = std::vector<std::uint32_t>(1);
  later<std::vector<std::uint32_t>, D> places_;
  later<std::vector<activity_id>, D> after_;
  later<std::vector<std::uint32_t>, D> last_on_; ///< by accelerator
};
using activity_graph = basic_activity_graph<>;

/// Adds a message on the route of `net`. A network without routes never contends.
template <Interconnect Net, deferred D = when_called>
auto add_transfer(later<activity_graph, D>& plan, Net const& net, accelerator_id from,
                  accelerator_id to, bytes size, picoseconds alone,
                  std::span<activity_id const> after) -> activity_id {
  if constexpr (RoutedInterconnect<Net>) {
    auto const& route = net.route(from, to);
    return plan.transfer(std::span<link_id const>{route}, size, alone, after);
  } else {
    return plan.transfer({}, size, alone, after);
  }
}
/// As `net` prices it.
template <Interconnect Net, deferred D = when_called>
auto add_transfer(later<activity_graph, D>& plan, Net const& net, accelerator_id from,
                  accelerator_id to, bytes size, std::span<activity_id const> after)
    -> activity_id {
  return add_transfer(plan, net, from, to, size, to_picoseconds(net.transfer_time(from, to, size)),
                      after);
}

} // namespace mars
