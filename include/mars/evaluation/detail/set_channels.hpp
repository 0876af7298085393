// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/channel.hpp>
#include <mars/mapping/mapping.hpp>

#include <optional>
#include <span>
#include <vector>

namespace mars::detail {

/// The channels between sets of a mapping, each made when it is first asked for.
template <class Net, class Collective>
class set_channels {
public:
  set_channels(Net const& net, Collective const& collective, mapping const& m)
      : net_{&net}, collective_{&collective}, sets_{m.sets}, made_(m.sets.size() * m.sets.size()) {}

  [[nodiscard]] auto between(set_id from, set_id to) -> channel<Net, Collective>& {
    auto& c = made_[from.index() * sets_.size() + to.index()];
    if (!c)
      c.emplace(*net_, *collective_, std::span{sets_[from.index()].accelerators},
                std::span{sets_[to.index()].accelerators});
    return *c;
  }

private:
  Net const* net_;
  Collective const* collective_;
  std::span<accelerator_set const> sets_;
  std::vector<std::optional<channel<Net, Collective>>> made_;
};

} // namespace mars::detail
