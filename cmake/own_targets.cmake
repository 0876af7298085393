# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What mars' own tests, examples and benchmarks are built with. Nothing here reaches a user of mars::mars.

add_library(mars_warnings INTERFACE)
target_compile_options(mars_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# g++ 12 sees overlapping copies in std::string's operator+ that are not there (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(mars_warnings INTERFACE -Wno-restrict)
endif()

# Printed results are compared to the last digit: an architecture that has a fused multiply-add must not use it
# unasked. (x86-64 without -march has none, so the flag changes nothing there.)
add_library(mars_reproducible INTERFACE)
target_compile_options(mars_reproducible INTERFACE -ffp-contract=off)

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(MARS_CCACHE ccache)
  mark_as_advanced(MARS_CCACHE)
  if(MARS_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${MARS_CCACHE}")
  endif()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
