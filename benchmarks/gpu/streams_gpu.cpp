// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Do schedules of operators on streams run as the simulator says? Networks of this benchmark's own kernels
// (no cuDNN) on one GPU, sequential against Nimble, Opara and the search:
//
//   cmake -S . -B build/gpu -DMARS_BUILD_GPU_BENCHMARK=ON -DMARS_BUILD_TESTS=OFF -DMARS_BUILD_EXAMPLES=OFF
//   cmake --build build/gpu --target streams_gpu
//   build/gpu/benchmarks/gpu/streams_gpu [SAMPLES] [NETWORK…]     all networks, 50 samples
//
// For each policy: streams, waits, the simulated latency, medians of replays of the captured and of the built
// graph, the speed-up over sequential, prediction by measurement (the faster graph), and how far results are
// from a float64 reference. Profile and overheads are measured in the same run. Exit status 1: results were
// wrong; 2: a call failed, or arguments were. Fix the clocks (nvidia-smi -lgc) for times worth comparing.
#include "compare.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  mars::runtime::profile_options options{.warm_up = 5, .samples = 50};
  int first = 1;
  if (argc > 1 && std::atoi(argv[1]) > 0) options.samples = std::atoi(argv[first++]);
  std::vector<std::string> const wanted(argv + first, argv + argc);

  bool right = true, any = false;
  for (auto const& n :
       {streams_gpu::googlenet(), streams_gpu::inception_v3(), streams_gpu::inception_resnet()}) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), n.name()) == wanted.end())
      continue;
    any = true;
    auto const c = streams_gpu::compare(n, options);
    if (!c) {
      std::fprintf(stderr, "streams_gpu: %s: %s\n", n.name().c_str(), to_string(c.error()).c_str());
      return 2;
    }
    print(stdout, *c);
    right = right && is_right(*c);
  }
  if (!any) {
    std::fprintf(stderr, "streams_gpu: networks are googlenet, inception_v3, inception_resnet\n");
    return 2;
  }
  return right ? 0 : 1;
}
