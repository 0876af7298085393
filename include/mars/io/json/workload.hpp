// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/json/detail/algebra.hpp>
#include <mars/io/json/detail/h2h_json.hpp>
#include <mars/io/json/detail/operator_kinds.hpp>
#include <mars/io/json/detail/schema.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io {

inline constexpr std::string_view workload_schema = "mars.workload/1";
inline constexpr std::string_view layer_table_schema = "mars.h2h.model/1";

namespace detail {

/// Names of a document and what they stand for.
template <class T>
class tensor_names {
public:
  /// False, and an error at `where`, if the name is taken.
  auto add(std::string const& name, T what, reader const& where) -> bool {
    if (table_.emplace(name, what).second) return true;
    where.reject(error_code::duplicate, "a name of its own");
    return false;
  }
  [[nodiscard]] auto find(std::string const& name) const -> T const* {
    auto const at = table_.find(name);
    return at == table_.end() ? nullptr : &at->second;
  }
  /// What a reference means, and which output: the whole text if it is a name; else a name, a colon
  /// and a number. Null, and an error at `where`, if there is no such name.
  [[nodiscard]] auto resolve(reference const& r, reader const& where) const
      -> std::pair<T const*, std::uint16_t> {
    if (where.failed()) return {nullptr, 0};
    if (auto const* exact = find(r.name)) return {exact, r.output.value_or(0)};
    auto const colon = r.name.rfind(':');
    if (!r.output && colon != r.name.npos) {
      std::uint16_t number{};
      auto const* const last = r.name.data() + r.name.size();
      auto const [end, problem] = std::from_chars(r.name.data() + colon + 1, last, number);
      if (auto const* named = find(r.name.substr(0, colon));
          named != nullptr && problem == std::errc{} && end == last)
        return {named, number};
    }
    std::vector<std::string_view> known;
    for (auto const& [name, what] : table_) known.push_back(name);
    std::sort(known.begin(), known.end());
    auto const near = mars::detail::closest_name(r.name, known);
    where.reject(error_code::dangling, "the name of a tensor",
                 "nobody produces it" +
                     (near.empty() ? std::string{}
                                   : std::string{"; did you mean "} + std::string{near} + "?"));
    return {nullptr, 0};
  }

private:
  std::unordered_map<std::string, T> table_;
};

[[nodiscard]] inline auto read_algebra(reader const& root, std::vector<reader> const& operators,
                                       std::string name, int element_bits) -> expected<graph> {
  root.allow({"schema", "name", "element_bits", "operators", "outputs"});
  tensor_names<std::uint32_t> table;
  std::vector<operation> ops;
  std::vector<std::vector<operand_source>> sources(operators.size());
  ops.reserve(operators.size());
  for (std::size_t i = 0; i < operators.size() && !root.failed(); ++i) {
    ops.push_back(read_operation(operators[i], element_bits, sources[i]));
    if (!root.failed())
      table.add(ops.back().name, static_cast<std::uint32_t>(i), operators[i]["name"]);
  }
  auto const output_of = [&](reference const& r, reader const& where) -> std::optional<tensor_ref> {
    auto const [producer, output] = table.resolve(r, where);
    if (producer == nullptr) return std::nullopt;
    if (nth_operand(ops[*producer], role::output, output) == nullptr) {
      where.reject(error_code::dangling,
                   std::string{"an output of operator '"} + ops[*producer].name + "'");
      return std::nullopt;
    }
    return tensor_ref{operator_id{*producer}, output};
  };
  std::vector<tensor_edge> edges;
  for (std::size_t i = 0; i < ops.size() && !root.failed(); ++i) {
    if (sources[i].empty()) continue;
    auto const operands = operators[i]["operands"].items();
    for (auto const& s : sources[i])
      if (auto const from = output_of(s.from, operands[s.operand]["from"]))
        edges.push_back({from->producer, from->output, operator_id{i}, s.operand});
  }
  std::vector<tensor_ref> outputs;
  if (auto const listed = root.find("outputs"); listed && !root.failed())
    for (auto const& r : listed->items())
      if (auto const ref = output_of(read_reference(r), r)) outputs.push_back(*ref);
  if (root.failed()) return graph{}; // the caller asks
  return make_graph(std::move(name), std::move(ops), std::move(edges), std::move(outputs));
}

/// Operators by kind, through the builder.
class kind_reader {
public:
  kind_reader(reader const& root, std::vector<reader> const& operators, std::string name,
              int element_bits)
      : root_{root},
        operators_{operators},
        builder_{std::move(name), element_bits},
        element_bits_{element_bits} {}

