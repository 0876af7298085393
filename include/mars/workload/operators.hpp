// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/workload/operators/convolution.hpp>
#include <mars/workload/operators/elementwise.hpp>
#include <mars/workload/operators/gather.hpp>
#include <mars/workload/operators/layout.hpp>
#include <mars/workload/operators/matmul.hpp>
#include <mars/workload/operators/normalization.hpp>
#include <mars/workload/operators/opaque.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/operators/pooling.hpp>
#include <mars/workload/operators/recurrent.hpp>
#include <mars/workload/operators/reduction.hpp>
#include <mars/workload/operators/reshape.hpp>
#include <mars/workload/operators/resize.hpp>
