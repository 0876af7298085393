// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Matrix products: MatMul and its quantised forms, Gemm, Einsum, recurrent cells.

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail::handle {

/// Operand b may be a transposed weight: it then enters the graph as the file stores it, so that an
/// embedding shared with the last layer is one weight.
inline void multiply(call& c, tensor_id a, tensor_id b, int type, std::string suffix = {}) {
  if (c.failed()) return;
  auto const root = c.at(b).root;
  auto const stored = root != absent && !c.at(a).constant;
  auto const a_shape = c.at(a).shape;
  auto const b_shape = c.at(b).shape;
  c.emit({a, stored ? root : b}, type, [&](builder& g, std::span<value const> v) {
    auto op = ops::matmul(a_shape, b_shape);
    if (op && stored) {
      auto& axes = op->operands[1].axes;
      std::swap(axes[0], axes[1]);
    }
    if (op) op->type = c.type();
    return add_to(g, std::move(op), v, c.name() + suffix);
  });
}

inline void matmul(call& c) { multiply(c, c.id(0), c.id(1), c.in(0).type); }
inline void matmul_integer(call& c) { multiply(c, c.id(0), c.id(1), element::int32); }
inline void qlinear_matmul(call& c) {
  multiply(c, c.id(0), c.id(3), c.has(7) ? c.in(7).type : c.in(0).type);
}

inline void gemm(call& c) {
  std::vector<tensor_id> ids{c.id(0), c.id(1)};
  if (c.has(2)) {
    ids.push_back(c.id(2));
    c.the_session().at(ids.back()).parameter = true;
  }
  if (c.failed()) return;
  auto const flag = [&](char const* name) { return c.integer(name, 0) != 0; };
  auto const ta = flag("transA");
  auto const tb = flag("transB");
  // Before opset 7, and in files that rely on it, a of higher rank is taken as a matrix.
  auto const flat = c.at(ids[0]).rank() > 2 && !ta;
  c.emit(ids, c.at(ids[0]).type, [&](builder& b, std::span<value const> v) {
    auto const a = flat ? b.flatten(v[0], 1, c.name() + ".flatten") : v[0];
    return b.gemm(a, v[1], v.size() > 2 ? std::optional{v[2]} : std::nullopt, ta, tb, c.name());
  });
}

/// One letter per axis; letters missing in the result are summed over. Two operands with a summed
/// letter are a matrix product, anything else elementwise with a reduction.
inline void einsum(call& c) {
  auto const ids = present(c);
  auto equation = c.text("equation", "");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  if (c.failed()) return;
  auto const bad = [&](char const* why) {
    c.reject(error_code::unsupported, in_quotes(equation), why, {}, "equation");
  };
  auto const arrow = equation.find("->");
  std::string_view const left = std::string_view{equation}.substr(0, arrow);
  std::vector<std::string> terms{""};
  for (auto const ch : left) {
    if (ch == ',')
      terms.emplace_back();
    else
      terms.back() += ch;
  }
  if (terms.size() != ids.size() || ids.empty()) return bad("one term per input");
  // The axes of an ellipsis, aligned at the last, are digits.
  std::size_t ellipsis = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto const at = terms[i].find("...");
    if (at == std::string::npos) continue;
    auto const named = terms[i].size() - 3;
    if (c.at(ids[i]).rank() < named || c.at(ids[i]).rank() - named > 8)
      return bad("as many letters as axes");
    ellipsis = std::max(ellipsis, c.at(ids[i]).rank() - named);
  }
  auto const digits = [&](std::size_t count) {
    std::string s;
    for (auto k = ellipsis - count; k < ellipsis; ++k) s += static_cast<char>('0' + k);
    return s;
  };
  std::map<char, std::int64_t> extent;
  std::map<char, int> uses;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto const& shape = c.at(ids[i]).shape;
    if (auto const at = terms[i].find("..."); at != std::string::npos)
      terms[i].replace(at, 3, digits(shape.size() - (terms[i].size() - 3)));
    if (terms[i].size() != shape.size()) return bad("as many letters as axes");
    for (std::size_t k = 0; k < shape.size(); ++k) {
      auto const ch = terms[i][k];
      if (std::count(terms[i].begin(), terms[i].end(), ch) != 1)
        return bad("distinct letters in a term");
      auto& e = extent.emplace(ch, shape[k]).first->second;
      if (e != shape[k] && e != 1 && shape[k] != 1) return bad("equal extents for a letter");
      e = std::max(e, shape[k]);
      ++uses[ch];
    }
  }
  std::string result;
  if (arrow != std::string::npos) {
    result = equation.substr(arrow + 2);
    if (auto const at = result.find("..."); at != std::string::npos)
      result.replace(at, 3, digits(ellipsis));
  } else {
    result = digits(ellipsis);
    for (auto const& [ch, n] : uses)
      if (n == 1 && (ch < '0' || ch > '9')) result += ch;
  }
  tensor_shape out;
  for (auto const ch : result) {
    if (!extent.contains(ch) || std::count(result.begin(), result.end(), ch) != 1)
      return bad("letters of the terms in the result");
    out.push_back(extent[ch]);
  }
  if (auto const n = count_elements(out); !n) return c.reject(n.error());
  bool summed = false;
  for (auto const& [ch, e] : extent) summed |= result.find(ch) == std::string::npos;
  auto const product = ids.size() == 2 && summed;
  c.emit(ids, c.at(ids[0]).type, [&](builder& b, std::span<value const> v) {
    mars::detail::op_writer w{product  ? op_kind::matmul
                              : summed ? op_kind::reduction
                                       : op_kind::elementwise,
                              c.type()};
    std::map<char, std::uint8_t> dims;
    // As in a matmul: m only in the first operand, n only in the second, k summed; more of a kind
    // are numbered, the rest is batch.
    std::map<char, int> numbers;
    auto const dim_of = [&](char ch) {
      if (auto const it = dims.find(ch); it != dims.end()) return it->second;
      auto const inner = result.find(ch) == std::string::npos;
      auto const in_first = terms[0].find(ch) != std::string::npos;
      auto const in_second = terms.size() > 1 && terms[1].find(ch) != std::string::npos;
      auto const role = inner                               ? 'k'
                        : product && in_first && !in_second ? 'm'
                        : product && in_second && !in_first ? 'n'
                                                            : 'b';
      auto const number = numbers[role]++;
      std::string name(1, role);
      if (role == 'b' || number > 0) name += std::to_string(number);
      auto const d = w.dim(label{std::string_view{name}}, extent[ch],
                           inner ? dim_kind::reduction : dim_kind::parallel);
      dims.emplace(ch, d);
      return d;
    };
    auto const axes_of = [&](std::string const& term, tensor_shape const& shape) {
      mars::detail::operand_axes axes;
      for (std::size_t k = 0; k < term.size(); ++k) {
        auto const d = dim_of(term[k]);
        axes.push_back(shape[k] == 1 && extent[term[k]] != 1
                           ? mars::detail::whole(1)
                           : mars::detail::along(shape[k], {{d}}));
      }
      return axes;
    };
    auto const result_axes = axes_of(result, out);
    for (std::size_t i = 0; i < terms.size(); ++i) w.input(axes_of(terms[i], b.shape(v[i])));
    w.output(result_axes);
    return add_to(b, std::move(w).finish(product ? 1 : 0, product ? 0 : 1), v, c.name());
  });
}

