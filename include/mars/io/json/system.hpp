// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/hardware.hpp>
#include <mars/io/json/detail/h2h_json.hpp>
#include <mars/io/json/detail/interconnect_json.hpp>
#include <mars/io/json/detail/processor_fields.hpp>
#include <mars/io/json/detail/schema.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

inline constexpr std::string_view system_schema = "mars.system/1";
/// Larger systems are refused at the door.
inline constexpr std::size_t max_system_size = 16'384;

namespace detail {

inline constexpr std::array<std::string_view, 7> design_kinds{
    "super_lip", "systolic_array", "winograd", "roofline", "h2h", "gpu", "processor"};

template <class D>
[[nodiscard]] auto read_parameters(reader const& r) -> std::optional<any_design> {
  D design;
  field_reader fields{r, {"kind"}};
  visit(fields, design);
  fields.finish();
  if (r.failed() || !accept(r, design.validate())) return std::nullopt;
  return any_design{std::move(design)};
}

[[nodiscard]] inline auto read_design(reader const& r) -> std::optional<any_design> {
  switch (r["kind"].choice(design_kinds)) {
  case 0: return read_parameters<hardware::super_lip>(r);
  case 1: return read_parameters<hardware::systolic_array>(r);
  case 2: return read_parameters<hardware::winograd>(r);
  case 4: return read_parameters<hardware::h2h>(r);
  case 5: return read_parameters<hardware::gpu>(r);
  case 6: return read_parameters<primitive::processor>(r);
  default: return read_parameters<hardware::roofline>(r);
  }
}

/// One entry of the list: an accelerator, or `count` of them with numbered names.
inline void read_accelerators(reader const& r, std::vector<accelerator>& all) {
  r.allow({"name", "count", "memory_bytes", "power_w", "designs"});
  accelerator a;
  auto const name = r.find("name");
  a.name = name ? name->text() : "accelerator";
  a.capacity = bytes{r["memory_bytes"].integer(1)};
  if (auto const power = r.find("power_w"); power && !power->is_null())
    a.draw = watts{power->number(number_domain::not_negative)};
  for (auto const& d : r["designs"].items(1024))
    if (auto design = read_design(d)) a.configurations.push_back(*std::move(design));
  auto const count = r.find("count");
  auto const n = count ? static_cast<std::size_t>(count->integer(1, max_system_size)) : 1;
  if (r.failed()) return;
  if (!accept(r, mars::detail::validate_accelerator(a))) return;
  if (all.size() + n > max_system_size) {
    (count ? *count : r)
        .reject({error_code::out_of_range,
                 {},
                 std::to_string(all.size() + n) + " accelerators",
                 std::string{"at most "} + std::to_string(max_system_size),
                 {}});
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    all.push_back(a);
    if (count) all.back().name += std::to_string(i);
  }
}

[[nodiscard]] inline auto read_preset(reader const& root) -> std::optional<any_system> {
  root.allow({"schema", "preset", "name", "memory_bytes"});
  auto const names = presets::names();
  auto const which = root["preset"].choice(names);
  auto const name = root.find("name");
  auto const memory = root.find("memory_bytes");
  auto const title = name ? name->text() : std::string{};
  auto const capacity = memory ? memory->integer(1) : 0;
  if (root.failed()) return std::nullopt;
  auto found = presets::find(names[which]);
  if (!found) {
    root.reject(found.error());
    return std::nullopt;
  }
  if (name) found->name = title;
  if (memory)
    for (auto& a : found->accelerators) a.capacity = bytes{capacity};
  return *std::move(found);
}

[[nodiscard]] inline auto read_system(reader const& root) -> std::optional<any_system> {
  if (!root.is_object()) root.reject(error_code::wrong_type, "an object");
  if (has_schema(root, "mars.h2h.accelerators/1")) return read_h2h_system(root);
  read_schema(root, system_schema);
  if (root.has("preset")) return read_preset(root);
  root.allow({"schema", "name", "accelerators", "interconnect"});
  std::vector<accelerator> accelerators;
  auto const listed = root["accelerators"];
  for (auto const& a : listed.items(max_system_size))
    if (!root.failed()) read_accelerators(a, accelerators);
  if (!root.failed() && accelerators.empty())
    listed.reject(error_code::out_of_range, "at least one accelerator");
  auto const name = root.find("name");
  auto title = name ? name->text() : std::string{};
  auto const net = root["interconnect"];
  if (root.failed()) return std::nullopt;
  auto interconnect = read_interconnect(net, accelerators.size());
  if (!interconnect) return std::nullopt;
  return any_system{std::move(title), std::move(accelerators), *std::move(interconnect)};
}

// ---- writing ----

template <class D>
auto write_parameters(any_design const& design, std::string_view kind, ordered_json& j) -> bool {
  auto const* known = design.get_if<D>();
  if (known == nullptr) return false;
  j["kind"] = std::string{kind};
  auto copy = *known;
  field_writer fields{j};
  visit(fields, copy);
  return true;
}
/// Null for a design that is not the library's.
[[nodiscard]] inline auto write_design(any_design const& d) -> ordered_json {
  ordered_json j;
  bool const known = write_parameters<hardware::super_lip>(d, design_kinds[0], j) ||
                     write_parameters<hardware::systolic_array>(d, design_kinds[1], j) ||
                     write_parameters<hardware::winograd>(d, design_kinds[2], j) ||
                     write_parameters<hardware::roofline>(d, design_kinds[3], j) ||
                     write_parameters<hardware::h2h>(d, design_kinds[4], j) ||
                     write_parameters<hardware::gpu>(d, design_kinds[5], j) ||
                     write_parameters<primitive::processor>(d, design_kinds[6], j);
  return known ? j : ordered_json(nullptr);
}

/// How many accelerators from `first` on are `count` of one entry: alike, with names `x0`, `x1`, …;
/// 1 if the first one stands for itself. `stem` is x.
[[nodiscard]] inline auto alike(std::vector<accelerator> const& all, std::size_t first,
                                std::string& stem) -> std::size_t {
  auto const& name = all[first].name;
  if (!name.ends_with('0')) return 1;
  stem = name.substr(0, name.size() - 1);
  std::size_t n = 0;
  for (; first + n < all.size(); ++n) {
    auto copy = all[first];
    copy.name = stem + std::to_string(n);
    if (!(all[first + n] == copy)) break;
  }
  return n;
}

} // namespace detail

