// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Systems with numbers, graded by where the numbers come from (A: vendor, B: third party; what had
// to be chosen is called assumed in the description). Systems known only from the press have no
// preset.
//
//   aws_f1_16xlarge      MARS's platform, our reading; every number an option (fpga.hpp)
//   …_board, …_ring, f2, alveo   FPGA boards as documented, MARS's designs as bitstream
//   gpu_system(row)      one GPU by its SMs, for operators on streams: rtx_2080_super … h200_sxm
//   processor_system(row) a CPU core or GPU with a choice of algorithms: zen5_core …
//   gpu_server(row)      16 servers of gpu_servers(): SXM behind a switch, PCIe on a shared tree
//   h2h(bandwidth)       twelve unlike FPGA accelerators around a host (H2H)
//   tpu_slice(chip, {…}) any slice of TPU v3 … v6e
//   trn1, trn2, gaudi3   other accelerators
//
// By name: `presets::names()`, `presets::find(name)`, `presets::catalogue()` with grade and source.

#include <mars/hardware/presets/catalogue.hpp>
#include <mars/hardware/presets/fpga.hpp>
#include <mars/hardware/presets/gpu.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/hardware/presets/h2h.hpp>
#include <mars/hardware/presets/npu.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/presets/processor.hpp>
#include <mars/hardware/presets/tpu.hpp>
