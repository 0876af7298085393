// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A GPU that is none: streams, events, captures and graphs with CUDA's rules and its error codes, every
// call written down. Kernels that are registered run here, block after block; a clock ticks by what
// the test says they take. Two faces: `fake_gpu_api` (support/fake_gpu_api.hpp) and CUDA's own C
// functions (support/cuda/cuda_runtime_api.h).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace mars_test {

using dimensions = std::array<unsigned, 3>;

/// How a registered kernel runs: one call for each block.
struct fake_kernel {
  std::vector<std::size_t> argument_sizes{};
  std::function<void(dimensions grid, dimensions block_index, dimensions block, void** arguments)>
      run_block{};
  int registers{32};
  std::size_t shared{};
};

class fake_gpu {
public:
  using status = int; ///< CUDA's
  static constexpr status success = 0, invalid_value = 1, invalid_handle = 400, not_ready = 600,
                          unsupported = 900, invalidated = 901, unmatched = 903, unjoined = 904,
                          isolation = 905, implicit = 906;
  using handle = std::uint32_t; ///< 0: the legacy default stream; of the others: none

  struct node {
    void const* function{};
    dimensions grid{}, block{};
    std::size_t shared{};
    std::vector<std::vector<std::byte>> arguments{};
    std::vector<handle> after{}; ///< indices of nodes
  };
  using graph = std::vector<node>;

  // What the test sets and reads.
  std::vector<std::string> log;
  std::map<void const*, fake_kernel> kernels;
  std::map<std::string, std::pair<int, status>> failing; ///< call: which one of them fails, how
  bool newest_first{true};                               ///< order among ready nodes of a graph
  std::function<double(void const*)> duration;           ///< ms
  double gap{0}, cross{0}, replay{0}; ///< ms: in a chain, at forks and joins, of every replay
  std::map<int, int> attributes;      ///< cudaDeviceAttr

  [[nodiscard]] auto alive() const -> std::size_t {
    return streams_.size() - streams_.count(0) + events_.size() + graphs_.size() +
           executables_.size();
  }
  [[nodiscard]] auto is_capturing() const -> bool { return !captures_.empty(); }
  /// Of the last executable made.
  [[nodiscard]] auto last_graph() const -> graph const& { return last_; }

  static auto name(status s) -> char const* {
    switch (s) {
    case success: return "cudaSuccess";
    case invalid_value: return "cudaErrorInvalidValue";
    case invalid_handle: return "cudaErrorInvalidResourceHandle";
    case not_ready: return "cudaErrorNotReady";
    case unsupported: return "cudaErrorStreamCaptureUnsupported";
    case invalidated: return "cudaErrorStreamCaptureInvalidated";
    case unmatched: return "cudaErrorStreamCaptureUnmatched";
    case unjoined: return "cudaErrorStreamCaptureUnjoined";
    case isolation: return "cudaErrorStreamCaptureIsolation";
    case implicit: return "cudaErrorStreamCaptureImplicit";
    default: return "cudaErrorUnknown";
    }
  }

  auto create_stream(handle& out) -> status {
    return call("cudaStreamCreateWithFlags", "", [&] {
      streams_[out = next_++] = {};
      return success;
    });
  }
  auto create_event(handle& out, bool timed) -> status {
    return call("cudaEventCreateWithFlags", "", [&] {
      events_[out = next_++].timed = timed;
      return success;
    });
  }
  auto record(handle e, handle s) -> status {
    return call("cudaEventRecord", name_of('e', e) + ", " + name_of('s', s), [&] {
      if (events_.count(e) == 0 || !has_stream(s)) return invalid_handle;
      if (auto const bad = touches(s); bad != success) return bad;
      auto const& from = streams_[s];
      auto& ev = events_[e];
      ev.capture = from.capture;
      ev.tails = from.tails;
      ev.seen = from.seen;
      ev.time = now_;
      ev.recorded = true;
      return success;
    });
  }
  auto wait(handle s, handle e) -> status {
    return call("cudaStreamWaitEvent", name_of('s', s) + ", " + name_of('e', e), [&] {
      if (events_.count(e) == 0 || !has_stream(s)) return invalid_handle;
      if (auto const bad = touches(s); bad != success) return bad;
      auto const& ev = events_[e];
      auto& to = streams_[s];
      if (to.capture != 0 && ev.capture != to.capture) return spoil(to.capture, isolation);
      if (ev.capture == 0) return success; // all before it has run already
      if (captures_.count(ev.capture) == 0) return invalid_value;
      to.capture = ev.capture;
      to.tails.insert(to.tails.end(), ev.tails.begin(), ev.tails.end());
      std::sort(to.tails.begin(), to.tails.end());
      to.tails.erase(std::unique(to.tails.begin(), to.tails.end()), to.tails.end());
      for (auto const& [stream, version] : ev.seen)
        to.seen[stream] = std::max(to.seen[stream], version);
      ++to.seen[s];
      return success;
    });
  }
  auto synchronize(handle s) -> status {
    return call("cudaStreamSynchronize", name_of('s', s), [&] {
      if (!has_stream(s)) return invalid_handle;
      if (streams_[s].capture != 0) return spoil(streams_[s].capture, unsupported);
      return touches(s);
    });
  }

