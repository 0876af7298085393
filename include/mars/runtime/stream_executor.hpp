// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/runtime/detail/check_program.hpp>
#include <mars/runtime/detail/invoke_launch.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_program.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mars::runtime {

/// Runs a `stream_program` on the CPU as a GPU would: a thread for each stream, a latch for each event.
/// For tests of schedules, and as the simplest runtime there is.
///
/// Every node is checked when its turn comes: is there a chain of records, waits and streams from the
/// end of each of its inputs to this very point? Threads carry vector clocks (as race detectors do), so
/// a missing wait is found in every run, however the threads happened to be timed. From then on nothing
/// is launched any more, and the replay answers `error_code::race`, naming the first such node in
/// program order.
///
/// `launch(node)`, and `launch(nodes)` with a span for merged ones, return nothing or `expected<void>`, are
/// called from the threads of their streams, concurrently, and must not throw.
template <class Launch>
class stream_executor {
public:
  /// The caller's thread is stream 0; the others wait for `replay`. Errors: of the program
  /// (`commands[7].what`), a node that it launches not once (`nodes[3]`).
  [[nodiscard]] static auto make(stream_program program, stream_graph const& graph, Launch launch)
      -> expected<stream_executor> {
    if (auto sound = detail::check_program(program, false); !sound)
      return unexpected{std::move(sound).error()};
    auto s = std::make_unique<state>(std::move(program), std::move(launch));
    if (auto placed = s->place(graph); !placed) return unexpected{std::move(placed).error()};
    s->start();
    return stream_executor{std::move(s)};
  }

  /// Once through the program; returns when all streams are through. Errors: `race`; of `launch`, then
  /// inside `nodes[5]`. Not to be called concurrently with itself.
  [[nodiscard]] auto replay() -> expected<void> { return state_->replay(); }

private:
  using clock = std::vector<std::uint32_t>; ///< of each stream: launches known to have ended

  struct position {
    std::uint32_t stream{}, count{}; ///< launches of its stream up to and with it; 0: none
  };
  struct event {
    std::atomic<std::uint32_t> replay{0}; ///< the last replay it was recorded in
    clock seen{};
  };
  struct meeting {
    std::atomic<std::uint32_t> arrived{0}; ///< of all replays together
    std::vector<clock> seen{};             ///< of each stream
  };
  struct failure {
    std::uint32_t command{};
    error why{};
  };

  struct state {
    state(stream_program p, Launch l)
        : program{std::move(p)},
          launch{std::move(l)},
          events(program.events),
          failures(std::max<std::size_t>(1, program.streams)) {}
    state(state const&) = delete;
    auto operator=(state const&) -> state& = delete;
    ~state() {
      {
        std::lock_guard const lock{mutex};
        quit = true;
      }
      begin.notify_all();
      for (auto& t : threads) t.join();
    }

    [[nodiscard]] auto nodes_of(stream_command const& c) const -> std::span<std::uint32_t const> {
      if (c.verb == stream_verb::launch_merged) return program.merged[c.what];
      return {&c.what, 1};
    }

    /// Which launch of which stream each node is; what it reads.
    [[nodiscard]] auto place(stream_graph const& graph) -> expected<void> {
      inputs.resize(graph.size());
      for (std::size_t v = 0; v < graph.size(); ++v) inputs[v] = graph.nodes[v].inputs;
      at.resize(graph.size());
      std::vector<std::uint32_t> launched(program.streams, 0);
      auto const times = [](std::size_t v, char const* found) {
        return fail(error_code::invalid_argument, "nodes[" + std::to_string(v) + "]", found,
                    "one launch of each node of the graph");
      };
      for (auto const& c : program.commands) {
        if (c.verb == stream_verb::barrier) ++barriers;
        if (c.verb != stream_verb::launch && c.verb != stream_verb::launch_merged) continue;
        auto const count = ++launched[c.stream.index()];
        for (auto const v : nodes_of(c)) {
          if (v >= at.size()) return times(v, "a launch of a node that the graph does not have");
          if (at[v].count != 0) return times(v, "a second launch");
          at[v] = {c.stream.value, count};
        }
      }
      for (std::size_t v = 0; v < at.size(); ++v) {
        if (at[v].count == 0) return times(v, "no launch");
        for (auto const p : inputs[v])
          if (p >= at.size()) return times(v, "an input that the graph does not have");
      }
      meetings = std::vector<meeting>(barriers);
      for (auto& m : meetings) m.seen.resize(program.streams);
      return {};
    }

    void start() {
      for (std::uint32_t s = 1; s < program.streams; ++s)
        threads.emplace_back([this, s] {
          for (std::uint32_t last = 0;;) {
            {
              std::unique_lock lock{mutex};
              begin.wait(lock, [&] { return quit || round != last; });
              if (quit) return;
              last = round;
            }
            run(s, last);
            std::lock_guard const lock{mutex};
            if (--running == 0) end.notify_one();
          }
        });
    }

