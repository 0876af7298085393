// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/runtime/concept.hpp>
#include <mars/runtime/detail/check_program.hpp>
#include <mars/runtime/detail/gpu_handle.hpp>
#include <mars/runtime/detail/graph_edges.hpp>
#include <mars/runtime/detail/invoke_launch.hpp>
#include <mars/scheduling/stream_program.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::runtime {

/// A schedule as an executable graph on a device: made once (`capture_graph`, `build_graph`), replayed
/// for every inference on the buffers it was made with. Moves, does not copy.
template <GpuApi Api>
class cuda_graph {
public:
  /// Instantiates; the graph itself is not needed afterwards.
  [[nodiscard]] static auto make(Api const& api, detail::gpu_handle<Api, typename Api::graph> graph)
      -> expected<cuda_graph> {
    auto x = api.instantiate(graph.get());
    if (!x) return unexpected{std::move(x).error()};
    return cuda_graph{api, *x};
  }

  /// Moves it to the device ahead of the first replay, which does so otherwise.
  [[nodiscard]] auto upload(typename Api::stream s) const -> expected<void> {
    return executable_.api().upload(executable_.get(), s);
  }
  /// Enqueues one replay after what `s` was given before. Replays of one graph do not overlap.
  [[nodiscard]] auto replay(typename Api::stream s) const -> expected<void> {
    return executable_.api().launch(executable_.get(), s);
  }
  [[nodiscard]] auto executable() const -> typename Api::executable { return executable_.get(); }

private:
  cuda_graph(Api const& api, typename Api::executable x) : executable_{api, x} {}

  detail::gpu_handle<Api, typename Api::executable> executable_;
};

namespace detail {

/// A capture that ends whatever happens.
template <GpuApi Api>
class open_capture {
public:
  open_capture(Api const& api, typename Api::stream s) : api_{api}, stream_{s} {}
  open_capture(open_capture const&) = delete;
  auto operator=(open_capture const&) -> open_capture& = delete;
  ~open_capture() {
    if (open_) static_cast<void>(end());
  }

  [[nodiscard]] auto end() -> expected<gpu_handle<Api, typename Api::graph>> {
    open_ = false;
    auto g = api_.end_capture(stream_);
    if (!g) return unexpected{std::move(g).error()};
    return gpu_handle<Api, typename Api::graph>{api_, *g};
  }

private:
  Api const& api_;
  typename Api::stream stream_;
  bool open_{true};
};

/// Says each command to the API; stops at the first that fails.
template <GpuApi Api, class Launch>
[[nodiscard]] auto issue(Api const& api, stream_program const& program, Launch& launch,
                         std::span<typename Api::stream const> streams,
                         std::span<gpu_handle<Api, typename Api::event> const> events)
    -> expected<void> {
  for (std::size_t i = 0; i < program.commands.size(); ++i) {
    auto const& c = program.commands[i];
    auto const s = streams[c.stream.index()];
    expected<void> done;
    switch (c.verb) {
    case stream_verb::launch: done = invoke_launch(launch, c.what, s); break;
    case stream_verb::launch_merged: done = invoke_merged(launch, program.merged[c.what], s); break;
    case stream_verb::record: done = api.record(events[c.what].get(), s); break;
    case stream_verb::wait: done = api.wait(s, events[c.what].get()); break;
    case stream_verb::barrier: break; // `check_program` refused it
    }
    if (!done)
      return unexpected{std::move(done).error().inside("commands[" + std::to_string(i) + "]")};
  }
  return {};
}

} // namespace detail

