// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runtime: what a schedule of operators on streams (`stream_schedule`, spelled out by `to_program`) runs on.
// A sink: nothing else in the library knows of it, and mars.hpp does not include it.
//
//   runtime::stream_executor   the CPU, a thread for each stream; finds races in every run
//   runtime::capture_graph     a CUDA graph, captured from streams: libraries' calls, too
//   runtime::build_graph       a CUDA graph, kernel by kernel, without edges that others imply
//   runtime::profile_graph     kernels measured alone on the device, for `stream_graph`
//   runtime::read_device       the device's limits and peaks, for `gpu_device`
//   runtime::measure_overheads what replays, chains and events cost there
//
// A device is reached through a `GpuApi` (runtime/concept.hpp). CUDA's is `runtime::cuda_api`, in a header of
// its own that needs the toolkit and is not included here:
//
//   #include <mars/runtime.hpp>
//   #include <mars/runtime/cuda.hpp>
//
//   mars::runtime::cuda_api const cuda;
//   auto const program = mars::to_program(problem, solution.schedule);
//   auto const graph = mars::runtime::capture_graph(cuda, program, [&](std::uint32_t node, cudaStream_t s) {
//     my_operators[node].enqueue(s);
//   });
//   graph.value().replay(stream).value(); // for every inference
//
// benchmarks/gpu/ is such a program. Other devices: write the verbs of `GpuApi`.

#include <mars/runtime/concept.hpp>
#include <mars/runtime/cuda_graph.hpp>
#include <mars/runtime/kernel_profile.hpp>
#include <mars/runtime/stream_executor.hpp>
