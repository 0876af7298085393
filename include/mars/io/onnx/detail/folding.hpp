// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Evaluates nodes whose inputs are all small constants: the arithmetic that computes shapes.

#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/shapes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

using folded = std::optional<literal>;

/// Row-major strides.
[[nodiscard]] inline auto strides_of(tensor_shape const& shape) -> std::vector<std::int64_t> {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// A new literal of the given shape whose element at `index` is element `pick(index)` of `from`.
/// Nothing when it would be large.
template <class Pick>
[[nodiscard]] auto rearranged(literal const& from, tensor_shape shape, Pick&& pick) -> folded {
  auto const n = stored_elements(shape);
  if (!n || *n > max_literal) return std::nullopt;
  literal out{from.type, std::move(shape), {}, {}};
  std::vector<std::int64_t> index(out.shape.size(), 0);
  for (std::int64_t k = 0; k < *n; ++k) {
    auto const at = static_cast<std::size_t>(pick(std::as_const(index)));
    if (at >= from.size()) return std::nullopt;
    out.push(from, at);
    for (std::size_t i = index.size(); i-- > 0;) {
      if (++index[i] < out.shape[i]) break;
      index[i] = 0;
    }
  }
  return out;
}

/// `from` stretched to `shape`, which it broadcasts to.
[[nodiscard]] inline auto stretched(literal const& from, tensor_shape const& shape) -> folded {
  auto const strides = strides_of(from.shape);
  auto const shift = shape.size() - from.shape.size();
  return rearranged(from, shape, [&](std::vector<std::int64_t> const& index) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < from.shape.size(); ++i)
      at += from.shape[i] == 1 ? 0 : index[shift + i] * strides[i];
    return at;
  });
}

