// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/onnx/load.hpp>
#include <mars/io/onnx/options.hpp>
