// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace mars::cost {

/// When has the worst device of a layer none of what the layer before left behind?
enum class pase_holders : std::uint8_t {
  parts,   ///< the layer cuts the tensor into more parts than the one before (the authors' tool)
  devices, ///< the layer runs on more devices than the one before (the definition)
};

/// PaSE's objective, F = Σ_v t_l(v) + Σ_(u,v) r·t_x(u, v), in FLOP, for p equal devices: layers run
/// one after another, each on shards of one size, and a byte costs r FLOP. With
/// `parallel::iteration_splits` the strategy/cost pair of PaSE, made a problem by
/// `build_uniform_problem`. Memory is not limited. For a layer v split by s, over its largest shard
/// (extents ⌈extent / ways⌉):
///
///   r             peak / bandwidth: 10 TFLOP/s over 16 GB/s = 625 FLOP a byte
///   t_l(v)      = compute + r·(reductions + gradients + states)
///     compute     points · ((training ? 3 : 1)·flop_per_mac·macs + flops), `macs` and `flops` being
///                 the operator's work per point. Three products: the result, and the gradients of
///                 both factors. Work without products is charged once, its derivative is not.
///     reductions  for every output, all-reduce(bytes of the shard's part, Π ways of the reduction
///                 dimensions)
///     gradients   in training, for every input and weight, all-reduce(bytes of the shard's part,
///                 Π ways of the parallel dimensions that do not index it): a matrix product m·n·k
///                 sums the gradient of its left factor over n, that of its right factor over m.
///                 Also for inputs of the graph. With `unfolded` a window counts once for each of its
///                 points, as in the matrix product that a convolution can be written as
///                 (elements = Π extents of the dimensions that index the tensor).
///     states      for every state of a recurrence that a cut does not divide, an all-gather at every
///                 step, twice in training
///     all-reduce(b, n) = 2(n−1)/n · b (ring), all-gather(b, n) = (n−1)/n · b
///   t_x(u, v)   = (training ? 2 : 1) · (|need| − |need ∩ have|): what the worst device of v must
///                 receive of the tensor, and in training send back as its gradient, in bytes.
///     need        what a shard of v reads, halo included
///     need ∩ have Π over axes of min(need, what a shard of u owns): devices are numbered so that
///                 they find as much as possible of what they need where they are; nothing where
///                 `holders` says so
///   Partial sums are all-reduced in t_l(u), so that u owns whole results. Inputs of the graph and
///   weights are where they are needed.
///   bytes: what the tensor declares (`element_bits`), or `element_bytes` per element of any tensor.
///
/// The defaults follow the authors' tool (github.com/baidu-research/PaSE), from which minima of F
/// come: a multiply-add is one FLOP, `unfolded`, `holders::parts`. Its words have eight bytes
/// (`element_bytes = 8`). It equals the tool on matrix products and on convolutions without bias
/// whose rows and columns are whole; on splits (`parallel::iteration_splits`) see there. It differs
/// where the tool has numbers of its own: activations fused into a product (three FLOP an element),
/// pooling (one FLOP a result whatever the window; halos as words of t_l), normalisation, softmax,
/// mean (all-reduce of what is read), recurrences (pipelined over layers).
///
/// Shared cuts and reduce-scatter are not PaSE's: infinite. O(operands · cuts).
/// Source: Elango, PaSE: Parallelization Strategies for Efficient DNN Training, IPDPS 2021 (arXiv
/// 2407.04001), and the tool where that leaves details open.
struct pase {
  flops_per_second peak{10e12};
  bytes_per_second bandwidth{16e9};
  std::optional<double> element_bytes{};
  bool training{true};
  double flop_per_mac{1}; ///< 2: additions count, as they do elsewhere in this library
  bool unfolded{true};
  pase_holders holders{pase_holders::parts};

  [[nodiscard]] auto name() const -> std::string_view { return "pase"; }
  /// r, FLOP a byte.
  [[nodiscard]] auto flop_per_byte() const -> double { return peak.count() / bandwidth.count(); }

  /// t_l by cause, in FLOP.
  struct layer_cost {
    double compute{};
    double reductions{};
    double gradients{};
    double states{};

