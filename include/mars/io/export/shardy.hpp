// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/export/detail/run_order.hpp>
#include <mars/io/export/exported.hpp>
#include <mars/io/export/tensor_split.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Shardy (openxla/shardy) as MLIR text. Operators are generic operations `"mars.KIND"` of an
// unregistered dialect; what matters is where their tensors are. Each set is a mesh of one axis "x",
// and each cut of an operator a sub-axis of it, so that operators cut differently share the mesh.

namespace mars::io {

namespace detail {

/// Inside double quotes, as MLIR escapes.
[[nodiscard]] inline auto mlir_text(std::string_view text) -> std::string {
  constexpr std::string_view hexadecimal = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    auto const u = static_cast<unsigned char>(c);
    if (u < 0x20 || u >= 0x7F || c == '"' || c == '\\')
      ((out += '\\') += hexadecimal[u / 16]) += hexadecimal[u % 16];
    else
      out += c;
  }
  return '"' + out + '"';
}

/// `tensor<1x8x8xf16>`. The graph knows bits only: 16, 32 and 64 are floating-point.
[[nodiscard]] inline auto mlir_type(operand const& t) -> std::string {
  std::string text{"tensor<"};
  for (auto const& a : t.axes) text += std::to_string(a.extent) + "x";
  bool const floating = t.element_bits == 16 || t.element_bits == 32 || t.element_bits == 64;
  return text + (floating ? "f" : "i") + std::to_string(t.element_bits) + ">";
}

/// `{"x":(2)4}`: digits as sub-axes of the mesh axis, adjacent ones merged.
[[nodiscard]] inline auto mesh_axes_text(device_digits const& d, axis_split const& split)
    -> std::string {
  std::string text{"{"};
  auto const size = d.before(d.ways.size());
  for (std::size_t i = 0; i < split.size();) {
    auto const before = d.before(split[i]);
    auto ways = d.ways[split[i++]];
    while (i < split.size() && d.before(split[i]) == before * ways) ways *= d.ways[split[i++]];
    text += text.size() == 1 ? "\"x\"" : ", \"x\"";
    if (ways != size)
      text += std::string{":("} + std::to_string(before) + ")" + std::to_string(ways);
  }
  return text + "}";
}

/// `[{"x"}, {}]`
[[nodiscard]] inline auto dimension_axes_text(device_digits const& d,
                                              inplace_vector<axis_split, max_rank> const& axes)
    -> std::string {
  std::string text{"["};
  for (auto const& a : axes) text += (text.size() == 1 ? "" : ", ") + mesh_axes_text(d, a);
  return text + "]";
}

class shardy_writer {
public:
  explicit shardy_writer(mapping const& m) : m_{&m} {}

  /// `<@set0, [{"x"}, {}]>`
  [[nodiscard]] auto sharding_text(set_id set, device_digits const& d, tensor_split const& split,
                                   axis_split const& unreduced = {}) const -> std::string {
    auto text = std::string{"<@set"} + std::to_string(set.value) + ", " +
                dimension_axes_text(d, split.axes);
    if (!unreduced.empty()) text += ", unreduced=" + mesh_axes_text(d, unreduced);
    return text + ">";
  }

  /// A value of the program, and the sharding it is in.
  struct value {
    std::string name;
    std::string type;
    std::string sharding;
  };

  /// `v` in the sharding an operator wants: itself, or resharded.
  [[nodiscard]] auto in_sharding(value const& v, std::string const& wanted) -> std::string {
    if (v.sharding == wanted) return v.name;
    auto name = fresh();
    line(name + " = sdy.reshard " + v.name + " " + wanted + " : " + v.type);
    return name;
  }

