//===- ActReaders.cpp - What layers want of the int8 rows that they read --------------===//
//
//   %q = llm.quantize_acts %x                        crossed, if a variant crosses dots: Q4_0's are
//   %a = llm.linear %q, [%w0] : .. q4_0 ..     ==>   stepped, if one looks levels up: those of Q5_1 are
//   %b = llm.linear %q, [%w1] : .. q5_1 ..           totals: Q5_1 has minima
//
//===----------------------------------------------------------------------===//
#include "passes/ActReaders.h"
#include "dialects/llm/LLMDialect.h"

using namespace mlir;
using namespace sinter;

static const Format &formatOf(Value weight) { return Format::get(llm::getMatrixShape(weight.getType()).format); }

ActForm sinter::formForReaders(Value rows, ArrayRef<std::pair<const Variant *, ModuleOp>> variants) {
  ActForm form;
  if (!isa<llm::ActsType>(rows.getType()))
    return form;
  for (Operation *user : rows.getUsers())
    if (auto linear = dyn_cast<llm::LinearOp>(user))
      for (Value weight : linear.getWeights())
        for (auto &variant : variants) {
          ActForm wanted = formFor(formatOf(weight), variant.first->schedule);
          form.crossed |= wanted.crossed;
          form.stepped |= wanted.stepped;
        }
  return form;
}

ActSums sinter::sumsForReaders(Value rows) {
  if (!isa<llm::ActsType>(rows.getType()))
    return {};
  ActSums sums{false, false};
  for (Operation *user : rows.getUsers()) {
    SmallVector<Value> weights;
    if (auto linear = dyn_cast<llm::LinearOp>(user))
      weights = linear.getWeights();
    else if (auto score = dyn_cast<llm::LinearScoreOp>(user))
      weights = {score.getWeight()};
    else
      return {};
    for (Value weight : weights) {
      ActSums read = sumsOf(formatOf(weight));
      sums.halves |= read.halves;
      sums.totals |= read.totals;
    }
  }
  return sums;
}
