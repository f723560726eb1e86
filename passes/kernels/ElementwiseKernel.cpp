//===- ElementwiseKernel.cpp - What no epilogue took, one token a tile ------------------===//
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/Kernels.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

void sinter::buildElementwise(OpBuilder &b, Location loc, StringRef name, const ElementwiseSpec &spec) {
  SmallVector<Type> bindings(spec.inputs + 1, RowsType::getPadded(b.getContext(), spec.width));
  KernelBuilder k(b, loc, name, bindings, 1);
  k.loop(k.index(0), k.index(paddedWidth(spec.width)), kTileRows, [&](Value column) {
    SmallVector<Value> inputs;
    for (unsigned i = 0; i < spec.inputs; ++i) {
      bool isBias = spec.bias && i + 1 == spec.inputs;
      inputs.push_back(k.loadRow(k.binding(i), isBias ? k.index(0) : k.tile(), column, 1, kTileRows));
    }
    k.storeRow(spec.compute(k.b, loc, inputs), k.binding(spec.inputs), k.tile(), column);
  });
}
