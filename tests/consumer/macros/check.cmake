# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Preprocesses the installed headers, keeping macro definitions and the marks of the file each line comes from; a
# macro defined by one of our files, and not undefined again, must begin with MARS_.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
set(text "#include <mars/mars.hpp>\n")
if("json" IN_LIST COMPONENTS)
  string(APPEND text "#include <mars/io/json.hpp>\n")
endif()
if("onnx" IN_LIST COMPONENTS)
  string(APPEND text "#define ONNX_ML 1\n#define ONNX_NAMESPACE onnx\n#include <mars/io/onnx.hpp>\n")
endif()
file(WRITE "${SCRATCH}/all.cpp" "${text}")
execute_process(COMMAND "${COMPILER}" -std=c++20 -E -dD -I "${PREFIX}/include" "${SCRATCH}/all.cpp" OUTPUT_FILE
                        "${SCRATCH}/all.ii" COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND "${AWK}" -f "${CMAKE_CURRENT_LIST_DIR}/ours.awk" "${SCRATCH}/all.ii"
  OUTPUT_VARIABLE ours
  COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" ours "${ours}")
if(NOT "MARS_VERSION_MAJOR" IN_LIST ours)
  message(FATAL_ERROR "the check does not even see MARS_VERSION_MAJOR")
endif()
list(FILTER ours EXCLUDE REGEX "^MARS_")
if(ours)
  list(JOIN ours ", " ours)
  message(FATAL_ERROR "macros leak out of mars' headers: ${ours}")
endif()
