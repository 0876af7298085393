// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/event_queue.hpp>
#include <mars/evaluation/sharing/traffic.hpp>

#include <concepts>
#include <span>
#include <utility>

namespace mars {

template <class L>
concept BeginsTransfers = requires(L& l, activity_id a, picoseconds now, event_queue& events) {
  { l.begin(a, now, events) } -> std::same_as<void>;
};
template <class L>
concept AdvancesTransfers = requires(L& l, activity_id a, picoseconds now, event_queue& events) {
  { l.advance(a, now, events) } -> std::same_as<bool>;
};
template <class L>
concept SettlesMoments = requires(L& l, picoseconds now, event_queue& events) {
  { l.settle(now, events) } -> std::same_as<void>;
};
template <class L>
concept CountsLinkUse = requires(L const& l) {
  { l.used() } -> std::convertible_to<std::span<link_use const>>;
};

/// The links of one simulation at work. `l` is an L&; `a` a transfer over at least one link.
///   l.begin(a, now, events)    · void · its bytes may leave: the first event of `a` is scheduled
///   l.advance(a, now, events)  · bool · the event of `a` has come: true when its last byte has
///                                       arrived, else its next event is scheduled, at the latest by
///                                       `settle`
///   l.settle(now, events)      · void · all events of this moment have been told: what shares a
///                                       link with them may change, at `now` or later
///   l.used()                   · contiguous range of link_use, by link
template <class L>
concept ServesTransfers =
    BeginsTransfers<L> && AdvancesTransfers<L> && SettlesMoments<L> && CountsLinkUse<L>;

template <class P>
concept OpensLinks = requires(P const& p, traffic const& t) {
  { p(t) } -> ServesTransfers;
};

/// Role: how messages that meet on a link share it. A regular value whose members are its parameters.
///
/// `p(traffic)` · a model of ServesTransfers, which may keep a reference to the traffic.
///
/// Semantics: (1) a transfer that meets nobody takes its `duration`, to the picosecond; (2) no link
/// carries more than its bandwidth; (3) the answer depends on nothing but the traffic and the order
/// of the calls. Models: `sharing::max_min_fair`, `sharing::fifo`.
template <class P>
concept LinkSharing = std::copyable<P> && OpensLinks<P>;

} // namespace mars
