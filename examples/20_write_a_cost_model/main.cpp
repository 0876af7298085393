// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A cost model is a value with one call operator: what does this shard cost on this design? Here the
// designs' own times are corrected by what a (made-up) measurement campaign found: small shards reach
// less of the peak, and a launch costs 5 µs.

#include <mars/mars.hpp>

struct corrected {
  double half_rate_macs{2e6}; // shards of this size run at half speed
  mars::seconds launch{5e-6};

  template <mars::AcceleratorDesign Design>
  auto operator()(mars::shard const& shard, Design const& design) const -> mars::shard_cost {
    mars::shard_cost cost{design.time(shard), {}};
    auto const macs = static_cast<double>(macs_of(shard).count());
    if (macs == 0) return cost; // fused into its neighbours by these designs
    cost.time.compute = cost.time.compute * ((macs + half_rate_macs) / macs);
    cost.time.overhead = launch;
    cost.time.total = cost.time.compute + launch;
    return cost;
  }
};
static_assert(mars::CostModel<corrected>);

int main() {
  auto const network = mars::zoo::googlenet();
  auto const system = mars::presets::aws_f1_16xlarge();

  auto const datasheet = mars::mapper{}(network, system);
  auto const measured = mars::mapper{corrected{}}(network, system);
  // The mapping found with data-sheet times, priced by the corrected ones.
  auto const naive = mars::mapper{corrected{}}.price(network, system, datasheet.mapping).value();

  fmt::print("promised by data sheet times    {:.4}\n", datasheet.latency());
  fmt::print("that mapping, corrected times   {:.4}\n", naive.latency());
  fmt::print("mapped with corrected times     {:.4}\n", measured.latency());
}
