// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/workload/builder.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace mars::zoo::detail {

struct transformer_shape {
  std::int64_t blocks{};
  std::int64_t width{};
  std::int64_t heads{};
  std::int64_t feed_forward{};
  std::int64_t vocabulary{0};
};

/// Attention blocks over tokens [batch, tokens, width]. Queries, keys and values are three linear
/// layers even where the published code fuses their weights into one matrix: the same work and
/// parameters, and each can be cut by heads.
template <class Builder>
struct transformer {
  Builder& b;
  transformer_shape shape;
  bool bias{true};

  auto attention(std::string const& name, value x, bool causal) -> value {
    auto const q = b.linear(x, shape.width, bias, name + ".query");
    auto const k = b.linear(x, shape.width, bias, name + ".key");
    auto const v = b.linear(x, shape.width, bias, name + ".value");
    auto const mixed = b.attention(q, k, v, shape.heads, shape.heads, causal, name);
    return b.linear(mixed, shape.width, bias, name + ".output");
  }
  /// Two linear layers; the first carries its activation.
  auto feed_forward(std::string const& name, value x) -> value {
    auto const wide = b.linear(x, shape.feed_forward, bias, name + ".up");
    return b.linear(wide, shape.width, bias, name + ".down");
  }
  auto norm(std::string name, value x) -> value { return b.layer_norm(x, 2, std::move(name)); }

  /// Normalize before each half (GPT-2, ViT).
  auto pre_norm_block(std::string const& name, value x, bool causal) -> value {
    auto const mixed = attention(name + ".attention", norm(name + ".norm1", x), causal);
    x = b.add(x, mixed, name + ".add1");
    auto const fed = feed_forward(name + ".feed_forward", norm(name + ".norm2", x));
    return b.add(x, fed, name + ".add2");
  }
  /// Normalize after each half (BERT).
  auto post_norm_block(std::string const& name, value x) -> value {
    auto const mixed = attention(name + ".attention", x, false);
    x = norm(name + ".norm1", b.add(x, mixed, name + ".add1"));
    auto const fed = feed_forward(name + ".feed_forward", x);
    return norm(name + ".norm2", b.add(x, fed, name + ".add2"));
  }
  /// The first token of each sequence: [batch, width].
  auto first_token(std::string const& name, value x, std::int64_t batch) -> value {
    auto const first = b.slice(x, {0}, {1}, {1}, {1}, name);
    return b.reshape(first, {batch, shape.width}, name + ".squeeze");
  }
};

/// The vocabulary in which the text networks are written.
template <class Builder>
struct text_layers {
  transformer<Builder> blocks;
  std::int64_t batch{1};
  std::int64_t tokens{1};
  std::int64_t positions{1}; ///< rows of the table of learned positions

  /// Rows of a trained table, one for each number in an external tensor of the same name.
  auto embedding(std::string const& name, std::int64_t sequences, std::int64_t rows) -> value {
    auto const ids = blocks.b.input(name + "_ids", {sequences, tokens});
    return blocks.b.embedding(ids, rows, blocks.shape.width, std::string{"embeddings."} + name);
  }
};

} // namespace mars::zoo::detail
