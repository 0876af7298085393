// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps ResNet-101 onto eight adaptive accelerators and prints the plan.

#include <mars/mars.hpp>

int main() {
  auto const network = mars::zoo::resnet101();
  auto const system = mars::presets::aws_f1_16xlarge();
  mars::mapper const mapper{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            mars::search::exact{}};
  auto const plan = mapper(network, system);
  fmt::print("{}", plan); // latency, lower bound, gap, and who runs what
}
