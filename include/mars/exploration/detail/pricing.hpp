// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/ticks.hpp>
#include <mars/exploration/cell_cost.hpp>
#include <mars/exploration/detail/compiled_network.hpp>
#include <mars/exploration/detail/format_choice.hpp>
#include <mars/exploration/stack.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars::exploration::detail {

/// Names of formats as small numbers; 0: any.
template <deferred D = when_called>
class basic_format_names {
public:
  static constexpr std::size_t most = 30; ///< as many as a set in one word holds
  [[nodiscard]] auto operator()(std::string_view name) -> std::uint8_t {
    auto const at = std::find(names_.begin(), names_.end(), name);
    if (at == names_.end()) {
      if (names_.size() > most) return 0;
      names_.emplace_back(name);
      return static_cast<std::uint8_t>(names_.size() - 1);
    }
    return static_cast<std::uint8_t>(at - names_.begin());
  }
  [[nodiscard]] auto name(std::size_t number) const -> std::string const& { return names_[number]; }
  [[nodiscard]] auto size() const -> std::size_t { return names_.size(); }
  [[nodiscard]] auto find(std::string_view name) const -> std::uint8_t {
    auto const at = std::find(names_.begin(), names_.end(), name);
    return at == names_.end() ? std::uint8_t{0} : static_cast<std::uint8_t>(at - names_.begin());
  }

private:
  later<std::vector<std::string>, D> names_{""};
};
using format_names = basic_format_names<>;

/// Answer to one question.
struct priced {
  ticks time{no_ticks};
  double macs{};
  std::int64_t workspace{};
  std::optional<std::int64_t> weights{};
  joules energy{unknown_joules};
  std::uint8_t in{};
  std::uint8_t out{};
  std::optional<seconds> measured{};
};
/// What an operator that is no layer may do on a design.
struct rest_priced {
  std::vector<algorithm_option> options;
  std::int64_t workspace{};
  joules energy{unknown_joules};
};

/// Operators that take an image in whatever format it has, and leave it so.
[[nodiscard]] constexpr auto keeps_format(op_kind kind) -> bool {
  switch (kind) {
  case op_kind::pooling:
  case op_kind::elementwise:
  case op_kind::normalization:
  case op_kind::concat:
  case op_kind::resize:
  case op_kind::pad: return true;
  default: return false;
  }
}

/// Prices of layers by element numbers instead of types; each question is put once. Primitives are those
/// of the axis, then the fallbacks that are not on it.
template <class Space, class Stack, class Cost, class Fallbacks, class Measured>
class price_book {
  using primitives_type = decltype(Stack::primitives);
  using code_type = decltype(Stack::code_generations);
  using designs_type = decltype(Stack::designs);
  using dense_type = decltype(Fallbacks::dense);
  using sparse_type = decltype(Fallbacks::sparse);
  static constexpr auto axis_types = primitives_type::types;
  static constexpr auto primitive_types = axis_types + 2;
  template <std::size_t T>
  [[nodiscard]] static auto primitive_type() {
    if constexpr (T < axis_types)
      return std::type_identity<typename primitives_type::template type_at<T>>{};
    else if constexpr (T == axis_types)
      return std::type_identity<dense_type>{};
    else
      return std::type_identity<sparse_type>{};
  }
  template <std::size_t T>
  using primitive_at = typename decltype(primitive_type<T>())::type;

public:
  price_book(Stack const& s, Cost const& cost, Fallbacks const& f, Measured const& m,
             operator_kinds const& kinds)
      : stack_{s}, cost_{cost}, fallbacks_{f}, measured_{m}, kinds_{kinds} {
    std::vector<std::string> const names = s.primitives.names();
    for (std::size_t i = 0; i < names.size(); ++i) places_.push_back(s.primitives.place_of(i));
    auto const index_of = [&](auto const& fallback, std::size_t type) {
      auto const at = std::find(names.begin(), names.end(), std::string_view{fallback.name()});
      if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
      places_.push_back({type, 0});
      return places_.size() - 1;
    };
    dense_ = index_of(f.dense, axis_types);
    sparse_ = index_of(f.sparse, axis_types + 1);
    for (std::size_t p = 0; p < places_.size(); ++p)
      with_primitive(p, [&](auto const& x) {
        (void)formats_(std::string_view{x.format()});
        takes_sparse_.push_back(x.weights() == weight_format::csr);
        primitive_names_.emplace_back(std::string_view{x.name()});
      });
    code_names_ = s.code_generations.names();
    design_names_ = s.designs.names();
    for (std::size_t d = 0; d < design_names_.size(); ++d)
      with_design(d, [&](auto const& x) {
        can_reorder_.push_back(ReorderingDesign<std::remove_cvref_t<decltype(x)>>);
      });
    known_.resize(places_.size() * code_names_.size() * design_names_.size());
    rest_.resize(design_names_.size());
    supports_.resize(places_.size());
  }

