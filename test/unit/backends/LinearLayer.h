//===- LinearLayer.h - A linear layer of one token with its reference ----------===//
//
// Random weights in a GGUF format and random activations, laid out as the kernels read them, and
// what plain loops make of them.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_BACKENDS_LINEARLAYER_H
#define SINTER_TEST_UNIT_BACKENDS_LINEARLAYER_H

#include "compiler/weights/Format.h"
#include <cstdint>
#include <vector>

namespace sinter::test {

struct LinearLayer {
  LinearLayer(FormatId format, int64_t rows, int64_t cols, unsigned seed);

  int64_t tiles() const { return (rows + kTileRows - 1) / kTileRows; }
  /// Groups of columns whose codes are summed before a scale is applied; 0 for float formats.
  int64_t groups() const { return groupSize ? cols / groupSize : 0; }

  int64_t rows, cols, groupSize;
  /// Packed weights, with the margin that a kernel may read past them.
  std::vector<uint8_t> weights;
  /// One row of !tile.acts<cols> (!tile.rows<cols> for float formats), with the margin.
  std::vector<uint8_t> acts;
  /// The product, in double precision on dequantized weights and activations.
  std::vector<double> reference;
  /// Sum of the magnitudes of each product's terms: what rounding is measured against.
  std::vector<double> magnitude;
  /// Sums of (code - offset) times activation code: [tile][group][32 rows].
  std::vector<int32_t> groupSums;

private:
  void pack(const Format &format);
  void makeActivations(const Format &format, unsigned seed);
  void multiply(const Format &format);

  std::vector<uint8_t> source;
  std::vector<double> x;
  std::vector<int8_t> xCodes;
};

} // namespace sinter::test

#endif
