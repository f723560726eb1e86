//===- ArrangedActs.h - int8 activations side by side, in lane form ---------------===//
#ifndef SINTER_PASSES_ARRANGEDACTS_H
#define SINTER_PASSES_ARRANGEDACTS_H

#include "dialects/tile/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "passes/RowAccess.h"

namespace sinter {

/// Lane form of tile.arrange_acts: two loops that copy.
void arrangeActs(mlir::OpBuilder &b, tile::ArrangeActsOp op);

/// Lane form of tile.load_arranged: a group for each token, with 4 times each start; of tokens that go together by two, one
/// for each pair, with 16 words of codes and 4 of each number.
llvm::SmallVector<ActGroup> loadArranged(mlir::OpBuilder &b, tile::LoadArrangedOp op);

} // namespace sinter

#endif
