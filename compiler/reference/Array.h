//===- Array.h - What the evaluator computes with -------------------------===//
#ifndef SINTER_COMPILER_REFERENCE_ARRAY_H
#define SINTER_COMPILER_REFERENCE_ARRAY_H

#include <cassert>
#include <cstdint>
#include <vector>

namespace sinter::reference {

/// rows x cols numbers, row by row. Activations have a row a token; vectors are one row; token ids,
/// targets and scores are a column, one number a token; quantized activations are what their codes
/// and scales mean.
struct Array {
  int64_t rows = 0, cols = 0;
  std::vector<double> data;

  Array() = default;
  Array(int64_t rows, int64_t cols) : rows(rows), cols(cols), data(rows * cols) {}
  Array(int64_t rows, int64_t cols, std::vector<double> values)
      : rows(rows), cols(cols), data(std::move(values)) {
    assert(static_cast<int64_t>(data.size()) == rows * cols);
  }
  /// A column: token ids.
  static Array column(const std::vector<int32_t> &ids) {
    return Array(ids.size(), 1, std::vector<double>(ids.begin(), ids.end()));
  }

  double *row(int64_t i) { return data.data() + i * cols; }
  const double *row(int64_t i) const { return data.data() + i * cols; }
};

/// A weight after dequantization and whatever its recipe does to it: rows (outputs) x cols
/// (inputs).
struct Matrix {
  int64_t rows = 0, cols = 0;
  std::vector<float> data;

  const float *row(int64_t i) const { return data.data() + i * cols; }
};

} // namespace sinter::reference

#endif
