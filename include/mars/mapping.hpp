// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Mappings: who runs what, and how it is divided.
//
// A `mapping` (mapping/mapping.hpp) is a plain value: sets of accelerators with a design each, and per
// operator a set, a sharding and, where there are several, an algorithm. Searches make it, evaluators price it, files hold it (io/json.hpp),
// and any of them can be replaced: the value knows nothing of them.
//
//   mapping/mapping.hpp   mapping, accelerator_set, placement
//   mapping/validate.hpp  validate(mapping, graph, system[, times]) → violations; none = it can run.
//                         memory_demands(…) → what each accelerator must hold, and of whom
//   mapping/diff.hpp      diff(a, b[, graph]) → differences, in words
//   mapping/to_string.hpp a placement in words
//
//   mars::mapping mine = …;                       // by hand, or another tool's
//   for (auto const& v : mars::validate(mine, network, system)) std::puts(to_string(v).c_str());
//
// The validator is the independent judge of everything that calls itself a mapping: it derives shards
// and bytes with its own arithmetic. It counts memory exactly, device by device, where evaluators may
// take the largest shard for all; and it keeps every result of the graph to the end.

#include <mars/mapping/diff.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/mapping/to_string.hpp>
#include <mars/mapping/validate.hpp>
#include <mars/mapping/violation.hpp>
