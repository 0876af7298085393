// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/interconnect/arbitrary.hpp>
#include <mars/io/json/detail/hardware_fields.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::detail {

inline constexpr std::array<std::string_view, 10> interconnect_kinds{"fully_connected",
                                                                     "grouped_through_host",
                                                                     "ring",
                                                                     "mesh",
                                                                     "torus",
                                                                     "switched",
                                                                     "hierarchy",
                                                                     "fat_tree",
                                                                     "arbitrary",
                                                                     "host_staged"};

/// A file of a few bytes must not ask for gigabytes of links, or for hours of routing.
inline constexpr std::size_t most_links = std::size_t{1} << 20;
inline constexpr std::size_t most_routing_steps = std::size_t{1} << 27;

/// Links that a model would list, where they grow with the square of its size.
template <class N>
[[nodiscard]] auto count_pairs(N const& n) -> std::size_t {
  if constexpr (std::same_as<N, interconnect::fully_connected>) {
    return n.accelerators * (n.accelerators - 1);
  } else if constexpr (std::same_as<N, interconnect::grouped_through_host>) {
    std::size_t pairs = 0;
    for (auto const& g : n.groups) pairs += g.size() * g.size();
    return pairs;
  } else {
    return 0;
  }
}

/// The error of a model as one of the document.
inline auto accept(reader const& r, expected<void> const& checked) -> bool {
  if (r.failed()) return false;
  if (!checked) r.reject(in_document(checked.error()));
  return checked.has_value();
}

/// A wrapped model must connect as many accelerators as there are: asked before it is wrapped, which
/// lists its links.
template <class N>
[[nodiscard]] auto wrap(reader const& r, N model, std::size_t accelerators)
    -> std::optional<any_interconnect> {
  if (r.failed()) return std::nullopt;
  if (auto const n = model.size(); n != accelerators) {
    r.reject({error_code::shape_mismatch,
              {},
              std::string{"an interconnect of "} + std::to_string(n) + " accelerators",
              std::to_string(accelerators),
              {}});
    return std::nullopt;
  }
  if (count_pairs(model) > most_links) {
    r.reject({error_code::out_of_range,
              {},
              std::to_string(count_pairs(model)) + " links",
              std::string{"at most "} + std::to_string(most_links),
              {}});
    return std::nullopt;
  }
  if (auto const name = r.find("name")) return any_interconnect{std::move(model), name->text()};
  return any_interconnect{std::move(model)};
}

template <class N>
[[nodiscard]] auto read_model(reader const& r, std::size_t accelerators)
    -> std::optional<any_interconnect> {
  N model;
  if constexpr (requires { model.accelerators; }) model.accelerators = accelerators;
  field_reader fields{r, {"kind", "name"}};
  visit(fields, model);
  fields.finish();
  if (r.failed() || !accept(r, model.validate())) return std::nullopt;
  return wrap(r, std::move(model), accelerators);
}

inline constexpr std::array<std::string_view, 3> node_kinds{"accelerator", "switch", "host"};

[[nodiscard]] inline auto read_endpoint(reader const& r) -> endpoint {
  r.allow(node_kinds);
  std::optional<endpoint> found;
  for (std::size_t k = 0; k < node_kinds.size(); ++k)
    if (auto const number = r.find(node_kinds[k])) {
      if (found) r.reject(error_code::invalid_argument, "one of accelerator, switch, host");
      found = endpoint{static_cast<node_kind>(k),
                       static_cast<std::uint32_t>(number->integer(0, 0xffffffff))};
    }
  if (!found) r.reject(error_code::missing_key, "one of accelerator, switch, host");
  return found.value_or(endpoint{});
}

