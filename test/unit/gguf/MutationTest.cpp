//===- MutationTest.cpp - A damaged file is an error or a file, no crash --===//
//
// Thousands of small damages to a good file. Whatever still opens is read in all its parts, so that
// a sanitizer would see an access outside the bytes. The damage is pseudo-random with a fixed seed:
// a failure comes again.
//
//===----------------------------------------------------------------------===//

#include "FileBuilder.h"
#include "compiler/gguf/Dequantize.h"

#include "gtest/gtest.h"

#include <memory>
#include <random>

using namespace sinter::gguf;
using namespace sinter::gguf::test;

namespace {

/// Sums up everything the reader gives; the sum only keeps the reads from being optimized away.
double readAll(const GGUFFile &file) {
  double sum = 0;
  for (const MetadataEntry &entry : file.metadata()) {
    llvm::consumeError(file.getU32(entry.key).takeError());
    llvm::consumeError(file.getI32(entry.key).takeError());
    llvm::consumeError(file.getU64(entry.key).takeError());
    llvm::consumeError(file.getF32(entry.key).takeError());
    llvm::consumeError(file.getBool(entry.key).takeError());
    if (auto text = file.getString(entry.key); !llvm::errorToBool(text.takeError()))
      for (char c : *text)
        sum += c;
    if (auto texts = file.getStrings(entry.key); !llvm::errorToBool(texts.takeError()))
      for (llvm::StringRef text : *texts)
        for (char c : text)
          sum += c;
    if (auto numbers = file.getI32s(entry.key); !llvm::errorToBool(numbers.takeError()))
      for (int32_t number : *numbers)
        sum += number;
    if (auto numbers = file.getF32s(entry.key); !llvm::errorToBool(numbers.takeError()))
      for (float number : *numbers)
        sum += number;
    llvm::consumeError(file.getU32s(entry.key).takeError());
    llvm::consumeError(file.getBools(entry.key).takeError());
  }
  for (const Tensor &tensor : file.tensors()) {
    EXPECT_LE(tensor.offset + tensor.bytes, file.fileSize());
    EXPECT_EQ(static_cast<uint64_t>(tensor.rows() * tensor.rowBytes()), tensor.bytes);
    if (isComputable(tensor.type)) {
      std::vector<float> row(static_cast<size_t>(tensor.ne[0]));
      for (int64_t i = 0; i < tensor.rows(); ++i) {
        dequantizeRow(tensor.type, tensor.row(i), tensor.ne[0], row.data());
        sum += row[0];
      }
    }
  }
  return sum;
}

/// True if the bytes still are a GGUF. They are copied to a block of their exact size, where one
/// byte too far shows.
bool survives(const Bytes &bytes) {
  auto exact = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  auto file = GGUFFile::parse(llvm::ArrayRef(exact.get(), bytes.size()), "model.gguf");
  if (!file) {
    std::string text = llvm::toString(file.takeError());
    EXPECT_EQ(text.rfind("model.gguf: ", 0), 0u) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return false;
  }
  volatile double sum = readAll(**file);
  (void)sum;
  return true;
}

TEST(Mutation, BitFlips) {
  Bytes good = exampleFile().build();
  ASSERT_TRUE(survives(good));
  int survived = 0, tried = 0;
  for (size_t i = 0; i < good.size(); ++i)
    for (int bit : {0, 3, 7}) {
      Bytes bad = good;
      bad[i] ^= static_cast<uint8_t>(1 << bit);
      survived += survives(bad);
      ++tried;
    }
  // Weights and values may be anything; structure may not.
  EXPECT_GT(survived, 0);
  EXPECT_LT(survived, tried);
}

TEST(Mutation, RandomDamage) {
  Bytes good = exampleFile().build();
  std::mt19937 random(20240607);
  const uint8_t interesting[] = {0, 1, 2, 8, 9, 12, 31, 0x7f, 0x80, 0xff};
  for (int round = 0; round < 4000; ++round) {
    Bytes bad = good;
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      size_t at = random() % bad.size();
      switch (random() % 4) {
      case 0:
        bad[at] = static_cast<uint8_t>(random());
        break;
      case 1:
        bad[at] = interesting[random() % std::size(interesting)];
        break;
      case 2: // a run, which is how large numbers come about
        for (size_t i = at; i < std::min(at + 8, bad.size()); ++i)
          bad[i] = 0xff;
        break;
      case 3: // bytes lost in the middle
        bad.erase(bad.begin() + static_cast<ptrdiff_t>(at),
                  bad.begin() +
                      static_cast<ptrdiff_t>(std::min(at + 1 + random() % 16, bad.size())));
        if (bad.empty())
          bad.push_back(0);
        break;
      }
    }
    if (random() % 8 == 0)
      bad.resize(random() % bad.size() + 1);
    survives(bad);
  }
}

} // namespace
