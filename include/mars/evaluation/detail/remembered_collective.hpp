// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/core/hash.hpp>
#include <mars/evaluation/detail/surveyed_network.hpp>
#include <mars/interconnect/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace mars::detail {

/// A collective model that remembers its answers for one network, and asks once about groups that the
/// network does not tell apart. Not for several threads.
template <Interconnect Net, class Collective>
class remembered_collective {
public:
  remembered_collective(Collective const& model, channel_classes<Net>& classes)
      : model_{&model}, classes_{&classes} {}

  [[nodiscard]] auto time(surveyed_network<Net> const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    members_.clear();
    for (auto const a : group) members_.push_back(a.value);
    auto const [of_group, new_group] = class_of_.try_emplace(members_);
    if (new_group) of_group->second = (*classes_)(group, group);
    question const q{of_group->second, static_cast<std::uint32_t>(kind), size.count()};
    auto const known = answers_.find(q);
    if (known != answers_.end()) return known->second;
    // Who answers for any interconnect may as well ask the survey, which is faster.
    seconds time{};
    if constexpr (CollectiveModel<Collective>)
      time = model_->time(net, kind, group, size);
    else
      time = model_->time(net.original(), kind, group, size);
    return answers_.emplace(q, time).first->second;
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
