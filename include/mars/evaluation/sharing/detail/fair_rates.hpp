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

/// Max–min fair rates of flows that come and go, in bytes a picosecond.
///
/// An allocation within the capacities is max–min fair exactly if every flow has a bottleneck: a full
/// link on which no flow is faster. So after a change only a few flows are asked anew, the others
/// keeping their rates: those that came, and those whose bottleneck a leaving flow crossed. They
/// are filled progressively into what the others leave. Then bottlenecks are checked on the links
/// they cross; flows whose own is one no longer, or that are faster than what is held up there, are
/// asked, too, and so on until all have one. At worst that is everybody.
/// Links of infinite bandwidth hold up nobody and are left out.
template <deferred D = when_called>
class fair_rates {
public:
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();

  explicit fair_rates(std::span<link const> links) : lines_(links.size()) {
    for (std::size_t l = 0; l < links.size(); ++l)
      lines_[l].capacity = links[l].bandwidth.count() * 1e-12;
  }

  struct added {
    std::uint32_t flow{}; ///< its number, those of leaving flows used again; `none`: no limits
    double full{};        ///< its rate when it is alone
  };
  auto add(std::span<std::uint32_t const> links) -> added {
    auto full = unlimited;
    for (auto const l : links) full = std::min(full, lines_[l].capacity);
    if (!(full < unlimited)) return {none, full};
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(flows_.size()));
      flows_.emplace_back();
      crossings_.emplace_back();
    }
    auto const number = free_.back();
    free_.pop_back();
    flows_[number] = {};
    auto& crossed = crossings_[number];
    crossed.clear();
    for (auto const l : links) {
      if (!limits(l)) continue;
      auto& entries = lines_[l].entries;
      entries.push_back({number, static_cast<std::uint32_t>(crossed.size())});
      crossed.push_back({l, static_cast<std::uint32_t>(entries.size() - 1)});
    }
    ask(number);
    return {number, full};
  }
  void remove(std::uint32_t number) {
    auto& f = flows_[number];
    for (auto const& [l, place] : crossings_[number]) {
      auto& entries = lines_[l].entries;
      entries[place] = entries.back();
      crossings_[entries[place].flow][entries[place].crossing].place = place;
      entries.pop_back();
      lines_[l].given = entries.empty() ? 0 : lines_[l].given - f.rate;
      lost_.push_back(l);
    }
    if (f.bottleneck != none) --lines_[f.bottleneck].held;
    if (f.asked) asked_.erase(std::find(asked_.begin(), asked_.end(), number));
    f.asked = false;
    free_.push_back(number);
  }

  struct change {
    std::uint32_t flow{};
    double rate{};
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
      if (auto const l = flows_[number].bottleneck; l != none) --lines_[l].held;
    for (auto const number : asked_) take(number);
    asked_.clear();
    return changes_;
  }

  [[nodiscard]] auto flows_on(std::size_t link) const -> std::size_t {
    return lines_[link].entries.size();
  }
  [[nodiscard]] auto limits(std::size_t link) const -> bool {
    return lines_[link].capacity < unlimited;
  }

