// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace mars::io {

namespace detail {

/// Whole nanoseconds, the resolution of the viewers: two events that touch still touch after rounding.
[[nodiscard]] inline auto trace_ns(double s) -> std::int64_t { return std::llround(s * 1e9); }
[[nodiscard]] inline auto trace_us(std::int64_t ns) -> std::string {
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

class trace_writer {
public:
  [[nodiscard]] auto finish() && -> std::string {
    return std::string{"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"} + events_ + "\n]}\n";
  }
  void event(std::string const& line) {
    if (!events_.empty()) events_ += ",\n";
    events_ += line;
  }
  void metadata(std::string_view what, std::size_t pid, int tid, std::string const& argument) {
    event(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{{}}}}})", what, pid, tid,
                      argument));
  }
  /// One complete event; none if it is shorter than a nanosecond. Events of one thread never overlap.
  void slice(std::size_t pid, int tid, std::string_view name, std::string_view category,
             double begin_s, double end_s, std::string const& arguments) {
    auto& free = free_[{pid, tid}]; // sums of seconds may differ in the last bit
    auto const begin = std::max(trace_ns(begin_s), free);
    auto const end = trace_ns(end_s);
    if (end <= begin) return;
    free = end;
    event(fmt::format(
        R"({{"ph":"X","name":{},"cat":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{{{}}}}})",
        json_text(name), category, pid, tid, trace_us(begin), trace_us(end - begin), arguments));
  }
  void memory(std::size_t pid, double at_s, std::int64_t weights, std::int64_t rest) {
    event(fmt::format(
        R"({{"ph":"C","name":"memory","pid":{},"tid":0,"ts":{},"args":{{"weights":{},"activations and buffers":{}}}}})",
        pid, trace_us(trace_ns(at_s)), weights, rest));
  }

private:
  std::string events_;
  std::map<std::pair<std::size_t, int>, std::int64_t> free_; // by thread: when its last event ends
};

} // namespace detail

/// One inference in the trace-event format of Chrome and Perfetto (ui.perfetto.dev): a process per
/// accelerator, the accelerators of a set one below the other; a thread for computation and one for
/// communication, whose events follow each other; a counter of memory, which changes when an operator starts. Times are in microseconds,
/// rounded to nanoseconds. Waiting for rotating parts is drawn in one piece after the computation it
/// interleaves with. Operators that take for ever are left out.
[[nodiscard]] inline auto trace_json(report_data const& r) -> std::string {
  constexpr int compute = 1;
  constexpr int communication = 2;
  detail::trace_writer out;
  std::size_t rank = 0;
  for (std::size_t s = 0; s < r.sets.size(); ++s)
    for (auto const a : r.sets[s].accelerators) {
      auto const pid = a + 1; // 0 is the idle process to some viewers
      auto const& device = r.accelerators[a];
      out.metadata(
          "process_name", pid, 0,
          std::string{"\"name\":"} +
              detail::json_text(fmt::format("{} · set {} · {}", device.name, s, r.sets[s].design)));
      out.metadata("process_sort_index", pid, 0, fmt::format("\"sort_index\":{}", rank++));
      out.metadata("thread_name", pid, compute, "\"name\":\"compute\"");
      out.metadata("thread_sort_index", pid, compute, "\"sort_index\":1");
      out.metadata("thread_name", pid, communication, "\"name\":\"communication\"");
      out.metadata("thread_sort_index", pid, communication, "\"sort_index\":2");
      out.memory(pid, 0, device.resident_bytes, 0);

      for (auto const& o : r.operators) {
        if (o.set != s || !std::isfinite(o.end_s)) continue;
        auto const arguments = fmt::format(R"("operator":{},"kind":{},"sharding":{},"set":{})",
                                           detail::json_text(o.name), detail::json_text(o.kind),
                                           detail::json_text(o.sharding), s);
        auto const& t = o.time;
        double at = o.start_s;
        auto const take = [&](int thread, std::string_view category, std::string const& name,
                              double duration) {
          out.slice(pid, thread, name, category, at, at + duration, arguments);
          at += duration;
        };
        out.memory(pid, o.start_s, device.resident_bytes, o.memory_bytes - device.resident_bytes);
        take(communication, "redistribution", std::string{"inputs of "} + o.name,
             t.redistribution_s);
        take(compute, "compute", o.name, t.compute_s);
        take(communication, "rotation", std::string{"rotating parts of "} + o.name, t.rotation_s);
        take(communication, "partial sums", std::string{"partial sums of "} + o.name,
             t.partial_sums_s);
        take(communication, "state exchange", std::string{"state of "} + o.name,
             t.state_exchange_s);
      }
      if (std::isfinite(r.latency_s)) out.memory(pid, r.latency_s, device.resident_bytes, 0);
    }
  return std::move(out).finish();
}

} // namespace mars::io
