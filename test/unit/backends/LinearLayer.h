//===- LinearLayer.h - A linear layer of one token with its reference ----------===//
//
// Random weights in a GGUF format and random int8 activations, laid out as the kernels read them, and what a plain
// loop makes of them.
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
  int64_t blocks() const { return cols / kActGroup; }

  int64_t rows, cols;
  /// Packed weights, with the margin that a kernel may read past them.
  std::vector<uint8_t> weights;
  /// One row of !tile.acts<cols>, with the margin.
  std::vector<uint8_t> acts;
  /// The product, in double precision on dequantized weights and activations.
  std::vector<double> reference;
  /// Sum of the magnitudes of each product's terms: what rounding is measured against.
  std::vector<double> magnitude;
  /// Sums of code times activation code: [tile][block][32 rows].
  std::vector<int32_t> blockSums;
};

} // namespace sinter::test

#endif
