// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accelerators, the designs they can be configured with, and systems of them.
//
// A *design* prices one shard of one operator (`d.time(shard)`, by cause); an *accelerator* has
// memory and one or more designs; a *system* is accelerators and an interconnect. Concepts:
// hardware/concept.hpp.
//
//   design                     for                                         needs
//   hardware::super_lip        FPGA loop nests limited by ports; XFER sharing tiles, ports
//   hardware::systolic_array   dense layers on a grid of cells             array shape, loops
//   hardware::winograd         3×3, stride 1; a policy for the rest        tile and channels
//   hardware::roofline         GPUs, anything known by its data sheet      peak, bandwidth
//   hardware::gpu              GPUs whose streams matter: kernels on SMs   limits of an SM
//   hardware::h2h              one kind of layer, nothing overlapped (H2H)  tile, port, rate
//   primitive::processor       CPUs and GPUs with a choice of algorithms   peaks, bandwidths
//   any_design                 one of them, chosen at run time
//
// The three FPGA designs know convolutions, matrix products and recurrent cells (`as_convolution`).
// Other operators are assumed to be fused into the output stream and cost nothing, unless the
// design is given a vector unit (`vector_elements_per_cycle`). Opaque operators are never
// estimated: their zero is marked (`time_breakdown::estimated`).
//
//   auto const board = mars::accelerator{.name = "mine", .capacity = 4_GB,
//                                        .configurations = {mars::hardware::winograd{}}};
//   auto const f1 = mars::presets::aws_f1_16xlarge({.vec = 4});
//   auto const any = mars::presets::find("h100_sxm_8");   // expected<any_system>

#include <mars/hardware/accelerator.hpp>
#include <mars/hardware/any_design.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/designs/gpu.hpp>
#include <mars/hardware/designs/h2h.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/host_traffic.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/hardware/presets.hpp>
#include <mars/hardware/system.hpp>
