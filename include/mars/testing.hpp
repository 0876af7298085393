// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// For the tests of those who write policies: generated problems, and promises checked. Needs no test
// framework, and is in no other header of the library.
//
//   check_search(policy)           every semantic requirement of SearchPolicy, as a list of what is broken
//   random_problem(random, shape)  tables to search in, without a workload or a system behind them
//   random_assignment(p, random)   of any problem

#include <mars/testing/random_problem.hpp>
#include <mars/testing/search_conformance.hpp>
