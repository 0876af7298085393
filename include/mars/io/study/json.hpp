// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/study/detail/json_writer.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mars::io {

namespace detail {

class study_json {
  using axis_id = exploration::axis_id;

public:
  study_json(exploration::study const& s, std::string& out) : s_{s}, w_{out} {}

  void operator()() {
    w_.object([&] {
      w_.member("schema", "mars.study/1");
      axes();
      w_.object("base", [&] {
        if (s_.product() > 0) members_of(s_.base);
      });
      w_.member("base_is_uncompressed", s_.base_is_uncompressed);
      cells();
      w_.object("model", [&] {
        w_.member("operators", s_.operators);
        w_.member("questions", s_.questions);
        w_.member("measured", s_.timing_is_measured);
        w_.member("fitted_to_runs", s_.fitted_to_runs);
      });
      correlations();
      fronts();
      findings();
      effects();
      variance();
      sparsities();
      compressions();
      best();
    });
  }

private:
  void name_of(axis_id a, std::uint16_t element) {
    w_.member(exploration::word_of(a), s_.name_of(a, element));
  }
  void members_of(exploration::coordinate const& at) {
    for (auto const a : exploration::all_axes) name_of(a, at[static_cast<std::size_t>(a)]);
  }

  void axes() {
    w_.object("axes", [&] {
      for (auto const a : exploration::all_axes)
        w_.list(exploration::word_of(a), s_.elements(a), [&](auto const& e) {
          w_.object([&] {
            w_.member("name", e.name);
            if (!e.note.empty()) w_.member("note", e.note);
            if (e.level) w_.member("sparsity", *e.level);
          });
        });
    });
  }

  void cells() {
    w_.object("cells", [&] {
      w_.member("product", s_.product());
      w_.member("legal", s_.cells.size());
      w_.member("rejected", s_.rejected.size());
      w_.list("by_reason", s_.rejections, [&](auto const& r) {
        w_.object([&] {
          w_.member("relation", r.relation);
          w_.member("reason", r.reason);
          w_.member("cells", r.cells);
        });
      });
      // Elements of axes by number, as "axes" lists them.
      w_.list("columns", std::array{"network",
                                    "compression",
                                    "primitive",
                                    "code_generation",
                                    "design",
                                    "time_s",
                                    "reorders_s",
                                    "weights_bytes",
                                    "workspace_bytes",
                                    "valid_macs",
                                    "executed_macs",
                                    "fallback_share",
                                    "energy_j",
                                    "accuracy",
                                    "accuracy_reference",
                                    "accuracy_provenance",
                                    "measured_s",
                                    "modelled_of_measured_s",
                                    "measured_share",
                                    "log_ratio"});
      w_.list("rows", s_.cells, [&](exploration::cell const& c) {
        std::optional<double> top1, reference, measured, modelled, share, ratio;
        if (c.accuracy.known != exploration::provenance::unknown)
          top1 = c.accuracy.top1, reference = c.accuracy.reference;
        if (c.run) {
          measured = c.run->measured.count();
          modelled = c.run->modelled.count();
          share = c.run->share;
          ratio = c.run->log_ratio;
        }
        w_.row(c.at[0], c.at[1], c.at[2], c.at[3], c.at[4], c.time.count(), c.reorders.count(),
               c.weights.count(), c.workspace.count(), c.valid.count(), c.executed, c.fallback,
               c.energy.count(), top1, reference, exploration::word_of(c.accuracy.known), measured,
               modelled, share, ratio);
      });
    });
  }

  void correlations() {
    w_.object("correlations", [&] {
      w_.list("with_time", s_.correlations, [&](exploration::correlation const& c) {
        w_.object([&] {
          w_.member("quantity", exploration::word_of(c.quantity));
          w_.member("pooled", c.pooled);
          if (!c.pooled) {
            name_of(axis_id::primitive, c.primitive);
            name_of(axis_id::code_generation, c.code_generation);
            name_of(axis_id::design, c.design);
          }
          w_.member("n", c.n);
          w_.member("kendall_tau_b", c.kendall);
          w_.member("spearman", c.spearman);
          w_.member("discordant", c.discordant);
          if (!c.source.empty()) w_.member("source", c.source);
        });
      });
      w_.list("over_networks", s_.correlation_ranges, [&](exploration::correlation_range const& r) {
        w_.object([&] {
          w_.member("quantity", exploration::word_of(r.quantity));
          w_.member("slices", r.slices);
          w_.member("least", r.least);
          w_.member("median", r.median);
          w_.member("most", r.most);
        });
      });
    });
  }

  void fronts() {
    w_.list("pareto", s_.fronts, [&](exploration::pareto_front const& f) {
      w_.object([&] {
        if (f.network)
          name_of(axis_id::network, *f.network);
        else
          w_.member("network", std::nullopt);
        name_of(axis_id::design, f.design);
        std::vector<std::string_view> words;
        for (auto const c : f.criteria) words.push_back(exploration::word_of(c));
        w_.list("criteria", words);
        w_.member("candidates", f.candidates);
        w_.list("rows", f.cells);
      });
    });
  }

  void findings() {
    w_.list("findings", s_.findings, [&](exploration::finding const& f) {
      w_.object([&] {
        w_.member("name", f.name);
        w_.member("claim", f.claim);
        w_.member("result", exploration::word_of(f.result));
        w_.member("evidence", f.evidence);
      });
    });
  }

