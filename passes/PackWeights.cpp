//===- PackWeights.cpp - Kernels read packed weights ----------------------===//
//
//   %w = llm.weight "output.weight"                 %w = llm.weight "output.weight"
//   %x = llm.embed %tokens, %w               ==>    %p = llm.pack %w
//   %l = llm.linear %h, [%w]                        %x = llm.embed %tokens, %p
//                                                   %l = llm.linear %h, [%p]
//
// The last op of every weight's recipe. A weight with several readers (tied embeddings; embed reads
// rows out of the tiles) is packed once; equal recipes in different functions become one constant
// when buffers are made.
//
//===----------------------------------------------------------------------===//
#include "passes/Passes.h"
#include "llvm/ADT/DenseMap.h"

namespace sinter {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct PackWeightsPass : sinter::impl::PackWeightsBase<PackWeightsPass> {
  void runOnOperation() override {
    DenseMap<Value, Value> packed;
    getOperation().walk([&](Operation *op) {
      if (!isa<LinearOp, LinearScoreOp, EmbedOp>(op))
        return;
      for (OpOperand &operand : op->getOpOperands())
        if (isa<WeightType>(operand.get().getType()))
          operand.set(getPacked(operand.get(), packed));
    });
  }

private:
  static Value getPacked(Value weight, DenseMap<Value, Value> &packed) {
    Value &result = packed[weight];
    if (!result) {
      OpBuilder builder(weight.getContext());
      builder.setInsertionPointAfterValue(weight);
      result = builder.create<PackOp>(weight.getLoc(), weight);
    }
    return result;
  }
};

} // namespace