  /// What comes from outside: one argument for each tensor, in the sharding of its first reader.
  auto argument(operand const& t, std::string const& sharding) -> value const& {
    auto const type = mlir_type(t);
    auto const key = std::pair{
        t.name.empty() ? std::string{" "} + std::to_string(arguments_.size()) : t.name, type};
    auto const [entry, is_new] = known_.try_emplace(key, arguments_.size());
    if (is_new) {
      arguments_.push_back(
          {std::string{"%arg"} + std::to_string(arguments_.size()), type, sharding});
      argument_names_.push_back(t.name);
    }
    return arguments_[entry->second];
  }

  /// An operator. `operands` are its producers' values, or nothing for what comes from outside.
  [[nodiscard]] auto operation_of(operation const& o, placement const& placed,
                                  std::vector<value const*> const& operands) -> std::vector<value> {
    auto const size = m_->sets[placed.set.index()].accelerators.size();
    auto const& s = placed.sharding;
    device_digits const d{s, size};
    axis_split unreduced;
    for (std::size_t i = 0; i < s.exclusive.size(); ++i)
      if (o.dims[s.exclusive[i].dim].kind == dim_kind::reduction)
        unreduced.push_back(static_cast<std::uint8_t>(i));
    auto before = s; // partial results, before they are exchanged
    before.scatter.reset();

    std::string read, read_types, result_types, shardings;
    std::vector<value> results;
    std::vector<tensor_split> partial;
    for (std::size_t i = 0; i < o.operands.size(); ++i) {
      auto const& t = o.operands[i];
      if (t.role == role::state) continue;
      auto const comma = [](std::string const& text) { return text.empty() ? "" : ", "; };
      if (t.role == role::output) {
        partial.push_back(split_of(o, t, before, size));
        note(partial.back());
        result_types += comma(result_types) + mlir_type(t);
        shardings += comma(shardings) + sharding_text(placed.set, d, partial.back(), unreduced);
        results.push_back({{}, mlir_type(t), sharding_text(placed.set, d, partial.back())});
        continue;
      }
      auto const split = split_of(o, t, s, size);
      note(split);
      auto const wanted = sharding_text(placed.set, d, split);
      auto const* given = operands[i];
      auto const v = given != nullptr ? *given : argument(t, wanted);
      read += comma(read) + in_sharding(v, wanted);
      read_types += comma(read_types) + v.type;
    }
    auto const name = fresh();
    bool const several = results.size() > 1;
    line(name + (several ? std::string{":"} + std::to_string(results.size()) : std::string{}) +
         " = \"mars." + std::string{kind_name(o.kind)} + "\"(" + read +
         ") {mars.name = " + mlir_text(o.name) + ", mars.type = " + mlir_text(o.type) +
         ", sdy.sharding = #sdy.sharding_per_value<[" + shardings + "]>} : (" + read_types +
         ") -> " + (several ? "(" + result_types + ")" : result_types));
    std::size_t number = 0;
    for (auto const& t : o.operands) {
      if (t.role != role::output) continue;
      auto& v = results[number];
      v.name = name + (several ? std::string{"#"} + std::to_string(number) : std::string{});
      if (!unreduced.empty())
        reduce(v, d, unreduced, partial[number], split_of(o, t, s, size), placed.set);
      ++number;
    }
    return results;
  }

