// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/zoo/network.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace mars::zoo {
namespace detail {

/// The self-attention of T5 over x [batch, tokens, width]: scores are not scaled (its initialisation
/// is), and `bias` [heads, tokens, tokens] is added to those of every sequence.
template <class Blocks>
auto biased_attention(Blocks& blocks, std::string const& name, value x, value bias) -> value {
  auto& b = blocks.b;
  auto const batch = b.shape(x)[0], tokens = b.shape(x)[1];
  auto const heads = blocks.shape.heads, width = blocks.shape.width;
  auto const project = [&](char const* what) {
    return b.linear(x, width, blocks.bias, name + what);
  };
  auto const split = [&](value y, char const* what) {
    return b.reshape(y, {batch, tokens, heads, width / heads}, name + what);
  };
  // One statement each: operators are numbered in the order written, arguments in any.
  auto const q = project(".query");
  auto const k = project(".key");
  auto const v = project(".value");
  auto const q_heads = split(q, ".split_q");
  auto const queries = b.transpose(q_heads, {0, 2, 1, 3}, name + ".transpose_q");
  auto const k_heads = split(k, ".split_k");
  auto const keys = b.transpose(k_heads, {0, 2, 3, 1}, name + ".transpose_k");
  auto const v_heads = split(v, ".split_v");
  auto const values = b.transpose(v_heads, {0, 2, 1, 3}, name + ".transpose_v");
  auto const scores = b.add(b.matmul(queries, keys, name + ".scores"), bias, name + ".bias");
  auto const mixed = b.matmul(b.softmax(scores, -1, name + ".softmax"), values, name + ".context");
  auto const rows = b.transpose(mixed, {0, 2, 1, 3}, name + ".transpose_out");
  auto const merged = b.reshape(rows, {batch, tokens, width}, name + ".merge");
  return b.linear(merged, width, blocks.bias, name + ".output");
}

/// The encoder alone: [batch, tokens, width]. `buckets` numbers of relative positions, an external
/// tensor [tokens, tokens] of row numbers, choose from a trained table that all blocks share.
template <class Layers>
auto t5_encoder(Layers& net, std::int64_t buckets) -> value {
  auto blocks = net.blocks;
  blocks.bias = false;
  auto& b = blocks.b;
  auto x = net.embedding("word", net.batch, blocks.shape.vocabulary);
  auto const places = b.input("relative_position_buckets", {net.tokens, net.tokens});
  auto bias = b.embedding(places, buckets, blocks.shape.heads, "relative_bias");
  bias = b.transpose(bias, {2, 0, 1}, "relative_bias.to_heads");
  auto const norm = [&](std::string name, value y) { return b.rms_norm(y, 2, std::move(name)); };
  for (std::int64_t i = 0; i < blocks.shape.blocks; ++i) {
    auto const name = std::string{"encoder."} + std::to_string(i);
    auto const mixed =
        biased_attention(blocks, name + ".attention", norm(name + ".norm1", x), bias);
    x = b.add(x, mixed, name + ".add1");
    auto const fed = blocks.feed_forward(name + ".feed_forward", norm(name + ".norm2", x));
    x = b.add(x, fed, name + ".add2");
  }
  return norm("norm", x);
}

} // namespace detail

/// Positions are relative: text may have any length.
inline constexpr text_network t5_small_encoder{
    {.name = "t5_small_encoder",
     .family = "T5",
     .source = "Raffel et al. 2019, arXiv:1910.10683, T5-small, its encoder",
     .sequence = 128,
     .most_sequence = 0,
     .shape = {.blocks = 6, .width = 512, .heads = 8, .feed_forward = 2048, .vocabulary = 32128}},
    [](auto& net) -> value { return detail::t5_encoder(net, 32); }};

} // namespace mars::zoo
