// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace mars::detail {

/// Max–min fair rates of flows that come and go, in bytes a picosecond. Flows on the same links have
/// the same rate, so they are counted, not listed: a `stream` is all that are on one route.
///
/// An allocation within the capacities is max–min fair exactly if every flow has a bottleneck: a full
/// link on which no flow is faster. So after a change only a few streams are asked anew, the others
/// keeping their rates: those that grew, and those whose bottleneck a leaving flow crossed. They
/// are filled progressively into what the others leave. Then bottlenecks are checked on the links
/// they cross; streams whose own is one no longer, or that are faster than what is held up there, are
/// asked, too, and so on until all have one. At worst that is everybody.
/// Links of infinite bandwidth hold up nobody and are left out.
template <deferred D = when_called>
class fair_rates {
public:
  explicit fair_rates(std::span<link const> links) : lines_(links.size()) {
    for (std::size_t l = 0; l < links.size(); ++l)
      lines_[l].capacity = links[l].bandwidth.count() * 1e-12;
  }

  /// A stream over these links, without flows as yet. They are numbered from 0.
  auto add_stream(std::span<std::uint32_t const> links) -> std::uint32_t {
    auto& s = streams_.emplace_back();
    auto& crossed = crossings_.emplace_back();
    s.full = unlimited;
    for (auto const l : links) {
      if (!limits(l)) continue;
      s.full = std::min(s.full, lines_[l].capacity);
      crossed.push_back({l, 0});
    }
    return static_cast<std::uint32_t>(streams_.size() - 1);
  }
  /// Rate of a flow that is alone; infinite if no link limits it: then it must not join.
  [[nodiscard]] auto full(std::uint32_t stream) const -> double { return streams_[stream].full; }

  /// One flow more.
  void join(std::uint32_t number) {
    auto& s = streams_[number];
    auto& crossed = crossings_[number];
    for (std::size_t i = 0; i < crossed.size(); ++i) {
      auto& l = lines_[crossed[i].link];
      ++l.flows;
      ++l.updates;
      l.given += s.rate;
      if (s.flows > 0) continue;
      l.entries.push_back({number, static_cast<std::uint32_t>(i)});
      crossed[i].place = static_cast<std::uint32_t>(l.entries.size() - 1);
    }
    ++s.flows;
    ask(number);
  }
  /// One flow less.
  void leave(std::uint32_t number) {
    auto& s = streams_[number];
    --s.flows;
    for (auto const& [link, place] : crossings_[number]) {
      auto& l = lines_[link];
      ++l.updates;
      l.given = --l.flows == 0 ? 0 : l.given - s.rate;
      lost_.push_back(link);
      if (s.flows > 0) continue;
      auto& entries = l.entries;
      entries[place] = entries.back();
      crossings_[entries[place].stream][entries[place].crossing].place = place;
      entries.pop_back();
    }
    if (s.flows > 0) return;
    if (s.bottleneck != none) --lines_[s.bottleneck].held;
    if (s.asked) asked_.erase(std::find(asked_.begin(), asked_.end(), number));
    s.rate = 0;
    s.bottleneck = none;
    s.asked = false;
  }

  struct change {
    std::uint32_t stream{};
    double rate{}; ///< of each of its flows
  };
  /// The rates that are other ones since the last call.
  [[nodiscard]] auto settle() -> std::span<change const> {
    changes_.clear();
    for (auto const l : lost_)
      if (lines_[l].held > 0) ask_held(l);
    lost_.clear();
    for (auto before = asked_.size() + 1; !asked_.empty() && before != asked_.size();) {
      before = asked_.size();
      fill();
      check();
    }
    for (auto const number : asked_)
      if (auto const l = streams_[number].bottleneck; l != none) --lines_[l].held;
    for (auto const number : asked_) take(number);
    asked_.clear();
    return changes_;
  }

  [[nodiscard]] auto flows_on(std::size_t link) const -> std::size_t { return lines_[link].flows; }
  [[nodiscard]] auto limits(std::size_t link) const -> bool {
    return lines_[link].capacity < unlimited;
  }

private:
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();
  static constexpr auto unlimited = std::numeric_limits<double>::infinity();
  static constexpr double slack = 1e-9;
  static constexpr std::uint32_t most_updates = 256; ///< of a sum before it is made anew

  struct entry {
    std::uint32_t stream{};
    std::uint32_t crossing{}; ///< which of the stream's
  };
  struct crossing {
    std::uint32_t link{};
    std::uint32_t place{}; ///< among the link's entries
  };
  struct link_state {
    double capacity{};
    std::uint32_t flows{};   ///< on it
    double given{};          ///< sum of their rates
    double level{};          ///< rate of the flows it holds up; no flow on it is faster
    std::uint32_t held{};    ///< streams it holds up
    std::uint32_t updates{}; ///< of `given`, since it was summed up
    std::vector<entry> entries;
    // While streams are asked:
    bool crossed{}; ///< by one of them
    bool holds_up{};
    std::uint32_t place{};    ///< in shares_
    std::uint32_t waiting{};  ///< flows of asked streams without a rate
    std::uint32_t released{}; ///< asked streams of those it holds up
    double rest{};            ///< not given away yet
    double fastest{};         ///< the largest of the new rates; if it holds up, theirs
  };
  struct stream_state {
    double full{};
    double rate{};                  ///< of each of its flows
    double filled{};                ///< the rate it is about to get; below 0: not decided
    std::uint32_t bottleneck{none}; ///< of `rate`
    std::uint32_t next{none};       ///< of `filled`
    std::uint32_t flows{};
    bool asked{};
  };

