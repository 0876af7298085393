// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The algebra of shardings, proven by execution: random operations under random legal shardings,
// executed device by device with only what each holds, give the unsharded integers.

#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/interpreter.hpp"
#include "support/random_operations.hpp"

#include <mars/core/random.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/layout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using mars_test::part;

auto text(mars::operation const& op) -> std::string {
  std::string out = op.type + " dims";
  for (auto const& d : op.dims)
    out += " " + std::string{d.name.view()} + ":" + std::to_string(d.extent);
  for (auto const& t : op.operands) {
    out += t.role == mars::role::output ? "\n  out" : t.role == mars::role::weight ? "\n  w" : "\n  in";
    for (auto const& a : t.axes) {
      out += " [" + std::to_string(a.offset);
      for (auto const& term : a.terms)
        out += "+" + std::to_string(term.stride) + "*" +
               std::string{op.dims[term.dim].name.view()};
      out += "|" + std::to_string(a.extent) + "]";
    }
  }
  return out;
}

auto text(mars::operation const& op, mars::sharding const& s, std::size_t set_size) -> std::string {
  auto const name = [&](std::size_t d) { return std::string{op.dims[d].name.view()}; };
  std::string out = "p=" + std::to_string(set_size);
  for (auto const& c : s.exclusive) out += " " + name(c.dim) + ":" + std::to_string(c.ways);
  if (s.shared) out += " shared " + name(s.shared->dim) + ":" + std::to_string(s.shared->ways);
  if (s.scatter) out += " scatter " + name(*s.scatter);
  return out;
}

/// How often each feature was met, so that the proof cannot quietly stop covering it.
struct coverage {
  std::size_t cases{}, uneven{}, halos{}, partial_sums{}, scatters{}, replicas{}, several_cuts{};
  std::size_t rotating_weights{}, rotating_inputs{}, groups{}, batches{}, kernels{}, tight{};

  void count(mars::operation const& op, mars::sharding const& s, std::size_t set_size) {
    ++cases;
    bool odd = false, halo = false, group = false, batch = false, kernel = false;
    for (auto const& [dim, ways] : s.exclusive) {
      auto const& d = op.dims[dim];
      odd |= d.extent % ways != 0;
      group |= d.name == mars::label{"g"};
      batch |= d.name == mars::label{"n"};
      kernel |= d.name == mars::label{"r"} || d.name == mars::label{"s"};
      for (auto const& t : op.operands)
        for (auto const& a : t.axes)
          halo |= t.role == mars::role::input && a.uses(dim) && a.terms.size() > 1;
    }
    uneven += odd;
    halos += halo;
    groups += group;
    batches += batch;
    kernels += kernel;
    partial_sums += mars::partial_sums(op, s) > 1;
    scatters += s.scatter.has_value();
    replicas += static_cast<std::size_t>(shard_count(s)) < set_size;
    several_cuts += s.exclusive.size() > 1;
    if (auto const* t = rotating_operand(op, s, set_size))
      ++(t->role == mars::role::weight ? rotating_weights : rotating_inputs);
  }
};

/// Nothing is clipped, so the size of a critical shard is exact.
auto exact(mars::operand const& t) -> bool {
  for (auto const& a : t.axes) {
    if (a.offset != 0) return false;
    for (auto const& term : a.terms)
      if (term.stride < 0 || a.terms.size() > 1) return false;
  }
  return true;
}

/// Bytes that the devices of a plan hold, against what mars says the largest of them needs.
void check_memory(mars::operation const& op, mars::sharding const& s, std::size_t set_size,
                  mars_test::plan const& p, coverage& met) {
  auto const said = footprint_of(op, s, set_size);
  mars::footprint most{};
  auto const raise = [](mars::bytes& to, mars::bytes value) { to = std::max(to, value); };
  for (auto const& d : p.devices) {
    mars::footprint f{};
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      auto const& t = op.operands[i];
      auto const stored = [&](mars::tensor_box const& box) {
        return mars::storage(volume(box), t.element_bits);
      };
      if (i == p.rotating) {
        // A device holds one part while the next arrives: the largest of each over the phases.
        mars::bytes part{};
        for (auto const& phase : d.phases) raise(part, stored(reach(t, phase)));
        (t.role == mars::role::weight ? f.weights : f.inputs) += part;
        f.arriving = part;
      } else if (t.role == mars::role::weight) {
        f.weights += stored(d.holds[i]);
      } else if (t.role == mars::role::input) {
        f.inputs += stored(d.holds[i]);
      } else if (t.role == mars::role::output) {
        f.outputs += stored(reach(t, d.shard));
        if (s.scatter) f.exchange += stored(d.keeps[i]);
      }
    }
    raise(most.weights, f.weights);
    raise(most.arriving, f.arriving);
    raise(most.inputs, f.inputs);
    raise(most.outputs, f.outputs);
    raise(most.exchange, f.exchange);
  }
  CHECK(most.weights.count() <= said.weights.count());
  CHECK(most.arriving.count() <= said.arriving.count());
  CHECK(most.inputs.count() <= said.inputs.count());
  CHECK(most.outputs.count() <= said.outputs.count());
  CHECK(most.exchange.count() <= said.exchange.count());
  bool all_exact = true;
  for (auto const& t : op.operands) all_exact = all_exact && exact(t);
  if (!all_exact) return;
  ++met.tight;
  CHECK(most.weights.count() == said.weights.count());
  CHECK(most.arriving.count() == said.arriving.count());
  CHECK(most.inputs.count() == said.inputs.count());
  CHECK(most.outputs.count() == said.outputs.count());
}