private:
  static constexpr auto unlimited = std::numeric_limits<double>::infinity();
  static constexpr double slack = 1e-9;
  static constexpr std::uint32_t most_updates = 256; ///< of a sum before it is made anew

  struct entry {
    std::uint32_t flow{};
    std::uint32_t crossing{}; ///< which of the flow's
  };
  struct crossing {
    std::uint32_t link{};
    std::uint32_t place{}; ///< among the link's entries
  };
  struct link_state {
    double capacity{};
    double given{};          ///< sum of the rates on it
    double level{};          ///< rate of the flows it holds up; no flow on it is faster
    std::uint32_t held{};    ///< flows it holds up
    std::uint32_t updates{}; ///< of `given`, since it was summed up
    std::vector<entry> entries;
    // While flows are asked:
    bool crossed{}; ///< by one of them
    bool holds_up{};
    std::uint32_t place{};    ///< in shares_
    std::uint32_t waiting{};  ///< asked flows without a rate
    std::uint32_t released{}; ///< asked flows of those it holds up
    double rest{};            ///< not given away yet
    double fastest{};         ///< the largest of the new rates; if it holds up, theirs
  };
  struct flow_state {
    double rate{};
    double filled{};                ///< the rate it is about to get; below 0: not decided
    std::uint32_t bottleneck{none}; ///< of `rate`
    std::uint32_t next{none};       ///< of `filled`
    bool asked{};
  };

  void ask(std::uint32_t number) {
    if (flows_[number].asked) return;
    flows_[number].asked = true;
    asked_.push_back(number);
  }
  void ask_held(std::uint32_t link) {
    for (auto const& e : lines_[link].entries)
      if (flows_[e.flow].bottleneck == link) ask(e.flow);
  }

  /// Progressive filling of what the others leave. O(links² + crossings) of the asked flows.
  void fill() {
    crossed_.clear();
    for (auto const number : asked_) {
      auto& f = flows_[number];
      f.filled = -1;
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
        ++l.waiting;
        l.rest += f.rate;
      }
      if (f.bottleneck != none) ++lines_[f.bottleneck].released;
    }
    shares_.clear();
    for (auto const number : crossed_) {
      auto& l = lines_[number];
      // A flow that is alone gets all of it, to the last bit.
      l.rest = l.waiting == l.entries.size() ? l.capacity : std::max(0.0, l.rest);
      l.place = static_cast<std::uint32_t>(shares_.size());
      shares_.push_back(l.rest / l.waiting);
    }
    for (;;) {
      auto const tightest = std::min_element(shares_.begin(), shares_.end());
      if (!(*tightest < unlimited)) break;
      hold_up(crossed_[static_cast<std::size_t>(tightest - shares_.begin())], *tightest);
    }
  }
  /// Its asked flows get `rate`.
  void hold_up(std::uint32_t tightest, double rate) {
    lines_[tightest].holds_up = true;
    for (auto const& e : lines_[tightest].entries) {
      auto& f = flows_[e.flow];
      if (!f.asked || f.filled >= 0) continue;
      f.filled = rate;
      f.next = tightest;
      for (auto const& c : crossings_[e.flow]) {
        auto& l = lines_[c.link];
        l.rest = std::max(0.0, l.rest - rate);
        l.fastest = rate; // they rise
        shares_[l.place] = --l.waiting == 0 ? unlimited : l.rest / l.waiting;
      }
    }
  }
  /// Asks the flows that have no bottleneck any more, or deny one to others.
  void check() {
    for (auto const number : crossed_) {
      auto& l = lines_[number];
      l.crossed = false;
      bool const full = l.holds_up || l.rest <= slack * l.capacity;
      if (l.held > l.released && (!full || l.level < l.fastest * (1 - slack))) ask_held(number);
      // Nobody was faster than the level it had.
      if (l.holds_up && (l.held == 0 || l.fastest < l.level))
        for (auto const& e : l.entries)
          if (flows_[e.flow].rate > l.fastest * (1 + slack)) ask(e.flow);
    }
  }
  /// An asked flow gets its rate. None of them is counted as held any more.
  void take(std::uint32_t number) {
    auto& f = flows_[number];
    f.asked = false;
    f.bottleneck = f.next;
    auto& holder = lines_[f.bottleneck];
    // As long as it holds up others that were not asked, their rate is the level.
    if (holder.held++ == 0) holder.level = f.filled;
    auto const more = f.filled - f.rate;
    if (std::max(more, -more) <= 1e-12 * f.rate) return;
    f.rate = f.filled;
    changes_.push_back({number, f.rate});
    for (auto const& c : crossings_[number]) {
      auto& l = lines_[c.link];
      l.given += more;
      if (++l.updates < most_updates) continue;
      l.updates = 0;
      l.given = 0;
      for (auto const& e : l.entries) l.given += flows_[e.flow].rate;
    }
  }

  later<std::vector<link_state>, D> lines_; ///< by link
  later<std::vector<flow_state>, D> flows_;
  later<std::vector<std::vector<crossing>>, D> crossings_; ///< by flow
  later<std::vector<std::uint32_t>, D> free_, asked_, lost_, crossed_;
  later<std::vector<double>, D> shares_; ///< by crossed link, of what is left
  later<std::vector<change>, D> changes_;
};

} // namespace mars::detail
