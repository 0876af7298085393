// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/detail/axis_form.hpp>
#include <mars/compression/detail/weights.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::compression::detail {

/// Which channels of a network go together.
///
/// Channels begin where a layer with weights makes them and are followed forwards through dimensions of
/// operators and axes of tensors. What walks all of them in order is one *class* with them (union-find);
/// what walks a part of them, or several axes at once, is another class *related* to theirs element by
/// element: concatenations and slices by an offset, groups and flattened maps by a digit. Where an
/// operator does something else with them, or they leave the network, a class is fixed. An axis without
/// a class carries no channels, or channels nobody may touch.
template <deferred D = when_called>
class basic_channel_classes {
public:
  using index = std::uint32_t;
  static constexpr index none = ~index{0};

  /// Position p of class `whole` is value (p − offset) of class `part`, or its digit (p / stride) mod extent.
  struct relation {
    index whole{};
    index part{};
    std::int64_t offset{};
    std::int64_t stride{0}; ///< 0: by offset
  };

  /// Precondition: `order` is a topological order of `g`.
  basic_channel_classes(later<graph, D> const& g, later<std::vector<operator_id>, D> const& order)
      : g_{&g}, dims_(g.size()), axes_(g.size()) {
    for (auto const v : order) visit(v);
    tie_shared_weights();
    for (auto const& r : outputs(g)) {
      auto const& axes = axes_[r.producer.index()][output_operand(r.producer, r.output)];
      for (auto const c : axes) fix(c);
    }
  }

