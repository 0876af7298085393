// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Small random operations of every kind, written down by hand in the algebra so that they also reach
// where no factory goes (mixed radices of three digits, negative steps, windows wider than the
// tensor). Draws are statements of their own: the order of arguments would differ between compilers.

#include <mars/core/random.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace mars_test {

class operation_generator {
public:
  static constexpr std::size_t families = 21;

  explicit operation_generator(mars::random_stream r) : r_{r} {}

  /// A valid operation of at most `max_points` iterations.
  [[nodiscard]] auto operator()(std::size_t family, std::int64_t max_points = 1500)
      -> mars::operation {
    for (;;) {
      op_ = {};
      write(family);
      std::int64_t points = 1;
      for (auto const& d : op_.dims) points *= d.extent;
      if (points <= max_points && validate(op_)) return op_;
    }
  }

private:
  using axes = mars::inplace_vector<mars::axis, mars::max_rank>;
  using id = std::uint8_t;

  auto number(std::int64_t least, std::int64_t most) -> std::int64_t {
    return least +
           static_cast<std::int64_t>(r_.below(static_cast<std::uint64_t>(most - least + 1)));
  }
  void begin(mars::op_kind kind, std::string type) {
    op_.kind = kind;
    op_.type = std::move(type);
  }
  auto dim(mars::label name, std::int64_t extent, mars::dim_kind kind = mars::dim_kind::parallel)
      -> id {
    op_.dims.push_back({name, extent, kind});
    return static_cast<id>(op_.dims.size() - 1);
  }
  auto reduced(mars::label name, std::int64_t extent) -> id {
    return dim(name, extent, mars::dim_kind::reduction);
  }
  void add(mars::role role, axes const& a) {
    static constexpr std::array<int, 5> bits{1, 4, 8, 16, 32};
    op_.operands.push_back({role, {}, r_.chance(0.7) ? 16 : r_.pick(bits), a});
  }
  void input(axes const& a) { add(mars::role::input, a); }
  void weight(axes const& a) { add(mars::role::weight, a); }
  void output(axes const& a) { add(mars::role::output, a); }

  [[nodiscard]] auto along(id d) const -> mars::axis {
    return {.terms = {{d, 1}}, .offset = 0, .extent = op_.dims[d].extent};
  }
  [[nodiscard]] auto nested(id outer, id inner) const -> mars::axis {
    auto const radix = op_.dims[inner].extent;
    return {.terms = {{outer, radix}, {inner, 1}},
            .offset = 0,
            .extent = op_.dims[outer].extent * radix};
  }
  [[nodiscard]] static auto whole(std::int64_t extent) -> mars::axis {
    return {.terms = {}, .offset = 0, .extent = extent};
  }

  /// What a window `at`·stride + `tap`·dilation slides over, with padding drawn for each side.
  auto windowed(id at, id tap) -> mars::axis {
    auto const stride = number(1, 3);
    auto const dilation = number(1, 3);
    auto const before = number(0, 2);
    auto const reach =
        (op_.dims[at].extent - 1) * stride + (op_.dims[tap].extent - 1) * dilation + 1;
    auto const after = number(0, 2);
    auto const slack = number(0, stride - 1);
    auto const extent = reach - before - after + slack;
    return {.terms = {{at, stride}, {tap, dilation}},
            .offset = -before,
            .extent = std::max<std::int64_t>(1, extent)};
  }

  /// One to four parallel dimensions and the axes that walk them.
  auto walked(std::int64_t most = 7) -> axes {
    static constexpr std::array<char const*, 4> names{"n", "k", "y", "x"};
    axes a;
    auto const rank = 1 + r_.below(names.size());
    for (std::size_t i = 0; i < rank; ++i) a.push_back(along(dim(names[i], number(1, most))));
    return a;
  }

  enum class channels : std::uint8_t { dense, grouped, depthwise };

  void convolution(channels how) {
    begin(mars::op_kind::convolution, "Conv");
    bool const dense = how == channels::dense, deep = how == channels::depthwise;
    auto const groups = dense ? 1 : number(deep ? 1 : 2, deep ? 8 : 4);
    auto const out = deep ? 1 : number(1, dense ? 8 : 4);
    auto const in = deep ? 1 : number(1, dense ? 6 : 3);
    auto const n = dim("n", number(1, 3));
    auto const g = dim("g", groups);
    auto const k = dim("k", out);
    auto const y = dim("y", number(1, 7));
    auto const x = dim("x", number(1, 6));
    auto const c = reduced("c", in);
    auto const r = reduced("r", number(1, 3));
    auto const s = reduced("s", number(1, 3));
    input({along(n), nested(g, c), windowed(y, r), windowed(x, s)});
    weight({nested(g, k), along(c), along(r), along(s)});
    if (r_.chance(0.5)) weight({nested(g, k)});
    output({along(n), nested(g, k), along(y), along(x)});
  }

