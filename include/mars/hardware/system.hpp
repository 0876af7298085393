// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/hardware/accelerator.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/interconnect/any_interconnect.hpp>
#include <mars/interconnect/concept.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars {

template <Accelerator A, Interconnect I>
struct system;

/// A system whose parts are chosen at run time; every system with a routed interconnect converts.
using any_system = system<accelerator, any_interconnect>;

namespace detail {

template <Accelerator A>
[[nodiscard]] auto validate_accelerator(A const& a) -> expected<void> {
  bytes const memory = a.memory();
  if (memory <= bytes{})
    return fail(error_code::out_of_range, "memory", std::to_string(memory.count()) + " bytes",
                "more than 0 bytes");
  if constexpr (PoweredAccelerator<A>) {
    watts const power = a.power();
    if (is_known(power) && !(power.count() >= 0 && power.count() - power.count() == 0))
      return fail(error_code::out_of_range, "power", std::to_string(power.count()),
                  "a finite number of watts, at least 0, or none");
  }
  std::size_t i = 0;
  for (auto const& d : a.designs()) {
    auto const path = std::string{"designs["} + std::to_string(i++) + "]";
    std::string const name{std::string_view{d.name()}};
    if (name.empty())
      return fail(error_code::out_of_range, path + ".name", "an empty name", "a name");
    std::size_t before = 1;
    for (auto const& other : a.designs())
      if (before++ < i && std::string_view{other.name()} == name)
        return fail(error_code::duplicate, path + ".name", name,
                    "a name no other design of the accelerator has");
    if constexpr (checks_itself<decltype(d)>)
      if (auto r = d.validate(); !r) return unexpected{std::move(r).error().inside(path)};
  }
  if (i == 0) return fail(error_code::out_of_range, "designs", "none", "at least one design");
  return {};
}

template <Interconnect I>
[[nodiscard]] auto validate_interconnect(I const& net) -> expected<void> {
  if constexpr (requires {
                  { net.validate() } -> std::convertible_to<expected<void>>;
                }) {
    return net.validate();
  } else if constexpr (RoutedInterconnect<I>) {
    auto const& all = net.links();
    std::span<link const> const links{all};
    for (std::size_t i = 0; i < links.size(); ++i) {
      auto const path = std::string{"links["} + std::to_string(i) + "]";
      auto const bandwidth = links[i].bandwidth.count();
      auto const latency = links[i].latency.count();
      if (!(bandwidth > 0))
        return fail(error_code::out_of_range, path + ".bandwidth", std::to_string(bandwidth),
                    "a bandwidth above 0 B/s");
      if (!(latency >= 0 && latency - latency == 0))
        return fail(error_code::out_of_range, path + ".latency", std::to_string(latency),
                    "a finite latency of at least 0 s");
    }
  }
  return {};
}

} // namespace detail

/// Accelerators and what connects them: accelerators[i] is the interconnect's accelerator i.
template <Accelerator A, Interconnect I>
struct system {
  std::string name{};
  std::vector<A> accelerators{};
  I interconnect;

  [[nodiscard]] auto size() const -> std::size_t { return accelerators.size(); }

  /// Checks what everything built on a system relies on: at least one accelerator, as many as the
  /// interconnect connects, each with memory and at least one design, design names that differ,
  /// parameters in their domains. Paths: `accelerators[3].memory`,
  /// `accelerators[0].designs[1].clock`, `interconnect.links[2].bandwidth`.
  [[nodiscard]] auto validate() const -> expected<void> {
    if (accelerators.empty())
      return fail(error_code::out_of_range, "accelerators", "none", "at least one accelerator");
    for (std::size_t i = 0; i < accelerators.size(); ++i)
      if (auto r = detail::validate_accelerator(accelerators[i]); !r)
        return unexpected{
            std::move(r).error().inside(std::string{"accelerators["} + std::to_string(i) + "]")};
    if (auto r = detail::validate_interconnect(interconnect); !r)
      return unexpected{std::move(r).error().inside("interconnect")};
    if (interconnect.size() != accelerators.size())
      return fail(error_code::shape_mismatch, "interconnect",
                  std::string{"an interconnect of "} + std::to_string(interconnect.size()) +
                      " accelerators",
                  std::to_string(accelerators.size()));
    return {};
  }

  /// Call `validate` first: a wrapped interconnect no longer knows its parameters, only its links.
  operator any_system() const
      requires(RoutedInterconnect<I> &&
               !(std::same_as<A, accelerator> && std::same_as<I, any_interconnect>)) {
    any_system result{name, {}, interconnect};
    result.accelerators.reserve(accelerators.size());
    for (auto const& a : accelerators) result.accelerators.push_back(to_accelerator(a));
    return result;
  }
};

template <Accelerator A, Interconnect I>
system(std::string, std::vector<A>, I) -> system<A, I>;

} // namespace mars
