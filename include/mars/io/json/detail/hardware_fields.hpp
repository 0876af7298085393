// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware.hpp>
#include <mars/interconnect.hpp>
#include <mars/io/json/detail/device_fields.hpp>
#include <mars/io/json/detail/fields.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The parameters of designs and interconnects, by the keys of a system document.

namespace mars::io::detail {

using enum number_domain;

/// Models name a parameter without its unit, documents with it: `bandwidths[2]` is
/// `bandwidths_bytes_per_s[2]`.
[[nodiscard]] inline auto with_unit(std::string path) -> std::string {
  auto const end = std::min(path.find_first_of(".[ "), path.size());
  std::string_view const name = std::string_view{path}.substr(0, end);
  auto const has = [&](std::string_view word) { return name.find(word) != name.npos; };
  std::string_view unit;
  if (name == "title") return "name";
  if (name == "peak_rate") return "peak_flops_per_s";
  if (name == "rate") return "rate_flops_per_s";
  if (name == "shared_per_sm") return "shared_bytes_per_sm";
  if (has("bandwidth") || name == "dram")
    unit = "_bytes_per_s";
  else if (has("latency") || name == "launch" || name == "wait" || name == "record" ||
           name == "gap" || name == "event" || name == "graph" || name == "barrier")
    unit = "_s";
  else if (name == "clock")
    unit = "_hz";
  else if (name == "power")
    unit = "_w";
  else if (name == "reference" || name == "memory" || name == "l2" || has("shared_"))
    unit = "_bytes";
  path.insert(end, unit);
  return path;
}
/// `links[3].latency` and the like: the unit of the last name.
[[nodiscard]] inline auto in_document(error e) -> error {
  auto const dot = e.path.rfind('.');
  if (dot == e.path.npos)
    e.path = with_unit(std::move(e.path));
  else
    e.path = e.path.substr(0, dot + 1) + with_unit(e.path.substr(dot + 1));
  return e;
}

// ---- designs -----------------------------------------------------------------------------------

inline constexpr std::array<std::string_view, 4> conv_loops{"out_channels", "in_channels", "rows",
                                                            "columns"};
inline constexpr std::array<std::string_view, 4> winograd_policies{"fallback", "direct", "split",
                                                                   "unsupported"};

template <class Fields>
void visit(Fields& f, hardware::super_lip& d) {
  f.text("name", d.title);
  f.integer("tm", d.tm, 1);
  f.integer("tn", d.tn, 1);
  f.integer("tr", d.tr, 1);
  f.integer("tc", d.tc, 1);
  f.quantity("clock_hz", d.clock, positive);
  f.number("weight_words_per_cycle", d.weight_words_per_cycle, positive_or_infinite);
  f.number("input_words_per_cycle", d.input_words_per_cycle, positive_or_infinite);
  f.number("output_words_per_cycle", d.output_words_per_cycle, positive_or_infinite);
  f.flag("clip_tiles", d.clip_tiles);
  f.number("vector_elements_per_cycle", d.vector_elements_per_cycle, not_negative);
}
template <class Fields>
void visit(Fields& f, hardware::systolic_array& d) {
  f.text("name", d.title);
  f.integer("row", d.row, 1);
  f.integer("col", d.col, 1);
  f.integer("vec", d.vec, 1);
  f.choice("row_loop", d.row_loop, conv_loops);
  f.choice("col_loop", d.col_loop, conv_loops);
  f.choice("vec_loop", d.vec_loop, conv_loops);
  f.flag("fill", d.fill);
  f.quantity("clock_hz", d.clock, positive);
  f.quantity("dram_bytes_per_s", d.dram, positive_or_infinite);
  f.number("vector_elements_per_cycle", d.vector_elements_per_cycle, not_negative);
}
template <class Fields>
void visit(Fields& f, hardware::winograd& d) {
  f.text("name", d.title);
  f.integer("n", d.n, 1);
  f.integer("r", d.r, 1);
  f.integer("pn", d.pn, 1);
  f.integer("pm", d.pm, 1);
  f.choice("other_layers", d.other_layers, winograd_policies);
  f.quantity("clock_hz", d.clock, positive);
  f.quantity("dram_bytes_per_s", d.dram, positive_or_infinite);
  f.number("vector_elements_per_cycle", d.vector_elements_per_cycle, not_negative);
}
template <class Fields>
void visit(Fields& f, hardware::roofline& d) {
  f.text("name", d.title);
  f.quantity("peak_flops_per_s", d.peak_rate, positive_or_infinite, presence::required);
  f.quantity("bandwidth_bytes_per_s", d.bandwidth, positive_or_infinite, presence::required);
  f.quantity("launch_s", d.launch, not_negative);
  f.number("compute_efficiency", d.compute_efficiency, fraction);
  f.number("memory_efficiency", d.memory_efficiency, fraction);
  visit_peaks(f, d.peaks, positive_or_infinite);
  f.known_quantity("power_w", d.power);
}
template <class Fields>
void visit(Fields& f, hardware::gpu& d) {
  f.text("name", d.title);
  visit(f, d.limits);
  f.number("memory_efficiency", d.memory_efficiency, fraction);
  f.number("elementwise_efficiency", d.elementwise_efficiency, fraction);
  f.known_quantity("power_w", d.power);
}

inline constexpr std::array<std::string_view, 3> layer_kinds{"conv", "fc", "lstm"};

template <class Fields>
void visit(Fields& f, hardware::h2h& d) {
  f.text("name", d.title);
  f.choice("layers", d.layers, layer_kinds);
  f.quantity("rate_flops_per_s", d.rate, positive, presence::required);
  f.quantity("clock_hz", d.clock, positive, presence::required);
  f.integer("port_bits", d.port_bits, 1);
  f.integer("tm", d.tm, 1);
  f.integer("tn", d.tn, 1);
  f.integer("tr", d.tr, 1);
  f.integer("tc", d.tc, 1);
  f.integer("tr_in", d.tr_in, 1);
  f.integer("tc_in", d.tc_in, 1);
  f.known_quantity("power_w", d.power);
}

// ---- interconnects -----------------------------------------------------------------------------

inline constexpr std::array<std::string_view, 2> forwarding_modes{"store_and_forward",
                                                                  "cut_through"};
inline constexpr std::size_t most_entries = interconnect::max_accelerators;

template <class Fields, class T>
void visit_integers(Fields& f, std::string_view key, std::vector<T>& x,
                    presence p = presence::required) {
  f.list(
      key, x, most_entries,
      [](reader const& r) { return static_cast<T>(r.integer(0, std::numeric_limits<T>::max())); },
      [](T n) { return ordered_json(n); }, p);
}
template <class Fields, class Unit>
void visit_quantities(Fields& f, std::string_view key, std::vector<quantity<Unit, double>>& x,
                      number_domain d, presence p = presence::optional) {
  f.list(
      key, x, most_entries, [d](reader const& r) { return quantity<Unit, double>{r.number(d)}; },
      [](quantity<Unit, double> q) { return write_number(q.count()); }, p);
}

template <class Fields>
void visit(Fields& f, interconnect::fully_connected& n) {
  f.integer("accelerators", n.accelerators, 1);
  f.quantity("bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite, presence::required);
  f.quantity("latency_s", n.latency, not_negative);
}
template <class Fields>
void visit(Fields& f, interconnect::grouped_through_host& n) {
  f.list(
      "groups", n.groups, most_entries,
      [](reader const& r) {
        std::vector<std::uint32_t> group;
        for (auto const& a : r.items(most_entries))
          group.push_back(static_cast<std::uint32_t>(a.integer(0, 0xffffffff)));
        return group;
      },
      [](std::vector<std::uint32_t> const& group) { return ordered_json(group); },
      presence::required);
  // Absent where they are not used; the model knows when they are.
  f.quantity("intra_bandwidth_bytes_per_s", n.intra_bandwidth, positive_or_infinite);
  f.quantity("host_bandwidth_bytes_per_s", n.host_bandwidth, positive_or_infinite);
  visit_quantities(f, "host_bandwidths_bytes_per_s", n.host_bandwidths, positive_or_infinite);
  f.quantity("latency_s", n.latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}
template <class Fields>
void visit(Fields& f, interconnect::host_staged& n) {
  f.integer("accelerators", n.accelerators, 1);
  f.quantity("bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite);
  visit_quantities(f, "bandwidths_bytes_per_s", n.bandwidths, positive_or_infinite);
  f.quantity("latency_s", n.latency, not_negative);
  f.flag("follow_first", n.follow_first);
}
template <class Fields>
void visit(Fields& f, interconnect::ring& n) {
  f.integer("accelerators", n.accelerators, 1);
  f.quantity("bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite, presence::required);
  f.quantity("latency_s", n.latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}
template <class Fields>
void visit(Fields& f, interconnect::mesh& n) {
  visit_integers(f, "extents", n.extents);
  f.quantity("bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite, presence::required);
  f.quantity("latency_s", n.latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}
template <class Fields>
void visit(Fields& f, interconnect::torus& n) {
  visit_integers(f, "extents", n.extents);
  f.list(
      "wrap", n.wrap, most_entries, [](reader const& r) { return r.boolean(); },
      [](bool b) { return ordered_json(b); });
  f.quantity("bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite, presence::required);
  f.quantity("latency_s", n.latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}
template <class Fields>
void visit(Fields& f, interconnect::switched& n) {
  f.integer("accelerators", n.accelerators, 1);
  f.quantity("bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite);
  visit_quantities(f, "bandwidths_bytes_per_s", n.bandwidths, positive_or_infinite);
  f.quantity("latency_s", n.latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}
template <class Fields>
void visit(Fields& f, interconnect::hierarchy& n) {
  f.integer("nodes", n.nodes, 1, presence::required);
  f.integer("accelerators_per_node", n.accelerators_per_node, 1, presence::required);
  f.quantity("node_bandwidth_bytes_per_s", n.node_bandwidth, positive_or_infinite);
  f.quantity("node_latency_s", n.node_latency, not_negative);
  f.quantity("network_bandwidth_bytes_per_s", n.network_bandwidth, positive_or_infinite);
  f.quantity("network_latency_s", n.network_latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}
template <class Fields>
void visit(Fields& f, interconnect::fat_tree& n) {
  visit_integers(f, "arity", n.arity);
  visit_quantities(f, "bandwidth_bytes_per_s", n.bandwidth, positive_or_infinite,
                   presence::required);
  visit_quantities(f, "latency_s", n.latency, not_negative);
  f.choice("forwarding", n.forwarding, forwarding_modes);
}

} // namespace mars::io::detail
