//===- Quantize.cpp - What rounding activations to 8 bits means -----------===//
//
// In float, as kernels do it: scale = max|x| / 127, code = x / scale to the nearest integer, half
// to even.
//
//===----------------------------------------------------------------------===//
#include "compiler/reference/Meaning.h"
#include <algorithm>
#include <cmath>

using namespace sinter;
using namespace sinter::reference;

Array reference::quantized(const Array &x, int64_t size) {
  Array result(x.rows, x.cols);
  for (int64_t t = 0; t < x.rows; ++t)
    for (int64_t group = 0; group < x.cols; group += size) {
      const double *values = x.row(t) + group;
      float largest = 0;
      for (int64_t i = 0; i < size; ++i)
        largest = std::max(largest, std::fabs(static_cast<float>(values[i])));
      float scale = largest / 127;
      for (int64_t i = 0; i < size; ++i) {
        double code = scale > 0 ? std::nearbyint(static_cast<float>(values[i]) / scale) : 0;
        result.row(t)[group + i] = std::clamp(code, -127.0, 127.0) * scale;
      }
    }
  return result;
}
