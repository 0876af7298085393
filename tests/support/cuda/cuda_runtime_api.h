// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Of CUDA's runtime what mars calls, with its names, types and values, on `mars_test::fake_gpu`. Only the
// tests of runtime/ find it: there, runtime/cuda.hpp and benchmarks/gpu/ compile and run without a
// toolkit and without a GPU. Memory of the device is the host's.

#include "support/fake_gpu.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

// NOLINTBEGIN: names are CUDA's.
enum cudaError_t : int {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2
};

// Handles are distinct pointer types, of which nobody looks behind any.
using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphNode_t = struct CUgraphNode_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;

enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal = 0,
  cudaStreamCaptureModeThreadLocal = 1,
  cudaStreamCaptureModeRelaxed = 2
};
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDefault = 0, cudaEventDisableTiming = 2;

enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };

enum cudaDeviceAttr {
  cudaDevAttrWarpSize = 10,
  cudaDevAttrClockRate = 13,
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrMemoryClockRate = 36,
  cudaDevAttrGlobalMemoryBusWidth = 37,
  cudaDevAttrL2CacheSize = 38,
  cudaDevAttrMaxThreadsPerMultiProcessor = 39,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerMultiprocessor = 81,
  cudaDevAttrMaxRegistersPerMultiprocessor = 82,
  cudaDevAttrMaxBlocksPerMultiprocessor = 106,
  cudaDevAttrReservedSharedMemoryPerBlock = 111
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x{vx}, y{vy}, z{vz} {}
};
struct cudaKernelNodeParams {
  void* func;
  dim3 gridDim, blockDim;
  unsigned sharedMemBytes;
  void** kernelParams;
  void** extra;
};
struct cudaFuncAttributes {
  std::size_t sharedSizeBytes, constSizeBytes, localSizeBytes;
  int maxThreadsPerBlock, numRegs;
};

namespace mars_test {

/// The device behind CUDA's functions. Tests replace it by a new one.
inline auto cuda_device() -> fake_gpu& {
  static fake_gpu gpu;
  return gpu;
}
inline auto cuda_last_error() -> cudaError_t& {
  static cudaError_t last{};
  return last;
}
inline auto cuda_status(fake_gpu::status s) -> cudaError_t {
  auto const e = static_cast<cudaError_t>(s);
  if (e != cudaSuccess) cuda_last_error() = e;
  return e;
}
/// Work of the legacy stream that the host was not made to wait for: fills, and copies to the device, which
/// may return once they have read. Streams that do not block do not wait for it; here it comes after
/// whatever they do before the next synchronisation.
inline auto cuda_pending() -> std::vector<std::function<void()>>& {
  static std::vector<std::function<void()>> work;
  return work;
}
inline void cuda_finish() {
  for (auto const& f : std::exchange(cuda_pending(), {})) f();
}
template <class Handle>
auto cuda_handle(fake_gpu::handle h) -> Handle {
  return reinterpret_cast<Handle>(static_cast<std::uintptr_t>(h));
}
template <class Handle>
auto cuda_id(Handle h) -> fake_gpu::handle {
  return static_cast<fake_gpu::handle>(reinterpret_cast<std::uintptr_t>(h));
}
inline auto cuda_extent(dim3 d) -> dimensions { return {d.x, d.y, d.z}; }

/// Makes a plain function a kernel of the device. `enter(block index)` is called before each block.
template <class Args>
auto cuda_register(void (*f)(Args), int registers, std::size_t shared, void (*enter)(dim3))
    -> void const* {
  auto const address = reinterpret_cast<void const*>(f);
  fake_kernel k{.registers = registers, .shared = shared};
  k.argument_sizes = {sizeof(Args)};
  k.run_block = [f, enter](dimensions, dimensions at, dimensions, void** arguments) {
    enter(dim3(at[0], at[1], at[2]));
    Args a;
    std::memcpy(&a, arguments[0], sizeof a);
    f(a);
  };
  cuda_device().kernels[address] = std::move(k);
  return address;
}

} // namespace mars_test