[[nodiscard]] inline auto read_arbitrary(reader const& r, std::size_t accelerators)
    -> std::optional<any_interconnect> {
  interconnect::topology t{.accelerators = accelerators};
  std::int64_t reference = t.reference.count();
  field_reader fields{r, {"kind", "name"}};
  fields.integer("accelerators", t.accelerators, 1);
  fields.list(
      "links", t.links, most_links,
      [](reader const& item) {
        link l{};
        field_reader f{item, {"from", "to"}};
        f.text("name", l.name);
        f.quantity("bandwidth_bytes_per_s", l.bandwidth, positive_or_infinite, presence::required);
        f.quantity("latency_s", l.latency, not_negative);
        f.finish();
        l.from = read_endpoint(item["from"]);
        l.to = read_endpoint(item["to"]);
        return l;
      },
      [](link const&) { return ordered_json{}; }, presence::required);
  fields.choice("forwarding", t.forwarding, forwarding_modes);
  fields.flag("accelerators_forward", t.accelerators_forward);
  fields.integer("reference_bytes", reference, 0);
  fields.finish();
  t.reference = bytes{reference};
  if (r.failed()) return std::nullopt;
  if (t.accelerators > most_routing_steps / (t.links.size() + 1)) {
    r.reject({error_code::out_of_range,
              {},
              std::to_string(t.accelerators) + " accelerators and " +
                  std::to_string(t.links.size()) + " links",
              "a network that can be routed in reasonable time",
              {}});
    return std::nullopt;
  }
  auto built = interconnect::arbitrary::build(std::move(t));
  if (!built) {
    r.reject(in_document(built.error()));
    return std::nullopt;
  }
  return wrap(r, *std::move(built), accelerators);
}

[[nodiscard]] inline auto read_interconnect(reader const& r, std::size_t accelerators)
    -> std::optional<any_interconnect> {
  switch (r["kind"].choice(interconnect_kinds)) {
  case 0: return read_model<interconnect::fully_connected>(r, accelerators);
  case 1: return read_model<interconnect::grouped_through_host>(r, accelerators);
  case 2: return read_model<interconnect::ring>(r, accelerators);
  case 3: return read_model<interconnect::mesh>(r, accelerators);
  case 4: return read_model<interconnect::torus>(r, accelerators);
  case 5: return read_model<interconnect::switched>(r, accelerators);
  case 6: return read_model<interconnect::hierarchy>(r, accelerators);
  case 7: return read_model<interconnect::fat_tree>(r, accelerators);
  case 9: return read_model<interconnect::host_staged>(r, accelerators);
  default: return read_arbitrary(r, accelerators);
  }
}

// ---- writing ----

[[nodiscard]] inline auto write_endpoint(endpoint e) -> ordered_json {
  ordered_json j;
  j[std::string{node_kinds[static_cast<std::size_t>(e.kind)]}] = e.index;
  return j;
}

template <class N>
auto write_model(any_interconnect const& net, std::string_view kind, ordered_json& j) -> bool {
  auto const* model = net.get_if<N>();
  if (model == nullptr) return false;
  j["kind"] = std::string{kind};
  if (net.name() != model->name()) j["name"] = net.name();
  if constexpr (std::same_as<N, interconnect::arbitrary>) {
    auto const t = model->described();
    j["accelerators"] = t.accelerators;
    auto& links = j["links"] = ordered_json::array();
    for (auto const& l : t.links)
      links.push_back({{"name", l.name},
                       {"from", write_endpoint(l.from)},
                       {"to", write_endpoint(l.to)},
                       {"bandwidth_bytes_per_s", write_number(l.bandwidth.count())},
                       {"latency_s", write_number(l.latency.count())}});
    j["forwarding"] = std::string{forwarding_modes[static_cast<std::size_t>(t.forwarding)]};
    j["accelerators_forward"] = t.accelerators_forward;
    j["reference_bytes"] = t.reference.count();
  } else {
    auto copy = *model;
    field_writer fields{j};
    visit(fields, copy);
  }
  return true;
}

/// Null for a model that is not the library's.
[[nodiscard]] inline auto write_interconnect(any_interconnect const& net) -> ordered_json {
  ordered_json j;
  auto const& k = interconnect_kinds;
  bool const known = write_model<interconnect::fully_connected>(net, k[0], j) ||
                     write_model<interconnect::grouped_through_host>(net, k[1], j) ||
                     write_model<interconnect::ring>(net, k[2], j) ||
                     write_model<interconnect::mesh>(net, k[3], j) ||
                     write_model<interconnect::torus>(net, k[4], j) ||
                     write_model<interconnect::switched>(net, k[5], j) ||
                     write_model<interconnect::hierarchy>(net, k[6], j) ||
                     write_model<interconnect::fat_tree>(net, k[7], j) ||
                     write_model<interconnect::arbitrary>(net, k[8], j) ||
                     write_model<interconnect::host_staged>(net, k[9], j);
  return known ? j : ordered_json(nullptr);
}

} // namespace mars::io::detail
