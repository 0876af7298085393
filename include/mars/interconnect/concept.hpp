// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>
#include <mars/core/units.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mars {

/// What a link may end at. Switches carry traffic between accelerators without software; the host
/// is memory that data is staged in, and is what "the system without the host" takes away.
enum class node_kind : std::uint8_t { accelerator, network_switch, host };

/// The n-th node of its kind; an accelerator's number is its accelerator_id.
struct endpoint {
  node_kind kind{};
  std::uint32_t index{};

  friend constexpr auto operator<=>(endpoint const&, endpoint const&) = default;
};

/// One direction of a connection. A message of S bytes alone on it takes latency + S / bandwidth.
struct link {
  std::string name{};
  endpoint from{};
  endpoint to{};
  bytes_per_second bandwidth{};
  seconds latency{};

  friend auto operator==(link const&, link const&) -> bool = default;
};

/// How a message crosses several links. Store and forward: each node receives all of it before
/// passing it on, Σ (latency + S/bandwidth). Cut-through: it streams, Σ latency + S/min bandwidth.
enum class forwarding_mode : std::uint8_t { store_and_forward, cut_through };

template <class N>
concept CountsAccelerators = requires(N const& n) {
  { n.size() } -> std::convertible_to<std::size_t>;
};
template <class N>
concept PricesTransfers = requires(N const& n, accelerator_id from, accelerator_id to, bytes size) {
  { n.transfer_time(from, to, size) } -> std::same_as<seconds>;
};
template <class N>
concept ListsLinks = requires(N const& n) {
  { n.links() } -> std::convertible_to<std::span<link const>>;
};
template <class N>
concept RoutesTransfers = requires(N const& n, accelerator_id from, accelerator_id to) {
  { n.route(from, to) } -> std::convertible_to<std::span<link_id const>>;
};

/// Role: what moving bytes between two accelerators costs while nothing else moves.
///
/// Refines std::copyable. `n` is an N const&; `a`, `b` are below n.size(); `s` is bytes ≥ 0.
///   n.size()                  · std::size_t · number of accelerators                    · O(1)
///   n.transfer_time(a, b, s)  · seconds     · from the first byte sent to the last received
///
/// Semantics: (1) transfer_time(a, a, s) is 0; (2) it never falls when s grows, and is never
/// negative or NaN; (3) it is pure: the same arguments, the same time, from any thread; (4) zero
/// bytes still cost their latency.
/// Models: every type in mars::interconnect. Example: interconnect/fully_connected.hpp.
template <class N>
concept Interconnect = std::copyable<N> && CountsAccelerators<N> && PricesTransfers<N>;

/// Role: an interconnect that says which links the bytes cross, so that contention can be priced.
///
/// Refines Interconnect.
///   n.links()      · contiguous range of link    · all of them; link_id i is the i-th   · O(links)
///   n.route(a, b)  · contiguous range of link_id · crossed in this order; none if a == b · O(hops)
///
/// Semantics: (1) a route is connected and leads from accelerator a to accelerator b; (2) it
/// crosses no link twice; (3) transfer_time(a, b, s) is what `forwarding_of(n)` makes of its links,
/// up to rounding; (4) routes do not depend on the load.
template <class N>
concept RoutedInterconnect = Interconnect<N> && ListsLinks<N> && RoutesTransfers<N>;

/// How messages cross the routes of `n`: its member `forwarding` (data or function), else store and
/// forward.
template <RoutedInterconnect N>
[[nodiscard]] constexpr auto forwarding_of(N const& n) -> forwarding_mode {
  if constexpr (requires {
                  { n.forwarding() } -> std::convertible_to<forwarding_mode>;
                })
    return n.forwarding();
  else if constexpr (requires {
                       { n.forwarding } -> std::convertible_to<forwarding_mode>;
                     })
    return n.forwarding;
  else
    return forwarding_mode::store_and_forward;
}

template <class N>
concept StagesTransfers = requires(N const& n, accelerator_id a, bytes size) {
  { n.host_time(a, size) } -> std::same_as<seconds>;
};

/// Role: an interconnect without a way around host memory, whose accelerators do not compute while
/// they move data (H2H). Loading inputs, streaming weights and storing results are then part of an
/// operator's duration (scheduled semantics).
///
/// Refines Interconnect.
///   n.host_time(a, s) · seconds · s bytes between accelerator a and the host, either way · O(1)
///   n.joins_follow_first() · bool, optional · see `joins_follow_first` below
///   n.is_staged()     · bool, optional: it stages after all (wrappers know at run time only)
///
/// Semantics: the host link of one accelerator does not slow down another's.
template <class N>
concept StagedInterconnect = Interconnect<N> && StagesTransfers<N>;

/// Does everything go through host memory, inside the operators' durations?
template <Interconnect N>
[[nodiscard]] constexpr auto is_staged(N const& n) -> bool {
  if constexpr (!StagedInterconnect<N>)
    return (void)n, false;
  else if constexpr (requires {
                       { n.is_staged() } -> std::convertible_to<bool>;
                     })
    return n.is_staged();
  else
    return true;
}

/// H2H's rule for a join: an operator whose first input is still on its accelerators is not charged
/// for the other inputs either. Without it every input that comes from elsewhere is loaded.
template <StagedInterconnect N>
[[nodiscard]] constexpr auto joins_follow_first(N const& n) -> bool {
  if constexpr (requires {
                  { n.joins_follow_first() } -> std::convertible_to<bool>;
                })
    return n.joins_follow_first();
  else
    return (void)n, false;
}

} // namespace mars
