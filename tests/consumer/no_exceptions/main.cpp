// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A host without exceptions and run-time type information, as LLVM's are: all of mars compiles and links there. Boost
// calls boost::throw_exception where it would throw; such a host defines it.
#include "../host.hpp"

#include <boost/throw_exception.hpp>

#include <cstdlib>
#include <exception>

#ifdef __cpp_exceptions
#error "this host is to be compiled with -fno-exceptions"
#endif

namespace boost {

void throw_exception(std::exception const& what) {
  std::fputs(what.what(), stderr);
  std::abort();
}

void throw_exception(std::exception const& what, boost::source_location const&) {
  throw_exception(what);
}

} // namespace boost

// The whole way through, by the functions that return `expected`.
int main() {
  auto const network = mars::zoo::find("alexnet", {});
  auto const system = mars::presets::find("aws_f1_16xlarge");
  if (!network || !system) return 1;
  auto const baseline = mars::find_baseline(*network, *system);
  if (!baseline) return 1;
  mars::mapper const mapper{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            mars::search::two_level_genetic{.seed = 1, .patience = 2}};
  auto const plan = mapper.with_start(baseline->mapping).find(*network, *system);
  if (!plan) {
    std::fputs(to_string(plan.error()).c_str(), stderr);
    return 1;
  }
  mars::mapper const prover{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            mars::search::exact{}};
  auto const best = prover.find(*network, *system);
  if (!best || !best->exhausted || best->latency() > plan->latency()) return 1;
  return plan->feasible() && plan->latency() <= baseline->latency() ? 0 : 1;
}
