// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace mars::ops {

namespace detail {

template <deferred = when_called>
[[nodiscard]] auto recurrent(op_kind kind, tensor_shape const& x, std::int64_t hidden,
                             std::int64_t directions) -> expected<operation> {
  using mars::detail::along;
  using mars::detail::whole;
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (x.size() != 3) return fail(error_code::shape_mismatch, "shape", to_string(x), "[T, N, D]");
  if (hidden < 1 || hidden > max_elements)
    return fail(error_code::out_of_range, "hidden", std::to_string(hidden), "1 to 2^55");
  if (directions < 1 || directions > 2)
    return fail(error_code::out_of_range, "directions", std::to_string(directions), "1 or 2");
  auto const is_lstm = kind == op_kind::lstm;
  std::int64_t const gates = is_lstm ? 4 : 3;
  auto const width = x[2] + hidden;

  mars::detail::op_writer w{kind, is_lstm ? "LSTM" : "GRU"};
  auto const t = along(x[0], {{w.dim("t", x[0], dim_kind::sequential)}});
  auto const d = along(directions, {{w.dim("d", directions)}});
  auto const n = along(x[1], {{w.dim("n", x[1])}});
  auto const k = along(hidden, {{w.dim("k", hidden)}});
  auto const c = w.dim("c", width, dim_kind::reduction);
  w.input({t, n, along(x[2], {{c}})});
  w.weight("weight", {d, whole(gates), k, along(width, {{c}})});
  w.weight("bias", {d, whole(2 * gates), k});
  w.state("hidden", {d, n, along(hidden, {{c}}, -x[2])});
  if (is_lstm) w.state("cell", {d, n, k});
  w.output({t, d, n, k});
  w.output({d, n, k});
  if (is_lstm) w.output({d, n, k});
  return std::move(w).finish(gates, 0);
}

} // namespace detail

/// x [T, N, D] → all hidden states [T, directions, N, H], the last ones and the last cell states
/// [directions, N, H]. Dimensions `t` (in order, never cut) `d n k | c`, where c runs over input
/// and hidden state one after the other: the input is its part [0, D), the state its part [D, D +
/// H). Four MACs per point, one per gate; the few elementwise operations per state are not counted.
/// Weight [directions, 4, H, D + H] and two biases per gate, as frameworks store them.
template <deferred = when_called>
[[nodiscard]] auto lstm(tensor_shape const& x, std::int64_t hidden, std::int64_t directions = 1)
    -> expected<operation> {
  return detail::recurrent(op_kind::lstm, x, hidden, directions);
}

/// As `lstm` with three gates and no cell state.
template <deferred = when_called>
[[nodiscard]] auto gru(tensor_shape const& x, std::int64_t hidden, std::int64_t directions = 1)
    -> expected<operation> {
  return detail::recurrent(op_kind::gru, x, hidden, directions);
}

} // namespace mars::ops
