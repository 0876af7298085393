// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The acceleration stack as one space: which network, compressed how, run by which algorithm, made into
// code by what, on which hardware (DLAS: Gibson, Cano, Crowley, Storkey, O'Boyle, ACM TACO 2024, doi
// 10.1145/3688609).
//
// Each layer is an *axis*: a list of types, each with any number of values. A *cell* is one element of
// each. *Relations* between types (and values) say which cells can be; the rest are counted with their
// reason and never compiled. Legal cells are priced by a cost model, each question once, and measured
// where somebody measured them.
//
//   explore               cells of a stack, priced, and all that follows     start here
//   tabulated_accuracy    published accuracies; never modelled             with compression/published_accuracy.hpp
//   listed_algorithms     prices by the design's own list of algorithms      with primitive::processor
//   CellCostFor           your own prices
//   relations             executes_for, accepts_weights_for, covers_for      add yours to the list
//   analyse               draws the conclusions again                        after changing cells
//
//   namespace p = mars::primitive;
//   exploration::stack const s{
//       exploration::axis{std::vector{exploration::network{"resnet18", zoo::resnet18()}}},
//       exploration::axis{compression::none{}, std::vector{compression::weight_pruning{.8}}},
//       exploration::axis{p::direct{}, p::csr_direct{}},
//       exploration::axis{exploration::untuned{}, exploration::tuned{}},
//       exploration::axis{std::vector{presets::processor_design(presets::processors()[0])}}};
//   auto const found = exploration::explore(s, exploration::listed_algorithms{},
//                                           exploration::fallbacks{p::direct{}, p::csr_direct{}});
//
// What follows from cells (`study`) is made of functions that take any table:
//
//   effect_of, interaction_of                     moves along one axis and two, in ln time
//   split_variance, largest_complete_block        shares of the variance; drop_one_variance with holes
//   pareto_front_of                               what nothing beats
//   break_even_of (cost/)                         from which sparsity on it pays
//   kendall_tau_b, spearman (core/statistics)     do two quantities rank alike?
//   find_findings                                 DLAS's claims against the study's own figures
//
// Files: io/study.hpp.

#include <mars/exploration/analyse.hpp>
#include <mars/exploration/axis.hpp>
#include <mars/exploration/cell_cost.hpp>
#include <mars/exploration/explore.hpp>
#include <mars/exploration/find_findings.hpp>
#include <mars/exploration/legality.hpp>
#include <mars/exploration/pareto.hpp>
#include <mars/exploration/relations.hpp>
#include <mars/exploration/response.hpp>
#include <mars/exploration/stack.hpp>
#include <mars/exploration/study.hpp>
#include <mars/exploration/tabulated_accuracy.hpp>
#include <mars/exploration/variance.hpp>
