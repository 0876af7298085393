// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/onnx/detail/session.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Attributes and shape-defining inputs beyond this are nonsense; below it, sums of a few stay
/// safe.
inline constexpr std::int64_t max_number = std::int64_t{1} << 56;

/// One node being imported, as its handler sees it. Errors are recorded: the first one stays, what
/// follows works on harmless stand-ins, and the caller looks once at the end.
class call {
public:
  call(session& s, frame& f, int index, int opset)
      : s_{s}, f_{f}, node_{f.nodes->Get(index)}, index_{index}, opset_{opset} {
    for (auto const& name : node_.input())
      inputs_.push_back(name.empty() ? absent : f.find(name).value_or(absent));
    while (!inputs_.empty() && inputs_.back() == absent) inputs_.pop_back();
  }

  // ---- the node ----
  [[nodiscard]] auto the_session() -> session& { return s_; }
  [[nodiscard]] auto the_frame() -> frame& { return f_; }
  [[nodiscard]] auto node() const -> pb::NodeProto const& { return node_; }
  [[nodiscard]] auto type() const -> std::string const& { return node_.op_type(); }
  [[nodiscard]] auto domain() const -> std::string_view { return canonical(node_.domain()); }
  [[nodiscard]] auto opset() const -> int { return opset_; }
  [[nodiscard]] auto path() const -> std::string { return node_path(f_, index_); }
  /// What its operator is called: the node's name, or `Conv_17`.
  [[nodiscard]] auto name() const -> std::string {
    auto const own =
        node_.name().empty() ? node_.op_type() + "_" + std::to_string(index_) : node_.name();
    return f_.name_prefix + printable(own);
  }

  // ---- errors and warnings ----
  void reject(error_code code, std::string found, std::string wanted = {}, std::string detail = {},
              std::string_view part = {}) {
    if (error_) return;
    auto where = path();
    if (!part.empty()) where.append(".").append(part);
    error_ = error{code, std::move(where), std::move(found), std::move(wanted), std::move(detail)};
  }
  void reject(error e) {
    reject(e.code, std::move(e.found), std::move(e.wanted), std::move(e.detail));
  }
  /// An error that names its place already.
  void reject_as(error e) {
    if (!error_) error_ = std::move(e);
  }
  void warn(std::string_view text) { s_.warn(path().append(": ").append(text)); }
  [[nodiscard]] auto failed() const -> bool { return error_.has_value(); }
  [[nodiscard]] auto take_error() -> error { return std::move(*error_); }
  /// The value, or its error recorded and a default.
  template <class T>
  auto take(expected<T> e) -> T {
    if (e) return *std::move(e);
    reject(std::move(e).error());
    return T{};
  }

  // ---- inputs ----
  [[nodiscard]] auto inputs() const -> std::size_t { return inputs_.size(); }
  [[nodiscard]] auto has(std::size_t i) const -> bool {
    return i < inputs_.size() && inputs_[i] != absent;
  }
  /// Input i; recorded as missing if it is not there or no tensor of known shape.
  auto id(std::size_t i) -> tensor_id {
    auto const part = std::string{"input["} + std::to_string(i) + "]";
    if (!has(i))
      reject(error_code::missing_key, "nothing", "an input", {}, part);
    else if (!s_.at(inputs_[i]).shaped)
      reject(error_code::unsupported, in_quotes(s_.at(inputs_[i]).name) + " of unknown shape",
             "a tensor of known shape", {}, part);
    else
      return inputs_[i];
    return absent;
  }
  auto in(std::size_t i) -> tensor const& { return s_.at(id(i)); }
  [[nodiscard]] auto ids() const -> std::vector<tensor_id> const& { return inputs_; }
  [[nodiscard]] auto at(tensor_id id) const -> tensor const& { return s_.at(id); }
  /// The values of input i, if it is there and they are known.
  [[nodiscard]] auto literal_at(std::size_t i) const -> literal const* {
    if (!has(i)) return nullptr;
    auto const& t = s_.at(inputs_[i]);
    return t.values ? &*t.values : nullptr;
  }
  /// The values of input i as integers; recorded as unsupported if they are not known.
  auto integers_at(std::size_t i) -> std::vector<std::int64_t> {
    std::vector<std::int64_t> out;
    if (auto const* l = literal_at(i)) {
      for (std::size_t k = 0; k < l->size(); ++k) out.push_back(l->as_integer(k));
    } else {
      reject(error_code::unsupported,
             has(i) ? in_quotes(in(i).name) + ", known only at run time" : "nothing",
             "constant values", {}, std::string{"input["} + std::to_string(i) + "]");
    }
    return out;
  }

