// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/core/hash.hpp>
#include <mars/interconnect/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

// Questions to the user's models of communication that a problem asks again and again: asked once.

namespace mars::detail {

/// Gives equal values equal small numbers, in order of first appearance.
template <class Key>
class interner {
public:
  auto operator()(Key const& key) -> std::uint32_t {
    return ids_.try_emplace(key, static_cast<std::uint32_t>(ids_.size())).first->second;
  }
  [[nodiscard]] auto size() const -> std::size_t { return ids_.size(); }

private:
  std::map<Key, std::uint32_t> ids_;
};

/// What the interconnect says about going from one set to another, as a number: two pairs of sets
/// with equal numbers are interchangeable. Times are probed at four sizes; where there are routes,
/// which of them share links enters too.
template <Interconnect Net>
class channel_classes {
public:
  explicit channel_classes(Net const& net) : n_{static_cast<std::size_t>(net.size())} {
    interner<std::vector<double>> times;
    for (std::size_t a = 0; a < n_; ++a)
      for (std::size_t b = 0; b < n_; ++b) {
        std::vector<double> probed;
        for (std::int64_t const size : {1LL, 4096LL, 1LL << 20, 1LL << 30})
          if (a != b)
            probed.push_back(
                net.transfer_time(accelerator_id{a}, accelerator_id{b}, bytes{size}).count());
        time_.push_back(times(probed));
      }
    if constexpr (RoutedInterconnect<Net>) {
      auto const& all = net.links();
      interner<double> bandwidths;
      for (link const& l : std::span<link const>{all})
        bandwidth_.push_back(bandwidths(l.bandwidth.count()));
      first_hop_.push_back(0);
      for (std::size_t a = 0; a < n_; ++a)
        for (std::size_t b = 0; b < n_; ++b) {
          auto const& ids = net.route(accelerator_id{a}, accelerator_id{b});
          for (link_id const l : std::span<link_id const>{ids})
            hops_.push_back(static_cast<std::uint32_t>(l.index()));
          first_hop_.push_back(hops_.size());
        }
      name_.assign(bandwidth_.size(), nameless);
    }
  }

  [[nodiscard]] auto operator()(std::span<accelerator_id const> from,
                                std::span<accelerator_id const> to) -> std::uint32_t {
    std::vector<std::uint32_t> key{static_cast<std::uint32_t>(from.size()),
                                   static_cast<std::uint32_t>(to.size())};
    std::vector<std::uint32_t> named;
    for (auto const a : from)
      for (auto const b : to) {
        auto const pair = a.index() * n_ + b.index();
        key.push_back(time_[pair]);
        if (first_hop_.empty()) continue;
        key.push_back(static_cast<std::uint32_t>(first_hop_[pair + 1] - first_hop_[pair]));
        for (auto i = first_hop_[pair]; i < first_hop_[pair + 1]; ++i) {
          auto const l = hops_[i];
          if (name_[l] == nameless) {
            name_[l] = static_cast<std::uint32_t>(named.size());
            named.push_back(l);
          }
          key.push_back(name_[l]);
          key.push_back(bandwidth_[l]);
        }
      }
    for (auto const l : named) name_[l] = nameless;
    return classes_(key);
  }

private:
  static constexpr auto nameless = std::numeric_limits<std::uint32_t>::max();

  std::size_t n_;
  std::vector<std::uint32_t> time_;      ///< by pair of accelerators, interned
  std::vector<std::size_t> first_hop_;   ///< by pair of accelerators, into hops_
  std::vector<std::uint32_t> hops_;      ///< links
  std::vector<std::uint32_t> bandwidth_; ///< by link, interned
  std::vector<std::uint32_t> name_;      ///< by link, within one question
  interner<std::vector<std::uint32_t>> classes_;
};

/// A collective model that remembers its answers for one network, and asks once about groups that the
/// network does not tell apart. Not for several threads.
template <Interconnect Net, class Collective>
class remembered_collective {
public:
  remembered_collective(Collective const& model, channel_classes<Net>& classes)
      : model_{&model}, classes_{&classes} {}

  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    members_.clear();
    for (auto const a : group) members_.push_back(a.value);
    auto const [of_group, new_group] = class_of_.try_emplace(members_);
    if (new_group) of_group->second = (*classes_)(group, group);
    question const q{of_group->second, static_cast<std::uint32_t>(kind), size.count()};
    auto const known = answers_.find(q);
    if (known != answers_.end()) return known->second;
    return answers_.emplace(q, model_->time(net, kind, group, size)).first->second;
  }

private:
  struct question {
    std::uint32_t group_class{};
    std::uint32_t kind{};
    std::int64_t size{};
    friend auto operator==(question const&, question const&) -> bool = default;
  };
  struct hash {
    [[nodiscard]] auto operator()(std::vector<std::uint32_t> const& members) const -> std::size_t {
      stable_hash h;
      for (auto const m : members) h.add(m);
      return static_cast<std::size_t>(h.digest());
    }
    [[nodiscard]] auto operator()(question const& q) const -> std::size_t {
      return static_cast<std::size_t>(
          stable_hash{}.add(q.group_class).add(q.kind).add(q.size).digest());
    }
  };
  Collective const* model_;
  channel_classes<Net>* classes_;
  mutable std::vector<std::uint32_t> members_;
  mutable std::unordered_map<std::vector<std::uint32_t>, std::uint32_t, hash> class_of_;
  mutable std::unordered_map<question, seconds, hash> answers_;
};

} // namespace mars::detail
