//===- ScoreKernelTest.cpp - Log-likelihoods without a logits matrix --------------===//
//
// A logit is off by d as any product is (LinearKernelTest.cpp); log p = logit - log sum exp(logits)
// by 2 d, and by the rounding of the sum: a term's exponential (8 units), the rescaling by each
// tile of the vocabulary (9 units), 32 + tiles additions, the logarithm and what is subtracted.
//
//===----------------------------------------------------------------------===//
#include "ModelOp.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>

using namespace sinter;
using namespace sinter::test;

namespace {

class ScoreKernel : public KernelTest {
protected:
  void check(FormatId format, int64_t vocabulary, int64_t width);
};

void ScoreKernel::check(FormatId id, int64_t vocabulary, int64_t width) {
  if (HasFatalFailure())
    return;
  const Format &format = Format::get(id);
  bool acts = !format.isFloat();
  SCOPED_TRACE(llvm::formatv("{0}, {1} x {2}", format.name, vocabulary, width).str());
  std::string x = llvm::formatv(acts ? "!llm.acts<?x{0}, i8 per 32>" : "tensor<?x{0}xf32>", width);
  ModelOp model(llvm::formatv(
      "func.func @op(%x: {0}, %t: tensor<?xi32>) -> tensor<?xf32> {{\n"
      "%w = llm.weight \"w\" : !llm.weight<{1}x{2}, {3}>\n"
      "%s = llm.linear_score %x, %w, %t : {0}, !llm.weight<{1}x{2}, {3}>, tensor<?xi32> "
      "-> tensor<?xf32>\nreturn %s : tensor<?xf32>\n}",
      x, vocabulary, width, format.name));
  const int64_t maxTokens = 256;
  ScoreSpec spec{{id, vocabulary, width}, acts, maxTokens};
  mlir::OpBuilder b = model.builder();
  buildScore(b, model.loc(), "score", spec, schedule());
  buildScoreJoin(b, model.loc(), "join", spec);
  KernelCode code(*model.kernels, machine());
  Weight weight(id, vocabulary, width, 41);
  RandomFile file;
  file.add("w", weight);
  model.open(file);
  std::vector<double> sizes = weight.magnitudes();
  int64_t group =
      acts ? format.scaleGroup ? std::min<int64_t>(format.scaleGroup, kActGroup) : kActGroup : 1;
  int64_t tiles = (vocabulary + kTileRows - 1) / kTileRows;
  for (uint32_t tokens : {1, 7, 256}) {
    SCOPED_TRACE(tokens);
    std::vector<int32_t> targets(bufferRows(maxTokens));
    for (uint32_t t = 0; t < tokens; ++t)
      targets[t] = t == 0 ? vocabulary - 1 : t * 61 % vocabulary;
    Bytes targetBytes(targets.size() * 4), xBytes;
    std::memcpy(targetBytes.data(), targets.data(), targetBytes.size());
    Array values;
    if (acts) {
      ActRows rows(tokens, bufferRows(maxTokens), width, 43);
      values = rows.values;
      xBytes = rows.bytes;
    } else {
      FloatRows rows(tokens, bufferRows(maxTokens), width, 43);
      values = rows.values;
      xBytes = rows.bytes;
    }
    Call score;
    score.tokens = tokens;
    score.tiles = static_cast<uint32_t>(spec.tiles());
    score.bindings = {weight.packed(), xBytes, targetBytes, untouched(spec.partialBytes())};
    Call join;
    join.tokens = join.tiles = tokens;
    join.bindings = {code.run("score", score), targetBytes, untouched(bufferRows(maxTokens) * 4)};
    Bytes found = code.run("join", join);
    targets.resize(tokens);
    Array expected = model.evaluate({values, Array::column(targets)});
    for (uint32_t t = 0; t < tokens; ++t) {
      double logit = 0;
      for (int64_t v = 0; v < vocabulary; ++v) {
        double sum = 0;
        for (int64_t k = 0; k < width; ++k)
          sum += sizes[v * width + k] * std::fabs(values.row(t)[k]);
        logit = std::max(logit, sum);
      }
      // `logit` bounds the logits themselves, too.
      double bound = 2 * (width / group + 5) * kRounding * logit +
                     (8 + 9 * 2 * tiles + 32 + tiles) * kRounding +
                     4 * kRounding * (logit + std::log(double(vocabulary)));
      ASSERT_LE(std::fabs(floatAt(found, 4 * t) - expected.data[t]), bound)
          << "token " << t << ": " << floatAt(found, 4 * t) << " instead of " << expected.data[t];
    }
    EXPECT_TRUE(isUntouched(llvm::ArrayRef(found).drop_front(4 * tokens)));
  }
}

// 300 words: a tile of the kernel and a part, the last row tile of which is not whole.
TEST_P(ScoreKernel, Int8) {
  check(FormatId::q8_0, 300, 64);
  check(FormatId::q6_k, 75, 256);
}
TEST_P(ScoreKernel, Float) { check(FormatId::f16, 300, 172); }

SINTER_ALL_VARIANTS(ScoreKernel);

} // namespace