  [[nodiscard]] auto size() const -> std::size_t { return parent_.size(); }
  [[nodiscard]] auto root(index c) const -> index {
    while (parent_[c] != c) c = parent_[c];
    return c;
  }
  [[nodiscard]] auto extent(index c) const -> std::int64_t { return extent_[c]; }
  [[nodiscard]] auto is_fixed(index c) const -> bool { return fixed_[root(c)]; }
  /// The layer that a class was made for; none for classes of axes.
  [[nodiscard]] auto maker(index c) const -> std::optional<operator_id> { return maker_[c]; }
  [[nodiscard]] auto relations() const -> later<std::vector<relation>, D> const& {
    return relations_;
  }
  /// Class or `none`: of a dimension, of an axis of an input or output.
  [[nodiscard]] auto of_dim(operator_id v, std::size_t d) const -> index {
    return dims_[v.index()][d];
  }
  [[nodiscard]] auto of_axis(operator_id v, std::size_t operand, std::size_t a) const -> index {
    auto const& axes = axes_[v.index()][operand];
    return axes.empty() ? none : axes[a];
  }
  /// Operators that fixed the channels they read, ascending.
  [[nodiscard]] auto unfollowed() const -> later<std::vector<operator_id>, D> {
    auto all = unfollowed_;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

private:
  using dim_classes = inplace_vector<index, max_dims>;
  using axis_classes = inplace_vector<index, max_rank>;

  auto fresh(std::int64_t extent, std::optional<operator_id> maker = {}) -> index {
    parent_.push_back(static_cast<index>(parent_.size()));
    extent_.push_back(extent);
    fixed_.push_back(false);
    maker_.push_back(maker);
    return parent_.back();
  }
  void fix(index c) {
    if (c != none) fixed_[root(c)] = true;
  }
  /// `v` cannot follow the channels of class `c`.
  void refuse(operator_id v, index c) {
    if (c == none) return;
    if (!fixed_[root(c)]) unfollowed_.push_back(v);
    fix(c);
  }
  void unite(index a, index b) {
    a = root(a);
    b = root(b);
    if (a == b) return;
    if (b < a) std::swap(a, b);
    fixed_[a] = fixed_[a] || fixed_[b];
    parent_[b] = a;
  }
  void bind(index& dim, index c) {
    if (dim == none)
      dim = c;
    else
      unite(dim, c);
  }
  /// The class of a dimension that is walked by parts.
  auto ensure(operator_id v, std::size_t d) -> index {
    auto& c = dims_[v.index()][d];
    if (c == none) c = fresh(op(*g_, v).dims[d].extent);
    return c;
  }

  [[nodiscard]] auto output_operand(operator_id v, std::size_t number) const -> std::size_t {
    auto const& all = op(*g_, v).operands;
    std::size_t k = 0;
    while (all[k].role != role::output || number-- != 0) ++k;
    return k;
  }

  void visit(operator_id v) {
    auto const& o = op(*g_, v);
    auto& axes = axes_[v.index()];
    axes.resize(o.operands.size());
    dims_[v.index()] = {};
    for (std::size_t d = 0; d < o.dims.size(); ++d) dims_[v.index()].push_back(none);
    for (auto const& e : inputs(*g_, v))
      axes[e.operand] = axes_[e.producer.index()][output_operand(e.producer, e.output)];

    if (o.kind == op_kind::gather || o.kind == op_kind::lstm || o.kind == op_kind::gru ||
        o.kind == op_kind::opaque) {
      for (auto const& a : axes)
        for (auto const c : a) refuse(v, c);
    } else {
      for (std::size_t k = 0; k < o.operands.size(); ++k)
        for (std::size_t i = 0; i < axes[k].size(); ++i)
          if (axes[k][i] != none) read(v, k, i);
      for (std::size_t k = 0; k < o.operands.size(); ++k)
        if (o.operands[k].role != role::output) hold_to_untouched(v, k);
      make_channels(v);
      follow_weights(v);
    }
    for (std::size_t k = 0; k < o.operands.size(); ++k) {
      if (o.operands[k].role != role::output) continue;
      for (auto const& a : o.operands[k].axes) axes[k].push_back(write(v, a));
    }
  }

  /// Axis `i` of input `k` carries channels: so do dimensions that walk it.
  void read(operator_id v, std::size_t k, std::size_t i) {
    auto const& o = op(*g_, v);
    auto const c = axes_[v.index()][k][i];
    auto const& a = o.operands[k].axes[i];
    auto& dims = dims_[v.index()];
    switch (form_of(o, a)) {
    case axis_form::whole:
      if (a.extent == 1) return;
      // Statistics of a row: what is left of it, for every element that is left.
      if (auto const& out = nth_operand(o, role::output, 0)->axes;
          o.kind == op_kind::normalization && i < out.size() &&
          form_of(o, out[i]) == axis_form::plain)
        return bind(dims[out[i].terms[0].dim], c);
      return refuse(v, c);
    case axis_form::plain: return bind(dims[a.terms[0].dim], c);
    case axis_form::window:
      if (o.kind != op_kind::concat && o.kind != op_kind::split && o.kind != op_kind::slice &&
          o.kind != op_kind::pad)
        return refuse(v, c);
      relations_.push_back({.whole = c, .part = ensure(v, a.terms[0].dim), .offset = a.offset});
      return;
    case axis_form::halo:
      if (o.kind == op_kind::normalization) return bind(dims[a.terms[0].dim], c);
      return refuse(v, c);
    case axis_form::digits:
      if (auto const digit = channel_digit(o, a)) {
        relate(v, c, a, *digit);
        if (o.kind == op_kind::normalization) tie_group_norm(v, a.terms[*digit].dim, i);
        return;
      }
      return refuse(v, c);
    case axis_form::other: return refuse(v, c);
    }
  }

  /// The digit of an input axis that is pruned, alike for all values of the others: channels within
  /// each group, or groups of one channel.
  [[nodiscard]] static auto channel_digit(operation const& o, axis const& a)
      -> std::optional<std::size_t> {
    if (o.kind != op_kind::convolution && o.kind != op_kind::normalization) return std::nullopt;
    for (auto i = a.terms.size(); i-- > 0;)
      if (o.dims[a.terms[i].dim].extent > 1) return i;
    return std::nullopt;
  }
  void relate(operator_id v, index whole, axis const& a, std::size_t digit) {
    std::int64_t inside = 1;
    for (auto i = digit + 1; i < a.terms.size(); ++i)
      inside *= op(*g_, v).dims[a.terms[i].dim].extent;
    relations_.push_back(
        {.whole = whole, .part = ensure(v, a.terms[digit].dim), .offset = 0, .stride = inside});
  }
  /// A group norm reads channel c of a group for its statistics and writes channel k: the same ones.
  void tie_group_norm(operator_id v, std::size_t read, std::size_t i) {
    auto const& o = op(*g_, v);
    auto const& out = nth_operand(o, role::output, 0)->axes;
    if (i >= out.size()) return;
    if (auto const digit = channel_digit(o, out[i]))
      bind(dims_[v.index()][out[i].terms[*digit].dim], ensure(v, read));
  }

  /// Where an axis without channels meets one with channels, these stay.
  void hold_to_untouched(operator_id v, std::size_t k) {
    auto const& o = op(*g_, v);
    auto const& t = o.operands[k];
    auto& classes = axes_[v.index()][k];
    if (t.role != role::input && form_of_parts(o, t) == axis_form::plain) return;
    while (classes.size() < t.axes.size()) classes.push_back(none);
    for (std::size_t i = 0; i < t.axes.size(); ++i) {
      if (classes[i] != none) continue;
      auto const& a = t.axes[i];
      if (form_of(o, a) == axis_form::window && dims_[v.index()][a.terms[0].dim] != none) {
        // A part of a concatenation: only its own values.
        classes[i] = fresh(a.extent);
        if (t.role == role::input) fix(classes[i]);
        relations_.push_back(
            {.whole = classes[i], .part = dims_[v.index()][a.terms[0].dim], .offset = a.offset});
      } else if (t.role == role::input) {
        for (auto const& term : a.terms) refuse(v, dims_[v.index()][term.dim]);
      }
    }
  }
  /// `window` if some axis is one.
  [[nodiscard]] static auto form_of_parts(operation const& o, operand const& t) -> axis_form {
    for (auto const& a : t.axes)
      if (form_of(o, a) == axis_form::window) return axis_form::window;
    return axis_form::plain;
  }

  /// Output channels of a convolution or a product with weights.
  void make_channels(operator_id v) {
    auto const& o = op(*g_, v);
    auto const* const weight = multiplied_weight(o);
    auto const* const out = nth_operand(o, role::output, 0);
    if (weight == nullptr || is_depthwise(o)) return;
    for (std::size_t d = 0; d < o.dims.size(); ++d) {
      if (o.kind == op_kind::convolution && o.dims[d].name != label{"k"}) continue;
      bool read = false;
      for (auto const& t : o.operands) read = read || (t.role == role::input && indexes(t, d));
      if (!read && indexes(*weight, d) && indexes(*out, d) && dims_[v.index()][d] == none)
        dims_[v.index()][d] = fresh(o.dims[d].extent, v);
    }
  }

  /// Weights shrink with the dimensions that walk them, if an axis of them can.
  void follow_weights(operator_id v) {
    auto const& o = op(*g_, v);
    for (auto const& t : o.operands) {
      if (t.role != role::weight && t.role != role::state) continue;
      for (auto const& a : t.axes) {
        auto const form = form_of(o, a);
        if (form == axis_form::other || form == axis_form::halo)
          for (auto const& term : a.terms) refuse(v, dims_[v.index()][term.dim]);
      }
    }
  }

  /// The class of an output axis.
  auto write(operator_id v, axis const& a) -> index {
    auto const& o = op(*g_, v);
    auto const& dims = dims_[v.index()];
    std::size_t carrying = 0;
    std::size_t digit = 0;
    for (std::size_t i = 0; i < a.terms.size(); ++i)
      if (dims[a.terms[i].dim] != none) {
        ++carrying;
        digit = i;
      }
    if (carrying == 0) return none;
    auto const form = form_of(o, a);
    if (form == axis_form::plain) return dims[a.terms[0].dim];
    auto const c = fresh(a.extent);
    if (form == axis_form::window) {
      relations_.push_back({.whole = c, .part = dims[a.terms[0].dim], .offset = a.offset});
      return c;
    }
    if (form == axis_form::digits && carrying == 1) {
      relate(v, c, a, digit);
      return c;
    }
    for (auto const& term : a.terms) refuse(v, dims[term.dim]);
    fix(c);
    return c;
  }

  /// A named weight is one tensor wherever it is read.
  void tie_shared_weights() {
    struct reader {
      operator_id v;
      operand const* t;
    };
    later<std::unordered_map<std::string_view, reader>, D> first;
    for (auto const v : operators(*g_))
      for (auto const& t : op(*g_, v).operands) {
        if (t.role != role::weight || t.name.empty()) continue;
        auto const [it, is_first] = first.try_emplace(t.name, reader{v, &t});
        if (is_first) continue;
        for (std::size_t i = 0; i < t.axes.size(); ++i)
          tie(v, t.axes[i], it->second.v, it->second.t->axes[i]);
      }
  }
  void tie(operator_id v, axis const& a, operator_id w, axis const& b) {
    if (form_of(op(*g_, v), a) == axis_form::plain && form_of(op(*g_, w), b) == axis_form::plain) {
      auto const x = dims_[v.index()][a.terms[0].dim];
      auto const y = dims_[w.index()][b.terms[0].dim];
      if (x != none && y != none) return unite(x, y);
    }
    for (auto const& term : a.terms) refuse(v, dims_[v.index()][term.dim]);
    for (auto const& term : b.terms) refuse(w, dims_[w.index()][term.dim]);
  }

  later<graph, D> const* g_;
  later<std::vector<index>, D> parent_;
  later<std::vector<std::int64_t>, D> extent_;
  later<std::vector<bool>, D> fixed_; ///< of roots
  later<std::vector<std::optional<operator_id>>, D> maker_;
  later<std::vector<dim_classes>, D> dims_;
  later<std::vector<std::vector<axis_classes>>, D> axes_; ///< by operator and operand
  later<std::vector<relation>, D> relations_;
  later<std::vector<operator_id>, D> unfollowed_;
};
using channel_classes = basic_channel_classes<>;

} // namespace mars::compression::detail
