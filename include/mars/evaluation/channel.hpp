// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/core/deferred.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/parallel/redistribution.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace mars {

/// The links that the routes between two sets cross, numbered from 0 in order of first use.
struct crossed_links {
  std::vector<std::uint32_t> hops;
  std::vector<std::size_t> first;          ///< by receiver, then sender; and one past the end
  std::vector<bytes_per_second> bandwidth; ///< by link
};

/// One message of a redistribution: from a rank of the owning set to a rank of the receiving one.
struct message {
  std::uint32_t from{};
  std::uint32_t to{};
  bytes size{};

  friend constexpr auto operator==(message const&, message const&) -> bool = default;
};
/// What a receiver, rank `to`, does after its messages: an all-gather of `size` bytes with others.
struct gathering {
  std::uint32_t to{};
  std::vector<accelerator_id> group;
  bytes size{};
};
/// A redistribution as it is carried out. Messages to one receiver go one after another, in order.
struct redistribution_messages {
  std::vector<message> sent;         ///< by receiver
  std::vector<gathering> gatherings; ///< by receiver, at most one each
};

template <RoutedInterconnect Net>
[[nodiscard]] auto links_between(Net const& net, std::span<accelerator_id const> from,
                                 std::span<accelerator_id const> to) -> crossed_links {
  constexpr auto nameless = std::numeric_limits<std::uint32_t>::max();
  auto const& all = net.links();
  std::span<link const> const links{all};
  std::vector<std::uint32_t> number(links.size(), nameless);
  crossed_links crossed;
  crossed.first.reserve(from.size() * to.size() + 1);
  crossed.first.push_back(0);
  for (auto const b : to)
    for (auto const a : from) {
      auto const& ids = net.route(a, b);
      for (auto const l : std::span<link_id const>{ids}) {
        auto& n = number[l.index()];
        if (n == nameless) {
          n = static_cast<std::uint32_t>(crossed.bandwidth.size());
          crossed.bandwidth.push_back(links[l.index()].bandwidth);
        }
        crossed.hops.push_back(n);
      }
      crossed.first.push_back(crossed.hops.size());
    }
  return crossed;
}

/// From the accelerators of one set to those of another (or the same): prices redistributions.
///
/// Our reading of MARS, made safe for shared links. Directly: every receiver takes its missing bytes
/// one message after another, `t = max_j Σ_i transfer_time(i, j, bytes_ij)`, which on equal links is
/// the paper-like `max_j 8·missing_j / b_j`; and, where the interconnect has routes, no link carries
/// more than its bandwidth allows. Gathered: receivers that need the same box and are closer to each
/// other than to its owners fetch equal parts of it and all-gather them. The cheaper one is taken.
template <Interconnect Net, class Collective, deferred D = when_called>
class channel {
public:
  channel(Net const& net, Collective const& collective, std::span<accelerator_id const> from,
          std::span<accelerator_id const> to)
      : net_{&net},
        collective_{&collective},
        from_{from.begin(), from.end()},
        to_{to.begin(), to.end()},
        near_{from.size(), to.size(), {}} {
    for (auto a : from_)
      for (auto b : to_) near_.values.push_back(nearness(a, b));
    for (auto a : to_)
      for (auto b : to_) between_receivers_.push_back(nearness(a, b));
    may_gather_ = any_two_are_close();
    if constexpr (RoutedInterconnect<Net>) {
      crossed_ = links_between(net, from, to);
      auto const& b = crossed_.bandwidth;
      load_.resize(b.size());
      links_are_equal_ = std::adjacent_find(b.begin(), b.end(), std::not_equal_to<>{}) == b.end();
    }
  }

  [[nodiscard]] auto near() const -> proximity const& { return near_; }
  [[nodiscard]] auto from() const -> std::span<accelerator_id const> { return from_; }
  [[nodiscard]] auto to() const -> std::span<accelerator_id const> { return to_; }

  struct price {
    picoseconds time{};
    std::int64_t missing_elements{}; ///< the largest over the receivers
  };

