// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Interconnect: what moving bytes between accelerators costs.
//
// Concepts (interconnect/concept.hpp)
//   Interconnect        size(), transfer_time(from, to, bytes): enough for analytic evaluation
//   RoutedInterconnect  … and links(), route(from, to): lets transfers contend
//   StagedInterconnect  … or host_time(a, bytes): transfers are part of operators
//
// Models (mars::interconnect), and when to choose them
//   fully_connected       a link of its own for every pair
//   grouped_through_host  groups joined through host memory: AWS F1, MARS
//   host_staged           nothing but host memory, and no computing meanwhile: H2H
//   switched              one switch, a port per accelerator: GPUs behind NVSwitch
//   ring, mesh, torus     neighbours only: TPU slices, Trainium, chiplets
//   hierarchy             switched nodes in a network, a network card per accelerator: GPU clusters
//   fat_tree              a tree of switches with shared uplinks: PCIe trees, network fabrics
//   arbitrary             any list of links, routed once; needs Boost.Graph, so not included here:
//                         #include <mars/interconnect/arbitrary.hpp>
// All are aggregates of parameters with validate(), whose errors name the parameter. Write your own
// when none fits: two members are enough.
//
// any_interconnect        one type for all of them, for choice at run time
// bandwidth.hpp           effective bandwidth of a pair
// components.hpp          sets of accelerators that are well connected: candidates for a mapping

#include <mars/interconnect/any_interconnect.hpp>
#include <mars/interconnect/bandwidth.hpp>
#include <mars/interconnect/components.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/interconnect/fat_tree.hpp>
#include <mars/interconnect/fully_connected.hpp>
#include <mars/interconnect/grouped_through_host.hpp>
#include <mars/interconnect/hierarchy.hpp>
#include <mars/interconnect/host_staged.hpp>
#include <mars/interconnect/ring.hpp>
#include <mars/interconnect/switched.hpp>
#include <mars/interconnect/torus.hpp>
