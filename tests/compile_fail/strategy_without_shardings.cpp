// expect: proposes_shardings
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

struct undecided {};

mars::mapper const attempt{mars::cost::analytical{}, undecided{}};
