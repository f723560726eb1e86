//===- WordOrder.h - The order of ops around dots of arranged tokens ---------------===//
#ifndef SINTER_PASSES_WORDORDER_H
#define SINTER_PASSES_WORDORDER_H

#include "mlir/IR/Block.h"

namespace sinter {

/// Orders ops of one block in lane form, from a load of arranged tokens whose codes lie word by word up to the next one.
void orderByWord(llvm::iterator_range<mlir::Block::iterator> ops);

} // namespace sinter

#endif