inline auto cudaGetErrorName(cudaError_t e) -> char const* { return mars_test::fake_gpu::name(e); }
inline auto cudaGetErrorString(cudaError_t) -> char const* { return "in words"; }
inline auto cudaGetLastError() -> cudaError_t {
  return std::exchange(mars_test::cuda_last_error(), cudaSuccess);
}
inline auto cudaGetDevice(int* device) -> cudaError_t { return *device = 0, cudaSuccess; }
inline auto cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int) -> cudaError_t {
  return mars_test::cuda_status(mars_test::cuda_device().attribute(which, *value));
}

inline auto cudaMalloc(void** p, std::size_t n) -> cudaError_t {
  return (*p = std::malloc(n)) != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline auto cudaFree(void* p) -> cudaError_t { return std::free(p), cudaSuccess; }
inline auto cudaMemcpy(void* to, void const* from, std::size_t n, cudaMemcpyKind kind)
    -> cudaError_t {
  mars_test::cuda_finish();
  if (kind == cudaMemcpyDeviceToHost) return std::memcpy(to, from, n), cudaSuccess;
  std::vector<std::byte> const values(static_cast<std::byte const*>(from),
                                      static_cast<std::byte const*>(from) + n);
  mars_test::cuda_pending().push_back([=] { std::memcpy(to, values.data(), n); });
  return cudaSuccess;
}
inline auto cudaMemset(void* p, int value, std::size_t n) -> cudaError_t {
  mars_test::cuda_pending().push_back([=] { std::memset(p, value, n); });
  return cudaSuccess;
}

inline auto cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) -> cudaError_t {
  mars_test::fake_gpu::handle h{};
  auto const s = mars_test::cuda_device().create_stream(h);
  *out = mars_test::cuda_handle<cudaStream_t>(h);
  return mars_test::cuda_status(s);
}
inline auto cudaEventCreateWithFlags(cudaEvent_t* out, unsigned flags) -> cudaError_t {
  mars_test::fake_gpu::handle h{};
  auto const s = mars_test::cuda_device().create_event(h, (flags & cudaEventDisableTiming) == 0);
  *out = mars_test::cuda_handle<cudaEvent_t>(h);
  return mars_test::cuda_status(s);
}
inline auto cudaEventRecord(cudaEvent_t e, cudaStream_t s) -> cudaError_t {
  return mars_test::cuda_status(
      mars_test::cuda_device().record(mars_test::cuda_id(e), mars_test::cuda_id(s)));
}
inline auto cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) -> cudaError_t {
  return mars_test::cuda_status(
      mars_test::cuda_device().wait(mars_test::cuda_id(s), mars_test::cuda_id(e)));
}
inline auto cudaDeviceSynchronize() -> cudaError_t { return mars_test::cuda_finish(), cudaSuccess; }
inline auto cudaStreamSynchronize(cudaStream_t s) -> cudaError_t {
  if (s == nullptr) mars_test::cuda_finish();
  return mars_test::cuda_status(mars_test::cuda_device().synchronize(mars_test::cuda_id(s)));
}
inline auto cudaEventElapsedTime(float* ms, cudaEvent_t from, cudaEvent_t to) -> cudaError_t {
  double exact{};
  auto const s =
      mars_test::cuda_device().elapsed(mars_test::cuda_id(from), mars_test::cuda_id(to), exact);
  *ms = static_cast<float>(exact);
  return mars_test::cuda_status(s);
}

