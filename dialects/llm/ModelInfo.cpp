//===- ModelInfo.cpp - The facts of a model, as attributes of its module --===//
#include "dialects/llm/ModelInfo.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sinter::llm;

namespace {
struct StringFact {
  const char *name;
  std::string ModelInfo::*member;
};
struct NumberFact {
  const char *name;
  int64_t ModelInfo::*member;
};
} // namespace

static constexpr StringFact kStrings[] = {{"llm.architecture", &ModelInfo::architecture},
                                          {"llm.name", &ModelInfo::name},
                                          {"llm.source", &ModelInfo::source}};
static constexpr NumberFact kNumbers[] = {
    {"llm.context", &ModelInfo::context},      {"llm.trained_context", &ModelInfo::trainedContext},
    {"llm.chunk", &ModelInfo::chunk},          {"llm.vocabulary", &ModelInfo::vocabulary},
    {"llm.layers", &ModelInfo::layers},        {"llm.embedding", &ModelInfo::embedding},
    {"llm.parameters", &ModelInfo::parameters}};
static constexpr const char *kKvType = "llm.kv_type", *kPhase = "llm.phase";

void ModelInfo::setOn(ModuleOp module) const {
  Builder b(module.getContext());
  for (const StringFact &fact : kStrings)
    module->setAttr(fact.name, b.getStringAttr(this->*fact.member));
  for (const NumberFact &fact : kNumbers)
    module->setAttr(fact.name, b.getI64IntegerAttr(this->*fact.member));
  module->setAttr(kKvType, TypeAttr::get(kvType));
}

FailureOr<ModelInfo> ModelInfo::get(ModuleOp module) {
  ModelInfo info;
  auto missing = [&](StringRef name) {
    return module.emitError() << "the module has no attribute '" << name << "' of the right type";
  };
  for (const StringFact &fact : kStrings) {
    auto attr = module->getAttrOfType<StringAttr>(fact.name);
    if (!attr)
      return missing(fact.name);
    info.*fact.member = attr.str();
  }
  for (const NumberFact &fact : kNumbers) {
    auto attr = module->getAttrOfType<IntegerAttr>(fact.name);
    if (!attr)
      return missing(fact.name);
    info.*fact.member = attr.getInt();
  }
  auto type = module->getAttrOfType<TypeAttr>(kKvType);
  if (!type)
    return missing(kKvType);
  info.kvType = type.getValue();
  return info;
}

StringRef sinter::llm::getPhase(ModuleOp module) {
  auto phase = module->getAttrOfType<StringAttr>(kPhase);
  return phase ? phase.getValue() : StringRef();
}

void sinter::llm::setPhase(ModuleOp module, StringRef phase) {
  module->setAttr(kPhase, StringAttr::get(module.getContext(), phase));
}
