//===- Attention.cpp - What RoPE, caches and attention mean ---------------===//
#include "compiler/reference/Meaning.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>

using namespace sinter;
using namespace sinter::reference;
using llvm::Error;
using llvm::Expected;

Error reference::anglesAt(mlir::Operation *op, const Array &angles, bool isTable, int64_t position,
                          std::vector<double> &cosines, std::vector<double> &sines) {
  cosines.clear();
  sines.clear();
  if (!isTable) {
    for (double frequency : angles.data) {
      cosines.push_back(std::cos(position * frequency));
      sines.push_back(std::sin(position * frequency));
    }
    return Error::success();
  }
  if (position >= angles.rows)
    return errorAt(
        op, llvm::formatv("position {0} is past the rope table's {1}", position, angles.rows));
  for (int64_t i = 0; i < angles.cols; i += 2) {
    cosines.push_back(angles.row(position)[i]);
    sines.push_back(angles.row(position)[i + 1]);
  }
  return Error::success();
}

Expected<Array> reference::rope(llm::RopeOp op, const Array &x, const Array &angles,
                                int64_t position) {
  bool isTable = llvm::cast<mlir::RankedTensorType>(op.getAngles().getType()).getRank() == 2;
  bool halves = op.getOrder() == llm::RopeOrder::halves;
  int64_t headDim = op.getHeadDim(), pairs = op.getRotaryDim() / 2;
  Array result = x;
  std::vector<double> cosines, sines;
  for (int64_t t = 0; t < x.rows; ++t) {
    if (Error error = anglesAt(op, angles, isTable, position + t, cosines, sines))
      return error;
    for (int64_t head = 0; head < x.cols; head += headDim)
      for (int64_t i = 0; i < pairs; ++i) {
        int64_t first = head + (halves ? i : 2 * i),
                second = head + (halves ? i + pairs : 2 * i + 1);
        double a = x.row(t)[first], b = x.row(t)[second];
        result.row(t)[first] = a * cosines[i] - b * sines[i];
        result.row(t)[second] = a * sines[i] + b * cosines[i];
      }
  }
  return result;
}

Error reference::append(mlir::Operation *op, Array &part, const Array &x, int64_t position) {
  if (position > part.rows)
    return errorAt(op, llvm::formatv("appends at position {0}, but the cache holds {1} tokens",
                                     position, part.rows));
  part.cols = x.cols;
  part.rows = position + x.rows;
  part.data.resize(position * x.cols);
  part.data.insert(part.data.end(), x.data.begin(), x.data.end());
  return Error::success();
}

Array reference::attention(llm::AttentionOp op, const Array &q, const Cache &cache,
                           int64_t position) {
  int64_t heads = op.getHeads(), headDim = op.getHeadDim(), shared = heads / op.getKvHeads();
  double factor = op.getScale().convertToDouble();
  Array result(q.rows, heads * headDim);
  std::vector<double> weights;
  for (int64_t t = 0; t < q.rows; ++t)
    for (int64_t head = 0; head < heads; ++head) {
      const double *query = q.row(t) + head * headDim;
      int64_t offset = head / shared * headDim, visible = position + t + 1;
      weights.assign(visible, 0);
      for (int64_t p = 0; p < visible; ++p)
        for (int64_t i = 0; i < headDim; ++i)
          weights[p] += factor * query[i] * cache.keys.row(p)[offset + i];
      double largest = *std::max_element(weights.begin(), weights.end()), sum = 0;
      for (double &w : weights)
        sum += w = std::exp(w - largest);
      for (int64_t p = 0; p < visible; ++p)
        for (int64_t i = 0; i < headDim; ++i)
          result.row(t)[head * headDim + i] += weights[p] / sum * cache.values.row(p)[offset + i];
    }
  return result;
}
