//===- RowKernelTest.cpp - Norms, quantization and embeddings ---------------------===//
#include "ModelOp.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>

using namespace sinter;
using namespace sinter::test;

namespace {

class RowKernel : public KernelTest {
protected:
  /// Numbers are below 2^exponent.
  void checkNorm(int64_t width, bool norm, bool acts, ActForm form = {}, int exponent = 0);
  void checkEmbedding(FormatId format, int64_t width, double scale);
};

void RowKernel::checkNorm(int64_t width, bool norm, bool acts, ActForm form, int exponent) {
  if (HasFatalFailure())
    return;
  SCOPED_TRACE(
      llvm::formatv("width {0}{1}{2}{3}{4}", width, norm ? ", norm" : "", acts ? ", int8" : "",
                    form.crossed ? ", crossed" : "", form.stepped ? ", stepped" : "")
          .str());
  const double eps = 1e-5;
  std::string rows = llvm::formatv("tensor<?x{0}xf32>", width),
              gain = llvm::formatv("tensor<{0}xf32>", width);
  // What is quantized is compared before it is rounded.
  ModelOp model(
      "func.func @op(%x: " + rows + ") -> " + rows + " {\n%g = llm.parameter \"gain\" : " + gain +
      "\n%y = llm.rms_norm %x, %g {eps = 1.0e-5} : " + rows + "\nreturn %y : " + rows + "\n}");
  NormSpec spec{width, norm ? std::optional<double>(eps) : std::nullopt, acts, form};
  mlir::OpBuilder b = model.builder();
  buildNorm(b, model.loc(), "norm", spec);
  KernelCode code(*model.kernels, machine());
  RandomFile file;
  std::vector<float> gains = randomFloats(width, 9);
  file.add("gain", gains);
  model.open(file);
  for (uint32_t tokens : {1, 7, 256}) {
    // A tile is a token: nothing is read past the last one.
    FloatRows x(tokens, tokens, width, 11);
    for (double &v : x.values.data)
      v = std::ldexp(v, exponent);
    for (size_t at = 0; at < x.bytes.size(); at += 4) {
      float v = std::ldexp(floatAt(x.bytes, at), exponent);
      std::memcpy(x.bytes.data() + at, &v, 4);
    }
    Call call;
    call.tokens = call.tiles = tokens;
    call.bindings = {x.bytes};
    if (norm) {
      call.bindings.emplace_back(floatRowBytes(width));
      std::memcpy(call.bindings.back().data(), gains.data(), gains.size() * 4);
    }
    call.bindings.push_back(
        untouched(bufferRows(tokens) * (acts ? actRowBytes(width, form) : floatRowBytes(width))));
    Array expected = norm ? model.evaluate({x.values}) : x.values;
    // The squares are summed in 32 lanes (width / 32 roundings each, 5 to join them), which the
    // root halves; then the mean, eps, the root, the division and two products.
    auto bound = [&](int64_t t, int64_t c) {
      return norm ? std::fabs(expected.row(t)[c]) * (width / 64.0 + 9) * kRounding : 0;
    };
    Bytes found = code.run("norm", call);
    acts ? expectActRows(found, expected, bound, form) : expectFloatRows(found, expected, bound);
  }
}

TEST_P(RowKernel, Norm) {
  checkNorm(172, true, false);
  checkNorm(512, true, false);
}

TEST_P(RowKernel, NormQuantize) {
  checkNorm(480, true, true);
  checkNorm(480, true, true, {/*crossed=*/true});
  checkNorm(480, true, true, {/*crossed=*/false, /*stepped=*/true});
}

TEST_P(RowKernel, Quantize) {
  checkNorm(96, false, true);
  checkNorm(96, false, true, {/*crossed=*/true});
  checkNorm(96, false, true, {/*crossed=*/true, /*stepped=*/true});
  // Not far from where groups count as zeros.
  checkNorm(96, false, true, {}, -98);
  checkNorm(96, false, true, {/*crossed=*/false, /*stepped=*/true}, -98);
}

void RowKernel::checkEmbedding(FormatId format, int64_t width, double scale) {
  if (HasFatalFailure())
    return;
  SCOPED_TRACE(Format::get(format).name.str());
  const int64_t vocabulary = 75;
  std::string weight =
      llvm::formatv("!llm.weight<{0}x{1}, {2}>", vocabulary, width, Format::get(format).name);
  std::string rows = llvm::formatv("tensor<?x{0}xf32>", width);
  ModelOp model(llvm::formatv(
      "func.func @op(%t: tensor<?xi32>) -> {0} {{\n%w = llm.weight \"w\" : {1}\n"
      "%y = llm.embed %t, %w {{scale = {2:f4}} : tensor<?xi32>, {1} -> {0}\nreturn %y : {0}\n}",
      rows, weight, scale));
  mlir::OpBuilder b = model.builder();
  buildEmbed(b, model.loc(), "embed", {{format, vocabulary, width}, scale});
  KernelCode code(*model.kernels, machine());
  Weight table(format, vocabulary, width, 21);
  RandomFile file;
  file.add("w", table);
  model.open(file);
  std::vector<double> sizes = table.magnitudes();
  for (uint32_t tokens : {1, 7, 256}) {
    std::vector<int32_t> ids(bufferRows(tokens), -1);
    for (uint32_t t = 0; t < tokens; ++t)
      ids[t] = t == 0 ? vocabulary - 1 : t * 37 % vocabulary;
    Call call;
    call.tokens = call.tiles = tokens;
    Bytes idBytes(ids.size() * 4);
    std::memcpy(idBytes.data(), ids.data(), idBytes.size());
    call.bindings = {idBytes, table.packed(), untouched(bufferRows(tokens) * floatRowBytes(width))};
    ids.resize(tokens);
    // Scale times level, times code, minus the minimum, times the embedding's scale: the file's own
    // values have been rounded as often.
    expectFloatRows(code.run("embed", call), model.evaluate({Array::column(ids)}),
                    [&](int64_t t, int64_t c) {
                      return 2 * 5 * kRounding * scale * sizes[ids[t] * width + c];
                    });
  }
}

TEST_P(RowKernel, Embedding) {
  for (const Format &format : Format::all())
    checkEmbedding(format.id,
                   format.isFloat()          ? 172
                   : format.superBlock == 32 ? 96
                                             : 512,
                   format.id == FormatId::q4_0 ? 12.0 : 1.0);
}

SINTER_ALL_VARIANTS(RowKernel);

} // namespace
