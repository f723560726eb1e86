//===- LowerLookup.cpp - tile.lookup on a CPU's byte shuffle ---------------------===//
//
//   pshufb   (x86) every byte picks one of the 16 bytes of the table in its own 128 bits: the table is repeated there
//   tbl      (NEON, SVE) every byte picks one of the 16 bytes of the table
//
// The codes that come out go into a dot. Where that is vpdpbusd it flips their top bit (LowerDot.cpp), so there the
// flipped table is looked up and flipped back: the two flips meet, and LLVM drops both.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerLookup.h"
#include "codegen/cpu/Scalable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

class LookupLowering {
public:
  LookupLowering(OpBuilder &builder, LookupOp op, const Variant &variant)
      : b(builder), loc(op.getLoc()), op(op), variant(variant),
        rows(cast<VectorType>(op.getResult().getType()).getDimSize(0)),
        // A register of 128 bits at least: a row of an embedding comes alone.
        lanes(std::min<int64_t>(std::max<int64_t>(rows, 4), variant.vectorBits / 32)) {}

  Value run() {
    if (rows < lanes)
      return slice(shuffle(insert(op.getCodes(), zeros(lanes), 0)), 0, rows);
    if (rows == lanes)
      return shuffle(op.getCodes());
    Value whole = zeros(rows);
    for (int64_t first = 0; first < rows; first += lanes)
      whole = insert(shuffle(slice(op.getCodes(), first, lanes)), whole, first);
    return whole;
  }

private:
  Value zeros(int64_t n) {
    return b.create<arith::ConstantOp>(loc, b.getZeroAttr(VectorType::get({n}, b.getI32Type())));
  }
  Value slice(Value words, int64_t first, int64_t count) {
    return b.create<vector::ExtractStridedSliceOp>(loc, words, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{count},
                                                   ArrayRef<int64_t>{1});
  }
  Value insert(Value part, Value whole, int64_t first) {
    return b.create<vector::InsertStridedSliceOp>(loc, part, whole, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{1});
  }
  StringRef instruction() const {
    if (variant.isScalable())
      return "llvm.aarch64.sve.tbl.nxv16i8";
    if (variant.dot == DotKind::sdot || variant.dot == DotKind::smull)
      return "llvm.aarch64.neon.tbl1.v16i8";
    return lanes == 16  ? "llvm.x86.avx512.pshuf.b.512"
           : lanes == 8 ? "llvm.x86.avx2.pshuf.b"
                        : "llvm.x86.ssse3.pshuf.b.128";
  }
  Value call(Value table, Value indices) {
    return b
        .create<LLVM::CallIntrinsicOp>(loc, TypeRange{table.getType()}, b.getStringAttr(instruction()),
                                       ValueRange{table, indices}, LLVM::FastmathFlagsAttr())
        .getResult(0);
  }
  /// One register's words looked up.
  Value shuffle(Value words) {
    bool flips = variant.dot == DotKind::vpdpbusd;
    auto bytes = VectorType::get({4 * lanes}, b.getI8Type());
    SmallVector<int8_t> entries;
    for (int64_t i = 0; i < 4 * lanes; ++i)
      entries.push_back(static_cast<int8_t>(op.getTable()[i % 16] ^ (flips ? 0x80 : 0)));
    Value table = b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(bytes, ArrayRef<int8_t>(entries)));
    Value indices = b.create<vector::BitCastOp>(loc, bytes, words);
    Value found = variant.isScalable() ? cpu::fromScalable(b, loc, bytes, call(cpu::toScalable(b, loc, table), cpu::toScalable(b, loc, indices)))
                                       : call(table, indices);
    auto type = cast<VectorType>(words.getType());
    found = b.create<vector::BitCastOp>(loc, type, found);
    if (!flips)
      return found;
    auto topBits = DenseElementsAttr::get(type, b.getI32IntegerAttr(static_cast<int32_t>(0x80808080)));
    return b.create<arith::XOrIOp>(loc, found, b.create<arith::ConstantOp>(loc, topBits));
  }

  OpBuilder &b;
  Location loc;
  LookupOp op;
  const Variant &variant;
  int64_t rows, lanes;
};

} // namespace

Value cpu::lowerLookup(OpBuilder &b, LookupOp lookup, const Variant &variant) {
  return LookupLowering(b, lookup, variant).run();
}
