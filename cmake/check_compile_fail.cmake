# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles SOURCE, which has to fail, and to fail with the words its first line expects.
cmake_minimum_required(VERSION 3.23)
file(STRINGS "${SOURCE}" first LIMIT_COUNT 1)
if(NOT first MATCHES "^// expect: *(.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line must be `// expect: words of the diagnosis`")
endif()
set(expected "${CMAKE_MATCH_1}")
list(REMOVE_DUPLICATES INCLUDES)
list(FILTER INCLUDES EXCLUDE REGEX "^/usr/include/?$") # naming it again would hide the compiler's own
list(TRANSFORM INCLUDES PREPEND "-I")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDES} "${SOURCE}"
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles; it must be refused with: ${expected}")
endif()
string(FIND "${output}" "${expected}" at)
if(at EQUAL -1)
  message(NOTICE "${output}")
  message(FATAL_ERROR "${SOURCE} is refused, but not with: ${expected}")
endif()
