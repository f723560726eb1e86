//===- LinearKernelTest.cpp - Linear layers against the reference evaluator -------===//
//
// Every weight format, every kind of epilogue and every kind of output, for one token and for
// chunks. With int8 activations the products are integers until a group's scales are applied, so
// what is allowed is the rounding of float arithmetic on the groups' terms:
//
//   y = sum over n groups of (weight scale * activation scale * integer) [- minimum * sum]
//
// Each term takes at most 4 roundings (integer scale times d, times the activation's scale, the
// product, the sum of both parts), and each of the n additions one more: |error| <= (n + 4) * 2^-24
// * sum |w x|, for the first order. Float formats have a term an element. Second orders are far
// below the one rounding that is added for them.
//
// Of a chunk whose weights are staged (passes/kernels/StagedTile.h) scales are levels of 16 bits and a group's integer i is
// shifted into 16 bits. With w and a for the largest scales of the row and the token, their product of levels is off by half a
// level of it (rounding), half of the activation's level and an eighth of the weight's (which has 2 bits more), and i by half a bit
// where it is shifted by s: |error| <= n * w * a * (1.125 |i| / 8191 + 2^s / 2), |i| the largest that the format allows.
//
//===----------------------------------------------------------------------===//
#include "ModelOp.h"
#include "compiler/gguf/Dequantize.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>
#include <numeric>

using namespace sinter;
using namespace sinter::test;

namespace {

enum class Epilogue { None, Residual, Bias, Glu, Rotate };

struct Layer {
  std::vector<FormatId> formats;
  int64_t rows, cols;
  Epilogue epilogue = Epilogue::None;
  OutputKind output = OutputKind::Rows;
  /// Of keys and values, and of the rotation.
  int64_t headDim = 0, rotaryDim = 0;
  CacheElement cache = CacheElement::f32;
  Codes codes = Codes::Random;
  int64_t tileTokens = 0;

