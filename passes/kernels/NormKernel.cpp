//===- NormKernel.cpp - RMS norm and activation quantization, one token a tile ----------===//
//
//   tile.kernel @norm(%x, %gain, %out) grid(%t, ..) tokens 1 {
//     %s = sum over columns of x²;   %r = 1 / sqrt(%s / width + eps)
//     scf.for %c step 32 { %largest[%c / 32] = max |x * %r * gain| }
//     scf.for %c step 32 { tile.store_acts (x * %r * gain), %out[%t, %c / 32] largest %largest[%c / 32] } }
//
// In two loops, because a group's maximum and what follows from it are one chain, longer than a core looks ahead (Zen 4, 896 columns
// of one token: 0.40 us in one loop, 0.35 in two).
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
  bindings.push_back(spec.actsOutput ? Type(spec.outputForm.type(context, spec.width)) : rows);
  int64_t groups = paddedWidth(spec.width) / kActGroup;
  KernelBuilder k(b, loc, name, bindings, 1, spec.actsOutput ? 4 * groups : 0);
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
  auto values = [&](Value column) {
    Value v = k.loadRow(x, token, column, 1, kTileRows);
    return spec.eps ? k.mulf(k.mulf(v, inverse), k.loadRow(k.binding(1), k.index(0), column, 1, kTileRows)) : v;
  };
  if (!spec.actsOutput) {
    k.loop(k.index(0), end, kTileRows, [&](Value column) { k.storeRow(values(column), out, token, column); });
    return;
  }
  Value largest = k.scratchRows(0, groups);
  k.loop(k.index(0), end, kTileRows, [&](Value column) {
    Value most = k.reduce(ReduceKind::Max, k.make<math::AbsFOp>(values(column)));
    k.storeRow(most, largest, k.index(0), k.div(column, kActGroup));
  });
  k.loop(k.index(0), end, kTileRows, [&](Value column) {
    Value group = k.div(column, kActGroup);
    k.op<StoreActsOp>(values(column), out, token, group, Value(), k.loadRow(largest, k.index(0), group, 1, 1), spec.sums.halves,
                      spec.sums.totals);
  });
}
