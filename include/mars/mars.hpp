// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// mars: maps deep neural networks onto systems of accelerators, and says how far from optimal.
//
// This header is the whole library but what reads and writes files (mars/io/…), executes streams
// (mars/runtime.hpp), runs and measures kernels (mars/primitive/kernels.hpp, mars/measurement.hpp) and checks
// policies (mars/testing.hpp). Its rooms, each with a guide at the top of its header, in the order in which
// they build on each other:
//
//   core.hpp          units, errors, random numbers, deadlines
//   workload.hpp      operators as iteration spaces; graphs of them
//   interconnect.hpp  links, routes, topologies
//   hardware.hpp      designs, accelerators, systems, presets
//   parallel.hpp      shardings and all that follows from them
//   collective.hpp    all-reduce and its kin
//   mapping.hpp       the answer as a value; validation
//   cost.hpp          what a shard costs on a design
//   scheduling.hpp    operators on the streams of one GPU
//   evaluation.hpp    what a mapping costs; tables for searches
//   search.hpp        policies that find mappings
//   mapper.hpp        the façade
//   compression.hpp   smaller networks from networks
//   primitive.hpp     algorithms of convolutions, and processors that offer several
//   exploration.hpp   the acceleration stack as one space
//   zoo.hpp           published networks

#include <mars/collective.hpp>
#include <mars/compressed_mapper.hpp>
#include <mars/compression.hpp>
#include <mars/core.hpp>
#include <mars/core/format.hpp>
#include <mars/cost.hpp>
#include <mars/evaluation.hpp>
#include <mars/exploration.hpp>
#include <mars/hardware.hpp>
#include <mars/interconnect.hpp>
#include <mars/mapper.hpp>
#include <mars/mapper_format.hpp>
#include <mars/mapping.hpp>
#include <mars/parallel.hpp>
#include <mars/primitive.hpp>
#include <mars/scheduling.hpp>
#include <mars/search.hpp>
#include <mars/version.hpp>
#include <mars/workload.hpp>
#include <mars/zoo.hpp>
