// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/checked.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/hash.hpp>
#include <mars/core/units.hpp>
#include <mars/workload/iteration_space.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars {

enum class role : std::uint8_t {
  input,  ///< an activation: from another operator, or from outside the graph
  weight, ///< a parameter, resident where it is used before the inference starts
  output, ///< a result
  state,  ///< carried from one step of a sequential dimension to the next (hidden and cell state)
};

/// What the bits of an element mean: of one width, machines run different kinds at different speeds.
enum class number_format : std::uint8_t {
  automatic, ///< what operators of that width use anyway: IEEE floating point, or integer positions
  bfloat,    ///< the upper bits of a 32-bit floating-point number
  integer,   ///< quantised: integers times a scale
};

/// A tensor as one operator sees it.
struct operand {
  mars::role role{mars::role::input};
  std::string name; ///< of a weight or external input; equal non-empty names are one tensor
  int element_bits{16};
  inplace_vector<axis, max_rank> axes;
  double density{
      1}; ///< share of elements that are not zero; sizes count all, whoever stores fewer says so
  number_format numbers{number_format::automatic};
};

/// What an operator computes, as far as costs and users care; everything else is in its algebra.
enum class op_kind : std::uint8_t {
  convolution,
  matmul,
  pooling,
  elementwise,
  normalization,
  softmax,
  reduction,
  concat,
  split,
  reshape,
  transpose,
  slice,
  pad,
  gather,
  resize,
  lstm,
  gru,
  opaque, ///< unknown semantics: known tensors, unestimated cost, never cut
};

[[nodiscard]] constexpr auto kind_name(op_kind kind) -> std::string_view {
  constexpr std::string_view names[] = {
      "convolution", "matmul", "pooling", "elementwise", "normalization", "softmax",
      "reduction",   "concat", "split",   "reshape",     "transpose",     "slice",
      "pad",         "gather", "resize",  "lstm",        "gru",           "opaque"};
  return names[static_cast<std::size_t>(kind)];
}

/// Work per point of the iteration space, counted over the dimensions of `over` only (bit d =
/// dimension d): a gather's table dimension, say, is indexed but not walked.
struct work_per_point {
  std::int64_t macs{0};
  std::int64_t flops{0}; ///< besides the MACs
  std::uint32_t over{~std::uint32_t{0}};

  friend auto operator==(work_per_point const&, work_per_point const&) -> bool = default;
};

/// An operator: an iteration space and the tensors that index it. (`operator` is a keyword.)
/// Everything the library derives — shard extents, halos, replicas, partial sums, memory,
/// communication — follows from these members; no cost or sharding code looks at `type`.
struct operation {
  op_kind kind{op_kind::opaque};
  std::string type; ///< the framework's word, e.g. "Relu"
  std::string name; ///< unique in its graph
  iteration_space dims;
  std::vector<operand> operands;
  work_per_point work;
};

template <deferred = when_called>
[[nodiscard]] auto find_dim(operation const& op, label name) -> std::optional<std::size_t> {
  for (std::size_t d = 0; d < op.dims.size(); ++d)
    if (op.dims[d].name == name) return d;
  return std::nullopt;
}

/// Extents of the whole, unsharded operator.
template <deferred = when_called>
[[nodiscard]] auto full_extents(operation const& op) -> extents {
  extents e;
  for (auto const& d : op.dims) e.push_back(d.extent);
  return e;
}

/// The whole iteration space as a box.
template <deferred = when_called>
[[nodiscard]] auto full_box(operation const& op) -> iteration_box {
  iteration_box box;
  for (auto const& d : op.dims) box.push_back({0, d.extent});
  return box;
}

/// True when iterations along `dim` touch different elements of the operand.
template <deferred = when_called>
[[nodiscard]] auto indexes(operand const& t, std::size_t dim) -> bool {
  return std::any_of(t.axes.begin(), t.axes.end(), [dim](auto const& a) { return a.uses(dim); });
}

