//===- ApproximateMath.cpp - exp and its like as polynomials -------------------------===//
//
// Kernels call nothing, so functions of the math dialect become arithmetic: upstream's polynomials, and for exp, which a prefill
// spends 2 % of its time on (SwiGLU, softmax), one of our own:
//
//   %y = math.exp %x           %c = min(max(%x, ln 2^-128), 88.7)
//                         ==>  %t = %c * log2 e + 1.5 * 2^23                    n = %c * log2 e, rounded, in the low bits
//                              %f = %c * log2 e - (%t - 1.5 * 2^23)             -0.5 .. 0.5
//                              %p = 1 + %f * (c1 + .. + c5 %f^4)                2^%f
//                              %i = bits of %p + (bits of %t << 23)             n goes into the exponent
//                              %y = float with the bits max(%i, 0)              where it had no room
//
// 13 operations, 7 of which multiply, instead of upstream's 20 and 11: 32 values of SwiGLU take 25 cycles on Zen 4, not 38.
//
// The coefficients are those of the polynomial of degree 5 whose largest relative error is smallest (Remez' algorithm), 7.5e-8.
// With the roundings of float the error is below 3e-7 for |x| < 4 and 4e-7 for |x| < 20; beyond, it grows as that of a float x
// itself does, by 2^-25 |x|: log2 e is one float. Below ln 2^-126 the result is less than 2^-126, from ln 2^-128 on it is 0, and of
// a NaN with its sign set too. Nothing is compared with %x in the end: on Arm what would hold it until then takes registers from
// SwiGLU (2 % of a prefill's instructions).
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace sinter;

namespace {

constexpr float kLeast = -88.7228f, kMost = 88.7f;
/// Has 23 bits behind it: a sum with it is a whole number.
constexpr float kWhole = 1.5f * (1 << 23);
constexpr float kPolynomial[] = {1.0f, 0.69314694f, 0.2402212f, 0.05550713f, 0.009675541f, 0.0013276472f};

struct ExpPattern : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "is not of 32 bits");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto constant = [&](TypedAttr value, Type type) -> Value {
      if (auto vector = dyn_cast<VectorType>(type))
        value = DenseElementsAttr::get(vector, Attribute(value));
      return b.create<arith::ConstantOp>(value);
    };
    auto number = [&](float v) { return constant(b.getF32FloatAttr(v), type); };
    auto bound = [&](Value v, arith::CmpFPredicate beyond, float limit) -> Value {
      Value end = number(limit), outside = b.create<arith::CmpFOp>(beyond, v, end);
      return b.create<arith::SelectOp>(outside, end, v);
    };
    Value x = bound(op.getOperand(), arith::CmpFPredicate::OLT, kLeast);
    x = bound(x, arith::CmpFPredicate::OGT, kMost);
    Value log2e = number(1.44269504f), whole = number(kWhole);
    Value shifted = b.create<math::FmaOp>(x, log2e, whole);
    Value negated = b.create<arith::SubFOp>(whole, shifted);
    Value rest = b.create<math::FmaOp>(x, log2e, negated);
    Value power = number(kPolynomial[5]);
    for (int i = 4; i >= 0; --i)
      power = b.create<math::FmaOp>(power, rest, number(kPolynomial[i]));

    Type words = b.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      words = vector.clone(words);
    auto bits = [&](Value v) { return b.create<arith::BitcastOp>(words, v); };
    Value exponent = b.create<arith::ShLIOp>(bits(shifted), constant(b.getI32IntegerAttr(23), words));
    Value result = b.create<arith::AddIOp>(bits(power), exponent);
    result = b.create<arith::MaxSIOp>(result, constant(b.getI32IntegerAttr(0), words));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, result);
    return success();
  }
};

struct ApproximateMathPass : PassWrapper<ApproximateMathPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApproximateMathPass)
  StringRef getArgument() const override { return "approximate-math"; }
  StringRef getDescription() const override { return "exp and its like as polynomials"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    patterns.add<ExpPattern>(&getContext(), /*benefit=*/2);
    GreedyRewriteConfig config;
    config.strictMode = GreedyRewriteStrictness::ExistingAndNewOps;
    // Only what may match is visited: these functions are long, and few ops are of the math dialect.
    SmallVector<Operation *> functions;
    getOperation()->walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()))
        functions.push_back(op);
    });
    if (failed(applyOpPatternsAndFold(functions, std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace

void cpu::registerApproximateMathPass() { PassRegistration<ApproximateMathPass>(); }
std::unique_ptr<Pass> cpu::createApproximateMathPass() { return std::make_unique<ApproximateMathPass>(); }
