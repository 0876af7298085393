// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>
#include <mars/core/units.hpp>
#include <mars/interconnect/concept.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mars {

/// What a group of g accelerators does together, and what "S bytes" means for it:
///   all_reduce      each holds S, each ends with the sum of all                S: a whole buffer
///   reduce_scatter  each holds S, each ends with 1/g of the sum                S: a whole buffer
///   all_gather      each holds S/g, each ends with all of them                 S: the whole result
///   broadcast       the first of the group holds S, each ends with it          S: the whole buffer
///   all_to_all      each holds S, of which 1/g is meant for each               S: a whole buffer
///   shift           each passes S to its neighbour in a ring (one rotation)    S: the part passed
enum class collective_kind : std::uint8_t {
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  all_to_all,
  shift
};

inline constexpr collective_kind all_collective_kinds[] = {
    collective_kind::all_reduce, collective_kind::all_gather, collective_kind::reduce_scatter,
    collective_kind::broadcast,  collective_kind::all_to_all, collective_kind::shift};

[[nodiscard]] constexpr auto kind_name(collective_kind kind) -> std::string_view {
  switch (kind) {
  case collective_kind::all_reduce: return "all-reduce";
  case collective_kind::all_gather: return "all-gather";
  case collective_kind::reduce_scatter: return "reduce-scatter";
  case collective_kind::broadcast: return "broadcast";
  case collective_kind::all_to_all: return "all-to-all";
  case collective_kind::shift: return "shift";
  }
  return "unknown";
}

namespace detail {
/// The least an Interconnect can be: what a model must accept to be a CollectiveModel.
struct least_interconnect {
  [[nodiscard]] auto size() const -> std::size_t;
  [[nodiscard]] auto transfer_time(accelerator_id, accelerator_id, bytes) const -> seconds;
};
} // namespace detail

template <class M, class Net>
concept PricesCollectives = requires(M const& m, Net const& net, collective_kind kind,
                                     std::span<accelerator_id const> group, bytes size) {
  { m.time(net, kind, group, size) } -> std::same_as<seconds>;
};
template <class M, class Net>
concept NamesAlgorithm = requires(M const& m, Net const& net, collective_kind kind,
                                  std::span<accelerator_id const> group, bytes size) {
  { m.algorithm(net, kind, group, size) } -> std::convertible_to<std::string_view>;
};

/// Role: how long a collective operation of a group takes while nothing else uses the links.
///
/// Refines std::copyable. `m` is an M const&, `net` an Interconnect, `g` distinct members of it.
///   m.time(net, kind, g, S)       · seconds     · until the last member is done  · cost: see model
///   m.algorithm(net, kind, g, S)  · string_view · optional: what it would run
///
/// Semantics: (1) a group of none or one takes 0 s; (2) it depends on the set of members only, for
/// broadcast also on which is first; (3) it is pure, from any thread; (4) an unsupported kind is
/// infinite_seconds, so that it is never chosen.
/// A model for particular interconnects only is a CollectiveModel<Net> of those.
/// Models: every type in mars::collective. Example: collective/direct.hpp.
template <class M, class Net = detail::least_interconnect>
concept CollectiveModel = Interconnect<Net> && std::copyable<M> && PricesCollectives<M, Net>;

} // namespace mars
