// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.hpp"

#include "numbers.hpp"

#include <mars/core/closest_name.hpp>
#include <mars/version.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace mars_map {

namespace {

constexpr auto largest_count = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// Everything that CLI11 is not trusted to check is taken as text.
struct raw {
  std::string strategy{"exclusive-shared"}, cost{"analytical"}, objective{"latency"},
      search{"genetic"};
  std::string seed{"1"}, threads{"0"};
  std::string budget, evaluations, batch, image, sequence, element_bits;
  std::string weights, memory_limit, energy_limit;
  bool list{false};
};

template <std::size_t N>
[[nodiscard]] auto listed(std::array<word, N> const& words) -> std::string {
  std::string text;
  for (auto const& w : words) (text += text.empty() ? "" : ", ") += w.name;
  return text;
}

template <std::size_t N>
[[nodiscard]] auto joined(std::array<word, N> const& words) -> std::string {
  std::string text;
  for (auto const& w : words) (text += text.empty() ? "" : " | ") += w.name;
  return text;
}

template <class Name, std::size_t N>
[[nodiscard]] auto choose(char const* option, std::string const& text,
                          std::array<word, N> const& words, Name& into) -> mars::expected<void> {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < N; ++i) {
    known.push_back(words[i].name);
    if (words[i].name != text) continue;
    into = static_cast<Name>(i);
    return {};
  }
  auto const near = mars::detail::closest_name(text, known);
  bool const later =
      std::find(later_searches.begin(), later_searches.end(), text) != later_searches.end() &&
      std::string_view{option} == "--search";
  return mars::fail(mars::error_code::unknown_name, option,
                    text.empty() ? "nothing" : text.substr(0, 64),
                    (later ? "available: " : "") + listed(words),
                    later          ? "not available in this version"
                    : near.empty() ? std::string{}
                                   : std::string{"did you mean "} + std::string{near} + "?");
}

template <class T>
[[nodiscard]] auto read(char const* option, std::string const& text, std::uint64_t most,
                        std::optional<T>& into) -> mars::expected<void> {
  auto const n = parse_count(option, text, 1, most);
  if (!n) return mars::unexpected{n.error()};
  into = static_cast<T>(*n);
  return {};
}

template <class Given>
[[nodiscard]] auto check_objective(raw const& r, Given given, options& o) -> mars::expected<void> {
  if (given("--weights")) {
    auto const weights = parse_weights("--weights", r.weights);
    if (!weights) return mars::unexpected{weights.error()};
    if (o.objective != objective_name::weighted)
      return mars::fail(mars::error_code::invalid_argument, "--weights", r.weights,
                        "none without --objective weighted");
    o.weights = *weights;
  }
  if (given("--memory-limit")) {
    auto const limit = parse_size("--memory-limit", r.memory_limit);
    if (!limit) return mars::unexpected{limit.error()};
    o.memory_limit = *limit;
  }
  if (given("--energy-limit")) {
    auto const limit = parse_energy("--energy-limit", r.energy_limit);
    if (!limit) return mars::unexpected{limit.error()};
    o.energy_limit = *limit;
  }
  return {};
}

/// Which searches can go on later.
[[nodiscard]] auto check_checkpoint(options const& o) -> mars::expected<void> {
  if (o.checkpoint.empty()) return {};
  if (!o.mapping.empty())
    return mars::fail(mars::error_code::invalid_argument, "--checkpoint", o.checkpoint,
                      "none with --mapping: nothing is searched");
  if (o.search == search_name::baseline || o.search == search_name::exhaustive)
    return mars::fail(mars::error_code::unsupported, "--checkpoint",
                      std::string{"--search "} + std::string{name_of(o.search)},
                      "a search that goes in rounds: genetic, exact, annealing, beam, portfolio");
  return {};
}

/// The checks of what CLI11 took as text. `given` tells whether an option was there: an empty value
/// is a mistake, not an absence.
template <class Given>
[[nodiscard]] auto check(raw const& r, Given given, options& o) -> mars::expected<void> {
  for (auto const* name : {"--model", "--system"})
    if (!given(name) && o.files.empty())
      return mars::fail(mars::error_code::invalid_argument, name, "nothing",
                        "a name of --list, or a file");
  for (auto const& [name, value] : {std::pair{"--model", &o.model},
                                    {"--system", &o.system},
                                    {"--json", &o.json},
                                    {"--report", &o.report},
                                    {"--mapping", &o.mapping},
                                    {"--checkpoint", &o.checkpoint}})
    if (given(name) && (value->empty() || value->find('\0') != value->npos))
      return mars::fail(mars::error_code::invalid_argument, name, "nothing", "a name or a file");
  if (auto ok = choose("--strategy", r.strategy, strategy_words, o.strategy); !ok) return ok;
  if (auto ok = choose("--cost", r.cost, cost_words, o.cost); !ok) return ok;
  if (auto ok = choose("--objective", r.objective, objective_words, o.objective); !ok) return ok;
  if (std::find(later_searches.begin(), later_searches.end(), r.search) != later_searches.end())
    return mars::fail(mars::error_code::unknown_name, "--search", r.search, {},
                      "not available in this version, available: " + listed(search_words));
  if (auto ok = choose("--search", r.search, search_words, o.search); !ok) return ok;
  auto const seed = parse_count("--seed", r.seed, 0, std::numeric_limits<std::uint64_t>::max());
  if (!seed) return mars::unexpected{seed.error()};
  o.seed = *seed;
  auto const threads = parse_count("--threads", r.threads, 0, 1024);
  if (!threads) return mars::unexpected{threads.error()};
  o.threads = static_cast<unsigned>(*threads);
  if (given("--budget")) {
    auto const wall = parse_time("--budget", r.budget);
    if (!wall) return mars::unexpected{wall.error()};
    o.budget.wall = *wall;
  }
  if (auto ok = check_objective(r, given, o); !ok) return ok;
  if (auto ok = check_checkpoint(o); !ok) return ok;
  if (given("--evaluations"))
    if (auto ok = read("--evaluations", r.evaluations, largest_count, o.budget.evaluations); !ok)
      return ok;
  for (auto const& [name, text, into] : {std::tuple{"--batch", &r.batch, &o.batch},
                                         {"--image", &r.image, &o.image},
                                         {"--sequence", &r.sequence, &o.sequence}})
    if (given(name))
      if (auto ok = read(name, *text, largest_count, *into); !ok) return ok;
  if (given("--element-bits"))
    if (auto ok = read("--element-bits", r.element_bits, 64, o.element_bits); !ok) return ok;
  return {};
}