inline auto cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) -> cudaError_t {
  return mars_test::cuda_status(mars_test::cuda_device().begin_capture(mars_test::cuda_id(s)));
}
inline auto cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* out) -> cudaError_t {
  mars_test::fake_gpu::handle h{};
  auto const status = mars_test::cuda_device().end_capture(mars_test::cuda_id(s), h);
  *out = mars_test::cuda_handle<cudaGraph_t>(h);
  return mars_test::cuda_status(status);
}
inline auto cudaGraphCreate(cudaGraph_t* out, unsigned) -> cudaError_t {
  mars_test::fake_gpu::handle h{};
  auto const s = mars_test::cuda_device().create_graph(h);
  *out = mars_test::cuda_handle<cudaGraph_t>(h);
  return mars_test::cuda_status(s);
}
inline auto cudaGraphAddKernelNode(cudaGraphNode_t* out, cudaGraph_t g,
                                   cudaGraphNode_t const* dependencies, std::size_t count,
                                   cudaKernelNodeParams const* p) -> cudaError_t {
  auto& gpu = mars_test::cuda_device();
  std::vector<mars_test::fake_gpu::handle> after;
  for (std::size_t i = 0; i < count; ++i) after.push_back(mars_test::cuda_id(dependencies[i]));
  mars_test::fake_gpu::handle h{};
  auto const s = gpu.add_kernel(h, mars_test::cuda_id(g), after,
                                gpu.launch_of(p->func, mars_test::cuda_extent(p->gridDim),
                                              mars_test::cuda_extent(p->blockDim),
                                              p->sharedMemBytes, p->kernelParams));
  *out = mars_test::cuda_handle<cudaGraphNode_t>(h);
  return mars_test::cuda_status(s);
}
inline auto cudaGraphInstantiateWithFlags(cudaGraphExec_t* out, cudaGraph_t g, unsigned long long)
    -> cudaError_t {
  mars_test::fake_gpu::handle h{};
  auto const s = mars_test::cuda_device().instantiate(h, mars_test::cuda_id(g));
  *out = mars_test::cuda_handle<cudaGraphExec_t>(h);
  return mars_test::cuda_status(s);
}
inline auto cudaGraphUpload(cudaGraphExec_t x, cudaStream_t s) -> cudaError_t {
  return mars_test::cuda_status(
      mars_test::cuda_device().upload(mars_test::cuda_id(x), mars_test::cuda_id(s)));
}
inline auto cudaGraphLaunch(cudaGraphExec_t x, cudaStream_t s) -> cudaError_t {
  return mars_test::cuda_status(
      mars_test::cuda_device().launch_graph(mars_test::cuda_id(x), mars_test::cuda_id(s)));
}
inline auto cudaLaunchKernel(void const* f, dim3 grid, dim3 block, void** arguments,
                             std::size_t shared, cudaStream_t s) -> cudaError_t {
  auto& gpu = mars_test::cuda_device();
  return mars_test::cuda_status(
      gpu.launch_kernel(gpu.launch_of(f, mars_test::cuda_extent(grid),
                                      mars_test::cuda_extent(block), shared, arguments),
                        mars_test::cuda_id(s)));
}
inline auto cudaFuncGetAttributes(cudaFuncAttributes* out, void const* f) -> cudaError_t {
  mars_test::fake_kernel k;
  auto const s = mars_test::cuda_device().function(f, k);
  *out = {k.shared, 0, 0, 1024, k.registers};
  return mars_test::cuda_status(s);
}

inline auto cudaStreamDestroy(cudaStream_t s) -> cudaError_t {
  return mars_test::cuda_status(mars_test::cuda_device().destroy_stream(mars_test::cuda_id(s)));
}
inline auto cudaEventDestroy(cudaEvent_t e) -> cudaError_t {
  return mars_test::cuda_status(mars_test::cuda_device().destroy_event(mars_test::cuda_id(e)));
}
inline auto cudaGraphDestroy(cudaGraph_t g) -> cudaError_t {
  return mars_test::cuda_status(mars_test::cuda_device().destroy_graph(mars_test::cuda_id(g)));
}
inline auto cudaGraphExecDestroy(cudaGraphExec_t x) -> cudaError_t {
  return mars_test::cuda_status(mars_test::cuda_device().destroy_executable(mars_test::cuda_id(x)));
}
// NOLINTEND
