// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/detail/node_names.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/io/operator_graph.hpp>
#include <mars/workload/operators/convolution.hpp>
#include <mars/workload/operators/elementwise.hpp>
#include <mars/workload/operators/layout.hpp>
#include <mars/workload/operators/matmul.hpp>
#include <mars/workload/operators/normalization.hpp>
#include <mars/workload/operators/pooling.hpp>
#include <mars/workload/shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::detail {

/// Operator graphs of torch.fx (see io/json.hpp): shapes are given, parameters of pools are not.
class fx_graph_reader {
public:
  fx_graph_reader(reader const& root, operator_graph_options const& options)
      : root_{root}, options_{options} {}

  [[nodiscard]] auto read() -> operator_graph {
    root_.allow({"model", "source", "nodes", "expected"});
    result_.name = root_["model"].text();
    for (auto const& r : root_["nodes"].items()) {
      if (root_.failed()) break;
      add(r);
    }
    return std::move(result_);
  }

private:
  enum kind : std::size_t {
    placeholder,
    output,
    flatten,
    dropout, // launch nothing
    conv,
    batch_norm,
    relu,
    cat,
    linear,
    max_pool_module,
    max_pool,
    avg_pool,
    adaptive_pool,
  };
  static constexpr std::array<std::string_view, 13> kinds{
      "placeholder", "output", "flatten",   "Dropout",    "Conv2d",     "BatchNorm2d",      "relu",
      "cat",         "Linear", "MaxPool2d", "max_pool2d", "avg_pool2d", "AdaptiveAvgPool2d"};

  void add(reader const& r) {
    operator_node node;
    node.name = r["name"].text();
    auto const what = static_cast<kind>(r["kind"].choice(kinds));
    std::vector<std::string_view> keys{"name", "kind", "inputs", "shape", "opara_memory_bound"};
    if (what == conv) keys.push_back("conv");
    if (what == linear) keys.push_back("linear");
    r.allow(keys);
    if (auto const flag = r.find("opara_memory_bound")) node.named_memory_bound = flag->boolean();
    auto const shape = shape_at(r["shape"]);
    std::vector<tensor_shape> inputs;
    for (auto const& name : r["inputs"].items()) {
      auto const u = names_.find(name.text(), name);
      if (!u) return;
      read_from(node, *u);
      inputs.push_back(shapes_[*u]);
    }
    if (root_.failed()) return;
    bool const joins = what == cat || what == output;
    if (joins || what == placeholder ? inputs.empty() != (what == placeholder) : inputs.size() != 1)
      return r["inputs"].reject(error_code::invalid_argument, what == placeholder ? "no input"
                                                              : joins ? "at least one input"
                                                                      : "one input");
    if (what >= conv) {
      auto const found = append_operation(node, operation_of(what, node, r, inputs, shape),
                                          options_.element_bits, r);
      if (root_.failed()) return;
      if (found != shape)
        return r["shape"].reject(error_code::shape_mismatch, to_string(found) + ", as computed");
      node.output = size_of(*nth_operand(node.operations.back(), role::output, 0));
    }
    if (!names_.add(node.name, static_cast<std::uint32_t>(result_.nodes.size()), r["name"])) return;
    result_.nodes.push_back(std::move(node));
    shapes_.push_back(shape);
  }

  [[nodiscard]] auto shape_at(reader const& r) const -> tensor_shape {
    tensor_shape shape;
    auto const items = r.items(max_rank);
    for (auto const& e : items) shape.push_back(e.integer(1, max_elements / options_.batch));
    if (shape.size() < 2 && !root_.failed())
      r.reject(error_code::out_of_range, "at least [N, features]");
    if (root_.failed()) return shape;
    shape[0] *= options_.batch;
    if (auto const n = count_elements(shape); !n) r.reject(error{n.error()});
    return shape;
  }