  /// Output o = stride·u + ρ − pad takes input u − w through tap stride·w + ρ.
  void transposed_convolution() {
    begin(mars::op_kind::convolution, "ConvTranspose");
    auto const stride = number(1, 3);
    auto const kernel = number(1, 5);
    auto const pad = number(0, 2);
    auto const n = dim("n", number(1, 2));
    auto const k = dim("k", number(1, 4));
    auto const u = dim("x", number(2, 6));
    auto const phase = dim("px", stride);
    auto const c = reduced("c", number(1, 4));
    auto const w = reduced("s", (kernel + stride - 1) / stride);
    auto const blocks = op_.dims[u].extent;
    input({along(n), along(c), {.terms = {{u, 1}, {w, -1}}, .offset = 0, .extent = blocks}});
    weight({along(c), along(k), {.terms = {{w, stride}, {phase, 1}}, .extent = kernel}});
    if (r_.chance(0.5)) weight({along(k)});
    output({along(n),
            along(k),
            {.terms = {{u, stride}, {phase, 1}},
             .offset = -pad,
             .extent = stride * blocks - pad - number(0, 2)}}); // below 1: drawn again
  }

  void matmul() {
    begin(mars::op_kind::matmul, "MatMul");
    auto const b = dim("b0", number(1, 4));
    auto const m = dim("m", number(1, 8));
    auto const n = dim("n", number(1, 9));
    auto const k = reduced("k", number(1, 9));
    input({along(b), along(m), along(k)});
    auto const first = r_.chance(0.5) ? along(b) : whole(1);
    if (r_.chance(0.5))
      input({first, along(k), along(n)});
    else
      weight({along(n), along(k)});
    if (r_.chance(0.3)) input({along(n)});
    output({along(b), along(m), along(n)});
  }

  void pooling() {
    begin(mars::op_kind::pooling, r_.chance(0.5) ? "MaxPool" : "AveragePool");
    auto const n = dim("n", number(1, 3));
    auto const k = dim("k", number(1, 5));
    auto const y = dim("y", number(1, 6));
    auto const x = dim("x", number(1, 6));
    auto const r = reduced("r", number(1, 4));
    auto const s = reduced("s", number(1, 3));
    input({along(n), along(k), windowed(y, r), windowed(x, s)});
    output({along(n), along(k), along(y), along(x)});
  }

  void elementwise() {
    begin(mars::op_kind::elementwise, "Sum");
    auto const out = walked();
    for (auto count = number(1, 3); count > 0; --count) {
      auto own = out;
      for (auto& a : own)
        if (r_.chance(0.25)) a = whole(1);
      add(r_.chance(0.3) ? mars::role::weight : mars::role::input, own);
    }
    output(out);
  }

  /// Softmax, layer normalisation: some axes are read whole, weights lie along them.
  void whole_rows(mars::op_kind kind) {
    begin(kind, "Row");
    auto const out = walked(6);
    auto read = out;
    auto const row = r_.below(out.size());
    for (auto i = row; i < out.size(); ++i) read[i] = whole(out[i].extent);
    input(read);
    if (kind == mars::op_kind::normalization)
      for (int i = 0; i < 2; ++i) weight({out[row]});
    output(out);
  }

  /// Channels in groups whose neighbours a window of fixed size reads (local response).
  void neighbours() {
    begin(mars::op_kind::normalization, "LRN");
    auto const k = dim("k", number(1, 9));
    auto const x = dim("x", number(1, 6));
    auto const w = dim("w", number(1, 5), mars::dim_kind::sequential);
    auto const size = op_.dims[k].extent;
    input({{.terms = {{k, 1}, {w, 1}}, .offset = -number(0, 2), .extent = size}, along(x)});
    output({along(k), along(x)});
  }

  void reduction() {
    begin(mars::op_kind::reduction, r_.chance(0.5) ? "ReduceMax" : "ReduceSum");
    axes read, out;
    for (int i = 0; i < 4; ++i) {
      mars::label const name{std::string_view{std::string{"d"} + std::to_string(i)}};
      auto const extent = number(1, 6);
      if (r_.chance(0.5)) {
        out.push_back(along(dim(name, extent)));
        read.push_back(out.back());
      } else {
        read.push_back(along(reduced(name, extent)));
        if (r_.chance(0.5)) out.push_back(whole(1));
      }
    }
    input(read);
    output(out);
  }

  /// Concat (many inputs, one output) or split (one input, many outputs): clipping does it.
  void pieces(bool concat) {
    begin(concat ? mars::op_kind::concat : mars::op_kind::split, concat ? "Concat" : "Split");
    auto full = walked();
    auto const at = r_.below(full.size());
    auto const extent = full[at].extent;
    if (concat)
      output(full);
    else
      input(full);
    for (std::int64_t begin = 0; begin < extent;) {
      auto const size = number(1, extent - begin);
      auto piece = full;
      piece[at].offset = -begin;
      piece[at].extent = size;
      add(concat ? mars::role::input : mars::role::output, piece);
      begin += size;
    }
  }

