// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Measurement: what kernels take on the machine at hand. Not part of mars.hpp: it is for programs that run
// kernels. Concept: Clock.
//
//   header               what
//   thread_clock.hpp     CPU time of a thread, where it is counted; else time that passes
//   timing.hpp           time, time_interleaved: warm, repeated, a low quantile, candidates in turns
//   buffer.hpp           aligned memory full of numbers that are neither equal nor denormal
//   machine.hpp          describe_machine (name, caches, a key for caches of results), measure_machine
//                        (peak, bandwidth by working set; about a second)
//   measurements.hpp     timings by machine and kernel in a file; load, merge, save
//   progress_bar.hpp     a line on a terminal with the time left
//   candidate.hpp        a kernel that may be made and timed; sources of them for a layer
//   layers.hpp           the distinct layers of a network
//   probes.hpp           probe_layers: layers of no network, to be measured beside networks
//   pace.hpp             how fast the machine is meanwhile
//   measure_layers.hpp   measure_layers: each kernel of each source on each layer of some networks
//   choice.hpp           what networks lose by who chooses their kernels: a model, a library
//   break_even.hpp       from which share of zeros on sparse kernels pay: measured, and by a model
//
// Two headers are included by who needs them, because they cost something:
//
//   own_kernels.hpp      the source of the library's own kernels; tens of seconds to compile
//   onednn.hpp           that of oneDNN's; component mars::onednn
//
//   auto const m = mars::measurement::measure_machine();
//   auto const rows = mars::measurement::measure_layers(
//       networks, {.sources = {mars::measurement::own_kernels()}, .on = m}).value();
//   auto const fit = mars::cost::calibration::fit(observations_of(rows), rates_of(m));
//
// Which when: `fill` puts what was measured into a cost::table, exact for these layers; cost::calibrated
// answers for others, and is the table's fallback. Ratios are of one call of `measure_layers`; times of
// two runs on a shared machine differ by 5 % in the median and by a quarter at worst.

#include <mars/measurement/break_even.hpp>
#include <mars/measurement/buffer.hpp>
#include <mars/measurement/candidate.hpp>
#include <mars/measurement/choice.hpp>
#include <mars/measurement/concept.hpp>
#include <mars/measurement/layers.hpp>
#include <mars/measurement/machine.hpp>
#include <mars/measurement/measure_layers.hpp>
#include <mars/measurement/measurements.hpp>
#include <mars/measurement/pace.hpp>
#include <mars/measurement/precision.hpp>
#include <mars/measurement/probes.hpp>
#include <mars/measurement/progress_bar.hpp>
#include <mars/measurement/thread_clock.hpp>
#include <mars/measurement/timing.hpp>
