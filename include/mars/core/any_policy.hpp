// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/named.hpp>

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mars {

template <class S, class Problem, class Context, class Solution>
concept answers = names_itself<S> &&
    requires(S const& s, Problem const& problem, Context const& context) {
  { s(problem, context) } -> std::same_as<Solution>;
} && std::copyable<S>;

/// Any policy that answers `Problem` with `Solution` behind one type, for choice at run time (command
/// line, plugins).
template <class Problem, class Context, class Solution>
class any_policy {
public:
  // Not itself, asked first: whether it answers asks whether it can be copied.
  template <class Policy>
  requires(!std::same_as<std::remove_cvref_t<Policy>, any_policy> &&
           answers<Policy, Problem, Context, Solution>) any_policy(Policy policy)
      : self_{std::make_shared<model<Policy>>(std::move(policy))} {}

  [[nodiscard]] auto name() const -> std::string_view { return self_->name(); }
  [[nodiscard]] auto operator()(Problem const& problem, Context const& context) const -> Solution {
    return self_->run(problem, context);
  }

private:
  struct interface {
    interface() = default;
    interface(interface const&) = delete;
    auto operator=(interface const&) -> interface& = delete;
    virtual ~interface() = default;
    [[nodiscard]] virtual auto name() const -> std::string_view = 0;
    [[nodiscard]] virtual auto run(Problem const&, Context const&) const -> Solution = 0;
  };
  template <class Policy>
  struct model final : interface {
    explicit model(Policy p) : policy{std::move(p)} {}
    [[nodiscard]] auto name() const -> std::string_view override { return policy.name(); }
    [[nodiscard]] auto run(Problem const& problem, Context const& context) const
        -> Solution override {
      return policy(problem, context);
    }
    Policy policy;
  };
  std::shared_ptr<interface const> self_;
};

} // namespace mars
