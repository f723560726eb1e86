//===- ArrangedActs.h - int8 activations side by side, in lane form ---------------===//
#ifndef SINTER_PASSES_ARRANGEDACTS_H
#define SINTER_PASSES_ARRANGEDACTS_H

#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "passes/RowAccess.h"

namespace sinter {

/// Lane form of tile.arrange_acts: two loops that copy.
void arrangeActs(mlir::OpBuilder &b, tile::ArrangeActsOp op);

/// Lane form of tile.load_arranged: a group for each token; of tokens that go together by two, one for each pair, with
/// vectors of 16 words and of 4 numbers in it.
llvm::SmallVector<ActGroup> loadArranged(mlir::OpBuilder &b, tile::LoadArrangedOp op);

} // namespace sinter

#endif
