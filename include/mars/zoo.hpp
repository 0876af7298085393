// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Zoo: published networks as workload graphs.
//
//   auto const a = mars::zoo::resnet101();                              // a graph, batch 1
//   auto const b = mars::zoo::vgg16({.batch = 8, .image = 448});        // raises on bad arguments
//   auto const c = mars::zoo::bert_base.build({.sequence = 384});       // expected<graph>
//   auto const d = mars::zoo::find("gpt2", {.batch = 4});               // by name: expected<graph>
//   for (auto const& e : mars::zoo::list()) …                           // name, family, source
//
//   header              networks
//   alexnet.hpp         alexnet (one column), alexnet_2012 (two groups)
//   vgg.hpp             vgg16, vgg19
//   resnet.hpp          resnet18, resnet34, resnet50, resnet101, resnet152, wrn50_2
//   inception.hpp       googlenet, inception_v3
//   mobilenet.hpp       mobilenet_v1, mobilenet_v2
//   squeezenet.hpp      squeezenet (1.0)
//   densenet.hpp        densenet121, densenet161
//   efficientnet.hpp    efficientnet_b0
//   vit.hpp             vit_b16
//   bert.hpp            bert_base, bert_large
//   gpt.hpp             gpt2, gpt3_175b
//   t5.hpp              t5_small_encoder
//   multi_modal.hpp     casia_surf, facebag
//   registry.hpp        all of them by name: find, list, names
//
// A network is a value of an `image_network` or `text_network`: its facts and one generic function
// that writes its layers. Calling it gives the graph. To add one, write that function and list it in
// registry.hpp.
//
// The graphs are those of inference as deployed:
//
// - A convolution or linear layer carries its batch normalization and its activation. They cost
//   nothing and count nothing, the one shift a channel that folding leaves included (mars.md §8
//   counts "no batch-norm parameters"): published parameters = ours + 2 × normalized channels.
//   A residual addition carries its ReLU. DenseNet normalizes concatenations, which nothing can
//   absorb: there it is an operator of its own with two parameters a channel.
// - Additive terms that the published model trains by themselves (AlexNet, VGG, SqueezeNet, last
//   layers, transformers) are counted; `.bias = false` drops those of image networks, to
//   compare with tables that count weights only.
// - No dropout, no auxiliary classifier, no final softmax.
// - Attention is written as its parts, with three linear layers for queries, keys and values.
//   A causal mask saves no work: the full square of scores is computed.
// - Sizes other than the published one: AlexNet and VGG pool to the size their classifier wants,
//   ViT has as many positions as patches; the others take any size that their windows survive.
//   Text may be as long as the network's table of positions; T5 has none and takes any length.
// - Every graph has one result: class scores [batch, classes]; BERT's pooled first token
//   [batch, width]; T5's encoded tokens, [batch, sequence, width]; GPT-2's scores of the next word,
//   [batch, sequence, vocabulary].

#include <mars/zoo/alexnet.hpp>
#include <mars/zoo/bert.hpp>
#include <mars/zoo/densenet.hpp>
#include <mars/zoo/efficientnet.hpp>
#include <mars/zoo/gpt.hpp>
#include <mars/zoo/inception.hpp>
#include <mars/zoo/mobilenet.hpp>
#include <mars/zoo/multi_modal.hpp>
#include <mars/zoo/network.hpp>
#include <mars/zoo/options.hpp>
#include <mars/zoo/registry.hpp>
#include <mars/zoo/resnet.hpp>
#include <mars/zoo/squeezenet.hpp>
#include <mars/zoo/t5.hpp>
#include <mars/zoo/vgg.hpp>
#include <mars/zoo/vit.hpp>
