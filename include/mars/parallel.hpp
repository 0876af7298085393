// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Parallel: how the devices of a set divide one operator, and what follows from it.
//
// A `sharding` is a small value: exclusive cuts, at most one shared cut (a tensor kept in rotating
// parts), an optional reduce-scatter. Nothing else is chosen; everything below is derived from it and
// from the operator's algebra, and proven by execution (tests/laws/interpreter_proof.test.cpp):
//
//   question                                     answer
//   is it meaningful for this operator?          check(op, s, set_size)
//   which iterations does a device own?          shard_box, shard_extents; phase_box, phase_extents
//   who holds the same part of a tensor?         replication_group; rotating_operand
//   whose partial sums add up?                   partial_sum_group
//   what does a device own, or need, of a tensor? output_layout, input_layout
//   how many bytes does it hold?                 footprint_of
//   which bytes move between two layouts?        redistribution
//
// Strategies say which shardings a mapper considers (concept: parallel/concept.hpp):
//
//   strategy                      proposes                                   prefer it
//   parallel::exclusive_shared    MARS: ≤ 2 exclusive cuts, ≤ 1 shared one   as the default
//   parallel::data                the batch only                             as a reference
//   parallel::iteration_splits    PaSE: every split of the iteration space   for exact answers
//   parallel::longest_dimensions  the two longest dimensions                 for the written baseline
//   parallel::whole               no division                                for placement alone

#include <mars/parallel/concept.hpp>
#include <mars/parallel/data.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/iteration_splits.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/longest_dimensions.hpp>
#include <mars/parallel/redistribution.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/parallel/to_string.hpp>
#include <mars/parallel/whole.hpp>
