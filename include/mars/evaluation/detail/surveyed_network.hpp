// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/interconnect/concept.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// An interconnect whose pairs of accelerators have been looked at once. Two pairs are of one kind,
/// and taken to be interchangeable, if their times at four sizes and the bandwidths along their
/// routes are equal: one of a kind answers for all. An Interconnect itself, with routes if the
/// original has them; not for several threads.
template <Interconnect Net, deferred D = when_called>
class surveyed_network {
public:
  template <std::same_as<Net> N> // and nothing that converts: it might be a survey itself
  explicit surveyed_network(N const& net)
      : net_{&net}, n_{static_cast<std::size_t>(net.size())}, known_(std::size_t{1} << known_bits) {
    if constexpr (RoutedInterconnect<Net>) {
      auto&& all = net.links();
      std::span<link const> const seen{all};
      // What is a view, or stays with the network, need not be copied.
      if constexpr (std::is_lvalue_reference_v<decltype(net.links())> ||
                    std::is_same_v<std::remove_cvref_t<decltype(all)>, std::span<link const>>)
        links_ = seen;
      else
        own_links_.assign(seen.begin(), seen.end());
    }
    later<interner<std::vector<double>>, D> kinds;
    later<std::vector<double>, D> seen;
    kind_.reserve(n_ * n_);
    first_hop_.push_back(0);
    for (std::size_t b = 0; b < n_; ++b)
      for (std::size_t a = 0; a < n_; ++a) {
        seen.clear();
        for (std::int64_t const size : {1LL, 4096LL, 1LL << 20, 1LL << 30})
          if (a != b)
            seen.push_back(
                net.transfer_time(accelerator_id{a}, accelerator_id{b}, bytes{size}).count());
        if constexpr (RoutedInterconnect<Net>) {
          auto const& ids = net.route(accelerator_id{a}, accelerator_id{b});
          for (link_id const l : std::span<link_id const>{ids}) {
            hops_.push_back(l);
            seen.push_back(links()[l.index()].bandwidth.count());
          }
          first_hop_.push_back(hops_.size());
        }
        kind_.push_back(kinds(seen));
      }
  }

  [[nodiscard]] auto original() const -> Net const& { return *net_; }
  [[nodiscard]] auto kind(accelerator_id a, accelerator_id b) const -> std::uint32_t {
    return kind_[b.index() * n_ + a.index()];
  }

  [[nodiscard]] auto size() const -> std::size_t { return n_; }
  /// What the network says; sizes come in runs, so that most answers are at hand.
  [[nodiscard]] auto transfer_time(accelerator_id a, accelerator_id b, bytes size) const
      -> seconds {
    auto const k = kind(a, b);
    auto const spread =
        (static_cast<std::uint64_t>(size.count()) ^ (std::uint64_t{k} << 40)) * 0x9E3779B97F4A7C15U;
    auto& latest = known_[spread >> (64 - known_bits)];
    if (latest.kind != k || latest.size != size)
      latest = {k, size, net_->transfer_time(a, b, size)};
    return latest.time;
  }
  [[nodiscard]] auto links() const -> std::span<link const>
  requires RoutedInterconnect<Net> {
    return own_links_.empty() ? links_ : std::span<link const>{own_links_};
  }
  [[nodiscard]] auto route(accelerator_id a, accelerator_id b) const -> std::span<link_id const>
  requires RoutedInterconnect<Net> {
    auto const pair = b.index() * n_ + a.index();
    return std::span{hops_}.subspan(first_hop_[pair], first_hop_[pair + 1] - first_hop_[pair]);
  }
  [[nodiscard]] auto forwarding() const -> forwarding_mode requires RoutedInterconnect<Net> {
    return forwarding_of(*net_);
  }

private:
  static constexpr unsigned known_bits = 11;

  struct answer {
    std::uint32_t kind{std::numeric_limits<std::uint32_t>::max()};
    bytes size{};
    seconds time{};
  };

  Net const* net_;
  std::size_t n_;
  // Receivers are asked about one after another: pairs are by receiver, then by sender.
  later<std::vector<std::uint32_t>, D> kind_;
  later<std::vector<std::size_t>, D> first_hop_; ///< into hops_
  later<std::vector<link_id>, D> hops_;
  later<std::vector<link>, D> own_links_;
  std::span<link const> links_;
  mutable std::vector<answer> known_; ///< by hash of kind and size, the latest
};

/// What a network says about going from one set to another, as a number: two pairs of sets with
/// equal numbers are interchangeable. Their accelerators are of the same kinds, pair by pair, and
/// routes share links in the same places.
template <Interconnect Net, deferred D = when_called>
class channel_classes {
public:
  explicit channel_classes(surveyed_network<Net> const& net) : net_{&net} {
    if constexpr (RoutedInterconnect<Net>) {
      name_.assign(net.links().size(), nameless);
      other_name_ = name_;
    }
  }

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

  /// Mixes little: equal hashes are looked into.
  [[nodiscard]] auto hash_of(std::span<accelerator_id const> from,
                             std::span<accelerator_id const> to) -> std::uint64_t {
    std::uint64_t h = range_hash::mix(from.size(), to.size());
    for (auto const b : to)
      for (auto const a : from) {
        h = range_hash::mix(h, net_->kind(a, b));
        if constexpr (RoutedInterconnect<Net>)
          for (auto const l : net_->route(a, b)) {
            auto& name = name_[l.index()];
            if (name == nameless) {
              name = static_cast<std::uint32_t>(named_.size());
              named_.push_back(l);
            }
            h = range_hash::mix(h, name);
          }
      }
    for (auto const l : named_) name_[l.index()] = nameless;
    named_.clear();
    return h;
  }

  [[nodiscard]] auto alike(std::span<accelerator_id const> from, std::span<accelerator_id const> to,
                           std::span<accelerator_id const> other_from,
                           std::span<accelerator_id const> other_to) -> bool {
    if (from.size() != other_from.size() || to.size() != other_to.size()) return false;
    bool same = true;
    for (std::size_t j = 0; j < to.size() && same; ++j)
      for (std::size_t i = 0; i < from.size() && same; ++i) {
        same = net_->kind(from[i], to[j]) == net_->kind(other_from[i], other_to[j]);
        if constexpr (RoutedInterconnect<Net>)
          same = same &&
                 share_alike(net_->route(from[i], to[j]), net_->route(other_from[i], other_to[j]));
      }
    for (auto const l : named_) name_[l.index()] = nameless;
    for (auto const l : other_named_) other_name_[l.index()] = nameless;
    named_.clear();
    other_named_.clear();
    return same;
  }
  /// Do two routes of one kind cross links of the same names? Links are named in the order of their
  /// first use.
  [[nodiscard]] auto share_alike(std::span<link_id const> route, std::span<link_id const> other)
      -> bool {
    for (std::size_t h = 0; h < route.size(); ++h) {
      auto& name = name_[route[h].index()];
      auto& other_name = other_name_[other[h].index()];
      if (name == nameless && other_name == nameless) {
        name = other_name = static_cast<std::uint32_t>(named_.size());
        named_.push_back(route[h]);
        other_named_.push_back(other[h]);
      }
      if (name != other_name) return false;
    }
    return true;
  }

  surveyed_network<Net> const* net_;
  later<std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>, D> by_hash_;
  later<std::vector<std::pair<members, members>>, D> first_; ///< by class
  later<std::vector<std::uint32_t>, D> name_, other_name_;   ///< by link, within one call
  later<std::vector<link_id>, D> named_, other_named_;
};

} // namespace mars::detail
