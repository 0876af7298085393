// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/accuracy.hpp>
#include <mars/core/deferred.hpp>

#include <string>
#include <string_view>
#include <vector>

// Published top-1 accuracies, single figures each copied with its source. Include it where they are wanted:
// compression.hpp does not.

namespace mars::compression {

namespace detail {

struct accuracy_source {
  std::string_view name;
  std::string_view locator;
};
inline constexpr accuracy_source torchvision{
    "torchvision documentation, models page",
    "github.com/pytorch/vision docs/source/models.rst @00542d95"};
inline constexpr accuracy_source torchvision_stable{
    "torchvision documentation (stable), EfficientNet_B0_Weights.IMAGENET1K_V1",
    "pytorch.org/vision/stable/models/generated/torchvision.models.efficientnet_b0.html"};
inline constexpr accuracy_source slim{
    "TensorFlow slim MobileNetV1 table",
    "github.com/tensorflow/models research/slim/nets/mobilenet_v1.md @02c04f49"};
inline constexpr accuracy_source mmclassification{
    "mmclassification model zoo", "github.com/open-mmlab/mmclassification docs/model_zoo.md"};
inline constexpr accuracy_source paddle{
    "Paddle Inference documentation, BF16 on x86 CPU",
    "paddlepaddle.org.cn/inference/optimize/paddle_x86_cpu_bf16.html"};
inline constexpr accuracy_source neural_compressor{
    "Intel Neural Compressor validated models (2023-06-19)",
    "github.com/intel/neural-compressor docs/source/validated_model_list.md @012522ef"};
inline constexpr accuracy_source nncf{"NNCF compressed model zoo",
                                      "github.com/openvinotoolkit/nncf docs/ModelZoo.md @05fa660c"};
inline constexpr accuracy_source skimcaffe{"SkimCaffe README",
                                           "github.com/IntelLabs/SkimCaffe README.md @2f66b5a9"};
inline constexpr accuracy_source sparsezoo{
    "SparseZoo documentation, models page",
    "github.com/neuralmagic/sparsezoo docs/source/models.md (removed by PR 74)"};
inline constexpr accuracy_source cifar10{
    "PyTorch Lightning CIFAR10 README (fork by the DLAS first author)",
    "github.com/Wheest/pytorch-lightning-cifar README.md @6af83c7c"};

struct accuracy_row {
  std::string_view network;
  std::string_view dataset;
  std::string_view compression;
  std::string_view setting;
  std::string_view method;
  double top1{};
  double reference{}; ///< 0: the source has none
  accuracy_source const* source{};
  std::string_view note{};
};

// Of a template, so that only programs that look have the table.
template <class Row>
inline constexpr Row accuracy_rows[] = {
    {"ResNet-18", "ImageNet", "none", "fp32", "trained", 69.76, 69.76, &torchvision,
     "100 minus the printed error rates"},
    {"ResNet-34", "ImageNet", "none", "fp32", "trained", 73.30, 73.30, &torchvision,
     "100 minus the printed error rates"},
    {"ResNet-50", "ImageNet", "none", "fp32", "trained", 76.15, 76.15, &torchvision,
     "100 minus the printed error rates"},
    {"VGG-16", "ImageNet", "none", "fp32", "trained", 71.59, 71.59, &torchvision,
     "100 minus the printed error rates"},
    {"MobileNetV2", "ImageNet", "none", "fp32", "trained", 71.88, 71.88, &torchvision,
     "100 minus the printed error rates"},
    {"DenseNet-161", "ImageNet", "none", "fp32", "trained", 77.65, 77.65, &torchvision,
     "100 minus the printed error rates"},
    {"EfficientNet-B0", "ImageNet", "none", "fp32", "trained", 77.692, 77.692, &torchvision_stable},
    {"MobileNetV1", "ImageNet", "none", "fp32", "trained", 70.9, 70.9, &slim},
    {"VGG-16", "ImageNet", "none", "fp32", "trained", 71.59, 71.59, &mmclassification},
    {"ResNet-18", "ImageNet", "none", "fp32", "trained", 70.07, 70.07, &mmclassification},
    {"ResNet-34", "ImageNet", "none", "fp32", "trained", 73.85, 73.85, &mmclassification},
    {"ResNet-50", "ImageNet", "none", "fp32", "trained", 76.55, 76.55, &mmclassification},
    {"ResNet-50", "ImageNet", "bf16", "bf16", "cast", 76.56, 76.63, &paddle},
    {"MobileNetV1", "ImageNet", "bf16", "bf16", "cast", 70.71, 70.78, &paddle},
    {"MobileNetV2", "ImageNet", "bf16", "bf16", "cast", 71.71, 71.90, &paddle},
    {"GoogLeNet", "ImageNet", "bf16", "bf16", "cast", 70.49, 70.50, &paddle},
    {"ResNet-18", "ImageNet", "int8", "int8", "not stated on that page", 69.494, 69.76,
     &torchvision, "reference is the fp32 row of the same page"},
    {"ResNet-50", "ImageNet", "int8", "int8", "not stated on that page", 75.920, 76.15,
     &torchvision, "reference is the fp32 row of the same page"},
    {"MobileNetV2", "ImageNet", "int8", "int8", "not stated on that page", 71.658, 71.88,
     &torchvision, "reference is the fp32 row of the same page"},
    {"ResNet-18", "ImageNet", "int8", "int8", "static post-training, PyTorch 2.0.1", 69.61, 69.76,
     &neural_compressor},
    {"ResNet-50", "ImageNet", "int8", "int8", "static post-training, PyTorch 2.0.1", 75.92, 76.15,
     &neural_compressor},
    {"VGG-16", "ImageNet", "int8", "int8", "TensorFlow with extension 1.2.0", 70.84, 70.89,
     &neural_compressor},
    {"MobileNetV1", "ImageNet", "int8", "int8", "TensorFlow with extension 1.2.0", 70.61, 70.96,
     &neural_compressor},
    {"MobileNetV2", "ImageNet", "int8", "int8", "TensorFlow with extension 1.2.0", 71.15, 71.76,
     &neural_compressor},
    {"EfficientNet-B0", "ImageNet", "int8", "int8", "TensorFlow with extension 1.2.0", 76.76, 76.76,
     &neural_compressor},
    {"EfficientNet-B0", "ImageNet", "int8", "int8", "TensorFlow 2.12", 76.14, 76.76,
     &neural_compressor},
    {"DenseNet-161", "ImageNet", "int8", "int8", "TensorFlow 2.12", 76.35, 76.29,
     &neural_compressor},
    {"VGG-16", "ImageNet", "int8", "int8", "TensorFlow 2.12", 72.64, 70.89, &neural_compressor,
     "int8 above fp32 by 1.75 points in the source; do not rank on it"},
    {"MobileNetV1", "ImageNet", "int8", "int8", "quantisation-aware training", 69.7, 70.9, &slim},
    {"ResNet-50", "ImageNet", "int8", "int8", "quantisation-aware training", 76.46, 76.15, &nncf},
    {"MobileNetV2", "ImageNet", "int8", "int8", "quantisation-aware training", 71.07, 71.87, &nncf},
    {"ResNet-50", "ImageNet", "weight_pruning", "sparsity 80 %", "regularisation-based", 74.38,
     75.05, &nncf, "TensorFlow section of the source"},
    {"ResNet-50", "ImageNet", "weight_pruning", "sparsity 65 %", "magnitude, accuracy-aware", 74.37,
     75.05, &nncf, "source prints drop 0.67"},
    {"MobileNetV2", "ImageNet", "weight_pruning", "sparsity 50 %", "regularisation-based", 71.34,
     71.85, &nncf},
    {"InceptionV3", "ImageNet", "weight_pruning", "sparsity 54 %", "magnitude", 77.86, 77.91,
     &nncf},
    {"ResNet-50", "ImageNet", "weight_pruning", "3x3 layers 80.8-98.0 %, fc 91.5 %",
     "guided pruning", 72.838, 0, &skimcaffe, "per layer: sparsity_by_layer.csv"},
    {"GoogLeNet", "ImageNet", "weight_pruning", "3x3 and 5x5 layers 81.7-98.7 %", "guided pruning",
     68.664, 0, &skimcaffe, "per layer: sparsity_by_layer.csv"},
    {"CaffeNet", "ImageNet", "weight_pruning",
     "conv2-5 85.6/93.1/91.8/88.5 %, fc6-8 90.3/84.4/73.8 %", "guided pruning", 57.478, 0,
     &skimcaffe, "per layer: sparsity_by_layer.csv"},
    {"MobileNetV1", "ImageNet", "weight_pruning", "pruned-conservative",
     "sparsity level not on that page", 70.9, 70.9, &sparsezoo},
    {"MobileNetV1", "ImageNet", "weight_pruning", "pruned-moderate",
     "sparsity level not on that page", 70.1, 70.9, &sparsezoo},
    {"InceptionV3", "ImageNet", "weight_pruning", "pruned-conservative",
     "sparsity level not on that page", 77.4, 77.4, &sparsezoo},
    {"InceptionV3", "ImageNet", "weight_pruning", "pruned-moderate",
     "sparsity level not on that page", 76.6, 77.4, &sparsezoo},
    {"ResNet-50", "ImageNet", "weight_pruning+int8", "sparsity 50 %, int8",
     "regularisation-based + QAT", 75.50, 76.15, &nncf},
    {"ResNet-50", "ImageNet", "weight_pruning+int8", "sparsity 61 %, int8",
     "regularisation-based + QAT", 75.42, 76.15, &nncf},
    {"MobileNetV2", "ImageNet", "weight_pruning+int8", "sparsity 52 %, int8",
     "regularisation-based + QAT", 71.09, 71.87, &nncf},
    {"ResNet-18", "ImageNet", "channel_pruning", "filters 40 %", "magnitude criterion", 69.27,
     69.76, &nncf},
    {"ResNet-18", "ImageNet", "channel_pruning", "filters 40 %", "geometric median", 69.31, 69.76,
     &nncf},
    {"ResNet-18", "ImageNet", "channel_pruning", "filters 60 %", "geometric median, accuracy-aware",
     69.2, 69.8, &nncf, "source prints the drop as -0.6"},
    {"ResNet-34", "ImageNet", "channel_pruning", "filters 50 %", "geometric median + distillation",
     73.11, 73.30, &nncf},
    {"ResNet-50", "ImageNet", "channel_pruning", "filters 40 %", "geometric median", 75.57, 76.15,
     &nncf},
    {"ResNet-50", "ImageNet", "channel_pruning", "filters 52.5 %",
     "geometric median, accuracy-aware", 75.23, 76.16, &nncf},
    {"GoogLeNet", "ImageNet", "channel_pruning", "filters 40 %", "geometric median", 69.47, 69.77,
     &nncf},
    {"MobileNetV1", "ImageNet", "channel_scaling", "width 0.75: 317 MMAC, 2.59 Mparam",
     "trained at that width, not pruned", 68.4, 70.9, &slim},
    {"MobileNetV1", "ImageNet", "channel_scaling", "width 0.50: 150 MMAC, 1.34 Mparam",
     "trained at that width, not pruned", 63.3, 70.9, &slim},
    {"MobileNetV1", "ImageNet", "channel_scaling", "width 0.25: 41 MMAC, 0.47 Mparam",
     "trained at that width, not pruned", 49.8, 70.9, &slim},
    {"EfficientNet-B0", "ImageNet", "architecture", "arch-moderate", "activation and block changes",
     76.5, 77.3, &sparsezoo},
    {"ResNet-18", "CIFAR-10", "none", "fp32", "200 epochs", 94.30, 94.30, &cifar10},
    {"ResNet-34", "CIFAR-10", "none", "fp32", "200 epochs", 93.86, 93.86, &cifar10},
    {"ResNet-50", "CIFAR-10", "none", "fp32", "200 epochs", 94.73, 94.73, &cifar10},
    {"MobileNetV1", "CIFAR-10", "none", "fp32", "200 epochs", 91.30, 91.30, &cifar10},
    {"MobileNetV2", "CIFAR-10", "none", "fp32", "200 epochs", 93.17, 93.17, &cifar10},
    {"EfficientNet-B0", "CIFAR-10", "none", "fp32", "200 epochs", 90.38, 90.38, &cifar10},
    {"DenseNet-121", "CIFAR-10", "none", "fp32", "200 epochs", 94.94, 94.94, &cifar10},
    {"DenseNet-CIFAR", "CIFAR-10", "none", "fp32", "200 epochs", 93.44, 93.44, &cifar10},
    {"ResNeXt29-4x64d", "CIFAR-10", "none", "fp32", "200 epochs", 95.67, 95.67, &cifar10},
    {"RegNetX-200MF", "CIFAR-10", "none", "fp32", "200 epochs", 94.27, 94.27, &cifar10},
    {"VGG-16", "CIFAR-10", "none", "fp32", "original repository, as printed in the fork", 92.64,
     92.64, &cifar10, "fork leaves its own value empty"},
};

} // namespace detail

/// The points known to the library. Compare only within a row.
template <deferred D = when_called>
[[nodiscard]] auto published_accuracies() -> later<std::vector<accuracy_point>, D> {
  later<std::vector<accuracy_point>, D> points;
  for (auto const& r : detail::accuracy_rows<detail::accuracy_row>) {
    points.push_back({.network = std::string{r.network},
                      .dataset = std::string{r.dataset},
                      .compression = std::string{r.compression},
                      .setting = std::string{r.setting},
                      .method = std::string{r.method},
                      .top1 = r.top1,
                      .reference_top1 = {},
                      .source = std::string{r.source->name},
                      .locator = std::string{r.source->locator},
                      .note = std::string{r.note}});
    if (r.reference != 0) points.back().reference_top1 = r.reference;
  }
  return points;
}

} // namespace mars::compression
