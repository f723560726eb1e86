//===- LowerLevels.cpp - tile.accumulate_levels on a CPU -------------------------------===//
//
// AVX-512 VNNI, 16 lanes:
//
//   %s = vpmulhrsw %w, (the token's word in all lanes)     the scales of both dots, 16 bits each
//   %m = %low >> shift | %high << (16 - shift)             half of a lane each
//   %acc = vpdpwssd %acc, %m, %s
//
// Elsewhere word by word, in 32 bits: what the op says.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerLevels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

struct LevelsLowering {
  OpBuilder &b;
  Location loc;
  AccumulateLevelsOp op;
  VectorType words;
  Value levels;

  LevelsLowering(OpBuilder &b, AccumulateLevelsOp op)
      : b(b), loc(op.getLoc()), op(op), words(cast<VectorType>(op.getResult().getType())),
        levels(b.create<vector::BroadcastOp>(loc, words, op.getActLevels())) {}

  Value splat(int64_t v) {
    return b.create<arith::ConstantOp>(loc,
                                       DenseElementsAttr::get(words, b.getI32IntegerAttr(static_cast<int32_t>(v))));
  }
  Value shiftRight(Value v, int64_t bits) { return bits ? b.create<arith::ShRSIOp>(loc, v, splat(bits)) : v; }
  Value shiftLeft(Value v, int64_t bits) { return b.create<arith::ShLIOp>(loc, v, splat(bits)); }
  Value call(StringRef name, Type type, ValueRange args) {
    return b
        .create<LLVM::CallIntrinsicOp>(loc, TypeRange{type}, b.getStringAttr(name), args, LLVM::FastmathFlagsAttr())
        .getResult(0);
  }

  Value vnni() {
    auto halves = VectorType::get({2 * words.getNumElements()}, b.getI16Type());
    Value w = b.create<vector::BitCastOp>(loc, halves, op.getWeightLevels());
    Value a = b.create<vector::BitCastOp>(loc, halves, levels);
    Value scales = call("llvm.x86.avx512.pmul.hr.sw.512", halves, {w, a});
    Value low = b.create<arith::AndIOp>(loc, shiftRight(op.getLow(), op.getShift()), splat(0xffff));
    Value high = b.create<arith::AndIOp>(loc, shiftLeft(op.getHigh(), 16 - op.getShift()), splat(0xffff0000));
    Value dots = b.create<arith::OrIOp>(loc, low, high);
    return call("llvm.x86.avx512.vpdpwssd.512", words,
                {op.getAcc(), dots, b.create<vector::BitCastOp>(loc, words, scales)});
  }

  Value wordByWord() {
    Value sum = op.getAcc();
    for (bool high : {false, true}) {
      auto level = [&](Value v) { return shiftRight(high ? v : shiftLeft(v, 16), 16); };
      Value scale = b.create<arith::MulIOp>(loc, level(op.getWeightLevels()), level(levels));
      scale = shiftRight(b.create<arith::AddIOp>(loc, scale, splat(1 << 14)), 15);
      Value dot = shiftRight(high ? op.getHigh() : op.getLow(), op.getShift());
      sum = b.create<arith::AddIOp>(loc, sum, b.create<arith::MulIOp>(loc, dot, scale));
    }
    return sum;
  }
};

} // namespace

Value cpu::lowerAccumulateLevels(OpBuilder &b, AccumulateLevelsOp op, const Variant &variant) {
  LevelsLowering lowering(b, op);
  bool vnni = variant.dot == DotKind::vpdpbusd && variant.vectorBits == 512;
  return vnni && lowering.words.getNumElements() == 16 ? lowering.vnni() : lowering.wordByWord();
}
