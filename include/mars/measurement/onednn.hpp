// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Component mars::onednn: the vendor library as one more column. Needs oneDNN 2 (Debian: libdnnl-dev).

#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/measurement/buffer.hpp>
#include <mars/measurement/candidate.hpp>
#include <mars/measurement/precision.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if __has_include(<dlfcn.h>)
#include <dlfcn.h>
#endif

static_assert(DNNL_VERSION_MAJOR == 2, "mars::onednn is written for oneDNN 2");

namespace mars::measurement {

namespace detail {

template <class Handle, auto Destroy>
struct destroy_handle {
  using pointer = Handle;
  void operator()(Handle h) const { (void)Destroy(h); }
};
template <class Handle, auto Destroy>
using dnnl_handle = std::unique_ptr<std::remove_pointer_t<Handle>, destroy_handle<Handle, Destroy>>;

using dnnl_engine_handle = dnnl_handle<dnnl_engine_t, dnnl_engine_destroy>;
using dnnl_stream_handle = dnnl_handle<dnnl_stream_t, dnnl_stream_destroy>;
using dnnl_memory_handle = dnnl_handle<dnnl_memory_t, dnnl_memory_destroy>;
using dnnl_primitive_handle = dnnl_handle<dnnl_primitive_t, dnnl_primitive_destroy>;
using dnnl_description = dnnl_handle<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;
using dnnl_iterator =
    dnnl_handle<dnnl_primitive_desc_iterator_t, dnnl_primitive_desc_iterator_destroy>;

/// One core while it lives, as all else here: thread CPU time would not see the others. OpenMP is the
/// library's, not this program's, so it is asked by name; the calling thread's number of threads is put
/// back. The library plans for the number it finds, so whatever describes or makes a kernel needs this too.
class one_thread {
public:
  one_thread() {
    if (functions().get == nullptr || functions().set == nullptr) return;
    before_ = functions().get();
    functions().set(1);
  }
  ~one_thread() {
    if (before_ > 0) functions().set(before_);
  }
  one_thread(one_thread const&) = delete;
  auto operator=(one_thread const&) -> one_thread& = delete;

private:
  struct openmp {
    int (*get)(){};
    void (*set)(int){};
  };
  [[nodiscard]] static auto functions() -> openmp const& {
    static auto const found = [] {
      openmp f;
#if __has_include(<dlfcn.h>)
      f.get = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
      f.set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
#endif
      return f;
    }();
    return found;
  }

  int before_{};
};

struct dnnl_context {
  dnnl_engine_handle engine;
  dnnl_stream_handle stream;
};
/// Of all implementations of one layer: they run one after another.
struct dnnl_operands {
  buffer<float> input;
  buffer<float> weights;
  buffer<float> output;
};

} // namespace detail

/// One implementation of one layer, ready to run.
class onednn_kernel {
public:
  /// The library's own, such as `jit_wino_4x3:avx512_core`.
  [[nodiscard]] auto implementation() const -> std::string_view { return implementation_; }
  [[nodiscard]] auto element() const -> precision { return precision_; }
  /// It wants its input (writes its output) in a layout other than nchw. Weights never count: they are
  /// reordered when a network is loaded.
  [[nodiscard]] auto reorders_input() const -> bool { return reorders_input_; }
  [[nodiscard]] auto reorders_output() const -> bool { return reorders_output_; }
  [[nodiscard]] auto workspace() const -> bytes { return workspace_; }
  [[nodiscard]] auto weights() const -> bytes { return weights_bytes_; }

  void operator()() const {
    detail::one_thread const alone;
    std::array<dnnl_exec_arg_t, 3> const arguments{
        dnnl_exec_arg_t{DNNL_ARG_SRC, input_.get()},
        dnnl_exec_arg_t{DNNL_ARG_WEIGHTS, weights_.get()},
        dnnl_exec_arg_t{DNNL_ARG_DST, output_.get()}};
    (void)dnnl_primitive_execute(primitive_handle_.get(), context_->stream.get(),
                                 static_cast<int>(arguments.size()), arguments.data());
    (void)dnnl_stream_wait(context_->stream.get());
  }

private:
  friend class onednn;

