// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mars {

/// One kernel launch, as a device's runtime is given it.
struct kernel_launch {
  void const* function{};                 ///< the runtime's handle of the kernel
  std::array<unsigned, 3> grid{1, 1, 1};  ///< blocks
  std::array<unsigned, 3> block{1, 1, 1}; ///< threads
  std::size_t shared{};                   ///< dynamic shared memory of a block, in bytes
  void** arguments{};                     ///< to the value of each parameter; copied at the call
};

/// What a compiled kernel asks for.
struct kernel_attributes {
  int registers{};      ///< per thread
  std::size_t shared{}; ///< static, of a block, in bytes
};

/// What a device is asked about itself.
enum class device_limit : std::uint8_t {
  sms,
  threads_per_sm,
  registers_per_sm,
  shared_per_sm, ///< bytes
  blocks_per_sm,
  warp,            ///< threads
  shared_reserved, ///< bytes of every block
  l2,              ///< bytes
  clock,           ///< of the SMs, kHz
  memory_clock,    ///< kHz; two transfers a cycle
  memory_width,    ///< bits
  major,           ///< of the compute capability
  minor,
};

template <class A>
concept names_handles = requires {
  typename A::stream;
  typename A::event;
  typename A::graph;
  typename A::node;
  typename A::executable;
};

template <class A>
concept owns_streams = requires(A const& a, typename A::stream s, typename A::event e) {
  { a.create_stream() } -> std::same_as<expected<typename A::stream>>;
  { a.create_event() } -> std::same_as<expected<typename A::event>>;
  { a.record(e, s) } -> std::same_as<expected<void>>;
  { a.wait(s, e) } -> std::same_as<expected<void>>;
  { a.synchronize(s) } -> std::same_as<expected<void>>;
  a.destroy(s);
  a.destroy(e);
};

template <class A>
concept captures_streams = requires(A const& a, typename A::stream s) {
  { a.begin_capture(s) } -> std::same_as<expected<void>>;
  { a.end_capture(s) } -> std::same_as<expected<typename A::graph>>;
};

template <class A>
concept builds_graphs = requires(A const& a, typename A::graph g,
                                 std::span<typename A::node const> after, kernel_launch const& k) {
  { a.create_graph() } -> std::same_as<expected<typename A::graph>>;
  { a.add_kernel(g, after, k) } -> std::same_as<expected<typename A::node>>;
};

template <class A>
concept runs_graphs = requires(A const& a, typename A::graph g, typename A::executable x,
                               typename A::stream s) {
  { a.instantiate(g) } -> std::same_as<expected<typename A::executable>>;
  { a.upload(x, s) } -> std::same_as<expected<void>>;
  { a.launch(x, s) } -> std::same_as<expected<void>>;
  a.destroy(g);
  a.destroy(x);
};

/// The runtime of a device with streams, events and graphs: CUDA's verbs and nothing else.
///
/// expression                | type                   | CUDA
/// --------------------------|------------------------|----------------------------------------------
/// `a.create_stream()`       | `expected<stream>`     | `cudaStreamCreateWithFlags`, non-blocking
/// `a.create_event()`        | `expected<event>`      | `cudaEventCreateWithFlags`, no timing
/// `a.record(e, s)`          | `expected<void>`       | `cudaEventRecord`
/// `a.wait(s, e)`            | `expected<void>`       | `cudaStreamWaitEvent`
/// `a.synchronize(s)`        | `expected<void>`       | `cudaStreamSynchronize`
/// `a.begin_capture(s)`      | `expected<void>`       | `cudaStreamBeginCapture`, thread-local mode
/// `a.end_capture(s)`        | `expected<graph>`      | `cudaStreamEndCapture`
/// `a.create_graph()`        | `expected<graph>`      | `cudaGraphCreate`
/// `a.add_kernel(g, ns, k)`  | `expected<node>`       | `cudaGraphAddKernelNode`, after nodes `ns`
/// `a.instantiate(g)`        | `expected<executable>` | `cudaGraphInstantiateWithFlags`
/// `a.upload(x, s)`          | `expected<void>`       | `cudaGraphUpload`
/// `a.launch(x, s)`          | `expected<void>`       | `cudaGraphLaunch`
/// `a.destroy(h)`            |                        | of a stream, an event, a graph, an executable
///
/// Semantics: 1. A call that fails changes nothing but the state of a capture, and its error
/// (`error_code::device`) names the call and the runtime's status. 2. `destroy` does not fail; what was
/// enqueued before goes on. 3. Copies of an API speak to the same device.
/// Models: `runtime::cuda_api` (runtime/cuda.hpp); a recording one in the tests.
template <class A>
concept GpuApi = std::copyable<A> && names_handles<A> && owns_streams<A> && captures_streams<A> &&
    builds_graphs<A> && runs_graphs<A>;

/// An API that measures, too: events with times (milliseconds between two, once both have happened),
/// what kernels ask for, and what the device offers (`cudaDeviceGetAttribute`).
template <class A>
concept ProfilingApi = GpuApi<A> &&
    requires(A const& a, typename A::event e, void const* function, device_limit l) {
  { a.create_timed_event() } -> std::same_as<expected<typename A::event>>;
  { a.elapsed(e, e) } -> std::same_as<expected<double>>;
  { a.attributes(function) } -> std::same_as<expected<kernel_attributes>>;
  { a.limit(l) } -> std::same_as<expected<std::int64_t>>;
};

} // namespace mars
