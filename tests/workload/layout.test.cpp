// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move elements: every element of every result must come from where NumPy takes it.

#include "points.hpp"
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/workload/operators.hpp>

#include <numeric>
#include <string>

using namespace mars_test;
using mars::tensor_shape;
namespace ops = mars::ops;

namespace {

struct source_of_numbers {
  mars::random_stream random;

  auto pick(std::int64_t low, std::int64_t high) -> std::int64_t {
    return low +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  auto shape(std::int64_t low, std::int64_t high) -> tensor_shape {
    tensor_shape s;
    for (auto rank = pick(low, high); rank > 0; --rank) s.push_back(pick(1, 5));
    return s;
  }
};

auto product(tensor_shape const& s) -> std::int64_t {
  return std::accumulate(s.begin(), s.end(), std::int64_t{1}, std::multiplies<>{});
}

auto at(index const& list, std::int64_t i) -> std::int64_t {
  return list[static_cast<std::size_t>(i)];
}

} // namespace

TEST_CASE("reshape keeps the row-major order of every element") {
  source_of_numbers n{mars::random_stream{21}};
  int exact = 0;
  int whole = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    // Two random factorisations of one list of primes.
    std::vector<std::int64_t> primes;
    for (auto count = n.pick(0, 6); count > 0; --count)
      primes.push_back(std::array<std::int64_t, 3>{2, 3, 5}[n.random.below(3)]);
    if (product(primes) > 2000) continue;
    auto const factorise = [&] {
      auto list = primes;
      if (n.random.chance(0.3)) n.random.shuffle(list);
      tensor_shape s(static_cast<std::size_t>(n.pick(1, 5)), 1);
      std::size_t i = 0;
      for (auto const p : list) {
        s[i] *= p;
        if (n.random.chance(0.5)) i = std::min(i + 1, s.size() - 1);
      }
      return s;
    };
    auto const from = factorise();
    auto const to = factorise();
    CAPTURE(from, to);
    auto const op = ops::reshape(from, to).value();
    REQUIRE(shape_of(op.operands[0]) == from);
    REQUIRE(shape_of_output(op) == to);
    REQUIRE(op.work.macs + op.work.flops == 0);
    bool reads_whole = false;
    for (auto const& a : op.operands[0].axes) reads_whole |= a.is_whole() && a.extent > 1;
    auto const places = sources(op, 0, 1);
    REQUIRE(places.has_value()); // each element is written, once, whatever is read
    if (reads_whole) {
      ++whole;
      continue;
    }
    ++exact;
    index in_order(places->size());
    std::iota(in_order.begin(), in_order.end(), 0);
    REQUIRE(*places == in_order);
  }
  CHECK(exact > 1000);
  CHECK(whole > 100);
}

TEST_CASE("reshape: the cases that matter, by hand") {
  // Heads: [1, 128, 768] → [1, 128, 12, 64]. Head and place in a head are digits of the last axis.
  auto const heads = ops::reshape({1, 128, 768}, {1, 128, 12, 64}).value();
  REQUIRE(heads.dims.size() == 3);
  CHECK(heads.operands[0].axes[2].terms[0].stride == 64);
  auto box = full_box(heads);
  box[1] = {3, 6}; // heads 3, 4, 5 are columns 192 … 383
  CHECK(reach(heads.operands[0], box)[2] == mars::interval{192, 384});
  CHECK(reach(heads.operands[1], box)[2] == mars::interval{3, 6});

  // Flattening a feature map: all four axes are digits.
  auto const flat_map = ops::flatten({2, 512, 7, 7}).value();
  CHECK(shape_of_output(flat_map) == tensor_shape{2, 25088});
  CHECK(flat_map.dims.size() == 4);
  CHECK(flat_map.operands[1].axes[1].terms.size() == 3);

  // Boundaries 4 and 6 of 12 have common digits 2·3·… only where they divide: 6 ∤ 4.
  auto const crossed = ops::reshape({2, 3, 7}, {3, 2, 7}).value();
  CHECK(crossed.operands[0].axes[0].is_whole());
  CHECK(crossed.operands[0].axes[1].is_whole());
  CHECK_FALSE(crossed.operands[0].axes[2].is_whole());

  CHECK(shape_of_output(ops::reshape({2, 3, 4}, {0, -1}).value()) == tensor_shape{2, 12});
  CHECK(shape_of_output(ops::reshape({1, 1}, tensor_shape{}).value()).empty());
  CHECK_FALSE(ops::reshape({2, 3}, {4, -1}).has_value());
  CHECK_FALSE(ops::reshape({2, 3}, {-1, -1}).has_value());
  CHECK_FALSE(ops::reshape({2, 3}, {7}).has_value());
  CHECK_FALSE(ops::reshape({2, 3}, {3, 2, 0}).has_value());
  CHECK_FALSE(ops::reshape({2, 3}, {-2, 3}).has_value());
  CHECK(shape_of_output(ops::flatten({2, 3, 4}, 0).value()) == tensor_shape{1, 24});
  CHECK(shape_of_output(ops::flatten({2, 3, 4}, 3).value()) == tensor_shape{24, 1});
}