/// A system from the text of a `mars.system/1` document, or of a `mars.h2h.accelerators/1` table of
/// accelerators (see io/json.hpp). It is valid
/// (`system.validate()`). Errors carry the path to the culprit in the document.
[[nodiscard]] inline auto load_system(std::string_view text) -> expected<any_system> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  reader_context context{*document};
  auto system = detail::read_system(context.root());
  if (context.failed()) return unexpected{error{context.failure()}};
  if (!system) return fail(error_code::invalid_argument, {}, "no system");
  if (auto ok = system->validate(); !ok) return unexpected{std::move(ok).error()};
  return *std::move(system);
}

/// A system as a `mars.system/1` document: `load_system` makes an equal one of it. Error `unsupported`:
/// a design or an interconnect that is not one of the library's.
[[nodiscard]] inline auto system_to_json(any_system const& s) -> expected<ordered_json> {
  ordered_json j;
  j["schema"] = std::string{system_schema};
  j["name"] = s.name;
  auto accelerators = ordered_json::array();
  for (std::size_t i = 0; i < s.accelerators.size();) {
    auto const& a = s.accelerators[i];
    std::string stem;
    auto const count = detail::alike(s.accelerators, i, stem);
    ordered_json entry;
    entry["name"] = count > 1 ? stem : a.name;
    if (count > 1) entry["count"] = count;
    entry["memory_bytes"] = a.capacity.count();
    if (is_known(a.draw)) entry["power_w"] = a.draw.count();
    auto designs = ordered_json::array();
    for (std::size_t d = 0; d < a.configurations.size(); ++d) {
      designs.push_back(detail::write_design(a.configurations[d]));
      if (designs.back().is_null())
        return fail(error_code::unsupported,
                    std::string{"accelerators["} + std::to_string(i) + "].designs[" +
                        std::to_string(d) + "]",
                    std::string{a.configurations[d].name()}, "a design of the library");
    }
    entry["designs"] = std::move(designs);
    accelerators.push_back(std::move(entry));
    i += count;
  }
  j["accelerators"] = std::move(accelerators);
  j["interconnect"] = detail::write_interconnect(s.interconnect);
  if (j["interconnect"].is_null())
    return fail(error_code::unsupported, "interconnect", s.interconnect.name(),
                "an interconnect of the library");
  return j;
}

/// The same for any system that can become an `any_system`.
template <class System>
requires(!std::same_as<System, any_system> && std::convertible_to<System const&, any_system>)
    [[nodiscard]] auto system_to_json(System const& s) -> expected<ordered_json> {
  return system_to_json(static_cast<any_system>(s));
}

} // namespace mars::io
