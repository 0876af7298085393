# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Who may include whom. Run as
#
#   cmake -DROOT=include/mars -P cmake/check_layering.cmake
#
# Prints one line per violation, naming the file and the include, and fails if there is any. The table below is the
# law: a new folder of include/mars is not allowed in before it has a rank here.
#
#   - A header includes folders of strictly lower rank, and its own.
#   - Sinks (io, zoo, testing, runtime, hardware/presets) may include everything below them; nobody includes a sink, except that
#     mars.hpp includes them all but io, and hardware.hpp includes its presets.
#   - An umbrella x.hpp belongs to folder x. hardware.hpp brings the presets with it, so no other room includes it.
#   - mars.hpp is for users: no header of the library includes it.
#   - io/json and io/onnx are packages of their own with a dependency each: only they themselves include their headers,
#     nlohmann's and ONNX's.
#   - measurement/onednn.hpp is one as well: nobody includes it, and nobody else oneDNN.
#   - Boost.Graph appears in workload/graph*, interconnect/ and folders named algorithms.
#   - Every include says <mars/...>: none in quotes, none with `..`. Never range/v3/all.hpp.
#   - The first line is the SPDX line; #pragma once follows; no `using namespace` at namespace scope (clang-format puts
#     that in column one); no header is longer than 600 lines.

cmake_minimum_required(VERSION 3.23)

if(NOT IS_DIRECTORY "${ROOT}")
  message(FATAL_ERROR "check_layering: ROOT must be the folder include/mars, got '${ROOT}'")
endif()

file(REAL_PATH "${ROOT}" ROOT)

set(rank_core 0)
set(rank_workload 1)
set(rank_interconnect 1)
set(rank_hardware 2)
set(rank_parallel 3)
set(rank_collective 3)
set(rank_compression 3)
set(rank_primitive 3)
set(rank_mapping 4)
set(rank_cost 5)
set(rank_scheduling 6)
set(rank_measurement 6)
set(rank_evaluation 7)
set(rank_search 8)
set(rank_exploration 9)
set(rank_mapper 9) # mapper.hpp, the façade
set(rank_mapper_format 10) # mapper_format.hpp, its {fmt} formatter: opt-in like core/format.hpp
set(rank_compressed_mapper 10) # compressed_mapper.hpp: the façade over compressions of a network
set(rank_io 10)
set(rank_zoo 10)
set(rank_testing 10)
set(rank_runtime 10)
set(rank_presets 10) # hardware/presets
set(rank_mars 11) # mars.hpp
set(rank_version -1) # version.hpp: macros only
set(sinks io zoo testing runtime presets)
set(may_use_boost_graph "^(workload/graph|interconnect[/.]|(.*/)?algorithms/)")
set(longest 600)
set(spdx "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n")

# The room a path below include/mars belongs to.
function(room_of path result)
  if(path MATCHES "^hardware/presets(/|\\.hpp$)")
    set(room presets)
  elseif(path MATCHES "^([^/.]+)(/|\\.hpp$)")
    set(room ${CMAKE_MATCH_1})
  else()
    set(room "")
  endif()
  set(${result} "${room}" PARENT_SCOPE)
endfunction()

set(violations 0)
macro(violation)
  message(NOTICE "mars/${file}: " ${ARGN})
  math(EXPR violations "${violations} + 1")
endmacro()

