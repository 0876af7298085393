// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <string>

namespace mars::zoo {
namespace detail {

/// Encoder and pooler, without the heads that only pre-training uses: [batch, width].
template <class Layers>
auto bert(Layers& net) -> value {
  auto& blocks = net.blocks;
  auto& b = blocks.b;
  auto const words = net.embedding("word", net.batch, blocks.shape.vocabulary);
  auto const kinds = net.embedding("token_type", net.batch, 2);
  auto const places = net.embedding("position", 1, net.positions);
  auto x = b.add(words, kinds, "embeddings.add_type");
  x = b.add(x, places, "embeddings.add_position");
  x = blocks.norm("embeddings.norm", x);
  for (std::int64_t i = 0; i < blocks.shape.blocks; ++i)
    x = blocks.post_norm_block(std::string{"encoder."} + std::to_string(i), x);
  auto const first = blocks.first_token("pooler.first", x, net.batch);
  return b.linear(first, blocks.shape.width, true, "pooler");
}

} // namespace detail

inline constexpr text_network bert_base{
    {.name = "bert_base",
     .family = "BERT",
     .source = "Devlin et al. 2018, arXiv:1810.04805, BERT-base uncased, with pooler",
     .sequence = 128,
     .most_sequence = 512,
     .shape = {.blocks = 12, .width = 768, .heads = 12, .feed_forward = 3072, .vocabulary = 30522}},
    [](auto& net) -> value { return detail::bert(net); }};

inline constexpr text_network bert_large{
    {.name = "bert_large",
     .family = "BERT",
     .source = "Devlin et al. 2018, arXiv:1810.04805, BERT-large uncased, with pooler",
     .sequence = 128,
     .most_sequence = 512,
     .shape =
         {.blocks = 24, .width = 1024, .heads = 16, .feed_forward = 4096, .vocabulary = 30522}},
    [](auto& net) -> value { return detail::bert(net); }};

} // namespace mars::zoo