/// Captures a program: `launch(node, stream)` enqueues the node's kernels on the stream, by whatever
/// library it likes; `launch(nodes, stream)` with a span those of merged nodes, if there are any. Both
/// return nothing or `expected<void>`. Call them once before (buffers allocated, libraries warm): a
/// call that synchronises or allocates makes a capture invalid.
///
/// `streams`: to launch on, where a library keeps a workspace for each; as many as the program has, none
/// of them the default stream. None given: they are made here, and the graph outlives them.
/// Errors: of the program (`commands[7].what`), of a launch, of the API (`commands[7].cudaEventRecord`);
/// the capture has ended in any case. O(commands).
template <GpuApi Api, class Launch>
[[nodiscard]] auto capture_graph(Api const& api, stream_program const& program, Launch&& launch,
                                 std::span<typename Api::stream const> streams = {})
    -> expected<cuda_graph<Api>> {
  if (auto sound = detail::check_program(program, true); !sound)
    return unexpected{std::move(sound).error()};
  if (program.streams == 0)
    return fail(error_code::out_of_range, "streams", "0", "at least 1", "nothing to capture on");
  if (!streams.empty() && streams.size() != program.streams)
    return fail(error_code::invalid_argument, "streams", std::to_string(streams.size()),
                std::to_string(program.streams), "one for each of the program, or none");

  std::vector<detail::gpu_handle<Api, typename Api::stream>> own;
  std::vector<typename Api::stream> use(streams.begin(), streams.end());
  while (use.size() < program.streams) {
    auto s = api.create_stream();
    if (!s) return unexpected{std::move(s).error()};
    own.emplace_back(api, *s);
    use.push_back(*s);
  }
  std::vector<detail::gpu_handle<Api, typename Api::event>> events;
  while (events.size() < program.events) {
    auto e = api.create_event();
    if (!e) return unexpected{std::move(e).error()};
    events.emplace_back(api, *e);
  }

  if (auto begun = api.begin_capture(use[0]); !begun) return unexpected{std::move(begun).error()};
  detail::open_capture<Api> capture{api, use[0]};
  auto issued = detail::issue<Api>(api, program, launch, use, events);
  auto graph = capture.end();
  // The first failure is the cause; that the capture is invalid follows from it.
  if (!issued) return unexpected{std::move(issued).error()};
  if (!graph) return unexpected{std::move(graph).error()};
  return cuda_graph<Api>::make(api, *std::move(graph));
}

/// Builds the graph of a program node by node, each after its stream's predecessor and the kernels
/// whose events it waits for, without what others imply. `kernels(node)` is a range of `kernel_launch`,
/// empty for a view; `kernels(nodes)` with a span that of merged nodes. Kernels hidden in a library's
/// calls need `capture_graph`. O(K² / 64 + commands · streams) for K kernels.
template <GpuApi Api, class Kernels>
[[nodiscard]] auto build_graph(Api const& api, stream_program const& program, Kernels&& kernels)
    -> expected<cuda_graph<Api>> {
  if (auto sound = detail::check_program(program, true); !sound)
    return unexpected{std::move(sound).error()};
  std::vector<std::vector<kernel_launch>> launches(program.commands.size());
  for (std::size_t i = 0; i < program.commands.size(); ++i) {
    auto const& c = program.commands[i];
    auto const take = [&](auto const& range) {
      launches[i].assign(std::begin(range), std::end(range));
    };
    if (c.verb == stream_verb::launch) take(kernels(c.what));
    if (c.verb == stream_verb::launch_merged) {
      std::span<std::uint32_t const> const group = program.merged[c.what];
      if constexpr (std::invocable<Kernels&, std::span<std::uint32_t const>>)
        take(kernels(group));
      else
        return unexpected{
            detail::merged_unsupported().inside("commands[" + std::to_string(i) + "]")};
    }
  }

  auto created = api.create_graph();
  if (!created) return unexpected{std::move(created).error()};
  detail::gpu_handle<Api, typename Api::graph> graph{api, *created};
  std::vector<typename Api::node> nodes, after;
  for (auto const& v :
       detail::graph_edges(program, [&](std::size_t i) { return launches[i].size(); })) {
    after.clear();
    for (auto const p : v.after) after.push_back(nodes[p]);
    auto node = api.add_kernel(graph.get(), after, launches[v.command][v.kernel]);
    if (!node)
      return unexpected{
          std::move(node).error().inside("commands[" + std::to_string(v.command) + "]")};
    nodes.push_back(*node);
  }
  return cuda_graph<Api>::make(api, std::move(graph));
}

} // namespace mars::runtime
