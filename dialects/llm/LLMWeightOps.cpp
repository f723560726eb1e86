//===- LLMWeightOps.cpp - What recipes refuse and fold --------------------===//
#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

LogicalResult WeightOp::verify() {
  return getTensor().empty() ? emitOpError("needs the name of a tensor") : success();
}

LogicalResult ParameterOp::verify() {
  return getTensor().empty() ? emitOpError("needs the name of a tensor") : success();
}

LogicalResult PermuteRowsOp::verify() {
  int64_t headDim = getHeadDim(), rotary = getRotaryDim();
  if (rotary % 2 || rotary > headDim)
    return emitOpError("needs an even rotary_dim of at most head_dim (")
           << headDim << "), not " << rotary;
  int64_t rows = isa<WeightType>(getType()) ? cast<WeightType>(getType()).getRows()
                                            : cast<RankedTensorType>(getType()).getDimSize(0);
  if (rows % headDim)
    return emitOpError("has ") << rows << " rows, no multiple of head_dim (" << headDim << ")";
  return success();
}

OpFoldResult PermuteRowsOp::fold(FoldAdaptor) {
  // One pair a head: its halves are neighbours already.
  return getRotaryDim() == 2 ? getSource() : OpFoldResult();
}

LogicalResult ScaleColumnsOp::verify() {
  WeightType type = getSource().getType();
  if (!type.getFormat().isFloat())
    return emitOpError("cannot scale columns of ")
           << type.getFormat().name << ": an integer format's scales are shared by columns";
  if (getScales().getType().getDimSize(0) != type.getCols())
    return emitOpError("needs ") << type.getCols() << " factors, one a column, not "
                                 << getScales().getType().getDimSize(0);
  return success();
}

LogicalResult RopeFrequenciesOp::verify() {
  auto bad = [](const APFloat &value) {
    return !value.isFinite() || value.isZero() || value.isNegative();
  };
  if (bad(getBase()))
    return emitOpError("needs a positive, finite base");
  if (bad(getScale()))
    return emitOpError("needs a positive, finite scale");
  return success();
}

LogicalResult RopeTableOp::verify() {
  if (getType().getDimSize(1) != 2 * getCount())
    return emitOpError("of ") << getCount() << " frequencies is " << 2 * getCount()
                              << " numbers wide, not " << getType().getDimSize(1);
  return success();
}

LogicalResult PackOp::verify() {
  WeightType from = getSource().getType();
  PackedType to = getType();
  if (from.getRows() != to.getRows() || from.getCols() != to.getCols() ||
      from.getFormatId() != to.getFormatId())
    return emitOpError("changes the layout only: ") << to << " is not the packed form of " << from;
  return success();
}