  // ---- attributes ----
  [[nodiscard]] auto attribute(std::string_view name) const -> pb::AttributeProto const* {
    for (auto const& a : node_.attribute()) {
      if (a.name() != name) continue;
      if (a.ref_attr_name().empty()) return &a;
      auto const it = f_.attributes.find(a.ref_attr_name());
      return it == f_.attributes.end() ? nullptr : it->second;
    }
    return nullptr;
  }
  [[nodiscard]] auto integer(std::string_view name, std::int64_t otherwise) -> std::int64_t {
    auto const* a = attribute(name);
    if (a == nullptr || !a->has_i()) return otherwise;
    if (a->i() > max_number || a->i() < -max_number) {
      reject(error_code::out_of_range, std::to_string(a->i()), "a magnitude up to 2^56", {},
             printable(name));
      return otherwise;
    }
    return a->i();
  }
  [[nodiscard]] auto text(std::string_view name, std::string_view otherwise) const -> std::string {
    auto const* a = attribute(name);
    return a == nullptr || !a->has_s() ? std::string{otherwise} : a->s();
  }
  /// A list attribute; none if it is not there.
  [[nodiscard]] auto integers(std::string_view name) const
      -> std::optional<std::vector<std::int64_t>> {
    auto const* a = attribute(name);
    if (a == nullptr) return std::nullopt;
    return std::vector<std::int64_t>(a->ints().begin(), a->ints().end());
  }
  /// As `integers`, refusing magnitudes beyond 2^56.
  [[nodiscard]] auto numbers(std::string_view name) -> std::optional<std::vector<std::int64_t>> {
    auto list = integers(name);
    if (list)
      for (auto const v : *list)
        if (v > max_number || v < -max_number) {
          reject(error_code::out_of_range, std::to_string(v), "magnitudes up to 2^56", {},
                 printable(name));
          return std::nullopt;
        }
    return list;
  }
  /// A list that is an attribute in older opsets and input i in newer ones; none if neither is
  /// there.
  [[nodiscard]] auto list(std::string_view name, std::size_t i)
      -> std::optional<std::vector<std::int64_t>> {
    if (auto a = integers(name)) return a;
    if (!has(i)) return std::nullopt;
    return integers_at(i);
  }
  /// An axis as an index into a rank.
  auto axis(std::int64_t number, std::size_t rank) -> std::size_t {
    auto const r = axis_index(number, rank);
    if (r) return *r;
    reject(r.error());
    return 0;
  }
  /// As `axis`, those that exist.
  auto axes(std::vector<std::int64_t> const& numbers, std::size_t rank)
      -> std::vector<std::size_t> {
    std::vector<std::size_t> out;
    for (auto const n : numbers)
      if (auto const a = axis(n, rank); a < rank) out.push_back(a);
    return out;
  }

  // ---- outputs ----
  /// Output i is named and somebody reads it.
  [[nodiscard]] auto wants(std::size_t i) const -> bool {
    return static_cast<int>(i) < node_.output_size() &&
           f_.used.contains(node_.output(static_cast<int>(i)));
  }
  /// Output i is named.
  [[nodiscard]] auto names(std::size_t i) const -> bool {
    return static_cast<int>(i) < node_.output_size() && !node_.output(static_cast<int>(i)).empty();
  }
  void define(std::size_t i, tensor_id id) {
    if (names(i)) f_.names.insert_or_assign(node_.output(static_cast<int>(i)), id);
  }
  /// A constant result. Its parameters keep their root's name while only their layout changes.
  void define_constant(std::size_t i, int type, tensor_shape shape,
                       std::optional<literal> values = {}) {
    if (!names(i)) return;
    tensor t;
    t.name = printable(node_.output(static_cast<int>(i)));
    t.weight = f_.name_prefix + t.name;
    t.type = type;
    t.bits = s_.bits_for(type);
    t.shape = std::move(shape);
    t.constant = true;
    t.values = std::move(values);
    if (only_moves() && has(0)) {
      auto const& root = s_.at(inputs_[0]);
      if (root.constant && root.elements() == t.elements()) {
        t.weight = root.weight;
        if (type == root.type || is_floating(type)) t.bits = root.bits;
      }
    }
    define(i, s_.add(std::move(t)));
  }
  void define_literal(std::size_t i, literal l) {
    auto shape = l.shape;
    auto const type = l.type;
    define_constant(i, type, std::move(shape), std::move(l));
  }