  /// Digits a, b, c, d of mixed radix, grouped into axes one way and another.
  void reshape() {
    begin(mars::op_kind::reshape, "Reshape");
    std::array<id, 4> digits{};
    for (std::size_t i = 0; i < digits.size(); ++i)
      digits[i] =
          dim(mars::label{std::string_view{std::string{"d"} + std::to_string(i)}}, number(1, 5));
    auto const grouped = [&] {
      axes a;
      for (std::size_t i = 0; i < digits.size();) {
        mars::axis one;
        auto const end = i + 1 + r_.below(digits.size() - i);
        for (auto j = end; j-- > i;) {
          one.terms.push_back({digits[j], one.extent});
          one.extent *= op_.dims[digits[j]].extent;
        }
        a.push_back(one);
        i = end;
      }
      return a;
    };
    input(grouped());
    output(grouped());
  }

  void transpose() {
    begin(mars::op_kind::transpose, "Transpose");
    auto a = walked();
    input(a);
    r_.shuffle(a);
    output(a);
  }

  /// Steps of both signs, or padding and cropping.
  void slice_or_pad(bool slice) {
    begin(slice ? mars::op_kind::slice : mars::op_kind::pad, slice ? "Slice" : "Pad");
    auto const out = walked();
    auto read = out;
    for (auto& a : read) {
      auto& term = a.terms[0];
      auto const last = a.extent - 1;
      if (slice) {
        term.stride = number(1, 3);
        if (r_.chance(0.5)) term.stride = -term.stride;
        auto const before = number(0, 2);
        a.offset = before + (term.stride < 0 ? -term.stride * last : 0);
        a.extent = before + std::max(term.stride, -term.stride) * last + 1 + number(0, 2);
      } else {
        a.offset = number(-2, 2);
        a.extent = std::max<std::int64_t>(1, a.extent + number(-3, 3));
      }
    }
    input(read);
    output(out);
  }

  void gather(bool table) {
    begin(mars::op_kind::gather, "Gather");
    auto const i = dim("i", number(1, 8));
    auto const j = dim("j", number(1, 6));
    auto const rows = number(1, 9);
    auto const v = table ? along(reduced("v", rows)) : whole(rows);
    if (table) op_.work.over &= ~std::uint32_t{4};
    add(r_.chance(0.5) ? mars::role::weight : mars::role::input, {v, along(j)});
    input({along(i)});
    output({along(i), along(j)});
  }

  void resize() {
    begin(mars::op_kind::resize, "Resize");
    auto const n = dim("n", number(1, 4));
    auto const y = dim("y", number(1, 6));
    auto const py = dim("py", number(1, 3));
    auto const w = dim("w", number(1, 2), mars::dim_kind::sequential);
    input({along(n), {.terms = {{y, 1}, {w, 1}}, .offset = 0, .extent = op_.dims[y].extent}});
    output({along(n), nested(y, py)});
  }

  /// Results laid out with any two strides: few cuts of those leave boxes.
  void scattered_results() {
    begin(mars::op_kind::opaque, "Scatter");
    auto const u = dim("u", number(1, 5));
    auto const v = dim("v", number(1, 4));
    input({along(u), along(v)});
    mars::axis out;
    for (auto const d : {u, v}) {
      auto stride = number(1, 4);
      auto const last = stride * (op_.dims[d].extent - 1);
      if (r_.chance(0.3)) {
        stride = -stride;
        out.offset += last;
      }
      out.terms.push_back({d, stride});
      out.extent += last;
    }
    out.extent = std::max<std::int64_t>(1, out.extent - number(0, 1));
    output({out});
  }

  void write(std::size_t family) {
    switch (family % families) {
    case 0:
    case 1:
    case 2: return convolution(static_cast<channels>(family % families));
    case 3: return transposed_convolution();
    case 4: return matmul();
    case 5: return pooling();
    case 6: return elementwise();
    case 7: return whole_rows(mars::op_kind::softmax);
    case 8: return whole_rows(mars::op_kind::normalization);
    case 9: return neighbours();
    case 10: return reduction();
    case 11: return pieces(true);
    case 12: return pieces(false);
    case 13: return reshape();
    case 14: return transpose();
    case 15: return slice_or_pad(true);
    case 16: return slice_or_pad(false);
    case 17: return gather(true);
    case 18: return gather(false);
    case 19: return scattered_results();
    default: return resize();
    }
  }

  mars::random_stream r_;
  mars::operation op_;
};

} // namespace mars_test
