//===- NormKernel.cpp - RMS norm and activation quantization, one token a tile ----------===//
//
//   tile.kernel @norm(%x, %gain, %out) grid(%t, ..) tokens 1 {
//     %s = sum over columns of x²;   %r = 1 / sqrt(%s / width + eps)
//     scf.for %c step 32 { tile.store_acts (x * %r * gain), %out[%t, %c / 32] } }
//
//===----------------------------------------------------------------------===//
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

void sinter::buildNorm(OpBuilder &b, Location loc, StringRef name, const NormSpec &spec) {
  MLIRContext *context = b.getContext();
  Type rows = RowsType::getPadded(context, spec.width);
  SmallVector<Type> bindings = {rows};
  if (spec.eps)
    bindings.push_back(rows);
  bindings.push_back(spec.actsOutput ? ActsType::get(context, spec.width, spec.crossedOutput) : rows);
  KernelBuilder k(b, loc, name, bindings, 1);
  Value x = k.binding(0), out = k.binding(bindings.size() - 1), token = k.tile();
  Value end = k.index(paddedWidth(spec.width));
  VectorType line = k.block(1, kTileRows), number = k.block(1, 1);

  Value inverse;
  if (spec.eps) {
    Value squares = k.loop(k.index(0), end, kTileRows, k.splat(line, 0.0), [&](Value column, ValueRange sum) {
      Value v = k.loadRow(x, token, column, 1, kTileRows);
      return SmallVector<Value>{k.fma(v, v, sum[0])};
    })[0];
    Value mean = k.mulf(k.reduce(ReduceKind::Add, squares), k.splat(number, 1.0 / spec.width));
    Value root = k.make<math::SqrtOp>(k.addf(mean, k.splat(number, *spec.eps)));
    inverse = k.broadcast(k.make<arith::DivFOp>(k.splat(number, 1.0), root), line);
  }
  k.loop(k.index(0), end, kTileRows, [&](Value column) {
    Value v = k.loadRow(x, token, column, 1, kTileRows);
    if (spec.eps)
      v = k.mulf(k.mulf(v, inverse), k.loadRow(k.binding(1), k.index(0), column, 1, kTileRows));
    if (spec.actsOutput)
      k.op<StoreActsOp>(v, out, token, k.div(column, kActGroup), Value(), Value(), spec.sums.halves,
                        spec.sums.totals);
    else
      k.storeRow(v, out, token, column);
  });
}
