// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/concept.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace mars {

/// Any compression behind one type, for choice at run time; copies share it. Powers that the wrapped one
/// lacks have neutral answers: it leaves single operators alone, and nobody tabulated its accuracy.
class any_compression {
public:
  template <class C>
  requires(!std::same_as<std::remove_cvref_t<C>, any_compression> &&
           Compression<std::remove_cvref_t<C>>) any_compression(C&& compression)
      : self_{
            std::make_shared<holder<std::remove_cvref_t<C>> const>(std::forward<C>(compression))} {}

  [[nodiscard]] auto name() const -> std::string { return self_->name(); }
  [[nodiscard]] auto operator()(graph const& g) const -> expected<graph> { return self_->apply(g); }
  [[nodiscard]] auto operator()(operation const& o) const -> std::optional<operation> {
    return self_->apply(o);
  }
  /// With an empty `compression`: none.
  [[nodiscard]] auto accuracy() const -> accuracy_key { return self_->accuracy(); }
  /// Is the wrapped one an `OperatorCompression`?
  [[nodiscard]] auto acts_on_operators() const -> bool { return self_->acts_on_operators(); }

private:
  struct base {
    base() = default;
    base(base const&) = delete;
    auto operator=(base const&) -> base& = delete;
    virtual ~base() = default;
    [[nodiscard]] virtual auto name() const -> std::string = 0;
    [[nodiscard]] virtual auto apply(graph const&) const -> expected<graph> = 0;
    [[nodiscard]] virtual auto apply(operation const&) const -> std::optional<operation> = 0;
    [[nodiscard]] virtual auto accuracy() const -> accuracy_key = 0;
    [[nodiscard]] virtual auto acts_on_operators() const -> bool = 0;
  };
  template <class C>
  struct holder final : base {
    C compression;

    template <class Argument>
    explicit holder(Argument&& c) : compression{std::forward<Argument>(c)} {}
    [[nodiscard]] auto name() const -> std::string override { return compression.name(); }
    [[nodiscard]] auto apply(graph const& g) const -> expected<graph> override {
      return compression(g);
    }
    [[nodiscard]] auto apply([[maybe_unused]] operation const& o) const
        -> std::optional<operation> override {
      if constexpr (OperatorCompression<C>)
        return compression(o);
      else
        return std::nullopt;
    }
    [[nodiscard]] auto accuracy() const -> accuracy_key override {
      if constexpr (names_its_accuracy<C>)
        return compression.accuracy();
      else
        return {};
    }
    [[nodiscard]] auto acts_on_operators() const -> bool override { return OperatorCompression<C>; }
  };

  std::shared_ptr<base const> self_;
};

} // namespace mars
