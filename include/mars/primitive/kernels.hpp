// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Real kernels of the primitives: float32 convolutions on one thread, to measure what the models of
// mars/primitive.hpp predict, and to choose by. Not part of mars/mars.hpp: `catalogue()` instantiates all.
//
//   primitive                 prefer it                                     format  workspace
//   direct                    everywhere, depthwise above all               nchwc   none
//   im2col_gemm               planes, long strides                          nchw    0.3 MB of the matrix at most
//   spatial_pack              planes otherwise                              nchw    the padded image, a tile's outputs
//   winograd<2>, winograd<4>  3×3, stride 1, many channels: <4> on images   nchwc   a pass: 1 MB, or as large as the
//                             from 28, <2> on smaller ones                          weights, which grow 1.8 and 4 times
//   csr_direct                from 80 % zeros, 90 % where Winograd is fast  nchw    the padded image
//   csr_gemm                  likewise, small images                        nchw    a panel of the matrix
//   csr_spatial_pack          likewise, large images                        nchw    a patch of the padded image
//
// All take weights as K × C/g × R × S numbers and pack them once; all but Winograd take any stride, padding,
// dilation, number of groups and batch. Each states its `error`, the largest difference from the exact output
// over that output's root mean square (sums of up to 4,608 products). Each has one tile for all layers (`untuned`) and a set of them
// (`tiles`), of which `tune` takes the fastest:
//
//   namespace kernels = mars::primitive::kernels;
//   auto const p = kernels::tune<kernels::direct>(layer, weights, [&](kernels::program const& q) { return seconds_of(q); });
//   kernels::buffer<float> out(p.output_size()), workspace(p.workspace_size());
//   p(in, out.span(), workspace.span());              // in: p.format(); see reorder_to_nchwc
//
// Names instead of types: `prepare("direct", code_generation::tuned, …)`, and all of them: `catalogue()`.
// Yours: a type with `name`, `format`, `error`, `untuned`, `tiles`, `supports`, and `make<Tile>`, as `direct`
// has them, is one that `tune` takes.
//
// Compile with -O3 -march=native, and without -ffp-contract=off, which takes the fused multiply-adds away.
// -mprefer-vector-width changes nothing: vectors are GNU's extension, of `lanes` elements, and loops over them
// are unrolled by the library (vector.hpp, register_tile.hpp). g++ 12 and clang++ 14 differ by some percent.
// Everything in a program that includes these headers must be compiled for the same target, on which
// `lanes` depends.

#include <mars/primitive/kernels/catalogue.hpp>
#include <mars/primitive/kernels/reference.hpp>
#include <mars/primitive/kernels/reorder.hpp>
