//===- VerifyFused.cpp - What holds after fuse -----------------------------===//
//
// From here on every op of the model is one that becomes a kernel:
//
//   embed, linear, linear_score, attention, norm_quantize, and what stands alone where nothing took
//   it in: rms_norm, quantize_acts, add, add_bias, scale, glu, last_token;
//
//  * rope, append and log_likelihood are inside other ops;
//  * every weight that a kernel reads is packed, and the weights of one linear op have one format;
//  * keys and values of every cache are appended exactly once, by a linear op, and attention reads
//  the
//    tokens of these appends;
//  * rope tables have a row for each position of the context.
//
//===----------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Passes.h"
#include "llvm/ADT/TypeSwitch.h"
#include <map>

namespace sinter {
#define GEN_PASS_DEF_VERIFYFUSED
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

LogicalResult verifyPacked(Operation *op) {
  for (Value operand : op->getOperands())
    if (isa<WeightType>(operand.getType()))
      return op->emitOpError("reads a weight that is not packed (pack-weights)");
  return success();
}

/// The linear op that appended `part` of the attention's cache.
LogicalResult verifyAppended(AttentionOp op, Value token, KvPart part) {
  auto linear = token.getDefiningOp<LinearOp>();
  if (linear && linear.getAppendAttr() == op.getCacheAttr() && linear.getPart() == part)
    return success();
  return op.emitOpError("reads ") << stringifyKvPart(part) << " of " << op.getCacheAttr()
                                  << " that no linear layer appended (fuse-kv-append)";
}

LogicalResult verifyAttention(AttentionOp op) {
  if (op.appends())
    return op.emitOpError("appends its own rows (split-kv-append)");
  return success(succeeded(verifyAppended(op, op.getK(), KvPart::keys)) &&
                 succeeded(verifyAppended(op, op.getV(), KvPart::values)));
}

int64_t getContextLength(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto context = op->getAttrOfType<IntegerAttr>("llm.context"))
      return context.getInt();
  return 0;
}

LogicalResult verifyLinear(LinearOp op) {
  for (Value weight : op.getWeights())
    if (FormatId format = getMatrixShape(weight.getType()).format,
        first = getMatrixShape(op.getWeights().front().getType()).format;
        format != first)
      return op.emitOpError("has weights of different formats: ")
             << Format::get(first).name << " and " << Format::get(format).name;
  if (Value table = op.getRope()) {
    int64_t positions = cast<RankedTensorType>(table.getType()).getDimSize(0);
    if (positions < getContextLength(op))
      return op.emitOpError("rotates by a table of ")
             << positions << " positions; llm.context is " << getContextLength(op);
  }
  return verifyPacked(op);
}

LogicalResult verifyOp(Operation *op) {
  return ::llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<RopeOp>([](auto rope) {
        return rope.emitOpError("is not in the epilogue of a linear layer (canonicalize-rope, "
                                "fuse-rope); there is no kernel that only rotates");
      })
      .Case<AppendOp>([](auto append) {
        return append.emitOpError("is not part of a linear layer (fuse-kv-append); there is no "
                                  "kernel that only appends");
      })
      .Case<LogLikelihoodOp>([](auto score) {
        return score.emitOpError("reads logits from memory (fuse-score); kernels score where they "
                                 "compute them");
      })
      .Case<AttentionOp>(verifyAttention)
      .Case<LinearOp>(verifyLinear)
      .Case<EmbedOp, LinearScoreOp>([](Operation *reader) { return verifyPacked(reader); })
      .Default(success());
}

/// Parts of a cache and how often each is appended.
using Appends = std::map<std::pair<StringRef, KvPart>, unsigned>;

LogicalResult verifyCaches(ModuleOp module) {
  Appends appends;
  module.walk([&](LinearOp op) {
    if (op.getAppend())
      ++appends[{*op.getAppend(), *op.getPart()}];
  });
  for (auto cache : module.getOps<KvCacheOp>())
    for (KvPart part : {KvPart::keys, KvPart::values})
      if (unsigned count = appends[{cache.getSymName(), part}]; count != 1)
        return cache.emitOpError("has its ")
               << stringifyKvPart(part) << " appended by " << count << " layers, not by one";
  return success();
}

struct VerifyFusedPass : sinter::impl::VerifyFusedBase<VerifyFusedPass> {
  void runOnOperation() override {
    WalkResult walked = getOperation().walk([](Operation *op) -> WalkResult {
      auto module = dyn_cast<ModuleOp>(op);
      return module ? verifyCaches(module) : verifyOp(op);
    });
    if (walked.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