  bool acts() const { return !Format::get(formats.front()).isFloat(); }
  int64_t heads() const { return rows / headDim; }
  std::string text() const;
  std::string name() const;
};

constexpr int64_t kPositions = 320;
constexpr double kRopeBase = 10000;

const char *const kEpilogues[] = {"", "residual", "bias", "glu", "rotate"};
const char *const kOutputs[] = {"rows", "acts", "keys", "values"};

std::string Layer::name() const {
  std::string name;
  for (FormatId format : formats)
    name += Format::get(format).name.str() + "_";
  name += llvm::formatv("{0}x{1}_{2}_{3}", rows, cols, kEpilogues[int(epilogue)],
                        kOutputs[int(output)]);
  if (headDim)
    name += llvm::formatv("_{0}_{1}", headDim, elementName(cache));
  if (tileTokens)
    name += llvm::formatv("_by_{0}", tileTokens);
  return name;
}

std::string Layer::text() const {
  std::string weights, list, types, arguments, extra, epilogueText;
  std::string x = llvm::formatv(acts() ? "!llm.acts<?x{0}, i8 per 32>" : "tensor<?x{0}xf32>", cols);
  std::string y = llvm::formatv("tensor<?x{0}xf32>", rows);
  for (size_t i = 0; i < formats.size(); ++i) {
    std::string shape = llvm::formatv("<{0}x{1}, {2}>", rows, cols, Format::get(formats[i]).name);
    weights += llvm::formatv("%u{0} = llm.weight \"w{0}\" : !llm.weight{1}\n"
                             "%w{0} = llm.pack %u{0} : !llm.weight{1} -> !llm.packed{1}\n",
                             i, shape);
    list += (i ? ", %w" : "%w") + std::to_string(i);
    types += ", !llm.packed" + shape;
  }
  switch (epilogue) {
  case Epilogue::None:
    break;
  case Epilogue::Residual:
    arguments = ", %r: " + y;
    extra = "residual(%r) epilogue(%p, %q) { %s = arith.addf %p, %q : f32 llm.yield %s : f32 }";
    break;
  case Epilogue::Bias:
    weights += llvm::formatv("%b = llm.parameter \"bias\" : tensor<{0}xf32>\n", rows);
    extra = "bias(%b) epilogue(%p, %q) { %s = arith.addf %p, %q : f32 llm.yield %s : f32 }";
    break;
  case Epilogue::Glu:
    extra = "epilogue(%g, %u) { %n = arith.negf %g : f32 %e = math.exp %n : f32\n"
            "%one = arith.constant 1.0 : f32 %d = arith.addf %e, %one : f32\n"
            "%s = arith.divf %g, %d : f32 %m = arith.mulf %s, %u : f32 llm.yield %m : f32 }";
    break;
  case Epilogue::Rotate:
    weights +=
        llvm::formatv("%f = llm.rope_frequencies {{base = {0:f1}, scale = 1.0} : tensor<{1}xf32>\n"
                      "%t = llm.rope_table %f : tensor<{1}xf32> -> tensor<{2}x{3}xf32>\n",
                      kRopeBase, rotaryDim / 2, kPositions, rotaryDim);
    extra = llvm::formatv(
        "rope(%t : tensor<{0}x{1}xf32>) epilogue(%p) {{ %s = llm.rotate %p {{head_dim = {2}, "
        "rotary_dim = {1}} : f32 llm.yield %s : f32 }",
        kPositions, rotaryDim, headDim);
    break;
  }
  return "func.func @op(%x: " + x + arguments + ") -> " + y + " {\n" + weights +
         "%y = llm.linear %x, [" + list + "] " + extra + " : " + x + types + " -> " + y +
         "\nreturn %y : " + y + "\n}";
}

class LinearKernel : public KernelTest {
protected:
  void check(const Layer &layer);

private:
  /// Of int8 rows, as OutlineKernels.cpp has it: of one token they are as everywhere.
  ActForm formFor(const Layer &layer, TokenClass tokens) {
    ActForm form;
    for (FormatId format : layer.formats) {
      ActForm wanted = sinter::formFor(Format::get(format), schedule());
      form.crossed |= tokens == TokenClass::Chunk && wanted.crossed;
      form.stepped |= tokens == TokenClass::Chunk && wanted.stepped;
    }
    return form;
  }
  void build(const Layer &layer, ModelOp &model, TokenClass tokens);
  void checkStep(const Layer &layer, ModelOp &model, const KernelCode &code,
                 llvm::ArrayRef<Weight> weights, const Step &step);
  void expectCache(const Layer &layer, const Bytes &found, const Array &expected, int64_t position,
                   llvm::function_ref<double(int64_t, int64_t)> bound);

