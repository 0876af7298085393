// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

namespace detail {

/// Whole nanoseconds, the resolution of the viewers: two events that touch still touch after rounding.
[[nodiscard]] inline auto trace_ns(double s) -> std::int64_t { return std::llround(s * 1e9); }
[[nodiscard]] inline auto trace_us(std::int64_t ns) -> std::string {
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

/// A slice that was written, in nanoseconds.
struct trace_slice {
  std::size_t pid{};
  int tid{};
  std::int64_t begin{};
  std::int64_t end{};
};

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
  /// One complete event; none if it is shorter than a nanosecond. Complete events of one thread
  /// follow each other: what overlaps the one before it becomes an asynchronous pair.
  auto slice(std::size_t pid, int tid, std::string_view name, std::string_view category,
             double begin_s, double end_s, std::string const& arguments)
      -> std::optional<trace_slice> {
    auto& free = free_[{pid, tid}];
    auto begin = trace_ns(begin_s);
    auto const end = trace_ns(end_s);
    if (begin + 2 <= free && begin < end) {
      pair(pid, tid, name, category, begin, end, arguments);
      return std::nullopt;
    }
    begin = std::max(begin, free); // sums of seconds may differ in the last bit
    if (end <= begin) return std::nullopt;
    free = end;
    event(fmt::format(
        R"({{"ph":"X","name":{},"cat":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{{{}}}}})",
        json_text(name), category, pid, tid, trace_us(begin), trace_us(end - begin), arguments));
    return trace_slice{pid, tid, begin, end};
  }
  /// What may overlap anything.
  void pair(std::size_t pid, int tid, std::string_view name, std::string_view category,
            std::int64_t begin, std::int64_t end, std::string const& arguments) {
    auto const id = ++pairs_;
    event(fmt::format(
        R"({{"ph":"b","name":{},"cat":"{}","id":{},"pid":{},"tid":{},"ts":{},"args":{{{}}}}})",
        json_text(name), category, id, pid, tid, trace_us(begin), arguments));
    event(fmt::format(R"({{"ph":"e","name":{},"cat":"{}","id":{},"pid":{},"tid":{},"ts":{}}})",
                      json_text(name), category, id, pid, tid, trace_us(end)));
  }
  /// An arrow from the end of one slice to the beginning of another, both written before.
  void arrow(trace_slice const& from, trace_slice const& to, std::string_view name) {
    auto const id = ++arrows_;
    event(fmt::format(R"({{"ph":"s","name":{},"cat":"tensor","id":{},"pid":{},"tid":{},"ts":{}}})",
                      json_text(name), id, from.pid, from.tid, trace_us(from.end - 1)));
    event(fmt::format(
        R"({{"ph":"f","bp":"e","name":{},"cat":"tensor","id":{},"pid":{},"tid":{},"ts":{}}})",
        json_text(name), id, to.pid, to.tid, trace_us(to.begin)));
  }
  void memory(std::size_t pid, double at_s, report_memory_step const& step) {
    event(fmt::format(
        R"({{"ph":"C","name":"memory","pid":{},"tid":0,"ts":{},"args":{{"weights":{},"results":{},"buffers":{}}}}})",
        pid, trace_us(trace_ns(at_s)), step.weights_bytes, step.results_bytes, step.buffers_bytes));
  }

private:
  std::string events_;
  std::map<std::pair<std::size_t, int>, std::int64_t> free_; // by thread: when its last event ends
  std::size_t pairs_{};
  std::size_t arrows_{};
};

/// The first and the last slice of an operator on one of its accelerators.
struct operator_slices {
  std::optional<trace_slice> first;
  std::optional<trace_slice> last;
};

inline constexpr int compute_thread = 1;
inline constexpr int communication_thread = 2;
inline constexpr int arrivals_thread = 3;
inline constexpr int first_stream_thread = 4;

[[nodiscard]] inline auto write_operator(trace_writer& out, report_data const& r,
                                         report_operator const& o, std::size_t pid)
    -> operator_slices {
  auto const arguments =
      fmt::format(R"("operator":{},"kind":{},"sharding":{},"set":{},"critical":{},"waits for":{})",
                  json_text(o.name), json_text(o.kind), json_text(o.sharding), o.set, o.critical,
                  json_text(wait_text(r, o.wait, o.wait_on)));
  bool const loads = r.semantics == semantics::staged;
  bool const streams = r.has_streams();
  auto const parts = causes_in_order(o.time);
  operator_slices written;
  double at = o.start_s;
  for (auto const c : causes_in_time) {
    std::string_view const prefix = c == 1   ? loads ? "load " : "inputs of "
                                    : c == 5 ? "weights of "
                                    : c == 2 ? "rotating parts of "
                                    : c == 3 ? "partial sums of "
                                    : c == 4 ? "state of "
                                    : c == 6 ? "store "
                                             : "";
    auto const tid = streams  ? first_stream_thread + static_cast<int>(o.stream)
                     : c == 0 ? compute_thread
                              : communication_thread;
    auto const slice =
        out.slice(pid, tid, std::string{prefix} + o.name,
                  c == 0 ? "compute" : cause_name(c, r.semantics), at, at + parts[c], arguments);
    at += parts[c];
    if (!slice) continue;
    if (!written.first) written.first = slice;
    written.last = slice;
  }
  return written;
}

} // namespace detail

