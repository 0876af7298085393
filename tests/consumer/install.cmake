# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs BUILD into SCRATCH/prefix by way of another folder, and looks at what was installed.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE "${SCRATCH}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${SCRATCH}/first" COMMAND_ERROR_IS_FATAL ANY
                OUTPUT_QUIET)
file(RENAME "${SCRATCH}/first" "${SCRATCH}/prefix")

# Nothing but mars/ under include, and nothing but include and share at all.
file(GLOB top RELATIVE "${SCRATCH}/prefix" "${SCRATCH}/prefix/*")
list(SORT top)
if(NOT top STREQUAL "include;share")
  message(FATAL_ERROR "the install tree holds '${top}', expected include and share only")
endif()
file(GLOB included RELATIVE "${SCRATCH}/prefix/include" "${SCRATCH}/prefix/include/*")
if(NOT included STREQUAL "mars")
  message(FATAL_ERROR "include/ holds '${included}', expected mars only")
endif()

# Every header, and no other file.
file(GLOB_RECURSE expected RELATIVE "${SOURCE}/include" "${SOURCE}/include/*.hpp")
foreach(component IN ITEMS json onnx)
  if(NOT component IN_LIST COMPONENTS)
    list(FILTER expected EXCLUDE REGEX "^mars/io/${component}(/|\\.hpp$)")
  endif()
endforeach()
if(NOT "onednn" IN_LIST COMPONENTS)
  list(REMOVE_ITEM expected mars/measurement/onednn.hpp)
endif()
file(GLOB_RECURSE installed RELATIVE "${SCRATCH}/prefix/include" "${SCRATCH}/prefix/include/*")
list(SORT expected)
list(SORT installed)
if(NOT installed STREQUAL expected)
  set(missing ${expected})
  list(REMOVE_ITEM missing ${installed})
  set(extra ${installed})
  list(REMOVE_ITEM extra ${expected})
  message(FATAL_ERROR "installed headers differ from include/: missing '${missing}', too many '${extra}'")
endif()

# No file remembers where it was built.
file(GLOB_RECURSE package_files "${SCRATCH}/prefix/share/*")
foreach(file IN LISTS package_files)
  file(READ "${file}" text)
  foreach(path IN ITEMS "${SOURCE}" "${BUILD}" "${SCRATCH}")
    string(FIND "${text}" "${path}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${path}: the install tree cannot be moved")
    endif()
  endforeach()
endforeach()
