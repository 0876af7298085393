// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/detail/device_fields.hpp>
#include <mars/io/json/detail/fields.hpp>
#include <mars/primitive/processor.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

// The parameters of a processor, its algorithms and what they reach, by the keys of a system document.

namespace mars::io::detail {

inline constexpr std::array<std::string_view, 2> code_generations{
    generation_name(primitive::code_generation::untuned),
    generation_name(primitive::code_generation::tuned)};

template <class Fields>
void visit(Fields& f, primitive::rates& r) {
  using enum number_domain;
  f.number("macs", r.macs, not_negative);
  f.number("traffic", r.traffic, not_negative);
  f.quantity("call_s", r.call, not_negative);
  f.number("transforms", r.transforms, not_negative);
  f.number("decoding", r.decoding, not_negative);
  f.number("untuned", r.untuned, positive);
  f.number("least_channels", r.least_channels, positive);
}
/// What an algorithm is besides its name.
template <class Fields, class P>
void visit_primitive(Fields& f, P& p) {
  if constexpr (requires { p.tile.rows; }) {
    f.integer("tile_rows", p.tile.rows, 1);
    f.integer("tile_columns", p.tile.columns, 1);
  }
  if constexpr (requires { p.whole_blocks; }) f.flag("whole_blocks", p.whole_blocks);
  if constexpr (requires { p.registers; }) f.integer("registers", p.registers, 1);
}

template <class Fields>
void visit(Fields& f, primitive::processor& d) {
  using enum number_domain;
  f.text("name", d.title);
  f.quantity("peak_flops_per_s", d.peak_rate, positive, presence::required);
  visit_peaks(f, d.peaks, positive);
  f.integer("lanes", d.lanes, 1);
  f.list(
      "caches", d.caches, d.caches.capacity(),
      [](reader const& r) {
        r.allow({"bytes", "bandwidth_bytes_per_s"});
        return primitive::cache_level{
            bytes{r["bytes"].integer(1)},
            bytes_per_second{r["bandwidth_bytes_per_s"].number(positive)}};
      },
      [](primitive::cache_level const& c) -> ordered_json {
        return {{"bytes", c.size.count()},
                {"bandwidth_bytes_per_s", write_number(c.bandwidth.count())}};
      });
  f.quantity("bandwidth_bytes_per_s", d.bandwidth, positive, presence::required);
  f.quantity("launch_s", d.launch, not_negative);
  f.choice("code_generation", d.generation, code_generations);
  f.object("primitives", [&](auto& inner) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (inner.object(std::get<I>(d.primitives).name(),
                    [&](auto& one) {
                      visit(one, d.coefficients[I]);
                      visit_primitive(one, std::get<I>(d.primitives));
                    }),
       ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(d.primitives)>>{});
  });
  f.object("reordering", [&](auto& inner) { visit(inner, d.reordering); });
  f.known_quantity("power_w", d.power);
}

} // namespace mars::io::detail
