//===- KernelNames.cpp - The grammar of kernel names ------------------------------------===//
#include "passes/KernelNames.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace sinter;

static std::string shapeText(const WeightShape &weight) {
  return std::to_string(weight.rows) + "x" + std::to_string(weight.cols);
}

static const char *elementText(const CacheShape &cache) {
  return cache.isInt8() ? "i8" : cache.element.isF16() ? "f16" : "f32";
}

static const char *tokenText(TokenClass tokens) { return tokens == TokenClass::One ? "_t1" : "_tn"; }

KernelName::KernelName(StringRef operation, int64_t width)
    : name((operation + "_" + Twine(width)).str()) {}

KernelName::KernelName(StringRef operation, const WeightShape &weight, TokenClass tokens)
    : name((operation + "_" + Format::get(weight.format).name + "_" + shapeText(weight) + tokenText(tokens)).str()) {}

/// The region with values by number: equal texts compute the same.
static std::string regionText(Region &region) {
  std::string text;
  llvm::raw_string_ostream out(text);
  DenseMap<Value, unsigned> numbers;
  auto number = [&](Value v) { return numbers.try_emplace(v, numbers.size()).first->second; };
  for (BlockArgument argument : region.getArguments())
    number(argument);
  for (Operation &op : region.front()) {
    out << op.getName() << op.getAttrDictionary() << '(';
    for (Value operand : op.getOperands())
      out << number(operand) << ' ';
    out << ")->";
    for (Value result : op.getResults())
      out << number(result);
    out << ';';
  }
  return out.str();
}

KernelName sinter::linearName(llm::LinearOp op, const LinearSpec &spec) {
  std::string text = "linear";
  StringRef last;
  for (const WeightShape &weight : spec.weights) {
    StringRef format = Format::get(weight.format).name;
    if (format != last)
      text += ("_" + format).str();
    last = format;
  }
  text += spec.actsInput ? "_i8" : "_f32";
  if (spec.biases)
    text += "_bias";
  if (spec.ropeWidth)
    text += "_rope";
  if (spec.weights.size() == 2)
    text += "_glu";
  if (spec.residuals)
    text += "_add";
  switch (spec.output) {
  case OutputKind::Rows:
    break;
  case OutputKind::Acts:
    text += "_quantize";
    break;
  case OutputKind::Keys:
    text += "_keys";
    break;
  case OutputKind::Values:
    text += "_values";
    break;
  }
  KernelName name(text + "_" + shapeText(spec.weights.front()) + tokenText(spec.tokens));
  if (op.hasEpilogue())
    name.key("epilogue", regionText(op.getEpilogue()));
  for (const WeightShape &weight : spec.weights)
    name.key("weight", Format::get(weight.format).name.str() + shapeText(weight));
  name.key("counts", std::to_string(spec.residuals) + "," + std::to_string(spec.biases) + "," +
                         std::to_string(spec.ropeWidth));
  name.key("rows", std::to_string(spec.maxTokens));
  name.key("tokens", std::to_string(spec.tileTokens));
  name.key("input", spec.inputForm);
  name.key("output", spec.outputForm);
  name.key("sums", spec.sums);
  if (op.getAppend()) {
    const CacheShape &cache = spec.cache;
    name.key("cache", std::to_string(cache.heads) + "x" + std::to_string(cache.headDim) + "x" +
                          std::to_string(cache.positions) + elementText(cache));
  }
  return name;
}

KernelName sinter::attentionName(const AttentionSpec &spec) {
  const CacheShape &cache = spec.cache;
  std::string text = std::string("attention_") + elementText(cache) + "_h";
  text += std::to_string(spec.heads) + "kv" + std::to_string(cache.heads) + "d" + std::to_string(cache.headDim);
  if (spec.slice)
    text += "_slice" + std::to_string(spec.slice);
  else if (spec.actsOutput)
    text += "_quantize";
  KernelName name(text + tokenText(spec.tokens));
  name.key("positions", std::to_string(cache.positions));
  name.key("scale", spec.scale);
  name.key("output", spec.outputForm);
  name.key("sums", spec.sums);
  return name;
}

KernelName sinter::attentionJoinName(const AttentionSpec &spec) {
  KernelName name("attention_join_h" + std::to_string(spec.heads) + "d" + std::to_string(spec.cache.headDim) +
                  (spec.actsOutput ? "_quantize" : "") + "_slice" + std::to_string(spec.slice));
  name.key("slices", std::to_string(spec.shortSlices()) + " of " + std::to_string(spec.mostSlices));
  name.key("output", spec.outputForm);
  name.key("sums", spec.sums);
  return name;
}

std::string sinter::layerName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string name = layerName(part); name != "model")
        return name;
  return "model";
}
