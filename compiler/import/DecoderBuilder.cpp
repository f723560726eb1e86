//===- DecoderBuilder.cpp - What families draw their layers with ----------===//
#include "compiler/import/DecoderBuilder.h"
#include "compiler/gguf/Dequantize.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

DecoderBuilder::DecoderBuilder(const gguf::GGUFFile &file, const Hyperparameters &numbers,
                               ModuleOp module, int64_t positions, Type kvType)
    : file(file), h(numbers), module(module), b(module.getContext()), tensors(file),
      positions(positions), kvType(kvType) {
  b.setInsertionPointToEnd(module.getBody());
}

void DecoderBuilder::fail(llvm::Error error) {
  if (hasError) {
    llvm::consumeError(std::move(error));
    return;
  }
  hasError = true;
  llvm::consumeError(std::move(firstError));
  firstError = std::move(error);
}

llvm::Error DecoderBuilder::finish() {
  if (!hasError)
    if (llvm::Error error = tensors.checkAllUsed(h.architecture, h.layers))
      fail(std::move(error));
  llvm::Error result = std::move(firstError);
  firstError = llvm::Error::success();
  return result;
}

//===----------------------------------------------------------------------===//
// Names and types
//===----------------------------------------------------------------------===//

static std::string inLayer(int64_t layer, StringRef name) {
  return layer < 0 ? name.str() : llvm::formatv("blk.{0}.{1}", layer, name).str();
}

Location DecoderBuilder::location(StringRef name) {
  return NameLoc::get(b.getStringAttr(inLayer(layer, name)));
}

std::string DecoderBuilder::tensorName(StringRef name, StringRef suffix) const {
  return inLayer(layer, name) + suffix.str();
}