  auto operation_of(kind what, operator_node& node, reader const& r,
                    std::vector<tensor_shape> const& inputs, tensor_shape const& shape)
      -> expected<operation> {
    auto const& x = inputs.front();
    switch (what) {
    case conv: return convolution(node, r["conv"], x);
    case batch_norm: return ops::batch_norm(x);
    case relu: return ops::elementwise({x}, "Relu", 1);
    case cat: return ops::concat(inputs, 1);
    case linear: {
      auto const sizes = r["linear"].items(2);
      if (sizes.size() != 2 && !root_.failed())
        r["linear"].reject(error_code::out_of_range, "input and output features");
      if (root_.failed()) return fail(error_code::out_of_range, {}, {});
      if (sizes[0].integer() != x.back())
        sizes[0].reject(error_code::shape_mismatch, std::to_string(x.back()));
      return ops::linear(x, sizes[1].integer(1, max_elements));
    }
    case adaptive_pool: return pool(x, shape, "AveragePool", true);
    case avg_pool: return pool(x, shape, "AveragePool", false);
    default: return pool(x, shape, "MaxPool", false);
    }
  }

  /// Without bias: a batch normalisation follows in every network written so.
  auto convolution(operator_node& node, reader const& r, tensor_shape const& x)
      -> expected<operation> {
    r.allow({"out", "inp", "k", "s", "p", "groups"});
    ops::conv_options o;
    o.bias = false;
    o.out_channels = r["out"].integer(1, max_elements);
    auto const pair = [&](char const* key, std::int64_t least) {
      auto const items = r[key].items(2);
      if (items.size() != 2 && !root_.failed())
        r[key].reject(error_code::out_of_range, "two numbers");
      ops::spatial both;
      for (auto const& i : items) both.push_back(i.integer(least, mars::detail::max_window));
      return both;
    };
    o.kernel = pair("k", 1);
    o.stride = pair("s", 1);
    o.padding = pair("p", 0);
    o.groups = r["groups"].integer(1, max_elements);
    auto const in = r["inp"].integer(1, max_elements);
    if (!root_.failed() && (x.size() < 2 || in != x[1]))
      r["inp"].reject(error_code::shape_mismatch,
                      x.size() < 2 ? "an input with channels" : std::to_string(x[1]));
    if (root_.failed()) return fail(error_code::out_of_range, {}, {});
    node.convolution = {x, o, {}, options_.element_bits};
    return ops::conv(x, o);
  }

  /// A pool of which only shapes are known. Adaptive: windows of in/out that tile the input. Otherwise a
  /// window of three: equal extents mean stride 1 and padding 1, smaller ones the stride in/out,
  /// rounded to the nearest, without padding; if that does not give the output, with the output
  /// rounded up. (A window of two with stride 2 cannot be told from that: GoogLeNet's last max pool.)
  static auto pool(tensor_shape const& x, tensor_shape const& out, std::string type, bool adaptive)
      -> expected<operation> {
    if (x.size() != 4 || out.size() != 4)
      return fail(error_code::shape_mismatch, "shape", to_string(out), "[N, C, H, W]");
    if (adaptive && out[2] == 1 && out[3] == 1) return ops::global_pool(x, "Global" + type);
    ops::pool_options o;
    o.kernel = o.stride = o.padding = {0, 0};
    for (std::size_t i = 0; i < 2; ++i) {
      auto const in = x[2 + i], n = out[2 + i];
      if (adaptive && in % n != 0)
        return fail(error_code::unsupported, "shape", to_string(out),
                    "extents that divide the input's");
      o.stride[i] = adaptive ? in / n : std::max<std::int64_t>(1, (in + n / 2) / n);
      o.kernel[i] = adaptive ? in / n : 3;
      o.padding[i] = !adaptive && in == n ? 1 : 0;
    }
    auto floored = ops::pool(x, o, type);
    if (floored && shape_of(*nth_operand(*floored, role::output, 0)) == out) return floored;
    o.ceil_mode = true;
    return ops::pool(x, o, std::move(type));
  }

  reader root_;
  operator_graph_options options_;
  operator_graph result_;
  node_names names_;
  std::vector<tensor_shape> shapes_;
};

} // namespace mars::io::detail
