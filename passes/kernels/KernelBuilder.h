//===- KernelBuilder.h - Words for writing tile programs ---------------------------===//
//
// A tile.kernel under construction, and short names for what every kernel says: blocks of T tokens by R rows, loops,
// row loads. The files beside it each write one kind of kernel.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_KERNELS_KERNELBUILDER_H
#define SINTER_PASSES_KERNELS_KERNELBUILDER_H

#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace sinter {

class KernelBuilder {
public:
  /// An empty kernel at the builder's place; `tokens` is its register block's token count.
  KernelBuilder(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
                llvm::ArrayRef<mlir::Type> bindings, int64_t tokens, int64_t scratchBytes = 0);

  tile::KernelOp kernel;
  mlir::OpBuilder b;
  mlir::Location loc;
  /// Tokens of a register block.
  int64_t T;

  mlir::Value binding(unsigned i) { return kernel.getBinding(i); }
  /// From here on a tile is one of `count` for each `together` tokens of the step: those that tile() numbers, firstToken() ..
  /// tokens() - 1.
  void shareTokens(int64_t count, int64_t together);
  /// The kernel's tile, or that of the forTiles() around.
  mlir::Value tile();
  mlir::Value firstToken() { return first ? first : index(0); }
  /// Where the tile's tokens end.
  mlir::Value tokens() { return end ? end : kernel.getTokensArg(); }
  mlir::Value position() { return kernel.getPositionArg(); }
  /// `width` floats a row at byte `offset` of the scratch.
  mlir::Value scratchRows(int64_t offset, int64_t width);

  template <typename OpT, typename... Args> mlir::Value make(Args &&...args) {
    return b.createOrFold<OpT>(loc, std::forward<Args>(args)...);
  }
  template <typename OpT, typename... Args> OpT op(Args &&...args) {
    return b.create<OpT>(loc, std::forward<Args>(args)...);
  }

  // Index arithmetic.
  mlir::Value index(int64_t v) { return b.create<mlir::arith::ConstantIndexOp>(loc, v); }
  mlir::Value add(mlir::Value x, mlir::Value y) { return make<mlir::arith::AddIOp>(x, y); }
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, index(y)); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return make<mlir::arith::SubIOp>(x, y); }
  mlir::Value mul(mlir::Value x, int64_t y) { return make<mlir::arith::MulIOp>(x, index(y)); }
  mlir::Value div(mlir::Value x, int64_t y) { return make<mlir::arith::DivUIOp>(x, index(y)); }
  mlir::Value rem(mlir::Value x, int64_t y) { return make<mlir::arith::RemUIOp>(x, index(y)); }
  mlir::Value min(mlir::Value x, mlir::Value y) { return make<mlir::arith::MinUIOp>(x, y); }
  mlir::Value below(mlir::Value x, mlir::Value y) {
    return make<mlir::arith::CmpIOp>(mlir::arith::CmpIPredicate::ult, x, y);
  }
  mlir::Value toI32(mlir::Value index) { return make<mlir::arith::IndexCastUIOp>(b.getI32Type(), index); }

  // Blocks.
  mlir::VectorType block(int64_t tokens, int64_t rows, mlir::Type element = {});
  mlir::VectorType lanes(int64_t rows, mlir::Type element = {});
  mlir::Value splat(mlir::VectorType type, double v);
  mlir::Value splatInt(mlir::VectorType type, int64_t v);
  /// vector<Tx1> or vector<R> to vector<TxR> of `type`'s shape.
  mlir::Value broadcast(mlir::Value v, mlir::VectorType type);
  mlir::Value mulf(mlir::Value x, mlir::Value y) { return make<mlir::arith::MulFOp>(x, y); }
  mlir::Value addf(mlir::Value x, mlir::Value y) { return make<mlir::arith::AddFOp>(x, y); }
  mlir::Value subf(mlir::Value x, mlir::Value y) { return make<mlir::arith::SubFOp>(x, y); }
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z) { return make<mlir::math::FmaOp>(x, y, z); }
  /// The larger of two, as every target's max gives it for numbers.
  mlir::Value maxf(mlir::Value x, mlir::Value y);
  mlir::Value reduce(tile::ReduceKind kind, mlir::Value block);
  /// Words of two integers: `low` and `high` times `factor`, rounded, below 2^15.
  mlir::Value roundToHalves(mlir::Value low, mlir::Value high, mlir::Value factor);
  /// f32 of a line of values in another float type.
  mlir::Value toF32(mlir::Value line);

  // Rows.
  mlir::Value loadRow(mlir::Value source, mlir::Value row, mlir::Value column, int64_t tokens, int64_t rows,
                      bool uniform = false);
  void storeRow(mlir::Value v, mlir::Value target, mlir::Value row, mlir::Value column, mlir::Value limit = {});
  /// Zeros behind a row of `width` elements up to the next multiple of 32: readers take 32 at a time.
  void zeroPadding(mlir::Value target, mlir::Value row, int64_t width);

  // Control.
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)>;
  llvm::SmallVector<mlir::Value> loop(mlir::Value from, mlir::Value to, int64_t step, mlir::ValueRange inits,
                                      LoopBody body);
  void loop(mlir::Value from, mlir::Value to, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  void once(mlir::Value key, int64_t at, llvm::function_ref<void()> body);
  void forTiles(llvm::function_ref<void()> body);
  /// With the tile's place in its strip.
  void forPlaces(llvm::function_ref<void(mlir::Value)> body, bool hasPlace = true);

private:
  mlir::Value current, first, end, firstTile;
};

/// `n` rounded up to a multiple of 32: the width of rows in memory.
inline int64_t paddedWidth(int64_t n) { return (n + 31) / 32 * 32; }

} // namespace sinter

#endif
