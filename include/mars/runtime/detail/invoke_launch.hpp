// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

namespace mars::runtime::detail {

[[nodiscard]] inline auto merged_unsupported() -> error {
  return {error_code::unsupported, "", "a launch of merged nodes",
          "a callable that takes a span of nodes", ""};
}

/// A callable's answer: nothing, or `expected<void>`.
template <class Launch, class... Args>
[[nodiscard]] auto invoke_launch(Launch& launch, Args const&... args) -> expected<void> {
  if constexpr (std::is_void_v<std::invoke_result_t<Launch&, Args const&...>>) {
    launch(args...);
    return {};
  } else {
    return launch(args...);
  }
}

/// The same for merged nodes, if the callable takes them.
template <class Launch, class... Args>
[[nodiscard]] auto invoke_merged(Launch& launch, std::span<std::uint32_t const> nodes,
                                 Args const&... args) -> expected<void> {
  if constexpr (std::invocable<Launch&, std::span<std::uint32_t const>, Args const&...>)
    return invoke_launch(launch, nodes, args...);
  else
    return unexpected{merged_unsupported()};
}

} // namespace mars::runtime::detail