    [[nodiscard]] auto replay() -> expected<void> {
      for (auto& f : failures) f.reset();
      stopped.store(false, std::memory_order_relaxed);
      std::uint32_t now{};
      {
        std::lock_guard const lock{mutex};
        running = threads.size();
        now = ++round;
      }
      begin.notify_all();
      if (program.streams > 0) run(0, now);
      {
        std::unique_lock lock{mutex};
        end.wait(lock, [&] { return running == 0; });
      }
      failure const* first = nullptr;
      for (auto const& f : failures)
        if (f && (first == nullptr || f->command < first->command)) first = &*f;
      if (first != nullptr) return unexpected{first->why};
      return {};
    }

    /// The commands of one stream. All records and waits happen even after a failure: nobody is left
    /// waiting. A wait is for a record before it in program order, so no cycle of waits is possible.
    void run(std::uint32_t stream, std::uint32_t now) {
      clock seen(program.streams, 0);
      std::size_t barrier = 0;
      for (std::uint32_t i = 0; i < program.commands.size(); ++i) {
        auto const& c = program.commands[i];
        if (c.verb == stream_verb::barrier) {
          meet(meetings[barrier++], stream, now, seen);
          continue;
        }
        if (c.stream.value != stream) continue;
        switch (c.verb) {
        case stream_verb::record:
          events[c.what].seen = seen;
          events[c.what].replay.store(now, std::memory_order_release);
          events[c.what].replay.notify_all();
          break;
        case stream_verb::wait:
          await(events[c.what].replay, now - 1);
          merge(seen, events[c.what].seen);
          break;
        case stream_verb::launch:
        case stream_verb::launch_merged: step(i, c, seen); break;
        case stream_verb::barrier: break;
        }
      }
    }

    void step(std::uint32_t i, stream_command const& c, clock& seen) {
      auto const nodes = nodes_of(c);
      if (auto e = race_of(c, nodes, seen)) {
        stop(c, {i, std::move(*e)});
      } else if (!stopped.load(std::memory_order_relaxed)) {
        auto const done = c.verb == stream_verb::launch ? detail::invoke_launch(launch, c.what)
                                                        : detail::invoke_merged(launch, nodes);
        if (!done)
          stop(c, {i, error{done.error()}.inside("nodes[" + std::to_string(nodes.front()) + "]")});
      }
      ++seen[c.stream.index()];
    }

    /// An input that has not ended for sure.
    [[nodiscard]] auto race_of(stream_command const& c, std::span<std::uint32_t const> nodes,
                               clock const& seen) const -> std::optional<error> {
      for (auto const v : nodes)
        for (auto const p : inputs[v]) {
          bool const together = std::find(nodes.begin(), nodes.end(), p) != nodes.end();
          if (together || seen[at[p].stream] >= at[p].count) continue;
          auto const name = [](std::uint32_t n, std::uint32_t s) {
            return "nodes[" + std::to_string(n) + "] on stream " + std::to_string(s);
          };
          return error{error_code::race, "nodes[" + std::to_string(v) + "]",
                       name(v, c.stream.value) + " reads " + name(p, at[p].stream),
                       "an event between them", "nothing orders the one after the other"};
        }
      return std::nullopt;
    }

    void stop(stream_command const& c, failure f) {
      auto& mine = failures[c.stream.index()];
      if (!mine) mine = std::move(f);
      stopped.store(true, std::memory_order_relaxed);
    }

    void meet(meeting& m, std::uint32_t stream, std::uint32_t now, clock& seen) {
      auto const everyone = static_cast<std::uint32_t>(program.streams);
      m.seen[stream] = seen;
      m.arrived.fetch_add(1, std::memory_order_acq_rel);
      m.arrived.notify_all();
      for (auto n = m.arrived.load(std::memory_order_acquire); n != now * everyone;
           n = m.arrived.load(std::memory_order_acquire))
        m.arrived.wait(n, std::memory_order_acquire);
      for (auto const& theirs : m.seen) merge(seen, theirs);
    }
    static void await(std::atomic<std::uint32_t> const& a, std::uint32_t old) {
      while (a.load(std::memory_order_acquire) == old) a.wait(old, std::memory_order_acquire);
    }
    static void merge(clock& mine, clock const& theirs) {
      for (std::size_t s = 0; s < mine.size(); ++s) mine[s] = std::max(mine[s], theirs[s]);
    }

    stream_program program;
    Launch launch;
    std::vector<std::vector<std::uint32_t>> inputs;
    std::vector<position> at;
    std::vector<event> events;
    std::size_t barriers{0};
    std::vector<meeting> meetings;
    std::vector<std::optional<failure>> failures; ///< of each stream, its first
    std::atomic<bool> stopped{false};
    std::mutex mutex;
    std::condition_variable begin, end;
    std::uint32_t round{0};
    std::size_t running{0};
    bool quit{false};
    std::vector<std::thread> threads;
  };

  explicit stream_executor(std::unique_ptr<state> s) : state_{std::move(s)} {}

  std::unique_ptr<state> state_;
};

} // namespace mars::runtime
