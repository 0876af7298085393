// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/report/detail/memory_chart.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mars::io::detail {

/// Seconds to the picosecond, as short as that is; `null` for what never comes.
[[nodiscard]] inline auto json_time(double s) -> std::string {
  return std::isfinite(s) ? fmt::format("{:.15g}", s) : std::string{"null"};
}
[[nodiscard]] inline auto json_index(std::optional<std::size_t> i) -> std::string {
  return i ? std::to_string(*i) : std::string{"-1"};
}
template <class Range>
[[nodiscard]] auto json_list(Range const& all, auto&& write) -> std::string {
  std::string out = "[";
  for (auto const& x : all) {
    if (out.size() > 1) out += ',';
    out += write(x);
  }
  return out + "]";
}

/// What the script needs, as rows of numbers and names; times in seconds, −1 for nobody:
///   ops        name, kind, set, sharding, start, end, a time per cause, critical, cause of the wait,
///              on whom, stream
///   groups     sets, accelerators
///   bands      group, stream or −1: a row on each of its accelerators
///   gaps       group, start, end, cause, on whom, busy accelerator, operators before and after
///   transfers  from, to, bytes, start, end
///   memory     group, capacity, steps of [time, weights, results, buffers]
[[nodiscard]] inline auto page_data(report_data const& r) -> std::string {
  auto const groups = lane_groups(r);
  auto const span = time_span(r);
  auto const number = [](std::size_t i) { return std::to_string(i); };
  auto out =
      fmt::format("{{\"span\":{},\"semantics\":{}", json_time(span), static_cast<int>(r.semantics));
  out += ",\"causes\":[";
  for (std::size_t c = 0; c < cause_count; ++c)
    out += (c == 0 ? "" : ",") + json_text(cause_name(c, r.semantics));
  out += "],\"order\":" + json_list(causes_in_time, number);
  out += ",\"accelerators\":" +
         json_list(r.accelerators, [](auto const& a) { return json_text(a.name); });
  out += ",\"sets\":" +
         json_list(r.sets, [&](auto const& s) { return json_list(s.accelerators, number); });
  out +=
      ",\"groups\":" + json_list(groups, [&](auto const& g) {
        return fmt::format("[{},{}]", json_list(g.sets, number), json_list(g.accelerators, number));
      });

  out += ",\"bands\":" + json_list(lane_bands(r, groups), [](auto const& b) {
           return fmt::format("[{},{}]", b.group, json_index(b.stream));
         });

  out += ",\"ops\":" + json_list(r.operators, [](auto const& o) {
           auto row =
               fmt::format("\n[{},{},{},{},{},{}", json_text(o.name), json_text(o.kind), o.set,
                           json_text(o.sharding), json_time(o.start_s), json_time(o.end_s));
           for (auto const t : causes_in_order(o.time)) row += "," + json_time(t);
           return row + fmt::format(",{},{},{},{}]", o.critical ? 1 : 0, static_cast<int>(o.wait),
                                    json_index(o.wait_on), o.stream);
         });

  std::vector<std::optional<std::size_t>> stands_for(r.accelerators.size());
  for (std::size_t g = 0; g < groups.size(); ++g)
    stands_for[groups[g].accelerators.front()] = g; // the others rest at the same times
  std::vector<report_gap const*> shown;
  for (auto const& g : r.gaps)
    if (stands_for[g.accelerator] && std::isfinite(g.end_s)) shown.push_back(&g);
  out += ",\"gaps\":" + json_list(shown, [&](auto const* g) {
           return fmt::format("\n[{},{},{},{},{},{},{},{}]", *stands_for[g->accelerator],
                              json_time(g->start_s), json_time(g->end_s),
                              static_cast<int>(g->cause), json_index(g->on), json_index(g->busy),
                              json_index(g->previous), json_index(g->next));
         });
  out += ",\"transfers\":" + json_list(r.transfers, [](auto const& t) {
           return fmt::format("\n[{},{},{},{},{}]", t.from, t.to, t.bytes, json_time(t.start_s),
                              json_time(t.end_s));
         });
  out +=
      ",\"memory\":" + json_list(memory_rows(r, groups), [&](std::size_t g) {
        auto const& a = r.accelerators[fullest(r, groups[g])];
        return fmt::format("\n[{},{},{}]", g, a.capacity_bytes,
                           json_list(thinned(a.memory, span, 1500), [](auto const& s) {
                             return fmt::format("[{},{},{},{}]", json_time(s.at_s), s.weights_bytes,
                                                s.results_bytes, s.buffers_bytes);
                           }));
      });
  return out + "}";
}

} // namespace mars::io::detail
