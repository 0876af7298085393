// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/reader.hpp>
#include <mars/workload/operation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// One operator in algebra form, both ways.

namespace mars::io::detail {

inline constexpr std::array<std::string_view, 3> dim_kinds{"parallel", "reduction", "sequential"};
inline constexpr std::array<std::string_view, 4> role_names{"input", "weight", "output", "state"};
inline constexpr std::array<std::string_view, 3> number_formats{"automatic", "bfloat", "integer"};
inline constexpr std::size_t op_kind_count = static_cast<std::size_t>(op_kind::opaque) + 1;

[[nodiscard]] inline auto op_kind_names() -> std::array<std::string_view, op_kind_count> {
  std::array<std::string_view, op_kind_count> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kind_name(static_cast<op_kind>(i));
  return names;
}

/// An output of an operator, by name: `"conv1"`, or `{"operator": "split1", "output": 2}`.
struct reference {
  std::string name;
  std::optional<std::uint16_t> output; ///< absent: written as a string
};
[[nodiscard]] inline auto read_reference(reader const& r) -> reference {
  if (r.is_text()) return {r.text(), std::nullopt};
  if (!r.is_object()) {
    r.reject(error_code::wrong_type, "a name, or {\"operator\": name, \"output\": number}");
    return {};
  }
  r.allow({"operator", "output"});
  reference result{r["operator"].text(), std::uint16_t{0}};
  if (auto const output = r.find("output"))
    result.output = static_cast<std::uint16_t>(output->integer(0, 0xffff));
  return result;
}

/// The producer of an operand, if it has one.
struct operand_source {
  std::uint16_t operand{};
  reference from;
};

[[nodiscard]] inline auto read_dim_name(reader const& r, operation const& op) -> std::uint8_t {
  auto const name = r.text();
  for (std::size_t d = 0; d < op.dims.size(); ++d)
    if (op.dims[d].name.view() == name) return static_cast<std::uint8_t>(d);
  if (r.is_text()) {
    std::string list;
    for (auto const& d : op.dims)
      list += (list.empty() ? "one of " : ", ") + std::string{d.name.view()};
    r.reject(error_code::unknown_name, list.empty() ? "no dimension" : std::move(list),
             std::string{"a dimension of operator '"} + op.name + "'");
  }
  return 0;
}

[[nodiscard]] inline auto read_axis(reader const& r, operation const& op) -> axis {
  axis a;
  r.allow({"extent", "offset", "terms"});
  a.extent = r["extent"].integer(); // mars::validate knows the domain
  if (auto const offset = r.find("offset")) a.offset = offset->integer();
  if (auto const terms = r.find("terms"))
    for (auto const& term : terms->items(a.terms.capacity())) {
      term.allow({"dim", "stride"});
      axis_term t{.dim = read_dim_name(term["dim"], op)};
      if (auto const stride = term.find("stride")) t.stride = stride->integer();
      a.terms.push_back(t);
    }
  return a;
}

[[nodiscard]] inline auto read_operand(reader const& r, operation const& op, int element_bits)
    -> operand {
  operand t{.role = role::input, .name = {}, .element_bits = element_bits, .axes = {}};
  r.allow({"role", "name", "element_bits", "numbers", "density", "axes", "from"});
  t.role = static_cast<role>(r["role"].choice(role_names));
  if (auto const name = r.find("name")) t.name = name->text();
  if (auto const bits = r.find("element_bits"))
    t.element_bits = static_cast<int>(bits->integer(1, 64));
  if (auto const numbers = r.find("numbers"))
    t.numbers = static_cast<number_format>(numbers->choice(number_formats));
  if (auto const density = r.find("density")) t.density = density->number();
  for (auto const& a : r["axes"].items(max_rank)) t.axes.push_back(read_axis(a, op));
  return t;
}

/// An operator and where its inputs come from.
[[nodiscard]] inline auto read_operation(reader const& r, int element_bits,
                                         std::vector<operand_source>& sources) -> operation {
  operation op;
  r.allow({"name", "kind", "type", "dims", "work", "operands"});
  op.name = r["name"].text();
  op.kind = static_cast<op_kind>(r["kind"].choice(op_kind_names()));
  if (auto const type = r.find("type")) op.type = type->text();
  for (auto const& d : r["dims"].items(max_dims)) {
    d.allow({"name", "extent", "kind"});
    dimension dim{.name = d["name"].short_name(), .extent = d["extent"].integer()};
    if (auto const kind = d.find("kind")) dim.kind = static_cast<dim_kind>(kind->choice(dim_kinds));
    op.dims.push_back(dim);
  }
  if (auto const work = r.find("work")) {
    work->allow({"macs", "flops", "over"});
    if (auto const macs = work->find("macs")) op.work.macs = macs->integer(0);
    if (auto const flops = work->find("flops")) op.work.flops = flops->integer(0);
    if (auto const over = work->find("over")) {
      for (std::size_t d = 0; d < op.dims.size(); ++d) op.work.over &= ~(std::uint32_t{1} << d);
      for (auto const& name : over->items(max_dims))
        op.work.over |= std::uint32_t{1} << read_dim_name(name, op);
    }
  }
  auto const operands = r["operands"].items(0xffff);
  op.operands.reserve(operands.size());
  for (auto const& o : operands) {
    op.operands.push_back(read_operand(o, op, element_bits));
    auto const from = o.find("from");
    if (!from) continue;
    if (op.operands.back().role != role::input)
      from->reject(error_code::invalid_argument, "a source of an operand of role input only");
    sources.push_back({static_cast<std::uint16_t>(op.operands.size() - 1), read_reference(*from)});
  }
  return op;
}

// ---- writing ----

/// A name alone means output 0; it cannot be taken for anything else, see `resolve`.
[[nodiscard]] inline auto write_reference(std::string const& name, std::uint16_t output)
    -> ordered_json {
  if (output == 0) return name;
  return {{"operator", name}, {"output", output}};
}

[[nodiscard]] inline auto write_axis(axis const& a, operation const& op) -> ordered_json {
  ordered_json j;
  j["extent"] = a.extent;
  if (a.offset != 0) j["offset"] = a.offset;
  if (a.terms.empty()) return j;
  auto& terms = j["terms"] = ordered_json::array();
  for (auto const& t : a.terms) {
    ordered_json term;
    term["dim"] = std::string{op.dims[t.dim].name.view()};
    if (t.stride != 1) term["stride"] = t.stride;
    terms.push_back(std::move(term));
  }
  return j;
}

/// Without the sources of its inputs. Bits of `work.over` beyond the dimensions mean nothing and
/// are not kept.
[[nodiscard]] inline auto write_operation(operation const& op) -> ordered_json {
  ordered_json j{{"name", op.name}, {"kind", std::string{kind_name(op.kind)}}};
  if (!op.type.empty()) j["type"] = op.type;
  auto& dims = j["dims"] = ordered_json::array();
  for (auto const& d : op.dims)
    dims.push_back({{"name", std::string{d.name.view()}},
                    {"extent", d.extent},
                    {"kind", std::string{dim_kinds[static_cast<std::size_t>(d.kind)]}}});
  auto& work = j["work"] = {{"macs", op.work.macs}, {"flops", op.work.flops}};
  auto const covered = [&](std::size_t d) { return ((op.work.over >> d) & 1U) != 0; };
  bool all = true;
  for (std::size_t d = 0; d < op.dims.size(); ++d) all = all && covered(d);
  if (!all) {
    auto& over = work["over"] = ordered_json::array();
    for (std::size_t d = 0; d < op.dims.size(); ++d)
      if (covered(d)) over.push_back(std::string{op.dims[d].name.view()});
  }
  auto& operands = j["operands"] = ordered_json::array();
  for (auto const& t : op.operands) {
    ordered_json o;
    o["role"] = std::string{role_names[static_cast<std::size_t>(t.role)]};
    if (!t.name.empty()) o["name"] = t.name;
    o["element_bits"] = t.element_bits;
    if (t.numbers != number_format::automatic)
      o["numbers"] = std::string{number_formats[static_cast<std::size_t>(t.numbers)]};
    if (t.density != 1) o["density"] = t.density;
    auto& axes = o["axes"] = ordered_json::array();
    for (auto const& a : t.axes) axes.push_back(write_axis(a, op));
    operands.push_back(std::move(o));
  }
  return j;
}

} // namespace mars::io::detail
