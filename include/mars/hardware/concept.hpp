// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/named.hpp>
#include <mars/core/range.hpp>
#include <mars/core/units.hpp>

#include <concepts>
#include <limits>
#include <optional>
#include <string_view>

namespace mars {

struct shard;
struct kernel;     // hardware/kernel.hpp
struct gpu_device; // hardware/gpu_device.hpp

/// How long one shard takes on one design, by cause. `total` is what counts; it is not the sum of
/// the others, because computing and moving data overlap: usually `overhead + max(compute,
/// memory)`.
struct time_breakdown {
  seconds total{};      ///< infinite: the design must not run the shard
  seconds compute{};    ///< if data were always there
  seconds memory{};     ///< if computing were free
  seconds overhead{};   ///< launch, fill: paid before anything else
  bool estimated{true}; ///< false: the design knows nothing about this operator, the zero is a gap

  friend auto operator==(time_breakdown const&, time_breakdown const&) -> bool = default;
};

/// Compute and memory fully overlapped (double buffering), after a fixed overhead.
[[nodiscard]] constexpr auto overlapped(seconds compute, seconds memory, seconds overhead = {})
    -> time_breakdown {
  return {.total = overhead + (compute < memory ? memory : compute),
          .compute = compute,
          .memory = memory,
          .overhead = overhead};
}
/// "Must not": no finite time.
[[nodiscard]] constexpr auto unsupported_time() -> time_breakdown {
  return {.total = infinite_seconds, .compute = infinite_seconds};
}
/// Nothing is known: no time is charged, and the answer says so.
[[nodiscard]] constexpr auto unestimated_time() -> time_breakdown { return {.estimated = false}; }
[[nodiscard]] constexpr auto is_supported(time_breakdown const& t) -> bool {
  return t.total < infinite_seconds;
}

/// "Nobody said how much energy." It stays unknown in every sum.
inline constexpr joules unknown_joules{std::numeric_limits<double>::quiet_NaN()};
[[nodiscard]] constexpr auto is_known(joules e) -> bool { return e.count() == e.count(); }
inline constexpr watts unknown_watts{std::numeric_limits<double>::quiet_NaN()};
[[nodiscard]] constexpr auto is_known(watts p) -> bool { return p.count() == p.count(); }

/// Bytes of a shard that cross its device's host link, if weights, inputs and outputs are staged in
/// host memory.
struct host_bytes {
  bytes weights{};
  bytes inputs{};
  bytes outputs{};

