// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/parallel/redistribution.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace mars {

/// From the accelerators of one set to those of another (or the same): prices redistributions.
///
/// Our reading of MARS, made safe for shared links. Directly: every receiver takes its missing bytes
/// one message after another, `t = max_j Σ_i transfer_time(i, j, bytes_ij)`, which on equal links is
/// the paper-like `max_j 8·missing_j / b_j`; and, where the interconnect has routes, no link carries
/// more than its bandwidth allows. Gathered: receivers that need the same box and are closer to each
/// other than to its owners fetch equal parts of it and all-gather them. The cheaper one is taken.
template <Interconnect Net, class Collective>
class channel {
public:
  channel(Net const& net, Collective const& collective, std::span<accelerator_id const> from,
          std::span<accelerator_id const> to)
      : net_{&net},
        collective_{&collective},
        from_{from.begin(), from.end()},
        to_{to.begin(), to.end()},
        near_{from.size(), to.size(), {}},
        last_(from.size() * to.size(), {bytes{-1}, 0.0}) {
    for (auto a : from_)
      for (auto b : to_) near_.values.push_back(nearness(a, b));
    for (auto a : to_)
      for (auto b : to_) between_receivers_.push_back(nearness(a, b));
    for (std::size_t i = 0; i < from_.size(); ++i)
      for (std::size_t j = 0; j < to_.size(); ++j)
        for (std::size_t k = 0; k < to_.size(); ++k)
          may_gather_ = may_gather_ || (k != j && are_closer(j, k, near_(i, j)));
    if constexpr (RoutedInterconnect<Net>) list_routes();
  }

  [[nodiscard]] auto near() const -> proximity const& { return near_; }
  [[nodiscard]] auto from() const -> std::span<accelerator_id const> { return from_; }
  [[nodiscard]] auto to() const -> std::span<accelerator_id const> { return to_; }

  struct price {
    picoseconds time{};
    std::int64_t missing_elements{}; ///< the largest over the receivers
  };

  /// Not const: it reuses buffers, so that building a problem does not allocate per question.
  [[nodiscard]] auto operator()(layout const& owned, layout const& needed, int element_bits)
      -> price {
    transfers_.clear();
    if (owned != owned_) { // questions come by what is owned
      owned_ = owned;
      cells_ = owned_cells{owned};
    }
    redistribution(cells_, needed, near_, transfers_);
    if (transfers_.empty()) return {};
    auto time = time_of(needed, element_bits, false, infinite_seconds);
    if (may_gather_) time = std::min(time, time_of(needed, element_bits, true, time));
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < transfers_.size();) { // by receiver, as they were made
      std::int64_t missing = 0;
      for (auto const j = transfers_[i].to; i < transfers_.size() && transfers_[i].to == j; ++i)
        missing += transfers_[i].elements;
      largest = std::max(largest, missing);
    }
    return {to_picoseconds(time), largest};
  }

private:
  [[nodiscard]] auto nearness(accelerator_id a, accelerator_id b) const -> double {
    constexpr std::int64_t probe = 1 << 20;
    if (a == b) return proximity::itself;
    // An ideal link takes no time, and yet leads to another device.
    return std::min(static_cast<double>(probe) / net_->transfer_time(a, b, bytes{probe}).count(),
                    std::numeric_limits<double>::max());
  }

  /// Numbers the links that any of the routes crosses, and lists them by pair of owner and receiver.
  void list_routes() {
    auto const& all = net_->links();
    std::span<link const> const links{all};
    std::vector<std::size_t> number(links.size(), links.size());
    first_hop_.push_back(0);
    for (auto a : from_)
      for (auto b : to_) {
        auto const& ids = net_->route(a, b);
        for (auto const l : std::span<link_id const>{ids}) {
          if (number[l.index()] == links.size()) {
            number[l.index()] = load_.size();
            load_.push_back(0.0);
          }
          hops_.push_back({number[l.index()], links[l.index()].bandwidth});
        }
        first_hop_.push_back(hops_.size());
      }
  }

  /// Most transfers of a pair have the size of the one before.
  [[nodiscard]] auto transfer_seconds(std::size_t from, std::size_t to, bytes size) -> double {
    auto& [known_size, time] = last_[from * to_.size() + to];
    if (known_size != size) {
      known_size = size;
      time = net_->transfer_time(from_[from], to_[to], size).count();
    }
    return time;
  }

  /// Are receivers j and k nearer to each other than `how_near`?
  [[nodiscard]] auto are_closer(std::size_t j, std::size_t k, double how_near) const -> bool {
    return between_receivers_[k * to_.size() + j] > how_near &&
           between_receivers_[j * to_.size() + k] > how_near;
  }
  /// Receivers that need what `j` needs and are nearer to it than `how_near`.
  void find_mates(layout const& needed, std::size_t j, double how_near) {
    mates_.clear();
    for (std::size_t k = 0; k < to_.size(); ++k)
      if (k == j || (are_closer(j, k, how_near) && needed[k] == needed[j]))
        mates_.push_back(to_[k]);
  }

  /// Given up, and infinite, as soon as it cannot be below `limit`: collectives are dear to ask.
  [[nodiscard]] auto time_of(layout const& needed, int element_bits, bool gather, seconds limit)
      -> seconds {
    double slowest = 0;
    std::fill(load_.begin(), load_.end(), 0.0);
    for (std::size_t i = 0; i < transfers_.size();) {
      auto const j = transfers_[i].to;
      double received = 0;
      std::int64_t gathered_elements = 0;
      std::vector<accelerator_id>* group = nullptr;
      for (; i < transfers_.size() && transfers_[i].to == j; ++i) {
        auto const& t = transfers_[i];
        auto elements = t.elements;
        if (gather) {
          find_mates(needed, j, near_(t.from, j));
          if (mates_.size() > 1) {
            gathered_elements += elements;
            elements = ceil_div(elements, static_cast<std::int64_t>(mates_.size()));
            if (group == nullptr || mates_.size() > group->size()) {
              group_ = mates_;
              group = &group_;
            }
          }
        }
        auto const size = storage(elements, element_bits);
        received += transfer_seconds(t.from, j, size);
        if constexpr (RoutedInterconnect<Net>)
          for (auto h = first_hop_[t.from * to_.size() + j];
               h < first_hop_[t.from * to_.size() + j + 1]; ++h)
            load_[hops_[h].link] += (size / hops_[h].bandwidth).count();
      }
      if (gather && !(std::max(slowest, received) < limit.count())) return infinite_seconds;
      if (group != nullptr)
        received +=
            collective_
                ->time(*net_, collective_kind::all_gather, std::span<accelerator_id const>{*group},
                       storage(gathered_elements, element_bits))
                .count();
      slowest = std::max(slowest, received);
    }
    for (double const l : load_) slowest = std::max(slowest, l);
    return seconds{slowest};
  }

  Net const* net_;
  Collective const* collective_;
  std::vector<accelerator_id> from_, to_, mates_, group_;
  proximity near_;
  std::vector<std::pair<bytes, double>> last_; ///< by pair: a size, and its seconds
  std::vector<double> between_receivers_;
  bool may_gather_{}; ///< are any two receivers closer to each other than to an owner?
  struct hop {
    std::size_t link{}; ///< numbered from 0 here
    bytes_per_second bandwidth;
  };
  std::vector<std::size_t> first_hop_; ///< by pair of owner and receiver, into hops_
  std::vector<hop> hops_;
  std::vector<double> load_; ///< by link, seconds
  std::vector<transfer> transfers_;
  layout owned_; ///< of the last question
  owned_cells cells_;
};

} // namespace mars
