// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <cstdint>

// How an axis walks a dimension, as far as a subset of the dimension's values is again such an axis.

namespace mars::compression::detail {

enum class axis_form : std::uint8_t {
  whole,  ///< no term
  plain,  ///< one dimension, all of it
  window, ///< one dimension, shifted: a part of a concatenation, a split, a slice, padding
  halo,   ///< a dimension and the neighbours of each of its values
  digits, ///< a number in mixed radix: groups of channels, channels of pixels
  other,
};

/// Each term's stride is the product of the extents inside it, the axis' extent that of all: then the
/// terms are the digits of the position, outermost first. (Terms of one extent may stand anywhere.)
template <deferred = when_called>
[[nodiscard]] auto is_mixed_radix(operation const& o, axis const& a) -> bool {
  std::int64_t inside = 1;
  for (auto i = a.terms.size(); i-- > 0;) {
    auto const extent = o.dims[a.terms[i].dim].extent;
    if (extent > 1 && a.terms[i].stride != inside) return false;
    inside *= extent;
  }
  return a.offset == 0 && a.extent == inside;
}

template <deferred = when_called>
[[nodiscard]] auto form_of(operation const& o, axis const& a) -> axis_form {
  if (a.is_whole()) return axis_form::whole;
  auto const extent = o.dims[a.terms[0].dim].extent;
  if (a.terms.size() == 1) {
    if (a.terms[0].stride != 1) return axis_form::other;
    return a.offset == 0 && a.extent == extent ? axis_form::plain : axis_form::window;
  }
  if (is_mixed_radix(o, a)) return axis_form::digits;
  bool const steps = a.terms[0].stride == 1 && a.terms[1].stride == 1 && a.terms.size() == 2;
  return steps && a.extent == extent ? axis_form::halo : axis_form::other;
}

} // namespace mars::compression::detail
