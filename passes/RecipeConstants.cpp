//===- RecipeConstants.cpp - The constants that weights become ---------------------------===//
#include "passes/RecipeConstants.h"
#include "codegen/Targets.h"
#include "dialects/llm/LLMDialect.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace sinter;

namespace {

/// The recipe as text: equal texts are equal bytes, whichever function they stand in.
std::string recipeText(Value value) {
  Operation *op = value.getDefiningOp();
  std::string text;
  llvm::raw_string_ostream out(text);
  out << op->getName() << op->getAttrDictionary() << value.getType() << '(';
  for (Value operand : op->getOperands())
    out << recipeText(operand) << ',';
  out << ')';
  return out.str();
}

/// "blk.0.attn_q" for what is made of the tensor blk.0.attn_q.weight, "rope" for a table.
std::string constantName(Value value) {
  for (Operation *op = value.getDefiningOp(); op; op = op->getOperand(0).getDefiningOp()) {
    StringRef tensor;
    if (auto weight = dyn_cast<llm::WeightOp>(op))
      tensor = weight.getTensor();
    else if (auto parameter = dyn_cast<llm::ParameterOp>(op))
      tensor = parameter.getTensor();
    if (!tensor.empty()) {
      tensor.consume_back(".weight");
      return tensor.str();
    }
    if (isa<llm::RopeTableOp>(op))
      return "rope";
    if (op->getNumOperands() == 0)
      break;
  }
  return "constant";
}

} // namespace

bool sinter::isRecipe(Operation *op) {
  return isa<llm::WeightOp, llm::ParameterOp, llm::PermuteRowsOp, llm::ScaleColumnsOp, llm::DivOp,
             llm::RopeFrequenciesOp, llm::RopeTableOp, llm::PackOp>(op);
}

std::string RecipeConstants::get(Value value) {
  std::string text = recipeText(value);
  if (auto found = names.find(text); found != names.end())
    return found->second;
  std::string name = constantName(value);
  if (int n = used[name]++)
    name += "." + std::to_string(n);

  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  getBackwardSlice(value, &slice, options);
  slice = topologicalSort(slice);
  OpBuilder::InsertionGuard guard(b);
  auto buffer = b.create<exec::BufferOp>(value.getLoc(), exec::BufferKind::Constant, name, 1);
  b.createBlock(&buffer.getRecipe());
  IRMapping map;
  for (Operation *op : slice)
    b.clone(*op, map);
  Value result = map.lookup(value);
  // A register block of tokens may read rows past the last position.
  if (auto table = result.getDefiningOp<llm::RopeTableOp>()) {
    auto type = table.getResult().getType();
    table.getResult().setType(
        RankedTensorType::get({type.getDimSize(0) + kTokenPadding, type.getDimSize(1)}, type.getElementType()));
  }
  b.create<exec::ConstantYieldOp>(value.getLoc(), result);
  buffer.setBytes(*exec::getConstantBytes(result.getType()));
  return names[text] = name;
}
