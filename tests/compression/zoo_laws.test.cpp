// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every network of the zoo under every compression.

#include "support/catch.hpp"

#include <mars/compression.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>
#include <mars/zoo.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace compression = mars::compression;
namespace zoo = mars::zoo;
using mars::graph;
using mars::op_kind;
using mars::operator_id;
using mars::role;

auto equal_graphs(graph const& a, graph const& b) -> bool {
  if (a.size() != b.size() || edges_of(a) != edges_of(b) || outputs(a) != outputs(b)) return false;
  for (auto const v : operators(a)) {
    auto const& x = op(a, v);
    auto const& y = op(b, v);
    if (x.name != y.name || !same_signature(x, y)) return false;
    for (std::size_t k = 0; k < x.operands.size(); ++k)
      if (x.operands[k].name != y.operands[k].name) return false;
  }
  return true;
}

/// Every network with its 32-bit elements, built once.
auto zoo_graphs() -> std::vector<graph> const& {
  static auto const all = [] {
    std::vector<graph> made;
    for (auto const& e : zoo::list())
      if (e.name != std::string_view{"gpt3_175b"}) // as gpt2, eight times as deep
        made.push_back(e.build({.element_bits = 32}).value());
    return made;
  }();
  return all;
}

/// Bytes of the weights that are multiplied, and of the others, each named tensor once.
struct weight_bytes {
  std::int64_t multiplied{}, others{}, scales{};
};
auto weights_of(graph const& g) -> weight_bytes {
  weight_bytes sum;
  std::vector<std::string> seen;
  for (auto const v : operators(g)) {
    auto const& o = op(g, v);
    for (auto const& t : o.operands) {
      if (t.role != role::weight || std::find(seen.begin(), seen.end(), t.name) != seen.end())
        continue;
      seen.push_back(t.name);
      // A scale is named after a weight of the same operator.
      bool const scale = std::any_of(o.operands.begin(), o.operands.end(), [&t](auto const& w) {
        return w.role == role::weight && w.name + ".scale" == t.name;
      });
      bool summed = false;
      for (std::size_t d = 0; d < o.dims.size(); ++d)
        summed = summed || (o.dims[d].kind == mars::dim_kind::reduction && indexes(t, d));
      (scale ? sum.scales : summed ? sum.multiplied : sum.others) += size_of(t).count();
    }
  }
  return sum;
}

/// What channel pruning leaves of a CNN, counted by walking its layers with the sizes of the groups of
/// channels in each tensor: made by a convolution, joined by a concatenation, else passed on.
struct recount {
  std::int64_t parameters{};
  std::int64_t macs{};
};
auto recount_pruned(graph const& g, double keep, std::int64_t multiple) -> recount {
  auto const kept = [&](std::int64_t channels) {
    auto const wanted = keep * static_cast<double>(channels);
    auto const blocks = std::ceil(std::max(1.0, std::ceil(wanted)) / static_cast<double>(multiple));
    return std::min(channels, static_cast<std::int64_t>(blocks) * multiple);
  };
  recount sum;
  std::vector<std::vector<std::int64_t>> channels(g.size()); // kept, by group, of each result
  auto const total = [](std::vector<std::int64_t> const& parts) {
    return std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
  };
  operator_id last; // the layer that makes the classes; a pooling may follow
  for (auto const v : operators(g))
    if (layer_of(mars::shard{op(g, v)})) last = v;
  for (auto const v : topological_order(g).value()) {
    auto const& o = op(g, v);
    std::vector<std::vector<std::int64_t>> in;
    for (auto const& e : inputs(g, v)) in.push_back(channels[e.producer.index()]);
    auto& out = channels[v.index()];
    if (auto const layer = layer_of(mars::shard{o})) {
      auto const bias = nth_operand(o, role::weight, 1) != nullptr;
      auto const* const read = nth_operand(o, role::input, 0);
      auto c = in.empty() ? layer->in_channels : total(in[0]);
      if (layer->is_depthwise()) {
        out = in[0];
        c = 1;
      } else {
        out = {v == last ? layer->out_channels : kept(layer->out_channels)};
        if (layer->groups > 1) {
          REQUIRE(layer->groups == 2); // AlexNet of 2012: each half loses the same
          auto const half = kept(layer->out_channels / 2);
          out = {2 * half};
          c /= 2;
        }
      }
      REQUIRE(read != nullptr);
      auto const weights = total(out) * c * layer->kernel.rows * layer->kernel.columns;
      sum.parameters += weights + (bias ? total(out) : 0);
      sum.macs += layer->batch * weights * layer->out.rows * layer->out.columns;
    } else if (o.kind == op_kind::concat) {
      for (auto const& parts : in) out.insert(out.end(), parts.begin(), parts.end());
    } else if (o.kind == op_kind::reshape) {
      auto const& shape = mars::shape_of(*nth_operand(o, role::input, 0));
      for (auto const n : in[0]) out.push_back(n * shape[2] * shape[3]);
    } else {
      REQUIRE(!in.empty());
      out = in[0];
      for (auto const& other : in) CHECK(other == out); // what is added has one choice of channels
      if (o.kind == op_kind::normalization)
        if (auto const* const w = nth_operand(o, role::weight, 0))
          sum.parameters += w->axes[0].extent * total(out);
    }
  }
  return sum;
}

