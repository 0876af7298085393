// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/cost/bandwidth_curve.hpp>
#include <mars/measurement/buffer.hpp>
#include <mars/measurement/detail/probe_kernels.hpp>
#include <mars/measurement/timing.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mars::measurement {

/// The core that measures, as one thread sees it.
struct machine {
  std::string name{"unknown"};
  std::string features{}; ///< those that decide which kernels run, in a fixed order: `avx2+fma`
  std::string compiler{};
  int lanes{4}; ///< 32-bit elements of a vector of code compiled like this
  bytes l1{};   ///< data; 0: unknown
  bytes l2{};
  bytes l3{};
  flops_per_second peak{}; ///< fp32, a multiply-add is two; 0: not measured
  cost::bandwidth_curve bandwidth{};

  /// Names what timings depend on and nothing that was measured: measurements under one key may be
  /// compared. One line without tabs.
  [[nodiscard]] auto key() const -> std::string {
    return name + "; " + (features.empty() ? "baseline" : features) + "; " + compiler + "; " +
           std::to_string(lanes) + " lanes; 1";
  }
};

namespace detail {

/// The value of the first line `key : value`; empty without one.
[[nodiscard]] inline auto value_in(std::string_view text, std::string_view key)
    -> std::string_view {
  while (!text.empty()) {
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto const colon = line.find(':');
    if (colon == line.npos || line.substr(0, key.size()) != key) continue;
    if (line.substr(key.size(), colon - key.size()).find_first_not_of(" \t") != line.npos) continue;
    auto const first = line.find_first_not_of(" \t", colon + 1);
    return first == line.npos ? std::string_view{} : line.substr(first);
  }
  return {};
}

/// What Linux writes in /proc/cpuinfo; architectures differ in the words.
inline void read_cpuinfo(std::string_view text, machine& m) {
  for (auto const key : {"model name", "cpu model", "uarch", "cpu"})
    if (auto const found = value_in(text, key); !found.empty()) {
      m.name = found;
      break;
    }
  if (m.name == "unknown") {
    auto const part = value_in(text, "CPU part"), by = value_in(text, "CPU implementer");
    if (!part.empty()) m.name = std::string{"CPU "}.append(by).append(":").append(part);
  } else if (auto const model = value_in(text, "model"); !model.empty()) {
    // Virtual machines are told too little by name.
    m.name.append(" ")
        .append(value_in(text, "cpu family"))
        .append("/")
        .append(model)
        .append("/")
        .append(value_in(text, "stepping"));
  }
  for (auto& c : m.name)
    if (c == '\t') c = ' ';
  auto flags =
      std::string{" "}.append(value_in(text, "flags")).append(value_in(text, "Features")) + " ";
  for (std::string_view const feature :
       {"sse4_2", "avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16",
        "avx512_fp16", "amx_bf16", "amx_int8", "asimd", "asimddp", "sve", "bf16", "i8mm"}) {
    if (flags.find(std::string{" "}.append(feature) + " ") == flags.npos) continue;
    if (!m.features.empty()) m.features += '+';
    m.features += feature;
  }
}

/// Without a size that can be seen: of /proc and /sys. Empty if it cannot be read.
[[nodiscard]] inline auto read_system_file(char const* path) -> std::string {
  std::string text;
  if (auto* f = std::fopen(path, "rb")) {
    std::array<char, 4096> block{};
    while (auto const n = std::fread(block.data(), 1, block.size(), f))
      text.append(block.data(), n);
    (void)std::fclose(f);
  }
  return text;
}

/// `48K`, `2M`, `512`.
[[nodiscard]] inline auto size_of_cache(std::string_view text) -> bytes {
  std::int64_t n = 0;
  std::size_t i = 0;
  for (; i < text.size() && '0' <= text[i] && text[i] <= '9' && n < (std::int64_t{1} << 40); ++i)
    n = 10 * n + (text[i] - '0');
  if (i < text.size() && text[i] == 'K') n <<= 10;
  if (i < text.size() && text[i] == 'M') n <<= 20;
  return bytes{n};
}

} // namespace detail

