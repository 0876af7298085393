// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/detail/priced_kernel.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mars::detail {

/// Concurrent kernels on one device, event by event. Blocks of ready kernels are placed on the least
/// loaded SMs, in order of rank; the first kernel with blocks left blocks those behind it. What one
/// call places of a kernel is a *cohort*: n blocks with a = n·w warps that progress together.
///
///   ceil_j = 1 / cohort_time                                 (what it could do alone)
///   r_j    = min(ceil_j, τ_c·a_j/C_j, τ_m·a_j/M_j)           C, M: ps of the whole device it needs
///   τ_c largest with Σ r_j·C_j ≤ min(1, N/S, A/(S·w_sat)),   N, A: blocks and warps resident
///   τ_m largest with Σ r_j·M_j ≤ 1
///
/// Both are solved in turn, at most four times: τ_m only rises and τ_c only falls, and each full round
/// is feasible. Compute cohorts thus leave DRAM to memory cohorts. SMs in the same state are
/// interchangeable: they are kept as groups, so that a placement costs O(groups · blocks of an SM).
template <deferred D = when_called>
class basic_kernel_engine {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  explicit basic_kernel_engine(device_limits const& limits, bool blocking = true)
      : limits_{limits}, blocking_{blocking} {
    groups_.push_back({limits.sms, {}, {}});
  }

  /// The kernel may place blocks from now on. `rank`: lower ones first. Its fit must not be 0. Tokens are
  /// small numbers, of one kernel at a time.
  void add(priced_kernel const& k, std::uint32_t rank, std::uint32_t token) {
    if (token >= unfinished_.size()) unfinished_.resize(token + std::size_t{1}, 0);
    unfinished_[token] = k.blocks;
    waiting const w{&k, rank, token, k.blocks, false};
    ready_.insert(std::upper_bound(ready_.begin() + static_cast<std::ptrdiff_t>(done_),
                                   ready_.end(), w,
                                   [](auto const& x, auto const& y) { return x.rank < y.rank; }),
                  w);
    stale_ = true;
  }

  /// Places what fits and sets the pace of everything resident. `started(token)` is called with the
  /// first block of a kernel.
  template <class Started>
  void dispatch(time_ticks now, Started&& started) {
    if (!stale_) return;
    stale_ = false;
    auto const place_all = [&](waiting& w) {
      auto const placed = place(w, now);
      if (placed > 0 && !w.started) {
        w.started = true;
        started(w.token);
      }
      w.left -= placed;
      return w.left == 0;
    };
    if (blocking_) {
      while (done_ < ready_.size() && place_all(ready_[done_])) ++done_;
      if (2 * done_ < ready_.size())
        return set_paces(now); // those behind are not touched each time
    } else {
      for (auto& w : ready_) place_all(w);
    }
    ready_.erase(
        std::remove_if(ready_.begin(), ready_.end(), [](waiting const& w) { return w.left == 0; }),
        ready_.end());
    done_ = 0;
    set_paces(now);
  }

  /// Of the earliest cohort's end; `never` if none is resident.
  [[nodiscard]] auto next() const -> time_ticks {
    time_ticks first = never.count();
    for (auto const& c : cohorts_) first = std::min(first, c.end);
    return first;
  }