  /// Logarithms of ratios of time.
  void effects() {
    w_.list("perturbations", s_.perturbations, [&](exploration::perturbation const& p) {
      w_.object([&] {
        w_.object("base", [&] { members_of(p.base); });
        w_.member("axis", exploration::word_of(p.axis));
        w_.member("to", s_.name_of(p.axis, p.to));
        w_.member("effect", p.effect);
      });
    });
    w_.member("interactions_tried", s_.interactions_tried);
    w_.list("interactions", s_.interactions, [&](exploration::interaction const& i) {
      w_.object([&] {
        w_.object("base", [&] { members_of(i.base); });
        w_.member("first", exploration::word_of(i.first));
        w_.member("to_first", s_.name_of(i.first, i.to_first));
        w_.member("second", exploration::word_of(i.second));
        w_.member("to_second", s_.name_of(i.second, i.to_second));
        w_.member("effect", i.effect);
      });
    });
  }

  void variance() {
    auto const& v = s_.variance;
    w_.object("variance", [&] {
      w_.member("method", exploration::word_of(v.method));
      w_.member("cells", v.cells);
      w_.member("excluded", v.excluded);
      w_.member("total", v.total);
      w_.object("block", [&] {
        for (auto const a : exploration::all_axes) {
          std::vector<std::string> names;
          for (auto const e : v.block[static_cast<std::size_t>(a)])
            names.push_back(s_.name_of(a, e));
          w_.list(exploration::word_of(a), names);
        }
      });
      w_.list("shares", v.shares, [&](exploration::variance_share const& x) {
        w_.object([&] {
          std::vector<std::string_view> words;
          for (auto const a : x.axes) words.push_back(exploration::word_of(a));
          w_.list("axes", words);
          w_.member("sum_of_squares", x.sum_of_squares);
          w_.member("share", x.share);
        });
      });
    });
  }

  void sparsities() {
    w_.list("break_even", s_.break_evens, [&](exploration::break_even const& b) {
      w_.object([&] {
        name_of(axis_id::network, b.network);
        w_.member("sparse", s_.name_of(axis_id::primitive, b.sparse));
        w_.member("opponent", s_.name_of(axis_id::primitive, b.opponent));
        name_of(axis_id::code_generation, b.code_generation);
        name_of(axis_id::design, b.design);
        w_.member("sparsity", b.sparsity);
        w_.member("at_most", b.at_most);
      });
    });
  }

  void compressions() {
    w_.list("compression_effects", s_.compression_effects,
            [&](exploration::compression_effect const& e) {
              w_.object([&] {
                name_of(axis_id::network, e.network);
                name_of(axis_id::compression, e.compression);
                name_of(axis_id::code_generation, e.code_generation);
                w_.list("by_design", e.by_design);
                w_.member("sign_changes", e.sign_changes);
              });
            });
    w_.member("flip_candidates", s_.flip_candidates);
    w_.member("measured_flips", s_.measured_flips);
    w_.member("measured_flip_candidates", s_.measured_flip_candidates);
    w_.list("flips", s_.flips, [&](exploration::algorithm_flip const& f) {
      w_.object([&] {
        name_of(axis_id::network, f.network);
        name_of(axis_id::compression, f.compression);
        name_of(axis_id::design, f.design);
        w_.member("untuned", s_.name_of(axis_id::primitive, f.untuned));
        w_.member("tuned", s_.name_of(axis_id::primitive, f.tuned));
      });
    });
  }

  /// Operators one by one for the network as it is; else how many run what.
  void best() {
    w_.list("best_algorithms", s_.best, [&](exploration::best_algorithms const& b) {
      w_.object([&] {
        name_of(axis_id::network, b.network);
        name_of(axis_id::compression, b.compression);
        name_of(axis_id::code_generation, b.code_generation);
        name_of(axis_id::design, b.design);
        w_.member("exact", b.exact);
        w_.member("time_s", b.time.count());
        w_.member("reorders_s", b.reorders.count());
        w_.member("blind_s", b.blind.count());
        w_.member("uniform_s", b.uniform.count());
        w_.member("uniform_primitive", s_.name_of(axis_id::primitive, b.uniform_primitive));
        std::map<std::string, std::size_t> counts;
        for (auto const& o : b.operators) ++counts[o.algorithm];
        w_.object("algorithms", [&] {
          for (auto const& [name, n] : counts) w_.member(name, n);
        });
        if (b.compression != s_.base[static_cast<std::size_t>(axis_id::compression)]) return;
        w_.list("operators", b.operators, [&](exploration::operator_choice const& o) {
          w_.object([&] {
            w_.member("name", o.name);
            w_.member("algorithm", o.algorithm);
            w_.member("fastest", o.fastest);
            w_.member("input_format", o.input_format);
            w_.member("output_format", o.output_format);
            w_.member("time_s", o.time.count());
            w_.member("reorders_s", o.reorders.count());
          });
        });
      });
    });
  }

  exploration::study const& s_;
  json_writer w_;
};

} // namespace detail

/// A study as one JSON object, schema "mars.study/1": `axes`, `base`, `cells{product, legal, rejected,
/// by_reason, columns, rows}`, `model`, `correlations`, `pareto` (its `rows` number those of `cells`),
/// `findings`, and what else was drawn from the cells. Unknown is null. The same study gives the same
/// bytes.
[[nodiscard]] inline auto study_json(exploration::study const& s) -> std::string {
  std::string out;
  detail::study_json{s, out}();
  out += '\n';
  return out;
}

} // namespace mars::io
