//===- OutlineKernels.cpp - Unique kernels and static programs ------------------------===//
//
//   func @body(%tokens) {                              exec.buffer constant @blk.0.attn_norm { recipe }
//     %x = llm.embed %tokens, %w               ==>     exec.buffer transient @decode.0 in @decode bytes 8192
//     %q = llm.norm_quantize %x, %g                    exec.program @decode max_tokens 1 {
//     ...                                                exec.group { exec.dispatch @embed_q4_0_2048(...) tiles<..> } ...
//   }                                                  module @avx512vnni { tile.kernel @embed_q4_0_2048 ... }
//
// Each llm op becomes a dispatch of a kernel that is made once for all ops with the same spec, in every variant. The
// functions are walked once for each program: `prefill` (@body, a chunk), `decode` (@body and @head, one token), `head`
// and `score`. The recipes of weights move into the constants that they fill.
//
// Dispatches that neither read nor write what another one of their group writes share a group: Q, K and V side by side.
//
//===----------------------------------------------------------------------===//
#include "dialects/llm/LLMDialect.h"
#include "dialects/llm/ModelInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/ActReaders.h"
#include "passes/Activations.h"
#include "passes/KernelNames.h"
#include "passes/Passes.h"
#include "passes/RecipeConstants.h"
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

namespace sinter {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using exec::Access;
using exec::BindingAttr;

namespace {

/// Tokens that a tile of a linear layer has at most. With a chunk of twice as many each of two workers has its own tokens from one
/// layer to the next, and reads what it wrote itself: where they share no cache (two chiplets of Zen 4) a prefill of a 0.5B in Q8_0
/// takes 6 % less time, where they do 1 %. Each tile's weights are unpacked for all of its tokens: of half as many, 3 % more time.
constexpr int64_t kTileTokens = 256;

/// Where a value of the model lies.
struct Place {
  std::string buffer;
  exec::IndirectAttr indirect;
  int64_t size = -1;
};

class Outliner {
public:
  Outliner(ModuleOp module, const llm::ModelInfo &info, const Target &target, exec::TargetAttr choice)
      : module(module), info(info), target(target), choice(choice), b(module.getBodyRegion()), constants(b) {}

  LogicalResult run();

private:
  MLIRContext *context() { return module.getContext(); }
  // Buffers.
  void makeStates();
  std::string makeState(StringRef name, int64_t bytes, std::optional<exec::BufferRole> role = std::nullopt);
  std::string makeTransient(Location loc, int64_t bytes);
  std::string transientFor(Value value);
  ActForm formOf(Value rows) { return one() ? ActForm() : formForReaders(rows, variants); }
  int64_t rowsBytes(Value rows);
  // Programs.
  LogicalResult makeProgram(StringRef name, int64_t maxTokens, ArrayRef<StringRef> parts,
                            ArrayRef<exec::PortAttr> ports);
  LogicalResult outline(Operation *op);
  void outlineEmbed(llm::EmbedOp op);
  void outlineNorm(Operation *op, Value x, Value gain, std::optional<double> eps);
  void outlineLinear(llm::LinearOp op);
  void outlineAttention(llm::AttentionOp op);
  void outlineScore(llm::LinearScoreOp op);
  void outlineElementwise(Operation *op);
  void outlineLastToken(llm::LastTokenOp op);

  BindingAttr read(Value value);
  BindingAttr read(StringRef buffer) { return BindingAttr::get(context(), buffer, Access::Read); }
  BindingAttr write(Value value, ArrayRef<int64_t> over = {});
  void dispatch(Operation *op, StringRef kernel, ArrayRef<BindingAttr> bindings, exec::TilesAttr tiles,
                StringRef suffix = {});
  exec::TilesAttr tilesPerToken() { return exec::TilesAttr::get(context(), 1, one() ? 0 : 1, 0); }
  exec::TilesAttr tiles(int64_t n) { return exec::TilesAttr::get(context(), n, 0, 0); }
  /// The kernel of this name and content in every variant; `build` writes it.
  std::string kernel(Location loc, const KernelName &name,
                     llvm::function_ref<void(OpBuilder &, StringRef, const Schedule &)> build);

