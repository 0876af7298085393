// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/toy_processor.hpp"

#include <mars/compressed_mapper.hpp>
#include <mars/compression.hpp>
#include <mars/mapping/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {
using namespace mars;

auto exact_mapper() {
  return mapper{cost::analytical{}, parallel::exclusive_shared{}, search::exact{}};
}

auto published_point(std::string compression, std::string setting, double top1, double reference)
    -> compression::accuracy_point {
  return {.network = "Tiny-Net",
          .dataset = "ImageNet",
          .compression = std::move(compression),
          .setting = std::move(setting),
          .method = "measured",
          .top1 = top1,
          .reference_top1 = reference,
          .source = "a paper",
          .locator = "page 1",
          .note = {}};
}

auto tiny_network(int bits = 16) -> graph {
  builder b{"tiny", bits};
  auto const image = b.input("image", {1, 8, 6, 6});
  auto const x = b.relu(b.conv(image, {.out_channels = 16, .kernel = {3, 3}, .padding = {1, 1}}));
  b.output(b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}}));
  return std::move(b).build().value();
}

} // namespace

TEST_CASE("only published settings within the limit are mapped, and the best says which it is") {
  auto const g = tiny_network(32);
  // Nothing but bytes counts: the narrowest network is the fastest.
  mars_test::toy_processor const toy{
      .rows_rate = 1e15, .blocks_rate = 1e3, .transformed_rate = 1e3};
  auto const s = mars_test::toy_system(toy);
  std::vector<any_compression> const all{compression::none{}, compression::float16{},
                                         compression::int8{},
                                         compression::weight_pruning{.sparsity = 0.8}};
  accuracy_limit limit{.network = "tinynet",
                       .most_loss = 1,
                       .points = {published_point("int8", "int8", 70.0, 70.5),
                                  published_point("int8", "int8", 69, 70.5),
                                  published_point("weight_pruning", "sparsity 80 %", 60, 70.5)}};
  auto const found = find_compressed(exact_mapper(), g, s, all, limit);
  REQUIRE(found);
  CHECK(found->compression == "int8");
  REQUIRE(found->accuracy);
  CHECK(found->accuracy->top1 == 70.0); // the one that loses least
  CHECK(found->accuracy->locator == "page 1");
  CHECK(found->considered == std::vector<std::string>{"none", "int8"});
  REQUIRE(found->rejected.size() == 2); // nobody published float16; pruning loses ten points
  CHECK(found->rejected[0].name == "float16");
  CHECK(found->rejected[1].name == "weight_pruning_80");
  auto const alone = exact_mapper().find(found->network, s);
  REQUIRE(alone);
  CHECK(found->plan.value == alone->value);
  CHECK(found->plan.mapping == alone->mapping);
  CHECK(found->plan.gap() == 0);
  CHECK(found->plan.value < exact_mapper().find(g, s)->value);

  CHECK(found->plan.exhausted);
  CHECK(found->plan.evaluations == alone->evaluations + exact_mapper().find(g, s)->evaluations);

  // Of a network of other bits than published ones nothing is known.
  auto const narrow = find_compressed(exact_mapper(), tiny_network(16), s, all, limit);
  REQUIRE(narrow);
  CHECK(narrow->considered == std::vector<std::string>{"none"});
  CHECK_FALSE(narrow->accuracy);

  limit.most_loss = 0.4;
  CHECK(find_compressed(exact_mapper(), g, s, all, limit)->compression == "none");
  CHECK_FALSE(find_compressed(exact_mapper(), g, s, all, limit)->accuracy);
  auto const refused = find_compressed(exact_mapper(), g, s, std::span{all}.subspan(1), limit);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::infeasible);
}

namespace {

/// Algorithm, format, compression.
using full_option = std::tuple<std::string, std::string, std::string>;

auto full_options_of(operation const& o, std::vector<operator_form> const& forms,
                     mars_test::toy_processor const& toy) -> std::vector<full_option> {
  std::vector<full_option> all;
  auto const add = [&](operation const& form, std::string const& compression) {
    auto const listed = toy.algorithms(shard{form});
    for (auto const& a : listed) {
      all.emplace_back(std::string{a.name}, "", compression);
      if (a.name == "vector") all.emplace_back("vector", "nchwc", compression);
    }
    if (!listed.empty()) return;
    all.emplace_back("", "", compression);
    for (auto const kind : {op_kind::elementwise, op_kind::pooling, op_kind::concat, op_kind::split,
                            op_kind::softmax, op_kind::normalization})
      if (o.kind == kind) all.emplace_back("", "nchwc", compression);
  };
  add(o, "");
  for (auto const& f : forms) add(f.op, f.compression);
  return all;
}

} // namespace

