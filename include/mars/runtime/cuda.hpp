// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// CUDA's runtime as a `GpuApi`. Where the toolkit's headers are not found this header is empty, and
// MARS_HAS_CUDA is 0. Programs that use it link the CUDA runtime (CUDA::cudart).
#if __has_include(<cuda_runtime_api.h>)
#define MARS_HAS_CUDA 1

#include <mars/core/expected.hpp>
#include <mars/runtime/concept.hpp>

#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <span>

namespace mars::runtime {

/// Plain calls of the CUDA runtime (11.4 or newer) on the current device. A failed call is reported
/// here and taken from the thread's last error, where nobody would expect it later.
class cuda_api {
public:
  using stream = cudaStream_t;
  using event = cudaEvent_t;
  using graph = cudaGraph_t;
  using node = cudaGraphNode_t;
  using executable = cudaGraphExec_t;

  /// Non-blocking: work of the legacy default stream does not order itself before and after it.
  [[nodiscard]] auto create_stream() const -> expected<stream> {
    stream s{};
    return made(s, cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking),
                "cudaStreamCreateWithFlags");
  }
  [[nodiscard]] auto create_event() const -> expected<event> {
    event e{};
    return made(e, cudaEventCreateWithFlags(&e, cudaEventDisableTiming),
                "cudaEventCreateWithFlags");
  }
  [[nodiscard]] auto create_timed_event() const -> expected<event> {
    event e{};
    return made(e, cudaEventCreateWithFlags(&e, cudaEventDefault), "cudaEventCreateWithFlags");
  }
  [[nodiscard]] auto record(event e, stream s) const -> expected<void> {
    return checked(cudaEventRecord(e, s), "cudaEventRecord");
  }
  [[nodiscard]] auto wait(stream s, event e) const -> expected<void> {
    return checked(cudaStreamWaitEvent(s, e, 0), "cudaStreamWaitEvent");
  }
  [[nodiscard]] auto synchronize(stream s) const -> expected<void> {
    return checked(cudaStreamSynchronize(s), "cudaStreamSynchronize");
  }

  /// Thread-local: calls of other threads neither disturb the capture nor are disturbed by it.
  [[nodiscard]] auto begin_capture(stream s) const -> expected<void> {
    return checked(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal),
                   "cudaStreamBeginCapture");
  }
  [[nodiscard]] auto end_capture(stream s) const -> expected<graph> {
    graph g{};
    return made(g, cudaStreamEndCapture(s, &g), "cudaStreamEndCapture");
  }

  [[nodiscard]] auto create_graph() const -> expected<graph> {
    graph g{};
    return made(g, cudaGraphCreate(&g, 0), "cudaGraphCreate");
  }
  [[nodiscard]] auto add_kernel(graph g, std::span<node const> after, kernel_launch const& k) const
      -> expected<node> {
    cudaKernelNodeParams p{};
    p.func = const_cast<void*>(k.function);
    p.gridDim = extent(k.grid);
    p.blockDim = extent(k.block);
    p.sharedMemBytes = static_cast<unsigned>(k.shared);
    p.kernelParams = k.arguments;
    node n{};
    return made(n, cudaGraphAddKernelNode(&n, g, after.data(), after.size(), &p),
                "cudaGraphAddKernelNode");
  }
  /// With flags: the parameters of `cudaGraphInstantiate` changed in CUDA 12.
  [[nodiscard]] auto instantiate(graph g) const -> expected<executable> {
    executable x{};
    return made(x, cudaGraphInstantiateWithFlags(&x, g, 0), "cudaGraphInstantiateWithFlags");
  }
  [[nodiscard]] auto upload(executable x, stream s) const -> expected<void> {
    return checked(cudaGraphUpload(x, s), "cudaGraphUpload");
  }
  [[nodiscard]] auto launch(executable x, stream s) const -> expected<void> {
    return checked(cudaGraphLaunch(x, s), "cudaGraphLaunch");
  }

  /// For callables of `capture_graph`.
  [[nodiscard]] auto launch(kernel_launch const& k, stream s) const -> expected<void> {
    return checked(
        cudaLaunchKernel(k.function, extent(k.grid), extent(k.block), k.arguments, k.shared, s),
        "cudaLaunchKernel");
  }

  /// Milliseconds.
  [[nodiscard]] auto elapsed(event from, event to) const -> expected<double> {
    float ms{};
    auto const status = cudaEventElapsedTime(&ms, from, to);
    return made(static_cast<double>(ms), status, "cudaEventElapsedTime");
  }
  [[nodiscard]] auto attributes(void const* function) const -> expected<kernel_attributes> {
    cudaFuncAttributes a{};
    auto const status = cudaFuncGetAttributes(&a, function);
    return made(kernel_attributes{a.numRegs, a.sharedSizeBytes}, status, "cudaFuncGetAttributes");
  }
  [[nodiscard]] auto limit(device_limit l) const -> expected<std::int64_t> {
    int device{}, value{};
    if (auto const status = cudaGetDevice(&device); status != cudaSuccess)
      return unexpected{failed(status, "cudaGetDevice")};
    auto const status = cudaDeviceGetAttribute(&value, attribute_of(l), device);
    return made(static_cast<std::int64_t>(value), status, "cudaDeviceGetAttribute");
  }

  void destroy(stream s) const { forget(cudaStreamDestroy(s)); }
  void destroy(event e) const { forget(cudaEventDestroy(e)); }
  void destroy(graph g) const { forget(cudaGraphDestroy(g)); }
  void destroy(executable x) const { forget(cudaGraphExecDestroy(x)); }

