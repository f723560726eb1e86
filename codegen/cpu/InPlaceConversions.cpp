//===- InPlaceConversions.cpp - SVE conversions that overwrite what they convert -----===//
//
//   %f = arith.sitofp %i : vector<8xi32> to vector<8xf32>     %s = %i in the low lanes of a register
//                                                      ==>    %f = low lanes of sve.scvtf(%s as floats, ptrue vl8, %s)
//
// and the same for arith.extf of halves (fcvt), one to a word as ld1h loads them. SVE's conversions merge: lanes off the
// predicate keep what the result register held. LLVM leaves that open for a plain conversion, gives the result another
// register more often than not, and pays with a movprfx. Here it is the operand itself, whose register is free afterwards:
// the sums and scales of a block are read once.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "codegen/cpu/Registers.h"
#include "codegen/cpu/Scalable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace sinter;

namespace {

class Conversion {
public:
  Conversion(OpBuilder &b, Location loc, int64_t lanes) : b(b), loc(loc), lanes(lanes) {}

  /// What `instruction` makes of each register of `words`, a vector of 32-bit integers.
  Value run(Value words, StringRef instruction, Type scalableSource) {
    SmallVector<Value> floats;
    for (int64_t lane = 0; lane < cast<VectorType>(words.getType()).getDimSize(0); lane += lanes)
      floats.push_back(one(cpu::lanesOf(b, loc, words, lane, lanes), instruction, scalableSource));
    return cpu::joinLanes(b, loc, floats);
  }

private:
  Value one(Value words, StringRef instruction, Type scalableSource) {
    auto floats = VectorType::get({4}, b.getF32Type(), {true});
    Value source = cpu::toScalable(b, loc, words);
    Value before = b.create<vector::BitCastOp>(loc, floats, source);
    if (source.getType() != scalableSource)
      source = b.create<vector::BitCastOp>(loc, cast<VectorType>(scalableSource), source);
    Value result = call(instruction, floats, {before, predicate(), source});
    return cpu::fromScalable(b, loc, VectorType::get({lanes}, b.getF32Type()), result);
  }
  /// The lanes that there are in a register of `vectorBits`: LLVM takes a predicate of all lanes for no predicate, and so
  /// for no operand that is merged into.
  Value predicate() {
    int64_t pattern = lanes == 8 ? 8 : 9; // VL8, VL16
    return call("llvm.aarch64.sve.ptrue.nxv4i1", VectorType::get({4}, b.getI1Type(), {true}),
                b.create<arith::ConstantIntOp>(loc, pattern, 32).getResult());
  }
  Value call(StringRef name, Type type, ValueRange args) {
    return b
        .create<LLVM::CallIntrinsicOp>(loc, TypeRange{type}, b.getStringAttr(name), args, LLVM::FastmathFlagsAttr())
        .getResult(0);
  }

  OpBuilder &b;
  Location loc;
  int64_t lanes;
};

template <typename Op> struct ConvertInPlace : OpRewritePattern<Op> {
  ConvertInPlace(MLIRContext *context, int64_t lanes) : OpRewritePattern<Op>(context), lanes(lanes) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &b) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || type.getRank() != 1 || !type.getElementType().isF32() || type.getDimSize(0) % lanes)
      return b.notifyMatchFailure(op, "no registers full of floats");
    Value in = op.getIn();
    Type element = cast<VectorType>(in.getType()).getElementType(), i32 = b.getI32Type();
    Conversion conversion(b, op.getLoc(), lanes);
    if (element.isInteger(32)) {
      b.replaceOp(op, conversion.run(in, "llvm.aarch64.sve.scvtf.nxv4f32.nxv4i32", VectorType::get({4}, i32, {true})));
      return success();
    }
    if (!element.isF16())
      return b.notifyMatchFailure(op, "neither words nor halves");
    in = b.create<vector::BitCastOp>(op.getLoc(), VectorType::get(type.getShape(), b.getI16Type()), in);
    in = b.create<arith::ExtUIOp>(op.getLoc(), VectorType::get(type.getShape(), i32), in);
    b.replaceOp(op, conversion.run(in, "llvm.aarch64.sve.fcvt.f32f16", VectorType::get({8}, element, {true})));
    return success();
  }
  int64_t lanes;
};

struct InPlaceConversionsPass : PassWrapper<InPlaceConversionsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InPlaceConversionsPass)
  InPlaceConversionsPass() = default;
  InPlaceConversionsPass(const InPlaceConversionsPass &other) : PassWrapper(other) {}
  explicit InPlaceConversionsPass(const Variant &variant) { lanes = variant.vectorBits / 32; }
  StringRef getArgument() const override { return "in-place-conversions"; }
  StringRef getDescription() const override { return "SVE conversions that overwrite what they convert"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvertInPlace<arith::SIToFPOp>, ConvertInPlace<arith::ExtFOp>>(&getContext(), lanes);
    if (failed(applyPatternsAndFoldGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
  Option<int64_t> lanes{*this, "lanes", llvm::cl::desc("words of 32 bits in a register"), llvm::cl::init(8)};
};

} // namespace

void cpu::registerInPlaceConversionsPass() { PassRegistration<InPlaceConversionsPass>(); }
std::unique_ptr<Pass> cpu::createInPlaceConversionsPass(const Variant &variant) {
  return std::make_unique<InPlaceConversionsPass>(variant);
}
