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
#include <vector>

namespace mars::ops {

/// Combines all elements along `axes` (none given: along all). Kept axes are named as in a map;
/// reduced ones b, c, r, s in rank 4, else r0, r1, … One FLOP per element read.
template <deferred = when_called>
[[nodiscard]] auto reduce(tensor_shape const& x, std::vector<std::int64_t> const& axes,
                          bool keep_dims, std::string type) -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  std::vector<bool> reduced(x.size(), axes.empty());
  for (auto const number : axes) {
    auto const i = axis_index(number, x.size());
    if (!i) return unexpected{i.error()};
    if (reduced[*i])
      return fail(error_code::duplicate, "axes", std::to_string(number), "each axis once");
    reduced[*i] = true;
  }
  static constexpr char const* window[] = {"b", "c", "r", "s"};
  mars::detail::op_writer w{op_kind::reduction, std::move(type)};
  mars::detail::operand_axes input;
  mars::detail::operand_axes output;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (reduced[i]) {
      auto const name = x.size() == 4
                            ? label{window[i]}
                            : label{std::string_view{std::string{"r"} + std::to_string(i)}};
      input.push_back(along(x[i], {{w.dim(name, x[i], dim_kind::reduction)}}));
      if (keep_dims) output.push_back(mars::detail::whole(1));
    } else {
      input.push_back(along(x[i], {{w.dim(mars::detail::map_dim(x.size(), i), x[i])}}));
      output.push_back(input.back());
    }
  }
  w.input(input);
  w.output(output);
  return std::move(w).finish(0, 1);
}

} // namespace mars::ops