  [[nodiscard]] auto read() -> expected<graph> {
    root_.allow({"schema", "name", "element_bits", "inputs", "constants", "operators", "outputs"});
    externals("inputs", false);
    externals("constants", true);
    auto const first = tensors_.size();
    for (std::size_t i = 0; i < operators_.size() && !root_.failed(); ++i) {
      auto const name = operators_[i]["name"].text();
      if (!root_.failed())
        names_.add(name, static_cast<std::uint32_t>(first + i), operators_[i]["name"]);
    }
    auto const order = sorted(first);
    tensors_.resize(first + operators_.size());
    for (auto const v : order) {
      if (root_.failed()) break;
      tensors_[first + v.index()] = build(v.index());
    }
    if (auto const listed = root_.find("outputs"); listed && !root_.failed())
      for (auto const& r : listed->items()) {
        if (auto const v = look_up(read_reference(r), r)) builder_.output(*v);
        adopt_failure(r, "outputs");
      }
    if (root_.failed()) return graph{};
    return std::move(builder_).build();
  }

private:
  void externals(char const* key, bool constant) {
    auto const listed = root_.find(key);
    if (!listed) return;
    for (auto const& r : listed->items()) {
      if (root_.failed()) return;
      r.allow({"name", "shape", "element_bits"});
      auto const name = r["name"].text();
      auto shape = operator_call::list_of(r["shape"]);
      auto const bits = r.find("element_bits");
      auto const width = bits ? static_cast<int>(bits->integer(1, 64)) : element_bits_;
      if (root_.failed() ||
          !names_.add(name, static_cast<std::uint32_t>(tensors_.size()), r["name"]))
        return;
      tensors_.push_back({constant ? builder_.constant(name, std::move(shape), width)
                                   : builder_.input(name, std::move(shape), width)});
      adopt_failure(r, std::string{key} + "[" + name + "]");
    }
  }

  /// The builder's error, if there is one, as one of this document: `prefix` is where the builder
  /// thinks it is.
  void adopt_failure(reader const& where, std::string_view prefix) {
    if (!builder_.failed() || root_.failed()) return;
    auto e = *builder_.first_error();
    auto const length = e.path.starts_with("operators[") ? e.path.find(']') + 1
                        : e.path.starts_with(prefix)     ? prefix.size()
                                                         : 0;
    e.path.erase(0, length);
    if (e.path.starts_with('.')) e.path.erase(0, 1);
    where.reject(std::move(e));
  }

  [[nodiscard]] auto look_up(reference const& r, reader const& where) const
      -> std::optional<value> {
    auto const [slot, output] = names_.resolve(r, where);
    if (slot == nullptr) return std::nullopt;
    if (output < tensors_[*slot].size()) return tensors_[*slot][output];
    where.reject(error_code::dangling,
                 std::string{"one of "} + std::to_string(tensors_[*slot].size()) + " results");
    return std::nullopt;
  }

  /// Operators may be listed in any order; they are numbered as listed where that is possible.
  [[nodiscard]] auto sorted(std::size_t first) const -> std::vector<operator_id> {
    std::vector<tensor_edge> edges;
    for (std::size_t i = 0; i < operators_.size() && !root_.failed(); ++i) {
      std::uint16_t operand = 0;
      for (auto const& r : operators_[i]["inputs"].items(any_number)) {
        auto const [slot, output] = names_.resolve(read_reference(r), r);
        if (slot != nullptr && *slot >= first)
          edges.push_back({operator_id{*slot - first}, output, operator_id{i}, operand});
        ++operand;
      }
    }
    if (root_.failed()) return {};
    mars::detail::sorted_operators sorted{operators_.size(), edges};
    if (sorted.cycle) {
      auto const consumer = operators_[sorted.cycle->consumer.index()];
      consumer["inputs"].items()[sorted.cycle->operand].reject(
          error_code::cycle, "an acyclic graph",
          std::string{"operator '"} + consumer["name"].text() + "' depends on itself");
    }
    return std::move(sorted.order);
  }