  /// Not const: it reuses buffers, so that building a problem does not allocate per question.
  [[nodiscard]] auto operator()(later<movement, D> const& moved, int element_bits) -> price {
    choose_senders(moved);
    std::int64_t missing = 0;
    auto time = directly(moved, element_bits, missing, unrecorded{});
    if (missing == 0) return {};
    if (may_gather(moved)) time = std::min(time, gathered(moved, element_bits, time, unrecorded{}));
    return {to_picoseconds(time), missing};
  }
  [[nodiscard]] auto operator()(later<layout, D> const& owned, later<layout, D> const& needed,
                                int element_bits) -> price {
    return (*this)(movement{owned, needed}, element_bits);
  }

  /// The messages that the price is the price of.
  [[nodiscard]] auto messages(later<movement, D> const& moved, int element_bits)
      -> later<redistribution_messages, D> {
    choose_senders(moved);
    std::int64_t missing = 0;
    later<redistribution_messages, D> direct, parts;
    auto const time = directly(moved, element_bits, missing, recorder{&direct});
    if (missing == 0 || !may_gather(moved)) return direct;
    return gathered(moved, element_bits, time, recorder{&parts}) < time ? parts : direct;
  }

private:
  /// What is told of every message and gathering that is priced: nobody, or a list of them.
  struct unrecorded {
    void send(std::size_t, std::size_t, bytes) const {}
    void gather(std::size_t, std::span<accelerator_id const>, bytes) const {}
  };
  struct recorder {
    later<redistribution_messages, D>* all;