/// What is known without measuring. Linux says most; elsewhere the name is "unknown".
[[nodiscard]] inline auto describe_machine() -> machine {
  machine m;
  detail::read_cpuinfo(detail::read_system_file("/proc/cpuinfo"), m);
  for (int i = 0; i < 8; ++i) {
    auto const folder = std::string{"/sys/devices/system/cpu/cpu0/cache/index"} + std::to_string(i);
    auto const level = detail::read_system_file((folder + "/level").c_str());
    if (level.empty()) break;
    if (detail::read_system_file((folder + "/type").c_str()).substr(0, 4) == "Inst") continue;
    auto const size = detail::size_of_cache(detail::read_system_file((folder + "/size").c_str()));
    if (level[0] == '1') m.l1 = size;
    if (level[0] == '2') m.l2 = size;
    if (level[0] == '3') m.l3 = size;
  }
#if defined(__clang__)
  m.compiler = std::string{"clang++ "} + std::to_string(__clang_major__);
#elif defined(__GNUC__)
  m.compiler = std::string{"g++ "} + std::to_string(__GNUC__);
#else
  m.compiler = "unknown compiler";
#endif
#if defined(__AVX512F__)
  m.lanes = 16;
#elif defined(__AVX__)
  m.lanes = 8;
#endif
  return m;
}

struct machine_options {
  /// Ascending multiples of 1 KiB, close to each other where second-level caches end; all are allocated.
  std::vector<bytes> working_sets{bytes{16 << 10}, bytes{128 << 10},  bytes{512 << 10},
                                  bytes{1 << 20},  bytes{1536 << 10}, bytes{2 << 20},
                                  bytes{3 << 20},  bytes{4 << 20},    bytes{8 << 20},
                                  bytes{16 << 20}, bytes{64 << 20},   bytes{128 << 20}};
  timing_options timing{.min_sample = seconds{0.5e-3}, .max_samples = 30, .budget = seconds{0.06}};
};

/// Measures the peak of multiply-adds in registers, and reading by working set: about one budget for each,
/// a second with the defaults. Working sets are memory of their own and take turns, as kernels
/// do that are timed: read once before, behind others that drove them out of what is shared. Reading one
/// set over and over instead can be twice as fast, and no kernel ever sees that. Noise only makes slower,
/// so no working set is said to be read more slowly than a larger one.
template <Clock C = thread_clock>
[[nodiscard]] auto measure_machine(machine_options const& o = {}, C&& clock = {}) -> machine {
  auto m = describe_machine();
  auto const probe = detail::widest_probe();
  constexpr std::int64_t rounds = 10000;
  auto const fma = [&] {
    auto const sum = probe.multiply_add(rounds);
    keep(&sum);
  };
  auto const t = time(fma, o.timing, clock).time;
  if (t > seconds{}) m.peak = flops_per_second{2 * probe.fma_per_round * rounds / t.count()};

  struct reading {
    detail::probe probe;
    buffer<float> data;

    void operator()() {
      auto const sum = probe.read(data.data(), data.size());
      keep(&sum);
    }
  };
  std::vector<reading> readings;
  readings.reserve(o.working_sets.size());
  for (auto const size : o.working_sets)
    readings.push_back(
        {probe, buffer<float>(static_cast<std::size_t>(size.count()) / sizeof(float))});
  auto const times = time_interleaved(std::span{readings}, o.timing, clock);
  for (std::size_t i = 0; i < times.size(); ++i)
    if (times[i].time > seconds{})
      m.bandwidth.points.push_back(
          {o.working_sets[i], bytes_per_second{static_cast<double>(o.working_sets[i].count()) /
                                               times[i].time.count()}});
  auto& points = m.bandwidth.points;
  for (std::size_t i = points.size(); i > 1; --i)
    points[i - 2].rate = std::max(points[i - 2].rate, points[i - 1].rate);
  return m;
}

} // namespace mars::measurement