  CacheShape cache;
  std::vector<float> bias;
};

void LinearKernel::build(const Layer &layer, ModelOp &model, TokenClass tokens) {
  auto op = model.find<llm::LinearOp>();
  LinearSpec spec;
  for (FormatId format : layer.formats)
    spec.weights.push_back({format, layer.rows, layer.cols});
  spec.actsInput = layer.acts();
  spec.inputForm = spec.outputForm = formFor(layer, tokens);
  spec.residuals = op.getResiduals().size();
  spec.biases = op.getBiases().size();
  spec.ropeWidth = layer.epilogue == Epilogue::Rotate ? layer.rotaryDim : 0;
  spec.epilogue = op.hasEpilogue() ? &op.getEpilogue() : nullptr;
  spec.output = layer.output;
  spec.cache = cache;
  spec.tokens = tokens;
  spec.maxTokens = bufferRows(256);
  if (tokens == TokenClass::Chunk)
    spec.tileTokens = layer.tileTokens;
  mlir::OpBuilder b = model.builder();
  buildLinear(b, model.loc(), className(tokens), spec, schedule());
}

void LinearKernel::check(const Layer &layer) {
  if (HasFatalFailure())
    return;
  SCOPED_TRACE(layer.name());
  ModelOp model(layer.text());
  if (layer.headDim)
    cache = {layer.heads(), layer.headDim, kPositions, elementType(layer.cache, model.context), /*span=*/2};
  build(layer, model, TokenClass::One);
  build(layer, model, TokenClass::Chunk);
  KernelCode code(*model.kernels, machine());

  RandomFile file;
  std::vector<Weight> weights;
  for (auto [i, format] : llvm::enumerate(layer.formats)) {
    weights.emplace_back(format, layer.rows, layer.cols, 17 + i, layer.codes);
    file.add("w" + std::to_string(i), weights.back());
  }
  bias = randomFloats(layer.rows, 3);
  file.add("bias", bias);
  model.open(file);
  for (const Step &step : steps()) {
    SCOPED_TRACE(llvm::formatv("{0} tokens from {1}, {2}", step.tokens, step.position,
                               className(step.tokenClass))
                     .str());
    checkStep(layer, model, code, weights, step);
    if (HasFatalFailure())
      return;
  }
}

/// (cos, sin) pairs, as the compiler writes them: computed in double, rounded to float.
Bytes ropeTable(int64_t rotaryDim) {
  Bytes bytes;
  for (int64_t p = 0; p < kPositions + kTokenPadding; ++p)
    for (int64_t i = 0; i < rotaryDim; ++i) {
      double angle = p * std::pow(kRopeBase, -2.0 * (i / 2) / rotaryDim);
      float value = static_cast<float>(i % 2 ? std::sin(angle) : std::cos(angle));
      bytes.insert(bytes.end(), reinterpret_cast<uint8_t *>(&value),
                   reinterpret_cast<uint8_t *>(&value + 1));
    }
  return bytes;
}

/// sum |w x|, the measure of rounding, for each token and row.
Array termSizes(const Weight &weight, const Array &x) {
  std::vector<double> sizes = weight.magnitudes();
  Array result(x.rows, weight.rows);
  for (int64_t t = 0; t < x.rows; ++t)
    for (int64_t r = 0; r < weight.rows; ++r) {
      double sum = 0;
      for (int64_t k = 0; k < weight.cols; ++k)
        sum += sizes[r * weight.cols + k] * std::fabs(x.row(t)[k]);
      result.row(t)[r] = sum;
    }
  return result;
}

Array product(const Weight &weight, const Array &x) {
  std::vector<float> values = weight.values();
  Array result(x.rows, weight.rows);
  for (int64_t t = 0; t < x.rows; ++t)
    for (int64_t r = 0; r < weight.rows; ++r)
      for (int64_t k = 0; k < weight.cols; ++k)
        result.row(t)[r] += double(values[r * weight.cols + k]) * x.row(t)[k];
  return result;
}

void LinearKernel::checkStep(const Layer &layer, ModelOp &model, const KernelCode &code,
                             llvm::ArrayRef<Weight> weights, const Step &step) {
  int64_t tokens = step.tokens, buffer = step.rows();
  ActForm form = formFor(layer, step.tokenClass);
  Call call;
  call.tokens = step.tokens;
  call.position = step.position;
  call.tiles = static_cast<uint32_t>((layer.rows + kTileRows - 1) / kTileRows);
  if (step.tokenClass == TokenClass::Chunk && layer.tileTokens)
    call.tiles *= (tokens + layer.tileTokens - 1) / layer.tileTokens;
  for (const Weight &weight : weights)
    call.bindings.push_back(weight.packed());
  Array x;
  std::vector<double> actScales;
  if (layer.acts()) {
    ActRows rows(tokens, buffer, layer.cols, 5, layer.codes, form);
    x = rows.values;
    call.bindings.push_back(rows.bytes);
    for (int64_t t = 0; t < tokens; ++t) {
      actScales.push_back(0);
      for (int64_t g = 0; g < layer.cols / kActGroup; ++g)
        actScales[t] = std::max<double>(
            actScales[t], floatAt(rows.bytes, t * actRowBytes(layer.cols, form) + layer.cols + 4 * g));
    }
  } else {
    FloatRows rows(tokens, buffer, layer.cols, 5);
    x = rows.values;
    call.bindings.push_back(rows.bytes);
  }
  std::vector<Array> arguments = {x};
  FloatRows residual(tokens, buffer, layer.rows, 7);
  int64_t rowBytes = floatRowBytes(layer.rows);
  if (layer.epilogue == Epilogue::Residual) {
    arguments.push_back(residual.values);
    call.bindings.push_back(residual.bytes);
  } else if (layer.epilogue == Epilogue::Bias) {
    Bytes padded(rowBytes);
    std::memcpy(padded.data(), bias.data(), bias.size() * 4);
    call.bindings.push_back(padded);
  } else if (layer.epilogue == Epilogue::Rotate) {
    call.bindings.push_back(ropeTable(layer.rotaryDim));
  }
  int64_t outBytes = layer.output == OutputKind::Rows   ? buffer * rowBytes
                     : layer.output == OutputKind::Acts ? buffer * actRowBytes(layer.rows, form)
                                                        : cache.bytes(layer.output == OutputKind::Keys);
  call.bindings.push_back(untouched(outBytes));

  Array expected = model.evaluate(arguments, step.position);
  std::vector<Array> sizes, products;
  for (const Weight &weight : weights) {
    sizes.push_back(termSizes(weight, x));
    products.push_back(product(weight, x));
  }
  const Format &format = weights.front().format;
  int64_t group = format.isFloat()    ? 1
                  : format.scaleGroup ? std::min<int64_t>(format.scaleGroup, kActGroup)
                                      : kActGroup;
  double unit = (layer.cols / group + 5) * kRounding;
  bool staged = layer.acts() && schedule().staged.tokens && step.tokenClass == TokenClass::Chunk &&
                tokens >= kStagedTokens;
  // What a product with one of the weights may be off by.
  auto off = [&](size_t i, int64_t t, int64_t r) {
    double rounding = layer.codes == Codes::Extreme ? 0 : unit * sizes[i].row(t)[r];
    if (!staged)
      return rounding;
    const Format &format = weights[i].format;
    double highest = (1 << format.codeBits()) - 1 - format.codeOffset;
    double code = format.signedCodes ? 128 : std::max<double>(format.codeOffset, highest);
    int64_t columns = format.scaleGroup ? std::min<int64_t>(format.scaleGroup, kActGroup) : kActGroup;
    double dot = code * 127 * columns, bits = std::max(0.0, std::ceil(std::log2(dot / 32767)));
    double half = bits > 0 ? std::exp2(bits) / 2 : 0;
    // A group below the largest is shifted by more, and the largest scale is 4 to 7 units.
    if (sinter::formFor(format, schedule()).stepped)
      half = 1.75 * std::max(0.5, half);
    return rounding + layer.cols / columns * weights[i].largestScale(r) * actScales[t] *
                          (1.125 * dot / 8191 + half);
  };
  auto bound = [&](int64_t t, int64_t r) -> double {
    if (layer.codes == Codes::Extreme && !staged)
      return 0;
    double off0 = off(0, t, r), y = std::fabs(expected.row(t)[r]);
    switch (layer.epilogue) {
    case Epilogue::None:
      return off0;
    case Epilogue::Residual:
    case Epilogue::Bias:
      return off0 + y * kRounding;
    case Epilogue::Glu: {
      // silu' is at most 1.1, |silu(g)| at most |g|; exp is good to 5 units and half of one for each
      // of |g| (ApproximateMath.cpp), the sum, the division and the product are rounded.
      double g = products[0].row(t)[r], u = products[1].row(t)[r], offU = off(1, t, r);
      return 1.1 * off0 * std::fabs(u) + std::fabs(g) * offU + off0 * offU +
             (8 + std::fabs(g) / 2) * kRounding * std::fabs(g * u);
    }
    case Epilogue::Rotate: {
      // |cos| and |sin| are at most 1; the table's numbers and three operations are rounded.
      double other = off(0, t, r ^ 1);
      double length = std::fabs(products[0].row(t)[r]) + std::fabs(products[0].row(t)[r ^ 1]);
      return off0 + other + 4 * kRounding * length;
    }
    }
    return 0;
  };
  Bytes found = code.run(className(step.tokenClass), call);
  if (layer.output == OutputKind::Rows)
    expectFloatRows(found, expected, bound);
  else if (layer.output == OutputKind::Acts)
    expectActRows(found, expected, bound, form);
  else
    expectCache(layer, found, expected, step.position, bound);
  if (layer.epilogue == Epilogue::Residual && !HasFatalFailure()) {
    // The planner lets the sum take the residual's place.
    call.inPlace = call.bindings.size() - 2;
    Bytes over = code.run(className(step.tokenClass), call);
    EXPECT_EQ(llvm::ArrayRef(over).take_front(tokens * rowBytes),
              llvm::ArrayRef(found).take_front(tokens * rowBytes))
        << "in place";
  }
}

void LinearKernel::expectCache(const Layer &layer, const Bytes &found, const Array &expected,
                               int64_t position,
                               llvm::function_ref<double(int64_t, int64_t)> bound) {
  int64_t bytes = cache.elementBytes(), dim = layer.headDim;
  std::vector<bool> written(found.size());
  bool keys = layer.output == OutputKind::Keys;
  CachePlaces places{cache.heads, dim, kPositions, layer.cache == CacheElement::i8, keys};
  int64_t group = places.group();
  for (int64_t t = 0; t < expected.rows; ++t)
    for (int64_t r = 0; r < layer.rows; ++r) {
      int64_t head = r / dim, element = r % dim, p = position + t;
      int64_t line = places.element(head, p, element);
      if (layer.cache == CacheElement::i8) {
        int64_t scaleAt = places.scale(head, p, element / group);
        double scale = floatAt(found, scaleAt), largest = 0, off = 0;
        for (int64_t i = r / group * group; i < (r / group + 1) * group; ++i) {
          largest = std::max(largest, std::fabs(expected.row(t)[i]));
          off = std::max(off, bound(t, i));
        }
        // As in expectActRows: a code is a nearest integer, so half a step, and the few roundings
        // of a quotient up to 127.
        int code = static_cast<int8_t>(found[line]);
        ASSERT_NEAR(scale, largest / 127, off / 127 + largest / 127 * 2 * kRounding)
            << "token " << t << " row " << r;
        ASSERT_LE(std::fabs(code * scale - expected.row(t)[r]),
                  scale * (0.5 + 127 * 4 * kRounding) + bound(t, r))
            << "token " << t << " row " << r << ": code " << code;
        written[line] = true;
        std::fill_n(written.begin() + scaleAt, 4, true);
        continue;
      }
      uint16_t half;
      std::memcpy(&half, found.data() + line * bytes, 2);
      double y = bytes == 2 ? gguf::halfToFloat(half) : floatAt(found, line * bytes),
             wanted = expected.row(t)[r];
      // Half precision: 11 bits, and denormals of 2^-24 a step.
      double rounding = bytes == 2 ? std::max(std::fabs(wanted) / (1 << 11), 1.0 / (1 << 25)) : 0;
      ASSERT_LE(std::fabs(y - wanted), rounding + 1.001 * bound(t, r))
          << "token " << t << " row " << r;
      std::fill_n(written.begin() + line * bytes, bytes, true);
    }
  for (size_t at = 0; at < found.size(); ++at)
    ASSERT_TRUE(written[at] || isUntouched({found[at]}))
        << "byte " << at << " of the cache is written";
}

int64_t columnsOf(FormatId format) {
  int64_t block = Format::get(format).superBlock;
  return Format::get(format).isFloat() ? 172 : block == 32 ? 96 : 512;
}

// 72 rows: two tiles and a quarter.
TEST_P(LinearKernel, Product) {
  for (const Format &format : Format::all())
    check({.formats = {format.id}, .rows = 72, .cols = columnsOf(format.id)});
}

// The largest codes meet the largest codes: an instruction that saturates would show, as would any
// rounding.
TEST_P(LinearKernel, ExtremeCodesAreExact) {
  for (const Format &format : Format::all())
    if (!format.isFloat())
      check({.formats = {format.id}, .rows = 72, .cols = 256, .codes = Codes::Extreme});
}

TEST_P(LinearKernel, Epilogues) {
  check({.formats = {FormatId::q4_0}, .rows = 72, .cols = 96, .epilogue = Epilogue::Residual});
  check({.formats = {FormatId::f16}, .rows = 72, .cols = 64, .epilogue = Epilogue::Residual});
  check({.formats = {FormatId::q5_0}, .rows = 72, .cols = 96, .epilogue = Epilogue::Bias});
  check({.formats = {FormatId::q4_k, FormatId::q6_k},
         .rows = 72,
         .cols = 256,
         .epilogue = Epilogue::Glu});
  check({.formats = {FormatId::f32, FormatId::f32},
         .rows = 172,
         .cols = 64,
         .epilogue = Epilogue::Glu});
}

// Strips of one tile, where others have several: what is unpacked of two weights fills them (UnpackedTile.h).
TEST_P(LinearKernel, WideRows) {
  check({.formats = {FormatId::q4_k, FormatId::q4_k},
         .rows = 72,
         .cols = 4096,
         .epilogue = Epilogue::Glu});
}

/// Keys of heads that turn.
Layer turnedKeys(CacheElement cache, int64_t tileTokens = 0) {
  return {.formats = {FormatId::q8_0},
          .rows = 192,
          .cols = 64,
          .epilogue = Epilogue::Rotate,
          .output = OutputKind::Keys,
          .headDim = 96,
          .rotaryDim = 96,
          .cache = cache,
          .tileTokens = tileTokens};
}

// Of 256 tokens tiles of 96, 96 and 64. A tile that went on behind its own would add a residual twice.
TEST_P(LinearKernel, TilesOfSomeTokens) {
  for (FormatId format : {FormatId::f16, FormatId::q4_0, FormatId::q4_k, FormatId::q8_0})
    check({.formats = {format},
           .rows = 168,
           .cols = columnsOf(format),
           .epilogue = Epilogue::Residual,
           .tileTokens = 96});
  check({.formats = {FormatId::q8_0, FormatId::q6_k},
         .rows = 96,
         .cols = 256,
         .epilogue = Epilogue::Glu,
         .output = OutputKind::Acts,
         .tileTokens = 96});
  check(turnedKeys(CacheElement::i8, 96));
}

TEST_P(LinearKernel, Rotation) {
  // Whole tiles of a head; heads across tiles; heads that turn in part.
  check({.formats = {FormatId::q8_0},
         .rows = 128,
         .cols = 64,
         .epilogue = Epilogue::Rotate,
         .headDim = 64,
         .rotaryDim = 64});
  check({.formats = {FormatId::q8_0},
         .rows = 160,
         .cols = 64,
         .epilogue = Epilogue::Rotate,
         .headDim = 80,
         .rotaryDim = 80});
  check({.formats = {FormatId::f16},
         .rows = 72,
         .cols = 64,
         .epilogue = Epilogue::Rotate,
         .headDim = 8,
         .rotaryDim = 4});
}

TEST_P(LinearKernel, QuantizedOutput) {
  check({.formats = {FormatId::q8_0}, .rows = 96, .cols = 64, .output = OutputKind::Acts});
  check({.formats = {FormatId::q4_0, FormatId::q4_0},
         .rows = 64,
         .cols = 96,
         .epilogue = Epilogue::Glu,
         .output = OutputKind::Acts});
}

TEST_P(LinearKernel, Cache) {
  for (CacheElement element : {CacheElement::f32, CacheElement::f16, CacheElement::i8}) {
    check(turnedKeys(element));
    check({.formats = {FormatId::f16},
           .rows = 80,
           .cols = 64,
           .output = OutputKind::Keys,
           .headDim = 80,
           .cache = element});
    check({.formats = {FormatId::q8_0},
           .rows = 128,
           .cols = 64,
           .output = OutputKind::Values,
           .headDim = 64,
           .cache = element});
    check({.formats = {FormatId::q4_0},
           .rows = 72,
           .cols = 64,
           .epilogue = Epilogue::Bias,
           .output = OutputKind::Values,
           .headDim = 8,
           .cache = element});
  }
}

SINTER_ALL_VARIANTS(LinearKernel);

} // namespace
