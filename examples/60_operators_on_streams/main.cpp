// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators in parallel on the streams of one GPU: what each scheduler makes of six networks, simulated.
#include <mars/hardware.hpp>
#include <mars/scheduling.hpp>
#include <mars/zoo.hpp>

#include <fmt/format.h>

#include <string_view>

namespace {

auto milliseconds(mars::picoseconds t) -> double { return mars::to_seconds(t).count() * 1e3; }

/// A network as kernels of a device; convolutions of one input may be merged.
auto problem_of(std::string_view network, std::int64_t batch, mars::hardware::gpu const& gpu,
                mars::dispatch_rule dispatch = mars::dispatch_rule::blocking)
    -> mars::stream_problem {
  auto const workload = mars::zoo::find(network, {.batch = batch, .element_bits = 32}).value();
  auto kernels = mars::make_stream_graph(workload, gpu, workload.name()).value();
  return mars::stream_problem::make(std::move(kernels), gpu.limits,
                                    {.dispatch = dispatch, .lower = mars::convolution_kernels(gpu)})
      .value();
}

/// How many times faster than one replayed stream, as simulated, without head-of-line blocking, and as
/// Opara's authors measured it.
void compare(std::string_view network, std::string_view device, double nimble, double opara) {
  auto const gpu = mars::presets::find_device(device).value();
  auto const p = problem_of(network, 1, gpu);
  auto const free = problem_of(network, 1, gpu, mars::dispatch_rule::skipping);
  auto const one = mars::scheduling::sequential{}(p, {}).latency();
  mars::scheduling::path_cover const covers;
  mars::scheduling::opara const launches;
  fmt::print("{:<17} {:<15} {:>6.2f} {:>9.2f} {:>9.2f} {:>7.2f} {:>9.2f} {:>9.2f}\n", network,
             device, one / covers(p, {}).latency(), one / covers(free, {}).latency(), nimble,
             one / launches(p, {}).latency(), one / launches(free, {}).latency(), opara);
}

} // namespace

int main() {
  namespace scheduling = mars::scheduling;
  constexpr std::string_view networks[] = {"googlenet",   "inception_v3", "squeezenet",
                                           "densenet121", "bert_base",    "t5_small_encoder"};
  fmt::print("milliseconds, simulated, float32\n{:<17} {:>5} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} "
             "{:>6} {:>7}\n",
             "", "batch", "one", "Nimble", "Opara", "IOS", "best", "bound", "gap", "streams");
  for (std::string_view const device : {"a100_pcie", "rtx_2080_super"}) {
    fmt::print("{}\n", device);
    auto const gpu = mars::presets::find_device(device).value();
    for (std::int64_t const batch : {1, 16})
      for (auto const network : networks) {
        auto const p = problem_of(network, batch, gpu);
        auto const best = scheduling::best{.evaluations = 10'000}(p, {});
        auto const at = milliseconds(best.latency()), bound = milliseconds(best.bound);
        fmt::print(
            "{:<17} {:>5} {:>9.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>5.1f}% {:>7}\n",
            network, batch, milliseconds(scheduling::sequential{}(p, {}).latency()),
            milliseconds(scheduling::path_cover{}(p, {}).latency()),
            milliseconds(scheduling::opara{}(p, {}).latency()),
            milliseconds(scheduling::ios{}(p, {}).latency()), at, bound, 100 * (at - bound) / at,
            best.schedule.streams());
      }
  }
  // Figures of Opara's charts (arXiv 2312.10351), divided by its CUDA Graph column.
  fmt::print("\ntimes faster than one stream\n{:<17} {:<15} {:>6} {:>9} {:>9} {:>7} {:>9} {:>9}\n",
             "", "", "Nimble", "unblocked", "published", "Opara", "unblocked", "published");
  compare("googlenet", "rtx_2080_super", 2.95 / 2.27, 3.83 / 2.27);
  compare("inception_v3", "rtx_2080_super", 1.66 / 1.34, 1.80 / 1.34);
  compare("t5_small_encoder", "a100_pcie", 3.77 / 3.66, 4.18 / 3.66);
  compare("bert_base", "a100_pcie", 4.06 / 3.76, 4.06 / 3.76);
}