TEST_CASE("exact search mixes compressions, algorithms and formats best, against enumeration") {
  std::size_t compared = 0, mixed = 0, compressed = 0, scarce = 0;
  for (std::uint64_t trial = 0; trial < 260; ++trial) {
    CAPTURE(trial);
    random_stream r{913, trial};
    auto const g = mars_test::random_network(r, 2 + r.below(3));
    auto toy = mars_test::random_toy(r);
    auto s = mars_test::toy_system(toy);
    std::vector<any_compression> const all{compression::int8{}};
    auto const forms = forms_of(g, all);
    std::vector<std::vector<full_option>> options;
    double count = 1;
    mapping m{.sets = {{{accelerator_id{0}}, toy.title}}, .operators = {}};
    for (operator_id const v : operators(g)) {
      options.push_back(full_options_of(op(g, v), forms[v.index()], toy));
      count *= static_cast<double>(options.back().size());
      m.operators.push_back({set_id{0}, sharding{}});
    }
    if (count > 1000) continue;
    std::vector<std::pair<std::int64_t, ticks>> values; // peak, latency
    std::vector<std::size_t> digit(options.size());
    for (bool more = true; more;) {
      for (std::size_t v = 0; v < digit.size(); ++v) {
        auto& p = m.operators[v];
        std::tie(p.algorithm, p.format, p.compression) = options[v][digit[v]];
      }
      auto const e = evaluate(form_graph(g, forms, m).value(), s, m, cost::analytical{},
                              collective::standard{})
                         .value();
      values.emplace_back(e.memory[0].peak.count(), e.latency.count());
      more = false;
      for (std::size_t v = 0; v < digit.size() && !more; ++v) {
        more = ++digit[v] < options[v].size();
        if (!more) digit[v] = 0;
      }
    }
    std::sort(values.begin(), values.end());
    if (r.chance(0.5))
      s.accelerators[0].capacity = bytes{values[r.below(1 + values.size() / 3)].first};
    auto best = no_ticks, without = no_ticks;
    for (auto const& [peak, value] : values) {
      without = std::min(without, value);
      if (peak <= s.accelerators[0].capacity.count()) best = std::min(best, value);
    }
    auto const found = find_mixed_of_unknown_accuracy(exact_mapper(), g, s, all).value();
    ++compared;
    CHECK(found.plan.exhausted);
    CHECK(found.plan.value == best);
    CHECK(found.plan.bound.value == best);
    scarce += best > without;
    std::size_t narrow = 0;
    for (auto const& p : found.plan.mapping.operators) narrow += p.compression == "int8";
    compressed += narrow > 0;
    mixed += narrow > 0 && narrow < g.size();
    CHECK(
        validate(found.plan.mapping, form_graph(g, forms, found.plan.mapping).value(), s).empty());
  }
  CHECK(compared >= 80);
  CHECK(compressed >= 20);
  CHECK(mixed >= 8);
  CHECK(scarce >= 5);
}

TEST_CASE("a compression that an operator cannot have is named") {
  auto const g = tiny_network();
  mapping m{.sets = {{{accelerator_id{0}}, "toy"}}, .operators = {}};
  m.operators.assign(3, {set_id{0}, sharding{}});
  m.operators[1].compression = "int3";
  operator_forms const none;
  auto const formed = form_graph(g, none, m);
  REQUIRE_FALSE(formed);
  CHECK(formed.error().code == error_code::unknown_name);
  CHECK(formed.error().path == "operators[1].compression");
  // Nor is it priced as if it were not there.
  auto const priced = evaluate(g, mars_test::toy_system(mars_test::toy_processor{}), m,
                               cost::analytical{}, collective::standard{});
  REQUIRE_FALSE(priced);
  CHECK(priced.error().code == error_code::invalid_mapping);
  CHECK(priced.error().path == "operators[1].compression");
  m.operators.pop_back();
  CHECK(form_graph(g, none, m).error().code == error_code::invalid_mapping);
}

TEST_CASE("schedules refuse compressions that differ between neighbours") {
  auto const g = tiny_network();
  std::vector<any_compression> const all{compression::int8{}};
  auto const forms = forms_of(g, all);
  auto const s = mars_test::toy_system(mars_test::toy_processor{});
  mapping m{.sets = {{{accelerator_id{0}}, "toy"}}, .operators = {}};
  m.operators.assign(g.size(), {set_id{0}, sharding{}});
  for (operator_id const v : operators(g)) m.launch_order.push_back(v);
  auto const price = [&] {
    auto const formed = form_graph(g, forms, m);
    return evaluate(formed.value(), s, m, cost::analytical{}, collective::standard{});
  };
  for (auto& p : m.operators) p.compression = "int8";
  CHECK(price());
  m.operators[1].compression.clear();
  auto const mixed = price();
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().code == error_code::unsupported);
  CHECK(mixed.error().path == "operators[1].compression");
}

TEST_CASE("forms that cannot stand in for their operator are named") {
  auto const g = tiny_network();
  auto const s = mars_test::toy_system(mars_test::toy_processor{});
  std::vector<any_compression> const all{compression::int8{}};
  auto const sound = forms_of(g, all);
  auto const refused = [&](operator_forms const& forms) {
    return exact_mapper().find_formed(g, s, forms).error().path;
  };
  REQUIRE(exact_mapper().find_formed(g, s, sound));
  auto forms = sound;
  forms[2].front().op.dims[0].extent += 1;
  CHECK(refused(forms) == "forms[2][0].dims");
  forms = sound;
  forms[0].front().op.operands[0].element_bits = 0;
  CHECK(refused(forms).starts_with("forms[0][0]."));
  forms = sound;
  forms.pop_back();
  CHECK(refused(forms) == "forms");
}

TEST_CASE("operators that differ in their forms alone are told apart") {
  builder b{"twins"};
  auto const same = [&](value x) {
    return b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}});
  };
  b.output(same(same(same(same(b.input("image", {1, 8, 6, 6}))))));
  auto const g = std::move(b).build().value();
  auto const s = mars_test::toy_system(mars_test::toy_processor{});
  std::vector<any_compression> const all{compression::int8{}};
  auto const choices = [&](operator_forms const& forms, std::size_t v) {
    return build_problem(g, s, cost::analytical{}, parallel::exclusive_shared{},
                         collective::standard{}, objective::latency{}, {{accelerator_id{0}}},
                         overlaps::no, algorithm_choice::mapper, forms)
        .value()
        .shardings(v, 0)
        .size();
  };
  auto forms = forms_of(g, all);
  CHECK(choices(forms, 1) == choices(forms, 2));
  forms[2].clear();
  CHECK(choices(forms, 1) == 2 * choices(forms, 2));
}
