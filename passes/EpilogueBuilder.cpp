//===- EpilogueBuilder.cpp - Fill the epilogue of a linear op --------------===//
#include "passes/EpilogueBuilder.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

/// Arguments of the new region in the order of the op's operands, handed out part by part.
namespace {
struct ArgumentSupply {
  ArrayRef<BlockArgument> products, residuals, biases;

  static ArrayRef<BlockArgument> take(ArrayRef<BlockArgument> &from, size_t count) {
    ArrayRef<BlockArgument> taken = from.take_front(count);
    from = from.drop_front(count);
    return taken;
  }
};
} // namespace

/// Copies what `part` computes into the region that `builder` fills; returns what it yields.
static Value inlineEpilogue(OpBuilder &builder, LinearOp part, ArgumentSupply &supply) {
  ArrayRef<BlockArgument> products = supply.take(supply.products, part.getWeights().size());
  ArrayRef<BlockArgument> residuals = supply.take(supply.residuals, part.getResiduals().size());
  ArrayRef<BlockArgument> biases = supply.take(supply.biases, part.getBiases().size());
  if (!part.hasEpilogue())
    return products.front();
  IRMapping mapping;
  mapping.map(ArrayRef<BlockArgument>(part.getProducts()), products);
  mapping.map(ArrayRef<BlockArgument>(part.getResidualArguments()), residuals);
  mapping.map(ArrayRef<BlockArgument>(part.getBiasArguments()), biases);
  Block &block = part.getEpilogue().front();
  for (Operation &op : block.without_terminator())
    builder.clone(op, mapping);
  return mapping.lookup(cast<YieldOp>(block.getTerminator()).getValue());
}

LinearOp sinter::buildEpilogue(OpBuilder &builder, ArrayRef<LinearOp> parts,
                               const EpilogueOperands &added, EpilogueStep step) {
  SmallVector<Value> weights, residuals, biases;
  Value rope = added.rope;
  for (LinearOp part : parts) {
    llvm::append_range(weights, part.getWeights());
    llvm::append_range(residuals, part.getResiduals());
    llvm::append_range(biases, part.getBiases());
    assert(!(rope && part.getRope()) && "an epilogue rotates once");
    if (part.getRope())
      rope = part.getRope();
  }
  llvm::append_range(residuals, added.residuals);
  llvm::append_range(biases, added.biases);

  LinearOp first = parts.front();
  Type result = getRowsType(builder.getContext(), first.getTokens(), first.getRows());
  auto fused = builder.create<LinearOp>(first.getLoc(), result, first.getX(), weights, residuals,
                                        biases, rope);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&fused.createEpilogue());
  ArgumentSupply supply{fused.getProducts(), fused.getResidualArguments(),
                        fused.getBiasArguments()};
  SmallVector<Value> values, scalars;
  for (LinearOp part : parts)
    values.push_back(inlineEpilogue(builder, part, supply));
  llvm::append_range(scalars, supply.residuals);
  llvm::append_range(scalars, supply.biases);
  ImplicitLocOpBuilder body(fused.getLoc(), builder);
  body.create<YieldOp>(step(body, values, scalars));
  return fused;
}

LinearOp sinter::getOnlyUsedLinear(Value value) {
  return value.hasOneUse() ? value.getDefiningOp<LinearOp>() : LinearOp();
}
