// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/designs/h2h.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/host_staged.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/layer_table.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

// Tables of layers and of accelerators, as H2H and MARCH publish them: sizes under their reference
// names, units in the keys.

namespace mars::io::detail {

inline constexpr std::array<std::string_view, 3> table_kinds{"conv", "fc", "lstm"};
inline constexpr std::array<std::string_view, 2> table_edge_kinds{"chain", "cross_modality"};

[[nodiscard]] inline auto read_table_layer(reader const& r) -> table_layer {
  constexpr std::int64_t largest = std::int64_t{1} << 40;
  r.allow({"id", "modality", "kind", "M_out_channels", "N_in_channels", "R_out_rows", "C_out_cols",
           "K_kernel", "stride", "H_hidden", "D_input", "steps", "same_as"});
  table_layer l;
  l.name = r["id"].text();
  l.kind = static_cast<table_layer::what>(r["kind"].choice(table_kinds));
  auto const size = [&](char const* key) { return r[key].integer(1, largest); };
  if (l.kind == table_layer::what::lstm) {
    l.out_channels = size("H_hidden");
    l.in_channels = size("D_input");
    l.steps = size("steps");
    return l;
  }
  l.out_channels = size("M_out_channels");
  l.in_channels = size("N_in_channels");
  l.rows = size("R_out_rows");
  l.columns = size("C_out_cols");
  l.kernel = size("K_kernel");
  if (auto const stride = r.find("stride")) (void)stride->integer(1, 1);
  return l;
}

/// A `mars.h2h.model/1` document. `totals`, where given, must be what the layers add up to.
[[nodiscard]] inline auto read_layer_table(reader const& root) -> expected<graph> {
  root.allow(
      {"schema", "name", "source", "batch", "element_bits", "totals", "notes", "layers", "edges"});
  auto const name = root.find("name");
  auto graph_name = name ? name->text() : std::string{};
  auto const bits = root.find("element_bits");
  auto const element_bits = bits ? static_cast<int>(bits->integer(1, 64)) : 32;
  if (auto const batch = root.find("batch")) (void)batch->integer(1, 1);
  std::vector<table_layer> layers;
  std::unordered_map<std::string, std::uint32_t> number;
  for (auto const& r : root["layers"].items()) {
    if (root.failed()) break;
    layers.push_back(read_table_layer(r));
    if (!root.failed() &&
        !number.emplace(layers.back().name, static_cast<std::uint32_t>(layers.size() - 1)).second)
      r["id"].reject(error_code::duplicate, "an id of its own");
  }
  std::vector<table_edge> edges;
  if (auto const listed = root.find("edges"); listed && !root.failed())
    for (auto const& r : listed->items()) {
      if (root.failed()) break;
      r.allow({"from", "to", "kind"});
      if (auto const kind = r.find("kind")) (void)kind->choice(table_edge_kinds);
      auto const end = [&](char const* key) -> std::uint32_t {
        auto const at = number.find(r[key].text());
        if (at != number.end()) return at->second;
        r[key].reject(error_code::dangling, "the id of a layer");
        return 0;
      };
      auto const from = end("from");
      edges.push_back({from, end("to")});
    }
  if (root.failed()) return graph{}; // the caller asks
  auto made = graph_of_table(std::move(graph_name), layers, edges, element_bits);
  auto const totals = root.find("totals");
  if (!made || !totals) return made;
  totals->allow({"layers", "parameters", "macs"});
  auto const compare = [&](char const* key, std::int64_t found) {
    if (auto const r = totals->find(key); r && r->integer(0) != found)
      r->reject(error_code::invalid_argument,
                std::to_string(found) + ", which the layers add up to");
  };
  compare("layers", static_cast<std::int64_t>(made->size()));
  compare("parameters", parameters_of(*made));
  compare("macs", macs_of(*made).count());
  return made;
}

/// A `mars.h2h.accelerators/1` document: accelerators around a host, over the first of the listed
/// bandwidths.
[[nodiscard]] inline auto read_h2h_system(reader const& root) -> std::optional<any_system> {
  root.allow({"schema", "name", "source", "GB_means_bytes", "ops_per_mac", "host_bandwidth_levels",
              "accelerators"});
  auto const gb = root.find("GB_means_bytes");
  double const giga = gb ? gb->number(number_domain::positive) : 1e9;
  double bandwidth = 0;
  for (auto const& r : root["host_bandwidth_levels"].items(1024)) {
    r.allow({"name", "GB_per_s"});
    auto const level = r["GB_per_s"].number(number_domain::positive);
    if (!(bandwidth > 0)) bandwidth = level;
  }
  if (!root.failed() && !(bandwidth > 0))
    root["host_bandwidth_levels"].reject(error_code::out_of_range, "at least one level");
  std::vector<accelerator> all;
  for (auto const& r : root["accelerators"].items(16'384)) {
    if (root.failed()) break;
    r.allow({"id", "board", "supported_kinds", "throughput_GOP_per_s", "clock_MHz",
             "dram_port_bits", "dram_GB", "weight_fraction_of_dram", "pinnable_weight_elements",
             "element_bits", "power_W", "tile", "note"});
    accelerator a;
    a.name = r["id"].text();
    auto const positive = [](reader const& of, char const* key) {
      return of[key].number(number_domain::positive);
    };
    double const fraction = positive(r, "weight_fraction_of_dram");
    a.capacity = bytes{std::llround(positive(r, "dram_GB") * giga * fraction)};
    hardware::h2h d;
    d.rate = flops_per_second{positive(r, "throughput_GOP_per_s") * 1e9};
    d.clock = hertz{positive(r, "clock_MHz") * 1e6};
    d.port_bits = r["dram_port_bits"].integer(1, 1'000'000);
    if (auto const power = r.find("power_W")) {
      d.power = watts{power->number(number_domain::not_negative)};
      a.draw = d.power;
    }
    if (auto const tile = r.find("tile")) {
      auto const side = [&](char const* key) { return (*tile)[key].integer(1, 1'000'000); };
      tile->allow({"Tm_out_channels", "Tn_in_channels", "Tr_out_rows", "Tc_out_cols", "Tr_in_rows",
                   "Tc_in_cols"});
      d.tm = side("Tm_out_channels");
      d.tn = side("Tn_in_channels");
      d.tr = side("Tr_out_rows");
      d.tc = side("Tc_out_cols");
      d.tr_in = side("Tr_in_rows");
      d.tc_in = side("Tc_in_cols");
    }
    for (auto const& kind : r["supported_kinds"].items(3)) {
      auto offered = d;
      offered.layers = static_cast<hardware::layer_kind>(kind.choice(table_kinds));
      offered.title = std::string{hardware::h2h_title(offered.layers)};
      a.configurations.emplace_back(std::move(offered));
    }
    if (root.failed()) break;
    if (a.configurations.empty())
      r["supported_kinds"].reject(error_code::out_of_range, "at least one kind");
    all.push_back(std::move(a));
  }
  if (!root.failed() && all.empty())
    root["accelerators"].reject(error_code::out_of_range, "at least one accelerator");
  if (root.failed()) return std::nullopt;
  auto const name = root.find("name");
  auto const n = all.size();
  return any_system{name ? name->text() : std::string{"h2h"}, std::move(all),
                    interconnect::host_staged{.accelerators = n,
                                              .bandwidth = bytes_per_second{bandwidth * giga},
                                              .follow_first = true}};
}

} // namespace mars::io::detail
