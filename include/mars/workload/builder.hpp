// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/shape.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars {

/// A tensor inside one builder: what its calls take and return.
struct value {
  std::uint32_t index{};

  friend auto operator==(value, value) -> bool = default;
};

/// Writes a workload graph operator by operator and infers every shape on the way.
///
///     mars::builder b{"tiny"};
///     auto x = b.input("image", {1, 3, 224, 224});
///     x = b.relu(b.conv(x, {.out_channels = 64, .kernel = {7}, .stride = {2}, .padding = {3}}));
///     b.output(b.linear(b.flatten(b.global_avg_pool(x), 1), 1000));
///     mars::expected<mars::graph> g = std::move(b).build();
///
/// Errors are recorded, not returned: the first one stays, every later call does nothing and
/// returns a value whose shape is eight ones, and `build` hands the error out with the path
/// `operators[i]` and the operator's name. So a model reads like its definition and no number from
/// a file can crash it. Weights an operator needs are made with it and named `<operator>.weight`,
/// `<operator>.bias`; where a call takes values, a `constant` may stand and becomes an operand of
/// role weight. An operator's name is the last argument; without one it is called after its type
/// (`conv_12`), and a name given twice gets `_2`.
template <class Draft>
class basic_builder {
public:
  using shape_type = tensor_shape;
  using conv_options = ops::conv_options;
  using conv_transpose_options = ops::conv_transpose_options;
  using pool_options = ops::pool_options;

  explicit basic_builder(std::string name, int element_bits = 16);

  // ---- tensors ----
  /// An activation from outside the graph; rank 0 to 8. `element_bits` 0: the builder's.
  auto input(std::string name, tensor_shape shape, int element_bits = 0) -> value;
  /// A parameter from outside; becomes an operand of role weight wherever it is consumed.
  auto constant(std::string name, tensor_shape shape, int element_bits = 0) -> value;
  [[nodiscard]] auto shape(value) const -> tensor_shape const&;
  [[nodiscard]] auto element_bits(value) const -> int;
  [[nodiscard]] auto is_constant(value) const -> bool;
  /// Reads from now on as a tensor of other bits (a quantised or boolean result). Operators already
  /// written keep what they read.
  void set_element_bits(value, int bits);
  /// Marks a result of the graph. Without any mark, what nobody consumes is the result.
  void output(value);

  // ---- convolution, matrix products ----
  /// x [N, C, spatial…] with one to three spatial axes. MACs: one per point, bias not counted.
  auto conv(value x, conv_options options, std::string name = {}) -> value;
  /// Weight [K, C/groups, kernel…] and bias [K] given; kernel and out_channels come from the
  /// weight.
  auto conv(value x, value weight, std::optional<value> bias, conv_options options,
            std::string name = {}) -> value;
  auto conv_transpose(value x, conv_transpose_options options, std::string name = {}) -> value;
  /// Weight [C, K/groups, kernel…].
  auto conv_transpose(value x, value weight, std::optional<value> bias,
                      conv_transpose_options options, std::string name = {}) -> value;
  /// x […, in] → […, out_features]; weight [out, in].
  auto linear(value x, std::int64_t out_features, bool bias = true, std::string name = {}) -> value;
  auto linear(value x, value weight, std::optional<value> bias, std::string name = {}) -> value;
  /// NumPy's matmul: batch axes broadcast, vectors allowed, either side may be a constant.
  auto matmul(value a, value b, std::string name = {}) -> value;
  /// op(a)·op(b) (+ c broadcast to the result); a and b of rank 2.
  auto gemm(value a, value b, std::optional<value> c, bool transpose_a, bool transpose_b,
            std::string name = {}) -> value;
  /// Scaled dot-product attention written as its parts. q [N, S, heads·h], k [N, T, kv_heads·h],
  /// v [N, T, kv_heads·w] → [N, S, heads·w]; heads must be a multiple of kv_heads.
  auto attention(value q, value k, value v, std::int64_t heads, std::int64_t kv_heads,
                 bool causal = false, std::string name = {}) -> value;

  // ---- pooling, normalisation, elementwise ----
  auto max_pool(value x, pool_options options, std::string name = {}) -> value;
  auto avg_pool(value x, pool_options options, std::string name = {}) -> value;
  auto global_avg_pool(value x, std::string name = {}) -> value;
  auto global_max_pool(value x, std::string name = {}) -> value;
  auto unary(value x, std::string type, std::string name = {}, std::int64_t flops_per_element = 1)
      -> value;
  auto relu(value x, std::string name = {}) -> value;
  auto binary(value a, value b, std::string type, std::string name = {}) -> value;
  auto add(value a, value b, std::string name = {}) -> value;
  auto mul(value a, value b, std::string name = {}) -> value;
  /// Elementwise over any number of tensors that broadcast; n − 1 FLOPs per element.
  auto nary(std::span<value const> xs, std::string type, std::string name = {}) -> value;
  auto batch_norm(value x, std::string name = {}, std::int64_t parameters_per_channel = 4) -> value;
  /// Over axes `axis` … last, with `parameters_per_element` (0, 1, 2) trained tensors of their
  /// shape.
  auto layer_norm(value x, std::int64_t axis = -1, std::string name = {},
                  std::int64_t parameters_per_element = 2) -> value;
  auto group_norm(value x, std::int64_t groups, std::string name = {},
                  std::int64_t parameters_per_channel = 2) -> value;
  auto rms_norm(value x, std::int64_t axis = -1, std::string name = {},
                std::int64_t parameters_per_element = 1) -> value;
  /// Local response normalisation over `size` neighbouring channels (axis 1).
  auto lrn(value x, std::int64_t size, std::string name = {}) -> value;
  auto softmax(value x, std::int64_t axis = -1, std::string name = {}) -> value;
  /// No axes: all of them.
  auto reduce(value x, std::vector<std::int64_t> axes, bool keep_dims, std::string type,
              std::string name = {}) -> value;

