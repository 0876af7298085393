// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Compression: smaller networks from networks.
//
// A *compression* turns a graph into another with the same operators and edges. Sizes, MACs, element
// widths and densities are those of the resulting graph, so costs, memory limits and mappings follow
// without being told. Concepts: compression/concept.hpp.
//
//   compression                    weights                  MACs           acts on
//   none                           as they are              same
//   weight_pruning                 density 1 − sparsity     same; sparse   single operators
//   layerwise_weight_pruning       density per layer        kernels skip
//   float16, bfloat16              ½ of 32 bits             same           single operators
//   int8                           ¼ and 4-byte scales      same           single operators
//   channel_pruning                keep² at a layer with    same share     whole networks: readers
//                                  both sides pruned                       follow, additions tie
//   then{a, b}                     one after the other
//
// What acts on single operators (`OperatorCompression`) can be chosen operator by operator.
//
// A mapper chooses: compressed_mapper.hpp. `any_compression` is for choice at run time.
//
// Accuracy is looked up in tables of published points, each with its source, and unknown elsewhere:
// `find_accuracy(points, "resnet50", weight_pruning{.sparsity = 0.8})`. The library's own table is
// `published_accuracies()`, #include <mars/compression/published_accuracy.hpp>; others load from CSV
// (`load_accuracy_points`).

#include <mars/compression/accuracy.hpp>
#include <mars/compression/any_compression.hpp>
#include <mars/compression/channel_pruning.hpp>
#include <mars/compression/concept.hpp>
#include <mars/compression/none.hpp>
#include <mars/compression/precision.hpp>
#include <mars/compression/then.hpp>
#include <mars/compression/weight_pruning.hpp>
