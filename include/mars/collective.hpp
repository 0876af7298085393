// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Collective: what a group of accelerators does together, and how long it takes.
//
// Concept (collective/concept.hpp)
//   CollectiveModel   time(net, kind, group, bytes); collective_kind says what the bytes are
//
// Models (mars::collective), and when to choose them
//   standard          the fastest of all below but the last, for each call: the default
//   ring              large messages; the formulas of MARS
//   halving_doubling  small and middle messages on switches
//   tree              small broadcasts and reductions
//   direct            all-to-all where every pair has a path of its own
//   hierarchical      fast nodes in a slower network
//   cheapest<…>       the fastest of a list of your own
//   calibrated        a measured table; what it does not cover is left to another model
// They price any Interconnect; from a RoutedInterconnect they also learn which messages of a step
// share links, and charge for it. Algorithms are bulk-synchronous: a step ends when its last
// message has arrived. Reduction arithmetic is free.

#include <mars/collective/calibrated.hpp>
#include <mars/collective/cheapest.hpp>
#include <mars/collective/concept.hpp>
#include <mars/collective/direct.hpp>
#include <mars/collective/halving_doubling.hpp>
#include <mars/collective/hierarchical.hpp>
#include <mars/collective/ring.hpp>
#include <mars/collective/tree.hpp>
