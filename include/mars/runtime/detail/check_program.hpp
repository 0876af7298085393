// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/scheduling/stream_program.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace mars::runtime::detail {

/// That a program can be run as it stands: everything it names exists, an event is recorded once and
/// before it is waited for. So no order of its streams can block. `captured`: no barriers either.
/// Errors: `out_of_range`, `duplicate`, `dangling`, `unsupported`; paths `commands[7].what`. O(commands).
[[nodiscard]] inline auto check_program(stream_program const& program, bool captured)
    -> expected<void> {
  std::vector<char> recorded(program.events, 0);
  for (std::size_t i = 0; i < program.commands.size(); ++i) {
    auto const& c = program.commands[i];
    auto const wrong = [&](error_code code, char const* field, std::string found,
                           std::string wanted) {
      return fail(code, "commands[" + std::to_string(i) + "]." + field, std::move(found),
                  std::move(wanted));
    };
    auto const below = [&](std::size_t n) { return "a number below " + std::to_string(n); };
    if (c.stream.index() >= program.streams)
      return wrong(error_code::out_of_range, "stream", std::to_string(c.stream.index()),
                   below(program.streams));
    bool const is_event = c.verb == stream_verb::record || c.verb == stream_verb::wait;
    if (is_event && c.what >= program.events)
      return wrong(error_code::out_of_range, "what", std::to_string(c.what), below(program.events));
    if (c.verb == stream_verb::launch_merged && c.what >= program.merged.size())
      return wrong(error_code::out_of_range, "what", std::to_string(c.what),
                   below(program.merged.size()));
    if (c.verb == stream_verb::record && recorded[c.what]++ != 0)
      return wrong(error_code::duplicate, "what", "event " + std::to_string(c.what),
                   "one record of each event");
    if (c.verb == stream_verb::wait && recorded[c.what] == 0)
      return wrong(error_code::dangling, "what", "event " + std::to_string(c.what),
                   "an event recorded before");
    if (c.verb == stream_verb::barrier && captured)
      return wrong(error_code::unsupported, "verb", "barrier",
                   "events: a captured graph has no host in it");
  }
  return {};
}

} // namespace mars::runtime::detail
