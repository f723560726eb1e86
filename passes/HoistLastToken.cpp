//===- HoistLastToken.cpp - Compute the last token's row only --------------===//
//
// What works a row at a time commutes with the choice of a row: choosing first leaves one row to
// compute.
//
//   %n = llm.rms_norm %h, %g : tensor<?xd>          %l = llm.last_token %h
//   %o = llm.linear %n, [%w]                 ==>    %n = llm.rms_norm %l, %g : tensor<1xd>
//   %l = llm.last_token %o                          %o = llm.linear %n, [%w]
//
// Embedding and attention stay below: other rows are read there. It runs before
// `quantize-activations`, so that no quantized rows lie in between.
//
//===----------------------------------------------------------------------===//
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_HOISTLASTTOKEN
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// Operands of a row-wise op that have a row for each token; the others are weights and vectors.
SmallVector<OpOperand *> getRowOperands(Operation *op) {
  SmallVector<OpOperand *> rows;
  for (OpOperand &operand : op->getOpOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.get().getType());
        type && type.getRank() == 2)
      rows.push_back(&operand);
  return rows;
}

bool isRowWise(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op))
    return !linear.hasEpilogue() && isa<RankedTensorType>(linear.getX().getType());
  return isa<RmsNormOp, AddOp, AddBiasOp, ScaleOp, GluOp>(op);
}

struct HoistLastToken : Fusion<LastTokenOp> {
  using Fusion::Fusion;

  LogicalResult check(LastTokenOp op, Nearly nearly) const override {
    Operation *producer = op.getX().getDefiningOp();
    if (!producer || !isRowWise(producer))
      return failure();
    if (!op.getX().hasOneUse()) {
      nearly("the rows before it are read by another op as well");
      return failure();
    }
    return success();
  }

  void fuse(LastTokenOp op, PatternRewriter &rewriter) const override {
    Operation *row = rewriter.clone(*op.getX().getDefiningOp());
    rewriter.setInsertionPoint(row);
    for (OpOperand *operand : getRowOperands(row)) {
      int64_t width = getRowsShape(operand->get().getType()).width;
      Value last = rewriter.create<LastTokenOp>(op.getLoc(), getRowsType(getContext(), 1, width),
                                                operand->get());
      rewriter.modifyOpInPlace(row, [&] { operand->set(last); });
    }
    row->getResult(0).setType(op.getType());
    rewriter.replaceOp(op, row);
  }

  StringRef done() const override { return "chosen before the op that computed all rows"; }
};

struct HoistLastTokenPass : sinter::impl::HoistLastTokenBase<HoistLastTokenPass> {
  using HoistLastTokenBase::HoistLastTokenBase;
  void runOnOperation() override {
    if (failed(applyFusion<HoistLastToken>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
