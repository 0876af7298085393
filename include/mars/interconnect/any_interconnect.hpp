// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/interconnect/concept.hpp>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// Any routed interconnect behind one type, for choice at run time; copies share it. A call costs
/// one virtual call; links() is computed once, so it is also a cache for models that list their
/// links afresh each time. A model without routes cannot be wrapped: contention would be lost
/// without anybody noticing. It stages transfers if the model does.
class any_interconnect {
public:
  template <class N>
  requires(!std::same_as<N, any_interconnect> && RoutedInterconnect<N>)
      any_interconnect(N model, std::string name = default_name<N>())
      : self_{std::make_shared<holder<N> const>(std::move(model), std::move(name))} {}

  [[nodiscard]] auto name() const -> std::string const& { return self_->name; }
  [[nodiscard]] auto size() const -> std::size_t { return self_->size(); }
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    return self_->transfer_time(from, to, size);
  }
  [[nodiscard]] auto links() const -> std::span<link const> { return self_->links; }
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    return self_->route(from, to);
  }
  [[nodiscard]] auto forwarding() const -> forwarding_mode { return self_->forwarding; }
  [[nodiscard]] auto is_staged() const -> bool { return self_->staged; }
  /// 0 if the model does not stage transfers.
  [[nodiscard]] auto host_time(accelerator_id a, bytes size) const -> seconds {
    return self_->host_time(a, size);
  }
  [[nodiscard]] auto joins_follow_first() const -> bool { return self_->follow_first; }

  /// The wrapped model if it is an `N`, else null: for writers that must name its parameters.
  template <RoutedInterconnect N>
  [[nodiscard]] auto get_if() const -> N const* {
    return self_->tag == tag_of<N>() ? &static_cast<holder<N> const&>(*self_).model : nullptr;
  }

private:
  /// The address of a variable per type: run-time types without RTTI.
  template <class N>
  [[nodiscard]] static auto tag_of() -> void const* {
    static char const tag{};
    return &tag;
  }

  struct base {
    void const* tag;
    std::string name;
    std::vector<link> links;
    forwarding_mode forwarding;
    bool staged{};
    bool follow_first{};

    base(void const* t, std::string n, std::span<link const> l, forwarding_mode f)
        : tag{t}, name{std::move(n)}, links(l.begin(), l.end()), forwarding{f} {}
    base(base const&) = delete;
    auto operator=(base const&) -> base& = delete;
    virtual ~base() = default;
    [[nodiscard]] virtual auto size() const -> std::size_t = 0;
    [[nodiscard]] virtual auto transfer_time(accelerator_id, accelerator_id, bytes) const
        -> seconds = 0;
    [[nodiscard]] virtual auto host_time(accelerator_id, bytes) const -> seconds = 0;
    [[nodiscard]] virtual auto route(accelerator_id, accelerator_id) const
        -> std::vector<link_id> = 0;
  };

  template <class N>
  struct holder final : base {
    N model;

    holder(N m, std::string n)
        : base{tag_of<N>(), std::move(n), m.links(), forwarding_of(m)}, model{std::move(m)} {
      if constexpr (StagedInterconnect<N>) {
        staged = mars::is_staged(model);
        follow_first = mars::joins_follow_first(model);
      }
    }
    [[nodiscard]] auto size() const -> std::size_t override { return model.size(); }
    [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
        -> seconds override {
      return model.transfer_time(from, to, size);
    }
    [[nodiscard]] auto host_time(accelerator_id a, bytes size) const -> seconds override {
      if constexpr (StagedInterconnect<N>)
        return model.host_time(a, size);
      else
        return (void)a, (void)size, seconds{0};
    }
    [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const
        -> std::vector<link_id> override {
      auto const& ids = model.route(from, to);
      std::span<link_id const> const view{ids};
      return {view.begin(), view.end()};
    }
  };

  template <class N>
  [[nodiscard]] static auto default_name() -> std::string {
    if constexpr (requires { std::string{N::name()}; })
      return std::string{N::name()};
    else
      return "interconnect";
  }

  std::shared_ptr<base const> self_;
};

} // namespace mars
