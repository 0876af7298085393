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

int main(int argc, char** argv) { return streams_gpu::run({argv + 1, argv + argc}); }
