// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "names.hpp"
#include "print.hpp"

#include <mars/hardware/presets/catalogue.hpp>
#include <mars/zoo/registry.hpp>

#include <fmt/format.h>

#include <iterator>
#include <span>

namespace mars_map {

namespace {

void add_words(std::string& text, std::string_view heading, std::span<word const> words,
               bool has_default = true) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{}\n", heading);
  for (std::size_t i = 0; i < words.size(); ++i)
    fmt::format_to(out, "  {:<18} {}{}\n", words[i].name, words[i].meaning,
                   i == 0 && has_default ? " [default]" : "");
}

} // namespace

auto list_text() -> std::string {
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "models (--model), or FILE.onnx, FILE.json\n");
  for (auto const& e : mars::zoo::list())
    fmt::format_to(out, "  {:<18} {} {}\n", e.name, e.reads_text ? "tokens" : "image ", e.size);
  fmt::format_to(out, "\nsystems (--system), or FILE.json; grade of the numbers: A vendor, B third "
                      "party, assumed\n");
  for (auto const& p : mars::presets::catalogue())
    fmt::format_to(out, "  {:<22} {:<8} {}\n", p.info.name, grade_of(p.info.grade),
                   p.info.description);
  add_words(text, "strategies (--strategy)", strategy_words);
  add_words(text, "cost models (--cost)", cost_words);
  add_words(text, "objectives (--objective)", objective_words);
  add_words(text, "searches (--search)", search_words, false);
  add_words(text, "semantics (--semantics)", semantics_words, false);
  add_words(text, "sharing of links (--simulate)", sharing_words, false);
  text += "\ndevices of mars-map streams (--device)\n";
  for (auto const& d : mars::presets::gpu_devices())
    fmt::format_to(out, "  {:<18} {}\n", d.name, d.gpu);
  add_words(text, "schedulers of streams (--streams, mars-map streams --scheduler)",
            scheduler_words, false);
  add_words(text, "formats of mars-map export (--format)", format_words, false);
  add_words(text, "objectives with a command of their own (mars-map NAME --help)", command_words,
            false);
  return text;
}

} // namespace mars_map
