//===- NarrowShifts.cpp - Shifts of four codes a word as shifts of bytes ------------===//
//
// Lane form takes codes out of words by a shift and a mask. Where the mask keeps all that a shift of the word's bytes
// would leave, and the target has such shifts (NEON and SVE do, x86 does not), the mask is not needed:
//
//   %s = arith.shrui %w, 4 : vector<8xi32>               %b = vector.bitcast %w : vector<32xi8>
//   %q = arith.andi %s, 0x0f0f0f0f                  ==>  %s = arith.shrui %b, 4
//                                                        %q = vector.bitcast %s : vector<8xi32>
//
// One instruction instead of two for every second word of a 4-bit format.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace sinter;

namespace {

std::optional<uint32_t> splatOf(Value v) {
  DenseElementsAttr constant;
  if (!matchPattern(v, m_Constant(&constant)) || !constant.isSplat())
    return std::nullopt;
  return static_cast<uint32_t>(constant.getSplatValue<APInt>().getZExtValue());
}

/// `Shift` moves by n bits; `kept` is what a byte of ones becomes.
template <typename Shift> struct NarrowShift : OpRewritePattern<arith::AndIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::AndIOp mask, PatternRewriter &rewriter) const override {
    auto words = dyn_cast<VectorType>(mask.getType());
    auto shift = mask.getLhs().getDefiningOp<Shift>();
    if (!words || words.getRank() != 1 || !words.getElementType().isInteger(32) || !shift)
      return failure();
    std::optional<uint32_t> bits = splatOf(shift.getRhs()), kept = splatOf(mask.getRhs());
    if (!bits || !kept || *bits == 0 || *bits > 7)
      return failure();
    uint32_t byte = std::is_same_v<Shift, arith::ShRUIOp> ? 0xffu >> *bits : 0xffu << *bits & 0xffu;
    if (*kept != byte * 0x01010101u)
      return failure();
    auto bytes = VectorType::get({4 * words.getDimSize(0)}, rewriter.getI8Type());
    Location loc = mask.getLoc();
    Value codes = rewriter.create<vector::BitCastOp>(loc, bytes, shift.getLhs());
    Value count = rewriter.create<arith::ConstantOp>(
        loc, DenseElementsAttr::get(bytes, rewriter.getI8IntegerAttr(static_cast<int8_t>(*bits))));
    codes = rewriter.create<Shift>(loc, codes, count);
    rewriter.replaceOpWithNewOp<vector::BitCastOp>(mask, words, codes);
    // What still has a reader, even a dead one, is not placed in front of its dots (DotOrder.cpp).
    if (shift->use_empty())
      rewriter.eraseOp(shift);
    return success();
  }
};

struct NarrowShiftsPass : PassWrapper<NarrowShiftsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NarrowShiftsPass)
  StringRef getArgument() const override { return "narrow-shifts"; }
  StringRef getDescription() const override { return "masked shifts of words as shifts of bytes, for Arm"; }
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<vector::VectorDialect>(); }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<NarrowShift<arith::ShRUIOp>, NarrowShift<arith::ShLIOp>>(&getContext());
    // Only what may match is visited: an unrolled super-block is thousands of ops.
    SmallVector<Operation *> masks;
    getOperation()->walk([&](arith::AndIOp op) { masks.push_back(op); });
    GreedyRewriteConfig config;
    config.strictMode = GreedyRewriteStrictness::ExistingOps;
    if (failed(applyOpPatternsAndFold(masks, std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace

void cpu::registerNarrowShiftsPass() { PassRegistration<NarrowShiftsPass>(); }
std::unique_ptr<Pass> cpu::createNarrowShiftsPass() { return std::make_unique<NarrowShiftsPass>(); }