/// One operation, unsharded once and then under several shardings.
struct trial {
  mars::operation op;
  std::vector<part> numbers;
  mars_test::outcome expected;

  trial(mars::operation o, std::uint64_t seed)
      : op{std::move(o)}, numbers{mars_test::numbers_for(op, seed)},
        expected{mars_test::execute(op, mars_test::plan_of(op, {}, 1), numbers)} {
    INFO(text(op));
    REQUIRE(expected.fault == "");
  }

  void prove(mars::sharding const& s, std::size_t set_size, coverage& met) const {
    INFO(text(op) << "\n" << text(op, s, set_size));
    auto const plan = mars_test::plan_of(op, s, set_size);
    auto const sharded = mars_test::execute(op, plan, numbers);
    CHECK(sharded.fault == "");
    CHECK((sharded.outputs == expected.outputs));
    check_memory(op, s, set_size, plan, met);
    met.count(op, s, set_size);
  }
};

constexpr std::array<std::size_t, 10> set_sizes{1, 2, 3, 4, 4, 5, 6, 8, 9, 12};

}  // namespace

namespace {

/// Operations of every family of a generator, each under shardings proposed and found.
template <class Generator>
auto prove_family_after_family(std::uint64_t seed, std::uint64_t operations) -> coverage {
  coverage met;
  mars::random_stream const root{seed};
  for (std::uint64_t i = 0; i < operations; ++i) {
    auto r = root.substream(i);
    Generator generate{r.substream(0)};
    trial const t{generate(i), i};
    // Everything the strategy proposes is legal; a few of them are executed.
    mars::parallel::exclusive_shared const strategy{.max_exclusive = 4, .cut_kernels = true};
    auto const ways = set_sizes[r.below(8)];
    auto const proposed = strategy.shardings(t.op, ways);
    for (int k = 0; k < 3; ++k) t.prove(r.pick(proposed), ways, met);
    // And whatever else is legal.
    for (int k = 0, tries = 0; k < 3 && tries < 60; ++tries) {
      auto const size = r.pick(set_sizes);
      auto const s = mars_test::any_sharding(r, t.op, size);
      if (!check(t.op, s, size) || s == mars::sharding{}) continue;
      t.prove(s, size, met);
      ++k;
    }
  }
  return met;
}

}  // namespace

TEST_CASE("every operator sharded any legal way computes what it computes unsharded") {
  auto const met = prove_family_after_family<mars_test::operation_generator>(2024, 3000);
  WARN("cases " << met.cases << " uneven " << met.uneven << " halos " << met.halos << " partial "
                << met.partial_sums << " scatter " << met.scatters << " replicas " << met.replicas
                << " several " << met.several_cuts << " rotw " << met.rotating_weights << " roti "
                << met.rotating_inputs << " groups " << met.groups << " batches " << met.batches
                << " kernels " << met.kernels << " tight " << met.tight);
}
TEST_CASE("factories") {
  auto const met = prove_family_after_family<mars_test::factory_generator>(2024, 3000);
  WARN("cases " << met.cases << " uneven " << met.uneven << " halos " << met.halos << " partial "
                << met.partial_sums << " scatter " << met.scatters << " replicas " << met.replicas
                << " several " << met.several_cuts << " rotw " << met.rotating_weights << " roti "
                << met.rotating_inputs << " groups " << met.groups << " batches " << met.batches
                << " kernels " << met.kernels << " tight " << met.tight);
}
