// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/pricing.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mars {

/// The number that searches minimise: whole picoseconds or picojoules.
using ticks = std::int64_t;
inline constexpr ticks no_ticks = never.count(); ///< "cannot be done"

/// How the values of operators and tensors become the value of a mapping.
enum class aggregate : std::uint8_t {
  sum,        ///< all of them, one after another
  bottleneck, ///< summed per set of accelerators, then the largest
};

template <class O>
concept states_aggregate = requires(O const& o) {
  { o.how() } -> std::same_as<aggregate>;
};
template <class O>
concept values_operators = requires(O const& o, operator_price const& price) {
  { o.node(price) } -> std::same_as<std::optional<ticks>>;
};
template <class O>
concept values_transfers = requires(O const& o, picoseconds time) {
  { o.edge(time) } -> std::same_as<ticks>;
};
template <class O>
concept values_evaluations = requires(O const& o, evaluation const& e) {
  { o(e) } -> std::same_as<std::optional<ticks>>;
};

/// What a good mapping is. Smaller is better.
///
/// expression      | type                   | meaning
/// ----------------|------------------------|------------------------------------------------------
/// `o.name()`      | `string_view`          | as on the command line
/// `o.how()`       | `aggregate`            | of the values below
/// `o.node(price)` | `optional<ticks>`      | value of an operator; nothing = the price lacks what is needed
/// `o.edge(time)`  | `ticks`                | value of moving a tensor
/// `o(evaluation)` | `optional<ticks>`      | value of an evaluated mapping: equals the aggregate
///
/// Models: `objective::latency`, `objective::throughput`, `objective::energy`.
template <class O>
concept Objective = names_itself<O> && states_aggregate<O> && values_operators<O> &&
    values_transfers<O> && values_evaluations<O> && std::copyable<O>;

namespace objective {

/// Time of one inference, operators one after another (MARS).
struct latency {
  [[nodiscard]] auto name() const -> std::string_view { return "latency"; }
  [[nodiscard]] auto how() const -> aggregate { return aggregate::sum; }
  [[nodiscard]] auto node(operator_price const& p) const -> std::optional<ticks> {
    return p.total().count();
  }
  [[nodiscard]] auto edge(picoseconds t) const -> ticks { return t.count(); }
  [[nodiscard]] auto operator()(evaluation const& e) const -> std::optional<ticks> {
    return e.latency.count();
  }
};

/// Pipelined inferences: the busiest set decides how often one leaves.
struct throughput {
  [[nodiscard]] auto name() const -> std::string_view { return "throughput"; }
  [[nodiscard]] auto how() const -> aggregate { return aggregate::bottleneck; }
  [[nodiscard]] auto node(operator_price const& p) const -> std::optional<ticks> {
    return p.total().count();
  }
  [[nodiscard]] auto edge(picoseconds t) const -> ticks { return t.count(); }
  [[nodiscard]] auto operator()(evaluation const& e) const -> std::optional<ticks> {
    return e.bottleneck.count();
  }
};

/// Energy of the shards; moving bytes is not charged (no interconnect model knows its energy yet).
struct energy {
  [[nodiscard]] auto name() const -> std::string_view { return "energy"; }
  [[nodiscard]] auto how() const -> aggregate { return aggregate::sum; }
  [[nodiscard]] auto node(operator_price const& p) const -> std::optional<ticks> {
    if (p.total() >= never) return no_ticks;
    if (!p.energy) return std::nullopt;
    return to_picoseconds(seconds{p.energy->count()}).count();
  }
  [[nodiscard]] auto edge(picoseconds t) const -> ticks { return t >= never ? no_ticks : 0; }
  [[nodiscard]] auto operator()(evaluation const& e) const -> std::optional<ticks> {
    if (e.latency >= never) return no_ticks;
    if (!e.energy) return std::nullopt;
    return to_picoseconds(seconds{e.energy->count()}).count();
  }
};

} // namespace objective

} // namespace mars