  auto begin_capture(handle s) -> status {
    return call("cudaStreamBeginCapture", name_of('s', s), [&] {
      if (s == 0) return unsupported;
      if (!has_stream(s)) return invalid_handle;
      auto& st = streams_[s];
      if (st.capture != 0) return invalid_value;
      st = {};
      captures_[st.capture = next_++] = {s, {}, false};
      return success;
    });
  }
  auto end_capture(handle s, handle& out) -> status {
    out = 0;
    return call("cudaStreamEndCapture", name_of('s', s), [&] {
      if (!has_stream(s) || streams_[s].capture == 0) return invalid_value;
      auto const id = streams_[s].capture;
      if (captures_[id].origin != s) return spoil(id, unmatched);
      auto const ended = std::move(captures_[id]);
      captures_.erase(id);
      bool joined = true;
      auto const seen = streams_[s].seen;
      for (auto& [other, st] : streams_) {
        if (st.capture != id) continue;
        auto const mine = st.seen.find(other);
        auto const theirs = seen.find(other);
        if (other != s && mine != st.seen.end())
          joined = joined && theirs != seen.end() && theirs->second >= mine->second;
        st = {};
      }
      if (ended.spoilt) return invalidated;
      if (!joined) return unjoined;
      graphs_[out = next_++] = ended.nodes;
      return success;
    });
  }

  auto create_graph(handle& out) -> status {
    return call("cudaGraphCreate", "", [&] {
      graphs_[out = next_++] = {};
      return success;
    });
  }
  /// Nodes are named by their index + 1.
  auto add_kernel(handle& out, handle g, std::vector<handle> after, node n) -> status {
    return call("cudaGraphAddKernelNode", name_of('g', g), [&] {
      if (graphs_.count(g) == 0) return invalid_handle;
      auto& nodes = graphs_[g];
      std::sort(after.begin(), after.end());
      if (std::adjacent_find(after.begin(), after.end()) != after.end()) return invalid_value;
      for (auto& a : after) {
        if (a == 0 || a > nodes.size()) return invalid_value;
        --a;
      }
      n.after = std::move(after);
      nodes.push_back(std::move(n));
      out = static_cast<handle>(nodes.size());
      return success;
    });
  }
  auto instantiate(handle& out, handle g) -> status {
    return call("cudaGraphInstantiateWithFlags", name_of('g', g), [&] {
      if (graphs_.count(g) == 0) return invalid_handle;
      executables_[out = next_++] = last_ = graphs_[g];
      return success;
    });
  }
  auto upload(handle x, handle s) -> status {
    return call("cudaGraphUpload", name_of('x', x) + ", " + name_of('s', s), [&] {
      return executables_.count(x) == 0 || !has_stream(s) ? invalid_handle : touches(s);
    });
  }
  auto launch_graph(handle x, handle s) -> status {
    return call("cudaGraphLaunch", name_of('x', x) + ", " + name_of('s', s), [&] {
      if (executables_.count(x) == 0 || !has_stream(s)) return invalid_handle;
      if (streams_[s].capture != 0) return spoil(streams_[s].capture, unsupported);
      if (auto const bad = touches(s); bad != success) return bad;
      run(executables_[x]);
      return success;
    });
  }
  auto launch_kernel(node n, handle s) -> status {
    return call("cudaLaunchKernel", name_of('s', s), [&] {
      if (!has_stream(s)) return invalid_handle;
      if (auto const bad = touches(s); bad != success) return bad;
      auto& st = streams_[s];
      if (st.capture == 0) {
        run(graph{std::move(n)});
        return success;
      }
      auto& nodes = captures_[st.capture].nodes;
      n.after = st.tails;
      st.tails = {static_cast<handle>(nodes.size())};
      ++st.seen[s];
      nodes.push_back(std::move(n));
      return success;
    });
  }

  auto elapsed(handle from, handle to, double& ms) -> status {
    return call("cudaEventElapsedTime", "", [&] {
      if (events_.count(from) == 0 || events_.count(to) == 0) return invalid_handle;
      auto const& a = events_[from];
      auto const& b = events_[to];
      if (!a.timed || !b.timed || !a.recorded || !b.recorded) return invalid_handle;
      ms = b.time - a.time;
      return success;
    });
  }
  auto function(void const* f, fake_kernel& out) -> status {
    return call("cudaFuncGetAttributes", "", [&] {
      if (kernels.count(f) == 0) return invalid_value;
      out = kernels[f];
      return success;
    });
  }
  auto attribute(int which, int& value) -> status {
    return call("cudaDeviceGetAttribute", std::to_string(which), [&] {
      if (attributes.count(which) == 0) return invalid_value;
      value = attributes[which];
      return success;
    });
  }

