// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Exporters: a mapping in the words of other tools.
//
//   auto const out = mars::io::export_shardy(graph, system, plan.mapping);
//   if (!out) fmt::print("{}\n", to_string(out.error()));
//   for (auto const& f : out->files) mars::io::write_file(f.name, f.content).value();
//   for (auto const& s : out->not_expressed) fmt::print("not said: {}\n", s);
//
// export_shardy          MLIR text: sdy.mesh, shardings, resharding and reduction where they happen
// export_partition_spec  JSON: JAX meshes and PartitionSpecs, boxes where a spec does not say all
// export_chakra          execution traces of every accelerator, and what ASTRA-sim wants beside them
// export_device_map      JSON: Accelerate's device_map, for mappings that divide no operator
// export_onnx            in <mars/io/onnx/write_model.hpp>, component mars::onnx
//
// Which to choose: Shardy and PartitionSpecs say where tensors are, and their compilers find the
// transfers; Chakra says what is computed and sent, in which order, and its simulator the time; a
// device_map says who runs a module. None says all of a mapping: each lists what it leaves out. For
// that, and to load a mapping again, use <mars/io/json.hpp>.
//
// Tools call a cut a sharding over a mesh axis. tensor_split translates, for exporters of your own:
// the devices of a set are the digits of a number, and each axis of a tensor is divided by some.

#include <mars/io/export/astra_sim.hpp>
#include <mars/io/export/chakra.hpp>
#include <mars/io/export/chakra_trace.hpp>
#include <mars/io/export/device_map.hpp>
#include <mars/io/export/exported.hpp>
#include <mars/io/export/partition_spec.hpp>
#include <mars/io/export/shardy.hpp>
#include <mars/io/export/tensor_split.hpp>
