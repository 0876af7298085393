// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs an operation on integers, from its algebra alone: dimensions, affine axes, clipping = zero
// padding. Unsharded it is one device with everything; sharded, every device computes with the parts
// it holds and nothing else, so a layout that is too small shows as a fault, one that is wrong as
// another result.

#include "support/device_plan.hpp"

#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace mars_test {

/// How an operator combines what it reads.
enum class meaning : std::uint8_t {
  products,   ///< Σ of a product of the first two operands; further ones are added once (bias)
  maximum,    ///< the largest of what a window reads, padding excepted
  lookup,     ///< Σ over the table dimension of the rows an index names
  mixture,    ///< Σ of a polynomial in all operands: stands for any function of them
  recurrence, ///< a state of which every step needs all, as LSTM and GRU do
};

[[nodiscard]] inline auto meaning_of(mars::operation const& op) -> meaning {
  switch (op.kind) {
  case mars::op_kind::convolution:
  case mars::op_kind::matmul: return meaning::products;
  case mars::op_kind::pooling:
  case mars::op_kind::reduction:
    return op.type.find("Max") != std::string::npos ? meaning::maximum : meaning::mixture;
  case mars::op_kind::lstm:
  case mars::op_kind::gru: return meaning::recurrence;
  case mars::op_kind::gather: return find_dim(op, "v") ? meaning::lookup : meaning::mixture;
  default: return meaning::mixture;
  }
}

/// The result of an execution: outputs by operand (inputs are empty), or the first thing that went
/// wrong.
struct outcome {
  std::vector<part> outputs;
  std::string fault;
};

/// One operation being executed on the devices of a plan.
class execution {
public:
  execution(mars::operation const& op, plan const& p, std::vector<part> const& numbers)
      : op_{op}, plan_{p}, meaning_{meaning_of(op)} {
    for (auto const& d : p.devices) {
      auto& memory = memory_.emplace_back();
      for (std::size_t i = 0; i < op.operands.size(); ++i)
        if (op.operands[i].role == mars::role::output)
          memory.emplace_back(d.computes[i], nothing());
        else
          memory.push_back(cut_out(numbers[i], d.holds[i]));
    }
  }

  [[nodiscard]] auto run() -> outcome {
    if (meaning_ == meaning::recurrence)
      run_steps();
    else
      run_phases();
    outcome result;
    for (std::size_t i = 0; i < op_.operands.size(); ++i)
      result.outputs.push_back(op_.operands[i].role == mars::role::output ? assemble(i) : part{});
    result.fault = fault_;
    return result;
  }

private:
  struct reading {
    word value{};
    bool padding{false};
  };

  void run_phases() {
    auto const phases = plan_.devices.front().phases.size();
    for (std::size_t phase = 0; phase < phases; ++phase) {
      if (phase > 0) pass_round_the_rings();
      for (rank_ = 0; rank_ < plan_.devices.size(); ++rank_) {
        auto const& d = plan_.devices[rank_];
        for_each_point(d.phases[phase], [&](mars::extents const& at) { step(at); });
      }
    }
  }