auto recount_networks() -> std::vector<std::string_view> {
  return {"alexnet",      "alexnet_2012",   "vgg16",        "vgg19",      "resnet18",
          "resnet34",     "resnet50",       "resnet101",    "wrn50_2",    "googlenet",
          "inception_v3", "mobilenet_v1",   "mobilenet_v2", "squeezenet", "densenet121",
          "densenet161",  "efficientnet_b0"};
}

} // namespace

TEST_CASE("every network under every compression is a graph with the same results") {
  auto const check = [](auto const& c) {
    CAPTURE(c.name());
    for (auto const& g : zoo_graphs()) {
      CAPTURE(g.name());
      auto const h = c(g);
      REQUIRE(h);
      CHECK(validate(*h));
      CHECK(h->name() == g.name());
      CHECK(edges_of(*h) == edges_of(g));
      CHECK(outputs(*h) == outputs(g));
      for (auto const& r : outputs(g))
        CHECK(mars::shape_of(*nth_operand(op(*h, r.producer), role::output, r.output)) ==
              mars::shape_of(*nth_operand(op(g, r.producer), role::output, r.output)));
      for (auto const& t : external_inputs(g))
        CHECK(mars::shape_of(op(*h, t.op).operands[t.operand]) ==
              mars::shape_of(op(g, t.op).operands[t.operand]));
    }
  };
  using namespace compression;
  check(none{});
  check(weight_pruning{.sparsity = 0.8});
  check(float16{});
  check(bfloat16{});
  check(int8{});
  check(int8{.keep_ends = true});
  check(channel_pruning{.keep = 0.5});
  check(channel_pruning{.keep = 0.3, .multiple = 1});
  check(then{channel_pruning{.keep = 0.5}, int8{}});
  check(then{then{channel_pruning{.keep = 0.75}, weight_pruning{.sparsity = 0.5}}, bfloat16{}});
}

TEST_CASE("compressions that take nothing away are the identity") {
  for (auto const& g : zoo_graphs()) {
    CAPTURE(g.name());
    CHECK(equal_graphs(compression::none{}(g).value(), g));
    CHECK(equal_graphs(compression::channel_pruning{.keep = 1}(g).value(), g));
    CHECK(equal_graphs(compression::weight_pruning{.sparsity = 0}(g).value(), g));
  }
}

TEST_CASE("float16 of a 32-bit network is the network built with 16 bits") {
  for (auto const& e : zoo::list()) {
    if (e.reads_text) continue; // there token numbers would be narrower too
    CAPTURE(std::string{e.name});
    auto const wide = e.build({.element_bits = 32}).value();
    CHECK(
        equal_graphs(compression::float16{}(wide).value(), e.build({.element_bits = 16}).value()));
  }
}

TEST_CASE("bytes of weights: half in 16 bits; a quarter and 4 bytes per output channel in int8") {
  for (auto const& g : zoo_graphs()) {
    CAPTURE(g.name());
    auto const wide = weights_of(g);
    for (auto const& h : {compression::float16{}(g).value(), compression::bfloat16{}(g).value()}) {
      auto const narrow = weights_of(h);
      CHECK(2 * narrow.multiplied == wide.multiplied);
      CHECK(2 * narrow.others == wide.others);
      CHECK(narrow.scales == 0);
    }
    auto const h = compression::int8{}(g).value();
    auto const narrow = weights_of(h);
    CHECK(4 * narrow.multiplied == wide.multiplied);
    CHECK(narrow.others == wide.others);
    std::int64_t channels = 0;
    bool only_layers = true;
    for (auto const v : operators(g)) {
      auto const layer = layer_of(mars::shard{op(g, v)});
      if (layer) channels += layer->out_channels;
      only_layers = only_layers && op(g, v).kind != op_kind::gather;
    }
    if (only_layers) CHECK(narrow.scales == 4 * channels);
    CHECK(macs_of(h) == macs_of(g));
  }
  // By hand: ResNet-18 has 64 + 4·64 + 5·(128 + 256 + 512) + 1000 output channels.
  auto const g = compression::int8{}(zoo::resnet18({.element_bits = 32})).value();
  CHECK(weights_of(g).scales == 4 * (320 + 5 * 896 + 1000));
}