RankedTensorType DecoderBuilder::rows(int64_t width) {
  return getRowsType(module.getContext(), ShapedType::kDynamic, width);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value DecoderBuilder::weight(const std::string &tensor, int64_t rows, int64_t cols) {
  FormatId format = FormatId::f32;
  if (llvm::Expected<const Format *> found = tensors.matrix(tensor, rows, cols))
    format = (*found)->id;
  else
    fail(found.takeError());
  return b.create<WeightOp>(NameLoc::get(b.getStringAttr(tensor)),
                            WeightType::get(b.getContext(), rows, cols, format), tensor);
}

Value DecoderBuilder::parameter(const std::string &tensor, int64_t size) {
  if (llvm::Expected<const gguf::Tensor *> found = tensors.vector(tensor, size); !found)
    fail(found.takeError());
  return b.create<ParameterOp>(NameLoc::get(b.getStringAttr(tensor)),
                               getVectorType(b.getContext(), size), tensor);
}

void DecoderBuilder::checkRopeFactors(const gguf::Tensor &tensor) {
  std::vector<float> factors(tensor.ne[0]);
  gguf::dequantizeRow(tensor.type, tensor.data, tensor.ne[0], factors.data());
  for (auto [i, factor] : llvm::enumerate(factors))
    if (!(factor > 0 && std::isfinite(factor)))
      return fail(file.tensorError(
          tensor.name,
          llvm::formatv("element {0} is {1:e}; frequencies are divided by it", i, factor)));
}

/// Radians a position for each pair of a head, as a recipe.
Value DecoderBuilder::ropeFrequencies() {
  constexpr const char *kFactors = "rope_freqs.weight";
  int64_t count = h.rotaryDim / 2;
  Value result =
      b.create<RopeFrequenciesOp>(location("rope_freqs"), getVectorType(b.getContext(), count),
                                  b.getF64FloatAttr(h.ropeBase), b.getF64FloatAttr(h.ropeScale));
  if (!ropeFactors || !tensors.has(kFactors))
    return result;
  Value factors = parameter(kFactors, count);
  if (!failed())
    checkRopeFactors(*file.findTensor(kFactors));
  return b.create<DivOp>(location("rope_freqs"), result, factors);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

func::FuncOp DecoderBuilder::beginFunction(StringRef name, TypeRange inputs, Type result) {
  b.setInsertionPointToEnd(module.getBody());
  auto function = b.create<func::FuncOp>(NameLoc::get(b.getStringAttr(name)), name,
                                         b.getFunctionType(inputs, result));
  b.setInsertionPointToStart(function.addEntryBlock());
  return function;
}

void DecoderBuilder::body(llvm::function_ref<Value(Value)> drawLayer) {
  for (int64_t i = 0; i < h.layers; ++i)
    b.create<KvCacheOp>(NameLoc::get(b.getStringAttr(llvm::formatv("kv.{0}", i).str())),
                        llvm::formatv("kv.{0}", i).str(), h.kvHeads, h.headDim, positions, kvType);
  auto tokensType = RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
  func::FuncOp function = beginFunction("body", tokensType, rows(h.embedding));
  Value table = weight("token_embd.weight", h.vocabulary, h.embedding);
  Value x = b.create<EmbedOp>(location("token_embd"), rows(h.embedding), function.getArgument(0),
                              table, b.getF64FloatAttr(1.0));
  frequencies = ropeFrequencies();
  for (layer = 0; layer < h.layers && !failed(); ++layer)
    x = drawLayer(x);
  layer = -1;
  b.create<func::ReturnOp>(function.getLoc(), x);
}

Value DecoderBuilder::outputWeight() {
  return weight(tensors.has("output.weight") ? "output.weight" : "token_embd.weight", h.vocabulary,
                h.embedding);
}

void DecoderBuilder::headAndScore() {
  MLIRContext *context = b.getContext();
  func::FuncOp head =
      beginFunction("head", rows(h.embedding), getRowsType(context, 1, h.vocabulary));
  Value last = b.create<LastTokenOp>(location("last_token"), getRowsType(context, 1, h.embedding),
                                     head.getArgument(0));
  Value norm = rmsNorm(last, "output_norm");
  Value logits = b.create<LinearOp>(location("output"), norm, outputWeight());
  b.create<func::ReturnOp>(head.getLoc(), logits);

  auto targets = RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
  auto scores = RankedTensorType::get({ShapedType::kDynamic}, b.getF32Type());
  func::FuncOp score = beginFunction("score", {rows(h.embedding), targets}, scores);
  norm = rmsNorm(score.getArgument(0), "output_norm");
  Value all = b.create<LinearOp>(location("output"), norm, outputWeight());
  Value result =
      b.create<LogLikelihoodOp>(location("log_likelihood"), scores, all, score.getArgument(1));
  b.create<func::ReturnOp>(score.getLoc(), result);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

Value DecoderBuilder::rmsNorm(Value x, StringRef name) {
  int64_t width = getRowsShape(x.getType()).width;
  Value gain = parameter(tensorName(name, ".weight"), width);
  return b.create<RmsNormOp>(location(name), x.getType(), x, gain, b.getF64FloatAttr(h.eps));
}

Value DecoderBuilder::linear(Value x, StringRef name, int64_t rowCount, Bias bias) {
  Value w = weight(tensorName(name, ".weight"), rowCount, getRowsShape(x.getType()).width);
  Value y = b.create<LinearOp>(location(name), x, w);
  std::string biasName = tensorName(name, ".bias");
  if (bias == Bias::required || (bias == Bias::optional && tensors.has(biasName)))
    y = b.create<AddBiasOp>(location(name), y.getType(), y, parameter(biasName, rowCount));
  return y;
}

Value DecoderBuilder::add(Value lhs, Value rhs, StringRef name) {
  return b.create<AddOp>(location(name), lhs, rhs);
}

Value DecoderBuilder::glu(Value gate, Value up, Activation activation, StringRef name) {
  return b.create<GluOp>(location(name), gate, up, activation);
}

Value DecoderBuilder::rope(Value x, RopeOrder order, StringRef name) {
  return b.create<RopeOp>(location(name), x.getType(), x, frequencies, h.headDim, h.rotaryDim,
                          order);
}

Value DecoderBuilder::attention(Value q, Value k, Value v, StringRef name) {
  return b.create<AttentionOp>(location(name), q.getType(), q, k, v,
                               llvm::formatv("kv.{0}", layer).str(), h.heads, h.kvHeads, h.headDim,
                               llvm::APFloat(1.0 / std::sqrt(static_cast<double>(h.headDim))));
}