  void ask(std::uint32_t number) {
    if (streams_[number].asked) return;
    streams_[number].asked = true;
    asked_.push_back(number);
  }
  void ask_held(std::uint32_t link) {
    for (auto const& e : lines_[link].entries)
      if (streams_[e.stream].bottleneck == link) ask(e.stream);
  }

  /// Progressive filling of what the others leave. O(links² + crossings) of the asked streams.
  void fill() {
    crossed_.clear();
    for (auto const number : asked_) {
      auto& s = streams_[number];
      s.filled = -1;
      for (auto const& c : crossings_[number]) {
        auto& l = lines_[c.link];
        if (!l.crossed) {
          l.crossed = true;
          l.holds_up = false;
          l.waiting = l.released = 0;
          l.rest = l.capacity - l.given;
          l.fastest = 0;
          crossed_.push_back(c.link);
        }
        l.waiting += s.flows;
        l.rest += s.rate * s.flows;
      }
      if (s.bottleneck != none) ++lines_[s.bottleneck].released;
    }
    shares_.clear();
    for (auto const number : crossed_) {
      auto& l = lines_[number];
      // Those that are alone get all of it, to the last bit.
      l.rest = l.waiting == l.flows ? l.capacity : std::max(0.0, l.rest);
      l.place = static_cast<std::uint32_t>(shares_.size());
      shares_.push_back(l.rest / l.waiting);
    }
    for (;;) {
      auto const tightest = std::min_element(shares_.begin(), shares_.end());
      if (!(*tightest < unlimited)) break;
      hold_up(crossed_[static_cast<std::size_t>(tightest - shares_.begin())], *tightest);
    }
  }
  /// Its asked streams get `rate`.
  void hold_up(std::uint32_t tightest, double rate) {
    lines_[tightest].holds_up = true;
    for (auto const& e : lines_[tightest].entries) {
      auto& s = streams_[e.stream];
      if (!s.asked || s.filled >= 0) continue;
      s.filled = rate;
      s.next = tightest;
      for (auto const& c : crossings_[e.stream]) {
        auto& l = lines_[c.link];
        l.rest = std::max(0.0, l.rest - rate * s.flows);
        l.fastest = rate; // they rise
        l.waiting -= s.flows;
        shares_[l.place] = l.waiting == 0 ? unlimited : l.rest / l.waiting;
      }
    }
  }
  /// Asks the streams that have no bottleneck any more, or deny one to others.
  void check() {
    for (auto const number : crossed_) {
      auto& l = lines_[number];
      l.crossed = false;
      bool const full = l.holds_up || l.rest <= slack * l.capacity;
      if (l.held > l.released && (!full || l.level < l.fastest * (1 - slack))) ask_held(number);
      // Nobody was faster than the level it had.
      if (l.holds_up && (l.held == 0 || l.fastest < l.level))
        for (auto const& e : l.entries)
          if (streams_[e.stream].rate > l.fastest * (1 + slack)) ask(e.stream);
    }
  }
  /// An asked stream gets its rate. None of them is counted as held any more.
  void take(std::uint32_t number) {
    auto& s = streams_[number];
    s.asked = false;
    s.bottleneck = s.next;
    auto& holder = lines_[s.bottleneck];
    // As long as it holds up others that were not asked, their rate is the level.
    if (holder.held++ == 0) holder.level = s.filled;
    auto const more = s.filled - s.rate;
    if (std::max(more, -more) <= 1e-12 * s.rate) return;
    s.rate = s.filled;
    changes_.push_back({number, s.rate});
    for (auto const& c : crossings_[number]) {
      auto& l = lines_[c.link];
      l.given += more * s.flows;
      if (++l.updates < most_updates) continue;
      l.updates = 0;
      l.given = 0;
      for (auto const& e : l.entries) l.given += streams_[e.stream].rate * streams_[e.stream].flows;
    }
  }

  later<std::vector<link_state>, D> lines_; ///< by link
  later<std::vector<stream_state>, D> streams_;
  later<std::vector<std::vector<crossing>>, D> crossings_; ///< by stream
  later<std::vector<std::uint32_t>, D> asked_, lost_, crossed_;
  later<std::vector<double>, D> shares_; ///< by crossed link, of what is left
  later<std::vector<change>, D> changes_;
};

} // namespace mars::detail
