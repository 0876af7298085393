// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/catalogue.hpp>
#include <mars/primitive/kernels/reference.hpp>
#include <mars/primitive/kernels/reorder.hpp>