  [[nodiscard]] auto nothing() const -> word {
    return meaning_ == meaning::maximum
               ? static_cast<word>(std::numeric_limits<std::int64_t>::min())
               : 0;
  }
  [[nodiscard]] auto combine(word a, word b) const -> word {
    if (meaning_ != meaning::maximum) return a + b;
    return static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) ? b : a;
  }

  void fail(std::string what, std::size_t operand) {
    if (fault_.empty())
      fault_ = what + ", operand " + std::to_string(operand) + ", rank " + std::to_string(rank_);
  }

  void pass_round_the_rings() {
    std::vector<part> parts;
    for (auto const& d : plan_.devices) parts.push_back(memory_[d.receives_from][plan_.rotating]);
    for (std::size_t r = 0; r < parts.size(); ++r) memory_[r][plan_.rotating] = std::move(parts[r]);
  }

  /// What operand `i` gives to an iteration. A whole axis is read whole: every element counts, each
  /// with a factor of its own that depends on the iteration, as in x[j]·Σ_k x[k] and beyond.
  [[nodiscard]] auto read(std::size_t i, mars::extents const& at) -> reading {
    auto const& t = op_.operands[i];
    mars::tensor_box box;
    bool single = true;
    for (auto const& a : t.axes) {
      if (a.is_whole()) {
        box.push_back({0, a.extent});
        single = single && a.extent == 1;
        continue;
      }
      auto n = a.offset;
      for (auto const& term : a.terms) n += term.stride * at[term.dim];
      if (n < 0 || n >= a.extent) return {0, true};
      box.push_back({n, n + 1});
    }
    word which = 0;
    for (auto const x : at) which = scramble(which * 31 + static_cast<word>(x));
    reading sum{single ? 0 : nothing()};
    for_each_point(box, [&](element_index const& e) {
      auto const* v = memory_[rank_][i].find(e);
      if (v == nullptr) return fail("reads an element it does not hold", i);
      if (single)
        sum.value = *v;
      else if (meaning_ == meaning::maximum)
        sum.value = combine(sum.value, *v);
      else
        sum.value += scramble(++which) * *v;
    });
    return sum;
  }

  /// Is this the one iteration, on the one device, that adds what is added once?
  [[nodiscard]] auto is_first(mars::extents const& at) const -> bool {
    auto const& d = plan_.devices[rank_];
    if (d.sums_with.front() != rank_) return false;
    for (std::size_t i = 0; i < at.size(); ++i)
      if (op_.dims[i].kind != mars::dim_kind::parallel && at[i] != d.shard[i].begin) return false;
    return true;
  }

  [[nodiscard]] auto value_of(mars::extents const& at) -> reading {
    reading result{meaning_ == meaning::products ? word{1} : 0};
    word product = 1;
    bool padding = true;
    std::size_t operands = 0;
    for (std::size_t i = 0; i < op_.operands.size(); ++i) {
      auto const& t = op_.operands[i];
      if (t.role == mars::role::output) continue;
      ++operands;
      if (meaning_ == meaning::products && operands > 2) {
        if (is_first(at)) result.value += read(i, at).value;
        continue;
      }
      auto const r = read(i, at);
      padding = padding && r.padding;
      switch (meaning_) {
      case meaning::products: result.value *= r.value; break;
      case meaning::maximum: result.value = r.value; break;
      case meaning::recurrence:
      case meaning::mixture:
        result.value += (2 * operands + 1) * r.value;
        product *= r.value;
        break;
      case meaning::lookup: {
        auto const v = *find_dim(op_, "v");
        auto const rows = static_cast<word>(op_.dims[v].extent);
        bool const table = indexes(t, v);
        bool const named = r.value % rows == static_cast<word>(at[v]);
        product *= table ? r.value : static_cast<word>(named);
        break;
      }
      }
    }
    if (meaning_ == meaning::mixture || meaning_ == meaning::lookup) result.value += product;
    result.padding = padding;
    return result;
  }

  /// The element of an output that an iteration writes, or null if there is none.
  [[nodiscard]] auto written(std::size_t i, mars::extents const& at) -> word* {
    element_index e;
    for (auto const& a : op_.operands[i].axes) {
      auto n = a.offset;
      for (auto const& term : a.terms) n += term.stride * at[term.dim];
      if (n < 0 || n >= a.extent) return nullptr;
      e.push_back(n);
    }
    auto* const v = memory_[rank_][i].find(e);
    if (v == nullptr) fail("writes an element outside its shard", i);
    return v;
  }

  void step(mars::extents const& at) {
    auto const r = value_of(at);
    if (meaning_ == meaning::maximum && r.padding) return;
    for (std::size_t i = 0; i < op_.operands.size(); ++i)
      if (op_.operands[i].role == mars::role::output)
        if (auto* const v = written(i, at)) *v = combine(*v, r.value);
  }

  /// Steps in order. After each, every device sends its part of the new states to those that need it.
  void run_steps() {
    std::size_t time = 0, sum = 0;
    for (std::size_t d = 0; d < op_.dims.size(); ++d) {
      if (op_.dims[d].kind == mars::dim_kind::sequential) time = d;
      if (op_.dims[d].kind == mars::dim_kind::reduction) sum = d;
    }
    for (std::int64_t step = 0; step < op_.dims[time].extent; ++step) {
      std::vector<part> fresh;
      for (auto const& t : op_.operands) fresh.emplace_back(whole_box(t));
      for (rank_ = 0; rank_ < plan_.devices.size(); ++rank_) {
        auto box = plan_.devices[rank_].shard;
        box[time] = {step, step + 1};
        auto const summed = std::exchange(box[sum], {0, 1});
        for_each_point(box, [&](mars::extents const& at) { advance(at, sum, summed, fresh); });
      }
      for (std::size_t i = 0; i < op_.operands.size(); ++i)
        for (std::size_t r = 0; r < memory_.size(); ++r)
          if (op_.operands[i].role == mars::role::state)
            memory_[r][i] = cut_out(fresh[i], plan_.devices[r].holds[i]);
    }
  }

  /// One element of the states: nonlinear in Σ weight·(input or hidden state) and in the cell.
  void advance(mars::extents at, std::size_t sum, mars::interval summed, std::vector<part>& fresh) {
    word gates = 0, cell = 0;
    for (std::size_t i = 0; i < op_.operands.size(); ++i) {
      auto const& t = op_.operands[i];
      if (t.role == mars::role::output || indexes(t, sum)) continue;
      (t.role == mars::role::state ? cell : gates) += read(i, at).value;
    }
    auto const start = at;
    for (at[sum] = summed.begin; at[sum] < summed.end; ++at[sum]) {
      word weight = 0, other = 0;
      for (std::size_t i = 0; i < op_.operands.size(); ++i) {
        auto const& t = op_.operands[i];
        if (t.role == mars::role::output || !indexes(t, sum)) continue;
        (t.role == mars::role::weight ? weight : other) += read(i, at).value;
      }
      gates += weight * other;
    }
    auto const next_cell = 3 * cell + gates;
    auto const next_hidden = gates * (next_cell + 1);
    std::size_t outputs = 0;
    for (std::size_t i = 0; i < op_.operands.size(); ++i) {
      auto const& t = op_.operands[i];
      if (t.role == mars::role::output) {
        if (auto* const v = written(i, start)) *v = outputs == 2 ? next_cell : next_hidden;
        ++outputs;
      } else if (t.role == mars::role::state) {
        // [directions, batch, hidden] of the second output; the cell is the state the sum leaves out.
        element_index e;
        for (auto const& a : nth_operand(op_, mars::role::output, 1)->axes)
          e.push_back(start[a.terms[0].dim]);
        *fresh[i].find(e) = indexes(t, sum) ? next_hidden : next_cell;
      }
    }
  }

  /// Exchanges partial results, then puts the tensor together from what the devices keep.
  [[nodiscard]] auto assemble(std::size_t i) -> part {
    part result{whole_box(op_.operands[i]), nothing()};
    part owner{result.box, 0}; // rank + 1
    for (rank_ = 0; rank_ < plan_.devices.size(); ++rank_) {
      auto const& d = plan_.devices[rank_];
      for_each_point(d.keeps[i], [&](element_index const& e) {
        word sum = nothing();
        for (auto const other : d.sums_with) {
          auto const* v = memory_[other][i].find(e);
          if (v == nullptr) return fail("keeps an element it did not compute", i);
          sum = combine(sum, *v);
        }
        auto* const first = owner.find(e);
        if (first == nullptr) return fail("keeps an element that does not exist", i);
        if (*first == 0) {
          *first = rank_ + 1;
          *result.find(e) = sum;
          return;
        }
        if (!(plan_.devices[*first - 1].keeps[i] == d.keeps[i]))
          fail("keeps a box that overlaps another", i);
        if (*result.find(e) != sum) fail("disagrees with its replica", i);
      });
    }
    if (std::find(owner.values.begin(), owner.values.end(), word{0}) != owner.values.end())
      fail("nobody keeps some element", i);
    return result;
  }

  mars::operation const& op_;
  plan const& plan_;
  meaning meaning_;
  std::vector<std::vector<part>> memory_; ///< by rank, by operand
  std::string fault_;
  std::size_t rank_{};
};

[[nodiscard]] inline auto execute(mars::operation const& op, plan const& p,
                                  std::vector<part> const& numbers) -> outcome {
  return execution{op, p, numbers}.run();
}

} // namespace mars_test
