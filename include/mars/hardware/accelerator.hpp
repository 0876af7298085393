// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/any_design.hpp>
#include <mars/hardware/concept.hpp>

#include <concepts>
#include <string>
#include <vector>

namespace mars {

/// An accelerator as data. Several designs make it adaptive: a mapping configures it with one.
///
///   mars::accelerator const fpga{.name = "vu9p",
///                                .capacity = 1_GB,
///                                .configurations = {hardware::super_lip{}, hardware::winograd{}}};
struct accelerator {
  std::string name{};
  bytes capacity{};                         ///< of its own memory
  std::vector<any_design> configurations{}; ///< names differ
  watts draw{unknown_watts};                ///< while it runs

  [[nodiscard]] auto memory() const -> bytes { return capacity; }
  [[nodiscard]] auto designs() const -> std::vector<any_design> const& { return configurations; }
  [[nodiscard]] auto power() const -> watts { return draw; }

  friend auto operator==(accelerator const& a, accelerator const& b) -> bool {
    return a.name == b.name && a.capacity == b.capacity && a.configurations == b.configurations &&
           (a.draw == b.draw || (!is_known(a.draw) && !is_known(b.draw)));
  }
};

/// Any model of Accelerator as data.
template <Accelerator A>
[[nodiscard]] auto to_accelerator(A const& a) -> accelerator {
  if constexpr (std::same_as<A, accelerator>) {
    return a;
  } else {
    accelerator result{.name = {}, .capacity = a.memory(), .configurations = {}};
    if constexpr (requires { std::string{a.name}; }) result.name = std::string{a.name};
    for (auto const& d : a.designs()) result.configurations.emplace_back(d);
    if constexpr (PoweredAccelerator<A>) result.draw = a.power();
    return result;
  }
}

} // namespace mars
