# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs PROGRAM in the folder SCRATCH; what it prints has to equal the file EXPECTED, to the byte.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
set(actual "${SCRATCH}/stdout.txt")
execute_process(
  COMMAND "${PROGRAM}"
  WORKING_DIRECTORY "${SCRATCH}"
  OUTPUT_FILE "${actual}"
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${result}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${EXPECTED}" "${actual}" RESULT_VARIABLE differ
                ERROR_QUIET)
if(differ)
  find_program(diff_program diff)
  if(diff_program)
    execute_process(COMMAND "${diff_program}" -u "${EXPECTED}" "${actual}" ERROR_VARIABLE lines OUTPUT_VARIABLE lines)
    message(NOTICE "${lines}")
  endif()
  message(FATAL_ERROR "the output is not what ${EXPECTED} holds; if the new one is right, copy it from ${actual}")
endif()
