// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Algorithms of convolutions: what each does for a layer, and a device that chooses among them.
//
//   Primitive                what an algorithm must say: weights it takes, format, work
//   direct                   channels in blocks, valid taps only                 the yardstick
//   im2col_gemm              one matrix product of a rewritten image             any shape; traffic twice the image
//   spatial_pack             tiles of blocks, packed and unpacked on the way     planes in, planes out
//   winograd<2>, <4>         3x3, stride 1: 2.25 and 4 times fewer MACs          large weights, transforms
//   csr_direct, csr_gemm, csr_spatial_pack   skip zero weights                   pay from 60 to 90 % zeros on
//   processor                a CPU or GPU by peak and bandwidths: prices them all (`algorithms`), reorders between formats
//   rates                    what an algorithm reaches of a machine; fitted ones, or yours (cost/calibration.hpp)
//
//   primitive::processor const cpu{.peak_rate = flops_per_second{200e9}, .bandwidth = bytes_per_second{40e9}};
//   for (auto const& a : cpu.algorithms(shard{op(g, v)})) …;
//
// Kernels that run: mars/primitive/kernels.hpp. Several algorithms on offer are a choice that the mapper
// makes (`mapper`), or a study compares (mars/exploration.hpp). Source of the formulas: each header.

#include <mars/primitive/concept.hpp>
#include <mars/primitive/csr_direct.hpp>
#include <mars/primitive/csr_gemm.hpp>
#include <mars/primitive/csr_spatial_pack.hpp>
#include <mars/primitive/direct.hpp>
#include <mars/primitive/im2col_gemm.hpp>
#include <mars/primitive/processor.hpp>
#include <mars/primitive/rates.hpp>
#include <mars/primitive/spatial_pack.hpp>
#include <mars/primitive/winograd.hpp>
