// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/named.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/context.hpp>

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mars::search {

template <class S, class Problem, class Solution>
concept answers = names_itself<S> &&
    requires(S const& s, Problem const& problem, search_context const& context) {
  { s(problem, context) } -> std::same_as<Solution>;
} && std::copyable<S>;

/// Any policy that answers `Problem` with `Solution` behind one type, for choice at run time (command
/// line, plugins).
template <class Problem, class Solution>
class basic_any_search {
public:
  // Not itself, asked first: whether it answers asks whether it can be copied.
  template <class Policy>
  requires(!std::same_as<std::remove_cvref_t<Policy>, basic_any_search> &&
           answers<Policy, Problem, Solution>) basic_any_search(Policy policy)
      : self_{std::make_shared<model<Policy>>(std::move(policy))} {}

  [[nodiscard]] auto name() const -> std::string_view { return self_->name(); }
  [[nodiscard]] auto operator()(Problem const& problem, search_context const& context) const
      -> Solution {
    return self_->run(problem, context);
  }

private:
  struct interface {
    interface() = default;
    interface(interface const&) = delete;
    auto operator=(interface const&) -> interface& = delete;
    virtual ~interface() = default;
    [[nodiscard]] virtual auto name() const -> std::string_view = 0;
    [[nodiscard]] virtual auto run(Problem const&, search_context const&) const -> Solution = 0;
  };
  template <class Policy>
  struct model final : interface {
    explicit model(Policy p) : policy{std::move(p)} {}
    [[nodiscard]] auto name() const -> std::string_view override { return policy.name(); }
    [[nodiscard]] auto run(Problem const& problem, search_context const& context) const
        -> Solution override {
      return policy(problem, context);
    }
    Policy policy;
  };
  std::shared_ptr<interface const> self_;
};

/// Any `SearchPolicy`, and any `ScheduleSearchPolicy`.
using any_search = basic_any_search<mapping_problem, solution>;
using any_schedule_search = basic_any_search<schedule_problem, schedule_solution>;

} // namespace mars::search
