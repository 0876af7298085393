// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mars::ops {

/// The same rank in other extents. An axis that grows by an integer factor f has two dimensions, y
/// and `yi` (output f·y + yi), and reads element y — with its two neighbours when interpolating.
/// One that shrinks by f reads the f elements of its block. Any other factor reads the axis whole.
/// No work: what interpolation computes is small beside what it moves.
template <deferred = when_called>
[[nodiscard]] auto resize(tensor_shape const& x, tensor_shape const& shape,
                          resize_mode mode = resize_mode::nearest) -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&x, &shape})) return unexpected{*std::move(e)};
  if (x.size() != shape.size())
    return fail(error_code::shape_mismatch, "shape", to_string(shape),
                std::string{"as many axes as "} + to_string(x));
  mars::detail::op_writer w{op_kind::resize, "Resize"};
  mars::detail::operand_axes input;
  mars::detail::operand_axes output;
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto const in = x[i];
    auto const out = shape[i];
    auto const name = mars::detail::map_dim(x.size(), i);
    auto const part = [&](char suffix) {
      return label{std::string_view{std::string{name.view()} + suffix}};
    };
    // Each axis to come needs a dimension; only what is left over may be spent on exactness.
    auto const room = w.free_dims() - (x.size() - i - 1);
    if (out == in) {
      input.push_back(along(in, {{w.dim(name, out)}}));
      output.push_back(input.back());
    } else if (out % in == 0 && room >= 3) {
      auto const outer = w.dim(name, in);
      auto const inner = w.dim(part('i'), out / in);
      output.push_back(along(out, {{outer, out / in}, {inner}}));
      if (mode == resize_mode::nearest)
        input.push_back(along(in, {{outer}}));
      else
        input.push_back(along(in, {{outer}, {w.reading_dim(part('e'), 3)}}, -1));
    } else if (in % out == 0 && room >= 2) {
      auto const d = w.dim(name, out);
      output.push_back(along(out, {{d}}));
      input.push_back(along(in, {{d, in / out}, {w.reading_dim(part('e'), in / out)}}));
    } else {
      output.push_back(along(out, {{w.dim(name, out)}}));
      input.push_back(mars::detail::whole(in));
    }
  }
  w.input(input);
  w.output(output);
  return std::move(w).finish(0, 0);
}

} // namespace mars::ops
