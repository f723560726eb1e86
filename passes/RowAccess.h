//===- RowAccess.h - Rows of activations, one token at a time -----------------===//
//
// Where a row's bytes lie (tile.rows, tile.acts) as byte offsets and lane operations.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_ROWACCESS_H
#define SINTER_PASSES_ROWACCESS_H

#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"

namespace sinter {

/// One group of 32 int8 activations of one token.
struct ActGroup {
  mlir::Value codes; ///< vector<8xi32>, the same in all lanes; for crossed dots words 0, 2, 4 are moved up by 128
  mlir::Value scale; ///< f32
  mlir::Value start; ///< i32, -8 times the sum of the 32 codes
  mlir::Value low;   ///< i32, -32 times the sum of the first 16
  mlir::Value high;  ///< i32, -32 times the sum of the last 16
  mlir::Value total; ///< f32, scale times sum
};

/// v * factor as an offset in bytes. A constant part of `v` stays one of the result, (x + 3) * 32 being x * 32 + 96:
/// what the blocks of an unrolled loop have in common is computed once, the rest is in the addresses.
mlir::Value scaleIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, int64_t factor);

/// Elements of `row` from `column` on: `type` is a number, or a vector of neighbours (the same in all lanes if
/// `uniform`).
mlir::Value loadRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source, mlir::Value row,
                    mlir::Value column, mlir::Type type, bool uniform);
/// Elements columns[r] of `row`.
mlir::Value gatherRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source, mlir::Value row,
                      mlir::Value columns);
void storeRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value, mlir::Value target,
              mlir::Value row, mlir::Value column);
ActGroup loadActs(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source, mlir::Value row,
                  mlir::Value block, bool crossed);
/// Words of two lines, the low halves of that at byte `offset` + `low`, the high halves of that at `offset` + `high`.
mlir::Value loadLevels(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, mlir::Value source, mlir::Value offset,
                       mlir::Value low, mlir::Value high);
/// Values rounded to 8 bits with one scale: what `tile.store_acts` and an int8 KV cache store.
struct RoundedLanes {
  mlir::Value codes; ///< i32, -largest .. largest: v / scale to the nearest, ties to even
  mlir::Value scale; ///< f32, max|v| / largest, or the next larger one of few bits
};
/// f32, max|v|.
mlir::Value largestMagnitude(mlir::OpBuilder &b, mlir::Location loc, mlir::Value values);
/// `largest`: their largest magnitude. `stepped`: the scale is 4, 5, 6 or 7 times a power of two.
RoundedLanes roundToInt8(mlir::OpBuilder &b, mlir::Location loc, mlir::Value values, mlir::Value largest,
                         int64_t largestCode = 127, bool stepped = false);
/// Quantizes 32 values as tile.store_acts says and stores them. `largest`: their largest magnitude.
void storeActs(mlir::OpBuilder &b, mlir::Location loc, mlir::Value values, mlir::Value largest, tile::StoreActsOp op,
               mlir::Value row);

} // namespace sinter

#endif
