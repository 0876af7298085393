// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How the builder keeps tensors, names and the first error, and commits an operation.

#include <mars/workload/builder.hpp>

#include <algorithm>

namespace mars {

// tensors_[0] is what a failed call returns: its shape can be indexed like any other.
template <class Draft>
basic_builder<Draft>::basic_builder(std::string name, int element_bits)
    : draft_{std::move(name)},
      tensors_{tensor{.shape = tensor_shape(max_rank, 1), .name = {}, .producer = {}}},
      element_bits_{element_bits} {
  if (element_bits < 1 || element_bits > 64)
    reject({error_code::out_of_range, "element_bits", std::to_string(element_bits), "1 to 64", {}},
           {}, {});
}

template <class Draft>
auto basic_builder<Draft>::look(value v) const -> typename basic_builder<Draft>::tensor const& {
  return tensors_[v.index < tensors_.size() ? v.index : 0];
}
template <class Draft>
auto basic_builder<Draft>::shape(value v) const -> tensor_shape const& {
  return look(v).shape;
}
template <class Draft>
auto basic_builder<Draft>::element_bits(value v) const -> int {
  return look(v).element_bits;
}
template <class Draft>
auto basic_builder<Draft>::is_constant(value v) const -> bool {
  return look(v).constant;
}

template <class Draft>
auto basic_builder<Draft>::shapes(std::span<value const> vs) const -> std::vector<tensor_shape> {
  std::vector<tensor_shape> all;
  for (auto const v : vs) all.push_back(shape(v));
  return all;
}

template <class Draft>
auto basic_builder<Draft>::unique(names& taken, std::string wanted) -> std::string {
  auto const [it, fresh] = taken.emplace(wanted, 1);
  if (fresh) return wanted;
  for (auto number = it->second + 1;; ++number) {
    auto candidate = wanted + "_" + std::to_string(number);
    if (!taken.emplace(candidate, 1).second) continue;
    taken[wanted] = number;
    return candidate;
  }
}

template <class Draft>
void basic_builder<Draft>::record(error e) {
  reject(std::move(e), {}, {});
}

template <class Draft>
void basic_builder<Draft>::reject(error e, std::string_view name, std::string_view type) {
  if (failed()) return;
  if (!name.empty() || !type.empty()) {
    std::string const who =
        name.empty() ? std::string{type} : std::string{"'"} + std::string{name} + "'";
    e.detail = e.detail.empty() ? std::string{"in "} + who : e.detail + ", in " + who;
  }
  failure_ = std::move(e);
}

template <class Draft>
auto basic_builder<Draft>::external(std::string name, tensor_shape shape, int bits, bool constant)
    -> value {
  if (failed()) return {};
  if (bits == 0) bits = element_bits_;
  auto path = (constant ? "constants[" : "inputs[") + name + "]";
  if (auto n = count_elements(shape); !n) {
    reject(std::move(n).error().inside(path), {}, {});
    return {};
  }
  if (bits < 1 || bits > 64) {
    reject({error_code::out_of_range, path, std::to_string(bits) + " element bits", "1 to 64", {}},
           {}, {});
    return {};
  }
  tensors_.push_back({.shape = std::move(shape),
                      .name = unique(tensor_names_, std::move(name)),
                      .element_bits = bits,
                      .constant = constant,
                      .producer = {}});
  return {static_cast<std::uint32_t>(tensors_.size() - 1)};
}
template <class Draft>
auto basic_builder<Draft>::input(std::string name, tensor_shape shape, int element_bits) -> value {
  return external(std::move(name), std::move(shape), element_bits, false);
}
template <class Draft>
auto basic_builder<Draft>::constant(std::string name, tensor_shape shape, int element_bits)
    -> value {
  return external(std::move(name), std::move(shape), element_bits, true);
}

template <class Draft>
void basic_builder<Draft>::set_element_bits(value v, int bits) {
  if (failed() || v.index == 0 || v.index >= tensors_.size()) return;
  if (bits < 1 || bits > 64)
    return reject({error_code::out_of_range, "element_bits", std::to_string(bits), "1 to 64", {}},
                  {}, {});
  auto& t = tensors_[v.index];
  t.element_bits = bits;
  if (!t.produced) return;
  auto number = t.output;
  for (auto& o : op(draft_, t.producer).operands)
    if (o.role == role::output && number-- == 0) {
      o.element_bits = bits;
      break;
    }
}

template <class Draft>
void basic_builder<Draft>::output(value v) {
  if (failed()) return;
  if (auto const& t = look(v); t.produced)
    draft_.mark_output({t.producer, t.output});
  else
    reject({error_code::dangling, "outputs", t.name, "the result of an operator", {}}, {}, {});
}

// Values of this builder, all of them: false also after an error, which ends a call early.
template <class Draft>
auto basic_builder<Draft>::known(std::span<value const> vs) -> bool {
  for (auto const v : vs)
    if (!failed() && (v.index == 0 || v.index >= tensors_.size()))
      reject({error_code::dangling,
              "operators[" + std::to_string(size()) + "]",
              "value " + std::to_string(v.index),
              "a value of this builder",
              {}},
             {}, {});
  return !failed();
}

template <class Draft>
auto basic_builder<Draft>::emit(expected<operation> made, std::span<value const> inputs,
                                std::string name, std::string_view stem, std::size_t outputs)
    -> std::vector<value> {
  std::vector<value> nothing(outputs);
  if (!known(inputs)) return nothing;
  if (!made) {
    reject(std::move(made).error().inside("operators[" + std::to_string(size()) + "]"), name, stem);
    return nothing;
  }
  auto& o = *made;
  o.name = name.empty() ? std::string{stem} + "_" + std::to_string(size()) : std::move(name);
  // Results are as wide as the widest activation read, or else the widest constant.
  int bits = 0;
  for (bool const constants : {false, true})
    for (auto const v : inputs)
      if (bits == 0 || !constants)
        if (is_constant(v) == constants) bits = std::max(bits, element_bits(v));
  if (o.kind == op_kind::gather)
    bits = o.operands[0].role == role::input ? element_bits(inputs[0]) : element_bits_;
  for (auto& t : o.operands)
    t.element_bits = t.role == role::weight || bits == 0 ? element_bits_ : bits;
  auto made_values = commit(*std::move(made), inputs);
  if (made_values.size() < outputs) made_values.resize(outputs);
  return made_values;
}

template <class Draft>
auto basic_builder<Draft>::emit_one(expected<operation> made, std::span<value const> inputs,
                                    std::string name, std::string_view stem) -> value {
  return emit(std::move(made), inputs, std::move(name), stem).front();
}

template <class Draft>
auto basic_builder<Draft>::commit(operation o, std::span<value const> inputs)
    -> std::vector<value> {
  auto const id = operator_id{size()};
  auto const path = std::string{"operators["} + std::to_string(size()) + "]";
  o.name = unique(operator_names_, std::move(o.name));
  std::vector<tensor_edge> edges;
  std::vector<value> results;
  std::size_t given = 0;
  for (std::size_t k = 0; k < o.operands.size(); ++k) {
    auto& t = o.operands[k];
    if (t.role == role::output || t.role == role::state) continue;
    if (given == inputs.size()) {
      if (t.role == role::weight)
        t.name = unique(tensor_names_, o.name + "." + (t.name.empty() ? "weight" : t.name));
      continue;
    }
    auto const& source = look(inputs[given++]);
    if (shape_of(t) != source.shape) {
      reject({error_code::shape_mismatch,
              path + ".operands[" + std::to_string(k) + "]",
              to_string(source.shape),
              to_string(shape_of(t)),
              {}},
             o.name, o.type);
      return {};
    }
    t.role = source.constant ? role::weight : role::input;
    t.name = source.name;
    t.element_bits = source.element_bits;
    if (source.produced)
      edges.push_back({source.producer, source.output, id, static_cast<std::uint16_t>(k)});
  }
  if (given != inputs.size() || o.operands.size() > 0xffff) {
    reject({error_code::invalid_argument,
            path,
            std::to_string(inputs.size()) + " inputs",
            std::to_string(given),
            {}},
           o.name, o.type);
    return {};
  }
  std::uint16_t number = 0;
  for (auto const& t : o.operands) {
    if (t.role != role::output) continue;
    tensors_.push_back({.shape = shape_of(t),
                        .name = {},
                        .element_bits = t.element_bits,
                        .produced = true,
                        .producer = id,
                        .output = number++});
    results.push_back({static_cast<std::uint32_t>(tensors_.size() - 1)});
  }
  draft_.add_operation(std::move(o));
  for (auto const& e : edges) (void)draft_.connect(e); // both ends are there
  return results;
}

template <class Draft>
auto basic_builder<Draft>::add_operation(operation o, std::span<value const> inputs)
    -> std::vector<value> {
  std::size_t outputs = 0;
  for (auto const& t : o.operands) outputs += t.role == role::output;
  std::vector<value> nothing(outputs);
  if (!known(inputs)) return nothing;
  if (auto ok = validate(o); !ok) {
    reject(std::move(ok).error().inside("operators[" + std::to_string(size()) + "]"), o.name,
           o.type);
    return nothing;
  }
  if (o.name.empty()) o.name = std::string{kind_name(o.kind)} + "_" + std::to_string(size());
  auto results = commit(std::move(o), inputs);
  return results.empty() ? nothing : results;
}

template <class Draft>
auto basic_builder<Draft>::build() && -> expected<graph> {
  if (failed()) return unexpected{*std::move(failure_)};
  return freeze(std::move(draft_));
}

} // namespace mars
