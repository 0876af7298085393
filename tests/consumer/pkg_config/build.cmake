# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles and runs a host with what pkg-config says, and nothing more than the language level.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
set(ENV{PKG_CONFIG_PATH} "${PREFIX}/share/pkgconfig:$ENV{PKG_CONFIG_PATH}")
execute_process(COMMAND "${PKG_CONFIG}" --modversion mars OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT version STREQUAL VERSION)
  message(FATAL_ERROR "mars.pc says version ${version}, expected ${VERSION}")
endif()
execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs "mars >= 0.1" OUTPUT_VARIABLE flags
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 "-DEXPECTED_VERSION=\"${VERSION}\"" "${CMAKE_CURRENT_LIST_DIR}/main.cpp" -o
          "${SCRATCH}/host" ${flags} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${SCRATCH}/host" COMMAND_ERROR_IS_FATAL ANY)
