// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The builder's calls, one by one: each hands its factory to `emit`.

#include <mars/core/deferred.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/detail/builder_core.hpp>
#include <mars/workload/operators.hpp>

#include <array>
#include <cctype>

namespace mars {

namespace detail {

/// What an operator without a name is called after: its type in lower case.
template <deferred = when_called>
[[nodiscard]] auto stem_of(std::string_view type) -> std::string {
  std::string stem{type.empty() ? "op" : type};
  for (auto& c : stem) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return stem;
}

/// The weight of a convolution decides channels (`outputs` of them) and kernel.
template <class Options>
[[nodiscard]] auto with_weight(Options o, tensor_shape const& weight, std::int64_t out_channels,
                               bool bias) -> Options {
  o.out_channels = out_channels;
  o.kernel.assign(weight.begin() + std::min<std::ptrdiff_t>(2, std::ssize(weight)), weight.end());
  o.bias = bias;
  return o;
}

template <deferred D = when_called>
[[nodiscard]] auto operand_list(value x, value weight, later<std::optional<value>, D> bias)
    -> later<std::vector<value>, D> {
  later<std::vector<value>, D> all{x, weight};
  if (bias) all.push_back(*bias);
  return all;
}

} // namespace detail

template <class Draft>
auto basic_builder<Draft>::conv(value x, conv_options o, std::string name) -> value {
  return emit_one(ops::conv(shape(x), o), std::array{x}, std::move(name), "conv");
}
template <class Draft>
auto basic_builder<Draft>::conv(value x, value weight, std::optional<value> bias, conv_options o,
                                std::string name) -> value {
  auto const& w = shape(weight);
  o = detail::with_weight(std::move(o), w, w.empty() ? 0 : w[0], bias.has_value());
  return emit_one(ops::conv(shape(x), o), detail::operand_list(x, weight, bias), std::move(name),
                  "conv");
}
template <class Draft>
auto basic_builder<Draft>::conv_transpose(value x, conv_transpose_options o, std::string name)
    -> value {
  return emit_one(ops::conv_transpose(shape(x), o), std::array{x}, std::move(name),
                  "convtranspose");
}
template <class Draft>
auto basic_builder<Draft>::conv_transpose(value x, value weight, std::optional<value> bias,
                                          conv_transpose_options o, std::string name) -> value {
  auto const& w = shape(weight);
  auto const outputs = w.size() < 2 ? 0 : checked_multiply(w[1], o.groups).value_or(0);
  o = detail::with_weight(std::move(o), w, outputs, bias.has_value());
  return emit_one(ops::conv_transpose(shape(x), o), detail::operand_list(x, weight, bias),
                  std::move(name), "convtranspose");
}
template <class Draft>
auto basic_builder<Draft>::linear(value x, std::int64_t out_features, bool bias, std::string name)
    -> value {
  return emit_one(ops::linear(shape(x), out_features, bias), std::array{x}, std::move(name),
                  "linear");
}
template <class Draft>
auto basic_builder<Draft>::linear(value x, value weight, std::optional<value> bias,
                                  std::string name) -> value {
  auto const& w = shape(weight);
  return emit_one(ops::linear(shape(x), w.empty() ? 0 : w[0], bias.has_value()),
                  detail::operand_list(x, weight, bias), std::move(name), "linear");
}
template <class Draft>
auto basic_builder<Draft>::matmul(value a, value b, std::string name) -> value {
  return emit_one(ops::matmul(shape(a), shape(b)), std::array{a, b}, std::move(name), "matmul");
}
template <class Draft>
auto basic_builder<Draft>::gemm(value a, value b, std::optional<value> c, bool transpose_a,
                                bool transpose_b, std::string name) -> value {
  auto const addend = c ? std::optional{shape(*c)} : std::nullopt;
  return emit_one(ops::gemm(shape(a), shape(b), addend, transpose_a, transpose_b),
                  detail::operand_list(a, b, c), std::move(name), "gemm");
}

template <class Draft>
auto basic_builder<Draft>::attention(value q, value k, value v, std::int64_t heads,
                                     std::int64_t kv_heads, bool causal, std::string name)
    -> value {
  if (!known(std::array{q, k, v})) return {};
  if (name.empty()) name = std::string{"attention_"} + std::to_string(size());
  auto const part = [&name](char const* what) { return name + "." + what; };
  auto const& qs = shape(q);
  auto const& ks = shape(k);
  auto const& vs = shape(v);
  if (qs.size() != 3 || ks.size() != 3 || vs.size() != 3 || heads < 1 || kv_heads < 1 ||
      heads % kv_heads != 0 || qs[2] % heads != 0 || ks[2] % kv_heads != 0 ||
      vs[2] % kv_heads != 0 || qs[2] / heads != ks[2] / kv_heads || ks[1] != vs[1] ||
      qs[0] != ks[0] || qs[0] != vs[0]) {
    reject({error_code::shape_mismatch,
            "operators[" + std::to_string(size()) + "]",
            to_string(qs) + ", " + to_string(ks) + ", " + to_string(vs) + " with " +
                std::to_string(heads) + " and " + std::to_string(kv_heads) + " heads",
            "q [N, S, heads*h], k [N, T, kv_heads*h], v [N, T, kv_heads*w]",
            {}},
           name, "attention");
    return {};
  }
  auto const batch = qs[0], from = qs[1], to = ks[1];
  auto const width = qs[2] / heads, value_width = vs[2] / kv_heads, shared = heads / kv_heads;
  // Queries of one key head stand together, so that a head read by several queries is broadcast.
  auto const grouped = shared > 1;
  tensor_shape q_shape{batch, from, kv_heads, width};
  tensor_shape k_shape{batch, to, kv_heads, width};
  tensor_shape v_shape{batch, to, kv_heads, value_width};
  std::vector<std::int64_t> rows{0, 2, 1, 3}, columns{0, 2, 3, 1}, back{0, 2, 1, 3};
  if (grouped) {
    q_shape.insert(q_shape.begin() + 3, shared);
    k_shape.insert(k_shape.begin() + 3, 1);
    v_shape.insert(v_shape.begin() + 3, 1);
    rows = {0, 2, 3, 1, 4};
    columns = {0, 2, 3, 4, 1};
    back = {0, 3, 1, 2, 4};
  }
  auto const head_rows = [&](value x, tensor_shape s, std::vector<std::int64_t> const& order,
                             char const* split_name, char const* transpose_name) {
    return transpose(reshape(x, std::move(s), part(split_name)), order, part(transpose_name));
  };
  auto const queries = head_rows(q, q_shape, rows, "split_q", "transpose_q");
  auto const keys = head_rows(k, k_shape, columns, "split_k", "transpose_k");
  auto const values = head_rows(v, v_shape, rows, "split_v", "transpose_v");
  auto scores = unary(matmul(queries, keys, part("scores")), "Scale", part("scale"));
  if (causal) scores = unary(scores, "CausalMask", part("mask"));
  auto const mixed = matmul(softmax(scores, -1, part("softmax")), values, part("context"));
  return reshape(transpose(mixed, back, part("transpose_out")), {batch, from, heads * value_width},
                 part("merge"));
}

template <class Draft>
auto basic_builder<Draft>::max_pool(value x, pool_options o, std::string name) -> value {
  return emit_one(ops::pool(shape(x), o, "MaxPool"), std::array{x}, std::move(name), "maxpool");
}
template <class Draft>
auto basic_builder<Draft>::avg_pool(value x, pool_options o, std::string name) -> value {
  return emit_one(ops::pool(shape(x), o, "AveragePool"), std::array{x}, std::move(name),
                  "averagepool");
}
template <class Draft>
auto basic_builder<Draft>::global_avg_pool(value x, std::string name) -> value {
  return emit_one(ops::global_pool(shape(x), "GlobalAveragePool"), std::array{x}, std::move(name),
                  "globalaveragepool");
}
template <class Draft>
auto basic_builder<Draft>::global_max_pool(value x, std::string name) -> value {
  return emit_one(ops::global_pool(shape(x), "GlobalMaxPool"), std::array{x}, std::move(name),
                  "globalmaxpool");
}
template <class Draft>
auto basic_builder<Draft>::unary(value x, std::string type, std::string name,
                                 std::int64_t flops_per_element) -> value {
  auto const stem = detail::stem_of(type);
  return emit_one(ops::elementwise({shape(x)}, std::move(type), flops_per_element), std::array{x},
                  std::move(name), stem);
}
template <class Draft>
auto basic_builder<Draft>::relu(value x, std::string name) -> value {
  return unary(x, "Relu", std::move(name));
}
template <class Draft>
auto basic_builder<Draft>::nary(std::span<value const> xs, std::string type, std::string name)
    -> value {
  auto const stem = detail::stem_of(type);
  auto const each = std::max<std::int64_t>(1, std::ssize(xs) - 1);
  return emit_one(ops::elementwise(shapes(xs), std::move(type), each), xs, std::move(name), stem);
}
template <class Draft>
auto basic_builder<Draft>::binary(value a, value b, std::string type, std::string name) -> value {
  return nary(std::array{a, b}, std::move(type), std::move(name));
}
template <class Draft>
auto basic_builder<Draft>::add(value a, value b, std::string name) -> value {
  return binary(a, b, "Add", std::move(name));
}
template <class Draft>
auto basic_builder<Draft>::mul(value a, value b, std::string name) -> value {
  return binary(a, b, "Mul", std::move(name));
}
template <class Draft>
auto basic_builder<Draft>::batch_norm(value x, std::string name,
                                      std::int64_t parameters_per_channel) -> value {
  return emit_one(ops::batch_norm(shape(x), parameters_per_channel), std::array{x}, std::move(name),
                  "batchnormalization");
}
template <class Draft>
auto basic_builder<Draft>::layer_norm(value x, std::int64_t axis, std::string name,
                                      std::int64_t parameters_per_element) -> value {
  return emit_one(ops::layer_norm(shape(x), axis, parameters_per_element), std::array{x},
                  std::move(name), "layernormalization");
}
template <class Draft>
auto basic_builder<Draft>::group_norm(value x, std::int64_t groups, std::string name,
                                      std::int64_t parameters_per_channel) -> value {
  return emit_one(ops::group_norm(shape(x), groups, parameters_per_channel), std::array{x},
                  std::move(name), "groupnormalization");
}
template <class Draft>
auto basic_builder<Draft>::rms_norm(value x, std::int64_t axis, std::string name,
                                    std::int64_t parameters_per_element) -> value {
  return emit_one(ops::rms_norm(shape(x), axis, parameters_per_element), std::array{x},
                  std::move(name), "rmsnormalization");
}
template <class Draft>
auto basic_builder<Draft>::lrn(value x, std::int64_t size, std::string name) -> value {
  return emit_one(ops::lrn(shape(x), size), std::array{x}, std::move(name), "lrn");
}
template <class Draft>
auto basic_builder<Draft>::softmax(value x, std::int64_t axis, std::string name) -> value {
  return emit_one(ops::softmax(shape(x), axis), std::array{x}, std::move(name), "softmax");
}
template <class Draft>
auto basic_builder<Draft>::reduce(value x, std::vector<std::int64_t> axes, bool keep_dims,
                                  std::string type, std::string name) -> value {
  auto const stem = detail::stem_of(type);
  return emit_one(ops::reduce(shape(x), axes, keep_dims, std::move(type)), std::array{x},
                  std::move(name), stem);
}

template <class Draft>
auto basic_builder<Draft>::concat(std::span<value const> xs, std::int64_t axis, std::string name)
    -> value {
  return emit_one(ops::concat(shapes(xs), axis), xs, std::move(name), "concat");
}
template <class Draft>
auto basic_builder<Draft>::concat(std::initializer_list<value> xs, std::int64_t axis,
                                  std::string name) -> value {
  return concat(std::span{xs.begin(), xs.size()}, axis, std::move(name));
}
template <class Draft>
auto basic_builder<Draft>::split(value x, std::int64_t axis, std::vector<std::int64_t> sizes,
                                 std::string name) -> std::vector<value> {
  return emit(ops::split(shape(x), axis, sizes), std::array{x}, std::move(name), "split",
              sizes.size());
}
template <class Draft>
auto basic_builder<Draft>::reshape(value x, tensor_shape wanted, std::string name) -> value {
  return emit_one(ops::reshape(shape(x), wanted), std::array{x}, std::move(name), "reshape");
}
template <class Draft>
auto basic_builder<Draft>::flatten(value x, std::int64_t axis, std::string name) -> value {
  return emit_one(ops::flatten(shape(x), axis), std::array{x}, std::move(name), "flatten");
}
template <class Draft>
auto basic_builder<Draft>::transpose(value x, std::vector<std::int64_t> permutation,
                                     std::string name) -> value {
  return emit_one(ops::transpose(shape(x), permutation), std::array{x}, std::move(name),
                  "transpose");
}
template <class Draft>
auto basic_builder<Draft>::slice(value x, std::vector<std::int64_t> starts,
                                 std::vector<std::int64_t> ends, std::vector<std::int64_t> axes,
                                 std::vector<std::int64_t> steps, std::string name) -> value {
  return emit_one(ops::slice(shape(x), starts, ends, axes, steps), std::array{x}, std::move(name),
                  "slice");
}
template <class Draft>
auto basic_builder<Draft>::pad(value x, std::vector<std::int64_t> begins,
                               std::vector<std::int64_t> ends, std::string name) -> value {
  return emit_one(ops::pad(shape(x), begins, ends), std::array{x}, std::move(name), "pad");
}
template <class Draft>
auto basic_builder<Draft>::expand(value x, tensor_shape wanted, std::string name) -> value {
  return emit_one(ops::expand(shape(x), wanted), std::array{x}, std::move(name), "expand");
}
template <class Draft>
auto basic_builder<Draft>::gather(value data, value indices, std::int64_t axis, std::string name)
    -> value {
  return emit_one(ops::gather(shape(data), shape(indices), axis), std::array{data, indices},
                  std::move(name), "gather");
}
template <class Draft>
auto basic_builder<Draft>::embedding(value indices, std::int64_t vocabulary, std::int64_t width,
                                     std::string name) -> value {
  return emit_one(ops::embedding(shape(indices), vocabulary, width), std::array{indices},
                  std::move(name), "embedding");
}
template <class Draft>
auto basic_builder<Draft>::resize(value x, tensor_shape wanted, std::string name) -> value {
  return resize(x, std::move(wanted), ops::resize_mode::nearest, std::move(name));
}
template <class Draft>
auto basic_builder<Draft>::resize(value x, tensor_shape wanted, ops::resize_mode mode,
                                  std::string name) -> value {
  return emit_one(ops::resize(shape(x), wanted, mode), std::array{x}, std::move(name), "resize");
}
template <class Draft>
auto basic_builder<Draft>::lstm(value x, std::int64_t hidden, std::int64_t directions,
                                std::string name) -> std::vector<value> {
  return emit(ops::lstm(shape(x), hidden, directions), std::array{x}, std::move(name), "lstm", 3);
}
template <class Draft>
auto basic_builder<Draft>::gru(value x, std::int64_t hidden, std::int64_t directions,
                               std::string name) -> std::vector<value> {
  return emit(ops::gru(shape(x), hidden, directions), std::array{x}, std::move(name), "gru", 2);
}
template <class Draft>
auto basic_builder<Draft>::opaque(std::span<value const> inputs,
                                  std::vector<tensor_shape> output_shapes, std::string type,
                                  std::string name) -> std::vector<value> {
  auto const stem = detail::stem_of(type);
  return emit(ops::opaque(shapes(inputs), output_shapes, std::move(type)), inputs, std::move(name),
              stem, output_shapes.size());
}

} // namespace mars