  /// Writes operators: `make(builder&, span<value const>)` returns a value or a vector of values,
  /// the node's first outputs. Where only constants go in, the builder is a scratch one and the
  /// outputs are constants too: shape inference is written once.
  template <class Make>
  void emit(std::span<tensor_id const> operands, int type, Make&& make) {
    bool constant = true;
    for (auto const id : operands) {
      auto const& t = s_.at(id);
      constant &= t.constant;
      if (t.shaped && t.elements() == 0 && t.constant)
        reject(error_code::unsupported, in_quotes(t.name) + " " + to_string(t.shape),
               "a tensor that is not empty");
    }
    if (failed()) return;
    std::vector<value> values;
    if (constant) {
      builder scratch{"constants"};
      for (auto const id : operands)
        values.push_back(scratch.constant(std::to_string(id), s_.at(id).shape, s_.at(id).bits));
      auto const results = as_vector(make(scratch, std::span<value const>{values}));
      if (!check(scratch)) return;
      for (std::size_t i = 0; i < results.size(); ++i)
        define_constant(i, type, scratch.shape(results[i]));
      return;
    }
    for (auto const id : operands) values.push_back(s_.handle(id));
    auto const results = as_vector(make(s_.graph, std::span<value const>{values}));
    if (!check(s_.graph)) return;
    for (std::size_t i = 0; i < results.size(); ++i) define_value(i, type, results[i]);
  }
  template <class Make>
  void emit(std::initializer_list<tensor_id> operands, int type, Make&& make) {
    emit(std::span<tensor_id const>{operands.begin(), operands.size()}, type,
         std::forward<Make>(make));
  }

  /// Takes over an error of the graph's builder: false if there is one.
  auto accept() -> bool { return check(s_.graph) && !failed(); }

  /// An activation the builder made is output i.
  void define_value(std::size_t i, int type, value v) {
    if (!names(i)) return;
    tensor t;
    t.name = printable(node_.output(static_cast<int>(i)));
    t.type = type;
    t.bits = s_.bits_for(type);
    t.shape = s_.graph.shape(v);
    t.handle = v;
    t.produced = true;
    if (s_.graph.element_bits(v) != t.bits) s_.graph.set_element_bits(v, t.bits);
    define(i, s_.add(std::move(t)));
  }

private:
  static auto as_vector(value v) -> std::vector<value> { return {v}; }
  static auto as_vector(std::vector<value> v) -> std::vector<value> { return v; }
  [[nodiscard]] auto only_moves() const -> bool {
    static constexpr std::array<std::string_view, 9> moves{
        "Reshape", "Squeeze",  "Unsqueeze", "Flatten",         "Transpose",
        "Cast",    "CastLike", "Identity",  "DequantizeLinear"};
    return domain().empty() && std::find(moves.begin(), moves.end(), type()) != moves.end();
  }

  /// The builder's error as this node's.
  auto check(builder const& b) -> bool {
    if (!b.failed()) return true;
    auto const& e = *b.first_error();
    // `operators[12].padding`: the node is named already, the part is worth keeping.
    auto const dot = e.path.find("].");
    bool const of_operator = e.path.starts_with("operators[");
    reject(e.code, e.found, e.wanted, of_operator ? std::string{} : printable(e.path),
           of_operator && dot != std::string::npos ? std::string_view{e.path}.substr(dot + 2)
                                                   : std::string_view{});
    return false;
  }

  session& s_;
  frame& f_;
  pb::NodeProto const& node_;
  int index_;
  int opset_;
  std::vector<tensor_id> inputs_;
  std::optional<error> error_;
};

using handler = void (*)(call&);

} // namespace mars::io::onnx_detail
