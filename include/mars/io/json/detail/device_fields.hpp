// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/width_peak.hpp>
#include <mars/io/json/detail/algebra.hpp>
#include <mars/io/json/detail/fields.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

// The limits of a GPU, by the keys of documents on systems and on kernels.

namespace mars::io::detail {

/// `rates`: what a peak may be.
template <class Fields, class Peaks>
void visit_peaks(Fields& f, Peaks& peaks, number_domain rates) {
  f.list(
      "peaks", peaks, peaks.capacity(),
      [rates](reader const& r) {
        r.allow({"element_bits", "numbers", "flops_per_s"});
        hardware::width_peak p{static_cast<int>(r["element_bits"].integer(1, 64)),
                               flops_per_second{r["flops_per_s"].number(rates)}};
        if (auto const numbers = r.find("numbers"))
          p.numbers = static_cast<number_format>(numbers->choice(number_formats));
        return p;
      },
      [](hardware::width_peak const& p) -> ordered_json {
        ordered_json j{{"element_bits", p.element_bits}};
        if (p.numbers != number_format::automatic)
          j["numbers"] = number_formats[static_cast<std::size_t>(p.numbers)];
        j["flops_per_s"] = write_number(p.rate.count());
        return j;
      });
}
/// A count of bytes or operations, as a whole number.
template <class Fields, class Unit>
void visit_count(Fields& f, std::string_view key, mars::quantity<Unit, std::int64_t>& x,
                 std::int64_t least = 0) {
  auto n = x.count();
  f.integer(key, n, least);
  x = mars::quantity<Unit, std::int64_t>{n};
}
template <class Fields>
void visit(Fields& f, launch_overheads& o) {
  using enum number_domain;
  f.quantity("launch_s", o.launch, not_negative);
  f.quantity("wait_s", o.wait, not_negative);
  f.quantity("record_s", o.record, not_negative);
  f.quantity("gap_s", o.gap, not_negative);
  f.quantity("event_s", o.event, not_negative);
  f.quantity("graph_s", o.graph, not_negative);
  f.quantity("barrier_s", o.barrier, not_negative);
}
template <class Fields>
void visit(Fields& f, gpu_device& d) {
  using enum number_domain;
  f.integer("sms", d.sms, 1, presence::required);
  f.integer("threads_per_sm", d.threads_per_sm, 1);
  f.integer("registers_per_sm", d.registers_per_sm, 1);
  visit_count(f, "shared_bytes_per_sm", d.shared_per_sm);
  f.integer("blocks_per_sm", d.blocks_per_sm, 1);
  f.integer("warp", d.warp, 1);
  f.integer("register_unit", d.register_unit, 1);
  visit_count(f, "shared_unit_bytes", d.shared_unit, 1);
  visit_count(f, "shared_reserved_bytes", d.shared_reserved);
  f.quantity("peak_flops_per_s", d.peak_rate, positive, presence::required);
  f.quantity("bandwidth_bytes_per_s", d.bandwidth, positive, presence::required);
  visit_count(f, "l2_bytes", d.l2);
  f.number("saturating_warps", d.saturating_warps, positive);
  f.number("bytes_per_warp", d.bytes_per_warp, positive);
  f.quantity("dram_latency_s", d.dram_latency, positive);
  visit_peaks(f, d.peaks, positive);
  f.object("overheads", [&](auto& inner) { visit(inner, d.overheads); });
}

} // namespace mars::io::detail
