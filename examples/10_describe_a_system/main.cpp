// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A system of one's own: accelerators, the designs they can be configured with, and the links between
// them. Here: two boards with four chips each, one big switch-less board of older chips beside them.

#include <mars/mars.hpp>

int main() {
  using namespace mars::literals;

  // An accelerator is memory and designs. Two or more designs make it adaptive.
  auto const chip = mars::accelerator{
      .name = "chip",
      .capacity = 2_GB,
      .configurations = {
          mars::hardware::winograd{.title = "winograd", .clock = 300_MHz},
          mars::hardware::systolic_array{
              .title = "systolic", .row = 32, .col = 16, .vec = 4, .clock = 300_MHz}}};

  // Two groups of four, 25 Gb/s inside a group, 8 Gb/s to the host between them.
  mars::system const ours{
      "two boards", std::vector<mars::accelerator>(8, chip),
      mars::interconnect::grouped_through_host{.groups = {{0, 1, 2, 3}, {4, 5, 6, 7}},
                                               .intra_bandwidth = 25_Gbps,
                                               .host_bandwidth = 8_Gbps}};
  if (auto const ok = ours.validate(); !ok) {
    fmt::print("{}\n", to_string(ok.error()));
    return 2;
  }

  // What would the same chips be worth on other interconnects?
  auto const network = mars::zoo::resnet50();
  auto const report = [&](auto const& system) {
    auto const plan = mars::mapper{}(network, system);
    fmt::print("{:<12} {:>9.4}  {} sets, the first of {} accelerators\n", system.name,
               plan.latency(), plan.mapping.sets.size(), plan.mapping.sets[0].accelerators.size());
  };
  report(ours);
  report(mars::system{"ring", ours.accelerators,
                      mars::interconnect::ring{.accelerators = 8, .bandwidth = 25_Gbps}});
  report(mars::system{"torus 4×2", ours.accelerators,
                      mars::interconnect::torus{.extents = {4, 2}, .bandwidth = 25_Gbps}});
  report(mars::system{"switch", ours.accelerators,
                      mars::interconnect::switched{.accelerators = 8, .bandwidth = 25_Gbps}});

  // A mistake is one line that names the culprit.
  auto broken = ours;
  broken.interconnect.host_bandwidth = mars::bytes_per_second{-1};
  fmt::print("{}\n", to_string(broken.validate().error()));
}