  bool one() { return maxTokens == 1; }
  TokenClass tokenClass() { return one() ? TokenClass::One : TokenClass::Chunk; }
  CacheShape cacheShape(StringRef name);

  ModuleOp module;
  const llm::ModelInfo &info;
  const Target &target;
  exec::TargetAttr choice;
  OpBuilder b;

  SmallVector<std::pair<const Variant *, ModuleOp>> variants;
  RecipeConstants constants;
  llvm::StringMap<std::string> kernels;
  llvm::StringMap<int> usedNames;
  /// Programs take the names of functions, so these are found before.
  llvm::StringMap<func::FuncOp> functions;

  // The program under construction.
  exec::ProgramOp program;
  exec::GroupOp group;
  int64_t maxTokens = 1;
  int nextTransient = 0;
  DenseMap<Value, Place> places;
  /// Where the last function's result goes.
  std::string resultBuffer;
};

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

int64_t tokenRows(int64_t maxTokens) {
  return maxTokens == 1 ? 1 : (maxTokens + kTokenPadding - 1) / kTokenPadding * kTokenPadding;
}

/// Bytes of a value of the running program: rows for as many tokens as register blocks may read.
int64_t Outliner::rowsBytes(Value rows) {
  if (auto acts = dyn_cast<llm::ActsType>(rows.getType()))
    return tokenRows(maxTokens) * formOf(rows).type(context(), acts.getWidth()).getStride();
  auto tensor = cast<RankedTensorType>(rows.getType());
  if (tensor.getRank() == 1)
    return tokenRows(maxTokens) * 4;
  return tokenRows(maxTokens) * tile::RowsType::getPadded(context(), tensor.getDimSize(1)).getStride();
}

std::string Outliner::makeState(StringRef name, int64_t bytes, std::optional<exec::BufferRole> role) {
  auto buffer = b.create<exec::BufferOp>(module.getLoc(), exec::BufferKind::State, name, bytes);
  if (role)
    buffer.setRoleAttr(exec::BufferRoleAttr::get(context(), *role));
  return name.str();
}

void Outliner::makeStates() {
  int64_t chunkRows = tokenRows(info.chunk);
  makeState("step", exec::kStepBytes, exec::BufferRole::Step);
  makeState("tokens", chunkRows * 4);
  makeState("targets", chunkRows * 4);
  makeState("logits", paddedWidth(info.vocabulary) * 4);
  makeState("scores", chunkRows * 4);
  makeState("hidden", chunkRows * tile::RowsType::getPadded(context(), info.embedding).getStride());
  for (auto cache : module.getOps<llm::KvCacheOp>()) {
    CacheShape shape = cacheShape(cache.getSymName());
    makeState((cache.getSymName() + ".keys").str(), shape.bytes(/*keys=*/true), exec::BufferRole::KVCache);
    makeState((cache.getSymName() + ".values").str(), shape.bytes(/*keys=*/false), exec::BufferRole::KVCache);
  }
}

CacheShape Outliner::cacheShape(StringRef name) {
  auto cache = module.lookupSymbol<llm::KvCacheOp>(name);
  return {static_cast<int64_t>(cache.getHeads()), static_cast<int64_t>(cache.getHeadDim()),
          static_cast<int64_t>(cache.getPositions()), cache.getElementType()};
}

std::string Outliner::makeTransient(Location loc, int64_t bytes) {
  std::string name = (program.getSymName() + "." + Twine(nextTransient++)).str();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(program);
  b.create<exec::BufferOp>(loc, exec::BufferKind::Transient, name, bytes, program.getSymName());
  return name;
}

std::string Outliner::transientFor(Value value) {
  return makeTransient(value.getLoc(), rowsBytes(value));
}

BindingAttr Outliner::read(Value value) {
  auto found = places.find(value);
  if (found == places.end())
    return read(constants.get(value));
  const Place &place = found->second;
  return BindingAttr::get(context(), FlatSymbolRefAttr::get(context(), place.buffer), Access::Read, 0, place.size,
                          place.indirect, {});
}

BindingAttr Outliner::write(Value value, ArrayRef<int64_t> over) {
  auto [at, isNew] = places.try_emplace(value);
  if (isNew) {
    bool isResult = !resultBuffer.empty() &&
                    llvm::any_of(value.getUsers(), [](Operation *user) { return isa<func::ReturnOp>(user); });
    at->second.buffer = isResult ? resultBuffer : transientFor(value);
  }
  return BindingAttr::get(context(), at->second.buffer, Access::Write, over);
}

//===----------------------------------------------------------------------===//
// Dispatches
//===----------------------------------------------------------------------===//

/// What an element-wise op computes, on blocks.
std::function<Value(OpBuilder &, Location, ValueRange)> elementwiseOf(Operation *op) {
  return [op](OpBuilder &b, Location loc, ValueRange in) -> Value {
    if (isa<llm::AddOp, llm::AddBiasOp>(op))
      return b.create<arith::AddFOp>(loc, in[0], in[1]);
    if (auto glu = dyn_cast<llm::GluOp>(op)) {
      ImplicitLocOpBuilder builder(loc, b);
      return buildGatedUnit(builder, glu.getActivation(), in[0], in[1]);
    }
    auto type = cast<VectorType>(in[0].getType());
    float factor = cast<llm::ScaleOp>(op).getFactor().convertToDouble();
    Value splat = b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(type, b.getF32FloatAttr(factor)));
    return b.create<arith::MulFOp>(loc, in[0], splat);
  };
}

/// Whether two dispatches may run at the same time.
bool conflict(exec::DispatchOp x, ArrayRef<BindingAttr> bindings) {
  for (BindingAttr mine : x.getBindingList())
    for (BindingAttr other : bindings)
      if (mine.getBuffer() == other.getBuffer() && (mine.isWritten() || other.isWritten()))
        return true;
  return false;
}

void Outliner::dispatch(Operation *op, StringRef kernel, ArrayRef<BindingAttr> bindings, exec::TilesAttr tiles,
                        StringRef suffix) {
  if (!group || llvm::any_of(group.getOps<exec::DispatchOp>(),
                             [&](exec::DispatchOp other) { return conflict(other, bindings); })) {
    OpBuilder groups = OpBuilder::atBlockEnd(&program.getBody().front());
    group = groups.create<exec::GroupOp>(op->getLoc());
  }
  std::string source = (layerName(op->getLoc()) + suffix).str();
  OpBuilder::atBlockEnd(&group.getBody().front())
      .create<exec::DispatchOp>(op->getLoc(), kernel, bindings, tiles, source);
}

std::string Outliner::kernel(Location loc, const KernelName &name,
                             llvm::function_ref<void(OpBuilder &, StringRef, const Schedule &)> build) {
  auto [at, isNew] = kernels.try_emplace(name.key());
  if (!isNew)
    return at->second;
  std::string unique = name.text();
  if (int n = usedNames["@" + unique]++)
    unique += "_v" + std::to_string(n + 1);
  at->second = unique;
  for (auto [variant, body] : variants) {
    OpBuilder builder = OpBuilder::atBlockEnd(body.getBody());
    build(builder, unique, variant->schedule);
  }
  return unique;
}

WeightShape shapeOf(Value weight) {
  llm::MatrixShape shape = llm::getMatrixShape(weight.getType());
  return {shape.format, shape.rows, shape.cols};
}

void Outliner::outlineEmbed(llm::EmbedOp op) {
  EmbedSpec spec{shapeOf(op.getWeight()), op.getScale().convertToDouble()};
  KernelName name("embed", spec.weight, TokenClass::One);
  if (spec.scale != 1.0)
    name.key("scale", spec.scale);
  std::string symbol = kernel(op.getLoc(), name, [&](OpBuilder &b, StringRef symbol, const Schedule &) {
    buildEmbed(b, op.getLoc(), symbol, spec);
  });
  dispatch(op, symbol, {read(op.getTokens()), read(op.getWeight()), write(op.getResult())}, tilesPerToken());
}

void Outliner::outlineNorm(Operation *op, Value x, Value gain, std::optional<double> eps) {
  Value result = op->getResult(0);
  NormSpec spec{llm::getRowsShape(x.getType()).width, eps, isa<llm::ActsType>(result.getType()), formOf(result),
                sumsForReaders(result)};
  KernelName name(eps ? (spec.actsOutput ? "norm_quantize" : "norm") : "quantize", spec.width);
  if (eps)
    name.key("eps", *eps);
  name.key("output", spec.outputForm);
  name.key("sums", spec.sums);
  std::string symbol = kernel(op->getLoc(), name, [&](OpBuilder &b, StringRef symbol, const Schedule &) {
    buildNorm(b, op->getLoc(), symbol, spec);
  });
  SmallVector<BindingAttr> bindings = {read(x)};
  if (eps)
    bindings.push_back(read(gain));
  bindings.push_back(write(result));
  dispatch(op, symbol, bindings, tilesPerToken());
}

void Outliner::outlineLinear(llm::LinearOp op) {
  LinearSpec spec;
  for (Value weight : op.getWeights())
    spec.weights.push_back(shapeOf(weight));
  spec.actsInput = isa<llm::ActsType>(op.getX().getType());
  spec.inputForm = formOf(op.getX());
  spec.residuals = op.getResiduals().size();
  spec.biases = op.getBiases().size();
  if (op.getRope())
    spec.ropeWidth = op.getRope().getType().getDimSize(1);
  spec.epilogue = op.hasEpilogue() ? &op.getEpilogue() : nullptr;
  spec.tokens = tokenClass();
  spec.maxTokens = tokenRows(maxTokens);
  if (maxTokens > kTileTokens)
    spec.tileTokens = kTileTokens;
  Type result = op.getResult().getType();
  if (op.getAppend()) {
    spec.output = *op.getPart() == llm::KvPart::keys ? OutputKind::Keys : OutputKind::Values;
    spec.cache = cacheShape(*op.getAppend());
  } else {
    spec.output = isa<llm::ActsType>(result) ? OutputKind::Acts : OutputKind::Rows;
    spec.outputForm = formOf(op.getResult());
    spec.sums = sumsForReaders(op.getResult());
  }
  std::string symbol =
      kernel(op.getLoc(), linearName(op, spec), [&](OpBuilder &b, StringRef symbol, const Schedule &schedule) {
        buildLinear(b, op.getLoc(), symbol, spec, schedule);
      });

  SmallVector<BindingAttr> bindings;
  for (Value weight : op.getWeights())
    bindings.push_back(read(weight));
  bindings.push_back(read(op.getX()));
  SmallVector<int64_t> residuals;
  for (Value residual : op.getResiduals()) {
    residuals.push_back(bindings.size());
    bindings.push_back(read(residual));
  }
  for (Value bias : op.getBiases())
    bindings.push_back(read(bias));
  if (op.getRope())
    bindings.push_back(read(op.getRope()));
  if (op.getAppend()) {
    std::string buffer = (*op.getAppend() + (spec.output == OutputKind::Keys ? ".keys" : ".values")).str();
    bindings.push_back(BindingAttr::get(context(), buffer, Access::Update));
  } else {
    // An element is read and then written by the same tile, at the same place.
    bindings.push_back(write(op.getResult(), spec.output == OutputKind::Rows ? residuals : SmallVector<int64_t>()));
  }
  dispatch(op, symbol, bindings, exec::TilesAttr::get(context(), spec.rowTiles(), spec.tileTokens, 0));
}

void Outliner::outlineAttention(llm::AttentionOp op) {
  AttentionSpec spec{static_cast<int64_t>(op.getHeads()), cacheShape(op.getCache()),
                     op.getScale().convertToDouble(), isa<llm::ActsType>(op.getResult().getType()), tokenClass()};
  if (one())
    sliceAttention(spec);
  spec.outputForm = formOf(op.getResult());
  spec.sums = sumsForReaders(op.getResult());
  std::string symbol =
      kernel(op.getLoc(), attentionName(spec), [&](OpBuilder &b, StringRef symbol, const Schedule &schedule) {
        buildAttention(b, op.getLoc(), symbol, spec, schedule);
      });
  std::string cache = op.getCache().str();
  SmallVector<BindingAttr> bindings = {read(op.getQ()), read(cache + ".keys"), read(cache + ".values")};
  if (!spec.slice) {
    bindings.push_back(write(op.getResult()));
    return dispatch(op, symbol, bindings,
                    exec::TilesAttr::get(context(), spec.cache.heads, one() ? 0 : spec.tileTokens(), 0));
  }
  std::string join =
      kernel(op.getLoc(), attentionJoinName(spec), [&](OpBuilder &b, StringRef symbol, const Schedule &) {
        buildAttentionJoin(b, op.getLoc(), symbol, spec);
      });
  std::string partials = makeTransient(op.getLoc(), spec.partialBytes());
  bindings.push_back(BindingAttr::get(context(), partials, Access::Write));
  dispatch(op, symbol, bindings, exec::TilesAttr::get(context(), spec.cache.heads, 0, spec.slice));
  dispatch(op, join, {read(partials), write(op.getResult())}, tiles(spec.heads), ".join");
}

void Outliner::outlineScore(llm::LinearScoreOp op) {
  ScoreSpec spec{shapeOf(op.getWeight()), isa<llm::ActsType>(op.getX().getType()), tokenRows(maxTokens),
                 formOf(op.getX())};
  KernelName name("score", spec.weight, tokenClass());
  name.key("tokens", std::to_string(spec.maxTokens));
  name.key("input", spec.inputForm);
  std::string score =
      kernel(op.getLoc(), name, [&](OpBuilder &b, StringRef symbol, const Schedule &schedule) {
        buildScore(b, op.getLoc(), symbol, spec, schedule);
      });
  KernelName joinName("score_join", spec.weight.rows);
  joinName.key("tokens", std::to_string(spec.maxTokens));
  std::string join = kernel(op.getLoc(), joinName, [&](OpBuilder &b, StringRef symbol, const Schedule &) {
    buildScoreJoin(b, op.getLoc(), symbol, spec);
  });
  std::string partials = makeTransient(op.getLoc(), spec.partialBytes());
  BindingAttr targets = read(op.getTargets());
  dispatch(op, score,
           {read(op.getWeight()), read(op.getX()), targets, BindingAttr::get(context(), partials, Access::Write)},
           tiles(spec.tiles()));
  dispatch(op, join, {read(partials), targets, write(op.getResult())}, tilesPerToken(), ".join");
}

void Outliner::outlineElementwise(Operation *op) {
  ElementwiseSpec spec;
  spec.width = llm::getRowsShape(op->getResult(0).getType()).width;
  spec.inputs = op->getNumOperands();
  spec.bias = isa<llm::AddBiasOp>(op);
  spec.compute = elementwiseOf(op);
  KernelName name(op->getName().stripDialect(), spec.width);
  name.key("attributes", llvm::formatv("{0}", op->getAttrDictionary()).str());
  std::string symbol = kernel(op->getLoc(), name, [&](OpBuilder &b, StringRef symbol, const Schedule &) {
    buildElementwise(b, op->getLoc(), symbol, spec);
  });
  SmallVector<BindingAttr> bindings;
  for (Value operand : op->getOperands())
    bindings.push_back(read(operand));
  bindings.push_back(write(op->getResult(0)));
  dispatch(op, symbol, bindings, tilesPerToken());
}

/// The last row is read where it lies; of one token it is the token.
void Outliner::outlineLastToken(llm::LastTokenOp op) {
  Place place = places.lookup(op.getX());
  if (place.buffer == "hidden") {
    int64_t stride = tile::RowsType::getPadded(context(), info.embedding).getStride();
    place.indirect = exec::lastTokenOf(context(), "step", stride, info.chunk);
    place.size = stride;
  }
  places[op.getResult()] = place;
}

LogicalResult Outliner::outline(Operation *op) {
  if (auto embed = dyn_cast<llm::EmbedOp>(op))
    outlineEmbed(embed);
  else if (auto norm = dyn_cast<llm::RmsNormOp>(op))
    outlineNorm(op, norm.getX(), norm.getGain(), norm.getEps().convertToDouble());
  else if (auto norm = dyn_cast<llm::NormQuantizeOp>(op))
    outlineNorm(op, norm.getX(), norm.getGain(), norm.getEps().convertToDouble());
  else if (auto quantize = dyn_cast<llm::QuantizeActsOp>(op))
    outlineNorm(op, quantize.getX(), Value(), std::nullopt);
  else if (auto linear = dyn_cast<llm::LinearOp>(op))
    outlineLinear(linear);
  else if (auto attention = dyn_cast<llm::AttentionOp>(op))
    outlineAttention(attention);
  else if (auto score = dyn_cast<llm::LinearScoreOp>(op))
    outlineScore(score);
  else if (auto last = dyn_cast<llm::LastTokenOp>(op))
    outlineLastToken(last);
  else if (isa<llm::AddOp, llm::AddBiasOp, llm::ScaleOp, llm::GluOp>(op))
    outlineElementwise(op);
  else if (!isa<func::ReturnOp>(op) && !isRecipe(op))
    return op->emitOpError("has no kernel");
  return success();
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

LogicalResult Outliner::makeProgram(StringRef name, int64_t tokens, ArrayRef<StringRef> parts,
                                    ArrayRef<exec::PortAttr> ports) {
  maxTokens = tokens;
  nextTransient = 0;
  places.clear();
  group = {};
  program = b.create<exec::ProgramOp>(module.getLoc(), name, tokens, ports);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(program);
  Place result;
  for (auto [i, functionName] : llvm::enumerate(parts)) {
    func::FuncOp function = functions.lookup(functionName);
    if (!function)
      return module.emitError("has no function @") << functionName;
    bool last = i + 1 == parts.size();
    resultBuffer = !last ? "" : functionName == "body" ? "hidden" : functionName == "head" ? "logits" : "scores";
    for (BlockArgument argument : function.getArguments()) {
      bool tokenIds = cast<RankedTensorType>(argument.getType()).getElementType().isInteger();
      if (tokenIds)
        places[argument].buffer = functionName == "body" ? "tokens" : "targets";
      else
        places[argument] = i ? result : Place{"hidden", {}, -1};
    }
    for (Operation &op : function.getBody().front())
      if (failed(outline(&op)))
        return failure();
    result = places.lookup(function.getBody().front().getTerminator()->getOperand(0));
    if (last && result.buffer != resultBuffer)
      return function.emitError("returns a value that no kernel of its own computes");
  }
  return success();
}

LogicalResult Outliner::run() {
  b.setInsertionPointToStart(module.getBody());
  for (exec::VariantAttr variant : choice.getVariants()) {
    const Variant *row = target.findVariant(variant.getName().getValue());
    if (!row)
      return module.emitError("target ") << target.name << " has no variant " << variant.getName();
    OpBuilder end = OpBuilder::atBlockEnd(module.getBody());
    variants.push_back({row, end.create<ModuleOp>(module.getLoc(), row->name)});
  }
  for (auto function : module.getOps<func::FuncOp>())
    functions[function.getSymName()] = function;
  makeStates();
  auto port = [&](exec::PortRole role, StringRef buffer) {
    return exec::PortAttr::get(context(), role, FlatSymbolRefAttr::get(context(), buffer));
  };
  exec::PortAttr tokens = port(exec::PortRole::Tokens, "tokens"), targets = port(exec::PortRole::Targets, "targets"),
                 logits = port(exec::PortRole::Logits, "logits"), scores = port(exec::PortRole::Scores, "scores");
  if (failed(makeProgram("prefill", info.chunk, {"body"}, {tokens})) ||
      failed(makeProgram("decode", 1, {"body", "head"}, {tokens, logits})) ||
      failed(makeProgram("head", 1, {"head"}, {logits})) ||
      failed(makeProgram("score", info.chunk, {"score"}, {targets, scores})))
    return failure();
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    function.erase();
  for (auto cache : llvm::make_early_inc_range(module.getOps<llm::KvCacheOp>()))
    cache.erase();
  return success();
}

struct OutlineKernelsPass : sinter::impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override {
    FailureOr<llm::ModelInfo> info = llm::ModelInfo::get(getOperation());
    if (failed(info))
      return signalPassFailure();
    for (ModuleOp module : exec::getTargetModules(getOperation())) {
      auto choice = module->getAttrOfType<exec::TargetAttr>("exec.target");
      const Target *target = choice ? findTarget(choice.getName().getValue()) : nullptr;
      if (!target) {
        module.emitError("names no known target in exec.target");
        return signalPassFailure();
      }
      if (failed(Outliner(module, *info, *target, choice).run()))
        return signalPassFailure();
    }
  }
};

} // namespace
