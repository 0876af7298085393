// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
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
    std::size_t hops = 0;
    for (auto const l : links) {
      full = std::min(full, lines_[l].capacity);
      hops += limits(l);
    }
    if (hops == 0) return {none, full};
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(flows_.size()));
      flows_.emplace_back();
    }
    auto const number = free_.back();
    free_.pop_back();
    auto& f = flows_[number];
    f.rate = 0;
    f.bottleneck = none;
    f.crossings.clear();
    for (auto const l : links) {
      if (!limits(l)) continue;
      auto& line = lines_[l];
      line.entries.push_back({number, static_cast<std::uint32_t>(f.crossings.size())});
      f.crossings.push_back({l, static_cast<std::uint32_t>(line.entries.size() - 1)});
    }
    ask(number);
    return {number, full};
  }
  void remove(std::uint32_t number) {
    auto& f = flows_[number];
    for (auto const& [l, place] : f.crossings) {
      auto& entries = lines_[l].entries;
      entries[place] = entries.back();
      flows_[entries[place].flow].crossings[entries[place].crossing].place = place;
      entries.pop_back();
      lost_.push_back(l);
    }
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
      for (auto const& e : lines_[l].entries)
        if (flows_[e.flow].bottleneck == l) ask(e.flow);
    lost_.clear();
    for (auto before = asked_.size() + 1; !asked_.empty() && before != asked_.size();) {
      before = asked_.size();
      fill();
      check();
    }
    for (auto const number : asked_) {
      auto& f = flows_[number];
      f.asked = false;
      if (std::max(f.rate, f.filled) - std::min(f.rate, f.filled) <= 1e-12 * f.rate) continue;
      f.rate = f.filled;
      changes_.push_back({number, f.rate});
    }
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
    double rest{};           ///< not given away yet
    double level{};          ///< the rate it holds flows up at, if it does
    std::uint32_t waiting{}; ///< asked flows without a rate
    bool crossed{};          ///< by an asked flow
    bool holds_up{};
    std::vector<entry> entries;
  };
  struct flow_state {
    double rate{};
    double filled{}; ///< the rate it is about to get; below 0: not decided
    std::uint32_t bottleneck{none};
    bool asked{};
    std::vector<crossing> crossings;
  };

  void ask(std::uint32_t number) {
    if (flows_[number].asked) return;
    flows_[number].asked = true;
    asked_.push_back(number);
  }

  /// Progressive filling of what the others leave. O(links² + entries) of the links crossed.
  void fill() {
    crossed_.clear();
    for (auto const number : asked_) {
      flows_[number].filled = -1;
      for (auto const& c : flows_[number].crossings) {
        auto& l = lines_[c.link];
        if (!l.crossed) {
          l.crossed = true;
          l.waiting = 0;
          l.holds_up = false;
          crossed_.push_back(c.link);
        }
        ++l.waiting;
      }
    }
    for (auto const number : crossed_) {
      auto& l = lines_[number];
      l.rest = l.capacity;
      if (l.waiting == l.entries.size()) continue;
      for (auto const& e : l.entries)
        if (!flows_[e.flow].asked) l.rest -= flows_[e.flow].rate;
      l.rest = std::max(0.0, l.rest);
    }
    open_ = crossed_;
    for (;;) {
      auto least = unlimited;
      std::uint32_t tightest = none;
      for (std::size_t i = 0; i < open_.size();) {
        auto const& l = lines_[open_[i]];
        if (l.waiting == 0) {
          open_[i] = open_.back();
          open_.pop_back();
          continue;
        }
        if (auto const share = l.rest / l.waiting; share < least) {
          least = share;
          tightest = open_[i];
        }
        ++i;
      }
      if (tightest == none) break;
      hold_up(tightest, least);
    }
  }
  /// Its asked flows get `rate`.
  void hold_up(std::uint32_t tightest, double rate) {
    lines_[tightest].holds_up = true;
    lines_[tightest].level = rate;
    for (auto const& e : lines_[tightest].entries) {
      auto& f = flows_[e.flow];
      if (!f.asked || f.filled >= 0) continue;
      f.filled = rate;
      f.bottleneck = tightest;
      for (auto const& c : f.crossings) {
        auto& l = lines_[c.link];
        l.rest = std::max(0.0, l.rest - rate);
        --l.waiting;
      }
    }
  }
  /// Asks the flows that have no bottleneck any more, or deny one to others.
  void check() {
    for (auto const number : crossed_) {
      auto& l = lines_[number];
      l.crossed = false;
      bool is_full = l.holds_up;
      auto fastest = l.level;
      if (!l.holds_up) {
        is_full = l.rest <= slack * l.capacity;
        fastest = 0;
        for (auto const& e : l.entries)
          if (flows_[e.flow].asked) fastest = std::max(fastest, flows_[e.flow].filled);
      }
      for (auto const& e : l.entries) {
        auto const& f = flows_[e.flow];
        if (f.asked) continue;
        bool const too_fast = l.holds_up && f.rate > l.level * (1 + slack);
        bool const too_slow =
            f.bottleneck == number && (!is_full || f.rate < fastest * (1 - slack));
        if (too_fast || too_slow) joining_.push_back(e.flow);
      }
    }
    for (auto const f : joining_) ask(f);
    joining_.clear();
  }

  later<std::vector<link_state>, D> lines_; ///< by link
  later<std::vector<flow_state>, D> flows_;
  later<std::vector<std::uint32_t>, D> free_, asked_, lost_, crossed_, open_, joining_;
  later<std::vector<change>, D> changes_;
};

} // namespace mars::detail
