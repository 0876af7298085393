// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/interconnect.hpp>
#include <mars/interconnect/arbitrary.hpp>

#include <vector>

using mars::accelerator_id;
using mars::bytes;
using mars::Interconnect;
using mars::RoutedInterconnect;
using mars::seconds;

namespace {
/// The least a user writes.
struct least {
  [[nodiscard]] auto size() const -> std::size_t { return 2; }
  [[nodiscard]] auto transfer_time(accelerator_id, accelerator_id, bytes) const -> seconds {
    return seconds{1};
  }
};
struct without_size {
  [[nodiscard]] auto transfer_time(accelerator_id, accelerator_id, bytes) const -> seconds;
};
struct without_transfer_time {
  [[nodiscard]] auto size() const -> std::size_t;
};
struct time_is_a_double : without_transfer_time {
  [[nodiscard]] auto transfer_time(accelerator_id, accelerator_id, bytes) const -> double;
};
struct time_not_const : without_transfer_time {
  [[nodiscard]] auto transfer_time(accelerator_id, accelerator_id, bytes) -> seconds;
};
struct not_copyable : least {
  not_copyable(not_copyable const&) = delete;
};
struct routed : least {
  [[nodiscard]] auto links() const -> std::vector<mars::link>;
  [[nodiscard]] auto route(accelerator_id, accelerator_id) const -> std::vector<mars::link_id>;
};
struct without_route : least {
  [[nodiscard]] auto links() const -> std::vector<mars::link>;
};
struct without_links : least {
  [[nodiscard]] auto route(accelerator_id, accelerator_id) const -> std::vector<mars::link_id>;
};
struct route_of_integers : without_route {
  [[nodiscard]] auto route(accelerator_id, accelerator_id) const -> std::vector<int>;
};
} // namespace

static_assert(Interconnect<least> && !RoutedInterconnect<least>);
static_assert(RoutedInterconnect<routed>);
static_assert(!Interconnect<without_size>);
static_assert(!Interconnect<without_transfer_time>);
static_assert(!Interconnect<time_is_a_double>);
static_assert(!Interconnect<time_not_const>);
static_assert(!Interconnect<not_copyable>);
static_assert(!RoutedInterconnect<without_route>);
static_assert(!RoutedInterconnect<without_links>);
static_assert(!RoutedInterconnect<route_of_integers>);

static_assert(RoutedInterconnect<mars::interconnect::fully_connected>);
static_assert(RoutedInterconnect<mars::interconnect::grouped_through_host>);
static_assert(RoutedInterconnect<mars::interconnect::ring>);
static_assert(RoutedInterconnect<mars::interconnect::mesh>);
static_assert(RoutedInterconnect<mars::interconnect::torus>);
static_assert(RoutedInterconnect<mars::interconnect::switched>);
static_assert(RoutedInterconnect<mars::interconnect::hierarchy>);
static_assert(RoutedInterconnect<mars::interconnect::fat_tree>);
static_assert(RoutedInterconnect<mars::interconnect::arbitrary>);
static_assert(RoutedInterconnect<mars::any_interconnect>);
static_assert(std::regular<mars::interconnect::torus>);
static_assert(!std::constructible_from<mars::any_interconnect, least>);

TEST_CASE("interconnect concept: without a word, messages are stored and forwarded", "[concepts]") {
  CHECK(mars::forwarding_of(routed{}) == mars::forwarding_mode::store_and_forward);
  CHECK(mars::forwarding_of(mars::interconnect::ring{}) == mars::forwarding_mode::cut_through);
}
