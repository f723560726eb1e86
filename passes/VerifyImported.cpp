//===- VerifyImported.cpp - What holds after import ------------------------===//
//
// From here on:
//  * the module says what the model is (ModelInfo) and has @body, @head and @score of that size;
//  * every KV cache holds `llm.context` positions and is appended to by exactly one attention;
//  * nothing is fused, quantized or packed: all ops are those that a person would draw.
//
//===----------------------------------------------------------------------===//
#include "dialects/llm/ModelInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Passes.h"
#include "llvm/ADT/StringMap.h"

namespace sinter {
#define GEN_PASS_DEF_VERIFYIMPORTED
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// A function of the model, with the sizes that its info gives.
struct Signature {
  StringRef name;
  FunctionType type;
};

SmallVector<Signature> getSignatures(const ModelInfo &info, MLIRContext *context) {
  int64_t any = ShapedType::kDynamic;
  Type tokens = RankedTensorType::get(any, IntegerType::get(context, 32));
  Type scores = RankedTensorType::get(any, Float32Type::get(context));
  Type hidden = getRowsType(context, any, info.embedding);
  Type logits = getRowsType(context, 1, info.vocabulary);
  return {{"body", FunctionType::get(context, {tokens}, {hidden})},
          {"head", FunctionType::get(context, {hidden}, {logits})},
          {"score", FunctionType::get(context, {hidden, tokens}, {scores})}};
}

LogicalResult verifyFunctions(ModuleOp module, const ModelInfo &info) {
  for (const Signature &signature : getSignatures(info, module.getContext())) {
    auto function = module.lookupSymbol<func::FuncOp>(signature.name);
    if (!function)
      return module.emitError() << "the model has no function @" << signature.name;
    if (function.getFunctionType() != signature.type)
      return function.emitError() << "is of type " << function.getFunctionType()
                                  << "; with the sizes of this model it is " << signature.type;
  }
  return success();
}

LogicalResult verifyCaches(ModuleOp module, const ModelInfo &info) {
  ::llvm::StringMap<unsigned> appended;
  module.walk([&](AttentionOp op) { ++appended[op.getCache()]; });
  for (auto cache : module.getOps<KvCacheOp>()) {
    if (static_cast<int64_t>(cache.getPositions()) != info.context)
      return cache.emitOpError("has ")
             << cache.getPositions() << " positions; llm.context is " << info.context;
    if (cache.getElementType() != info.kvType)
      return cache.emitOpError("holds ")
             << cache.getElementType() << "; llm.kv_type is " << info.kvType;
    if (unsigned count = appended.lookup(cache.getSymName()); count != 1)
      return cache.emitOpError("is appended to by ") << count << " attentions, not by one";
  }
  return success();
}

bool isOfLaterPhase(Type type) { return isa<PackedType, ActsType, AppendedType>(type); }

LogicalResult verifyPlain(ModuleOp module) {
  WalkResult walked = module.walk([](Operation *op) {
    auto linear = dyn_cast<LinearOp>(op);
    if ((linear && linear.hasEpilogue()) || isa<LinearScoreOp, RopeTableOp>(op) ||
        ::llvm::any_of(op->getResultTypes(), isOfLaterPhase)) {
      op->emitOpError("belongs to a later phase: nothing is fused, quantized or packed by import");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

struct VerifyImportedPass : sinter::impl::VerifyImportedBase<VerifyImportedPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<ModelInfo> info = ModelInfo::get(module);
    if (failed(info) || failed(verifyFunctions(module, *info)) ||
        failed(verifyCaches(module, *info)) || failed(verifyPlain(module)))
      signalPassFailure();
  }
};

} // namespace