  friend auto operator==(host_bytes const&, host_bytes const&) -> bool = default;
};

/// How the inputs and results of a graph lie in memory: by axis, the last one densest.
inline constexpr std::string_view plain_format = "nchw";
/// What `reorder(size, format, other_width)` asks for: elements of another width, in the same format.
inline constexpr std::string_view other_width = "other width";

/// One way to run a shard on a design that has several, and its price.
///
/// Formats are names of how activations lie in memory (`nchw`, `nchwc`), each meaning the same to
/// every algorithm; empty: any, without a reorder. One that leaves both open writes what it reads.
struct algorithm_time {
  std::string_view name{}; ///< outlives the design, unique among the algorithms of a shard
  time_breakdown time{};
  std::string_view input_format{};  ///< of the tensors it reads
  std::string_view output_format{}; ///< of the tensors it writes
  bytes workspace{};                ///< besides the operands, while it runs
  std::optional<bytes> weights{};   ///< of the first weight as it keeps it; nothing: as it is
  joules energy{unknown_joules};    ///< of one run
};

// Copying is asked last everywhere: the type-erased wrappers convert from what models these
// concepts, and asking whether a wrapper's expression template is copyable first would ask this
// very question.
template <class D>
concept times_shards = requires(D const& d, shard const& s) {
  { d.time(s) } -> std::convertible_to<time_breakdown>;
};
template <class D>
concept chooses_shards = requires(D const& d, shard const& s) {
  { d.supports(s) } -> std::convertible_to<bool>;
};
template <class D>
concept charges_energy = requires(D const& d, shard const& s) {
  { d.energy(s) } -> std::convertible_to<joules>;
};
template <class D>
concept lists_algorithms = requires(D const& d, shard const& s) {
  { d.algorithms(s) } -> range_of<algorithm_time>;
};
template <class D>
concept reorders_data = requires(D const& d, bytes size, std::string_view format) {
  { d.reorder(size, format, format) } -> std::convertible_to<seconds>;
};
template <class D>
concept counts_host_bytes = requires(D const& d, shard const& s) {
  { d.host_traffic(s) } -> std::convertible_to<host_bytes>;
};
template <class D>
concept derives_kernels = requires(D const& d, shard const& s) {
  { d.kernels(s) } -> range_of<kernel const&>;
};
template <class D>
concept states_device = requires(D const& d) {
  { d.device() } -> std::convertible_to<gpu_device const&>;
};
template <class D>
concept states_peak = requires(D const& d, int element_bits) {
  { d.peak(element_bits) } -> std::convertible_to<flops_per_second>;
};
template <class D>
concept states_bandwidth = requires(D const& d) {
  { d.memory_bandwidth() } -> std::convertible_to<bytes_per_second>;
};
template <class D>
concept checks_itself = requires(D const& d) {
  { d.validate() } -> std::convertible_to<expected<void>>;
};

/// One configuration of an accelerator: prices one shard.
///
/// expression  | type                             | meaning                                 | cost
/// ------------|----------------------------------|-----------------------------------------|------
/// `d.name()`  | convertible to `std::string_view`| how mappings refer to it                | O(1)
/// `d.time(s)` | `time_breakdown`                 | one run of the shard, operands in DRAM  | small
///
/// Semantics: 1. Both calls are pure and may be made from several threads. 2. The name outlives the
/// call, is not empty and is unique among the designs of one accelerator; accelerators that offer a
/// design of one name can form a set. 3. An infinite `total` means *must not*. No time is negative or NaN.
/// 4. A shard with larger extents is never faster; exempt are a convolution's kernel, for which an
/// algorithm may be made to measure, and devices whose larger grids hide latency better (gpu).
/// Models: hardware::super_lip, systolic_array, winograd, roofline, gpu, h2h, any_design,
/// primitive::processor; yours.
template <class D>
concept AcceleratorDesign = names_itself<D> && times_shards<D> && std::copy_constructible<D>;

/// A design that says what it cannot run. `d.supports(s)` is true exactly when `d.time(s).total` is
/// finite; asking it is cheaper.
template <class D>
concept ChoosyDesign = AcceleratorDesign<D> && chooses_shards<D>;

/// A design that knows energy. `d.energy(s)` is that of one run of the shard on one device;
/// `unknown_joules` where it does not know after all.
template <class D>
concept EnergyDesign = AcceleratorDesign<D> && charges_energy<D>;

/// A design that runs a shard in one of several ways. `d.algorithms(s)` lists them with their
/// prices; `d.time(s)` is that of one of them, or infinite.
template <class D>
concept AlgorithmicDesign = AcceleratorDesign<D> && lists_algorithms<D>;

/// A design whose algorithms whoever uses it may choose, operator by operator, though they differ in the
/// formats of their tensors (of others the algorithm is the design's own business): `d.reorder(size, from, to)` is what
/// rewriting a tensor of `size` bytes takes. Zero from a format to itself; formats may be empty, which
/// is any format; `to` may be `other_width`, and `size` is then that of the wider elements.
template <class D>
concept ReorderingDesign = AlgorithmicDesign<D> && reorders_data<D>;

/// Does this design let its algorithms be chosen? A wrapper asks what it wraps.
template <AcceleratorDesign D>
[[nodiscard]] constexpr auto lets_choose([[maybe_unused]] D const& d) -> bool {
  if constexpr (!ReorderingDesign<D>)
    return false;
  else if constexpr (requires {
                       { d.reorders() } -> std::same_as<bool>;
                     })
    return d.reorders();
  else
    return true;
}

/// A design that counts what crosses a host link in its own way (H2H); of others it is the bytes of
/// the shard's weights, inputs and outputs, as `mars::host_traffic` says.
template <class D>
concept StagingDesign = AcceleratorDesign<D> && counts_host_bytes<D>;

/// A design that runs shards as kernels on streams: `d.kernels(s)` in order (none: nothing to launch),
/// each of which fits an SM of `d.device()`. `d.time(s)` is theirs one after another.
template <class D>
concept KernelDesign = AcceleratorDesign<D> && derives_kernels<D> && states_device<D>;

/// A design with a roof: no shard is faster than 2·MACs / `d.peak(element_bits)`. Optional:
/// `d.memory_bandwidth()`, which no data stream exceeds; a design without it has no such limit. Exempt
/// are designs whose algorithms leave out MACs and bytes (zeros, padding; primitive::processor): of these
/// both are what the units do.
template <class D>
concept RooflineDesign = AcceleratorDesign<D> && states_peak<D>;

/// A design whose parameters can be wrong. `d.validate()` must succeed before any other call is
/// made; its error's path names the parameter.
template <class D>
concept CheckedDesign = AcceleratorDesign<D> && checks_itself<D>;

template <class A>
concept has_memory = requires(A const& a) {
  { a.memory() } -> std::convertible_to<bytes>;
};
template <class A>
concept offers_designs = requires(A const& a) {
  { a.designs() } -> iterable;
  requires std::forward_iterator<iterator_of<decltype(a.designs())>>;
  requires AcceleratorDesign<std::iter_value_t<iterator_of<decltype(a.designs())>>>;
};
template <class A>
concept states_power = requires(A const& a) {
  { a.power() } -> std::convertible_to<watts>;
};

/// A device that can run operator shards.
///
/// expression    | type                  | meaning                                      | cost
/// --------------|-----------------------|----------------------------------------------|-----
/// `a.memory()`  | `bytes`               | what weights and activations may fill        | O(1)
/// `a.designs()` | forward range of      | its configurations; several make it adaptive | O(1)
///               | AcceleratorDesign     |                                              |
///
/// Semantics: 1. Pure, from several threads. 2. At least one design. 3. A device is configured with
/// one of them before execution and keeps it.
/// Models: mars::accelerator; yours.
template <class A>
concept Accelerator = has_memory<A> && offers_designs<A> && std::copy_constructible<A>;

/// An accelerator that states what it draws while it runs; `unknown_watts` is a permitted answer.
template <class A>
concept PoweredAccelerator = Accelerator<A> && states_power<A>;

} // namespace mars
