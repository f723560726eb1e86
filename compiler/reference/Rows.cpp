//===- Rows.cpp - What ops on rows of tokens mean -------------------------===//
#include "compiler/reference/Meaning.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>

using namespace sinter;
using namespace sinter::reference;
using llvm::Expected;

Expected<Array> reference::embed(llm::EmbedOp op, const Array &tokens, const Matrix &weight) {
  Array result(tokens.rows, weight.cols);
  double factor = op.getScale().convertToDouble();
  for (int64_t t = 0; t < tokens.rows; ++t) {
    double token = tokens.data[t];
    if (!(token >= 0 && token < weight.rows))
      return errorAt(op, llvm::formatv("token {0} is not in the vocabulary of {1}",
                                       static_cast<int64_t>(token), weight.rows));
    const float *row = weight.row(static_cast<int64_t>(token));
    for (int64_t c = 0; c < weight.cols; ++c)
      result.row(t)[c] = factor * row[c];
  }
  return result;
}

Array reference::rmsNorm(const Array &x, const Array &gain, double eps) {
  Array result(x.rows, x.cols);
  for (int64_t t = 0; t < x.rows; ++t) {
    double squares = 0;
    for (int64_t c = 0; c < x.cols; ++c)
      squares += x.row(t)[c] * x.row(t)[c];
    double factor = 1 / std::sqrt(squares / x.cols + eps);
    for (int64_t c = 0; c < x.cols; ++c)
      result.row(t)[c] = x.row(t)[c] * factor * gain.data[c];
  }
  return result;
}

Array reference::add(const Array &lhs, const Array &rhs) {
  Array result = lhs;
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] += rhs.data[i];
  return result;
}

Array reference::addBias(const Array &x, const Array &bias) {
  Array result = x;
  for (int64_t t = 0; t < x.rows; ++t)
    for (int64_t c = 0; c < x.cols; ++c)
      result.row(t)[c] += bias.data[c];
  return result;
}

Array reference::scale(const Array &x, double factor) {
  Array result = x;
  for (double &value : result.data)
    value *= factor;
  return result;
}

static double activate(llm::Activation activation, double x) {
  switch (activation) {
  case llm::Activation::silu:
    return x / (1 + std::exp(-x));
  case llm::Activation::gelu:
    return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  case llm::Activation::gelu_tanh:
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case llm::Activation::relu:
    return std::max(x, 0.0);
  }
  llvm_unreachable("no further activations");
}

Array reference::glu(const Array &gate, const Array &up, llm::Activation activation) {
  Array result(gate.rows, gate.cols);
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] = activate(activation, gate.data[i]) * up.data[i];
  return result;
}

Array reference::lastToken(const Array &x) {
  return Array(1, x.cols, std::vector<double>(x.data.end() - x.cols, x.data.end()));
}

/// In eight sums, which a compiler turns into vectors; in double their order does not matter.
static double dot(const double *x, const float *w, int64_t count) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int64_t j = 0; j < 8; ++j)
      sums[j] += x[i + j] * w[i + j];
  for (; i < count; ++i)
    sums[0] += x[i] * w[i];
  double sum = 0;
  for (double s : sums)
    sum += s;
  return sum;
}

Array reference::product(const Array &x, const Matrix &weight) {
  Array result(x.rows, weight.rows);
  for (int64_t r = 0; r < weight.rows; ++r)
    for (int64_t t = 0; t < x.rows; ++t)
      result.row(t)[r] = dot(x.row(t), weight.row(r), x.cols);
  return result;
}

Expected<Array> reference::logLikelihood(mlir::Operation *op, const Array &logits,
                                         const Array &targets) {
  Array result(logits.rows, 1);
  for (int64_t t = 0; t < logits.rows; ++t) {
    double target = targets.data[t];
    if (!(target >= 0 && target < logits.cols))
      return errorAt(op, llvm::formatv("target {0} is not in the vocabulary of {1}",
                                       static_cast<int64_t>(target), logits.cols));
    const double *row = logits.row(t);
    double largest = *std::max_element(row, row + logits.cols), sum = 0;
    for (int64_t v = 0; v < logits.cols; ++v)
      sum += std::exp(row[v] - largest);
    result.data[t] = row[static_cast<int64_t>(target)] - largest - std::log(sum);
  }
  return result;
}
