//===- RandomTensors.cpp - Weights and activations as kernels read them -----------===//
#include "RandomTensors.h"
#include "../SourceBlocks.h"
#include "compiler/gguf/Dequantize.h"
#include "compiler/weights/Pack.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace sinter;
using namespace sinter::test;

template <typename T> static void put(uint8_t *at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <typename T> static T get(const uint8_t *at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static constexpr uint16_t kHalfOne = 0x3c00;

/// A block's integer scales, all 1, and its integer minima, all 0: only super-blocks have them.
static void setUnitScales(const Format &format, uint8_t *block) {
  if (format.id == FormatId::q6_k)
    std::memset(block + 192, 1, 16);
  if (format.id == FormatId::q2_k)
    std::memset(block, 1, 16);
  if (format.id == FormatId::q3_k) {
    // 33, less 32: the low halves, then the upper two bits.
    std::memset(block + 96, 0x11, 8);
    std::memset(block + 104, 0xaa, 4);
  }
  if (format.id == FormatId::iq4_xs) {
    // 33, less 32: the upper two bits, then the low four.
    std::memset(block + 2, 0xaa, 2);
    std::memset(block + 4, 0x11, 4);
  }
  if (format.id == FormatId::q4_k || format.id == FormatId::q5_k) {
    // Six bits each: scales 0 .. 3, minima 0 .. 3, then scales and minima 4 .. 7 by nibbles.
    std::memset(block + 4, 1, 4);
    std::memset(block + 8, 0, 4);
    std::memset(block + 12, 1, 4);
  }
}

Weight::Weight(FormatId id, int64_t rows, int64_t cols, unsigned seed, Codes codes)
    : format(Format::get(id)), rows(rows), cols(cols) {
  int64_t blockBytes = gguf::blockBytes(format.source),
          perBlock = gguf::blockElements(format.source);
  const int64_t d = format.isFloat() ? 0 : offsetOfHalf(format, &SourceBlock::d);
  const int64_t dmin = format.minima ? offsetOfHalf(format, &SourceBlock::dmin) : 0;
  std::mt19937 random(seed);
  blocks.resize(rows * (cols / perBlock) * blockBytes);
  // Both signs, 2^-9 to 2^-5, and now and then a denormal.
  auto half = [&]() -> uint16_t {
    return random() % 16 == 0 ? random() % 0x400
                              : (random() & 1) << 15 | (0x1800 + random() % 0x1000);
  };
  for (size_t at = 0; at < blocks.size(); at += blockBytes) {
    uint8_t *block = blocks.data() + at;
    float value = std::ldexp(float(int(random() % 4096) - 2048), -16);
    if (format.id == FormatId::f32) {
      put(block, value);
    } else if (format.id == FormatId::bf16) {
      std::memcpy(block, reinterpret_cast<uint8_t *>(&value) + 2, 2);
    } else if (format.id == FormatId::f16) {
      put(block, half());
    } else {
      for (int64_t i = 0; i < blockBytes; ++i)
        block[i] = static_cast<uint8_t>(random());
      // Whole bytes of ones and zeros are the highest and lowest codes of unsigned formats and of codebooks.
      bool unsignedBits = !format.signedCodes || !format.codebook.empty();
      for (int64_t i = 0; codes == Codes::Extreme && i < blockBytes; ++i)
        block[i] = unsignedBits ? (random() & 1 ? 0xff : 0) : (random() & 1 ? 0x7f : 0x80);
      if (codes == Codes::Extreme)
        setUnitScales(format, block);
      put(block + d, codes == Codes::Extreme ? kHalfOne : half());
      if (format.minima)
        put(block + dmin, codes == Codes::Extreme ? kHalfOne : half());
    }
  }
}

Bytes Weight::packed() const {
  PackedLayout layout(format, rows, cols);
  Bytes bytes(layout.bytes());
  for (int64_t tile = 0; tile < layout.tiles(); ++tile) {
    std::vector<const uint8_t *> pointers;
    for (int64_t r = tile * kTileRows; r < std::min(rows, (tile + 1) * kTileRows); ++r)
      pointers.push_back(blocks.data() + r * rowBytes());
    packTile(layout, pointers, bytes.data() + tile * layout.tileBytes());
  }
  return bytes;
}

std::vector<float> Weight::values() const {
  std::vector<float> values(rows * cols);
  for (int64_t r = 0; r < rows; ++r)
    gguf::dequantizeRow(format.source, blocks.data() + r * rowBytes(), cols,
                        values.data() + r * cols);
  return values;
}

std::vector<double> Weight::magnitudes() const {
  std::vector<float> exact = values();
  std::vector<double> result(exact.size());
  double highestInteger = format.scaleGroup ? (1 << format.scaleBits()) - 1 : 1;
  double highestCode = (1 << format.codeBits()) - 1;
  const int64_t d = format.minima ? offsetOfHalf(format, &SourceBlock::d) : 0;
  const int64_t dmin = format.minima ? offsetOfHalf(format, &SourceBlock::dmin) : 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    if (!format.minima) {
      result[i] = std::fabs(exact[i]);
      continue;
    }
    const uint8_t *block = blocks.data() + i / format.superBlock * gguf::blockBytes(format.source);
    result[i] =
        highestInteger * (std::fabs(gguf::halfToFloat(get<uint16_t>(block + d))) * highestCode +
                          std::fabs(gguf::halfToFloat(get<uint16_t>(block + dmin))));
  }
  return result;
}

double Weight::largestScale(int64_t row) const {
  double highest = format.scaleGroup ? (1 << format.scaleBits()) - 1 : 1, largest = 0;
  const int64_t d = offsetOfHalf(format, &SourceBlock::d), bytes = gguf::blockBytes(format.source);
  for (int64_t at = row * rowBytes(); at < (row + 1) * rowBytes(); at += bytes)
    largest = std::max(largest, highest * std::fabs(gguf::halfToFloat(get<uint16_t>(blocks.data() + at + d))));
  return largest;
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

template <typename T> static void append(Bytes &out, T value) {
  out.resize(out.size() + sizeof value);
  put(out.data() + out.size() - sizeof value, value);
}

void RandomFile::add(llvm::StringRef name, std::vector<uint64_t> dims, gguf::TensorType type,
                     llvm::ArrayRef<uint8_t> bytes) {
  append(infos, uint64_t(name.size()));
  infos.insert(infos.end(), name.bytes_begin(), name.bytes_end());
  append(infos, uint32_t(dims.size()));
  for (uint64_t dim : dims)
    append(infos, dim);
  append(infos, static_cast<uint32_t>(type));
  append(infos, uint64_t(data.size()));
  data.insert(data.end(), bytes.begin(), bytes.end());
  data.resize(llvm::alignTo(data.size(), 32));
  ++count;
}

void RandomFile::add(llvm::StringRef name, const Weight &weight) {
  add(name, {uint64_t(weight.cols), uint64_t(weight.rows)}, weight.format.source, weight.blocks);
}

void RandomFile::add(llvm::StringRef name, llvm::ArrayRef<float> values) {
  add(name, {values.size()}, gguf::TensorType::F32,
      {reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(float)});
}

const gguf::GGUFFile &RandomFile::open() {
  whole = {'G', 'G', 'U', 'F'};
  append(whole, uint32_t(3));
  append(whole, count);
  append(whole, uint64_t(0));
  whole.insert(whole.end(), infos.begin(), infos.end());
  whole.resize(llvm::alignTo(whole.size(), 32));
  whole.insert(whole.end(), data.begin(), data.end());
  file = llvm::cantFail(gguf::GGUFFile::parse(whole, "random.gguf"));
  return *file;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

int64_t test::bufferRows(int64_t tokens) {
  return static_cast<int64_t>(llvm::alignTo(tokens, kTokenPadding));
}
static int64_t paddedColumns(int64_t width) { return (width + 31) / 32 * 32; }

int64_t test::floatRowBytes(int64_t width) {
  int64_t bytes = paddedColumns(width) * 4;
  return bytes % 2048 == 0 ? bytes + 128 : bytes;
}

int64_t CachePlaces::block(int64_t head, int64_t position) const {
  int64_t blocks = (positions + 63) / 64, block = position / 64, first = block / 2 * 2;
  int64_t number = first * heads + head * std::min<int64_t>(2, blocks - first) + block - first;
  return number * 64 * (stride() + (int8 ? dim / group() * 4 : 0));
}

int64_t CachePlaces::element(int64_t head, int64_t position, int64_t i) const {
  int64_t word = int8 ? 4 : 1, p = position % 64;
  return block(head, position) + (keys ? p / 32 * dim * 32 + i / word * 32 * word + p % 32 * word + i % word
                                       : p / word * word * stride() + i * word + p % word);
}

int64_t CachePlaces::scale(int64_t head, int64_t position, int64_t group) const {
  return block(head, position) + 64 * stride() + 4 * (group * 64 + position % 64);
}

/// Where words 0, 2, 4, 6 of each group are once more.
static int64_t evenWordsAt(int64_t width) {
  return static_cast<int64_t>(llvm::alignTo(width + width / 32 * 24, 16));
}

int64_t test::actRowBytes(int64_t width, ActForm form) {
  return static_cast<int64_t>(llvm::alignTo(form.crossed ? evenWordsAt(width) + width / 2 : width + width / 32 * 20, 64));
}

/// Of 32 codes: minus each word's bytes times those of the word in front of it, and 128 times them, for words 1, 3, 5; minus 8
/// times those of words 6 and 7.
static int32_t crossSum(const uint8_t *codes) {
  int32_t sum = 0;
  for (int64_t i = 0; i < kActGroup; ++i) {
    int32_t code = static_cast<int8_t>(codes[i]);
    if (i >= 24)
      sum -= 8 * code;
    else if (i / 4 % 2)
      sum -= code * (static_cast<int8_t>(codes[i - 4]) + 128);
  }
  return sum;
}

/// The least of 4, 5, 6 or 7 times a power of two that is not less than v; 0 of what is none.
static double nextStep(double v) {
  if (v <= 0)
    return 0;
  int exponent = std::ilogb(v) - 2;
  return std::ldexp(std::ceil(std::ldexp(v, -exponent)), exponent);
}

/// Most are within a few powers of two, some far below: 2^-8 and less.
static float randomStep(std::mt19937 &random) {
  int down = random() % 4 ? random() % 4 : random() % 20;
  return std::ldexp(float(4 + random() % 4), -9 - down);
}

/// Whether byte i of a group of crossed rows is 128 above its code.
static bool isMovedUp(int64_t i) { return i < 24 && i / 4 % 2 == 0; }

std::vector<float> test::randomFloats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float &value : values)
    value = std::ldexp(float(int(random() % 2048) - 1024), -10);
  return values;
}

FloatRows::FloatRows(int64_t tokens, int64_t rows, int64_t width, unsigned seed)
    : values(tokens, width) {
  std::vector<float> numbers = randomFloats(tokens * width, seed);
  values.data.assign(numbers.begin(), numbers.end());
  int64_t stride = floatRowBytes(width);
  bytes.resize(rows * stride);
  for (int64_t t = 0; t < tokens; ++t)
    std::memcpy(bytes.data() + t * stride, numbers.data() + t * width, width * 4);
  for (size_t at = tokens * stride; at < bytes.size(); at += 4)
    put(bytes.data() + at, std::numeric_limits<float>::quiet_NaN());
}

ActRows::ActRows(int64_t tokens, int64_t rows, int64_t width, unsigned seed, Codes codes, ActForm form)
    : values(tokens, width) {
  int64_t stride = actRowBytes(width, form), groups = width / kActGroup;
  int largest = form.crossed ? 120 : 127;
  std::mt19937 random(seed);
  bytes.resize(rows * stride, 0xff);
  for (int64_t t = 0; t < tokens; ++t) {
    uint8_t *row = bytes.data() + t * stride;
    for (int64_t g = 0; g < groups; ++g) {
      float scale = codes == Codes::Extreme ? 1.0f
                    : form.stepped          ? randomStep(random)
                                            : std::ldexp(1.0f + float(random() % 4096) / 4096, -7);
      int32_t sum = 0, half = 0;
      for (int64_t i = 0; i < kActGroup; ++i) {
        int code =
            codes == Codes::Extreme ? (random() & 1 ? largest : -largest) : int(random() % (2 * largest + 1)) - largest;
        row[g * kActGroup + i] = static_cast<uint8_t>(code);
        values.row(t)[g * kActGroup + i] = double(scale) * code;
        sum += code;
        half += i < kActGroup / 2 ? code : 0;
      }
      put(row + width + 4 * g, scale);
      put(row + width + 4 * (groups + g), -8 * sum);
      put(row + width + 4 * (2 * groups + 2 * g), -32 * half);
      put(row + width + 4 * (2 * groups + 2 * g + 1), -32 * (sum - half));
      put(row + width + 4 * (4 * groups + g), float(sum) * scale);
      if (!form.crossed)
        continue;
      put(row + width + 4 * (5 * groups + g), crossSum(row + g * kActGroup));
      for (int64_t i = 0; i < kActGroup / 2; ++i) {
        int64_t at = i / 4 * 8 + i % 4;
        uint8_t &code = row[g * kActGroup + at];
        row[evenWordsAt(width) + g * kActGroup / 2 + i] = code;
        code += isMovedUp(at) ? 128 : 0;
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static constexpr uint8_t kUntouched = 0xe7;

Bytes test::untouched(size_t size) { return Bytes(size, kUntouched); }

bool test::isUntouched(llvm::ArrayRef<uint8_t> bytes) {
  return llvm::all_of(bytes, [](uint8_t byte) { return byte == kUntouched; });
}

float test::floatAt(const Bytes &bytes, int64_t offset) {
  return get<float>(bytes.data() + offset);
}

void test::expectFloatRows(const Bytes &found, const Array &expected,
                           llvm::function_ref<double(int64_t, int64_t)> bound) {
  int64_t stride = floatRowBytes(expected.cols);
  for (int64_t t = 0; t < expected.rows; ++t) {
    for (int64_t c = 0; c < expected.cols; ++c) {
      float y = floatAt(found, t * stride + 4 * c);
      ASSERT_LE(std::fabs(y - expected.row(t)[c]), bound(t, c))
          << "token " << t << " column " << c << ": " << y << " instead of " << expected.row(t)[c];
      ASSERT_FALSE(std::isnan(y)) << "token " << t << " column " << c;
    }
    for (int64_t c = expected.cols; c < paddedColumns(expected.cols); ++c)
      ASSERT_EQ(floatAt(found, t * stride + 4 * c), 0.0f)
          << "padding of token " << t << " column " << c;
  }
  EXPECT_TRUE(isUntouched(llvm::ArrayRef(found).drop_front(expected.rows * stride)))
      << "rows past the last token are written";
}

void test::expectActRows(const Bytes &found, const Array &expected,
                         llvm::function_ref<double(int64_t, int64_t)> bound, ActForm form) {
  int64_t stride = actRowBytes(expected.cols, form), groups = expected.cols / kActGroup;
  int most = form.crossed ? 120 : 127;
  for (int64_t t = 0; t < expected.rows; ++t)
    for (int64_t g = 0; g < groups; ++g) {
      const uint8_t *row = found.data() + t * stride;
      double largest = 0, off = 0;
      for (int64_t c = g * kActGroup; c < (g + 1) * kActGroup; ++c) {
        largest = std::max(largest, std::fabs(expected.row(t)[c]));
        off = std::max(off, bound(t, c));
      }
      // The division is rounded once; largest moves by as much as its element.
      double scale = get<float>(row + expected.cols + 4 * g), near = off / most + largest / most * 2 * kRounding;
      if (form.stepped) {
        ASSERT_GE(scale, nextStep(largest / most - near)) << "token " << t << " group " << g;
        ASSERT_LE(scale, nextStep(largest / most + near)) << "token " << t << " group " << g;
      } else {
        ASSERT_NEAR(scale, largest / most, near) << "token " << t << " group " << g;
      }
      int32_t sum = 0, half = 0;
      uint8_t codes[kActGroup];
      for (int64_t i = 0; i < kActGroup; ++i) {
        int64_t c = g * kActGroup + i;
        codes[i] = form.crossed && isMovedUp(i) ? row[c] - 128 : row[c];
        int code = static_cast<int8_t>(codes[i]);
        sum += code;
        half += i < kActGroup / 2 ? code : 0;
        // Quotients up to 127, rounded a few times before they are rounded to an integer.
        ASSERT_LE(std::fabs(code * scale - expected.row(t)[c]),
                  scale * (0.5 + 127 * 4 * kRounding) + bound(t, c))
            << "token " << t << " column " << c << ": code " << code;
        ASSERT_LE(std::abs(code), most);
      }
      ASSERT_EQ(get<int32_t>(row + expected.cols + 4 * (groups + g)), -8 * sum)
          << "token " << t << " group " << g;
      ASSERT_EQ(get<int32_t>(row + expected.cols + 4 * (2 * groups + 2 * g)), -32 * half)
          << "token " << t << " group " << g;
      ASSERT_EQ(get<int32_t>(row + expected.cols + 4 * (2 * groups + 2 * g + 1)), -32 * (sum - half))
          << "token " << t << " group " << g;
      ASSERT_EQ(get<float>(row + expected.cols + 4 * (4 * groups + g)), float(sum) * float(scale))
          << "token " << t << " group " << g;
      if (!form.crossed)
        continue;
      ASSERT_EQ(get<int32_t>(row + expected.cols + 4 * (5 * groups + g)), crossSum(codes))
          << "token " << t << " group " << g;
      for (int64_t i = 0; i < kActGroup / 2; ++i)
        ASSERT_EQ(row[evenWordsAt(expected.cols) + g * kActGroup / 2 + i], codes[i / 4 * 8 + i % 4])
            << "token " << t << " group " << g << " code " << i;
    }
  EXPECT_TRUE(isUntouched(llvm::ArrayRef(found).drop_front(expected.rows * stride)))
      << "rows past the last token are written";
}
