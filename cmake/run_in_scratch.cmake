# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs a command in a folder of its own, emptied first: cmake -DSCRATCH=<folder> -P run_in_scratch.cmake -- COMMAND...
cmake_minimum_required(VERSION 3.23)
set(command "")
set(seen FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(seen)
    list(APPEND command "[==[${CMAKE_ARGV${i}}]==]")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(seen TRUE)
  endif()
endforeach()
list(JOIN command " " command)
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
# Through eval, so that an empty argument stays one.
cmake_language(EVAL CODE "execute_process(COMMAND ${command} WORKING_DIRECTORY [==[${SCRATCH}]==] RESULT_VARIABLE result)")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "ended with ${result}")
endif()
