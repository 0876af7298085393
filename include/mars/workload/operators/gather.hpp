// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace mars::ops {

/// NumPy's take: axis `at` of `data` is replaced by the axes of `indices`. Dimensions d0, d1, … are
/// the axes of the result; `v` is the table: which of its rows a result needs is known only at run
/// time, so it is a reduction (a device with a part of the rows contributes those or zeros, as
/// vocabulary-parallel embeddings do) that is not walked. No work.
template <deferred = when_called>
[[nodiscard]] auto gather(tensor_shape const& data, tensor_shape const& indices,
                          std::int64_t at = 0) -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&data, &indices})) return unexpected{*std::move(e)};
  auto const axis = axis_index(at, data.size());
  if (!axis) return unexpected{axis.error()};
  auto const from = data.begin() + static_cast<std::ptrdiff_t>(*axis);
  tensor_shape out(data.begin(), from);
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), from + 1, data.end());
  if (auto e = mars::detail::shape_error({&out})) return unexpected{*std::move(e)};

  mars::detail::op_writer w{op_kind::gather, "Gather"};
  mars::detail::operand_axes result;
  for (std::size_t i = 0; i < out.size(); ++i)
    result.push_back(along(
        out[i], {{w.dim(label{std::string_view{std::string{"d"} + std::to_string(i)}}, out[i])}}));
  auto const v = w.reading_dim("v", data[*axis], dim_kind::reduction);
  mars::detail::operand_axes table;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i < *axis)
      table.push_back(result[i]);
    else if (i == *axis)
      table.push_back(along(data[i], {{v}}));
    else
      table.push_back(result[i + indices.size() - 1]);
  }
  mars::detail::operand_axes which;
  for (std::size_t i = 0; i < indices.size(); ++i) which.push_back(result[*axis + i]);
  w.input(table);
  w.input(which);
  w.output(result);
  return std::move(w).finish(0, 0);
}

/// indices […] → […, width] out of a trained table [vocabulary, width]; the indices come first.
template <deferred = when_called>
[[nodiscard]] auto embedding(tensor_shape const& indices, std::int64_t vocabulary,
                             std::int64_t width) -> expected<operation> {
  auto op = gather({vocabulary, width}, indices, 0);
  if (!op) return op;
  std::swap(op->operands[0], op->operands[1]);
  op->operands[1].role = role::weight;
  op->operands[1].name = "weight";
  return op;
}

} // namespace mars::ops
