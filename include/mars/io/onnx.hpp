// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// ONNX: a workload graph from a model file, and a mapping in one. Component mars::onnx (protobuf and libonnx's generated
// classes; ONNX's checker and shape inference are never called).
//
//   load.hpp      load_onnx(path), parse_onnx(bytes) → onnx_import or one error
//   options.hpp   onnx_options: symbols, batch, element bits; onnx_import: graph and warnings
//
//   multi_device.hpp          annotate_onnx, read_onnx_mapping: a mapping as multi-device annotations
//   write_model.hpp           export_onnx: of a model's bytes, or of a skeleton of any graph
//   device_configuration.hpp  the annotations as plain values: read, write
//   validate_devices.hpp      the rules of the annotations that no checker tests
//
//     auto const model = mars::io::load_onnx("bert.onnx", {.symbols = {{"sequence", 128}}});
//     if (!model) fmt::print("{}\n", to_string(model.error()));
//     for (auto const& w : model->warnings) fmt::print("{}\n", w);
//
// One operator per compute node, in an order that respects the tensors, named after the node
// (`Conv_17` without a name, `_2` for a second of that name). Nodes of functions and branches are
// inlined and named `caller/node`. Weights are named after their initializer or the node that makes
// them; a weight read by several nodes is one. What becomes of a node:
//
// kept        everything else; nothing is fused
// folded      nodes that depend on weights only: the result is a weight, under its root's name
//             while only its layout changed (Unsqueeze, Reshape, Transpose, Cast, …); small integer
//             and float tensors keep their values, so shape arithmetic ends in numbers
// elided      Identity, Dropout (unless its ratio is an input, which it then consumes), Concat and
//             Split of one part, Expand and Tile that change nothing, nodes that reach no output
// inlined     model-local functions (a handler of the default domain comes first), the branch of an
//             If that a constant condition chooses — or the first one, with a warning
// opaque      unknown operators, Loop, Scan, attention with packed or cached keys: tensors are
//             known by the stored value_info, cost is not estimated, never cut; a warning each
// refused     an operator whose output shape cannot be known
//
// Parameters are floating-point constants and quantised weights that operators read, normalisation
// statistics and scalars included. Constants of 32 and 64 bit integers, booleans and strings are
// indices and masks: external inputs, not parameters — but for the biases of Conv and Gemm.
// Scales and zero points inside QLinear operators, and bias, mask and cache inputs of fused
// attention operators, are not represented.
//
// Guessed, with a warning: an unbound symbol, an empty, zero or negative dimension is 1; a Reshape
// whose element counts differ becomes opaque. External data is never read: extents and types
// suffice.
//
// Limits: 500,000 nodes after inlining, nesting of 48, values of constants up to 16,384 elements.

#include <mars/io/onnx/device_configuration.hpp>
#include <mars/io/onnx/load.hpp>
#include <mars/io/onnx/multi_device.hpp>
#include <mars/io/onnx/options.hpp>
#include <mars/io/onnx/validate_devices.hpp>
#include <mars/io/onnx/write_model.hpp>
