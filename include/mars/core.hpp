// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Core: the vocabulary every other folder speaks. No dependency beyond the standard library.
//
//   deferred.hpp        heads functions that a program compiles only if it calls them
//   named.hpp, range.hpp   concepts that concept headers are made of
//   id.hpp              operator_id, accelerator_id, link_id, set_id: indices that do not mix
//   units.hpp           bytes, macs, flops, seconds, hertz, joules, …; picoseconds for tables
//   checked.hpp         overflow-checked arithmetic for extents read from files
//   inplace_vector.hpp  a small vector without allocation
//   label.hpp           a name of at most 15 characters, stored in place
//   error.hpp           error: a stable code, the path to the culprit, found and wanted
//   expected.hpp        expected<T>: a value or an error, with and without exceptions
//   random.hpp          random_stream: counter-based numbers, the same on every platform
//   hash.hpp            stable 64-bit hashes that may be written to files
//   stop.hpp            stop_token, budget: when to end
//   deadline.hpp        deadline: a moment on the steady clock
//   observer.hpp        Observer: is told of progress, answers proceed or stop
//   statistics.hpp      quantiles, rank correlations with ties, errors of predictions; not included here
//   parallel_for.hpp    loops and reductions whose result does not depend on the thread count
//   files.hpp           whole files read, and written all or nothing; not included here
//   format.hpp          {fmt} formatters; not included here, because {fmt} costs compile time

#include <mars/core/checked.hpp>
#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/hash.hpp>
#include <mars/core/id.hpp>
#include <mars/core/inplace_vector.hpp>
#include <mars/core/label.hpp>
#include <mars/core/named.hpp>
#include <mars/core/observer.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/core/random.hpp>
#include <mars/core/range.hpp>
#include <mars/core/stop.hpp>
#include <mars/core/units.hpp>
