//===- SplitKvAppend.cpp - Take the cache's writes out of attention --------===//
//
//   %o = llm.attention %q, %k, %v in @kv.0   ==>    %a = llm.append %k to @kv.0 {part = keys}
//                                                   %b = llm.append %v to @kv.0 {part = values}
//                                                   %o = llm.attention %q, %a, %b in @kv.0
//
// Attention then reads the cache only, and the writes can go where the rows are computed
// (fuse-kv-append). The tokens %a and %b keep the order.
//
//===----------------------------------------------------------------------===//
#include "passes/Fusion.h"
#include "passes/Passes.h"

namespace sinter {
#define GEN_PASS_DEF_SPLITKVAPPEND
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// Where the rows come from: the append writes what that layer computes, so it is named after it.
Location getRowsLoc(Value rows, AttentionOp attention) {
  return rows.getDefiningOp() ? rows.getLoc() : attention.getLoc();
}

struct SplitKvAppend : Fusion<AttentionOp> {
  using Fusion::Fusion;

  LogicalResult check(AttentionOp op, Nearly) const override { return success(op.appends()); }

  void fuse(AttentionOp op, PatternRewriter &rewriter) const override {
    auto append = [&](Value rows, KvPart part) -> Value {
      return rewriter.create<AppendOp>(getRowsLoc(rows, op), AppendedType::get(getContext()), rows,
                                       op.getCacheAttr(), KvPartAttr::get(getContext(), part));
    };
    Value keys = append(op.getK(), KvPart::keys), values = append(op.getV(), KvPart::values);
    rewriter.modifyOpInPlace(op, [&] {
      op.getKMutable().set(keys);
      op.getVMutable().set(values);
    });
  }

  StringRef done() const override { return "reads the cache; its rows are appended before"; }
};

struct SplitKvAppendPass : sinter::impl::SplitKvAppendBase<SplitKvAppendPass> {
  using SplitKvAppendBase::SplitKvAppendBase;
  void runOnOperation() override {
    if (failed(applyFusion<SplitKvAppend>(getOperation(), remarks)))
      signalPassFailure();
  }
};

} // namespace
