// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiler with an IR of its own maps it in place: three free functions make it a WorkloadGraph.
// No Boost, no zoo: only the headers that are used.

#include <mars/core/format.hpp>
#include <mars/hardware/presets/fpga.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/operators/convolution.hpp>
#include <mars/workload/operators/elementwise.hpp>
#include <mars/workload/operators/matmul.hpp>

#include <fmt/core.h>

#include <string>
#include <vector>

// The compiler's IR, as it happens to be.
namespace tiny {

struct instruction {
  std::string text;
  mars::operation meaning;        // what mars needs to know of it
  std::vector<unsigned> operands; // instructions whose results it reads
};
struct function {
  std::vector<instruction> body;
};

// The adaptation.
auto operators(function const& f) {
  std::vector<mars::operator_id> ids;
  for (std::size_t i = 0; i < f.body.size(); ++i) ids.emplace_back(i);
  return ids;
}
auto op(function const& f, mars::operator_id v) -> mars::operation const& {
  return f.body[v.index()].meaning;
}
auto inputs(function const& f, mars::operator_id v) {
  std::vector<mars::input_edge> edges;
  std::uint16_t operand = 0;
  for (auto const producer : f.body[v.index()].operands)
    edges.push_back({mars::operator_id{producer}, 0, operand++});
  return edges;
}

} // namespace tiny
static_assert(mars::WorkloadGraph<tiny::function>);

int main() {
  // A residual block as the compiler might hold it.
  tiny::function f;
  mars::tensor_shape const image{1, 64, 56, 56};
  auto const add = [&f](std::string text, mars::expected<mars::operation> meaning,
                        std::vector<unsigned> operands) {
    f.body.push_back({text, std::move(meaning).value(), std::move(operands)});
    f.body.back().meaning.name = text;
  };
  mars::ops::conv_options const conv3x3{.out_channels = 64, .kernel = {3, 3}, .padding = {1, 1}};
  add("%0 = conv3x3", mars::ops::conv(image, conv3x3), {});
  add("%1 = conv3x3", mars::ops::conv(image, conv3x3), {0});
  add("%2 = add", mars::ops::elementwise({image, image}, "Add", 1), {0, 1});

  auto const plan = mars::mapper{}(f, mars::presets::aws_f1_16xlarge());

  // Back into the compiler: every instruction knows its set and its sharding.
  for (std::size_t i = 0; i < f.body.size(); ++i)
    fmt::print("{:<14} set {} of {}, {}\n", f.body[i].text, plan.mapping.operators[i].set,
               plan.mapping.sets[plan.mapping.operators[i].set.index()].accelerators.size(),
               plan.operators[i].sharding);
  fmt::print("latency {:.4}\n", plan.latency());
}
