// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/parallel/redistribution.hpp>

#include <algorithm>
#include <cmath>
#include <span>
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
      : net_{&net}, collective_{&collective}, from_{from.begin(), from.end()},
        to_{to.begin(), to.end()}, near_{from.size(), to.size(), {}} {
    for (auto a : from_)
      for (auto b : to_) near_.values.push_back(nearness(a, b));
    for (auto a : to_)
      for (auto b : to_) between_receivers_.push_back(nearness(a, b));
    if constexpr (RoutedInterconnect<Net>) {
      for (auto a : from_)
        for (auto b : to_) {
          auto const route = net.route(a, b);
          routes_.emplace_back(std::begin(route), std::end(route));
        }
      for (auto const& l : net.links()) bandwidth_.push_back(l.bandwidth);
      load_.resize(bandwidth_.size());
    }
  }

  [[nodiscard]] auto near() const -> proximity const& { return near_; }
  [[nodiscard]] auto from() const -> std::span<accelerator_id const> { return from_; }
  [[nodiscard]] auto to() const -> std::span<accelerator_id const> { return to_; }

  struct price {
    picoseconds time{};
    std::int64_t missing_elements{};  ///< the largest over the receivers
  };

  /// Not const: it reuses buffers, so that building a problem does not allocate per question.
  [[nodiscard]] auto operator()(layout const& owned, layout const& needed, int element_bits)
      -> price {
    transfers_.clear();
    redistribution(owned, needed, near_, transfers_);
    if (transfers_.empty()) return {};
    auto const direct = time_of(needed, element_bits, false);
    auto const gathered = time_of(needed, element_bits, true);
    return {to_picoseconds(std::min(direct, gathered)),
            largest_missing(transfers_, to_.size())};
  }

 private:
  [[nodiscard]] auto nearness(accelerator_id a, accelerator_id b) const -> double {
    constexpr std::int64_t probe = 1 << 20;
    if (a == b) return proximity::itself;
    return static_cast<double>(probe) / net_->transfer_time(a, b, bytes{probe}).count();
  }

  /// Receivers that need what `j` needs and are nearer to it than `how_near`.
  void find_mates(layout const& needed, std::size_t j, double how_near) {
    mates_.clear();
    for (std::size_t k = 0; k < to_.size(); ++k)
      if (k == j || (needed[k] == needed[j] && between_receivers_[k * to_.size() + j] > how_near &&
                     between_receivers_[j * to_.size() + k] > how_near))
        mates_.push_back(to_[k]);
  }

  [[nodiscard]] auto time_of(layout const& needed, int element_bits, bool gather) -> seconds {
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
        received += net_->transfer_time(from_[t.from], to_[j], size).count();
        if constexpr (RoutedInterconnect<Net>)
          for (auto const l : routes_[t.from * to_.size() + j])
            load_[l.index()] += (size / bandwidth_[l.index()]).count();
      }
      if (group != nullptr)
        received += collective_->time(*net_, collective_kind::all_gather,
                                      std::span<accelerator_id const>{*group},
                                      storage(gathered_elements, element_bits)).count();
      slowest = std::max(slowest, received);
    }
    for (double const l : load_) slowest = std::max(slowest, l);
    return seconds{slowest};
  }

  Net const* net_;
  Collective const* collective_;
  std::vector<accelerator_id> from_, to_, mates_, group_;
  proximity near_;
  std::vector<double> between_receivers_;
  std::vector<std::vector<link_id>> routes_;
  std::vector<bytes_per_second> bandwidth_;  ///< by link
  std::vector<double> load_;                 ///< by link, seconds
  std::vector<transfer> transfers_;
};

}  // namespace mars