TEST_CASE("parameters and MACs of pruned CNNs, counted again layer by layer") {
  for (auto const name : recount_networks()) {
    auto const g = zoo::find(name, {.batch = 2, .element_bits = 32}).value();
    // The halves of AlexNet of 2012 lose whole blocks each: not what the walk counts.
    for (auto const multiple : {1, name == "alexnet_2012" ? 1 : 16})
      for (auto const keep : {0.75, 0.5, 0.25}) {
        CAPTURE(std::string{name});
        CAPTURE(multiple);
        CAPTURE(keep);
        auto const h = compression::channel_pruning{.keep = keep, .multiple = multiple}(g).value();
        auto const again = recount_pruned(g, keep, multiple);
        CHECK(parameters_of(h) == again.parameters);
        CHECK(macs_of(h).count() == again.macs);
      }
  }
}

TEST_CASE("MobileNetV1 with fewer channels is the network of that width") {
  // Howard et al. 2017, arXiv:1704.04861, table 6: million multiply-adds at widths 1, 0.75, 0.5, 0.25.
  auto const g = zoo::mobilenet_v1({.element_bits = 32});
  auto const millions = [&g](double keep) {
    auto const h = compression::channel_pruning{.keep = keep, .multiple = 1}(g).value();
    return macs_of(h).count() / 1'000'000;
  };
  CHECK(millions(0.75) == 325);
  CHECK(millions(0.5) == 149);
  CHECK(millions(0.25) == 41);
}

TEST_CASE("of a layer with both sides pruned keep² stays, of a depthwise one keep") {
  auto const g = zoo::mobilenet_v2({.element_bits = 32});
  auto const h = compression::channel_pruning{.keep = 0.5, .multiple = 1}(g).value();
  for (auto const v : operators(g)) {
    auto const before = layer_of(mars::shard{op(g, v)});
    if (!before || op(g, v).name == "features.0" || op(g, v).name == "classifier") continue;
    CAPTURE(op(g, v).name);
    auto const after = *layer_of(mars::shard{op(h, v)});
    auto const factor = before->is_depthwise() ? 2 : 4;
    CHECK(weights_of(after) * factor == weights_of(*before));
    CHECK(macs_of(after).count() * factor == macs_of(*before).count());
    CHECK(after.is_depthwise() == before->is_depthwise());
  }
}

TEST_CASE("compressions of different things commute") {
  using namespace compression;
  channel_pruning const channels{.keep = 0.5};
  weight_pruning const zeros{.sparsity = 0.7};
  auto const commute = [](auto const& a, auto const& b, graph const& g) {
    return equal_graphs(then{a, b}(g).value(), then{b, a}(g).value());
  };
  for (auto const name :
       {"resnet50", "mobilenet_v2", "densenet121", "efficientnet_b0", "vit_b16"}) {
    CAPTURE(std::string{name});
    auto const g = zoo::find(name, {.element_bits = 32}).value();
    CHECK(commute(channels, zeros, g));
    CHECK(commute(channels, float16{}, g));
    CHECK(commute(channels, int8{}, g));
    CHECK(commute(zeros, bfloat16{}, g));
    CHECK(commute(zeros, int8{.keep_ends = true}, g));
    // Operator by operator or all at once.
    auto const h = then{zeros, bfloat16{}}(g).value();
    for (auto const v : operators(g)) {
      auto const one = then{zeros, bfloat16{}}(op(g, v));
      CHECK(same_signature(op(h, v), one ? *one : op(g, v)));
    }
  }
}

TEST_CASE("deterministic: the same graph twice") {
  for (auto const& g : zoo_graphs()) {
    compression::channel_pruning const c{.keep = 0.4};
    CHECK(equal_graphs(c(g).value(), c(g).value()));
  }
}
