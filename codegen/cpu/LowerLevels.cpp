//===- LowerLevels.cpp - tile.accumulate_levels and its like on a CPU ----------------------===//
//
// AVX-512 VNNI, 16 lanes at a time:
//
//   tile.accumulate_levels
//     %s = vpmulhrsw %w, (the token's word in all lanes)     the scales of both dots, 16 bits each
//     %m = %low >> shift | %high << (16 - shift)             half of a lane each (vpaddw offsets)
//     %acc = vpdpwssd %acc, %m, %s
//   tile.accumulate_shifted
//     %m = vpsravd %low, (right in all lanes) | vpsllvd %high, (left in all lanes)
//     %acc = vpdpwssd %acc, %m, %levels
//   tile.dot_halves
//     %acc = vpdpwssd %acc, %line, (the token's word in all lanes)
//
// Elsewhere word by word, in 32 bits: what the ops say.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerLevels.h"
#include "codegen/cpu/Registers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

constexpr int64_t kLanes = 16;

/// What is made of rows of words.
struct WordsLowering {
  OpBuilder &b;
  Location loc;
  VectorType words;

  WordsLowering(OpBuilder &b, Location loc, Type words) : b(b), loc(loc), words(cast<VectorType>(words)) {}

  Value splat(int64_t v) {
    return b.create<arith::ConstantOp>(loc,
                                       DenseElementsAttr::get(words, b.getI32IntegerAttr(static_cast<int32_t>(v))));
  }
  Value shiftRight(Value v, int64_t bits) { return bits ? b.create<arith::ShRSIOp>(loc, v, splat(bits)) : v; }
  Value shiftLeft(Value v, int64_t bits) { return b.create<arith::ShLIOp>(loc, v, splat(bits)); }
  Value half(Value v, bool high) { return shiftRight(high ? v : shiftLeft(v, 16), 16); }
  Value multiplyAdd(Value x, Value y, Value sum) {
    return b.create<arith::AddIOp>(loc, sum, b.create<arith::MulIOp>(loc, x, y));
  }
  Value call(StringRef name, Type type, ValueRange args) {
    return b
        .create<LLVM::CallIntrinsicOp>(loc, TypeRange{type}, b.getStringAttr(name), args, LLVM::FastmathFlagsAttr())
        .getResult(0);
  }

  /// The low half of a word and the high half of another. Two instructions for two ports: LLVM would take one that shuffles words,
  /// for one port of Zen 4, and of three steps on Intel's cores.
  Value joinHalves(Value low, Value high) {
    low = b.create<arith::AndIOp>(loc, low, splat(0xffff));
    high = b.create<arith::AndIOp>(loc, cpu::hideInRegister(b, loc, high, "v"), splat(0xffff0000));
    return b.create<arith::OrIOp>(loc, low, high);
  }

  Value vnniLevels(AccumulateLevelsOp op, Value levels) {
    auto halves = VectorType::get({2 * kLanes}, b.getI16Type());
    Value w = b.create<vector::BitCastOp>(loc, halves, op.getWeightLevels());
    Value a = b.create<vector::BitCastOp>(loc, halves, levels);
    Value scales = call("llvm.x86.avx512.pmul.hr.sw.512", halves, {w, a});
    Value dots = joinHalves(shiftRight(op.getLow(), op.getShift()), shiftLeft(op.getHigh(), 16 - op.getShift()));
    if (op.getOffsets())
      dots = b.create<vector::BitCastOp>(
          loc, words, b.create<arith::AddIOp>(loc, b.create<vector::BitCastOp>(loc, halves, dots).getResult(),
                                              b.create<vector::BitCastOp>(loc, halves, op.getOffsets())));
    return call("llvm.x86.avx512.vpdpwssd.512", words,
                {op.getAcc(), dots, b.create<vector::BitCastOp>(loc, words, scales)});
  }

