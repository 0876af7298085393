// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What running a shard on a design costs: `model(shard, design)` → `shard_cost` (time by cause,
// energy). Concepts: CostModel, CostModelFor<Design>. Communication is priced elsewhere
// (interconnect/, collective/).
//
//   model               which when
//   cost::analytical    the default: the design's own formulas
//   cost::roofline      how far a design is from its roof; designs that have only a data sheet
//   cost::table<F>      measurements; F answers for gaps (analytical fills, unavailable refuses)
//   cost::calibrated<F, P…>  primitives P fitted to measurements (cost::calibration); F for all else
//   cost::cached<M>     M is slow and several problems ask it the same questions
//   any_cost            the choice is made at run time
//
// Beside them, costs that are no model of a device but a whole objective (concept: LayerwiseCost, in
// evaluation/build_uniform_problem.hpp):
//
//   cost::pase          PaSE's F in FLOP, for p equal devices
//
// Models with `algorithms(shard, design)` (AlgorithmCostModelFor: analytical, table, cached, any_cost)
// price the algorithms of a design one by one, and mappers choose; of others a shard has one price.
//
// How good a fit is where it has not been, `cross_validate` and `leave_groups_out` say. `break_even_of` says from
// which share of zeros on a sparse algorithm pays.
//
// Models are called while a problem is built, once per distinct question, never inside a search.
// A cost that is infinite means *must not*; an unknown energy stays unknown in sums.

#include <mars/cost/analytical.hpp>
#include <mars/cost/any_cost.hpp>
#include <mars/cost/bandwidth_curve.hpp>
#include <mars/cost/break_even.hpp>
#include <mars/cost/cached.hpp>
#include <mars/cost/calibrated.hpp>
#include <mars/cost/calibration.hpp>
#include <mars/cost/concept.hpp>
#include <mars/cost/cross_validation.hpp>
#include <mars/cost/pase.hpp>
#include <mars/cost/question.hpp>
#include <mars/cost/roofline.hpp>
#include <mars/cost/table.hpp>