TEST_CASE("reshapes with more digits than the algebra holds fall back, still written once") {
  // 2^15 as eight axes one way and eight another: 15 digits, of which 12 fit.
  tensor_shape const a{2, 4, 4, 4, 4, 4, 4, 4};
  tensor_shape const b{4, 4, 4, 4, 4, 4, 4, 2};
  auto const op = ops::reshape(a, b).value();
  CHECK(op.dims.size() <= mars::max_dims);
  CHECK(sources(op, 0, 1).has_value());
  // One axis of seven digits: more than the terms of an axis.
  auto const deep = ops::reshape({128}, {2, 2, 2, 2, 2, 2, 2}).value();
  CHECK(deep.operands[0].axes[0].is_whole());
}

TEST_CASE("transpose, slice and pad take elements from where NumPy does") {
  source_of_numbers n{mars::random_stream{22}};
  for (int trial = 0; trial < 500; ++trial) {
    auto const x = n.shape(1, 4);
    auto const rank = static_cast<std::int64_t>(x.size());
    CAPTURE(x);

    std::vector<std::int64_t> order(x.size());
    std::iota(order.begin(), order.end(), 0);
    n.random.shuffle(order);
    auto const transposed = ops::transpose(x, order).value();
    auto places = sources(transposed, 0, 1);
    REQUIRE(places.has_value());
    std::size_t next = 0;
    for_each_index(shape_of_output(transposed), [&](index const& out) {
      index in(x.size());
      for (std::size_t i = 0; i < x.size(); ++i) in[static_cast<std::size_t>(order[i])] = out[i];
      REQUIRE((*places)[next++] == *flat(in, x));
    });

    // Python's own words: i = start; while it has not passed the end: take i, i += step. (ONNX
    // clamps a start before the first element in both directions.)
    std::vector<std::int64_t> starts, ends, steps;
    std::vector<index> taken;
    bool empty = false;
    for (auto const e : x) {
      auto const step = n.random.chance(0.5) ? n.pick(1, 3) : -n.pick(1, 3);
      starts.push_back(n.pick(-e - 2, e + 2));
      ends.push_back(n.random.chance(0.2) ? (step > 0 ? INT64_MAX : INT64_MIN)
                                          : n.pick(-e - 2, e + 2));
      steps.push_back(step);
      auto const seen = [e](std::int64_t p) { return p < 0 ? p + e : p; };
      index list;
      auto start = seen(starts.back());
      start = std::max<std::int64_t>(start, 0);
      if (step < 0) start = std::min(start, e - 1);
      auto const end = ends.back() == INT64_MIN ? -1 : seen(ends.back());
      for (auto i = start; i >= 0 && i < e && (step > 0 ? i < end : i > end); i += step)
        list.push_back(i);
      empty = empty || list.empty();
      taken.push_back(list);
    }
    CAPTURE(starts, ends, steps);
    auto const sliced = ops::slice(x, starts, ends, {}, steps);
    REQUIRE(sliced.has_value() == !empty);
    if (sliced) {
      places = sources(*sliced, 0, 1);
      REQUIRE(places.has_value());
      next = 0;
      tensor_shape lengths;
      for (auto const& list : taken) lengths.push_back(static_cast<std::int64_t>(list.size()));
      REQUIRE(shape_of_output(*sliced) == lengths);
      for_each_index(lengths, [&](index const& out) {
        index in;
        for (std::size_t i = 0; i < x.size(); ++i) in.push_back(at(taken[i], out[i]));
        REQUIRE((*places)[next++] == *flat(in, x));
      });
    }

    std::vector<std::int64_t> begins, behinds;
    bool possible = true;
    for (auto const e : x) {
      begins.push_back(n.pick(-2, 2));
      behinds.push_back(n.pick(-2, 2));
      possible = possible && e + begins.back() + behinds.back() > 0;
    }
    CAPTURE(begins, behinds, rank);
    auto const padded = ops::pad(x, begins, behinds);
    REQUIRE(padded.has_value() == possible);
    if (!padded) continue;
    places = sources(*padded, 0, 1);
    REQUIRE(places.has_value());
    next = 0;
    for_each_index(shape_of_output(*padded), [&](index const& out) {
      index in;
      for (std::size_t i = 0; i < x.size(); ++i) in.push_back(out[i] - begins[i]);
      REQUIRE((*places)[next++] == flat(in, x).value_or(-1));
    });
  }
}

