// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "names.hpp"

#include <mars/scheduling/any_scheduler.hpp>
#include <mars/scheduling/best.hpp>
#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/ios_greedy.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/sequential.hpp>

#include <cstdint>

namespace mars_map {

/// The stream scheduler of that name.
[[nodiscard]] inline auto scheduler_of(scheduler_name name, std::uint64_t seed)
    -> mars::scheduling::any_scheduler {
  namespace scheduling = mars::scheduling;
  switch (name) {
  case scheduler_name::sequential: return scheduling::sequential{};
  case scheduler_name::path_cover: return scheduling::path_cover{};
  case scheduler_name::chain_cover: return scheduling::chain_cover{};
  case scheduler_name::opara: return scheduling::opara{};
  case scheduler_name::ios: return scheduling::ios{};
  case scheduler_name::ios_greedy: return scheduling::ios_greedy{};
  case scheduler_name::critical_path: return scheduling::critical_path{};
  case scheduler_name::best: break;
  }
  return scheduling::best{.seed = seed};
}

} // namespace mars_map
