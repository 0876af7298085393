// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/json/reader.hpp>
#include <mars/workload/builder.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The kinds of operators that a workload document may name, each a call of `builder`.

namespace mars::io::detail {

/// One operator of a document, on its way into a builder.
struct operator_call {
  mars::builder& to;
  reader from;
  std::span<value const> x;
  std::string name;

  using numbers = std::vector<std::int64_t>;

  [[nodiscard]] auto integer(std::string_view key) const -> std::int64_t {
    return from[key].integer();
  }
  [[nodiscard]] auto integer(std::string_view key, std::int64_t otherwise) const -> std::int64_t {
    auto const r = from.find(key);
    return r ? r->integer() : otherwise;
  }
  [[nodiscard]] auto flag(std::string_view key, bool otherwise) const -> bool {
    auto const r = from.find(key);
    return r ? r->boolean() : otherwise;
  }
  [[nodiscard]] static auto list_of(reader const& r) -> numbers {
    numbers all;
    if (r.is_number()) return {r.integer()};
    for (auto const& n : r.items(64)) all.push_back(n.integer());
    return all;
  }
  /// A list; a number stands for the list of it.
  [[nodiscard]] auto list(std::string_view key) const -> numbers { return list_of(from[key]); }
  [[nodiscard]] auto list(std::string_view key, numbers otherwise) const -> numbers {
    auto const r = from.find(key);
    return r ? list_of(*r) : std::move(otherwise);
  }
  [[nodiscard]] auto type(std::string otherwise = {}) const -> std::string {
    auto const r = from.find("type");
    return r || otherwise.empty() ? from["type"].text() : std::move(otherwise);
  }
  [[nodiscard]] auto third() const -> std::optional<value> {
    return x.size() > 2 ? std::optional{x[2]} : std::nullopt;
  }