  [[nodiscard]] auto build(std::size_t i) -> std::vector<value> {
    auto const& r = operators_[i];
    auto const kinds = operator_kinds();
    if (kind_names_.empty())
      for (auto const& k : kinds) kind_names_.push_back(k.name);
    auto const& kind = kinds[r["kind"].choice(kind_names_)];
    if (root_.failed()) return {};
    std::vector<std::string_view> keys{"name", "kind", "inputs"};
    for (auto const attribute : kind.attributes)
      if (!attribute.empty()) keys.push_back(attribute);
    r.allow(keys);
    std::vector<value> x;
    auto const inputs = r["inputs"];
    for (auto const& input : inputs.items())
      if (auto const v = look_up(read_reference(input), input)) x.push_back(*v);
    if (!root_.failed() && (x.size() < kind.least_inputs || x.size() > kind.most_inputs))
      inputs.reject(error_code::invalid_argument,
                    kind.least_inputs == kind.most_inputs
                        ? std::to_string(kind.least_inputs) + " inputs"
                        : std::string{"at least "} + std::to_string(kind.least_inputs) +
                              (kind.most_inputs == any_number
                                   ? std::string{}
                                   : std::string{", at most "} + std::to_string(kind.most_inputs)) +
                              " inputs");
    if (root_.failed()) return {};
    auto results = kind.build({builder_, r, x, r["name"].text()});
    adopt_failure(r, {});
    return results;
  }

  reader root_;
  std::vector<reader> const& operators_;
  mars::builder builder_;
  int element_bits_;
  tensor_names<std::uint32_t> names_;       // → index into tensors_
  std::vector<std::vector<value>> tensors_; // inputs, constants, results of operators
  std::vector<std::string_view> kind_names_;
};

} // namespace detail

/// A workload from the text of a `mars.workload/1` document, or of a `mars.h2h.model/1` table of layers
/// (see io/json.hpp). Errors carry the path
/// to the culprit in the document: `parse`, `unknown_key`, `missing_key`, `wrong_type`, `duplicate`,
/// `dangling`, `cycle`, and whatever builder and graph refuse. Ids follow the order of the document,
/// except that a list by kind is sorted where an operator reads a later one.
[[nodiscard]] inline auto load_workload(std::string_view text) -> expected<graph> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  reader_context context{*document};
  auto const root = context.root();
  std::vector<reader> operators;
  bool algebra = false;
  if (!root.is_object()) root.reject(error_code::wrong_type, "an object");
  if (detail::has_schema(root, layer_table_schema)) {
    auto table = detail::read_layer_table(root);
    if (context.failed()) return unexpected{error{context.failure()}};
    return table;
  }
  detail::read_schema(root, workload_schema);
  auto const name = root.find("name");
  auto const bits = root.find("element_bits");
  auto graph_name = name ? name->text() : std::string{};
  auto const element_bits = bits ? static_cast<int>(bits->integer(1, 64)) : 16;
  if (!context.failed()) operators = root["operators"].items();
  for (auto const& r : operators) algebra = algebra || r.has("dims") || r.has("operands");
  if (context.failed()) return unexpected{error{context.failure()}};
  auto result =
      algebra ? detail::read_algebra(root, operators, std::move(graph_name), element_bits)
              : detail::kind_reader{root, operators, std::move(graph_name), element_bits}.read();
  if (context.failed()) return unexpected{error{context.failure()}};
  return result;
}

/// A graph as a `mars.workload/1` document in algebra form: `load_workload` makes the same graph of
/// it. Precondition: `validate(g)` succeeds.
template <WorkloadGraph G>
[[nodiscard]] auto workload_to_json(G const& g) -> ordered_json {
  ordered_json j;
  j["schema"] = std::string{workload_schema};
  if constexpr (requires { std::string{g.name()}; }) j["name"] = std::string{g.name()};
  auto operators_json = ordered_json::array();
  for (operator_id const v : operators(g)) {
    auto o = detail::write_operation(op(g, v));
    for (input_edge const e : inputs(g, v))
      o["operands"][e.operand]["from"] = detail::write_reference(op(g, e.producer).name, e.output);
    operators_json.push_back(std::move(o));
  }
  j["operators"] = std::move(operators_json);
  if constexpr (requires { outputs(g).begin()->producer; }) {
    auto marked = ordered_json::array();
    for (auto const& r : outputs(g))
      marked.push_back(detail::write_reference(op(g, r.producer).name, r.output));
    j["outputs"] = std::move(marked);
  }
  return j;
}

} // namespace mars::io