    void send(std::size_t from, std::size_t to, bytes size) const {
      all->sent.push_back({static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to), size});
    }
    void gather(std::size_t to, std::span<accelerator_id const> group, bytes size) const {
      all->gatherings.push_back(
          {static_cast<std::uint32_t>(to), {group.begin(), group.end()}, size});
    }
  };

  void choose_senders(later<movement, D> const& moved) {
    auto const grouping = moved.owned().by_rank();
    if (std::equal(grouping.begin(), grouping.end(), grouping_.begin(), grouping_.end())) return;
    grouping_.assign(grouping.begin(), grouping.end());
    sender_ = senders{moved.owned(), near_};
  }
  [[nodiscard]] auto may_gather(later<movement, D> const& moved) const -> bool {
    return may_gather_ && moved.needed().boxes().size() < to_.size();
  }
  [[nodiscard]] auto nearness(accelerator_id a, accelerator_id b) const -> double {
    constexpr std::int64_t probe = 1 << 20;
    if (a == b) return proximity::itself;
    // An ideal link takes no time, and yet leads to another device.
    return std::min(static_cast<double>(probe) / net_->transfer_time(a, b, bytes{probe}).count(),
                    std::numeric_limits<double>::max());
  }

  /// How near receivers j and k are to each other, the worse way.
  [[nodiscard]] auto between(std::size_t j, std::size_t k) const -> double {
    return std::min(between_receivers_[k * to_.size() + j], between_receivers_[j * to_.size() + k]);
  }
  /// Is any receiver closer to another than to an owner?
  [[nodiscard]] auto any_two_are_close() const -> bool {
    for (std::size_t j = 0; j < to_.size(); ++j) {
      auto farthest = proximity::itself;
      for (std::size_t i = 0; i < from_.size(); ++i) farthest = std::min(farthest, near_(i, j));
      for (std::size_t k = 0; k < to_.size(); ++k)
        if (k != j && between(j, k) > farthest) return true;
    }
    return false;
  }

  /// Seconds of one message; the links it crosses are busy.
  [[nodiscard]] auto send(std::size_t from, std::size_t to, bytes size) -> double {
    if constexpr (RoutedInterconnect<Net>) {
      auto const pair = to * from_.size() + from;
      auto const route = std::span{crossed_.hops}.subspan(
          crossed_.first[pair], crossed_.first[pair + 1] - crossed_.first[pair]);
      if (links_are_equal_ && !route.empty()) {
        auto const busy = (size / crossed_.bandwidth.front()).count();
        for (auto const l : route) load_[l] += busy;
      } else {
        for (auto const l : route) load_[l] += (size / crossed_.bandwidth[l]).count();
      }
    }
    return net_->transfer_time(from_[from], to_[to], size).count();
  }
  [[nodiscard]] auto busiest_link() const -> double {
    double most = 0;
    for (double const l : load_) most = std::max(most, l);
    return most;
  }

  template <class Record>
  [[nodiscard]] auto directly(later<movement, D> const& moved, int element_bits,
                              std::int64_t& most_missing, Record const& record) -> seconds {
    double slowest = 0;
    std::fill(load_.begin(), load_.end(), 0.0);
    for (std::size_t j = 0; j < to_.size(); ++j) {
      double received = 0;
      std::int64_t missing = 0;
      for (auto const& part : moved.parts(j)) {
        auto const i = sender_(j, part.owned);
        if (i == senders::itself) continue;
        missing += part.elements;
        auto const size = storage(part.elements, element_bits);
        record.send(i, j, size);
        received += send(i, j, size);
      }
      most_missing = std::max(most_missing, missing);
      slowest = std::max(slowest, received);
    }
    return seconds{std::max(slowest, busiest_link())};
  }

  /// Given up, and infinite, as soon as it cannot be below `limit`: collectives are dear to ask.
  template <class Record>
  [[nodiscard]] auto gathered(later<movement, D> const& moved, int element_bits, seconds limit,
                              Record const& record) -> seconds {
    double slowest = 0;
    std::fill(load_.begin(), load_.end(), 0.0);
    for (std::size_t j = 0; j < to_.size(); ++j) {
      double received = 0;
      std::int64_t gathered_elements = 0;
      std::size_t largest = 1;
      double how_near_of_largest = 0;
      mates_.clear();
      for (auto const& part : moved.parts(j)) {
        auto const i = sender_(j, part.owned);
        if (i == senders::itself) continue;
        auto elements = part.elements;
        if (auto const mates = count_mates(moved, j, near_(i, j)); mates > 1) {
          gathered_elements += elements;
          elements = ceil_div(elements, static_cast<std::int64_t>(mates));
          if (mates > largest) {
            largest = mates;
            how_near_of_largest = near_(i, j);
          }
        }
        auto const size = storage(elements, element_bits);
        record.send(i, j, size);
        received += send(i, j, size);
      }
      if (!(std::max(slowest, received) < limit.count())) return infinite_seconds;
      if (largest > 1) {
        group_.clear();
        for (auto const k : moved.needed().ranks(moved.needed().by_rank()[j]))
          if (k == j || between(j, k) > how_near_of_largest) group_.push_back(to_[k]);
        auto const size = storage(gathered_elements, element_bits);
        std::span<accelerator_id const> const group{group_};
        record.gather(j, group, size);
        received += collective_->time(*net_, collective_kind::all_gather, group, size).count();
      }
      slowest = std::max(slowest, received);
    }
    return seconds{std::max(slowest, busiest_link())};
  }
  /// Receivers that need what `j` needs and are nearer to it than `how_near`, itself included.
  /// Remembered in `mates_`: owners are at few different distances.
  [[nodiscard]] auto count_mates(later<movement, D> const& moved, std::size_t j, double how_near)
      -> std::size_t {
    for (auto const& [distance, count] : mates_)
      if (distance == how_near) return count;
    std::size_t count = 0;
    for (auto const k : moved.needed().ranks(moved.needed().by_rank()[j]))
      count += k == j || between(j, k) > how_near;
    mates_.emplace_back(how_near, count);
    return count;
  }

  Net const* net_;
  Collective const* collective_;
  later<std::vector<accelerator_id>, D> from_, to_, group_;
  proximity near_;
  later<std::vector<double>, D> between_receivers_;
  bool may_gather_{}; ///< are any two receivers closer to each other than to an owner?
  crossed_links crossed_;
  bool links_are_equal_{};             ///< one division a message then, not one a hop
  later<std::vector<double>, D> load_; ///< by link, seconds
  later<std::vector<std::pair<double, std::size_t>>, D> mates_;
  later<std::vector<std::uint32_t>, D>
      grouping_;   ///< of the last question: by owner, the number of its box
  senders sender_; ///< for that grouping
};

} // namespace mars
