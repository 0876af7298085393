// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Channel pruning, proven by execution: on random small networks, the pruned network computes the same
// integers as the original one with the weights of the pruned channels set to zero.

#include "support/catch.hpp"
#include "support/interpreter.hpp"
#include "support/sanitized.hpp"

#include <mars/compression/channel_pruning.hpp>
#include <mars/core/random.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace compression = mars::compression;
using mars_test::element_index;
using mars_test::part;
using mars_test::word;

/// How often each way to pass channels on was pruned, so that the proof cannot quietly stop covering it.
struct channel_coverage {
  std::size_t networks{}, residuals{}, concats{}, depthwise{}, multipliers{}, grouped{}, splits{},
      slices{}, pads{}, flattened{}, excited{}, transposed{}, norms{};

  void count(mars::graph const& g, mars::graph const& pruned) {
    ++networks;
    for (auto const v : operators(g)) {
      auto const& o = op(g, v);
      if (o.dims == op(pruned, v).dims) continue;
      auto const g_dim = find_dim(o, "g");
      auto const k_dim = find_dim(o, "k");
      residuals += o.type == "Add";
      excited += o.type == "Mul";
      concats += o.kind == mars::op_kind::concat;
      splits += o.kind == mars::op_kind::split;
      slices += o.kind == mars::op_kind::slice;
      pads += o.kind == mars::op_kind::pad;
      norms += o.kind == mars::op_kind::normalization;
      flattened += o.kind == mars::op_kind::reshape;
      transposed += o.type == "ConvTranspose";
      if (o.type != "Conv" || !g_dim) continue;
      bool const single = o.dims[*find_dim(o, "c")].extent == 1;
      depthwise += single;
      multipliers += single && o.dims[*k_dim].extent > 1;
      grouped += !single;
    }
  }
};

/// A network of every kind of operator that passes channels on. (A normalisation has one parameter: the
/// interpreter weighs those of an axis read whole by the place of the iteration, which pruning moves.)
auto random_network(mars::random_stream r) -> mars::graph {
  mars::builder b{"random", 16};
  auto const side = std::int64_t{3} + r.chance(0.5);
  std::vector<mars::value> maps{b.input("image", {1, 2, side, side})};
  auto const any = [&] { return maps[static_cast<std::size_t>(r.below(maps.size()))]; };
  auto const channels = [&](mars::value v) { return b.shape(v)[1]; };
  auto const width = [&] { return std::int64_t{2} * (1 + static_cast<std::int64_t>(r.below(3))); };
  // All maps keep their size, so that any two may meet.
  for (int i = 0; i < 10; ++i) {
    auto const x = i == 0 ? maps[0] : any();
    auto const c = channels(x);
    switch (i == 0 ? 0 : r.below(14)) {
    case 0:
    case 1: maps.push_back(b.conv(x, {.out_channels = width(), .bias = r.chance(0.5)})); break;
    case 2:
      maps.push_back(
          b.conv(x, {.out_channels = width(), .kernel = {3, 3}, .padding = {1, 1}, .bias = false}));
      break;
    case 3:
      if (c % 2 == 0)
        maps.push_back(
            b.conv(x, {.out_channels = 2 * width(), .groups = 2, .bias = r.chance(0.5)}));
      break;
    case 4:
      maps.push_back(b.conv(x, {.out_channels = c * (r.chance(0.5) && c <= 4 ? 2 : 1),
                                .kernel = {3, 3},
                                .padding = {1, 1},
                                .groups = c}));
      break;
    case 5: maps.push_back(b.batch_norm(b.relu(x), {}, 1)); break;
    case 6: maps.push_back(b.max_pool(x, {.kernel = {3, 3}, .padding = {1, 1}})); break;
    case 7:
    case 8: {
      // The shape of some other map, made by a convolution or its own.
      auto y = any();
      if (b.shape(y) != b.shape(x)) y = b.conv(y, {.out_channels = c});
      maps.push_back(b.add(x, y));
      break;
    }
    case 9:
      if (auto const y = any(); c + channels(y) <= 10) maps.push_back(b.concat({x, y}, 1));
      break;
    case 10:
      if (c >= 4)
        for (auto const part : b.split(x, 1, {c / 2 - 1, c - c / 2 + 1})) maps.push_back(part);
      break;
    case 11:
      if (c >= 3)
        maps.push_back(b.slice(x, {c / 2}, {c - r.chance(0.5)}, {1}));
      else
        maps.push_back(b.pad(x, {0, 1, 0, 0}, {0, 1, 0, 0}));
      break;
    case 12: {
      auto const s = b.conv(b.conv(b.global_avg_pool(x), {.out_channels = 2}), {.out_channels = c});
      maps.push_back(b.mul(x, s));
      break;
    }
    default: maps.push_back(b.conv_transpose(x, {.out_channels = width()})); break;
    }
  }
  auto const last = b.linear(b.flatten(maps.back()), 4);
  b.output(b.linear(last, 3));
  return std::move(b).build().value();
}

/// Numbers of every operand of every operator; outputs are filled in by `run`.
using numbers = std::vector<std::vector<part>>;