    [[nodiscard]] auto total() const -> double { return compute + reductions + gradients + states; }
  };
  [[nodiscard]] auto breakdown(operation const& op, sharding const& s) const -> layer_cost {
    auto const e = shard_extents(op, s);
    layer_cost c;
    c.compute = static_cast<double>(work_points(op, e)) *
                ((training ? 3 : 1) * flop_per_mac * static_cast<double>(op.work.macs) +
                 static_cast<double>(op.work.flops));
    std::int64_t steps = training ? 2 : 1;
    for (auto const& d : op.dims)
      if (d.kind == dim_kind::sequential) steps *= d.extent;
    for (auto const& t : op.operands) {
      auto const undivided = [&](dim_kind kind) {
        std::int64_t n = 1;
        for (auto const& cut : s.exclusive)
          if (op.dims[cut.dim].kind == kind && !indexes(t, cut.dim)) n *= cut.ways;
        return static_cast<double>(n);
      };
      switch (t.role) {
      case role::output:
        c.reductions += all_reduce(held_bytes(op, t, s), static_cast<double>(partial_sums(op, s)));
        break;
      case role::input:
      case role::weight:
        if (training)
          c.gradients += all_reduce(gradient_bytes(op, t, e), undivided(dim_kind::parallel));
        break;
      case role::state:
        c.states += static_cast<double>(steps) *
                    all_reduce(bytes_of(t, elements_of(t, e)), undivided(dim_kind::parallel)) / 2;
        break;
      }
    }
    return c;
  }
  /// t_l, in FLOP.
  [[nodiscard]] auto layer(operation const& op, sharding const& s) const -> double {
    if (s.shared || s.scatter) return std::numeric_limits<double>::infinity();
    return breakdown(op, s).total();
  }

  /// What a shard has, or needs, of a tensor.
  struct tensor_part {
    inplace_vector<std::int64_t, max_rank> extents;
    std::int64_t holders{1}; ///< parts of the tensor, or devices: see `pase_holders`
    double element_size{};   ///< bytes

    friend auto operator==(tensor_part const&, tensor_part const&) -> bool = default;
  };
  [[nodiscard]] auto part(operation const& op, operand const& t, sharding const& s) const
      -> tensor_part {
    auto const e = shard_extents(op, s);
    tensor_part p;
    for (auto const& a : t.axes)
      p.extents.push_back(t.role == role::output && !is_cut(s, a) ? a.extent : reach_size(a, e));
    for (auto const& cut : s.exclusive)
      if (holders == pase_holders::devices || indexes(t, cut.dim)) p.holders *= cut.ways;
    p.element_size = bytes_of(t, 1);
    return p;
  }
  /// r·t_x between two layers, in FLOP.
  [[nodiscard]] auto transfer(tensor_part const& have, tensor_part const& need) const -> double {
    double all = 1, here = need.holders > have.holders ? 0 : 1;
    for (std::size_t i = 0; i < need.extents.size(); ++i) {
      auto const wanted = need.extents[i];
      all *= static_cast<double>(wanted);
      here *=
          static_cast<double>(i < have.extents.size() ? std::min(wanted, have.extents[i]) : wanted);
    }
    return flop_per_byte() * (training ? 2 : 1) * have.element_size * (all - here);
  }

private:
  /// Does a cut divide this axis? Where none does, a device has all of it.
  [[nodiscard]] static auto is_cut(sharding const& s, axis const& a) -> bool {
    return std::any_of(s.exclusive.begin(), s.exclusive.end(),
                       [&a](cut const& c) { return a.uses(c.dim); });
  }
  [[nodiscard]] auto bytes_of(operand const& t, std::int64_t elements) const -> double {
    return static_cast<double>(elements) *
           element_bytes.value_or(static_cast<double>(t.element_bits) / 8);
  }
  [[nodiscard]] auto held_bytes(operation const& op, operand const& t, sharding const& s) const
      -> double {
    std::int64_t elements = 1;
    for (auto const n : part(op, t, s).extents) elements *= n;
    return bytes_of(t, elements);
  }
  [[nodiscard]] auto gradient_bytes(operation const& op, operand const& t, extents const& e) const
      -> double {
    if (!unfolded) return bytes_of(t, elements_of(t, e));
    std::int64_t elements = 1;
    for (auto const& a : t.axes)
      if (a.is_whole()) elements *= a.extent;
    for (std::size_t d = 0; d < op.dims.size(); ++d)
      if (indexes(t, d)) elements *= e[d];
    return bytes_of(t, elements);
  }
  /// In FLOP.
  [[nodiscard]] auto all_reduce(double size, double n) const -> double {
    return flop_per_byte() * 2 * (n - 1) / n * size;
  }
};

} // namespace mars::cost
