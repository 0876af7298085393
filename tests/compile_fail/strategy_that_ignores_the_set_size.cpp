// expect: proposes_shardings
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/mapper.hpp>

#include <vector>

struct halves {
  auto shardings(mars::operation const&) const -> std::vector<mars::sharding> { return {{}}; }
};

mars::mapper const attempt{mars::cost::analytical{}, halves{}};