/// The results of the network on the weights and images in `n`.
auto run(mars::graph const& g, numbers n) -> std::vector<part> {
  auto const order = topological_order(g).value();
  for (auto const v : order) {
    auto const& o = op(g, v);
    for (auto const& e : inputs(g, v)) {
      auto const& from = op(g, e.producer);
      auto const* const made = nth_operand(from, mars::role::output, e.output);
      n[v.index()][e.operand] =
          n[e.producer.index()][static_cast<std::size_t>(made - from.operands.data())];
    }
    auto done = mars_test::execute(o, mars_test::plan_of(o, {}, 1), n[v.index()]);
    REQUIRE(done.fault.empty());
    for (std::size_t k = 0; k < o.operands.size(); ++k)
      if (o.operands[k].role == mars::role::output) n[v.index()][k] = std::move(done.outputs[k]);
  }
  std::vector<part> results;
  for (auto const& r : outputs(g)) {
    auto const& o = op(g, r.producer);
    auto const* const made = nth_operand(o, mars::role::output, r.output);
    results.push_back(n[r.producer.index()][static_cast<std::size_t>(made - o.operands.data())]);
  }
  return results;
}

auto element_at(mars::operand const& t, mars::extents const& at) -> std::optional<element_index> {
  element_index e;
  for (auto const& a : t.axes) {
    auto n = a.offset;
    for (auto const& term : a.terms) n += term.stride * at[term.dim];
    if (n < 0 || n >= a.extent) return std::nullopt;
    e.push_back(a.is_whole() ? 0 : n);
  }
  return e;
}

/// Gives the pruned network the weights of the original one, iteration by iteration: where all of an
/// iteration's values are kept, it is one of the pruned operator, which has no other weights. Weights of
/// the original one that no such iteration reads become zero.
void share_weights(mars::graph const& g, mars::graph const& pruned,
                   compression::channel_pruning const& c, numbers& wide, numbers& narrow) {
  namespace detail = compression::detail;
  detail::channel_classes const classes{g, topological_order(g).value()};
  detail::basic_channel_choice<> const choice{classes, c.keep, c.multiple};
  for (auto const v : operators(g)) {
    auto const& o = op(g, v);
    auto const& p = op(pruned, v);
    for (std::size_t k = 0; k < o.operands.size(); ++k) {
      if (o.operands[k].role != mars::role::weight) continue;
      auto& from = wide[v.index()][k];
      auto& to = narrow[v.index()][k];
      part kept{from.box}, given{to.box};
      mars_test::for_each_point(full_box(o), [&](mars::extents const& at) {
        mars::extents moved;
        for (std::size_t d = 0; d < at.size(); ++d) {
          auto const cls = classes.of_dim(v, d);
          if (cls == detail::channel_classes::none) {
            moved.push_back(at[d]);
            continue;
          }
          if (!choice.is_kept(cls, at[d])) return;
          moved.push_back(choice.kept_before(cls, at[d]));
        }
        auto const x = element_at(o.operands[k], at);
        auto const y = element_at(p.operands[k], moved);
        REQUIRE(x.has_value() == y.has_value());
        if (!x) return;
        REQUIRE(to.find(*y) != nullptr);
        if (*kept.find(*x) == 0) {
          REQUIRE(*given.find(*y) == 0);
          *to.find(*y) = *from.find(*x);
        }
        *kept.find(*x) = *given.find(*y) = 1;
        REQUIRE(*to.find(*y) == *from.find(*x));
      });
      for (std::size_t e = 0; e < from.values.size(); ++e)
        if (kept.values[e] == 0) from.values[e] = 0;
      for (auto const one : given.values) REQUIRE(one == 1);
    }
  }
}

} // namespace

TEST_CASE("a pruned network is the original one without the weights of its pruned channels") {
  channel_coverage seen;
  constexpr std::size_t networks = mars_test::sanitized ? 80 : 400;
  for (std::uint64_t seed = 0; seed < networks; ++seed) {
    auto const g = random_network(mars::random_stream{seed, 6});
    auto const c = compression::channel_pruning{
        .keep = seed % 3 == 0 ? 0.3 : 0.5, .multiple = 1 + static_cast<std::int64_t>(seed % 2)};
    auto const pruned = c(g);
    INFO("seed " << seed);
    REQUIRE(pruned);
    seen.count(g, *pruned);
    numbers wide, narrow;
    for (auto const v : operators(g)) {
      wide.push_back(mars_test::numbers_for(op(g, v), seed + 1000 * v.index()));
      narrow.push_back(mars_test::numbers_for(op(*pruned, v), 0));
      // What comes from outside is the same for both.
      for (std::size_t k = 0; k < wide.back().size(); ++k)
        if (op(g, v).operands[k].role == mars::role::input &&
            wide.back()[k].box == narrow.back()[k].box)
          narrow.back()[k] = wide.back()[k];
    }
    share_weights(g, *pruned, c, wide, narrow);
    auto const expected = run(g, wide);
    CHECK(run(*pruned, narrow) == expected);
    bool trivial = true;
    for (auto const x : expected.front().values) trivial = trivial && x == 0;
    CHECK_FALSE(trivial);
  }
  CHECK(seen.networks == networks);
  for (auto const n :
       {seen.residuals, seen.concats, seen.depthwise, seen.multipliers, seen.grouped, seen.splits,
        seen.slices, seen.pads, seen.flattened, seen.excited, seen.transposed, seen.norms})
    CHECK(n >= (mars_test::sanitized ? 2 : 20));
}
