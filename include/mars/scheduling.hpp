// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators in parallel on the streams of one accelerator (Nimble, IOS, Opara, and search).
//
// A *stream graph* is the operators of one device as kernels; a *stream problem* puts it on a device
// with what schedules must keep; a *stream schedule* says which stream launches a node, and in which
// order; `simulate_streams` says when everything runs, `bound_streams` what no schedule is below.
// Concept: scheduling/concept.hpp.
//
//   policy                     which                                           prefer it
//   scheduling::sequential     one stream                                      as the baseline
//   scheduling::path_cover     Nimble: fewest waits, nothing serialised        where concurrency counts
//   scheduling::chain_cover    as many streams as run at once, used again      where streams are few
//   scheduling::opara          hands streams on; classes alternate             unlike kernels, at once
//   scheduling::ios            stages by dynamic programming, merging          wide blocks, small batches
//   scheduling::ios_greedy     stages of all that is ready                     as IOS's baseline
//   scheduling::critical_path  list scheduling by upward rank (HEFT)           branches of unlike length
//   scheduling::best           search from all of these, with a proven gap     otherwise
//   scheduling::any_scheduler  what it wraps                                   to choose at run time
//
//   auto const gpu = mars::presets::find_device("a100_pcie").value();
//   auto const kernels = mars::make_stream_graph(mars::zoo::googlenet(), gpu).value();
//   auto const problem = mars::stream_problem::make(kernels, gpu.limits).value();
//   auto const found = mars::scheduling::best{}(problem, {});   // found.latency(), found.bound
//
// A schedule is judged by others: `validate` (order, limits), `to_program` and `find_races` (events),
// `peak_memory`. runtime/ executes it.

#include <mars/scheduling/any_scheduler.hpp>
#include <mars/scheduling/best.hpp>
#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/convolution_kernels.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/find_races.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/ios_greedy.hpp>
#include <mars/scheduling/make_stream_graph.hpp>
#include <mars/scheduling/merge.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/peak_memory.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/stream_context.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_program.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/stream_timeline.hpp>
#include <mars/scheduling/stream_violation.hpp>
#include <mars/scheduling/synchronization.hpp>
#include <mars/scheduling/to_program.hpp>
#include <mars/scheduling/validate.hpp>
