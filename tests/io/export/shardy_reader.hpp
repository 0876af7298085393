// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads the subset of MLIR that export_shardy writes, and checks what Shardy's verifier would:
// defined before use, types agree, shardings of the tensor's rank on meshes that exist, sub-axes that
// divide the axis, are merged, and never overlap, and collectives whose result is what they imply.

#include <mars/parallel/layout.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars_test::shardy {

/// `(m)k` of the mesh axis.
struct sub_axis {
  std::int64_t before{1};
  std::int64_t size{1};

  friend auto operator==(sub_axis const&, sub_axis const&) -> bool = default;
};
using axes = std::vector<sub_axis>;

struct sharding {
  std::string mesh;
  std::vector<axes> dims;
  axes unreduced;

  friend auto operator==(sharding const&, sharding const&) -> bool = default;
};
struct mesh {
  std::int64_t size{1};
  std::vector<std::int64_t> device_ids;
};
struct tensor {
  std::vector<std::int64_t> shape;
  std::string element;
  shardy::sharding sharding;
};
struct operation {
  std::string kind; ///< `sdy.reshard`, `mars.convolution`
  std::string name;
  std::vector<tensor> operands;
  std::vector<tensor> results;
};
struct program {
  std::map<std::string, mesh> meshes;
  std::vector<operation> operations;
  std::size_t arguments{};
  std::size_t returned{};
};

/// Row-major boxes of equal parts, by rank.
inline auto boxes_of(tensor const& t, mesh const& m) -> mars::layout {
  mars::layout boxes;
  for (std::int64_t rank = 0; rank < m.size; ++rank) {
    mars::tensor_box box;
    for (std::size_t i = 0; i < t.shape.size(); ++i) {
      std::int64_t number = 0, ways = 1;
      for (auto const& a : t.sharding.dims[i]) {
        number = number * a.size + rank / (m.size / (a.before * a.size)) % a.size;
        ways *= a.size;
      }
      box.push_back({t.shape[i] * number / ways, t.shape[i] * (number + 1) / ways});
    }
    boxes.push_back(box);
  }
  return boxes;
}

class reader {
public:
  explicit reader(std::string_view text) : rest_{text} {}

  auto read() -> program {
    want("module attributes {");
    skip_until("]} {");
    while (taken("sdy.mesh @")) read_mesh();
    want("func.func @main(");
    while (!taken(")")) {
      (void)taken(",");
      auto const name = word();
      want(":");
      auto t = type();
      want("{");
      if (taken("mars.name =")) (void)quoted(), want(",");
      want("sdy.sharding = #sdy.sharding");
      t.sharding = read_sharding(t);
      want("}");
      define(name, t);
      ++out_.arguments;
    }
    want("-> (");
    std::vector<tensor> promised;
    while (!taken(")")) {
      (void)taken(",");
      auto t = type();
      want("{sdy.sharding = #sdy.sharding");
      t.sharding = read_sharding(t);
      want("}");
      promised.push_back(t);
    }
    want("{");
    while (!taken("return")) read_operation();
    while (!taken(":")) {
      (void)taken(",");
      auto const& t = use(word());
      if (!(t.sharding == promised.at(out_.returned++).sharding)) wrong("a result is elsewhere");
    }
    for (std::size_t i = 0; i < out_.returned; ++i) {
      (void)taken(",");
      same_type(type(), promised[i]);
    }
    want("}");
    want("}");
    space();
    if (!rest_.empty()) wrong("something behind the module");
    return out_;
  }

private:
  [[noreturn]] void wrong(std::string const& what) const {
    throw std::runtime_error{what + " before: " + std::string{rest_.substr(0, 80)}};
  }
  void space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  auto taken(std::string_view what) -> bool {
    space();
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  void want(std::string_view what) {
    if (!taken(what)) wrong("no " + std::string{what});
  }
  void skip_until(std::string_view what) {
    auto const at = rest_.find(what);
    if (at == rest_.npos) wrong("no " + std::string{what});
    rest_.remove_prefix(at + what.size());
  }
  auto word() -> std::string {
    space();
    auto const end = rest_.find_first_of(" ,:()<>[]{}=\n");
    auto const w = std::string{rest_.substr(0, end)};
    if (w.empty()) wrong("no word");
    rest_.remove_prefix(w.size());
    return w;
  }
  auto number() -> std::int64_t { return std::stoll(word()); }
  auto quoted() -> std::string {
    want("\"");
    auto const end = rest_.find('"');
    auto const text = std::string{rest_.substr(0, end)};
    rest_.remove_prefix(end + 1);
    return text;
  }
  auto type() -> tensor {
    tensor t;
    want("tensor<");
    auto w = word();
    want(">");
    for (std::size_t at; (at = w.find('x')) != w.npos; w.erase(0, at + 1))
      t.shape.push_back(std::stoll(w.substr(0, at)));
    t.element = w;
    return t;
  }
  void read_mesh() {
    auto const name = word();
    mesh m;
    want("= <[");
    if (taken("\"x\"=")) m.size = number();
    want("]");
    if (taken(", device_ids=[")) {
      while (!taken("]")) (void)taken(","), m.device_ids.push_back(number());
      auto sorted = m.device_ids;
      std::sort(sorted.begin(), sorted.end());
      bool permutation = m.size > 1, identity = m.size > 1;
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        permutation &= sorted[i] == static_cast<std::int64_t>(i);
        identity &= m.device_ids[i] == static_cast<std::int64_t>(i);
      }
      if (m.size > 1 && (!permutation || identity)) wrong("device_ids");
    }
    want(">");
    if (!out_.meshes.emplace(name, m).second) wrong("a mesh twice");
  }
  auto read_axes(mesh const& m, axes& used) -> axes {
    axes list;
    want("{");
    while (!taken("}")) {
      (void)taken(",");
      want("\"x\"");
      sub_axis a{1, m.size};
      if (taken(":(")) {
        a.before = number();
        want(")");
        a.size = number();
        if (a.size < 2 || a.size == m.size || m.size % (a.before * a.size) != 0)
          wrong("a sub-axis");
      }
      if (m.size == 1) wrong("an axis of an empty mesh");
      for (auto const& other : used)
        if (a.before < other.before * other.size && other.before < a.before * a.size)
          wrong("an axis twice");
      used.push_back(a);
      if (!list.empty() && list.back().before * list.back().size == a.before) wrong("not merged");
      list.push_back(a);
    }
    return list;
  }
  auto read_dims(mesh const& m, axes& used) -> std::vector<axes> {
    std::vector<axes> dims;
    want("[");
    while (!taken("]")) {
      (void)taken(",");
      dims.push_back(read_axes(m, used));
    }
    return dims;
  }
  auto read_sharding(tensor const& t) -> sharding {
    sharding s;
    want("<@");
    s.mesh = word();
    if (!out_.meshes.contains(s.mesh)) wrong("no mesh " + s.mesh);
    auto const& m = out_.meshes.at(s.mesh);
    want(",");
    axes used;
    s.dims = read_dims(m, used);
    if (s.dims.size() != t.shape.size()) wrong("rank");
    if (taken(", unreduced=")) {
      s.unreduced = read_axes(m, used);
      for (std::size_t i = 1; i < s.unreduced.size(); ++i)
        if (s.unreduced[i].before < s.unreduced[i - 1].before) wrong("not in mesh order");
    }
    want(">");
    return s;
  }
  void define(std::string const& name, tensor const& t) {
    if (!values_.emplace(name, t).second) wrong("a value twice");
  }
  auto use(std::string const& name) -> tensor const& {
    if (!values_.contains(name)) wrong("no value " + name);
    return values_.at(name);
  }
  void same_type(tensor const& a, tensor const& b) {
    if (a.shape != b.shape || a.element != b.element) wrong("another type");
  }
  /// Sub-axes as elements of the mesh axis, merged or not the same.
  static auto flat(axes const& list) -> axes {
    axes out;
    for (auto const& a : list) {
      if (!out.empty() && out.back().before * out.back().size == a.before)
        out.back().size *= a.size;
      else
        out.push_back(a);
    }
    return out;
  }

