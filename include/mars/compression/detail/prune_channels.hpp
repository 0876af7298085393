// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/detail/axis_form.hpp>
#include <mars/compression/detail/channel_choice.hpp>
#include <mars/compression/detail/channel_classes.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mars::compression::detail {

/// Operator `v`, `o`, with the chosen channels only: the others are closed up, in order.
template <deferred D = when_called>
[[nodiscard]] auto prune_channels(operator_id v, later<operation, D> const& o,
                                  basic_channel_classes<D> const& classes,
                                  basic_channel_choice<D> const& choice) -> operation {
  constexpr auto none = basic_channel_classes<D>::none;
  auto pruned = o;
  for (std::size_t d = 0; d < o.dims.size(); ++d)
    if (auto const c = classes.of_dim(v, d); c != none) pruned.dims[d].extent = choice.kept(c);
  for (std::size_t k = 0; k < o.operands.size(); ++k)
    for (std::size_t i = 0; i < o.operands[k].axes.size(); ++i) {
      auto const& was = o.operands[k].axes[i];
      auto& a = pruned.operands[k].axes[i];
      auto const own = classes.of_axis(v, k, i);
      if (own != none) a.extent = choice.kept(own);
      bool const touched = std::any_of(was.terms.begin(), was.terms.end(), [&](auto const& term) {
        return classes.of_dim(v, term.dim) != none;
      });
      if (!touched) continue;
      switch (form_of(o, was)) {
      case axis_form::plain:
      case axis_form::halo: a.extent = pruned.dims[was.terms[0].dim].extent; break;
      case axis_form::window:
        a.offset = was.offset <= 0
                       ? -choice.kept_before(classes.of_dim(v, was.terms[0].dim), -was.offset)
                       : choice.kept_before(own, was.offset);
        break;
      case axis_form::digits: {
        std::int64_t inside = 1;
        for (auto n = a.terms.size(); n-- > 0;) {
          auto const extent = pruned.dims[a.terms[n].dim].extent;
          if (o.dims[a.terms[n].dim].extent > 1) a.terms[n].stride = inside;
          inside *= extent;
        }
        a.extent = inside;
        break;
      }
      case axis_form::whole:
      case axis_form::other: break; // read whole; or fixed
      }
    }
  return pruned;
}

} // namespace mars::compression::detail
