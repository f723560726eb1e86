//===- AttentionKernelTest.cpp - Attention over a KV cache ------------------------===//
//
// What rounding can do. A score is off by d <= (head_dim + 2) 2^-24 factor sum |q k|; so is the
// largest one, so a weight exp(s - max) is off by a factor of at most exp(2 d), the exponential's
// own 8 units, and the rescaling by each of n blocks of at least 32 positions (9 units each). The result is a
// mean of values with these weights, both sums of which are off by that factor e and by a rounding
// for each position: |error| <= 2 (e + positions * 2^-24) * the mean of |v|.
//
// Of an int8 cache decode multiplies codes. q is made so that rounding it to int8 leaves it as it is. A weight times its
// value's scale is rounded to a step of the largest of 32 positions / 127, so it is off by half of that, and a code times it
// by so much times the code: weightRounding() sums that up over the positions, with the weights that the numbers have.
//
// Where a chunk multiplies halves (AttentionHalves.cpp), an element of q is off by half a unit of its row, |q| / 65534, one of a
// key by |k| / 65534: together a score by halfRounding(). A weight is off by half of its block's sum / 32767, which for the 64
// positions of a block makes 64 / 65534 of the block's share of all weights; a value by the largest / 65534.
// Decode of many heads a group multiplies halves of an f16 cache as it is: their units are powers of two, so a key is off by half
// of one for keyBits() bits, a value by half of one for 15, each at most the largest / 2^bits.
//
//===----------------------------------------------------------------------===//
#include "ModelOp.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>
#include <numeric>

using namespace sinter;
using namespace sinter::test;

