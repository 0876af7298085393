// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/measurement/machine.hpp>

#include <array>
#include <cstddef>
#include <string>

using mars::bytes;
using mars::bytes_per_second;
using mars::seconds;
using mars_test::approx;
namespace measurement = mars::measurement;

TEST_CASE("machine: what Linux says of x86 and of Arm", "[measurement]") {
  measurement::machine x86;
  measurement::detail::read_cpuinfo("processor\t: 0\n"
                                    "cpu family\t: 6\n"
                                    "model\t\t: 143\n"
                                    "model name\t: Some\tProcessor\n"
                                    "stepping\t: 8\n"
                                    "flags\t\t: fpu fma avx avx2 avx512fancy\n"
                                    "model name\t: of another core\n",
                                    x86);
  CHECK(x86.name == "Some Processor 6/143/8");
  CHECK(x86.features == "avx+avx2+fma");
  CHECK(x86.key().find('\t') == std::string::npos);

  measurement::machine arm;
  measurement::detail::read_cpuinfo("processor\t: 0\n"
                                    "Features\t: fp asimd sve\n"
                                    "CPU implementer\t: 0x41\n"
                                    "CPU part\t: 0xd40\n",
                                    arm);
  CHECK(arm.name == "CPU 0x41:0xd40");
  CHECK(arm.features == "asimd+sve");

  measurement::machine nothing;
  measurement::detail::read_cpuinfo("", nothing);
  CHECK(nothing.name == "unknown");
  CHECK(nothing.key() != arm.key());
}

TEST_CASE("machine: sizes of caches", "[measurement]") {
  CHECK(measurement::detail::size_of_cache("48K\n") == bytes{48 << 10});
  CHECK(measurement::detail::size_of_cache("2M") == bytes{2 << 20});
  CHECK(measurement::detail::size_of_cache("") == bytes{0});
}

TEST_CASE("machine: the key does not depend on what is measured", "[measurement]") {
  auto m = measurement::describe_machine();
  auto const key = m.key();
  m.peak = mars::flops_per_second{1e9};
  CHECK(m.key() == key);
  m.lanes *= 2;
  CHECK(m.key() != key);
}

TEST_CASE("machine: measured in moderate time, rates fall with the working set", "[measurement]") {
  auto const before = measurement::thread_clock{}.now();
  measurement::machine_options o{.working_sets = {bytes{16 << 10}, bytes{1 << 20}, bytes{8 << 20}}};
  o.timing.budget = seconds{0.02};
  auto const m = measurement::measure_machine(o);
  CHECK((measurement::thread_clock{}.now() - before).count() < 5);
  CHECK(m.peak.count() > 0);
  REQUIRE(m.bandwidth.points.size() == 3);
  for (std::size_t i = 1; i < 3; ++i)
    CHECK(m.bandwidth.points[i].rate <= m.bandwidth.points[i - 1].rate);
}

// Every width that runs here does the sums that it is timed for.
TEST_CASE("machine: probes compute", "[measurement]") {
  auto const probe = measurement::detail::widest_probe();
  // x ← x/2 + 1/4 goes to 1/2 in each of ten chains.
  CHECK(probe.multiply_add(100) == approx(5).epsilon(1e-5));
  CHECK(measurement::detail::multiply_add_portable(100) == approx(5).epsilon(1e-5));
  alignas(64) std::array<float, 512> data{};
  for (std::size_t i = 0; i < data.size(); i += 16) data[i] = 1; // what ends up in lane 0
  CHECK(probe.read(data.data(), data.size()) > 0);
  data.fill(1);
  CHECK(probe.read(data.data(), 512) == approx(512 / (probe.fma_per_round / 10)).epsilon(1e-6));
  CHECK(probe.read(data.data(), 256) == approx(256 / (probe.fma_per_round / 10)).epsilon(1e-6));
  CHECK(measurement::detail::read_portable(data.data(), 512) > 0);
}