  std::string implementation_;
  precision precision_{};
  bool reorders_input_{};
  bool reorders_output_{};
  bytes workspace_{};
  bytes weights_bytes_{};
  std::shared_ptr<detail::dnnl_context const> context_;
  std::shared_ptr<detail::dnnl_operands> operands_;
  detail::dnnl_memory_handle input_, weights_, output_;
  detail::dnnl_primitive_handle primitive_handle_;
};

/// oneDNN on one core of this machine; the program's OpenMP threads stay as many as they were. Copies share its engine.
///
///   auto const library = mars::measurement::onednn::open();
///   for (auto const& kernel : library->kernels(layer).value()) kernel();
///
/// Nothing throws: this is its C interface, whose refusals (an algorithm that cannot do a layer) are
/// status codes.
class onednn {
public:
  /// Error: `device`, the library has no engine for this processor.
  [[nodiscard]] static auto open() -> expected<onednn> {
    detail::one_thread const alone;
    auto c = std::make_shared<detail::dnnl_context>();
    dnnl_engine_t engine{};
    if (auto const s = dnnl_engine_create(&engine, dnnl_cpu, 0); s != dnnl_success)
      return refused("engine", s);
    c->engine.reset(engine);
    dnnl_stream_t stream{};
    if (auto const s = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
        s != dnnl_success)
      return refused("stream", s);
    c->stream.reset(stream);
    return onednn{std::move(c)};
  }

  /// `2.6.3`
  [[nodiscard]] static auto version() -> std::string {
    auto const* const v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
           std::to_string(v->patch);
  }

  /// Implementations that the library has for a layer's forward pass, in its order of preference, layouts
  /// free. Not its loops for reference, which take hundreds of times as long. Empty where it has nothing
  /// for this precision here.
  [[nodiscard]] auto names(convolution_layer const& layer, precision p = precision::fp32) const
      -> std::vector<std::string> {
    std::vector<std::string> all;
    describe_each(layer, p, [&](std::string_view name, detail::dnnl_description) {
      if (std::find(all.begin(), all.end(), name) == all.end()) all.emplace_back(name);
    });
    return all;
  }
  /// Some of them ready to run, sharing their operands' memory. Errors: `unknown_name`; `device`, one that
  /// is offered and then cannot be made.
  [[nodiscard]] auto prepare(convolution_layer const& layer, precision p,
                             std::vector<std::string> const& wanted) const
      -> expected<std::vector<onednn_kernel>> {
    std::vector<detail::dnnl_description> found(wanted.size());
    describe_each(layer, p, [&](std::string_view name, detail::dnnl_description d) {
      auto const at = std::find(wanted.begin(), wanted.end(), name) - wanted.begin();
      auto const i = static_cast<std::size_t>(at);
      if (i < wanted.size() && !found[i]) found[i] = std::move(d);
    });
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!found[i])
        return fail(error_code::unknown_name, "onednn", wanted[i],
                    "an implementation for this layer");

    auto const operands = std::make_shared<detail::dnnl_operands>();
    operands->input = room(found, dnnl_query_src_md, p, 1);
    operands->weights = room(found, dnnl_query_weights_md, p, 2);
    operands->output = room(found, dnnl_query_dst_md, p, 3);
    std::vector<onednn_kernel> result(wanted.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      auto& k = result[i];
      k.implementation_ = wanted[i];
      k.precision_ = p;
      k.context_ = context_;
      k.operands_ = operands;
      if (auto const s = make(k, found[i].get(), layer); s != dnnl_success)
        return refused(wanted[i], s);
    }
    return result;
  }
  /// The first of each primitive, ready to run.
  [[nodiscard]] auto kernels(convolution_layer const& layer, precision p = precision::fp32) const
      -> expected<std::vector<onednn_kernel>> {
    std::vector<std::string> first;
    for (auto const& name : names(layer, p))
      if (std::none_of(first.begin(), first.end(), [&](std::string const& other) {
            return primitive_of(other) == primitive_of(name);
          }))
        first.push_back(name);
    return prepare(layer, p, first);
  }

  /// The implementation it takes where the choice is left to it; empty if there is none.
  [[nodiscard]] auto chosen_for(convolution_layer const& layer, precision p = precision::fp32) const
      -> std::string {
    std::string name;
    walk(layer, p, dnnl_convolution_auto, [&](detail::dnnl_description d) {
      name = name_of(d.get());
      return false;
    });
    return name;
  }

  /// What an implementation does, by its name for it: direct, im2col_gemm, winograd_f2x3, winograd_f4x3;
  /// empty for what is none of these.
  [[nodiscard]] static auto primitive_of(std::string_view name) -> std::string_view {
    auto const has = [&](std::string_view part) { return name.find(part) != name.npos; };
    if (has("wino_4x3")) return "winograd_f4x3";
    if (has("wino_2x3")) return "winograd_f2x3";
    if (has("wino")) return {};
    return has("gemm") ? "im2col_gemm" : "direct";
  }
  /// 32-bit elements of its vectors, by the same; 1 where it does not say.
  [[nodiscard]] static auto lanes_of(std::string_view name) -> int {
    auto const has = [&](std::string_view part) { return name.find(part) != name.npos; };
    return has("avx512") ? 16 : has("avx2") ? 8 : has("sse41") ? 4 : 1;
  }

private:
  explicit onednn(std::shared_ptr<detail::dnnl_context const> context)
      : context_{std::move(context)} {}

