// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/interconnect/concept.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// An interconnect whose pairs of accelerators have been looked at once. Two pairs are of one kind,
/// and taken to be interchangeable, if their times at four sizes and the bandwidths along their
/// routes are equal: one of a kind answers for all. Not for several threads.
template <Interconnect Net>
class surveyed_network {
public:
  static constexpr bool has_routes = RoutedInterconnect<Net>;

  template <std::same_as<Net> N> // and nothing that converts: it might be a survey itself
  explicit surveyed_network(N const& net)
      : net_{&net}, n_{static_cast<std::size_t>(net.size())}, known_(std::size_t{1} << known_bits) {
    if constexpr (has_routes) {
      auto const& all = net.links();
      for (link const& l : std::span<link const>{all}) bandwidth_.push_back(l.bandwidth);
      number_.assign(bandwidth_.size(), nameless);
    }
    interner<std::vector<double>> kinds;
    std::vector<double> seen;
    kind_.reserve(n_ * n_);
    first_hop_.push_back(0);
    for (std::size_t a = 0; a < n_; ++a)
      for (std::size_t b = 0; b < n_; ++b) {
        seen.clear();
        for (std::int64_t const size : {1LL, 4096LL, 1LL << 20, 1LL << 30})
          if (a != b)
            seen.push_back(
                net.transfer_time(accelerator_id{a}, accelerator_id{b}, bytes{size}).count());
        if constexpr (has_routes) {
          auto const& ids = net.route(accelerator_id{a}, accelerator_id{b});
          for (link_id const l : std::span<link_id const>{ids}) {
            hops_.push_back(static_cast<std::uint32_t>(l.index()));
            seen.push_back(bandwidth_[l.index()].count());
          }
          first_hop_.push_back(hops_.size());
        }
        kind_.push_back(kinds(seen));
      }
  }

  [[nodiscard]] auto original() const -> Net const& { return *net_; }
  [[nodiscard]] auto size() const -> std::size_t { return n_; }
  [[nodiscard]] auto kind(accelerator_id a, accelerator_id b) const -> std::uint32_t {
    return kind_[a.index() * n_ + b.index()];
  }
  /// Numbers of the links that a message crosses; none are known without routes.
  [[nodiscard]] auto route(accelerator_id a, accelerator_id b) const
      -> std::span<std::uint32_t const> {
    if (!has_routes) return {};
    auto const pair = a.index() * n_ + b.index();
    return std::span{hops_}.subspan(first_hop_[pair], first_hop_[pair + 1] - first_hop_[pair]);
  }
  [[nodiscard]] auto links() const -> std::size_t { return bandwidth_.size(); }

  /// What the network says; sizes come in runs, so that most answers are at hand.
  [[nodiscard]] auto transfer_time(accelerator_id a, accelerator_id b, bytes size) const
      -> seconds {
    auto const k = kind(a, b);
    auto const spread =
        (static_cast<std::uint64_t>(size.count()) ^ (std::uint64_t{k} << 40)) * 0x9E3779B97F4A7C15U;
    auto& answer = known_[spread >> (64 - known_bits)];
    if (answer.kind != k || answer.size != size)
      answer = {k, size, net_->transfer_time(a, b, size)};
    return answer.time;
  }

  /// As `mars::links_between`, without asking again.
  friend auto links_between(surveyed_network const& net, std::span<accelerator_id const> from,
                            std::span<accelerator_id const> to) -> crossed_links
      requires(has_routes) {
    crossed_links crossed;
    std::vector<std::uint32_t> numbered;
    crossed.first.reserve(from.size() * to.size() + 1);
    crossed.first.push_back(0);
    for (auto const a : from)
      for (auto const b : to) {
        for (auto const l : net.route(a, b)) {
          auto& n = net.number_[l];
          if (n == nameless) {
            n = crossed.links++;
            numbered.push_back(l);
          }
          crossed.hops.push_back({n, net.bandwidth_[l]});
        }
        crossed.first.push_back(crossed.hops.size());
      }
    for (auto const l : numbered) net.number_[l] = nameless;
    return crossed;
  }

private:
  static constexpr auto nameless = std::numeric_limits<std::uint32_t>::max();
  static constexpr unsigned known_bits = 11;

