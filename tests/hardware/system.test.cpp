// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/convolution.hpp"

#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/fully_connected.hpp>

#include <array>
#include <limits>
#include <string>

using namespace mars;
namespace hw = mars::hardware;

namespace {

auto two_boards() -> mars::system<accelerator, interconnect::fully_connected> {
  accelerator const board{.name = "board",
                          .capacity = bytes{1'000'000'000},
                          .configurations = {hw::super_lip{}, hw::winograd{}}};
  return {.name = "two boards",
          .accelerators = {board, board},
          .interconnect = {.accelerators = 2, .bandwidth = bytes_per_second{1e9}}};
}

template <class S>
auto path_of(S const& s) -> std::string {
  auto const r = s.validate();
  return r ? "" : r.error().path;
}

/// A user's own accelerator: no base class, no wrapper.
struct own_device {
  std::string name{"own"};
  [[nodiscard]] auto memory() const -> bytes { return bytes{64}; }
  [[nodiscard]] auto designs() const -> std::array<hw::winograd, 1> { return {}; }
};

/// An interconnect that lists links but does not check itself.
struct bare_links {
  bytes_per_second bandwidth;
  [[nodiscard]] auto size() const -> std::size_t { return 2; }
  [[nodiscard]] auto transfer_time(accelerator_id, accelerator_id, bytes) const -> seconds {
    return {};
  }
  [[nodiscard]] auto links() const -> std::array<mars::link, 1> {
    return {mars::link{"l", {}, {node_kind::accelerator, 1}, bandwidth, {}}};
  }
  [[nodiscard]] auto route(accelerator_id, accelerator_id) const -> std::array<link_id, 1> {
    return {};
  }
};

} // namespace

TEST_CASE("a system is checked as a whole, with a path to the culprit") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(path_of(two_boards()) == "");

  auto s = two_boards();
  s.accelerators[1].capacity = bytes{0};
  CHECK(path_of(s) == "accelerators[1].memory");

  s = two_boards();
  s.accelerators[1].configurations.clear();
  CHECK(path_of(s) == "accelerators[1].designs");

  s = two_boards();
  s.accelerators[0].configurations[1] = hw::winograd{.clock = hertz{nan}};
  CHECK(path_of(s) == "accelerators[0].designs[1].clock");

  s = two_boards();
  s.accelerators[0].configurations[1] = hw::winograd{.title = "super_lip"};
  CHECK(path_of(s) == "accelerators[0].designs[1].name");
  CHECK(s.validate().error().code == error_code::duplicate);

  s = two_boards();
  s.accelerators[0].draw = watts{-1};
  CHECK(path_of(s) == "accelerators[0].power");

  s = two_boards();
  s.interconnect.bandwidth = bytes_per_second{nan};
  CHECK(path_of(s) == "interconnect.bandwidth");

  s = two_boards();
  s.accelerators.pop_back();
  CHECK(path_of(s) == "interconnect");
  CHECK(s.validate().error().code == error_code::shape_mismatch);

  s.accelerators.clear();
  CHECK(path_of(s) == "accelerators");
}

TEST_CASE("links are checked where the interconnect does not check itself") {
  auto boards = two_boards().accelerators;
  mars::system<accelerator, bare_links> s{"bare", boards, {bytes_per_second{0}}};
  CHECK(path_of(s) == "interconnect.links[0].bandwidth");
  CHECK(path_of(any_system(s)) == "interconnect.links[0].bandwidth");
  s.interconnect.bandwidth = bytes_per_second{1};
  CHECK(path_of(s) == "");
}

TEST_CASE("every system converts into any_system") {
  any_system const boards = two_boards();
  CHECK(boards.name == "two boards");
  CHECK(boards.size() == 2);
  CHECK(boards.interconnect.size() == 2);
  CHECK(boards.accelerators == two_boards().accelerators);
  CHECK(boards.validate().has_value());
  CHECK(
      boards.interconnect.transfer_time(accelerator_id{0}, accelerator_id{1}, bytes{1'000'000'000})
          .count() == 1.0);

  mars::system<own_device, interconnect::fully_connected> const own{
      .name = "own",
      .accelerators = {{}, {}},
      .interconnect = {.accelerators = 2, .bandwidth = bytes_per_second{1}}};
  CHECK(path_of(own) == "");
  any_system const wrapped = own;
  CHECK(wrapped.accelerators[1].name == "own");
  CHECK(wrapped.accelerators[1].memory() == bytes{64});
  REQUIRE(wrapped.accelerators[1].designs().size() == 1);
  CHECK(wrapped.accelerators[1].designs()[0] == any_design{hw::winograd{}});
  CHECK_FALSE(is_known(wrapped.accelerators[1].power()));
}