  [[nodiscard]] static auto refused(std::string what, dnnl_status_t status) -> unexpected<error> {
    return fail(error_code::device, "onednn." + std::move(what),
                "status " + std::to_string(status));
  }

  [[nodiscard]] static auto name_of(const_dnnl_primitive_desc_t d) -> char const* {
    char const* name = "";
    (void)dnnl_primitive_desc_query(d, dnnl_query_impl_info_str, 0, static_cast<void*>(&name));
    return name;
  }

  /// Shows each implementation that has a primitive's name, of every algorithm.
  template <class Visit>
  void describe_each(convolution_layer const& layer, precision p, Visit const& visit) const {
    for (auto const algorithm : {dnnl_convolution_direct, dnnl_convolution_winograd})
      walk(layer, p, algorithm, [&](detail::dnnl_description d) {
        std::string_view const name = name_of(d.get());
        if (!primitive_of(name).empty() && name.substr(0, 3) != "ref") visit(name, std::move(d));
        return true;
      });
  }

  struct tensors {
    dnnl_memory_desc_t input{}, weights{}, output{};
  };
  /// Of a layer; `activations` any or nchw.
  [[nodiscard]] static auto describe(convolution_layer const& c, precision p,
                                     dnnl_format_tag_t activations, tensors& t) -> dnnl_status_t {
    auto const element = p == precision::fp32   ? dnnl_f32
                         : p == precision::bf16 ? dnnl_bf16
                                                : dnnl_u8;
    std::array<dnnl_dim_t, 4> const in{c.batch, c.in_channels, c.in.rows, c.in.columns};
    std::array<dnnl_dim_t, 4> const out{c.batch, c.out_channels, c.out.rows, c.out.columns};
    std::array<dnnl_dim_t, 5> const weights{c.groups, c.out_channels / c.groups,
                                            c.in_channels / c.groups, c.kernel.rows,
                                            c.kernel.columns};
    auto const grouped = c.groups > 1;
    if (auto const s = dnnl_memory_desc_init_by_tag(&t.input, 4, in.data(), element, activations);
        s != dnnl_success)
      return s;
    if (auto const s = dnnl_memory_desc_init_by_tag(
            &t.weights, grouped ? 5 : 4, weights.data() + (grouped ? 0 : 1),
            p == precision::int8 ? dnnl_s8 : element, dnnl_format_tag_any);
        s != dnnl_success)
      return s;
    return dnnl_memory_desc_init_by_tag(&t.output, 4, out.data(), element, activations);
  }

  /// Shows each implementation to `visit` until it says false.
  template <class Visit>
  void walk(convolution_layer const& c, precision p, dnnl_alg_kind_t algorithm,
            Visit const& visit) const {
    detail::one_thread const alone;
    tensors t;
    if (describe(c, p, dnnl_format_tag_any, t) != dnnl_success) return;
    std::array<dnnl_dim_t, 2> const stride{c.stride.rows, c.stride.columns};
    std::array<dnnl_dim_t, 2> const dilation{c.dilation.rows - 1, c.dilation.columns - 1};
    std::array<dnnl_dim_t, 2> const before{c.padding.rows, c.padding.columns};
    auto const after = [](std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t step,
                          std::int64_t spacing, std::int64_t padding) {
      return (out - 1) * step + (kernel - 1) * spacing + 1 - in - padding;
    };
    std::array<dnnl_dim_t, 2> const behind{
        after(c.in.rows, c.out.rows, c.kernel.rows, c.stride.rows, c.dilation.rows, c.padding.rows),
        after(c.in.columns, c.out.columns, c.kernel.columns, c.stride.columns, c.dilation.columns,
              c.padding.columns)};
    dnnl_convolution_desc_t d{}; // the iterator refers to it
    if (dnnl_dilated_convolution_forward_desc_init(
            &d, dnnl_forward_inference, algorithm, &t.input, &t.weights, nullptr, &t.output,
            stride.data(), dilation.data(), before.data(), behind.data()) != dnnl_success)
      return;
    dnnl_primitive_desc_iterator_t raw{};
    if (dnnl_primitive_desc_iterator_create(&raw, &d, nullptr, context_->engine.get(), nullptr) !=
        dnnl_success)
      return;
    detail::dnnl_iterator const it{raw};
    while (visit(detail::dnnl_description{dnnl_primitive_desc_iterator_fetch(raw)}) &&
           dnnl_primitive_desc_iterator_next(raw) == dnnl_success) {
    }
  }

