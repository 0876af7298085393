// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/direct.hpp>
#include <mars/collective/halving_doubling.hpp>
#include <mars/collective/hierarchical.hpp>
#include <mars/collective/ring.hpp>
#include <mars/collective/tree.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>

namespace mars::collective {

/// The fastest of several models, chosen for each call, as communication libraries do. Among equals
/// (within rounding) the first listed is named. Costs the sum of all.
template <class... Models>
requires(sizeof...(Models) > 0) struct cheapest {
  std::tuple<Models...> models{};

  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    auto const all = times(net, kind, group, size);
    return *std::min_element(all.begin(), all.end());
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const& net, collective_kind kind,
                               std::span<accelerator_id const> group, bytes size) const
      -> std::string_view {
    auto const all = times(net, kind, group, size);
    auto const enough = (1 + 1e-12) * *std::min_element(all.begin(), all.end());
    std::size_t i = 0;
    while (enough < all[i]) ++i;
    std::string_view name = "unnamed";
    std::size_t k = 0;
    auto const take = [&](auto const& m) {
      if (k++ != i) return;
      if constexpr (NamesAlgorithm<decltype(m), Net>) name = m.algorithm(net, kind, group, size);
    };
    std::apply([&](auto const&... m) { (take(m), ...); }, models);
    return name;
  }

  friend constexpr auto operator==(cheapest const&, cheapest const&) -> bool = default;

private:
  template <class Net>
  [[nodiscard]] auto times(Net const& net, collective_kind kind,
                           std::span<accelerator_id const> group, bytes size) const {
    return std::apply(
        [&](auto const&... m) {
          return std::array<seconds, sizeof...(Models)>{m.time(net, kind, group, size)...};
        },
        models);
  }
};

/// The default: every algorithm a communication library would consider.
using standard = cheapest<ring, halving_doubling, tree, direct, hierarchical<>>;

} // namespace mars::collective
