// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/label.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace mars::detail {

using operand_axes = inplace_vector<axis, max_rank>;

/// An axis read whole.
[[nodiscard]] inline auto whole(std::int64_t extent) -> axis {
  return {.terms = {}, .offset = 0, .extent = extent};
}
/// An axis indexed by `offset + Σ stride·dim`.
[[nodiscard]] inline auto along(std::int64_t extent, std::initializer_list<axis_term> terms,
                                std::int64_t offset = 0) -> axis {
  return {.terms = terms, .offset = offset, .extent = extent};
}

/// The name of axis `i` of an operator over whole tensors: feature maps (rank 4) are n, k, y, x.
template <deferred = when_called>
[[nodiscard]] auto map_dim(std::size_t rank, std::size_t i) -> label {
  static constexpr char const* feature_map[] = {"n", "k", "y", "x"};
  if (rank == 4) return feature_map[i];
  return label{std::string_view{std::string{"d"} + std::to_string(i)}};
}

/// The name of the `i`-th of `count` spatial axes, out of names for depth, height, width.
[[nodiscard]] inline auto spatial_dim(char const* const (&names)[3], std::size_t count,
                                      std::size_t i) -> label {
  return names[3 - count + i];
}

/// Writes down an operation: dimensions first, then operands in order. What does not fit is
/// remembered, so that a factory reads straight through and `finish` reports it.
template <deferred D = when_called>
class basic_op_writer {
public:
  basic_op_writer(op_kind kind, std::string type) {
    op_.kind = kind;
    op_.type = std::move(type);
  }

  auto dim(label name, std::int64_t extent, dim_kind kind = dim_kind::parallel) -> std::uint8_t {
    if (op_.dims.full()) {
      too_many_ = true;
      return 0;
    }
    op_.dims.push_back({name, extent, kind});
    return static_cast<std::uint8_t>(op_.dims.size() - 1);
  }
  /// A dimension that only widens what is read (a window, a table): never cut, not counted as work.
  auto reading_dim(label name, std::int64_t extent, dim_kind kind = dim_kind::sequential)
      -> std::uint8_t {
    auto const d = dim(name, extent, kind);
    op_.work.over &= ~(std::uint32_t{1} << d);
    return d;
  }
  [[nodiscard]] auto free_dims() const -> std::size_t { return max_dims - op_.dims.size(); }

  void input(operand_axes const& axes) { operand(role::input, {}, axes); }
  void weight(std::string name, operand_axes const& axes) {
    operand(role::weight, std::move(name), axes);
  }
  void state(std::string name, operand_axes const& axes) {
    operand(role::state, std::move(name), axes);
  }
  void output(operand_axes const& axes) { operand(role::output, {}, axes); }

  /// The operation, or why it is none (see `validate`). Work is per point.
  [[nodiscard]] auto finish(std::int64_t macs,
                            std::int64_t flops) && -> later<expected<operation>, D> {
    op_.work.macs = macs;
    op_.work.flops = flops;
    if (too_many_)
      return fail(error_code::unsupported, "dims", "too many dimensions",
                  std::string{"at most "} + std::to_string(max_dims));
    if (auto ok = validate(op_); !ok) return unexpected{std::move(ok).error()};
    return std::move(op_);
  }

private:
  void operand(role r, std::string name, operand_axes const& axes) {
    op_.operands.push_back({r, std::move(name), 16, axes});
  }

  operation op_;
  bool too_many_{false};
};
using op_writer = basic_op_writer<>;

/// A dimension per axis of a tensor, and the axes that walk it.
template <deferred = when_called>
auto walk(op_writer& w, tensor_shape const& shape) -> operand_axes {
  operand_axes axes;
  for (std::size_t i = 0; i < shape.size(); ++i)
    axes.push_back(along(shape[i], {{w.dim(map_dim(shape.size(), i), shape[i])}}));
  return axes;
}

/// The first error among shapes, or nothing.
template <deferred D = when_called>
[[nodiscard]] auto shape_error(std::initializer_list<tensor_shape const*> shapes)
    -> later<std::optional<error>, D> {
  for (auto const* s : shapes)
    if (auto n = count_elements(*s); !n) return std::move(n).error();
  return std::nullopt;
}

} // namespace mars::detail