  auto destroy_stream(handle s) -> status {
    return call("cudaStreamDestroy", name_of('s', s),
                [&] { return streams_.erase(s) == 1 && s != 0 ? success : invalid_handle; });
  }
  auto destroy_event(handle e) -> status {
    return call("cudaEventDestroy", name_of('e', e),
                [&] { return events_.erase(e) == 1 ? success : invalid_handle; });
  }
  auto destroy_graph(handle g) -> status {
    return call("cudaGraphDestroy", name_of('g', g),
                [&] { return graphs_.erase(g) == 1 ? success : invalid_handle; });
  }
  auto destroy_executable(handle x) -> status {
    return call("cudaGraphExecDestroy", name_of('x', x),
                [&] { return executables_.erase(x) == 1 ? success : invalid_handle; });
  }

  /// A launch with its arguments' values as they are now.
  [[nodiscard]] auto launch_of(void const* function, dimensions grid, dimensions block,
                               std::size_t shared, void** arguments) const -> node {
    node n{function, grid, block, shared, {}, {}};
    if (auto const k = kernels.find(function); k != kernels.end())
      for (std::size_t i = 0; i < k->second.argument_sizes.size(); ++i) {
        auto const* const first = static_cast<std::byte const*>(arguments[i]);
        n.arguments.emplace_back(first, first + k->second.argument_sizes[i]);
      }
    return n;
  }

private:
  struct stream_state {
    handle capture{};
    std::vector<handle> tails{};
    std::map<handle, int> seen{}; ///< of each stream: how many of its steps come before
  };
  struct event_state {
    bool timed{}, recorded{};
    handle capture{};
    std::vector<handle> tails{};
    std::map<handle, int> seen{};
    double time{};
  };
  struct capture_state {
    handle origin{};
    graph nodes{};
    bool spoilt{};
  };

  static auto name_of(char kind, handle h) -> std::string { return kind + std::to_string(h); }
  [[nodiscard]] auto has_stream(handle s) const -> bool { return s == 0 || streams_.count(s) != 0; }
  auto spoil(handle capture, status why) -> status {
    captures_[capture].spoilt = true;
    return why;
  }
  /// Work for a stream whose capture is invalid, or for the legacy stream beside any capture.
  auto touches(handle s) -> status {
    if (s == 0) {
      if (captures_.empty()) return success;
      for (auto& [id, c] : captures_) c.spoilt = true;
      return implicit;
    }
    auto const c = captures_.find(streams_[s].capture);
    return c != captures_.end() && c->second.spoilt ? invalidated : success;
  }

  template <class Body>
  auto call(std::string const& verb, std::string const& arguments, Body&& body) -> status {
    log.push_back(verb + "(" + arguments + ")");
    if (auto const f = failing.find(verb); f != failing.end() && --f->second.first == 0)
      return f->second.second;
    return body();
  }

  void run(graph const& nodes) {
    auto const n = nodes.size();
    std::vector<std::size_t> missing(n), successors(n, 0);
    std::vector<std::size_t> ready;
    std::vector<double> end(n, 0);
    for (std::size_t v = 0; v < n; ++v) {
      missing[v] = nodes[v].after.size();
      for (auto const p : nodes[v].after) ++successors[p];
      if (missing[v] == 0) ready.push_back(v);
    }
    double latest = 0;
    while (!ready.empty()) {
      auto const at = newest_first ? std::max_element(ready.begin(), ready.end())
                                   : std::min_element(ready.begin(), ready.end());
      auto const v = *at;
      ready.erase(at);
      double start = 0;
      for (auto const p : nodes[v].after) {
        bool const in_chain = nodes[v].after.size() == 1 && successors[p] == 1;
        start = std::max(start, end[p] + (in_chain ? gap : cross));
      }
      end[v] = start + (duration ? duration(nodes[v].function) : 0.0);
      latest = std::max(latest, end[v]);
      run_kernel(nodes[v]);
      for (std::size_t w = 0; w < n; ++w)
        if (std::count(nodes[w].after.begin(), nodes[w].after.end(), v) != 0 && --missing[w] == 0)
          ready.push_back(w);
    }
    now_ += replay + latest;
  }
  void run_kernel(node const& n) {
    auto const k = kernels.find(n.function);
    if (k == kernels.end() || !k->second.run_block) return;
    std::vector<void*> arguments;
    for (auto const& a : n.arguments) arguments.push_back(const_cast<std::byte*>(a.data()));
    for (unsigned z = 0; z < n.grid[2]; ++z)
      for (unsigned y = 0; y < n.grid[1]; ++y)
        for (unsigned x = 0; x < n.grid[0]; ++x)
          k->second.run_block(n.grid, {x, y, z}, n.block, arguments.data());
  }

  handle next_{1};
  double now_{0};
  std::map<handle, stream_state> streams_;
  std::map<handle, event_state> events_;
  std::map<handle, graph> graphs_, executables_;
  std::map<handle, capture_state> captures_;
  graph last_;
};

} // namespace mars_test