  [[nodiscard]] auto questions() const -> std::size_t { return questions_; }
  [[nodiscard]] auto formats() const -> std::size_t { return formats_.size(); }
  [[nodiscard]] auto format_name(std::size_t f) const -> std::string const& {
    return formats_.name(f);
  }
  [[nodiscard]] auto primitive_name(std::size_t p) const -> std::string const& {
    return primitive_names_[p];
  }

  /// Which primitive runs a layer in a cell of primitive `p`.
  [[nodiscard]] auto runs_as(std::uint32_t kind, std::size_t p) -> std::size_t {
    if (takes_sparse_[p] && !kinds_[kind].is_pruned()) return dense_;
    if (supports(kind, p)) return p;
    return takes_sparse_[p] ? sparse_ : dense_;
  }
  [[nodiscard]] auto supports(std::uint32_t kind, std::size_t p) -> bool {
    auto& known = supports_[p];
    if (known.size() < kinds_.size()) known.resize(kinds_.size(), -1);
    if (known[kind] < 0)
      with_primitive(p, [&](auto const& x) { known[kind] = x.supports(*kinds_[kind].layer); });
    return known[kind] == 1;
  }
  [[nodiscard]] auto takes_sparse(std::size_t p) const -> bool { return takes_sparse_[p]; }

  /// A layer on a primitive that may not support it: then it takes forever. References stay good.
  [[nodiscard]] auto price(std::uint32_t kind, std::size_t p, std::size_t g, std::size_t d)
      -> priced const& {
    auto& column = known_[(p * code_names_.size() + g) * design_names_.size() + d];
    if (column.size() < kinds_.size()) column.resize(kinds_.size());
    auto& cell = column[kind];
    if (!cell) cell = std::make_unique<priced>(supports(kind, p) ? ask(kind, p, g, d) : priced{});
    return *cell;
  }
  /// An operator that is no layer.
  [[nodiscard]] auto rest(std::uint32_t kind, std::size_t d) -> rest_priced const& {
    auto& column = rest_[d];
    if (column.size() < kinds_.size()) column.resize(kinds_.size());
    auto& cell = column[kind];
    if (!cell) {
      ++questions_;
      cell = std::make_unique<rest_priced>();
      with_design(d, [&](auto const& x) { fill_rest(*cell, kind, x); });
    }
    return *cell;
  }
  [[nodiscard]] auto reorder(std::size_t d, bytes size, std::size_t from, std::size_t to) const
      -> ticks {
    ticks t = 0;
    with_design(d, [&](auto const& x) {
      if constexpr (ReorderingDesign<std::remove_cvref_t<decltype(x)>>)
        t = to_ticks(seconds{x.reorder(size, std::string_view{formats_.name(from)},
                                       std::string_view{formats_.name(to)})});
    });
    return t;
  }
  /// What the design draws while it runs, if it says so.
  [[nodiscard]] auto power(std::size_t d) const -> watts {
    watts out{unknown_watts};
    with_design(d, [&](auto const& x) {
      if constexpr (requires {
                      { x.power } -> std::convertible_to<watts>;
                    })
        out = x.power;
    });
    return out;
  }

private:
  [[nodiscard]] static auto to_ticks(seconds t) -> ticks {
    return std::min(no_ticks, to_picoseconds(t).count());
  }

  /// Calls `f` with the type and value that a number stands for.
  template <class F>
  void with_primitive(std::size_t p, F&& f) const {
    [&]<std::size_t... T>(std::index_sequence<T...>) {
      (void)(... || (places_[p].type == T && (f(primitive<T>(p)), true)));
    }
    (std::make_index_sequence<primitive_types>{});
  }
  template <std::size_t T>
  [[nodiscard]] auto primitive(std::size_t p) const -> auto const& {
    if constexpr (T < axis_types)
      return stack_.primitives.template values<T>()[places_[p].value];
    else if constexpr (T == axis_types)
      return fallbacks_.dense;
    else
      return fallbacks_.sparse;
  }
  template <class F>
  void with_design(std::size_t d, F&& f) const {
    auto const at = stack_.designs.place_of(d);
    [&]<std::size_t... T>(std::index_sequence<T...>) {
      (void)(... || (at.type == T && (f(stack_.designs.template values<T>()[at.value]), true)));
    }
    (std::make_index_sequence<designs_type::types>{});
  }