[[nodiscard]] auto version_text() -> std::string {
  return std::string{"mars-map "} + std::to_string(MARS_VERSION_MAJOR) + "." +
         std::to_string(MARS_VERSION_MINOR) + "." + std::to_string(MARS_VERSION_PATCH);
}

} // namespace

auto parse_command_line(int argc, char const* const* argv) -> mars::expected<command> {
  command c;
  auto& o = c.options;
  raw r;
  CLI::App app{"Maps a deep neural network onto a system of several accelerators.\n"
               "Exit status: 0 mapped, 1 nothing feasible, 2 bad arguments or input.",
               "mars-map"};
  auto const text = [&app](char const* name, std::string& into, std::string const& help,
                           char const* kind) {
    return app.add_option(name, into, help)->type_name(kind);
  };
  app.set_version_flag("--version", version_text());
  app.add_flag("--list", r.list, "List models, systems and policies");
  text("--model", o.model, "A model of --list, FILE.onnx or FILE.json", "NAME|FILE");
  text("--system", o.system, "A system of --list, or FILE.json", "NAME|FILE");
  text("--strategy", r.strategy, joined(strategy_words), "NAME");
  text("--cost", r.cost, joined(cost_words), "NAME");
  text("--objective", r.objective, joined(objective_words), "NAME");
  text("--weights", r.weights, "Of a picosecond and a picojoule, for the objective weighted [1,1]",
       "TIME,ENERGY");
  text("--memory-limit", r.memory_limit, "Use at most so much memory of an accelerator", "SIZE");
  text("--energy-limit", r.energy_limit, "Spend at most so much on an inference", "ENERGY");
  text("--search", r.search, joined(search_words), "NAME");
  text("--seed", r.seed, "Of the random numbers [1]", "N");
  auto* const budget = text("--budget", r.budget, "Longest time, such as 10s or 500ms", "TIME");
  text("--evaluations", r.evaluations, "Most evaluations: reproducible, unlike --budget", "N")
      ->excludes(budget);
  text("--threads", r.threads, "0: all. The answer does not depend on it [0]", "N");
  text("--batch", r.batch, "Inferences at once", "N");
  text("--image", r.image, "Side of the image in pixels", "N");
  text("--sequence", r.sequence, "Tokens", "N");
  text("--element-bits", r.element_bits, "Bits of an element of any tensor", "N");
  text("--mapping", o.mapping, "Check and price this mapping instead of searching", "FILE");
  text("--checkpoint", o.checkpoint,
       "Keep there, now and then, where the search stands; go on from there if it exists", "FILE");
  text("--json", o.json, "Write the mapping there; - is standard output", "FILE|-");
  text("--report", o.report, "Write report.html, trace.json, mapping.json, graph.dot there", "DIR");
  app.add_flag("--quiet", o.quiet, "Print errors only");
  auto* const diff =
      app.add_subcommand("diff", "Compare two mappings of one workload and system")->fallthrough();
  std::string first, second, mapping;
  diff->add_option("A", first, "A mapping file")->required();
  diff->add_option("B", second, "Another")->required();
  auto* const explain =
      app.add_subcommand("explain",
                         "Say how an operator of a mapping runs, and what else would cost")
          ->fallthrough();
  explain->add_option("MAPPING", mapping, "A mapping file")->required();
  explain->add_option("--operator", o.operator_name, "Its name")->required()->type_name("NAME");
  app.footer("--model and --system of diff and explain default to what the mapping names.");
  try {
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    auto const* const about = diff->parsed() ? diff : explain->parsed() ? explain : &app;
    return command{.what = command::kind::show, .text = about->help()};
  } catch (CLI::CallForVersion const&) {
    return command{.what = command::kind::show, .text = version_text() + "\n"};
  } catch (CLI::ParseError const& e) {
    return mars::fail(mars::error_code::invalid_argument, "arguments", {}, {}, e.what());
  }
  if (r.list) return command{.what = command::kind::list};
  if (diff->parsed()) {
    c.what = command::kind::diff;
    o.files = {first, second};
  } else if (explain->parsed()) {
    c.what = command::kind::explain;
    o.files = {mapping};
  }
  auto const given = [&app](char const* name) { return app.count(name) != 0; };
  if (auto ok = check(r, given, o); !ok) return mars::unexpected{ok.error()};
  return c;
}

} // namespace mars_map