/// One inference in the trace-event format of Chrome and Perfetto (ui.perfetto.dev): a process per
/// accelerator, those of a set one below the other; a thread for computation and one for
/// communication, or, where there are streams, one for each; their events follow each other; asynchronous events for transfers that lie between
/// operators, at their first receiver; an arrow for every tensor that moves; a counter of memory.
/// Times are in microseconds, rounded to nanoseconds. Waiting for rotating parts is drawn in one
/// piece after the computation it interleaves with. Operators that take for ever are left out.
[[nodiscard]] inline auto trace_json(report_data const& r) -> std::string {
  detail::trace_writer out;
  std::vector<std::vector<std::size_t>> runs(r.sets.size()); // operators by set
  for (std::size_t i = 0; i < r.operators.size(); ++i)
    if (std::isfinite(r.operators[i].end_s)) runs[r.operators[i].set].push_back(i);
  std::vector<detail::operator_slices> slices(r.operators.size()); // on the first accelerator

  std::size_t rank = 0;
  for (auto const& group : detail::lane_groups(r))
    for (auto const a : group.accelerators) {
      auto const pid = a + 1; // 0 is the idle process to some viewers
      auto const& device = r.accelerators[a];
      out.metadata("process_name", pid, 0,
                   std::string{"\"name\":"} +
                       detail::json_text(device.name + " · " + detail::group_sentence(r, group)));
      out.metadata("process_sort_index", pid, 0, fmt::format("\"sort_index\":{}", rank++));
      auto const thread = [&](int tid, std::string_view name) {
        out.metadata("thread_name", pid, tid, fmt::format("\"name\":\"{}\"", name));
        out.metadata("thread_sort_index", pid, tid, fmt::format("\"sort_index\":{}", tid));
      };
      std::vector<std::size_t> mine;
      for (auto const s : group.sets) mine.insert(mine.end(), runs[s].begin(), runs[s].end());
      std::sort(mine.begin(), mine.end());
      if (r.has_streams()) {
        std::set<std::size_t> used;
        for (auto const i : mine) used.insert(r.operators[i].stream);
        for (auto const s : used)
          thread(detail::first_stream_thread + static_cast<int>(s), fmt::format("stream {}", s));
      } else {
        thread(detail::compute_thread, "compute");
        thread(detail::communication_thread, "communication");
      }
      if (is_overlapped(r.semantics)) thread(detail::arrivals_thread, "arriving tensors");
      for (auto const& step : device.memory)
        if (std::isfinite(step.at_s)) out.memory(pid, step.at_s, step);

      for (auto const i : mine) {
        auto const& o = r.operators[i];
        auto const written = detail::write_operator(out, r, o, pid);
        if (r.sets[o.set].accelerators.front() == a) slices[i] = written;
      }
    }

  for (auto const& t : r.transfers) {
    if (!std::isfinite(t.start_s) || !std::isfinite(t.end_s)) continue;
    auto const& from = r.operators[t.from];
    auto const& to = r.operators[t.to];
    auto const name = from.name + " → " + to.name;
    auto const begin = detail::trace_ns(t.start_s);
    auto const end = detail::trace_ns(t.end_s);
    if (is_overlapped(r.semantics) && begin < end)
      out.pair(r.sets[to.set].accelerators.front() + 1, detail::arrivals_thread, name, "transfer",
               begin, end,
               fmt::format(R"("from":{},"to":{},"bytes":{})", detail::json_text(from.name),
                           detail::json_text(to.name), t.bytes));
    auto const& sends = slices[t.from].last;
    auto const& receives = slices[t.to].first;
    if (sends && receives && sends->end - 1 <= receives->begin) out.arrow(*sends, *receives, name);
  }
  return std::move(out).finish();
}

} // namespace mars::io