/// LSTM, GRU and RNN as ONNX stores them: X [T, N, D], W [directions, gates·H, D], R [directions,
/// gates·H, H], B [directions, 2·gates·H] → Y [T, directions, N, H], last states [directions, N,
/// H]. `c` runs over input and hidden state one after the other (see ops::lstm).
inline void recurrent(call& c) {
  using mars::detail::along;
  using mars::detail::whole;
  auto const x = c.id(0);
  auto const w_id = c.id(1);
  auto const r_id = c.id(2);
  if (c.failed()) return;
  std::int64_t const gates = c.type() == "LSTM" ? 4 : c.type() == "GRU" ? 3 : 1;
  auto const batch_first = c.integer("layout", 0) == 1;
  auto const& xs = c.at(x).shape;
  auto const& ws = c.at(w_id).shape;
  auto const& rs = c.at(r_id).shape;
  if (xs.size() != 3 || ws.size() != 3 || rs.size() != 3 || ws[0] < 1 || ws[0] > 2 ||
      rs[0] != ws[0] || rs[1] != ws[1] || rs[2] < 1 || rs[1] / gates != rs[2] ||
      rs[1] % gates != 0 || ws[2] != xs[2] || c.at(x).constant)
    return c.reject(error_code::shape_mismatch,
                    to_string(xs) + ", W " + to_string(ws) + ", R " + to_string(rs),
                    "X [T, N, D], W [directions, gates*H, D], R [directions, gates*H, H]");
  auto const hidden = rs[2];
  auto const width = xs[2];
  auto const steps = xs[batch_first ? 1 : 0];
  auto const batch = xs[batch_first ? 0 : 1];
  std::vector<tensor_id> ids{x, w_id, r_id};
  auto const bias = c.has(3) ? c.id(3) : absent;
  if (bias != absent) {
    if (c.at(bias).shape != tensor_shape{ws[0], 2 * ws[1]})
      return c.reject(error_code::shape_mismatch, to_string(c.at(bias).shape),
                      "[directions, 2*gates*H]", {}, "input[3]");
    ids.push_back(bias);
  }
  c.emit(ids, c.at(x).type, [&](builder& b, std::span<value const> v) {
    mars::detail::op_writer w{gates == 4 ? op_kind::lstm : op_kind::gru, c.type()};
    auto const t = along(steps, {{w.dim("t", steps, dim_kind::sequential)}});
    auto const d = along(ws[0], {{w.dim("d", ws[0])}});
    auto const n = along(batch, {{w.dim("n", batch)}});
    auto const k_dim = w.dim("k", hidden);
    auto const k = along(hidden, {{k_dim}});
    auto const in = w.dim("c", width + hidden, dim_kind::reduction);
    auto const gate = w.reading_dim("gate", gates);
    auto const rows = along(gates * hidden, {{gate, hidden}, {k_dim}});
    auto const features = along(width, {{in}});
    if (batch_first)
      w.input({n, t, features});
    else
      w.input({t, n, features});
    w.input({d, rows, features});
    w.input({d, rows, along(hidden, {{in}}, -width)});
    if (bias != absent)
      w.input({d, along(2 * gates * hidden,
                        {{w.reading_dim("half", 2), gates * hidden}, {gate, hidden}, {k_dim}})});
    w.state("hidden", {d, n, along(hidden, {{in}}, -width)});
    if (gates == 4) w.state("cell", {d, n, k});
    if (batch_first)
      w.output({n, t, d, k});
    else
      w.output({t, d, n, k});
    for (int i = 0; i < (gates == 4 ? 2 : 1); ++i) {
      if (batch_first)
        w.output({n, d, k});
      else
        w.output({d, n, k});
    }
    auto op = std::move(w).finish(gates, 0);
    if (op)
      for (auto& o : op->operands)
        if (o.role == role::state) o.element_bits = c.at(x).bits;
    return add_to(b, std::move(op), v, c.name());
  });
}

} // namespace mars::io::onnx_detail::handle

namespace mars::io::onnx_detail {

inline void add_matmul(handler_table& t) {
  t["MatMul"] = handle::matmul;
  t["MatMulInteger"] = handle::matmul_integer;
  t["QLinearMatMul"] = handle::qlinear_matmul;
  t["Gemm"] = handle::gemm;
  t["Einsum"] = handle::einsum;
  for (auto const name : {"LSTM", "GRU", "RNN"}) t[name] = handle::recurrent;
}

} // namespace mars::io::onnx_detail