  Value levels(AccumulateLevelsOp op, Value levels) {
    Value sum = op.getAcc();
    for (bool high : {false, true}) {
      Value scale = b.create<arith::MulIOp>(loc, half(op.getWeightLevels(), high), half(levels, high));
      scale = shiftRight(b.create<arith::AddIOp>(loc, scale, splat(1 << 14)), 15);
      Value dot = shiftRight(high ? op.getHigh() : op.getLow(), op.getShift());
      if (op.getOffsets())
        dot = half(b.create<arith::AddIOp>(loc, dot, half(op.getOffsets(), high)), false);
      sum = multiplyAdd(dot, scale, sum);
    }
    return sum;
  }

  Value vnniShifted(AccumulateShiftedOp op, Value right, Value left) {
    Value low = call("llvm.x86.avx512.psrav.d.512", words, {op.getLow(), right});
    Value high = call("llvm.x86.avx512.psllv.d.512", words, {op.getHigh(), left});
    return call("llvm.x86.avx512.vpdpwssd.512", words, {op.getAcc(), joinHalves(low, high), op.getLevels()});
  }

  Value shifted(AccumulateShiftedOp op, Value right, Value left) {
    Value low = half(b.create<arith::ShRSIOp>(loc, op.getLow(), right), false);
    Value high = half(b.create<arith::ShLIOp>(loc, op.getHigh(), left), true);
    Value sum = multiplyAdd(low, half(op.getLevels(), false), op.getAcc());
    return multiplyAdd(high, half(op.getLevels(), true), sum);
  }

  Value vnniDot(DotHalvesOp op, Value x) {
    auto line = VectorType::get({kLanes}, b.getI32Type());
    Value sum = op.getAcc();
    for (int64_t lane = 0; lane < words.getNumElements(); lane += kLanes) {
      auto part = [&](Value v) -> Value {
        return b.create<vector::ExtractStridedSliceOp>(loc, v, lane, kLanes, 1);
      };
      Value next = call("llvm.x86.avx512.vpdpwssd.512", line, {part(op.getAcc()), part(op.getLine()), part(x)});
      sum = b.create<vector::InsertStridedSliceOp>(loc, next, sum, lane, 1);
    }
    return sum;
  }

  Value dot(DotHalvesOp op, Value x) {
    Value sum = op.getAcc();
    for (bool high : {false, true})
      sum = multiplyAdd(half(op.getLine(), high), half(x, high), sum);
    return sum;
  }
};

bool hasWordDots(const Variant &variant) { return variant.dot == DotKind::vpdpbusd && variant.vectorBits == 512; }

} // namespace

Value cpu::lowerAccumulateLevels(OpBuilder &b, AccumulateLevelsOp op, const Variant &variant) {
  WordsLowering lowering(b, op.getLoc(), op.getResult().getType());
  Value levels = b.create<vector::BroadcastOp>(op.getLoc(), lowering.words, op.getActLevels());
  return hasWordDots(variant) && lowering.words.getNumElements() == kLanes ? lowering.vnniLevels(op, levels)
                                                                          : lowering.levels(op, levels);
}

Value cpu::lowerAccumulateShifted(OpBuilder &b, AccumulateShiftedOp op, const Variant &variant) {
  WordsLowering lowering(b, op.getLoc(), op.getResult().getType());
  Value right = b.create<vector::BroadcastOp>(op.getLoc(), lowering.words, op.getRight());
  Value left = b.create<vector::BroadcastOp>(op.getLoc(), lowering.words, op.getLeft());
  return hasWordDots(variant) && lowering.words.getNumElements() == kLanes ? lowering.vnniShifted(op, right, left)
                                                                          : lowering.shifted(op, right, left);
}

Value cpu::lowerDotHalves(OpBuilder &b, DotHalvesOp op, const Variant &variant) {
  WordsLowering lowering(b, op.getLoc(), op.getResult().getType());
  Value x = b.create<vector::BroadcastOp>(op.getLoc(), lowering.words, op.getX());
  return hasWordDots(variant) && lowering.words.getNumElements() % kLanes == 0 ? lowering.vnniDot(op, x)
                                                                              : lowering.dot(op, x);
}