  template <class System>
  [[nodiscard]] auto document(std::string_view workload, System const& system,
                              std::vector<value const*> const& results) const -> std::string {
    std::string name;
    if constexpr (requires { std::string{system.name}; }) name = std::string{system.name};
    auto text = std::string{"module attributes {mars.workload = "} + mlir_text(workload) +
                ", mars.system = " + mlir_text(name) + ", mars.sets = [";
    for (std::size_t i = 0; i < m_->sets.size(); ++i) {
      text += std::string{i == 0 ? "" : ", "} + "{accelerators = [";
      for (std::size_t k = 0; k < m_->sets[i].accelerators.size(); ++k)
        text += (k == 0 ? "" : ", ") + std::to_string(m_->sets[i].accelerators[k].value);
      text += std::string{"], design = "} + mlir_text(m_->sets[i].design) + "}";
    }
    text += "]} {\n";
    for (std::size_t i = 0; i < m_->sets.size(); ++i) text += mesh_text(i);
    text += "  func.func @main(";
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      auto const& a = arguments_[i];
      text += (i == 0 ? "\n      " : ",\n      ") + a.name + ": " + a.type + " {";
      if (!argument_names_[i].empty())
        text += std::string{"mars.name = "} + mlir_text(argument_names_[i]) + ", ";
      text += std::string{"sdy.sharding = #sdy.sharding"} + a.sharding + "}";
    }
    std::string types, values, returned;
    for (auto const* v : results) {
      returned += std::string{returned.empty() ? "" : ", "} + v->type +
                  " {sdy.sharding = #sdy.sharding" + v->sharding + "}";
      values += (values.empty() ? "" : ", ") + v->name;
      types += (types.empty() ? "" : ", ") + v->type;
    }
    text += ") -> (" + returned + ") {\n" + body_ + "    return";
    if (!values.empty()) text += " " + values + " : " + types;
    return text + "\n  }\n}\n";
  }

  /// Accelerators that no mesh can name.
  [[nodiscard]] auto has_other_devices(std::size_t set) const -> bool {
    auto const& members = m_->sets[set].accelerators;
    return members.size() > 1 && std::any_of(members.begin(), members.end(),
                                             [&](auto a) { return a.index() >= members.size(); });
  }
  /// Tensors by `tensor_split::parts`.
  [[nodiscard]] auto seen(tensor_split::parts p) const -> std::size_t {
    return seen_[static_cast<std::size_t>(p)];
  }

private:
  [[nodiscard]] auto fresh() -> std::string { return std::string{"%"} + std::to_string(next_++); }
  void line(std::string const& text) { (body_ += "    ") += text + "\n"; }
  void note(tensor_split const& split) { ++seen_[static_cast<std::size_t>(split.boxes)]; }

  /// The exchange of partial sums: reduced everywhere, or scattered behind what divides the axis.
  void reduce(value& v, device_digits const& d, axis_split const& unreduced,
              tensor_split const& partial, tensor_split const& owned, set_id set) {
    auto const name = fresh();
    auto const target = sharding_text(set, d, owned);
    tensor_split scattered{partial};
    for (auto& a : scattered.axes) a.clear();
    bool fits = !(owned.axes == partial.axes);
    for (std::size_t i = 0; i < owned.axes.size() && fits; ++i) {
      auto expected = partial.axes[i];
      if (owned.axes[i] == expected) continue;
      for (auto const digit : unreduced) {
        expected.push_back(digit);
        scattered.axes[i].push_back(digit);
      }
      fits = owned.axes[i] == expected;
    }
    if (fits) {
      line(name + " = sdy.reduce_scatter " + dimension_axes_text(d, scattered.axes) + " " + v.name +
           " out_sharding=" + target + " : " + v.type);
      v = {name, v.type, target};
      return;
    }
    line(name + " = sdy.all_reduce " + mesh_axes_text(d, unreduced) + " " + v.name +
         " out_sharding=" + v.sharding + " : " + v.type);
    v.name = name;
    v.name = in_sharding(v, target);
    v.sharding = target;
  }

  /// A permutation of the devices is said, other devices are not: a mesh numbers them from 0.
  [[nodiscard]] auto mesh_text(std::size_t set) const -> std::string {
    auto const& members = m_->sets[set].accelerators;
    auto text = std::string{"  sdy.mesh @set"} + std::to_string(set) + " = <[";
    if (members.size() > 1) text += std::string{"\"x\"="} + std::to_string(members.size());
    text += "]";
    bool identity = members.size() > 1;
    for (std::size_t i = 0; i < members.size(); ++i) identity = identity && members[i].index() == i;
    if (!identity && !has_other_devices(set)) {
      text += ", device_ids=[";
      for (std::size_t i = 0; i < members.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(members[i].value);
      text += "]";
    }
    return text + ">\n";
  }

  mapping const* m_;
  std::string body_;
  std::size_t next_{};
  std::vector<value> arguments_;
  std::vector<std::string> argument_names_;
  std::map<std::pair<std::string, std::string>, std::size_t> known_;
  std::size_t seen_[4]{};
};

} // namespace detail