TEST_CASE("concat and split are each other's inverse, element by element") {
  source_of_numbers n{mars::random_stream{23}};
  for (int trial = 0; trial < 300; ++trial) {
    auto x = n.shape(1, 4);
    auto const axis = static_cast<std::size_t>(n.pick(0, std::ssize(x) - 1));
    std::vector<std::int64_t> sizes;
    for (auto count = n.pick(1, 4); count > 0; --count) sizes.push_back(n.pick(1, 4));
    x[axis] = product({std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0})});
    CAPTURE(x, axis, sizes);
    std::vector<tensor_shape> parts;
    for (auto const s : sizes) {
      parts.push_back(x);
      parts.back()[axis] = s;
    }
    auto const number =
        static_cast<std::int64_t>(axis) - (n.random.chance(0.5) ? std::ssize(x) : 0);
    auto const joined = ops::concat(parts, number).value();
    auto const cut = ops::split(x, number, sizes).value();
    REQUIRE(shape_of_output(joined) == x);
    std::int64_t first = 0;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      REQUIRE(shape_of_output(cut, k) == parts[k]);
      auto const whence = sources(cut, 0, 1 + k);         // part ← tensor
      auto const into = sources(joined, k, parts.size()); // tensor ← part
      REQUIRE(whence.has_value());
      REQUIRE(into.has_value());
      std::size_t next = 0;
      for_each_index(parts[k], [&](index const& part) {
        auto whole = part;
        whole[axis] += first;
        REQUIRE((*whence)[next] == *flat(whole, x));
        REQUIRE(at(*into, *flat(whole, x)) == static_cast<std::int64_t>(next));
        ++next;
      });
      // And nothing else of the tensor comes from this part.
      REQUIRE(std::count(into->begin(), into->end(), -1) == product(x) - product(parts[k]));
      first += sizes[k];
    }
  }
}

TEST_CASE("layout operators refuse what NumPy refuses") {
  using mars::error_code;
  CHECK(ops::concat({{2, 3}, {3, 3}}, 1).error().code == error_code::shape_mismatch);
  CHECK(ops::concat({{2, 3}, {2}}, 0).error().code == error_code::shape_mismatch);
  CHECK(ops::concat(std::vector<tensor_shape>{}, 0).error().code == error_code::invalid_argument);
  CHECK(ops::concat({{1LL << 55}, {1LL << 55}}, 0).error().code == error_code::overflow);
  CHECK(ops::split({6}, 0, {4, 3}).error().code == error_code::shape_mismatch);
  CHECK(ops::split({6}, 0, {6, 0}).error().code == error_code::shape_mismatch);
  CHECK(ops::split({6}, 0, {}).error().code == error_code::shape_mismatch);
  CHECK(ops::transpose({2, 3}, {0, 0}).error().code == error_code::invalid_argument);
  CHECK(ops::transpose({2, 3}, {0}).error().code == error_code::invalid_argument);
  CHECK(ops::slice({4}, {0}, {4}, {}, {0}).error().code == error_code::out_of_range);
  CHECK(ops::slice({4, 4}, {0, 0}, {1, 1}, {0, -2}, {}).error().code == error_code::duplicate);
  CHECK(ops::slice({4}, {INT64_MIN}, {INT64_MAX}, {}, {INT64_MIN}).has_value() == false);
  CHECK(ops::slice({4}, {INT64_MAX}, {INT64_MIN}, {}, {INT64_MIN}).has_value());
  CHECK(ops::pad({4}, {INT64_MAX}, {1}).error().code == error_code::overflow);
  CHECK(ops::pad({4}, {-4}, {0}).error().code == error_code::out_of_range);
  CHECK(ops::expand({2, 3}, {4, 3}).error().code == error_code::shape_mismatch);
  CHECK(shape_of_output(ops::expand({3, 1}, {2, 1, 4}).value()) == tensor_shape{2, 3, 4});
}
