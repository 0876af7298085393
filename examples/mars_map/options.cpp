// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.hpp"

#include "numbers.hpp"
#include "options_study.hpp"

#include <mars/core/closest_name.hpp>
#include <mars/version.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
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
  std::string compressions, accuracy_loss;
  std::string weights, memory_limit, energy_limit, semantics, host_bandwidth, simulate, streams;
  bool list{false};
};
/// The same of the command `pase`.
struct raw_pase {
  std::string devices, peak{"10e12"}, bandwidth{"16e9"}, element_bytes, flop_per_mac{"1"},
      holders{"parts"}, least_extent{"1"};
  bool forward{false}, folded{false}, uneven{false}, no_idle{false};
};

/// The same of the command `streams`.
struct raw_streams {
  std::string scheduler{"best"}, launch{"graph"}, most_streams, most_events;
  bool no_merge{false};
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
  return mars::fail(mars::error_code::unknown_name, option,
                    text.empty() ? "nothing" : text.substr(0, 64), listed(words),
                    near.empty() ? std::string{}
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

template <class Given>
[[nodiscard]] auto check_compressions(raw const& r, Given given, command::kind what, options& o)
    -> mars::expected<void> {
  for (auto const* name : {"--compressions", "--accuracy-loss", "--accuracy-unknown"}) {
    if (!given(name)) continue;
    if (what != command::kind::map)
      return mars::fail(mars::error_code::invalid_argument, name, "a value", "none with a command");
    if (!given("--compressions"))
      return mars::fail(mars::error_code::invalid_argument, name, "a value",
                        "none without --compressions");
  }
  if (!given("--compressions")) return {};
  if (!o.checkpoint.empty())
    return mars::fail(mars::error_code::invalid_argument, "--checkpoint", o.checkpoint,
                      "none with --compressions: there are several searches");
  auto names = split_names("--compressions", r.compressions);
  if (!names) return mars::unexpected{std::move(names).error()};
  o.compressions = *std::move(names);
  if (!given("--accuracy-loss")) return {};
  auto const loss = parse_number("--accuracy-loss", r.accuracy_loss);
  if (!loss) return mars::unexpected{loss.error()};
  o.accuracy_loss = *loss;
  return {};
}

/// The checks of what CLI11 took as text. `given` tells whether an option was there: an empty value
/// is a mistake, not an absence.
template <class Given>
[[nodiscard]] auto check(raw const& r, Given given, command::kind what, options& o)
    -> mars::expected<void> {
  bool const has_system = what != command::kind::pase && what != command::kind::streams;
  for (auto const* name : {"--model", "--system"})
    if (what != command::kind::study && !given(name) && o.files.empty() &&
        o.streams_command.graph.empty() && (has_system || std::string_view{name} == "--model"))
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
  if (auto ok = choose("--search", r.search, search_words, o.search); !ok) return ok;
  if (given("--semantics"))
    if (auto ok = choose("--semantics", r.semantics, semantics_words, o.semantics); !ok) return ok;
  if (given("--simulate"))
    if (auto ok = choose("--simulate", r.simulate, sharing_words, o.simulate.emplace()); !ok)
      return ok;
  if (given("--streams")) {
    if (what != command::kind::map)
      return mars::fail(mars::error_code::invalid_argument, "--streams", "a value",
                        "none with a command");
    if (auto ok = choose("--streams", r.streams, scheduler_words, o.streams.emplace()); !ok)
      return ok;
  }
  o.strategy_given = given("--strategy");
  o.search_given = given("--search");
  o.semantics_given = given("--semantics");
  if (given("--host-bandwidth")) {
    auto const rate = parse_number("--host-bandwidth", r.host_bandwidth);
    if (!rate) return mars::unexpected{rate.error()};
    o.host_bandwidth = mars::bytes_per_second{*rate};
  }
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
  if (auto ok = check_compressions(r, given, what, o); !ok) return ok;
  if (given("--element-bits"))
    if (auto ok = read("--element-bits", r.element_bits, 64, o.element_bits); !ok) return ok;
  return {};
}

[[nodiscard]] auto check(raw_pase const& r, bool has_element_bytes, pase_options& o)
    -> mars::expected<void> {
  constexpr std::uint64_t most_devices = 1024;
  auto const devices = parse_count("--devices", r.devices, 1, most_devices);
  if (!devices) return mars::unexpected{devices.error()};
  o.devices = static_cast<std::size_t>(*devices);
  auto const least = parse_count("--least-extent", r.least_extent, 1, largest_count);
  if (!least) return mars::unexpected{least.error()};
  o.splits.least_extent = static_cast<std::int64_t>(*least);
  double peak{}, bandwidth{}, element_bytes{};
  for (auto const& [name, text, into] : {std::tuple{"--peak", &r.peak, &peak},
                                         {"--bandwidth", &r.bandwidth, &bandwidth},
                                         {"--flop-per-mac", &r.flop_per_mac, &o.cost.flop_per_mac},
                                         {"--element-bytes", &r.element_bytes, &element_bytes}}) {
    if (text == &r.element_bytes && !has_element_bytes) continue;
    auto const number = parse_number(name, *text);
    if (!number) return mars::unexpected{number.error()};
    *into = *number;
  }
  o.cost.peak = mars::flops_per_second{peak};
  o.cost.bandwidth = mars::bytes_per_second{bandwidth};
  if (has_element_bytes) o.cost.element_bytes = element_bytes;
  o.cost.training = !r.forward;
  o.cost.unfolded = !r.folded;
  o.splits.uneven = r.uneven;
  o.splits.idle = !r.no_idle;
  return choose("--holders", r.holders, holders_words, o.cost.holders);
}

template <class Given>
[[nodiscard]] auto check(raw_streams const& r, Given given, options& all) -> mars::expected<void> {
  auto& o = all.streams_command;
  for (auto const& [name, value] :
       {std::pair{"--graph", &o.graph}, {"--device", &o.device}, {"--ios-schedule", &o.ios_file}})
    if (given(name) && (value->empty() || value->find('\0') != value->npos))
      return mars::fail(mars::error_code::invalid_argument, name, "nothing", "a name or a file");
  if (!all.model.empty() && !o.graph.empty())
    return mars::fail(mars::error_code::invalid_argument, "--graph", o.graph, "none with --model");
  if (auto ok = choose("--scheduler", r.scheduler, scheduler_words, o.scheduler); !ok) return ok;
  if (r.launch != "graph" && r.launch != "eager")
    return mars::fail(mars::error_code::unknown_name, "--launch", r.launch, "graph or eager");
  o.eager = r.launch == "eager";
  o.merge = !r.no_merge;
  constexpr std::uint64_t most = 1'000'000;
  if (given("--max-streams")) {
    auto const n = parse_count("--max-streams", r.most_streams, 1, most);
    if (!n) return mars::unexpected{n.error()};
    o.most_streams = static_cast<std::size_t>(*n);
  }
  if (given("--max-events")) {
    auto const n = parse_count("--max-events", r.most_events, 0, most);
    if (!n) return mars::unexpected{n.error()};
    o.most_events = static_cast<std::size_t>(*n);
  }
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
  text("--semantics", r.semantics, joined(semantics_words), "NAME");
  text("--host-bandwidth", r.host_bandwidth,
       "Bytes/s of every host link, where data go through the host", "N");
  text("--simulate", r.simulate,
       joined(sharing_words) + ": also execute the mapping, transfers sharing links", "NAME");
  text("--streams", r.streams,
       joined(scheduler_words) + ": then give operators of GPUs streams (designs of kind gpu)",
       "NAME");
  text("--seed", r.seed, "Of the random numbers [1]", "N");
  auto* const budget = text("--budget", r.budget, "Longest time, such as 10s or 500ms", "TIME");
  text("--evaluations", r.evaluations, "Most evaluations: reproducible, unlike --budget", "N")
      ->excludes(budget);
  text("--threads", r.threads, "0: all. The answer does not depend on it [0]", "N");
  text("--batch", r.batch, "Inferences at once", "N");
  text("--image", r.image, "Side of the image in pixels", "N");
  text("--sequence", r.sequence, "Tokens", "N");
  text("--element-bits", r.element_bits, "Bits of an element of any tensor", "N");
  text("--compressions", r.compressions,
       "Map the network under each, the best that --accuracy-loss permits: none, int8, … (see "
       "study)",
       "A,B,…");
  auto* const loss = text("--accuracy-loss", r.accuracy_loss,
                          "Percent points of top-1 that a published point may lose [1]", "POINTS");
  app.add_flag("--accuracy-unknown", o.accuracy_unknown,
               "Also compressions whose accuracy nobody published")
      ->excludes(loss);
  text("--mapping", o.mapping, "Check and price this mapping instead of searching", "FILE");
  text("--checkpoint", o.checkpoint,
       "Search in rounds, keep there after each where the search stands; go on from there if it "
       "exists",
       "FILE");
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
  std::string exported, format;
  auto* const export_to =
      app.add_subcommand("export", "Write a mapping for other tools; what they cannot say is noted")
          ->fallthrough();
  export_to->add_option("MAPPING", exported, "A mapping file")->required();
  export_to->add_option("--format", format, joined(format_words))->required()->type_name("NAME");
  export_to->add_option("--out", o.out, "Write the files there")->required()->type_name("DIR");
  raw_pase p;
  auto* const pase =
      app.add_subcommand("pase", "Minimise PaSE's objective, in FLOP, on equal devices; no system, "
                                 "--search exact unless another is named")
          ->fallthrough();
  auto const number = [pase](char const* name, std::string& into, std::string const& help) {
    return pase->add_option(name, into, help)->type_name("N");
  };
  number("--devices", p.devices, "How many devices, all equal")->required();
  number("--peak", p.peak, "FLOP/s of a device [10e12]");
  number("--bandwidth", p.bandwidth, "Bytes/s of a link [16e9]");
  auto const* const element_bytes =
      number("--element-bytes", p.element_bytes, "Of every element [as each tensor declares]");
  number("--flop-per-mac", p.flop_per_mac, "FLOP of a multiply-add [1]");
  pase->add_flag("--forward", p.forward, "Inference: no gradients");
  pase->add_flag("--folded", p.folded, "An element in many windows has one gradient to sum up");
  pase->add_option("--holders", p.holders, joined(holders_words))->type_name("NAME");
  number("--least-extent", p.least_extent, "Shortest shard along a dimension that is cut [1]");
  pase->add_flag("--uneven", p.uneven, "Also ways that do not divide an extent: many more splits");
  pase->add_flag("--no-idle", p.no_idle, "Only products of ways that divide the devices");
  raw_streams t;
  auto* const streams =
      app.add_subcommand("streams", "Schedule the operators of one GPU on its streams; no system")
          ->fallthrough();
  auto& g = o.streams_command;
  streams->add_option("--graph", g.graph, "A graph of IOS or torch.fx, or a profile of kernels")
      ->type_name("FILE");
  streams->add_option("--device", g.device, "A device of --list; a profile may name its own")
      ->type_name("NAME");
  streams->add_option("--scheduler", t.scheduler, joined(scheduler_words))->type_name("NAME");
  streams->add_option("--launch", t.launch, "graph | eager: replayed, or by the host one by one")
      ->type_name("NAME");
  streams->add_option("--max-streams", t.most_streams, "Most streams")->type_name("N");
  streams->add_option("--max-events", t.most_events, "Most events recorded")->type_name("N");
  streams->add_flag("--no-merge", t.no_merge, "Never merge convolutions of one input");
  streams->add_option("--ios-schedule", g.ios_file, "Write the stages in IOS's format there")
      ->type_name("FILE");
  raw_study u;
  auto const* const study = add_study(app, u, o.study);
  app.footer("--model and --system of diff, explain and export default to what the mapping names.");
  try {
    app.parse(argc, argv);
  } catch (CLI::CallForHelp const&) {
    CLI::App const* about = &app;
    for (CLI::App const* one :
         std::initializer_list<CLI::App const*>{diff, explain, export_to, pase, streams, study})
      if (one->parsed()) about = one;
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
  } else if (export_to->parsed()) {
    c.what = command::kind::export_to;
    o.files = {exported};
  } else if (pase->parsed()) {
    c.what = command::kind::pase;
  } else if (streams->parsed()) {
    c.what = command::kind::streams;
  } else if (study->parsed()) {
    c.what = command::kind::study;
  }
  auto const given = [&app](char const* name) { return app.count(name) != 0; };
  if (c.what == command::kind::streams)
    for (auto const* name : {"--system", "--strategy", "--cost", "--objective", "--weights",
                             "--energy-limit", "--mapping", "--checkpoint", "--report",
                             "--semantics", "--host-bandwidth", "--simulate", "--search"})
      if (given(name))
        return mars::fail(mars::error_code::invalid_argument, name, "a value",
                          "none, streams has a device and schedulers of its own");
  if (c.what == command::kind::study) {
    for (auto const* name : {"--model", "--system", "--strategy", "--cost", "--objective",
                             "--weights", "--memory-limit", "--energy-limit", "--mapping",
                             "--checkpoint", "--semantics", "--host-bandwidth", "--simulate",
                             "--search", "--streams", "--sequence", "--element-bits"})
      if (given(name))
        return mars::fail(mars::error_code::invalid_argument, name, "a value",
                          "none, study has axes of its own");
    if (auto ok = check_study(*study, u, o.study); !ok) return mars::unexpected{ok.error()};
  }
  if (c.what == command::kind::pase) {
    for (auto const* name : {"--system", "--strategy", "--cost", "--objective", "--weights",
                             "--memory-limit", "--energy-limit", "--mapping", "--checkpoint",
                             "--report", "--semantics", "--host-bandwidth", "--simulate"})
      if (given(name))
        return mars::fail(mars::error_code::invalid_argument, name, "a value",
                          "none, pase has a system and an objective of its own");
    if (!given("--search")) r.search = "exact";
  }
  if (c.what == command::kind::export_to) {
    for (auto const* name : {"--mapping", "--checkpoint", "--report", "--json"})
      if (given(name))
        return mars::fail(mars::error_code::invalid_argument, name, "a value",
                          "none, export writes to --out");
    if (o.out.empty() || o.out.find('\0') != o.out.npos)
      return mars::fail(mars::error_code::invalid_argument, "--out", "nothing", "a folder");
    if (auto ok = choose("--format", format, format_words, o.format); !ok)
      return mars::unexpected{ok.error()};
  }
  if (auto ok = check(r, given, c.what, o); !ok) return mars::unexpected{ok.error()};
  if (c.what == command::kind::pase)
    if (auto ok = check(p, element_bytes->count() != 0, o.pase); !ok)
      return mars::unexpected{ok.error()};
  if (c.what == command::kind::streams)
    if (auto ok = check(
            t, [streams](char const* name) { return streams->count(name) != 0; }, o);
        !ok)
      return mars::unexpected{ok.error()};
  return c;
}

} // namespace mars_map
