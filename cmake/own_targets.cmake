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

# Kernels that are timed are compiled as a user would compile them, for this machine, multiply-adds fused. Not together
# with mars_reproducible; and a program that prints reproducible results keeps them in a library of their own, because
# an inline function is compiled in both and the linker keeps either.
add_library(mars_native INTERFACE)
target_compile_options(mars_native INTERFACE $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-O3>)
if(MARS_NATIVE)
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-march=native MARS_COMPILER_KNOWS_NATIVE)
  if(MARS_COMPILER_KNOWS_NATIVE)
    target_compile_options(mars_native INTERFACE -march=native)
  endif()
endif()

# Most tests and the examples take longer to optimise than to run: options that have the last word there, such as -Og.
set(MARS_QUICK_OPTIONS "" CACHE STRING "Compiler options of the examples and of tests that do not run for long")
add_library(mars_quick INTERFACE)
target_compile_options(mars_quick INTERFACE ${MARS_QUICK_OPTIONS})

# The same of benchmarks that nobody judges: for who only wants to see that they run.
set(MARS_BENCHMARK_OPTIONS "" CACHE STRING "Compiler options of the benchmarks, but for what instructions.sh counts")

# g++ looks for garbage every few hundred MiB: a tenth of its time, for a fifth less memory.
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(--param=ggc-min-heapsize=1048576)
endif()

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(MARS_CCACHE ccache)
  mark_as_advanced(MARS_CCACHE)
  if(MARS_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${MARS_CCACHE}")
  endif()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