private:
  static auto extent(std::array<unsigned, 3> const& e) -> dim3 { return dim3(e[0], e[1], e[2]); }
  static void forget(cudaError_t status) {
    if (status != cudaSuccess) static_cast<void>(cudaGetLastError());
  }
  static auto failed(cudaError_t status, char const* call) -> error {
    static_cast<void>(cudaGetLastError());
    return {error_code::device, call, cudaGetErrorName(status), "cudaSuccess",
            cudaGetErrorString(status)};
  }
  static auto checked(cudaError_t status, char const* call) -> expected<void> {
    if (status != cudaSuccess) return unexpected{failed(status, call)};
    return {};
  }
  template <class T>
  static auto made(T const& value, cudaError_t status, char const* call) -> expected<T> {
    if (status != cudaSuccess) return unexpected{failed(status, call)};
    return value;
  }
  static auto attribute_of(device_limit l) -> cudaDeviceAttr {
    switch (l) {
    case device_limit::sms: return cudaDevAttrMultiProcessorCount;
    case device_limit::threads_per_sm: return cudaDevAttrMaxThreadsPerMultiProcessor;
    case device_limit::registers_per_sm: return cudaDevAttrMaxRegistersPerMultiprocessor;
    case device_limit::shared_per_sm: return cudaDevAttrMaxSharedMemoryPerMultiprocessor;
    case device_limit::blocks_per_sm: return cudaDevAttrMaxBlocksPerMultiprocessor;
    case device_limit::warp: return cudaDevAttrWarpSize;
    case device_limit::shared_reserved: return cudaDevAttrReservedSharedMemoryPerBlock;
    case device_limit::l2: return cudaDevAttrL2CacheSize;
    case device_limit::clock: return cudaDevAttrClockRate;
    case device_limit::memory_clock: return cudaDevAttrMemoryClockRate;
    case device_limit::memory_width: return cudaDevAttrGlobalMemoryBusWidth;
    case device_limit::major: return cudaDevAttrComputeCapabilityMajor;
    case device_limit::minor: break;
    }
    return cudaDevAttrComputeCapabilityMinor;
  }
};
static_assert(ProfilingApi<cuda_api>);

} // namespace mars::runtime

#else
#define MARS_HAS_CUDA 0
#endif
