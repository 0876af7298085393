// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/measurement/buffer.hpp>
#include <mars/measurement/timing.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

using mars::seconds;
using mars_test::approx;
namespace measurement = mars::measurement;

namespace {

/// Stands still unless a kernel runs.
struct fake_clock {
  double* time;

  [[nodiscard]] auto now() const -> seconds { return seconds{*time}; }
  [[nodiscard]] auto name() const -> std::string_view { return "fake"; }
};
static_assert(mars::Clock<fake_clock>);
static_assert(mars::Clock<measurement::thread_clock>);

using kernels = std::vector<std::function<void()>>;

} // namespace

TEST_CASE("timing: planted spikes do not move the result", "[measurement]") {
  double now = 0;
  mars::random_stream random{3};
  std::int64_t calls = 0;
  // 1 ms, and one call in three suffers an interruption of up to 20 ms.
  auto const noisy = [&] {
    ++calls;
    now += 1e-3;
    if (random.below(3) == 0) now += 20e-3 * random.uniform();
  };
  auto const t = measurement::time(noisy, {.budget = seconds{1}}, fake_clock{&now});
  CHECK(t.time.count() == approx(1e-3).epsilon(1e-6));
  CHECK(t.spread > 0.5); // and it says that there was noise
  CHECK(t.calls_per_sample == 1);
  CHECK(calls >= static_cast<std::int64_t>(2 * t.samples));
}

TEST_CASE("timing: one sample that is too short does not set the result", "[measurement]") {
  double now = 0;
  int sample = 0;
  auto const glitch = [&] { now += ++sample == 21 ? 1e-9 : 1e-3; };
  auto const t = measurement::time(glitch, {.min_samples = 40, .max_samples = 40, .warm_calls = 0},
                                   fake_clock{&now});
  CHECK(t.samples == 40);
  CHECK(t.time.count() == approx(1e-3).epsilon(1e-6));
}

TEST_CASE("timing: short kernels are repeated until a sample is long enough", "[measurement]") {
  double now = 0;
  auto const t =
      measurement::time([&] { now += 40e-9; }, {.min_sample = seconds{100e-6}}, fake_clock{&now});
  CHECK(t.calls_per_sample >= 2500);
  CHECK(t.calls_per_sample <= 16 * 2500);
  CHECK(t.time.count() == approx(40e-9).epsilon(1e-6));
  // A kernel the clock does not see ends as well.
  CHECK(measurement::time([] {}, {}, fake_clock{&now}).time == seconds{});
}

TEST_CASE("timing: the budget is kept, the least number of samples before it", "[measurement]") {
  for (auto const call : {1e-6, 1e-4, 3e-3, 0.05}) {
    double now = 0;
    measurement::timing_options const o{.max_samples = 100000, .budget = seconds{0.5}};
    auto const t = measurement::time([&] { now += call; }, o, fake_clock{&now});
    CAPTURE(call, t.samples);
    CHECK(now <= 0.5 + 1e-9 + (t.samples == o.min_samples ? 10 * call : 0));
    CHECK(now >= 0.25);
  }
  double now = 0;
  CHECK(measurement::time([&] { now += 2; }, {.budget = seconds{1}}, fake_clock{&now}).samples ==
        5);
}

TEST_CASE("timing: candidates take turns, slow ones over all rounds", "[measurement]") {
  double now = 0;
  std::vector<int> order;
  kernels candidates;
  std::array const call{1e-3, 1e-3, 8e-3};
  for (int i = 0; i < 3; ++i)
    candidates.emplace_back([&, i] {
      order.push_back(i);
      now += call[static_cast<std::size_t>(i)];
    });
  auto const t = measurement::time_interleaved(
      std::span{candidates}, {.max_samples = 20, .budget = seconds{0.1}, .warm_calls = 0},
      fake_clock{&now});
  REQUIRE(t.size() == 3);
  CHECK(t[0].samples == 20);
  CHECK(t[2].samples == 10);
  for (std::size_t i = 0; i < 3; ++i) CHECK(t[i].time.count() == approx(call[i]).epsilon(1e-9));
  // Two calls each to plan, then rounds: between two samples of the slow one, two of each other.
  std::vector<std::size_t> slow;
  for (std::size_t i = 6; i < order.size(); ++i)
    if (order[i] == 2) slow.push_back(i);
  REQUIRE(slow.size() == 10);
  for (std::size_t i = 1; i < slow.size(); ++i) {
    CHECK(slow[i] - slow[i - 1] >= 3);
    CHECK(slow[i] - slow[i - 1] <= 7);
  }
}

// A load that comes and goes for long must not fall on one candidate alone.
TEST_CASE("timing: a slow phase of the machine keeps ratios", "[measurement]") {
  double now = 0;
  auto const slowdown = [&] { return std::fmod(now, 0.2) < 0.15 ? 1.8 : 1.0; };
  kernels candidates{[&] { now += 1e-3 * slowdown(); }, [&] { now += 2e-3 * slowdown(); }};
  auto const t = measurement::time_interleaved(std::span{candidates}, {.budget = seconds{0.4}},
                                               fake_clock{&now});
  CHECK(t[1].time / t[0].time == approx(2).epsilon(1e-6));
}

TEST_CASE("timing: a real kernel takes time", "[measurement]") {
  measurement::buffer<float> data(4096);
  auto const sum = [&] {
    float s = 0;
    for (auto const v : data) s += v;
    measurement::keep(&s);
  };
  auto const t = measurement::time(sum, {.budget = seconds{0.01}});
  CHECK(t.time.count() > 0);
  CHECK(t.median >= t.time);
  CHECK_FALSE(measurement::thread_clock{}.name().empty());
}

TEST_CASE("buffers: aligned, filled with normal numbers, the same each time", "[measurement]") {
  measurement::buffer<float> a(1000, 7);
  measurement::buffer<float> const b(1000, 7);
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
  int negative = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a.data()[i] == b.data()[i]);
    CHECK(std::abs(a.data()[i]) >= 0.25F);
    CHECK(std::abs(a.data()[i]) < 1);
    negative += a.data()[i] < 0 ? 1 : 0;
  }
  CHECK(negative > 400);
  CHECK(negative < 600);
  measurement::buffer<std::int8_t> const small_numbers(1000);
  for (auto const v : small_numbers) CHECK(v > 0);
  auto moved = std::move(a);
  CHECK(moved.size() == 1000);
  CHECK(measurement::buffer<float>{}.size() == 0);
}
