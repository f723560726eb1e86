//===- Fusion.h - A rewrite that says where it fired and where it nearly did ===//
//
// Every fusion is one `Fusion<Op>`: `check` finds the picture on the left, `fuse` makes the one on
// the right. `check` tells `nearly` why an op that comes close stays as it is; the same words
// become the pattern's match failure (-debug-only=greedy-rewriter) and, with remarks on, a remark
// at the op.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_FUSION_H
#define SINTER_PASSES_FUSION_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace sinter {

/// Hears why an op that looks as if it could be fused cannot.
using Nearly = llvm::function_ref<void(const llvm::Twine &)>;

template <typename OpT> class Fusion : public mlir::OpRewritePattern<OpT> {
public:
  using Op = OpT;

  Fusion(mlir::MLIRContext *context, bool remarks)
      : mlir::OpRewritePattern<OpT>(context), remarks(remarks) {}

  /// Whether `op` can be fused.
  virtual mlir::LogicalResult check(OpT op, Nearly nearly) const = 0;
  /// Fuses `op`, which has been checked.
  virtual void fuse(OpT op, mlir::PatternRewriter &rewriter) const = 0;
  /// What has happened where it fired.
  virtual llvm::StringRef done() const = 0;

  mlir::LogicalResult matchAndRewrite(OpT op, mlir::PatternRewriter &rewriter) const final {
    auto fail = [&](const llvm::Twine &why) { (void)rewriter.notifyMatchFailure(op, why); };
    if (mlir::failed(check(op, fail)))
      return mlir::failure();
    if (remarks)
      op->emitRemark(done());
    fuse(op, rewriter);
    return mlir::success();
  }

private:
  bool remarks;
};

/// Fuses all that can be fused below `root`; with `remarks`, says why the rest was left alone.
template <typename FusionT> mlir::LogicalResult applyFusion(mlir::Operation *root, bool remarks) {
  mlir::RewritePatternSet patterns(root->getContext());
  patterns.add<FusionT>(root->getContext(), remarks);
  mlir::GreedyRewriteConfig config;
  config.enableRegionSimplification = mlir::GreedySimplifyRegionLevel::Disabled;
  if (mlir::failed(mlir::applyPatternsAndFoldGreedily(root, std::move(patterns), config)))
    return mlir::failure();
  if (!remarks)
    return mlir::success();
  FusionT fusion(root->getContext(), remarks);
  root->walk([&](typename FusionT::Op op) {
    (void)fusion.check(op, [&](const llvm::Twine &why) { op->emitRemark("left alone: " + why); });
  });
  return mlir::success();
}

} // namespace sinter

#endif