namespace {

/// What q, keys and values are: below 1; all of q and keys the largest f16 below 1 or minus that, so that products are as large as
/// they can be; of keys and values one in 64 positions and a head's elements is much larger than the others.
enum class Numbers { Random, Largest, Uneven };

struct Heads {
  int64_t heads, kvHeads, headDim;
  CacheElement element;
  bool acts;
  Numbers numbers = Numbers::Random;
};

constexpr int64_t kPositions = 288;
/// Positions of a slice, and how many there may be: two of 64 have 192 of the longest sequences.
constexpr std::pair<int64_t, int64_t> kSlices[] = {{64, 2}, {128, 64}};

/// Sequences that end at, before and behind the ends of key tiles, blocks and slices; chunks that end within a tile.
constexpr Step kEnds[] = {
    {TokenClass::One, 1, 31},   {TokenClass::One, 1, 63},   {TokenClass::One, 1, 64},   {TokenClass::One, 1, 127},
    {TokenClass::One, 1, 128},  {TokenClass::One, 1, 287},  {TokenClass::Chunk, 2, 63}, {TokenClass::Chunk, 33, 95},
    {TokenClass::Chunk, 16, 0},
};

class AttentionKernel : public KernelTest {
protected:
  void check(const Heads &shape);

private:
  void checkStep(const Heads &shape, ModelOp &model, const KernelCode &code, const Step &step);
  Bytes cacheBytes(const Array &rows, bool keys) const;
  Array weightRounding(const Heads &shape, const Array &q, const Array &keys, const Array &values, int64_t before) const;
  double halfRounding(const Heads &shape, const Array &q, const Array &keys, bool direct) const;
  CacheShape cache;
  double scale;
};

uint16_t halfOf(double value) {
  llvm::APFloat number(value);
  bool loses;
  number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven, &loses);
  EXPECT_FALSE(loses);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

void change(FloatRows &rows, llvm::function_ref<double(int64_t t, int64_t i, double value)> to) {
  for (int64_t t = 0; t < rows.values.rows; ++t)
    for (int64_t i = 0; i < rows.values.cols; ++i) {
      float value = static_cast<float>(rows.values.row(t)[i] = to(t, i, rows.values.row(t)[i]));
      std::memcpy(rows.bytes.data() + t * floatRowBytes(rows.values.cols) + i * 4, &value, 4);
    }
}

/// Rows that rounding to int8 leaves as they are, near `rows`: in each group codes times a scale of 14 bits, one code 127
/// or -127. So kernel and evaluator read the same numbers.
void roundToCodes(FloatRows &rows, int64_t group) {
  for (int64_t t = 0; t < rows.values.rows; ++t)
    for (int64_t first = 0; first < rows.values.cols; first += group) {
      double *values = rows.values.row(t) + first, largest = 0;
      for (int64_t i = 0; i < group; ++i)
        largest = std::max(largest, std::fabs(values[i]));
      double scale = std::floor(std::ldexp(largest / 127, 20)) / (1 << 20);
      for (int64_t i = 0; i < group; ++i)
        values[i] = scale * std::nearbyint(values[i] / scale);
    }
  change(rows, [](int64_t, int64_t, double value) { return value; });
}

/// The cache after `rows` have been appended; what is behind them is NaN.
Bytes AttentionKernel::cacheBytes(const Array &rows, bool keys) const {
  int64_t bytes = cache.elementBytes(), dim = cache.headDim;
  Bytes result(cache.bytes(keys), 0xff);
  CachePlaces places{cache.heads, dim, kPositions, bytes == 1, keys};
  if (bytes == 1) {
    int64_t group = places.group();
    for (int64_t p = 0; p < rows.rows; ++p)
      for (int64_t first = 0; first < rows.cols; first += group) {
        double largest = 0;
        for (int64_t i = first; i < first + group; ++i)
          largest = std::max(largest, std::fabs(rows.row(p)[i]));
        float scale = static_cast<float>(largest / 127);
        std::memcpy(result.data() + places.scale(first / dim, p, first % dim / group), &scale, 4);
        for (int64_t i = first; i < first + group; ++i)
          result[places.element(i / dim, p, i % dim)] =
              static_cast<uint8_t>(static_cast<int>(std::nearbyint(rows.row(p)[i] / scale)));
      }
    return result;
  }
  auto put = [&](int64_t index, double value) {
    float single = static_cast<float>(value);
    uint16_t half = halfOf(value);
    std::memcpy(result.data() + index * bytes, bytes == 2 ? static_cast<void *>(&half) : &single,
                bytes);
  };
  for (int64_t p = 0; p < rows.rows; ++p)
    for (int64_t head = 0; head < cache.heads; ++head)
      for (int64_t i = 0; i < (keys ? dim : cache.paddedHeadDim()); ++i) {
        double value = i < dim ? rows.row(p)[head * dim + i] : 0;
        put(places.element(head, p, i), value);
      }
  return result;
}

/// What rounding weights to int8 can do to each element of the result (see above).
Array AttentionKernel::weightRounding(const Heads &shape, const Array &q, const Array &keys, const Array &values,
                                      int64_t before) const {
  int64_t dim = shape.headDim, group = std::gcd(dim, int64_t(32)), perHead = shape.heads / shape.kvHeads;
  Array off(q.rows, q.cols);
  for (int64_t t = 0; t < q.rows; ++t)
    for (int64_t head = 0; head < shape.heads; ++head) {
      int64_t column = head / perHead * dim, length = before + t + 1;
      std::vector<double> weights(length);
      for (int64_t j = 0; j < length; ++j)
        for (int64_t i = 0; i < dim; ++i)
          weights[j] += q.row(t)[head * dim + i] * scale * keys.row(j)[column + i];
      double largest = *std::max_element(weights.begin(), weights.end()), sum = 0;
      for (double &weight : weights)
        sum += weight = std::exp(weight - largest);
      for (int64_t first = 0; first < dim; first += group)
        for (int64_t tile = 0; tile < length; tile += 32) {
          int64_t end = std::min(tile + 32, length);
          std::vector<double> scales(end - tile);
          double step = 0;
          for (int64_t j = tile; j < end; ++j) {
            double most = 0;
            for (int64_t i = 0; i < group; ++i)
              most = std::max(most, std::fabs(values.row(j)[column + first + i]));
            scales[j - tile] = most / 127;
            step = std::max(step, weights[j] / sum * most / 127 / 127);
          }
          for (int64_t i = first; i < first + group; ++i)
            for (int64_t j = tile; j < end; ++j)
              if (scales[j - tile] > 0)
                off.row(t)[head * dim + i] += step / 2 * std::fabs(values.row(j)[column + i]) / scales[j - tile];
        }
    }
  return off;
}

/// Bits of a key of `dim` elements: 32 bits hold a product of two such heads, one of which has the length 32767.
static int64_t keyBits(int64_t dim) { return dim <= 16 ? 14 : dim <= 64 ? 13 : 12; }

/// What rounding q and keys to halves can do to a score; `direct`: of a cache as it is.
double AttentionKernel::halfRounding(const Heads &shape, const Array &q, const Array &keys, bool direct) const {
  int64_t dim = shape.headDim;
  /// The largest heads of rows: Euclidean norm, and the sum of magnitudes, which is at most sqrt(dim) of it.
  auto largest = [&](const Array &rows) {
    double most = 0;
    for (int64_t t = 0; t < rows.rows; ++t)
      for (int64_t first = 0; first < rows.cols; first += dim)
        most = std::max(most, std::inner_product(rows.row(t) + first, rows.row(t) + first + dim, rows.row(t) + first, 0.0));
    return std::sqrt(most);
  };
  double root = std::sqrt(double(dim)), offQuery = largest(q) / 65534, offKey = largest(keys) / 65534;
  if (direct) {
    double most = 0;
    for (double number : keys.data)
      most = std::max(most, std::fabs(number));
    offKey = std::ldexp(most, -static_cast<int>(keyBits(dim)));
  }
  return scale * (root * (largest(q) * offKey + largest(keys) * offQuery) + dim * offQuery * offKey);
}

void AttentionKernel::check(const Heads &shape) {
  if (HasFatalFailure())
    return;
  SCOPED_TRACE(llvm::formatv("{0} heads, {1} of keys, of {2}, {3}{4}", shape.heads, shape.kvHeads,
                             shape.headDim, elementName(shape.element), shape.acts ? ", int8" : "")
                   .str());
  scale = 1.0 / std::sqrt(double(shape.headDim)) * 8;
  std::string q = llvm::formatv("tensor<?x{0}xf32>", shape.heads * shape.headDim),
              kv = llvm::formatv("tensor<?x{0}xf32>", shape.kvHeads * shape.headDim);
  ModelOp model(
      llvm::formatv("llm.kv_cache @kv {{heads = {0}, head_dim = {1}, positions = {2}, type = {3}}\n"
                    "func.func @op(%q: {4}, %k: {5}, %v: {5}) -> {4} {{\n"
                    "%o = llm.attention %q, %k, %v in @kv {{heads = {6}, kv_heads = {0}, head_dim "
                    "= {1}, scale = {7:f12}} "
                    ": {4}, {5}, {5} -> {4}\nreturn %o : {4}\n}",
                    shape.kvHeads, shape.headDim, kPositions, elementName(shape.element), q, kv,
                    shape.heads, scale));
  cache = {shape.kvHeads, shape.headDim, kPositions,
           elementType(shape.element, model.context), /*span=*/2};
  scale = model.find<llm::AttentionOp>().getScale().convertToDouble();
  for (TokenClass tokens : {TokenClass::One, TokenClass::Chunk}) {
    mlir::OpBuilder b = model.builder();
    buildAttention(b, model.loc(), className(tokens),
                   {shape.heads, cache, scale, shape.acts, tokens, 0, 0, shape.acts}, schedule());
  }
  mlir::OpBuilder b = model.builder();
  for (auto [slice, most] : kSlices) {
    AttentionSpec spec{shape.heads, cache, scale, shape.acts, TokenClass::One, slice, most, shape.acts};
    buildAttention(b, model.loc(), "slice" + std::to_string(slice), spec, schedule());
    buildAttentionJoin(b, model.loc(), "join" + std::to_string(slice), spec);
  }
  KernelCode code(*model.kernels, machine());
  RandomFile file;
  file.add("unused", std::vector<float>{0});
  model.open(file);
  std::vector<Step> all = steps().vec();
  if (machine().native())
    all.insert(all.end(), std::begin(kEnds), std::end(kEnds));
  for (const Step &step : all) {
    SCOPED_TRACE(llvm::formatv("{0} tokens from {1}, {2}", step.tokens, step.position,
                               className(step.tokenClass))
                     .str());
    checkStep(shape, model, code, step);
    if (HasFatalFailure())
      return;
  }
}

void AttentionKernel::checkStep(const Heads &shape, ModelOp &model, const KernelCode &code,
                                const Step &step) {
  int64_t tokens = step.tokens, before = step.position, total = before + tokens,
          dim = shape.headDim;
  int64_t width = shape.heads * dim, kvWidth = shape.kvHeads * dim;
  FloatRows q(tokens, step.rows(), width, 31), keys(total, total, kvWidth, 32),
      values(total, total, kvWidth, 33);
  if (shape.numbers == Numbers::Largest) {
    change(q, [](int64_t, int64_t, double) { return 0x1.ffcp-1; });
    change(keys, [](int64_t t, int64_t, double) { return t % 3 ? 0x1.ffcp-1 : -0x1.ffcp-1; });
  } else if (shape.numbers == Numbers::Uneven) {
    auto uneven = [&](int64_t t, int64_t i, double value) {
      int64_t block = t / 64, place = block * 37 + 5;
      return t % 64 == place % 64 && i % dim == place % dim ? std::copysign(0x1.ffcp-1, value)
                                                            : std::ldexp(std::round(std::ldexp(value, 4)), -10);
    };
    change(keys, uneven);
    change(values, uneven);
  }
  if (shape.element == CacheElement::i8) {
    roundToCodes(q, std::gcd(dim, int64_t(32)));
    roundToCodes(keys, std::gcd(dim, int64_t(32)));
    roundToCodes(values, std::gcd(dim, int64_t(32)));
  }
  auto part = [](const Array &rows, int64_t first, int64_t count) {
    return Array(count, rows.cols, {rows.row(first), rows.row(first) + count * rows.cols});
  };
  model.evaluator->reset();
  if (before)
    model.evaluate(
        {Array(before, width), part(keys.values, 0, before), part(values.values, 0, before)}, 0);
  Array expected = model.evaluate(
      {q.values, part(keys.values, before, tokens), part(values.values, before, tokens)}, before);

  Call call;
  call.tokens = step.tokens;
  call.position = step.position;
  AttentionSpec spec{shape.heads, cache, scale, shape.acts, step.tokenClass, 0, 0, shape.acts};
  int64_t tileTokens = spec.tileTokens();
  call.tiles = static_cast<uint32_t>(shape.kvHeads * ((tokens + tileTokens - 1) / tileTokens));
  Bytes out = untouched(step.rows() * (shape.acts ? actRowBytes(width, spec.outputForm) : floatRowBytes(width)));
  call.bindings = {q.bytes, cacheBytes(keys.values, true), cacheBytes(values.values, false), out};
  // Numbers are below 1: sum |q k| <= head_dim, the mean of |v| <= 1.
  double score = (dim + 2) * kRounding * scale * dim;
  double tiles = (total + kTileRows - 1) / kTileRows + 2;
  // A weight times the scale of an int8 value is rounded once more.
  double scaled = shape.element == CacheElement::i8 ? 1 : 0;
  bool staged = spec.rows() > schedule().attentionRows;
  bool halves = schedule().attentionHalves && dim % 16 == 0 &&
                (staged ? shape.element != CacheElement::f32 : shape.element == CacheElement::f16 && spec.rows() >= 6);
  if (halves) // An integer becomes a float, its unit is a product of two rounded ones.
    score += halfRounding(shape, q.values, keys.values, !staged) + 8 * kRounding * scale * dim;
  double off = 2 * (std::expm1(2 * score) + (8 + scaled + 9 * tiles + total) * kRounding);
  if (halves)
    off += (64.0 + 2) / 65534;
  Bytes found = code.run(className(step.tokenClass), call);
  Array rounding(tokens, width);
  // A chunk's blocks become f32 once for all its rows, but for few rows.
  if (shape.element == CacheElement::i8 && spec.rows() <= schedule().attentionRows)
    rounding = weightRounding(shape, q.values, keys.values, values.values, before);
  // A code and its weight's scale are rounded a few times more.
  auto bound = [&](int64_t t, int64_t i) { return off + rounding.row(t)[i] * (1 + 127 * 8 * kRounding); };
  auto expectRows = [&](const Bytes &found) {
    shape.acts ? expectActRows(found, expected, bound, spec.outputForm) : expectFloatRows(found, expected, bound);
  };
  expectRows(found);
  if (step.tokenClass == TokenClass::Chunk)
    return;
  // The same in slices. A slice's factor exp(max - max) and its product with o are two more of the rescalings above.
  for (auto [slice, most] : kSlices) {
    SCOPED_TRACE(llvm::formatv("slices of {0}", slice).str());
    spec.slice = slice;
    spec.mostSlices = most;
    std::string number = std::to_string(slice);
    Call part = call, join = call;
    part.tiles = static_cast<uint32_t>(shape.kvHeads * ((total + slice - 1) / slice));
    part.bindings.back() = untouched(spec.partialBytes());
    join.tiles = static_cast<uint32_t>(shape.heads);
    join.bindings = {code.run("slice" + number, part), out};
    expectRows(code.run("join" + number, join));
  }
}

TEST_P(AttentionKernel, OneHead) { check({1, 1, 64, CacheElement::f32, false}); }
TEST_P(AttentionKernel, HeadsOf8) { check({4, 4, 8, CacheElement::f16, false}); }
TEST_P(AttentionKernel, HeadsOf16) { check({5, 1, 16, CacheElement::f32, false}); }
TEST_P(AttentionKernel, HeadsOf32) { check({8, 1, 32, CacheElement::f16, true}); }
TEST_P(AttentionKernel, GroupsOf3) { check({6, 2, 80, CacheElement::f16, false}); }
TEST_P(AttentionKernel, GroupsOf4) { check({8, 2, 64, CacheElement::f16, true}); }
TEST_P(AttentionKernel, GroupsOf6) { check({6, 1, 64, CacheElement::f32, true}); }
TEST_P(AttentionKernel, GroupsOf7) { check({7, 1, 96, CacheElement::f32, true}); }
TEST_P(AttentionKernel, HalvesOf16) { check({8, 1, 16, CacheElement::f16, false}); }
TEST_P(AttentionKernel, HalvesOf64) { check({14, 2, 64, CacheElement::f16, true}); }
TEST_P(AttentionKernel, HalvesOf80) { check({12, 2, 80, CacheElement::f16, false}); }
TEST_P(AttentionKernel, HalvesOf256) { check({8, 1, 256, CacheElement::f16, true}); }
TEST_P(AttentionKernel, LargestHalvesOf64) { check({6, 1, 64, CacheElement::f16, false, Numbers::Largest}); }
TEST_P(AttentionKernel, LargestHalvesOf256) { check({6, 1, 256, CacheElement::f16, false, Numbers::Largest}); }
TEST_P(AttentionKernel, UnevenHalvesOf16) { check({8, 1, 16, CacheElement::f16, false, Numbers::Uneven}); }
TEST_P(AttentionKernel, UnevenHalvesOf64) { check({14, 2, 64, CacheElement::f16, false, Numbers::Uneven}); }
TEST_P(AttentionKernel, HeadsOf128) { check({4, 2, 128, CacheElement::f16, true}); }
TEST_P(AttentionKernel, HeadsOf256) { check({2, 2, 256, CacheElement::f16, true}); }
TEST_P(AttentionKernel, Int8OneHead) { check({1, 1, 64, CacheElement::i8, false}); }
TEST_P(AttentionKernel, Int8HeadsOf8) { check({4, 4, 8, CacheElement::i8, false}); }
TEST_P(AttentionKernel, Int8GroupsOf4) { check({8, 2, 64, CacheElement::i8, true}); }
TEST_P(AttentionKernel, Int8GroupsOf3) { check({6, 2, 80, CacheElement::i8, false}); }
TEST_P(AttentionKernel, Int8GroupsOf8) { check({8, 1, 32, CacheElement::i8, true}); }
TEST_P(AttentionKernel, Int8GroupsOf16) { check({16, 1, 48, CacheElement::i8, false}); }
TEST_P(AttentionKernel, Int8HeadsOf256) { check({4, 2, 256, CacheElement::i8, true}); }

SINTER_ALL_VARIANTS(AttentionKernel);

} // namespace