  void read_operation() {
    operation o;
    auto const name = word();
    std::int64_t count = 1;
    if (taken(":")) count = number();
    want("=");
    if (taken("sdy.")) {
      o.kind = "sdy." + word();
      std::vector<axes> scattered;
      axes reduced, used;
      // The mesh stands behind: its size does not matter for what is read here.
      space();
      auto const mesh_at = rest_.find("<@") + 2;
      auto const mesh_name = std::string{rest_.substr(mesh_at, rest_.find(',', mesh_at) - mesh_at)};
      if (!out_.meshes.contains(mesh_name)) wrong("no mesh");
      auto const& m = out_.meshes.at(mesh_name);
      if (o.kind == "sdy.all_reduce") reduced = read_axes(m, used);
      if (o.kind == "sdy.reduce_scatter") scattered = read_dims(m, used);
      o.operands.push_back(use(word()));
      if (o.kind != "sdy.reshard") want("out_sharding=");
      auto result = o.operands[0];
      result.sharding = read_sharding(result);
      want(":");
      same_type(type(), result);
      auto implied = o.operands[0].sharding;
      for (std::size_t i = 0; i < scattered.size(); ++i) {
        implied.dims[i].insert(implied.dims[i].end(), scattered[i].begin(), scattered[i].end());
        implied.dims[i] = flat(implied.dims[i]);
        reduced.insert(reduced.end(), scattered[i].begin(), scattered[i].end());
      }
      if (o.kind == "sdy.reshard") {
        if (!implied.unreduced.empty() || implied == result.sharding) wrong("a needless reshard");
      } else {
        if (!(implied.unreduced == reduced)) wrong("not what is unreduced");
        implied.unreduced.clear();
        if (!(implied == result.sharding)) wrong("not what the axes imply");
      }
      define(name, result);
      o.results.push_back(result);
      out_.operations.push_back(o);
      return;
    }
    o.kind = quoted();
    want("(");
    while (!taken(")")) {
      (void)taken(",");
      o.operands.push_back(use(word()));
    }
    want("{mars.name =");
    o.name = quoted();
    want(", mars.type =");
    (void)quoted();
    want(", sdy.sharding = #sdy.sharding_per_value<[");
    // Types stand behind the shardings.
    auto const shardings = rest_;
    skip_until("]>} : (");
    for (auto const& t : o.operands) {
      (void)taken(",");
      same_type(type(), t);
    }
    want(") ->");
    bool const list = taken("(");
    for (std::int64_t i = 0; i < count; ++i) {
      (void)taken(",");
      o.results.push_back(type());
    }
    if (list) want(")");
    auto const behind = rest_;
    rest_ = shardings;
    for (std::size_t i = 0; i < o.results.size(); ++i) {
      (void)taken(",");
      o.results[i].sharding = read_sharding(o.results[i]);
      define(count == 1 ? name : name + "#" + std::to_string(i), o.results[i]);
    }
    want("]>}");
    rest_ = behind;
    out_.operations.push_back(o);
  }

  std::string_view rest_;
  program out_;
  std::map<std::string, tensor> values_;
};

inline auto parse(std::string_view text) -> program { return reader{text}.read(); }

} // namespace mars_test::shardy
