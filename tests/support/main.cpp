// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The main program of every test, for packages of Catch2 2 that bring none (Catch2::Catch2WithMain).
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
