//===- FuseKvAppend.cpp - Write keys and values into the cache at once ----===//
//
//   %k = llm.linear %x, [%w] ... -> tensor   ==>    %a = llm.linear %x, [%w] append keys to @kv.0
//   ... %a = llm.append %k to @kv.0 {part = keys}            -> !llm.appended
//
// The last step of an epilogue: what it yields goes to the cache's layout and nowhere else, so that
// nobody else may read %k. The op moves to where the append stood.
//
//===----------------------------------------------------------------------===//
#include "passes/EpilogueBuilder.h"
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_FUSEKVAPPEND
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

struct FuseKvAppend : Fusion<AppendOp> {
  using Fusion::Fusion;

  LogicalResult check(AppendOp op, Nearly nearly) const override {
    if (getOnlyUsedLinear(op.getX()))
      return success();
    nearly(op.getX().getDefiningOp<LinearOp>()
               ? "another op reads the rows that it appends"
               : "the rows that it appends do not come from a linear layer");
    return failure();
  }

  void fuse(AppendOp op, PatternRewriter &rewriter) const override {
    LinearOp linear = getOnlyUsedLinear(op.getX());
    rewriter.moveOpBefore(linear, op);
    rewriter.modifyOpInPlace(linear, [&] {
      linear.setAppendAttr(op.getCacheAttr());
      linear.setPartAttr(op.getPartAttr());
      linear.getResult().setType(op.getType());
    });
    rewriter.replaceOp(op, linear);
  }

  StringRef done() const override { return "appended by the linear layer itself"; }
};

struct FuseKvAppendPass : sinter::impl::FuseKvAppendBase<FuseKvAppendPass> {
  using FuseKvAppendBase::FuseKvAppendBase;
  void runOnOperation() override {
    if (failed(applyFusion<FuseKvAppend>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
