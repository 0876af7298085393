// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What every consumer under this folder compiles: all of mars that needs no component.
#include <mars/mars.hpp>
#include <mars/version.hpp>

#include <cstdio>
#include <cstring>

inline int check_version(char const* expected) {
  char found[32];
  std::snprintf(found, sizeof found, "%d.%d.%d", MARS_VERSION_MAJOR, MARS_VERSION_MINOR,
                MARS_VERSION_PATCH);
  if (std::strcmp(found, expected) == 0) return 0;
  std::printf("the header says %s, the package %s\n", found, expected);
  return 1;
}