  /// A buffer that the tensor fits of every implementation.
  [[nodiscard]] static auto room(std::vector<detail::dnnl_description> const& all,
                                 dnnl_query_t which, precision p, std::uint32_t seed)
      -> buffer<float> {
    std::size_t size = 0;
    for (auto const& d : all)
      size = std::max(size,
                      dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(d.get(), which, 0)));
    buffer<float> b((size + sizeof(float) - 1) / sizeof(float), seed);
    if (p == precision::bf16) // two in a word: the upper half of a float each
      for (auto& v : b) {
        std::uint32_t word{};
        std::memcpy(&word, &v, sizeof word);
        word = (word & 0xFFFF0000U) | word >> 16;
        std::memcpy(&v, &word, sizeof word);
      }
    if (p == precision::int8)
      fill(std::span{reinterpret_cast<std::uint8_t*>(b.data()), 4 * b.size()}, seed);
    return b;
  }

  [[nodiscard]] auto make(onednn_kernel& k, const_dnnl_primitive_desc_t d,
                          convolution_layer const& layer) const -> dnnl_status_t {
    detail::one_thread const alone;
    auto const* const input = dnnl_primitive_desc_query_md(d, dnnl_query_src_md, 0);
    auto const* const weights = dnnl_primitive_desc_query_md(d, dnnl_query_weights_md, 0);
    auto const* const output = dnnl_primitive_desc_query_md(d, dnnl_query_dst_md, 0);
    tensors plain;
    if (auto const s = describe(layer, k.precision_, dnnl_nchw, plain); s != dnnl_success) return s;
    k.reorders_input_ = dnnl_memory_desc_equal(input, &plain.input) == 0;
    k.reorders_output_ = dnnl_memory_desc_equal(output, &plain.output) == 0;
    k.weights_bytes_ = bytes{static_cast<std::int64_t>(dnnl_memory_desc_get_size(weights))};
    dnnl_dim_t workspace{};
    if (dnnl_primitive_desc_query(d, dnnl_query_memory_consumption_s64, 0, &workspace) ==
        dnnl_success)
      k.workspace_ = bytes{workspace};

    auto const place = [&](detail::dnnl_memory_handle& memory, dnnl_memory_desc_t const* what,
                           buffer<float>& where) {
      dnnl_memory_t m{};
      auto const s = dnnl_memory_create(&m, what, context_->engine.get(), where.data());
      if (s == dnnl_success) memory.reset(m);
      return s;
    };
    for (auto const s : {place(k.input_, input, k.operands_->input),
                         place(k.weights_, weights, k.operands_->weights),
                         place(k.output_, output, k.operands_->output)})
      if (s != dnnl_success) return s;
    dnnl_primitive_t primitive{};
    if (auto const s = dnnl_primitive_create(&primitive, d); s != dnnl_success) return s;
    k.primitive_handle_.reset(primitive);
    return dnnl_success;
  }

  std::shared_ptr<detail::dnnl_context const> context_;
};

/// A source for `measure_layers`: of each primitive the library's first implementation, and what it takes
/// where the choice is left to it. Layers with zeros get none: it has no sparse kernels.
[[nodiscard]] inline auto onednn_kernels(onednn const& library,
                                         std::vector<precision> precisions = {precision::fp32})
    -> kernel_source {
  return [library, precisions = std::move(precisions)](
             convolution_layer const& layer) -> expected<std::vector<candidate>> {
    std::vector<candidate> all;
    if (layer.density < 1) return all;
    for (auto const p : precisions) {
      // All are described now, none is made.
      auto const chosen = library.chosen_for(layer, p);
      for (auto const& name : library.names(layer, p)) {
        auto const primitive = std::string{onednn::primitive_of(name)};
        auto const automatic = name == chosen;
        if (!automatic && std::any_of(all.begin(), all.end(), [&](candidate const& c) {
              return c.element == p && c.primitive == primitive;
            }))
          continue;
        all.push_back({.primitive = primitive,
                       .code = "onednn",
                       .version = onednn::version(),
                       .kernel = name,
                       .element = p,
                       .lanes = onednn::lanes_of(name),
                       .automatic = automatic,
                       .prepare = [=]() -> expected<prepared_kernel> {
                         auto kernels = library.prepare(layer, p, {name});
                         if (!kernels) return unexpected{std::move(kernels).error()};
                         auto const k =
                             std::make_shared<onednn_kernel const>(std::move(kernels->front()));
                         return prepared_kernel{.implementation = name,
                                                .reorders_input = k->reorders_input(),
                                                .reorders_output = k->reorders_output(),
                                                .run = [k] { (*k)(); }};
                       }});
      }
    }
    return all;
  };
}

} // namespace mars::measurement