  /// Goes on to `now`, not beyond `next()`. `ended(token)` is called when a kernel's last block ends.
  template <class Ended>
  void advance(time_ticks now, Ended&& ended) {
    std::size_t kept = 0;
    bool any = false;
    for (std::size_t i = 0; i < cohorts_.size(); ++i) {
      auto const c = cohorts_[i];
      if (c.end > now) {
        cohorts_[kept++] = c;
        continue;
      }
      stale_ = true;
      blocks_ -= c.blocks;
      warps_ -= c.warps;
      release(c);
      any = true;
      // Several cohorts of a kernel may end at once: the last block tells, not the last cohort.
      unfinished_[c.token] -= c.blocks;
      if (unfinished_[c.token] == 0) finished_.push_back(c.token);
    }
    if (!any) return;
    cohorts_.resize(kept);
    merge_groups();
    for (auto const token : finished_) ended(token);
    finished_.clear();
  }

private:
  struct waiting {
    priced_kernel const* kernel;
    std::uint32_t rank;
    std::uint32_t token;
    std::int64_t left;
    bool started;
  };
  struct cohort {
    std::uint32_t id;
    std::uint32_t token;
    std::int64_t blocks, warps;
    priced_kernel const* kernel;
    double compute, memory; ///< C, M
    double fastest;         ///< ps of the whole cohort at its ceiling
    double pace;            ///< ps of the whole cohort as it goes now; 0: not set
    double left;            ///< of the cohort, at `since`
    time_ticks since, end;
  };
  struct usage {
    std::int64_t warps{}, registers{}, shared{}, blocks{};
  };
  /// SMs that hold the same blocks.
  struct group {
    std::int64_t sms;
    usage used;
    vector<std::pair<std::uint32_t, std::int64_t>> holds; ///< cohort, its blocks on each
  };

  [[nodiscard]] auto room(group const& g, priced_kernel const& k) const -> bool {
    return g.used.blocks < limits_.blocks && g.used.warps + k.warps <= limits_.warps &&
           g.used.registers + k.registers <= limits_.registers &&
           g.used.shared + k.shared <= limits_.shared;
  }
  [[nodiscard]] auto load(group const& g) const -> double {
    auto const part = [](std::int64_t used, std::int64_t all) {
      return all > 0 ? static_cast<double>(used) / static_cast<double>(all) : 0.0;
    };
    return std::max({part(g.used.warps, limits_.warps), part(g.used.registers, limits_.registers),
                     part(g.used.shared, limits_.shared), part(g.used.blocks, limits_.blocks)});
  }
  static void take(group& g, priced_kernel const& k, std::uint32_t id) {
    g.used.warps += k.warps;
    g.used.registers += k.registers;
    g.used.shared += k.shared;
    ++g.used.blocks;
    if (!g.holds.empty() && g.holds.back().first == id)
      ++g.holds.back().second;
    else
      g.holds.emplace_back(id, 1);
  }

  /// One block on each SM of the least loaded group that has room, again and again.
  [[nodiscard]] auto place(waiting const& w, time_ticks now) -> std::int64_t {
    auto const& k = *w.kernel;
    auto const id = next_id_;
    auto left = w.left;
    while (left > 0) {
      std::size_t best = groups_.size();
      double lightest = 0;
      for (std::size_t i = 0; i < groups_.size(); ++i) {
        if (!room(groups_[i], k)) continue;
        auto const l = load(groups_[i]);
        if (best == groups_.size() || l < lightest) {
          best = i;
          lightest = l;
        }
      }
      if (best == groups_.size()) break;
      if (left < groups_[best].sms) {
        auto rest = groups_[best];
        rest.sms -= left;
        groups_[best].sms = left;
        groups_.insert(groups_.begin() + static_cast<std::ptrdiff_t>(best) + 1, std::move(rest));
      }
      take(groups_[best], k, id);
      left -= groups_[best].sms;
    }
    auto const placed = w.left - left;
    if (placed == 0) return 0;
    ++next_id_;
    auto const share = static_cast<double>(placed) / static_cast<double>(k.blocks);
    cohorts_.push_back({id, w.token, placed, placed * k.warps, &k, k.compute * share,
                        k.memory * share, cohort_time(limits_, k, placed), 0, 1, now, now});
    blocks_ += placed;
    warps_ += placed * k.warps;
    return placed;
  }