# What is wrong with header `file` of room `room` including `target` (a path below include/mars)?
macro(check_mars_include)
  room_of("${target}" target_room)
  set(said "includes <mars/${target}>")
  if(NOT DEFINED rank_${target_room})
    violation("${said}: there is no room '${target_room}'")
  elseif((target MATCHES "^io/json(/|\\.hpp$)" AND NOT file MATCHES "^io/json(/|\\.hpp$)")
         OR (target MATCHES "^io/onnx(/|\\.hpp$)" AND NOT file MATCHES "^io/onnx(/|\\.hpp$)"))
    violation("${said}: only that component's own headers may")
  elseif(target STREQUAL "measurement/onednn.hpp")
    violation("${said}: only programs that have component onednn do")
  elseif(target_room STREQUAL room)
    # its own folder
  elseif(target_room STREQUAL "mars")
    violation("${said}: mars.hpp is for users, include the headers needed")
  elseif(room STREQUAL "mars")
    if(target_room STREQUAL "io")
      violation("${said}: mars.hpp holds everything but io")
    endif()
  elseif(target_room STREQUAL "presets" AND file STREQUAL "hardware.hpp")
    # the umbrella brings its presets with it
  elseif(target_room IN_LIST sinks)
    violation("${said}: ${target_room} is a sink, nobody below includes it")
  elseif(target STREQUAL "hardware.hpp" AND NOT room IN_LIST sinks)
    violation("${said}: it brings the presets with it, include the headers needed")
  elseif(NOT rank_${target_room} LESS rank_${room})
    violation("${said}: ${room} has rank ${rank_${room}}, ${target_room} ${rank_${target_room}}; "
              "only strictly lower ranks and the own folder are allowed")
  endif()
endmacro()

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/*")
list(SORT files)
foreach(file IN LISTS files)
  if(NOT file MATCHES "\\.hpp$")
    violation("is not a header: only .hpp files live here")
    continue()
  endif()
  room_of("${file}" room)
  if(NOT DEFINED rank_${room})
    violation("there is no room '${room}': give it a rank in cmake/check_layering.cmake (and in the design) first")
    continue()
  endif()

  file(READ "${ROOT}/${file}" text)
  string(FIND "${text}" "${spdx}" at)
  if(NOT at EQUAL 0)
    violation("the first line is not the SPDX line")
  endif()
  if(NOT text MATCHES "(^|\n)#pragma once[ \t]*\n")
    violation("has no #pragma once")
  endif()
  if(text MATCHES "\n(using namespace [^\n]*)")
    violation("`${CMAKE_MATCH_1}` at namespace scope")
  endif()
  string(REGEX REPLACE "[^\n]+" "" newlines "${text}")
  string(LENGTH "${newlines}" lines)
  if(lines GREATER longest)
    violation("has ${lines} lines, more than ${longest}: split it")
  endif()

  string(REGEX MATCHALL "\n[ \t]*#[ \t]*include[ \t]*(<[^>\n]*>|\"[^\"\n]*\")" includes "\n${text}")
  foreach(include IN LISTS includes)
    string(REGEX MATCH "[<\"](.*)[>\"]$" include "${include}")
    set(header "${CMAKE_MATCH_1}")
    if(include MATCHES "^\"" OR header MATCHES "(^|/)\\.\\.?/")
      violation("includes ${include}: relative, write <mars/...>")
    elseif(header MATCHES "^mars/(.*)$")
      set(target "${CMAKE_MATCH_1}")
      check_mars_include()
    elseif(header MATCHES "^boost/graph/" AND NOT file MATCHES "${may_use_boost_graph}")
      violation("includes ${include}: Boost.Graph belongs in workload/graph*, interconnect/ and folders named algorithms")
    elseif(header MATCHES "^nlohmann/" AND NOT file MATCHES "^io/json(/|\\.hpp$)")
      violation("includes ${include}: nlohmann belongs under io/json")
    elseif(header MATCHES "^(onnx|google/protobuf)/" AND NOT file MATCHES "^io/onnx(/|\\.hpp$)")
      violation("includes ${include}: ONNX belongs under io/onnx")
    elseif(header MATCHES "^(oneapi/|dnnl)" AND NOT file STREQUAL "measurement/onednn.hpp")
      violation("includes ${include}: oneDNN belongs in measurement/onednn.hpp")
    elseif(header STREQUAL "range/v3/all.hpp")
      violation("includes ${include}: include the views and algorithms needed")
    endif()
  endforeach()
endforeach()

list(LENGTH files count)
if(violations GREATER 0)
  message(FATAL_ERROR "layering: ${violations} violation(s) in ${count} headers")
endif()
message(STATUS "layering: ${count} headers, no violation")
