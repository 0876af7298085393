// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Evaluation: what a mapping costs, and the tables that searches run on.
//
//   evaluate(graph, system, mapping, cost, collective)   the reference: asks the models themselves
//   build_problem(graph, system, …) → mapping_problem    the same prices as dense tables, each
//                                                        distinct question asked once
//   build_uniform_problem(graph, p, …)                   tables of a cost that adds up over layers and
//                                                        transfers, on p equal devices (PaSE)
//   mapping_problem::evaluate(assignment)                equal to the reference to the picosecond
//   delta_evaluator                                      the same after every move, in O(degree)
//   build_schedule_problem(graph, system, …) → schedule_problem, schedule_evaluator, schedule_bound
//                                                        the same for mappings with a launch order
//   evaluate_streams(graph, system, mapping, …)          the same for mappings with streams: all GPUs in
//                                                        one simulation of kernels; bound_placement
//   assign_streams(graph, system, mapping, …, scheduler) streams for the sets of a mapping, by any
//                                                        StreamScheduler; never slower than one stream
//   find_critical_path(graph, mapping, times)            what each operator, and each accelerator at
//                                                        rest, waits for; the chain that sets the latency
//   find_arrivals(graph, system, mapping, …)             when inputs come, with overlapped transfers
//   memory_over_time(graph, mapping, …)                  weights, results and buffers, step by step
//   static_bounds(problem), static_bound(problem)        what no assignment can be better than, and why
//   activity_graph                                       computations and transfers that wait for each
//                                                        other: what a simulation executes
//   lower(graph, system, mapping, cost, collective)      a mapping as activities
//   simulate(plan, network, sharing) → timeline          executes it, event by event: transfers that
//                                                        meet on a link share it
//
// How messages share a link (concept: LinkSharing, evaluation/sharing/concept.hpp):
//
//   sharing::max_min_fair   all at once at max–min fair rates: networks that interleave packets
//   sharing::fifo           one at a time, in the order of arrival: engines that copy buffers
//
// Semantics (sequential, MARS): operators run one after another along the topological order that takes
// the smallest id first. An operator costs
//
//   redistribution  its inputs, from where their producers left them to where it needs them; halos
//                   and gathers are nothing but this (price: `channel`)
//   compute         the slowest shard, all phases of a shared cut
//   rotation        waiting for the rotating tensor beyond the computation
//   partial sums    all-reduce or reduce-scatter over the devices that share a cut reduction
//   state exchange  gathering the state of a recurrence at every step
//   reorders        inputs rewritten in the format, or the width, that it reads; see below
//
// Algorithms and formats: a design that reorders (`ReorderingDesign`) lets choose among its algorithms,
// and a cost model says what each takes (`AlgorithmCostModelFor`). Then a choice of an operator is its sharding
// *and* its algorithm (and a compression of this operator alone, of `operator_forms`), and layouts in
// edge tables are told apart by format: searches, bounds and proofs go on as before. An operator without an
// algorithm carries the format it reads, if it can. Workspaces, weights in an algorithm's own form and
// rewritten copies fill memory. Each reader rewrites for itself. Schedules take the designs' own choice.
//
// Semantics (scheduled): a mapping with a launch order. Operators on different accelerators run at the
// same time; the value is the makespan. See evaluation/evaluate_schedule.hpp and evaluation/staging.hpp.
//
// Semantics (streamed): a launch order, and a stream of every operator. GPUs run operators of several
// streams beside each other. See evaluation/evaluate_streams.hpp.
//
// Graph inputs and weights are where they are needed when the inference starts (assumed). Memory of a
// device: the weights of all its operators; beside them, while an operator runs, the outputs that
// still have readers, what it receives, its own outputs and buffers. Every member of a set is charged
// for the largest shard. Not fitting is data: `evaluation::shortages`.
//
// Objectives (concept: evaluation/objective.hpp): objective::latency, throughput, energy, weighted;
// objective::within{base, memory, energy} puts limits on another.

#include <mars/evaluation/activity.hpp>
#include <mars/evaluation/arrivals.hpp>
#include <mars/evaluation/assign_streams.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/build_problem.hpp>
#include <mars/evaluation/build_schedule_problem.hpp>
#include <mars/evaluation/build_uniform_problem.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/evaluation/evaluate.hpp>
#include <mars/evaluation/evaluate_schedule.hpp>
#include <mars/evaluation/evaluate_streams.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/event_queue.hpp>
#include <mars/evaluation/exchanges.hpp>
#include <mars/evaluation/lower.hpp>
#include <mars/evaluation/memory_over_time.hpp>
#include <mars/evaluation/objective.hpp>
#include <mars/evaluation/operator_forms.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/evaluation/schedule_assignment.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/evaluation/schedule_problem.hpp>
#include <mars/evaluation/sharing/concept.hpp>
#include <mars/evaluation/sharing/fifo.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>
#include <mars/evaluation/staging.hpp>
#include <mars/evaluation/wait_cause.hpp>
