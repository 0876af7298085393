// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operators/recurrent.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// A layer as tables of multi-modal networks give it (MARCH, H2H): sizes of its own, none of what it
/// reads. Names of the reference in brackets.
struct table_layer {
  enum class what : std::uint8_t { conv, fc, lstm };

  std::string name;
  what kind{};
  std::int64_t out_channels{1}; ///< [M]; of an LSTM, the hidden state [H]
  std::int64_t in_channels{1};  ///< [N]; of an LSTM, the input [D]
  std::int64_t rows{1};         ///< of the output [R]
  std::int64_t columns{1};      ///< [C]
  std::int64_t kernel{1};       ///< [K], square
  std::int64_t steps{1};        ///< of an LSTM
};

struct table_edge {
  std::uint32_t from{}; ///< numbers of layers
  std::uint32_t to{};
};

namespace detail {

/// How a layer of a table sees what an earlier one made. Tables do not record the pooling or striding
/// between layers: where maps shrink, the reader strides. Channels that do not add up to the reader's
/// are read whole.
template <deferred = when_called>
[[nodiscard]] auto seen_by(table_layer const& reader, table_layer const& made, bool adds_up,
                           std::int64_t channels_before) -> operand_axes {
  // Dimensions of the reader: n k y x | c r s.
  auto const spatial = [&](std::int64_t extent, std::int64_t mine, std::uint8_t at,
                           std::uint8_t tap) {
    auto const stride = std::max<std::int64_t>(1, extent / mine);
    return along(extent, {{at, stride}, {tap}}, -((reader.kernel - 1) / 2));
  };
  if (made.kind != table_layer::what::conv || reader.kind != table_layer::what::conv) {
    operand_axes axes{whole(1), whole(made.out_channels)};
    if (made.kind == table_layer::what::conv) {
      axes.push_back(whole(made.rows));
      axes.push_back(whole(made.columns));
    }
    return axes;
  }
  return {along(1, {{0}}),
          adds_up ? along(made.out_channels, {{4}}, -channels_before) : whole(made.out_channels),
          spatial(made.rows, reader.rows, 2, 5), spatial(made.columns, reader.columns, 3, 6)};
}

template <deferred D = when_called>
[[nodiscard]] auto operation_of(table_layer const& l,
                                later<std::vector<table_layer const*>, D> const& reads, int bits)
    -> later<expected<operation>, D> {
  using what = table_layer::what;
  bool const is_conv = l.kind == what::conv;
  if (l.kind == what::lstm) {
    if (!reads.empty())
      return fail(error_code::unsupported, l.name, "an LSTM that reads another layer",
                  "one that reads an input of the network");
    auto made = ops::lstm({l.steps, 1, l.in_channels}, l.out_channels);
    if (made) {
      made->name = l.name;
      for (auto& t : made->operands) t.element_bits = bits;
    }
    return made;
  }
  std::int64_t delivered = 0;
  for (auto const* r : reads) delivered += r->out_channels;
  op_writer w{is_conv ? op_kind::convolution : op_kind::matmul, is_conv ? "Conv" : "Gemm"};
  auto const batch = along(1, {{w.dim(is_conv ? "n" : "m", 1)}});
  auto const k = along(l.out_channels, {{w.dim(is_conv ? "k" : "n", l.out_channels)}});
  std::uint8_t const y = is_conv ? w.dim("y", l.rows) : std::uint8_t{};
  std::uint8_t const x = is_conv ? w.dim("x", l.columns) : std::uint8_t{};
  auto const c =
      along(l.in_channels, {{w.dim(is_conv ? "c" : "k", l.in_channels, dim_kind::reduction)}});
  std::uint8_t const r = is_conv ? w.dim("r", l.kernel, dim_kind::reduction) : std::uint8_t{};
  std::uint8_t const s = is_conv ? w.dim("s", l.kernel, dim_kind::reduction) : std::uint8_t{};

  std::int64_t before = 0;
  for (auto const* made : reads) {
    w.input(seen_by<D>(l, *made, delivered == l.in_channels, before));
    before += made->out_channels;
  }
  auto const outside = [&](std::int64_t extent, std::uint8_t at, std::uint8_t tap) {
    return along(2 * extent, {{at, 2}, {tap}}, -((l.kernel - 1) / 2));
  };
  if (reads.empty() && is_conv)
    w.input({batch, c, outside(l.rows, y, r), outside(l.columns, x, s)});
  if (reads.empty() && !is_conv) w.input({batch, c});
  if (is_conv) {
    w.weight("weight", {k, c, along(l.kernel, {{r}}), along(l.kernel, {{s}})});
    w.output({batch, k, along(l.rows, {{y}}), along(l.columns, {{x}})});
  } else {
    w.weight("weight", {k, c});
    w.output({batch, k});
  }
  auto made = std::move(w).finish(1, 0);
  if (!made) return unexpected{std::move(made).error().inside(l.name)};
  made->name = l.name;
  for (auto& t : made->operands) {
    t.element_bits = bits;
    if (t.role == role::weight) t.name = l.name + ".weight";
    if (t.role == role::input && reads.empty()) t.name = l.name + ".input";
  }
  return made;
}

} // namespace detail

/// The graph of a table: operators in its order, dimensions `n k y x | c r s` of a convolution,
/// `m n | k` of a fully connected layer, as `ops::conv` and `ops::linear` without bias. A layer that
/// nobody feeds reads an input of the network, of twice its rows and columns. Errors: sizes out of
/// range at the layer's name; `make_graph`'s.
template <deferred D = when_called>
[[nodiscard]] auto graph_of_table(std::string name,
                                  later<std::vector<table_layer>, D> const& layers,
                                  std::vector<table_edge> const& edges, int element_bits)
    -> later<expected<graph>, D> {
  later<std::vector<std::vector<std::uint32_t>>, D> reads(layers.size());
  for (auto const& e : edges) {
    if (e.from >= layers.size() || e.to >= layers.size())
      return fail(error_code::dangling, "edges", std::to_string(std::max(e.from, e.to)),
                  std::string{"below "} + std::to_string(layers.size()));
    reads[e.to].push_back(e.from);
  }
  later<std::vector<operation>, D> ops;
  later<std::vector<tensor_edge>, D> tensors;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    later<std::vector<table_layer const*>, D> from;
    for (auto const u : reads[i]) {
      tensors.push_back(
          {operator_id{u}, 0, operator_id{i}, static_cast<std::uint16_t>(from.size())});
      from.push_back(&layers[u]);
    }
    auto made = detail::operation_of<D>(layers[i], from, element_bits);
    if (!made) return unexpected{std::move(made).error()};
    ops.push_back(*std::move(made));
  }
  return make_graph(std::move(name), std::move(ops), std::move(tensors), {});
}

} // namespace mars