  // ---- layout ----
  auto concat(std::span<value const> xs, std::int64_t axis, std::string name = {}) -> value;
  auto concat(std::initializer_list<value> xs, std::int64_t axis, std::string name = {}) -> value;
  auto split(value x, std::int64_t axis, std::vector<std::int64_t> sizes, std::string name = {})
      -> std::vector<value>;
  /// −1 once: what remains; 0: the input's extent at that place.
  auto reshape(value x, tensor_shape shape, std::string name = {}) -> value;
  /// To rank 2, folding axes before and from `axis`.
  auto flatten(value x, std::int64_t axis = 1, std::string name = {}) -> value;
  auto transpose(value x, std::vector<std::int64_t> permutation, std::string name = {}) -> value;
  /// NumPy's slices: negative numbers count from the end, ends are clamped. No axes: the first
  /// ones; no steps: 1.
  auto slice(value x, std::vector<std::int64_t> starts, std::vector<std::int64_t> ends,
             std::vector<std::int64_t> axes = {}, std::vector<std::int64_t> steps = {},
             std::string name = {}) -> value;
  /// One number per axis; negative numbers crop.
  auto pad(value x, std::vector<std::int64_t> begins, std::vector<std::int64_t> ends,
           std::string name = {}) -> value;
  auto expand(value x, tensor_shape shape, std::string name = {}) -> value;
  auto gather(value data, value indices, std::int64_t axis = 0, std::string name = {}) -> value;
  /// indices […] → […, width]; weight [vocabulary, width].
  auto embedding(value indices, std::int64_t vocabulary, std::int64_t width, std::string name = {})
      -> value;
  auto resize(value x, tensor_shape shape, std::string name = {}) -> value;
  auto resize(value x, tensor_shape shape, ops::resize_mode mode, std::string name = {}) -> value;

  // ---- recurrent, anything else ----
  /// x [T, N, D] → { all hidden states [T, directions, N, H], last hidden state [directions, N, H],
  /// last cell state [directions, N, H] } as ONNX has it.
  auto lstm(value x, std::int64_t hidden, std::int64_t directions = 1, std::string name = {})
      -> std::vector<value>;
  /// As `lstm`, without the cell state.
  auto gru(value x, std::int64_t hidden, std::int64_t directions = 1, std::string name = {})
      -> std::vector<value>;
  /// Unknown semantics: reads everything, costs nothing that can be known, is never cut.
  auto opaque(std::span<value const> inputs, std::vector<tensor_shape> output_shapes,
              std::string type, std::string name = {}) -> std::vector<value>;
  /// Any operation. `inputs` are its first operands of role input or weight, in order, and must
  /// have their shapes; they take the role and bits of the value. Weights without a value are named
  /// after the operator. Returns one value per operand of role output.
  auto add_operation(operation op, std::span<value const> inputs) -> std::vector<value>;

  /// The frozen graph, or the first recorded error.
  auto build() && -> expected<graph>;
  /// Records an error of the caller's own as if an operator had failed (an importer's, say).
  void record(error e);
  [[nodiscard]] auto failed() const -> bool { return failure_.has_value(); }
  [[nodiscard]] auto first_error() const -> error const* { return failed() ? &*failure_ : nullptr; }
  /// Operators so far.
  [[nodiscard]] auto size() const -> std::size_t { return draft_.size(); }

private:
  struct tensor {
    tensor_shape shape;
    std::string name; ///< of an external tensor
    int element_bits{16};
    bool constant{false};
    bool produced{false};
    operator_id producer;
    std::uint16_t output{};
  };
  using names = std::unordered_map<std::string, std::uint32_t>;

  auto external(std::string name, tensor_shape shape, int bits, bool constant) -> value;
  auto look(value v) const -> tensor const&;
  auto shapes(std::span<value const> vs) const -> std::vector<tensor_shape>;
  auto known(std::span<value const> vs) -> bool;
  static auto unique(names& taken, std::string wanted) -> std::string;
  void reject(error e, std::string_view name, std::string_view type);
  auto emit(expected<operation> op, std::span<value const> inputs, std::string name,
            std::string_view stem, std::size_t outputs = 1) -> std::vector<value>;
  auto emit_one(expected<operation> op, std::span<value const> inputs, std::string name,
                std::string_view stem) -> value;
  auto commit(operation op, std::span<value const> inputs) -> std::vector<value>;

  Draft draft_;
  std::vector<tensor> tensors_; ///< [0] stands for what could not be made
  names operator_names_;
  names tensor_names_;
  std::optional<error> failure_;
  int element_bits_;
};

/// Into a graph of mars. A template for the reason given at `deferred`.
using builder = basic_builder<basic_graph<representation::adjacency_list>>;
using graph_builder = builder;

} // namespace mars

#include <mars/workload/detail/builder_core.hpp>
#include <mars/workload/detail/builder_operators.hpp>