  /// The type of the axis that a primitive is of; of a fallback that is not on it: any.
  template <std::size_t P, std::size_t... T>
  [[nodiscard]] static constexpr auto on_axis(std::index_sequence<T...>) -> std::size_t {
    auto found = Space::any;
    (void)(... || (std::is_same_v<primitive_at<P>, primitive_at<T>> && (found = T, true)));
    return found;
  }
  /// Some legal cell prices these types; where none does nothing is compiled.
  template <std::size_t P, std::size_t G, std::size_t D>
  [[nodiscard]] static constexpr auto wanted() -> bool {
    return Space::possible(
        {Space::any, Space::any, on_axis<P>(std::make_index_sequence<axis_types>{}), G, D});
  }
  using question = auto(price_book::*)(std::uint32_t, std::size_t, std::size_t, std::size_t)
                       -> priced;
  template <std::size_t At>
  [[nodiscard]] static constexpr auto question_at() -> question {
    constexpr auto d = At % designs_type::types;
    constexpr auto g = At / designs_type::types % code_type::types;
    constexpr auto p = At / designs_type::types / code_type::types;
    if constexpr (wanted<p, g, d>())
      return &price_book::template ask_as<p, g, d>;
    else
      return nullptr;
  }
  [[nodiscard]] auto ask(std::uint32_t kind, std::size_t p, std::size_t g, std::size_t d)
      -> priced {
    static constexpr auto table = []<std::size_t... At>(std::index_sequence<At...>) {
      return std::array<question, sizeof...(At)>{question_at<At>()...};
    }
    (std::make_index_sequence<primitive_types * code_type::types * designs_type::types>{});
    auto const code = stack_.code_generations.place_of(g);
    auto const design = stack_.designs.place_of(d);
    auto const at =
        (places_[p].type * code_type::types + code.type) * designs_type::types + design.type;
    if (table[at] == nullptr) return {};
    ++questions_;
    auto answer = (this->*table[at])(kind, p, code.value, design.value);
    shard const whole{*kinds_[kind].op};
    answer.measured =
        measured_(whole, std::string_view{primitive_names_[p]}, std::string_view{code_names_[g]},
                  std::string_view{design_names_[d]});
    if (!can_reorder_[d]) answer.in = answer.out = 0;
    return answer;
  }
  template <std::size_t P, std::size_t G, std::size_t D>
  [[nodiscard]] auto ask_as(std::uint32_t kind, std::size_t p, std::size_t g, std::size_t d)
      -> priced {
    static_assert(CellCostFor<Cost, primitive_at<P>, typename code_type::template type_at<G>,
                              typename designs_type::template type_at<D>>,
                  "the cost model cannot price a legal cell");
    auto const& k = kinds_[kind];
    operator_price const a = cost_(shard{*k.op}, *k.layer, primitive<P>(p),
                                   stack_.code_generations.template values<G>()[g],
                                   stack_.designs.template values<D>()[d]);
    priced out{.time = to_ticks(a.time),
               .macs = a.macs,
               .workspace = a.workspace.count(),
               .energy = a.energy,
               .in = formats_(a.input_format),
               .out = formats_(a.output_format)};
    if (a.weights) out.weights = a.weights->count();
    return out;
  }

  template <class Design>
  void fill_rest(rest_priced& out, std::uint32_t kind, Design const& d) {
    shard const whole{*kinds_[kind].op};
    if constexpr (EnergyDesign<Design>) out.energy = d.energy(whole);
    if constexpr (ReorderingDesign<Design>) {
      for (auto&& each : d.algorithms(whole)) {
        algorithm_time const& a = each;
        out.options.push_back(
            {to_ticks(a.time.total), 0, formats_(a.input_format), formats_(a.output_format)});
        out.workspace = std::max(out.workspace, a.workspace.count());
      }
      if (!out.options.empty()) return;
    }
    time_breakdown const t = d.time(whole);
    auto const time = to_ticks(t.total);
    if (!can_reorder_for<Design>) {
      out.options.push_back({time, 0, 0, 0});
    } else if (keeps_format(kinds_[kind].op->kind)) {
      for (std::size_t f = 1; f < formats_.size(); ++f)
        out.options.push_back(
            {time, 0, static_cast<std::uint8_t>(f), static_cast<std::uint8_t>(f)});
    } else {
      auto const plain = formats_.find("nchw");
      out.options.push_back({time, 0, plain, plain});
    }
    if (out.options.empty()) out.options.push_back({time, 0, 0, 0});
  }
  template <class Design>
  static constexpr bool can_reorder_for = ReorderingDesign<Design>;

  Stack const& stack_;
  Cost const& cost_;
  Fallbacks const& fallbacks_;
  Measured const& measured_;
  operator_kinds const& kinds_;
  std::vector<typename primitives_type::place> places_; ///< by primitive
  std::size_t dense_{}, sparse_{};
  std::vector<bool> takes_sparse_, can_reorder_;
  std::vector<std::string> primitive_names_, code_names_, design_names_;
  format_names formats_;
  std::vector<std::vector<std::unique_ptr<priced>>> known_;
  std::vector<std::vector<std::unique_ptr<rest_priced>>> rest_; ///< by design
  std::vector<std::vector<int>> supports_;                      ///< by primitive: −1 not asked
  std::size_t questions_{};
};

} // namespace mars::exploration::detail
