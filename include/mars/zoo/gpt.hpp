// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace mars::zoo {
namespace detail {

/// Logits for every position, [batch, tokens, vocabulary]. The table of words is also the matrix of
/// the last layer: one tensor, consumed twice.
template <class Layers>
auto gpt(Layers& net) -> value {
  auto& blocks = net.blocks;
  auto& b = blocks.b;
  auto const& shape = blocks.shape;
  auto const table = b.constant("wte", {shape.vocabulary, shape.width});
  auto const ids = b.input("word_ids", {net.batch, net.tokens});
  auto const words = b.gather(table, ids, 0, "embeddings.word");
  auto x = b.add(words, net.embedding("position", 1, net.positions), "embeddings.add");
  for (std::int64_t i = 0; i < shape.blocks; ++i)
    x = blocks.pre_norm_block(std::string{"h."} + std::to_string(i), x, true);
  x = blocks.norm("norm", x);
  return b.linear(x, table, std::nullopt, "lm_head");
}

} // namespace detail

inline constexpr text_network gpt2{
    {.name = "gpt2",
     .family = "GPT",
     .source = "Radford et al. 2019, Language models are unsupervised multitask learners, smallest",
     .sequence = 1024,
     .most_sequence = 1024,
     .shape = {.blocks = 12, .width = 768, .heads = 12, .feed_forward = 3072, .vocabulary = 50257}},
    [](auto& net) -> value { return detail::gpt(net); }};

/// Attention is dense in every block; the published network alternates it with banded blocks.
inline constexpr text_network gpt3_175b{
    {.name = "gpt3_175b",
     .family = "GPT",
     .source =
         "Brown et al. 2020, Language models are few-shot learners (arXiv 2005.14165), largest",
     .sequence = 2048,
     .most_sequence = 2048,
     .shape =
         {.blocks = 96, .width = 12288, .heads = 96, .feed_forward = 49152, .vocabulary = 50257}},
    [](auto& net) -> value { return detail::gpt(net); }};

} // namespace mars::zoo