  struct answer {
    std::uint32_t kind{nameless};
    bytes size{};
    seconds time{};
  };

  Net const* net_;
  std::size_t n_;
  std::vector<std::uint32_t> kind_;           ///< by pair of accelerators
  std::vector<std::size_t> first_hop_;        ///< by pair of accelerators, into hops_
  std::vector<std::uint32_t> hops_;           ///< links
  std::vector<bytes_per_second> bandwidth_;   ///< by link
  mutable std::vector<answer> known_;         ///< by hash of kind and size, the latest
  mutable std::vector<std::uint32_t> number_; ///< by link, within one call
};

/// What a network says about going from one set to another, as a number: two pairs of sets with
/// equal numbers are interchangeable. Their accelerators are of the same kinds, pair by pair, and
/// routes share links in the same places.
template <Interconnect Net>
class channel_classes {
public:
  explicit channel_classes(surveyed_network<Net> const& net)
      : net_{&net}, name_(net.links(), nameless), other_name_(net.links(), nameless) {}

  [[nodiscard]] auto operator()(std::span<accelerator_id const> from,
                                std::span<accelerator_id const> to) -> std::uint32_t {
    auto& bucket = by_hash_[hash_of(from, to)];
    for (auto const c : bucket)
      if (alike(from, to, first_[c].first, first_[c].second)) return c;
    bucket.push_back(static_cast<std::uint32_t>(first_.size()));
    first_.emplace_back(members{from.begin(), from.end()}, members{to.begin(), to.end()});
    return bucket.back();
  }

private:
  using members = std::vector<accelerator_id>;
  static constexpr auto nameless = std::numeric_limits<std::uint32_t>::max();

  /// Links are called by the order of their first use. Mixes little: equal hashes are looked into.
  [[nodiscard]] auto hash_of(std::span<accelerator_id const> from,
                             std::span<accelerator_id const> to) -> std::uint64_t {
    std::uint64_t h = from.size() << 32 ^ to.size();
    auto const add = [&h](std::uint32_t x) {
      h = (h ^ x) * 0x9E3779B97F4A7C15U;
      h ^= h >> 32;
    };
    for (auto const a : from)
      for (auto const b : to) {
        add(net_->kind(a, b));
        for (auto const l : net_->route(a, b)) {
          if (name_[l] == nameless) {
            name_[l] = static_cast<std::uint32_t>(named_.size());
            named_.push_back(l);
          }
          add(name_[l]);
        }
      }
    for (auto const l : named_) name_[l] = nameless;
    named_.clear();
    return h;
  }
  [[nodiscard]] auto alike(std::span<accelerator_id const> from, std::span<accelerator_id const> to,
                           std::span<accelerator_id const> other_from,
                           std::span<accelerator_id const> other_to) -> bool {
    if (from.size() != other_from.size() || to.size() != other_to.size()) return false;
    bool same = true;
    for (std::size_t i = 0; i < from.size() && same; ++i)
      for (std::size_t j = 0; j < to.size() && same; ++j) {
        same = net_->kind(from[i], to[j]) == net_->kind(other_from[i], other_to[j]);
        if (!same) break;
        auto const route = net_->route(from[i], to[j]);
        auto const other = net_->route(other_from[i], other_to[j]); // as long, being of one kind
        for (std::size_t h = 0; h < route.size() && same; ++h) {
          auto& name = name_[route[h]];
          auto& other_name = other_name_[other[h]];
          if (name == nameless && other_name == nameless) {
            name = other_name = static_cast<std::uint32_t>(named_.size());
            named_.push_back(route[h]);
            other_named_.push_back(other[h]);
          }
          same = name == other_name;
        }
      }
    for (auto const l : named_) name_[l] = nameless;
    for (auto const l : other_named_) other_name_[l] = nameless;
    named_.clear();
    other_named_.clear();
    return same;
  }

  surveyed_network<Net> const* net_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_hash_;
  std::vector<std::pair<members, members>> first_; ///< by class
  std::vector<std::uint32_t> name_, other_name_;   ///< by link, within one call
  std::vector<std::uint32_t> named_, other_named_;
};

} // namespace mars::detail