[[nodiscard]] inline auto wrap_add(std::int64_t a, std::int64_t b) -> std::int64_t {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
[[nodiscard]] inline auto wrap_negate(std::int64_t a) -> std::int64_t {
  return static_cast<std::int64_t>(0U - static_cast<std::uint64_t>(a));
}
[[nodiscard]] inline auto wrap_multiply(std::int64_t a, std::int64_t b) -> std::int64_t {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

/// A named arithmetic operator, on integers and on reals.
struct arithmetic {
  std::int64_t (*integer)(std::int64_t, std::int64_t);
  double (*real)(double, double);
  bool yields_boolean{false};
};

[[nodiscard]] inline auto find_arithmetic(std::string_view type) -> arithmetic const* {
  using i = std::int64_t;
  static std::unordered_map<std::string_view, arithmetic> const table{
      {"Add", {wrap_add, [](double a, double b) { return a + b; }}},
      {"Sum", {wrap_add, [](double a, double b) { return a + b; }}},
      {"Sub",
       {[](i a, i b) { return wrap_add(a, wrap_negate(b)); },
        [](double a, double b) { return a - b; }}},
      {"Mul", {wrap_multiply, [](double a, double b) { return a * b; }}},
      {"Div",
       {[](i a, i b) { return b == 0    ? 0
                              : b == -1 ? wrap_negate(a)
                                        : a / b; },
        [](double a, double b) { return a / b; }}},
      {"Mod",
       {[](i a, i b) {
          return b == 0 || b == -1 ? 0 : ((a % b) != 0 && ((a < 0) != (b < 0)) ? a % b + b : a % b);
        },
        [](double a, double b) { return std::fmod(a, b); }}},
      {"Pow",
       {[](i a, i b) {
          return to_integer(std::pow(static_cast<double>(a), static_cast<double>(b)));
        },
        [](double a, double b) { return std::pow(a, b); }}},
      {"Min",
       {[](i a, i b) { return std::min(a, b); },
        [](double a, double b) { return std::min(a, b); }}},
      {"Max",
       {[](i a, i b) { return std::max(a, b); },
        [](double a, double b) { return std::max(a, b); }}},
      {"And", {[](i a, i b) { return i{a != 0 && b != 0}; }, nullptr, true}},
      {"Or", {[](i a, i b) { return i{a != 0 || b != 0}; }, nullptr, true}},
      {"Xor", {[](i a, i b) { return i{(a != 0) != (b != 0)}; }, nullptr, true}},
      {"Equal",
       {[](i a, i b) { return i{a == b}; }, [](double a, double b) { return a == b ? 1.0 : 0.0; },
        true}},
      {"Less",
       {[](i a, i b) { return i{a < b}; }, [](double a, double b) { return a < b ? 1.0 : 0.0; },
        true}},
      {"LessOrEqual",
       {[](i a, i b) { return i{a <= b}; }, [](double a, double b) { return a <= b ? 1.0 : 0.0; },
        true}},
      {"Greater",
       {[](i a, i b) { return i{a > b}; }, [](double a, double b) { return a > b ? 1.0 : 0.0; },
        true}},
      {"GreaterOrEqual",
       {[](i a, i b) { return i{a >= b}; }, [](double a, double b) { return a >= b ? 1.0 : 0.0; },
        true}},
  };
  auto const it = table.find(type);
  return it == table.end() ? nullptr : &it->second;
}

[[nodiscard]] inline auto apply(arithmetic const& op, literal const& a, literal const& b)
    -> folded {
  auto const shape = broadcast_stored(a.shape, b.shape);
  if (!shape) return std::nullopt;
  auto const x = stretched(a, *shape);
  auto const y = stretched(b, *shape);
  if (!x || !y) return std::nullopt;
  bool const real = a.real() || b.real();
  if (real && op.real == nullptr) return std::nullopt;
  literal out{op.yields_boolean ? element::boolean : a.type, *shape, {}, {}};
  for (std::size_t k = 0; k < x->size(); ++k) {
    if (!real) {
      out.integers.push_back(op.integer(x->integers[k], y->integers[k]));
    } else {
      auto const v = op.real(x->as_real(k), y->as_real(k));
      if (out.real())
        out.reals.push_back(v);
      else
        out.integers.push_back(to_integer(v));
    }
  }
  return out;
}

[[nodiscard]] inline auto find_unary(std::string_view type) -> double (*)(double) {
  using function = double (*)(double);
  static std::unordered_map<std::string_view, function> const table{
      {"Neg", [](double x) { return -x; }},
      {"Abs", [](double x) { return std::abs(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Round", [](double x) { return std::nearbyint(x); }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Reciprocal", [](double x) { return 1.0 / x; }},
  };
  auto const it = table.find(type);
  return it == table.end() ? nullptr : it->second;
}

[[nodiscard]] inline auto fold_unary(literal const& x, double (*f)(double)) -> folded {
  literal out{x.type, x.shape, {}, {}};
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (x.real())
      out.reals.push_back(f(x.reals[k]));
    else
      out.integers.push_back(to_integer(f(static_cast<double>(x.integers[k]))));
  }
  return out;
}

[[nodiscard]] inline auto cast_literal(literal const& x, int type) -> folded {
  if (type == element::text || x.type == element::text) return std::nullopt;
  literal out{type, x.shape, {}, {}};
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (type == element::boolean)
      out.integers.push_back(x.as_real(k) != 0 ? 1 : 0);
    else
      out.push(x, k);
  }
  return out;
}

[[nodiscard]] inline auto fold_reduce(call& c, literal const& x) -> folded {
  auto const axes = plan_reduce(c);
  if (c.failed()) return std::nullopt;
  std::vector<bool> gone(x.shape.size(), false);
  for (auto const a : axes) gone[a] = true;
  tensor_shape kept = x.shape;
  tensor_shape dropped;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!gone[i]) dropped.push_back(kept[i]);
    if (gone[i]) kept[i] = 1;
  }
  auto const n = stored_elements(kept);
  if (!n || *n > max_literal || x.size() == 0) return std::nullopt;
  auto const name = std::string_view{c.type()}.substr(6);
  auto const* op = find_arithmetic(name == "Prod" ? "Mul" : name == "Mean" ? "Sum" : name);
  if (op == nullptr || op->yields_boolean) return std::nullopt;
  auto const strides = strides_of(kept);
  literal out{x.type, kept, {}, {}};
  std::vector<bool> begun(static_cast<std::size_t>(*n), false);
  out.reals.assign(x.real() ? begun.size() : 0, 0);
  out.integers.assign(x.real() ? 0 : begun.size(), 0);
  std::vector<std::int64_t> index(x.shape.size(), 0);
  for (std::size_t k = 0; k < x.size(); ++k) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < index.size(); ++i) at += gone[i] ? 0 : index[i] * strides[i];
    auto const to = static_cast<std::size_t>(at);
    if (x.real())
      out.reals[to] = begun[to] ? op->real(out.reals[to], x.reals[k]) : x.reals[k];
    else
      out.integers[to] = begun[to] ? op->integer(out.integers[to], x.integers[k]) : x.integers[k];
    begun[to] = true;
    for (std::size_t i = index.size(); i-- > 0;) {
      if (++index[i] < x.shape[i]) break;
      index[i] = 0;
    }
  }
  if (name == "Mean") {
    auto const each = static_cast<std::int64_t>(x.size()) / *n;
    for (auto& v : out.reals) v /= static_cast<double>(each);
    for (auto& v : out.integers) v /= each;
  }
  if (c.integer("keepdims", 1) == 0) out.shape = dropped;
  return out;
}

} // namespace mars::io::onnx_detail
