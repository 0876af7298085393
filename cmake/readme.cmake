# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# README.md shows programs and their output; this keeps them from drifting. Between
#   <!-- file: PATH as LANGUAGE -->   and   <!-- end -->
# stands the file PATH in a code block.
#
#   cmake -DROOT=. -P cmake/readme.cmake               brings README.md up to date
#   cmake -DROOT=. -DCHECK=ON -P cmake/readme.cmake    fails if it is not

cmake_minimum_required(VERSION 3.23)

file(READ "${ROOT}/README.md" text)
set(rest "${text}")
set(fresh "")
while(TRUE)
  string(FIND "${rest}" "<!-- file: " at)
  if(at EQUAL -1)
    string(APPEND fresh "${rest}")
    break()
  endif()
  string(SUBSTRING "${rest}" 0 ${at} before)
  string(SUBSTRING "${rest}" ${at} -1 rest)
  string(FIND "${rest}" " -->" close)
  math(EXPR close "${close} + 4")
  string(SUBSTRING "${rest}" 0 ${close} marker)
  if(NOT marker MATCHES "^<!-- file: ([^ ]+) as ([a-z]+) -->$")
    message(FATAL_ERROR "README.md: '${marker}': want <!-- file: PATH as LANGUAGE -->")
  endif()
  set(path "${CMAKE_MATCH_1}")
  set(language "${CMAKE_MATCH_2}")
  if(NOT EXISTS "${ROOT}/${path}")
    message(FATAL_ERROR "README.md: there is no ${path}")
  endif()
  string(FIND "${rest}" "<!-- end -->" end)
  if(end EQUAL -1)
    message(FATAL_ERROR "README.md: '${marker}' has no <!-- end -->")
  endif()
  string(SUBSTRING "${rest}" ${end} -1 rest)
  file(READ "${ROOT}/${path}" content)
  # The licence line and what follows it up to the first empty line is for the file, not the reader.
  string(REGEX REPLACE "^// SPDX[^\n]*\n(//[^\n]*\n)*\n?" "" content "${content}")
  string(APPEND fresh "${before}${marker}\n```${language}\n${content}```\n")
endwhile()

if(CHECK)
  if(NOT fresh STREQUAL text)
    message(FATAL_ERROR "README.md shows something else than its files: run cmake -DROOT=. -P cmake/readme.cmake")
  endif()
elseif(NOT fresh STREQUAL text)
  file(WRITE "${ROOT}/README.md" "${fresh}")
endif()
