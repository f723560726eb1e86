//===- Recipes.cpp - What recipes of weights mean -------------------------===//
#include "compiler/gguf/Dequantize.h"
#include "compiler/reference/Meaning.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace sinter;
using namespace sinter::reference;
using llvm::Expected;

static Expected<const gguf::Tensor *> findTensor(mlir::Operation *op, const gguf::GGUFFile &file,
                                                 llvm::StringRef name,
                                                 llvm::ArrayRef<int64_t> shape) {
  const gguf::Tensor *tensor = file.findTensor(name);
  if (!tensor)
    return errorAt(op, "the file has no tensor " + gguf::quote(name));
  if (tensor->shape() != shape || !gguf::isComputable(tensor->type))
    return errorAt(op, "tensor " + gguf::quote(name) +
                           " has another shape, or a type that is not computable");
  return tensor;
}

Expected<Matrix> reference::weight(llm::WeightOp op, const gguf::GGUFFile &file) {
  llm::WeightType type = op.getType();
  auto tensor = findTensor(op, file, op.getTensor(), {type.getCols(), type.getRows()});
  if (!tensor)
    return tensor.takeError();
  if ((*tensor)->type != type.getFormat().source)
    return errorAt(op, "tensor " + gguf::quote(op.getTensor()) + " has another format");
  Matrix result{type.getRows(), type.getCols(),
                std::vector<float>(type.getRows() * type.getCols())};
  for (int64_t r = 0; r < result.rows; ++r)
    gguf::dequantizeRow((*tensor)->type, (*tensor)->row(r), result.cols,
                        result.data.data() + r * result.cols);
  return result;
}

Expected<Array> reference::parameter(llm::ParameterOp op, const gguf::GGUFFile &file) {
  int64_t size = op.getType().getDimSize(0);
  auto tensor = findTensor(op, file, op.getTensor(), {size});
  if (!tensor)
    return tensor.takeError();
  std::vector<float> values(size);
  gguf::dequantizeRow((*tensor)->type, (*tensor)->data, size, values.data());
  return Array(1, size, std::vector<double>(values.begin(), values.end()));
}

/// Where row `row` of the source goes.
static int64_t permuted(llm::PermuteRowsOp op, int64_t row) {
  int64_t headDim = op.getHeadDim(), half = op.getRotaryDim() / 2;
  int64_t head = row / headDim, i = row % headDim;
  if (i < half)
    i = 2 * i;
  else if (i < 2 * half)
    i = 2 * (i - half) + 1;
  return head * headDim + i;
}

Matrix reference::permuteRows(llm::PermuteRowsOp op, const Matrix &source) {
  Matrix result{source.rows, source.cols, std::vector<float>(source.data.size())};
  for (int64_t r = 0; r < source.rows; ++r)
    std::copy_n(source.row(r), source.cols, result.data.data() + permuted(op, r) * source.cols);
  return result;
}

Array reference::permuteElements(llm::PermuteRowsOp op, const Array &source) {
  Array result(1, source.cols);
  for (int64_t i = 0; i < source.cols; ++i)
    result.data[permuted(op, i)] = source.data[i];
  return result;
}

static float roundedTo(FormatId format, double value) {
  if (format == FormatId::f32)
    return static_cast<float>(value);
  llvm::APFloat rounded(value);
  bool inexact;
  rounded.convert(format == FormatId::f16 ? llvm::APFloat::IEEEhalf() : llvm::APFloat::BFloat(),
                  llvm::APFloat::rmNearestTiesToEven, &inexact);
  return rounded.convertToFloat();
}

Matrix reference::scaleColumns(llm::ScaleColumnsOp op, const Matrix &source, const Array &scales) {
  Matrix result = source;
  for (int64_t r = 0; r < source.rows; ++r)
    for (int64_t c = 0; c < source.cols; ++c)
      result.data[r * source.cols + c] =
          roundedTo(op.getType().getFormatId(), source.row(r)[c] * scales.data[c]);
  return result;
}

Array reference::divide(const Array &lhs, const Array &rhs) {
  Array result = lhs;
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] /= rhs.data[i];
  return result;
}

Array reference::ropeFrequencies(llm::RopeFrequenciesOp op) {
  Array result(1, op.getCount());
  for (int64_t i = 0; i < result.cols; ++i)
    result.data[i] =
        op.getScale().convertToDouble() *
        std::pow(op.getBase().convertToDouble(), -static_cast<double>(2 * i) / (2 * result.cols));
  return result;
}

Array reference::ropeTable(llm::RopeTableOp op, const Array &frequencies) {
  Array result(op.getPositions(), 2 * op.getCount());
  for (int64_t p = 0; p < result.rows; ++p)
    for (int64_t i = 0; i < frequencies.cols; ++i) {
      result.row(p)[2 * i] = static_cast<float>(std::cos(p * frequencies.data[i]));
      result.row(p)[2 * i + 1] = static_cast<float>(std::sin(p * frequencies.data[i]));
    }
  return result;
}
