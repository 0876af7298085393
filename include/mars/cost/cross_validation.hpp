// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/random.hpp>
#include <mars/core/statistics.hpp>
#include <mars/cost/calibration.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace mars::cost {

/// Of each observation, what a fit to others says; nothing where no fit to others can.
using held_out_times = std::vector<std::optional<seconds>>;

namespace detail {
/// `part[i]` says with which others observation i is left out. Nothing is predicted by a fit to its shape,
/// in whatever part that lies.
template <deferred = when_called>
[[nodiscard]] auto predict_parts(std::span<observation const> all,
                                 std::vector<std::size_t> const& part, std::size_t parts,
                                 machine_rates const& rates) -> expected<held_out_times> {
  held_out_times result(all.size());
  for (std::size_t p = 0; p < parts; ++p) {
    std::set<std::string_view> asked;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (part[i] == p && !all[i].shape.empty()) asked.insert(all[i].shape);
    std::vector<observation> seen;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (part[i] != p && asked.count(all[i].shape) == 0) seen.push_back(all[i]);
    auto const fit = calibration::fit(seen, rates);
    if (!fit) return unexpected{fit.error()};
    for (std::size_t i = 0; i < all.size(); ++i)
      if (part[i] == p) result[i] = fit->predict(all[i]);
  }
  return result;
}
} // namespace detail

/// k-fold cross-validation: shapes are dealt out, each with all its observations; the shapes that an
/// algorithm, width and class is first to have evenly, in an order that `seed` shuffles. Errors: those of
/// `calibration::fit`. O(folds · fit). Precondition: folds > 1.
template <deferred = when_called>
[[nodiscard]] auto cross_validate(std::span<observation const> all, machine_rates const& rates,
                                  std::size_t folds = 5, std::uint64_t seed = 1)
    -> expected<held_out_times> {
  // Observations that stay together, under the first of them.
  std::vector<std::vector<std::size_t>> together(all.size());
  std::map<std::string_view, std::size_t> first_of;
  std::map<std::tuple<std::string, int, layer_class>, std::vector<std::size_t>> alike;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const& o = all[i];
    auto const first = o.shape.empty() ? i : first_of.try_emplace(o.shape, i).first->second;
    together[first].push_back(i);
    if (first == i) alike[{o.algorithm, o.element_bits, o.kind}].push_back(i);
  }
  std::vector<std::size_t> part(all.size());
  std::size_t next = 0;
  for (auto& [key, members] : alike) {
    random_stream{seed}.substream(next).shuffle(members);
    for (auto const first : members) {
      for (auto const i : together[first]) part[i] = next % folds;
      ++next;
    }
  }
  return detail::predict_parts(all, part, folds, rates);
}

/// Leaves out one group (network) at a time, and from the others the shapes it has: what is asked of a model
/// in use.
template <deferred = when_called>
[[nodiscard]] auto leave_groups_out(std::span<observation const> all, machine_rates const& rates)
    -> expected<held_out_times> {
  std::map<std::string, std::size_t> groups;
  for (auto const& o : all) groups.try_emplace(o.group, groups.size());
  std::vector<std::size_t> part;
  part.reserve(all.size());
  for (auto const& o : all) part.push_back(groups.at(o.group));
  return detail::predict_parts(all, part, groups.size(), rates);
}

/// Of the observations that `wanted` and that were predicted.
template <class Wanted>
[[nodiscard]] auto judge(std::span<observation const> all, held_out_times const& predicted,
                         Wanted const& wanted) -> agreement {
  std::vector<double> p, m;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!predicted[i] || !wanted(all[i])) continue;
    p.push_back(predicted[i]->count());
    m.push_back(all[i].time.count());
  }
  return agreement_of(p, m);
}
template <deferred = when_called>
[[nodiscard]] auto judge(std::span<observation const> all, held_out_times const& predicted)
    -> agreement {
  return judge(all, predicted, [](observation const&) { return true; });
}

} // namespace mars::cost