/// Points of a shard that do work.
[[nodiscard]] inline auto work_points(operation const& op, extents const& shard) -> std::int64_t {
  std::int64_t points = 1;
  for (std::size_t d = 0; d < shard.size(); ++d)
    if ((op.work.over >> d) & 1U) points *= shard[d];
  return points;
}
template <deferred = when_called>
[[nodiscard]] auto macs_of(operation const& op, extents const& shard) -> macs {
  return macs{op.work.macs == 0 ? 0 : op.work.macs * work_points(op, shard)};
}
template <deferred = when_called>
[[nodiscard]] auto macs_of(operation const& op) -> macs {
  return macs_of(op, full_extents(op));
}
/// All floating-point (or integer) operations: two per MAC and the rest.
template <deferred = when_called>
[[nodiscard]] auto flops_of(operation const& op, extents const& shard) -> flops {
  return flops{(2 * op.work.macs + op.work.flops) * work_points(op, shard)};
}
template <deferred = when_called>
[[nodiscard]] auto flops_of(operation const& op) -> flops {
  return flops_of(op, full_extents(op));
}

/// Elements of the whole tensor.
template <deferred = when_called>
[[nodiscard]] auto elements_of(operand const& t) -> std::int64_t {
  std::int64_t n = 1;
  for (auto const& a : t.axes) n *= a.extent;
  return n;
}
/// Elements an interior shard of the given extents touches.
template <deferred = when_called>
[[nodiscard]] auto elements_of(operand const& t, extents const& shard) -> std::int64_t {
  std::int64_t n = 1;
  for (auto const& a : t.axes) n *= reach_size(a, shard);
  return n;
}
/// ⌈elements · bits / 8⌉.
[[nodiscard]] constexpr auto storage(std::int64_t elements, int element_bits) -> bytes {
  if (element_bits % 8 == 0) return bytes{elements * (element_bits / 8)};
  return bytes{elements / 8 * element_bits + ceil_div(elements % 8 * element_bits, 8)};
}
template <deferred = when_called>
[[nodiscard]] auto size_of(operand const& t) -> bytes {
  return storage(elements_of(t), t.element_bits);
}
template <deferred = when_called>
[[nodiscard]] auto size_of(operand const& t, extents const& shard) -> bytes {
  return storage(elements_of(t, shard), t.element_bits);
}

/// The part of a tensor that a box of iterations touches.
template <deferred = when_called>
[[nodiscard]] auto reach(operand const& t, iteration_box const& box) -> tensor_box {
  tensor_box out;
  for (auto const& a : t.axes) out.push_back(reach(a, box));
  return out;
}

/// Trained parameters: elements of weight operands. (A graph counts a named weight once.)
template <deferred = when_called>
[[nodiscard]] auto parameters_of(operation const& op) -> std::int64_t {
  std::int64_t n = 0;
  for (auto const& t : op.operands)
    if (t.role == role::weight) n += elements_of(t);
  return n;
}

/// The `i`-th operand of a role, or null.
[[nodiscard]] inline auto nth_operand(operation const& op, role r, std::size_t i)
    -> operand const* {
  for (auto const& t : op.operands)
    if (t.role == r && i-- == 0) return &t;
  return nullptr;
}

/// Two operators of equal signature cost the same, sharded the same: names do not enter.
template <deferred = when_called>
[[nodiscard]] auto same_signature(operation const& a, operation const& b) -> bool {
  auto const same_operand = [](operand const& s, operand const& t) {
    return s.role == t.role && s.element_bits == t.element_bits && s.axes == t.axes &&
           s.density == t.density && s.numbers == t.numbers;
  };
  return a.kind == b.kind && a.type == b.type && a.dims == b.dims && a.work == b.work &&
         std::equal(a.operands.begin(), a.operands.end(), b.operands.begin(), b.operands.end(),
                    same_operand);
}

