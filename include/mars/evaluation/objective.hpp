// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/named.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/evaluation/ticks.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mars {

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
/// Models: `objective::latency`, `objective::throughput`, `objective::energy`, `objective::weighted`;
/// `objective::within` puts limits on another.
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

/// Latency and energy at once, weighed: a whole number for every picosecond and every picojoule, so
/// that sums are exact and a proven bound stays one.
struct weighted {
  std::int64_t per_picosecond{1};
  std::int64_t per_picojoule{1};

  [[nodiscard]] auto name() const -> std::string_view { return "weighted"; }
  [[nodiscard]] auto how() const -> aggregate { return aggregate::sum; }
  [[nodiscard]] auto node(operator_price const& p) const -> std::optional<ticks> {
    auto const spent = energy{}.node(p);
    if (!spent && per_picojoule != 0 && p.total() < never) return std::nullopt;
    return sum(p.total().count(), spent.value_or(0));
  }
  [[nodiscard]] auto edge(picoseconds t) const -> ticks { return sum(t.count(), 0); }
  [[nodiscard]] auto operator()(evaluation const& e) const -> std::optional<ticks> {
    auto const spent = energy{}(e);
    if (!spent && per_picojoule != 0) return std::nullopt;
    return sum(e.latency.count(), spent.value_or(0));
  }

private:
  [[nodiscard]] auto sum(ticks time, ticks spent) const -> ticks {
    auto const times = [](std::int64_t weight, ticks t) {
      return t >= no_ticks || (weight > 0 && t > no_ticks / weight) ? no_ticks : weight * t;
    };
    auto const a = times(per_picosecond, time);
    auto const b = per_picojoule == 0 ? 0 : times(per_picojoule, spent);
    return a >= no_ticks - b ? no_ticks : a + b;
  }
};

/// Another objective under limits: as small as possible with at most so much memory on every
/// accelerator, and so much energy for one inference. What passes a limit is worth `no_ticks`.
template <Objective Base = latency>
struct within {
  Base base{};
  std::optional<bytes> memory{};  ///< of every accelerator that has more
  std::optional<joules> energy{}; ///< of all shards, as `objective::energy` counts it

  [[nodiscard]] auto name() const -> std::string_view { return base.name(); }
  [[nodiscard]] auto how() const -> aggregate { return base.how(); }
  [[nodiscard]] auto node(operator_price const& p) const -> std::optional<ticks> {
    return base.node(p);
  }
  [[nodiscard]] auto edge(picoseconds t) const -> ticks { return base.edge(t); }
  [[nodiscard]] auto operator()(evaluation const& e) const -> std::optional<ticks> {
    if (memory)
      for (auto const& use : e.memory)
        if (use.peak > *memory) return no_ticks;
    if (auto const limit = spending_limit()) {
      auto const all = objective::energy{}(e);
      if (!all || *all > *limit) return no_ticks;
    }
    return base(e);
  }

  [[nodiscard]] auto memory_limit() const -> std::optional<bytes> { return memory; }
  [[nodiscard]] auto spending_limit() const -> std::optional<ticks> {
    if (!energy) return std::nullopt;
    return to_picoseconds(seconds{energy->count()}).count();
  }
  [[nodiscard]] auto spent(operator_price const& p) const -> std::optional<ticks> {
    return objective::energy{}.node(p);
  }
};

} // namespace objective

/// An objective that also sets limits: on the memory of an accelerator, and on something that
/// operators spend and that adds up. Absent = no limit. Model: `objective::within`.
template <class O>
concept LimitingObjective = Objective<O> && requires(O const& o, operator_price const& price) {
  { o.memory_limit() } -> std::same_as<std::optional<bytes>>;
  { o.spending_limit() } -> std::same_as<std::optional<ticks>>;
  { o.spent(price) } -> std::same_as<std::optional<ticks>>;
};

} // namespace mars