  void release(cohort const& c) {
    for (auto& g : groups_) {
      auto const at = std::find_if(g.holds.begin(), g.holds.end(),
                                   [&](auto const& h) { return h.first == c.id; });
      if (at == g.holds.end()) continue;
      g.used.warps -= at->second * c.kernel->warps;
      g.used.registers -= at->second * c.kernel->registers;
      g.used.shared -= at->second * c.kernel->shared;
      g.used.blocks -= at->second;
      g.holds.erase(at);
    }
  }
  void merge_groups() {
    for (std::size_t i = 0; i < groups_.size(); ++i)
      for (std::size_t j = groups_.size(); --j > i;)
        if (groups_[i].holds == groups_[j].holds) {
          groups_[i].sms += groups_[j].sms;
          groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(j));
        }
  }
  /// Paces (ps of a cohort) at which all together need at most `limit` of a resource, if `base` is
  /// what else holds them back: max–min fair, weighted by warps. 0: it does not hold this one back.
  void share_out(double cohort::*need, double limit, vector<double> const& base,
                 vector<double>& paces) {
    auto const n = cohorts_.size();
    paces.assign(n, 0);
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j)
      if (base[j] > 0) sum += cohorts_[j].*need / base[j];
    if (sum <= limit * (1 + 1e-9)) return;
    // Those that want less than their share are satisfied; the others share what remains.
    settled_.assign(n, 0);
    double remaining = limit, tau = 0;
    for (bool again = true; again;) {
      again = false;
      double weight = 0;
      for (std::size_t j = 0; j < n; ++j)
        if (settled_[j] == 0 && base[j] > 0) weight += static_cast<double>(cohorts_[j].warps);
      if (weight <= 0) return;
      tau = remaining / weight;
      for (std::size_t j = 0; j < n; ++j) {
        if (settled_[j] != 0 || !(base[j] > 0)) continue;
        auto const wants = cohorts_[j].*need / base[j];
        if (wants > tau * static_cast<double>(cohorts_[j].warps)) continue;
        settled_[j] = 1;
        remaining -= wants;
        again = true;
      }
    }
    for (std::size_t j = 0; j < n; ++j)
      if (settled_[j] == 0 && base[j] > 0)
        paces[j] = cohorts_[j].*need / (tau * static_cast<double>(cohorts_[j].warps));
  }

  void set_paces(time_ticks now) {
    auto const n = cohorts_.size();
    double const arithmetic =
        arithmetic_share(limits_, static_cast<double>(blocks_), static_cast<double>(warps_));
    by_compute_.assign(n, 0);
    base_.resize(n);
    for (int round = 0; round < 4; ++round) {
      for (std::size_t j = 0; j < n; ++j) base_[j] = std::max(cohorts_[j].fastest, by_compute_[j]);
      share_out(&cohort::memory, 1.0, base_, by_memory_);
      for (std::size_t j = 0; j < n; ++j) base_[j] = std::max(cohorts_[j].fastest, by_memory_[j]);
      previous_ = by_compute_;
      share_out(&cohort::compute, arithmetic, base_, by_compute_);
      if (previous_ == by_compute_) break;
    }
    for (std::size_t j = 0; j < n; ++j) {
      auto& c = cohorts_[j];
      auto const pace = std::max({c.fastest, by_memory_[j], by_compute_[j]});
      if (c.pace == pace && pace > 0) continue; // goes on as it did: its end stays
      if (c.pace > 0) c.left = std::max(0.0, c.left - static_cast<double>(now - c.since) / c.pace);
      c.since = now;
      c.pace = pace;
      c.end = now + whole_ticks(c.left * pace);
    }
  }

  device_limits limits_;
  bool blocking_;
  bool stale_{false};
  std::uint32_t next_id_{0};
  std::int64_t blocks_{0}, warps_{0};
  vector<waiting> ready_; ///< by rank, behind those that have placed all
  std::size_t done_{0};   ///< of `ready_`
  vector<cohort> cohorts_;
  vector<group> groups_;
  vector<std::int64_t> unfinished_; ///< of each token: blocks that have not ended
  vector<std::uint32_t> finished_;
  vector<double> base_, by_memory_, by_compute_, previous_;
  vector<char> settled_;
};

} // namespace mars::detail