  template <class Options>
  [[nodiscard]] auto window() const -> Options {
    Options o;
    o.kernel = list("kernel", o.kernel);
    o.stride = list("stride", o.stride);
    o.dilation = list("dilation", o.dilation);
    o.padding = list("padding", o.padding);
    return o;
  }
  template <class Options>
  [[nodiscard]] auto convolution() const -> Options {
    auto o = window<Options>();
    if (x.size() == 1)
      o.out_channels = integer("out_channels");
    else if (from.has("out_channels") || from.has("kernel") || from.has("bias"))
      from.reject(error_code::invalid_argument, "no out_channels, kernel or bias",
                  "the weight that is given says it");
    o.groups = integer("groups", 1);
    o.bias = flag("bias", true);
    return o;
  }
  [[nodiscard]] auto pool() const -> ops::pool_options {
    auto o = window<ops::pool_options>();
    o.ceil_mode = flag("ceil_mode", false);
    o.count_include_pad = flag("count_include_pad", true);
    return o;
  }
};

using built = std::vector<value>;

struct operator_kind {
  std::string_view name;
  std::size_t least_inputs;
  std::size_t most_inputs;
  std::array<std::string_view, 8> attributes;
  auto(*build)(operator_call const&) -> built;
};

inline constexpr std::size_t any_number = 0xffff;

[[nodiscard]] inline auto operator_kinds() -> std::span<operator_kind const> {
  using call = operator_call;
  static constexpr std::array kinds{
      operator_kind{"conv",
                    1,
                    3,
                    {"out_channels", "kernel", "stride", "dilation", "padding", "groups", "bias"},
                    [](call const& c) -> built {
                      auto o = c.convolution<ops::conv_options>();
                      if (c.x.size() == 1) return {c.to.conv(c.x[0], std::move(o), c.name)};
                      return {c.to.conv(c.x[0], c.x[1], c.third(), std::move(o), c.name)};
                    }},
      operator_kind{"conv_transpose",
                    1,
                    3,
                    {"out_channels", "kernel", "stride", "dilation", "padding", "groups", "bias",
                     "output_padding"},
                    [](call const& c) -> built {
                      auto o = c.convolution<ops::conv_transpose_options>();
                      o.output_padding = c.list("output_padding", {});
                      if (c.x.size() == 1)
                        return {c.to.conv_transpose(c.x[0], std::move(o), c.name)};
                      return {c.to.conv_transpose(c.x[0], c.x[1], c.third(), std::move(o), c.name)};
                    }},
      operator_kind{"linear",
                    1,
                    3,
                    {"out_features", "bias"},
                    [](call const& c) -> built {
                      if (c.x.size() > 1) return {c.to.linear(c.x[0], c.x[1], c.third(), c.name)};
                      return {c.to.linear(c.x[0], c.integer("out_features"), c.flag("bias", true),
                                          c.name)};
                    }},
      operator_kind{"matmul",
                    2,
                    2,
                    {},
                    [](call const& c) -> built { return {c.to.matmul(c.x[0], c.x[1], c.name)}; }},
      operator_kind{"gemm",
                    2,
                    3,
                    {"transpose_a", "transpose_b"},
                    [](call const& c) -> built {
                      return {c.to.gemm(c.x[0], c.x[1], c.third(), c.flag("transpose_a", false),
                                        c.flag("transpose_b", false), c.name)};
                    }},
      operator_kind{"attention",
                    3,
                    3,
                    {"heads", "kv_heads", "causal"},
                    [](call const& c) -> built {
                      auto const heads = c.integer("heads");
                      return {c.to.attention(c.x[0], c.x[1], c.x[2], heads,
                                             c.integer("kv_heads", heads), c.flag("causal", false),
                                             c.name)};
                    }},
      operator_kind{
          "max_pool",
          1,
          1,
          {"kernel", "stride", "dilation", "padding", "ceil_mode", "count_include_pad"},
          [](call const& c) -> built { return {c.to.max_pool(c.x[0], c.pool(), c.name)}; }},
      operator_kind{
          "avg_pool",
          1,
          1,
          {"kernel", "stride", "dilation", "padding", "ceil_mode", "count_include_pad"},
          [](call const& c) -> built { return {c.to.avg_pool(c.x[0], c.pool(), c.name)}; }},
      operator_kind{"global_avg_pool",
                    1,
                    1,
                    {},
                    [](call const& c) -> built { return {c.to.global_avg_pool(c.x[0], c.name)}; }},
      operator_kind{"global_max_pool",
                    1,
                    1,
                    {},
                    [](call const& c) -> built { return {c.to.global_max_pool(c.x[0], c.name)}; }},
      operator_kind{
          "relu", 1, 1, {}, [](call const& c) -> built { return {c.to.relu(c.x[0], c.name)}; }},
      operator_kind{"unary",
                    1,
                    1,
                    {"type", "flops_per_element"},
                    [](call const& c) -> built {
                      return {
                          c.to.unary(c.x[0], c.type(), c.name, c.integer("flops_per_element", 1))};
                    }},
      operator_kind{"add",
                    2,
                    2,
                    {},
                    [](call const& c) -> built { return {c.to.add(c.x[0], c.x[1], c.name)}; }},
      operator_kind{"mul",
                    2,
                    2,
                    {},
                    [](call const& c) -> built { return {c.to.mul(c.x[0], c.x[1], c.name)}; }},
      operator_kind{"elementwise",
                    1,
                    any_number,
                    {"type"},
                    [](call const& c) -> built { return {c.to.nary(c.x, c.type(), c.name)}; }},
      operator_kind{"batch_norm",
                    1,
                    1,
                    {"parameters_per_channel"},
                    [](call const& c) -> built {
                      return {
                          c.to.batch_norm(c.x[0], c.name, c.integer("parameters_per_channel", 4))};
                    }},
      operator_kind{"layer_norm",
                    1,
                    1,
                    {"axis", "parameters_per_element"},
                    [](call const& c) -> built {
                      return {c.to.layer_norm(c.x[0], c.integer("axis", -1), c.name,
                                              c.integer("parameters_per_element", 2))};
                    }},
      operator_kind{"group_norm",
                    1,
                    1,
                    {"groups", "parameters_per_channel"},
                    [](call const& c) -> built {
                      return {c.to.group_norm(c.x[0], c.integer("groups"), c.name,
                                              c.integer("parameters_per_channel", 2))};
                    }},
      operator_kind{"rms_norm",
                    1,
                    1,
                    {"axis", "parameters_per_element"},
                    [](call const& c) -> built {
                      return {c.to.rms_norm(c.x[0], c.integer("axis", -1), c.name,
                                            c.integer("parameters_per_element", 1))};
                    }},
      operator_kind{
          "lrn",
          1,
          1,
          {"size"},
          [](call const& c) -> built { return {c.to.lrn(c.x[0], c.integer("size"), c.name)}; }},
      operator_kind{"softmax",
                    1,
                    1,
                    {"axis"},
                    [](call const& c) -> built {
                      return {c.to.softmax(c.x[0], c.integer("axis", -1), c.name)};
                    }},
      operator_kind{"reduce",
                    1,
                    1,
                    {"axes", "keep_dims", "type"},
                    [](call const& c) -> built {
                      return {c.to.reduce(c.x[0], c.list("axes", {}), c.flag("keep_dims", true),
                                          c.type("ReduceSum"), c.name)};
                    }},
      operator_kind{
          "concat",
          1,
          any_number,
          {"axis"},
          [](call const& c) -> built { return {c.to.concat(c.x, c.integer("axis"), c.name)}; }},
      operator_kind{"split",
                    1,
                    1,
                    {"axis", "sizes"},
                    [](call const& c) -> built {
                      return c.to.split(c.x[0], c.integer("axis"), c.list("sizes"), c.name);
                    }},
      operator_kind{
          "reshape",
          1,
          1,
          {"shape"},
          [](call const& c) -> built { return {c.to.reshape(c.x[0], c.list("shape"), c.name)}; }},
      operator_kind{"flatten",
                    1,
                    1,
                    {"axis"},
                    [](call const& c) -> built {
                      return {c.to.flatten(c.x[0], c.integer("axis", 1), c.name)};
                    }},
      operator_kind{"transpose",
                    1,
                    1,
                    {"permutation"},
                    [](call const& c) -> built {
                      return {c.to.transpose(c.x[0], c.list("permutation"), c.name)};
                    }},
      operator_kind{"slice",
                    1,
                    1,
                    {"starts", "ends", "axes", "steps"},
                    [](call const& c) -> built {
                      return {c.to.slice(c.x[0], c.list("starts"), c.list("ends"),
                                         c.list("axes", {}), c.list("steps", {}), c.name)};
                    }},
      operator_kind{"pad",
                    1,
                    1,
                    {"begins", "ends"},
                    [](call const& c) -> built {
                      return {c.to.pad(c.x[0], c.list("begins"), c.list("ends"), c.name)};
                    }},
      operator_kind{
          "expand",
          1,
          1,
          {"shape"},
          [](call const& c) -> built { return {c.to.expand(c.x[0], c.list("shape"), c.name)}; }},
      operator_kind{"gather",
                    2,
                    2,
                    {"axis"},
                    [](call const& c) -> built {
                      return {c.to.gather(c.x[0], c.x[1], c.integer("axis", 0), c.name)};
                    }},
      operator_kind{"embedding",
                    1,
                    1,
                    {"vocabulary", "width"},
                    [](call const& c) -> built {
                      return {c.to.embedding(c.x[0], c.integer("vocabulary"), c.integer("width"),
                                             c.name)};
                    }},
      operator_kind{
          "resize",
          1,
          1,
          {"shape", "mode"},
          [](call const& c) -> built {
            static constexpr std::array<std::string_view, 2> modes{"nearest", "interpolate"};
            auto const mode = c.from.find("mode");
            return {c.to.resize(
                c.x[0], c.list("shape"),
                static_cast<ops::resize_mode>(mode ? mode->choice(modes) : std::size_t{0}),
                c.name)};
          }},
      operator_kind{"lstm",
                    1,
                    1,
                    {"hidden", "directions"},
                    [](call const& c) -> built {
                      return c.to.lstm(c.x[0], c.integer("hidden"), c.integer("directions", 1),
                                       c.name);
                    }},
      operator_kind{"gru",
                    1,
                    1,
                    {"hidden", "directions"},
                    [](call const& c) -> built {
                      return c.to.gru(c.x[0], c.integer("hidden"), c.integer("directions", 1),
                                      c.name);
                    }},
      operator_kind{"opaque",
                    0,
                    any_number,
                    {"type", "output_shapes"},
                    [](call const& c) -> built {
                      std::vector<tensor_shape> shapes;
                      for (auto const& shape : c.from["output_shapes"].items(256))
                        shapes.push_back(call::list_of(shape));
                      return c.to.opaque(c.x, std::move(shapes), c.type(), c.name);
                    }},
  };
  return kinds;
}

} // namespace mars::io::detail