/// The mapping as Shardy text: `mapping.mlir`. Where tensors move, the text says so: a `sdy.reshard`
/// before an operator that wants another sharding or set, a `sdy.all_reduce` or `sdy.reduce_scatter`
/// behind one that leaves partial sums. Errors: as `features_of`;
/// `cycle`; `invalid_mapping`, a launch order that is none.
template <WorkloadGraph G, class System>
[[nodiscard]] auto export_shardy(G const& g, System const& system, mapping const& m)
    -> expected<exported> {
  auto const uses = features_of(g, m, system.accelerators.size());
  if (!uses) return unexpected{uses.error()};
  auto const order = detail::run_order(g, m);
  if (!order) return unexpected{order.error()};
  detail::shardy_writer out{m};
  std::vector<std::vector<detail::shardy_writer::value>> made(m.operators.size());
  std::vector<std::vector<bool>> read(m.operators.size());
  for (auto const v : *order) {
    operation const& o = op(g, v);
    std::vector<detail::shardy_writer::value const*> operands(o.operands.size());
    for (input_edge const e : inputs(g, v)) {
      operands[e.operand] = &made[e.producer.index()][e.output];
      read[e.producer.index()][e.output] = true;
    }
    made[v.index()] = out.operation_of(o, m.operators[v.index()], operands);
    read[v.index()].assign(made[v.index()].size(), false);
  }
  std::vector<detail::shardy_writer::value const*> results;
  if constexpr (requires { outputs(g); }) {
    for (auto const& r : outputs(g)) results.push_back(&made[r.producer.index()][r.output]);
  } else {
    for (std::size_t v = 0; v < made.size(); ++v)
      for (std::size_t k = 0; k < made[v].size(); ++k)
        if (!read[v][k]) results.push_back(&made[v][k]);
  }
  std::string workload;
  if constexpr (requires { std::string{g.name()}; }) workload = std::string{g.name()};
  exported files{{{"mapping.mlir", out.document(workload, system, results)}}, {}};

  auto const tell = [&](std::string sentence) {
    files.not_expressed.push_back(std::move(sentence));
  };
  using parts = tensor_split::parts;
  if (uses->rotating)
    tell(said(uses->rotating) + "pass shards round a ring; the text says where they start.");
  if (auto const n = out.seen(parts::overlapping); n != 0)
    tell(std::string{"The halos of "} + counted(n, "operand") +
         ": operators read beyond the shard that the text gives them.");
  if (auto const n = out.seen(parts::uneven); n != 0)
    tell(std::string{"The unequal parts of "} + counted(n, "tensor") + "; Shardy pads equal ones.");
  if (auto const n = out.seen(parts::irregular); n != 0)
    tell(std::string{"The parts of "} + counted(n, "tensor") +
         ", which no split of an axis says; the axis is called whole.");
  for (std::size_t i = 0; i < m.sets.size(); ++i)
    if (out.has_other_devices(i)) {
      tell(
          "Which accelerators a set has: a mesh numbers its devices from 0, mars.sets names them.");
      break;
    }
  tell("Element types and what operators compute: the graph knows bits and extents.");
  if (uses->designs_differ) tell("The designs of the sets, but for mars.sets.");
  if (uses->sets_overlap)
    tell("That sets share accelerators: to Shardy their meshes are unrelated.");
  if (uses->on_streams)
    tell(said(uses->on_streams) + "are on streams beside the first, which nothing says.");
  if (uses->scheduled) tell("When operators run: the text lists them in launch order.");
  if (uses->streamed) tell(said(uses->streamed) + "have streamed weights.");
  if (uses->state) tell(said(uses->state) + "carry a state from step to step, which is left out.");
  return files;
}

} // namespace mars::io
