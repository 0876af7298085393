// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Workload: what a network computes, in one algebra.
//
// An operator is an *iteration space* (workload/iteration_space.hpp) — named dimensions, each
// parallel, reduction or sequential — and *operands* that index it by affine axes `offset + Σ
// stride·dim` (workload/operation.hpp). A matrix product, for instance, is
//
//     m n | k      a[m, k]   b[k, n]   out[m, n]      one MAC per point
//
// and everything else follows by interval arithmetic: what a shard reads and writes, its halo, what
// is replicated, where partial sums arise. No operator is special; `op_kind` and `type` are for
// people and for cost models of whole primitives.
//
// Concept (workload/concept.hpp)
//   WorkloadGraph   operators(g), op(g, v), inputs(g, v): found by argument-dependent lookup, so a
//                   compiler's own IR becomes a workload with three functions
//
// Models
//   graph           frozen, packed, sound by construction: what builder and make_graph return
//   basic_graph<representation::adjacency_list>   grows; freeze() turns it into a graph
//   (both model Boost.Graph's concepts: #include <mars/workload/graph_traits.hpp> and any of its
//   algorithms applies to them; it needs Boost.Graph, so it is not included here)
//
// How to come by one
//   builder         model code, shapes inferred: b.relu(b.conv(x, {.out_channels = 64, …}))
//   make_graph      operations and edges from a file
//   mars/zoo.hpp, mars/io: networks by name, ONNX, JSON
//
// Operators (workload/operators.hpp, namespace ops): pure functions from shapes to an operation
//   conv, conv_transpose   n g k z y x | c q r s        matmul, linear, gemm   b0 b1 … m n | k
//   pool, global_pool      n k z y x | q r s            lstm, gru              t d n k | c
//   elementwise, expand, batch_norm, layer_norm, group_norm, rms_norm, lrn, softmax, reduce,
//   concat, split, reshape, flatten, transpose, slice, pad, gather, embedding, resize, opaque
//                          the axes of the result: n k y x in rank 4, d0 d1 … otherwise
//
// Questions to any graph (workload/topology.hpp)
//   topological_order, consumers, operator_classes, external_inputs, macs_of, flops_of,
//   parameters_of; validate (workload/validate.hpp) for graphs that come from elsewhere
//
// Numbers are checked where they enter: an extent that is zero, negative or too large is an error
// with the path to its operator, and totals over a graph stay below 2⁶².

#include <mars/workload/builder.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/iteration_space.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/operator_range.hpp>
#include <mars/workload/operators.hpp>
#include <mars/workload/shape.hpp>
#include <mars/workload/shard.hpp>
#include <mars/workload/topology.hpp>
#include <mars/workload/validate.hpp>
