// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/collective.hpp>
#include <mars/interconnect.hpp>

#include <string_view>

using mars::bytes;
using mars::collective_kind;
using mars::CollectiveModel;
using mars::seconds;
using group_view = std::span<mars::accelerator_id const>;

namespace {
/// The least a user writes.
struct least {
  template <mars::Interconnect Net>
  [[nodiscard]] auto time(Net const&, collective_kind, group_view, bytes) const -> seconds {
    return seconds{1};
  }
};
struct without_time {};
struct without_kind {
  template <class Net>
  [[nodiscard]] auto time(Net const&, group_view, bytes) const -> seconds;
};
struct time_is_a_double {
  template <class Net>
  [[nodiscard]] auto time(Net const&, collective_kind, group_view, bytes) const -> double;
};
struct time_not_const {
  template <class Net>
  [[nodiscard]] auto time(Net const&, collective_kind, group_view, bytes) -> seconds;
};
struct not_copyable : least {
  not_copyable(not_copyable const&) = delete;
};
struct for_tori_only {
  [[nodiscard]] auto time(mars::interconnect::torus const&, collective_kind, group_view,
                          bytes) const -> seconds;
};
} // namespace

static_assert(CollectiveModel<least>);
static_assert(!CollectiveModel<without_time>);
static_assert(!CollectiveModel<without_kind>);
static_assert(!CollectiveModel<time_is_a_double>);
static_assert(!CollectiveModel<time_not_const>);
static_assert(!CollectiveModel<not_copyable>);
static_assert(!CollectiveModel<for_tori_only>);
static_assert(CollectiveModel<for_tori_only, mars::interconnect::torus>);
static_assert(!CollectiveModel<least, int>);

static_assert(CollectiveModel<mars::collective::ring>);
static_assert(CollectiveModel<mars::collective::tree>);
static_assert(CollectiveModel<mars::collective::halving_doubling>);
static_assert(CollectiveModel<mars::collective::direct>);
static_assert(CollectiveModel<mars::collective::hierarchical<>>);
static_assert(CollectiveModel<mars::collective::cheapest<mars::collective::ring, least>>);
static_assert(CollectiveModel<mars::collective::standard>);
static_assert(CollectiveModel<mars::collective::calibrated<>>);
static_assert(CollectiveModel<mars::collective::standard, mars::any_interconnect>);
static_assert(!mars::NamesAlgorithm<least, mars::interconnect::ring>);
static_assert(mars::NamesAlgorithm<mars::collective::standard, mars::interconnect::ring>);

TEST_CASE("collective concept: kinds have names", "[concepts]") {
  CHECK(mars::kind_name(collective_kind::all_reduce) == std::string_view{"all-reduce"});
  for (auto const k : mars::all_collective_kinds) CHECK(mars::kind_name(k) != "unknown");
}