/// Hash that agrees with `same_signature`; the same on every platform.
[[nodiscard]] inline auto signature_hash(operation const& op) -> std::uint64_t {
  stable_hash h;
  h.add(static_cast<std::uint64_t>(op.kind)).add(op.type);
  for (auto const& d : op.dims)
    h.add(d.name.view()).add(d.extent).add(static_cast<std::uint64_t>(d.kind));
  for (auto const& t : op.operands) {
    h.add(static_cast<std::uint64_t>(t.role)).add(t.element_bits).add(t.axes.size());
    for (auto const& a : t.axes) {
      h.add(a.offset).add(a.extent);
      for (auto const& term : a.terms) h.add(term.dim).add(term.stride);
    }
    // Hashes of dense operators of no particular format stay what they were.
    if (t.density != 1) h.add(t.density);
    if (t.numbers != number_format::automatic) h.add(static_cast<std::uint64_t>(t.numbers));
  }
  h.add(op.work.macs).add(op.work.flops).add(op.work.over);
  return h.digest();
}

/// Checks what every derived quantity relies on: at least one output, dimensions of different
/// names, extents ≥ 1, terms that name existing dimensions, 1 to 64 element bits, densities in [0, 1],
/// and every product (points, work, tensor bits, reach of an axis) below 2⁶². Errors carry a path inside the
/// operation: `dims[2]`, `operands[1].axes[0]`.
template <deferred = when_called>
[[nodiscard]] auto validate(operation const& op) -> expected<void> {
  static constexpr std::int64_t limit = std::int64_t{1} << 62;
  auto const at = [](char const* what, std::size_t i) {
    return std::string{what} + "[" + std::to_string(i) + "]";
  };
  auto const too_large = [&](std::string path, char const* what) {
    return fail(error_code::overflow, std::move(path), what, "a product below 2^62");
  };
  auto const times = [](std::int64_t& product, std::int64_t factor) {
    auto const p = checked_multiply(product, factor);
    product = p.value_or(limit);
    return p && *p < limit;
  };

  std::int64_t work = 1;
  for (std::size_t d = 0; d < op.dims.size(); ++d) {
    auto const& dim = op.dims[d];
    if (dim.extent < 1)
      return fail(error_code::out_of_range, at("dims", d), std::to_string(dim.extent),
                  "an extent of at least 1", std::string{dim.name.view()});
    if (((op.work.over >> d) & 1U) != 0 && !times(work, dim.extent))
      return too_large(at("dims", d), "too many iterations");
    if (find_dim(op, dim.name) != d)
      return fail(error_code::duplicate, at("dims", d), std::string{dim.name.view()},
                  "a name of its own");
  }
  auto const& w = op.work;
  if (w.macs < 0 || w.flops < 0 || w.macs > limit / 4 || w.flops > limit / 4 ||
      !times(work, std::max<std::int64_t>(1, 2 * w.macs + w.flops)))
    return too_large("work", "too much work");

  bool has_output = false;
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    auto const& t = op.operands[i];
    has_output |= t.role == role::output;
    if (t.element_bits < 1 || t.element_bits > 64)
      return fail(error_code::out_of_range, at("operands", i) + ".element_bits",
                  std::to_string(t.element_bits), "1 to 64");
    if (!(t.density >= 0 && t.density <= 1))
      return fail(error_code::out_of_range, at("operands", i) + ".density",
                  std::to_string(t.density), "0 to 1", t.name);
    std::int64_t bits = t.element_bits;
    for (std::size_t k = 0; k < t.axes.size(); ++k) {
      auto const& a = t.axes[k];
      auto const path = at("operands", i) + "." + at("axes", k);
      if (a.extent < 1)
        return fail(error_code::out_of_range, path, std::to_string(a.extent),
                    "an extent of at least 1", t.name);
      if (!times(bits, a.extent)) return too_large(path, "a tensor too large");
      if (a.offset < -limit / 4 || a.offset > limit / 4) return too_large(path, "an offset");
      std::int64_t hull = 1;
      for (auto const& term : a.terms) {
        if (term.dim >= op.dims.size())
          return fail(error_code::out_of_range, path,
                      std::string{"dimension "} + std::to_string(term.dim),
                      std::string{"below "} + std::to_string(op.dims.size()));
        auto const span = checked_multiply(term.stride, op.dims[term.dim].extent);
        if (!span || *span > limit / 8 || *span < -limit / 8 ||
            (hull += std::abs(*span)) > limit / 2)
          return too_large(path, "an index range");
      }
    }
  }
  if (!has_output)
    return fail(error_code::invalid_argument, "operands", "no output", "at least one output");
  return {};
}

} // namespace mars
