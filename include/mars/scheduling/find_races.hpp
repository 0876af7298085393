// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_program.hpp>
#include <mars/scheduling/stream_violation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// A node may run before, or beside, one whose result it reads.
struct stream_race {
  std::uint32_t producer{};
  std::uint32_t consumer{};

  friend auto operator==(stream_race const&, stream_race const&) -> bool = default;
};

namespace detail {

/// Reads a program command by command. A clock has one number for each stream: how many of its launches
/// have surely ended. A record copies the stream's clock into the event, a wait takes the larger of both,
/// a barrier the largest of all. A wait for an event that was not recorded yet does nothing, as in CUDA.
/// Knows nothing of schedules or of how programs are made.
template <deferred D = when_called>
class basic_program_reader {
public:
  basic_program_reader(later<stream_graph, D> const& g, later<stream_program, D> const& program)
      : graph_{g},
        program_{program},
        streams_(program.streams, clock(program.streams)),
        events_(program.events),
        place_(g.size()) {
    for (std::size_t i = 0; i < program.commands.size(); ++i) read(i);
    finish();
  }

  later<std::vector<stream_violation>, D> violations{};
  later<std::vector<stream_race>, D> races{};

private:
  using clock = later<std::vector<std::uint32_t>, D>;
  struct position {
    std::size_t stream;
    std::uint32_t launch; ///< the how-manieth of the stream
  };
  using kind = stream_violation_kind;

  [[nodiscard]] static auto at(std::size_t i) -> std::string {
    return "commands[" + std::to_string(i) + "]";
  }
  [[nodiscard]] auto quoted(std::size_t v) const -> std::string {
    return std::string{"'"} + graph_.nodes[v].name + "'";
  }
  void report(kind k, std::string path, std::string message) {
    violations.push_back({k, std::move(path), std::move(message)});
  }
  /// Is number `what` there? Complains if not.
  [[nodiscard]] auto exists(kind k, std::size_t i, char const* noun, std::size_t what,
                            std::size_t count) -> bool {
    if (what < count) return true;
    report(k, at(i),
           std::string{noun} + " " + std::to_string(what) + " of " + std::to_string(count));
    return false;
  }

  void read(std::size_t i) {
    auto const& c = program_.commands[i];
    auto const s = c.stream.index();
    if (c.verb == stream_verb::barrier) {
      clock all(streams_.size());
      for (auto const& one : streams_) take(all, one);
      for (auto& one : streams_) one = all;
      return;
    }
    if (!exists(kind::unknown_stream, i, "stream", s, streams_.size())) return;
    switch (c.verb) {
    case stream_verb::launch: launch(i, s, {&c.what, 1}); break;
    case stream_verb::launch_merged:
      if (exists(kind::unknown_group, i, "group", c.what, program_.merged.size()))
        launch(i, s, program_.merged[c.what]);
      break;
    case stream_verb::record:
      if (!exists(kind::unknown_event, i, "event", c.what, events_.size())) return;
      if (events_[c.what])
        report(kind::repeated_event, at(i),
               std::string{"event "} + std::to_string(c.what) + " is recorded again");
      events_[c.what] = streams_[s];
      break;
    case stream_verb::wait:
      if (!exists(kind::unknown_event, i, "event", c.what, events_.size())) return;
      if (events_[c.what])
        take(streams_[s], *events_[c.what]);
      else
        report(kind::early_wait, at(i),
               std::string{"stream "} + std::to_string(s) + " waits for event " +
                   std::to_string(c.what) + ", which was not recorded before");
      break;
    case stream_verb::barrier: break;
    }
  }

  /// All nodes at once: none of them sees another's result.
  void launch(std::size_t i, std::size_t stream, std::span<std::uint32_t const> nodes) {
    auto& now = streams_[stream];
    clock known;
    for (auto const v : nodes)
      if (exists(kind::unknown_node, i, "node", v, graph_.size())) known.push_back(v);
    for (auto const v : known)
      for (auto const p : graph_.nodes[v].inputs)
        if (!place_[p] || now[place_[p]->stream] < place_[p]->launch) {
          races.push_back({p, v});
          report(kind::race, at(i),
                 quoted(v) + " on stream " + std::to_string(stream) + " reads the result of " +
                     quoted(p) + ", " +
                     (place_[p]
                          ? "which may still run on stream " + std::to_string(place_[p]->stream)
                          : std::string{"which was not launched before"}));
        }
    ++now[stream];
    for (auto const v : known) {
      if (place_[v]) report(kind::repeated_node, at(i), quoted(v) + " is launched again");
      place_[v] = position{stream, now[stream]};
    }
  }

  void finish() {
    auto const end = at(program_.commands.size());
    for (std::size_t v = 0; v < graph_.size(); ++v)
      if (!place_[v]) report(kind::missing_node, end, quoted(v) + " is never launched");
    for (std::size_t s = 1; s < streams_.size(); ++s)
      if (streams_[0][s] < streams_[s][s])
        report(kind::unjoined, end,
               std::string{"stream 0 does not wait for stream "} + std::to_string(s));
    for (std::uint32_t v = 0; v < graph_.size(); ++v)
      if (!place_[v])
        for (auto const p : graph_.nodes[v].inputs) races.push_back({p, v});
  }

  static void take(clock& a, clock const& b) {
    for (std::size_t s = 0; s < a.size(); ++s) a[s] = std::max(a[s], b[s]);
  }

  later<stream_graph, D> const& graph_;
  later<stream_program, D> const& program_;
  std::vector<clock> streams_;
  std::vector<std::optional<clock>> events_;
  std::vector<std::optional<position>> place_;
};

} // namespace detail

/// Dependences that nothing in the program keeps: neither a stream nor events nor barriers. Those of
/// nodes that are never launched are among them. O(commands · streams).
template <deferred D = when_called>
[[nodiscard]] auto find_races(later<stream_graph, D> const& g,
                              later<stream_program, D> const& program)
    -> later<std::vector<stream_race>, D> {
  return detail::basic_program_reader<D>{g, program}.races;
}

/// All that is wrong with a program, races among it; nothing if it may run.
template <deferred D = when_called>
[[nodiscard]] auto validate(later<stream_graph, D> const& g,
                            later<stream_program, D> const& program)
    -> later<std::vector<stream_violation>, D> {
  return detail::basic_program_reader<D>{g, program}.violations;
}

} // namespace mars
