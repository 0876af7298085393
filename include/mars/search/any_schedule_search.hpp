// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/search/concept.hpp>
#include <mars/search/context.hpp>

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mars::search {

/// Any policy that searches for schedules behind one type, for choice at run time.
class any_schedule_search {
public:
  template <class Policy>
  requires(!std::same_as<std::remove_cvref_t<Policy>, any_schedule_search>) &&
      ScheduleSearchPolicy<Policy> any_schedule_search(Policy policy)
      : self_{std::make_shared<model<Policy>>(std::move(policy))} {}

  [[nodiscard]] auto name() const -> std::string_view { return self_->name(); }
  [[nodiscard]] auto operator()(schedule_problem const& problem,
                                search_context const& context) const -> schedule_solution {
    return self_->run(problem, context);
  }

private:
  struct interface {
    interface() = default;
    interface(interface const&) = delete;
    auto operator=(interface const&) -> interface& = delete;
    virtual ~interface() = default;
    [[nodiscard]] virtual auto name() const -> std::string_view = 0;
    [[nodiscard]] virtual auto run(schedule_problem const&, search_context const&) const
        -> schedule_solution = 0;
  };
  template <class Policy>
  struct model final : interface {
    explicit model(Policy p) : policy{std::move(p)} {}
    [[nodiscard]] auto name() const -> std::string_view override { return policy.name(); }
    [[nodiscard]] auto run(schedule_problem const& problem, search_context const& context) const
        -> schedule_solution override {
      return policy(problem, context);
    }
    Policy policy;
  };
  std::shared_ptr<interface const> self_;
};

} // namespace mars::search
