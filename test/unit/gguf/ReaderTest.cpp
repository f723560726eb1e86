//===- ReaderTest.cpp - What a good file gives ----------------------------===//

#include "FileBuilder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstdio>
#include <fstream>

using namespace sinter::gguf;
using namespace sinter::gguf::test;
using testing::ElementsAre;

namespace {

/// The reader over bytes that it does not copy.
struct Opened {
  explicit Opened(const FileBuilder &builder) : bytes(builder.build()) {
    llvm::Expected<std::unique_ptr<GGUFFile>> parsed = GGUFFile::parse(bytes, "model.gguf");
    if (parsed)
      file = std::move(*parsed);
    else
      ADD_FAILURE() << llvm::toString(parsed.takeError());
  }
  const GGUFFile *operator->() const { return file.get(); }

  Bytes bytes;
  std::unique_ptr<GGUFFile> file;
};

template <typename T> T value(llvm::Expected<T> result) {
  if (result)
    return std::move(*result);
  ADD_FAILURE() << llvm::toString(result.takeError());
  return T();
}

template <typename T> std::string message(llvm::Expected<T> result) {
  return result ? "no error" : llvm::toString(result.takeError());
}

TEST(Reader, IntegersOfEveryTypeThatFits) {
  Opened file(exampleFile());
  EXPECT_EQ(value(file->getU32("llama.block_count")), 2u);
  EXPECT_EQ(value(file->getU32("a.u8")), 200u);
  EXPECT_EQ(value(file->getU32("a.u16")), 60000u);
  EXPECT_EQ(value(file->getI32("a.i8")), -7);
  EXPECT_EQ(value(file->getI32("a.i16")), -300);
  EXPECT_EQ(value(file->getI32("a.i32")), -70000);
  EXPECT_EQ(value(file->getU64("a.u64")), 1ull << 40);
  EXPECT_EQ(value(file->getU32("missing", 7)), 7u);
}

TEST(Reader, OtherScalars) {
  Opened file(exampleFile());
  EXPECT_EQ(value(file->getF32("llama.eps")), 1e-5f);
  EXPECT_EQ(value(file->getF32("a.f64")), 0.5f);
  EXPECT_EQ(value(file->getF32("a.i64")), -0x1p40f);
  EXPECT_TRUE(value(file->getBool("a.bool")));
  EXPECT_EQ(value(file->getString("general.architecture")), "llama");
  EXPECT_EQ(value(file->getString("missing", llvm::StringRef("none"))), "none");
  EXPECT_FALSE(value(file->getBool("missing", false)));
  EXPECT_EQ(value(file->getF32("missing", 2.0f)), 2.0f);
}

TEST(Reader, Arrays) {
  Opened file(exampleFile());
  EXPECT_THAT(value(file->getStrings("tokens")), ElementsAre("<s>", "", "\xe2\x96\x81the"));
  EXPECT_THAT(value(file->getF32s("scores")), ElementsAre(0.0f, -1.5f));
  EXPECT_THAT(value(file->getI32s("types")), ElementsAre(1, 3, -6));
  EXPECT_THAT(value(file->getBools("flags")), ElementsAre(false, true));
  // Strings are not copied.
  const uint8_t *text = value(file->getStrings("tokens"))[0].bytes_begin();
  EXPECT_GE(text, file.bytes.data());
  EXPECT_LT(text, file.bytes.data() + file.bytes.size());
}

TEST(Reader, EmptyArrayOfAnyType) {
  FileBuilder builder;
  builder.array<uint32_t>("none", ValueType::U32, {});
  Opened file(builder);
  EXPECT_TRUE(value(file->getStrings("none")).empty());
  EXPECT_TRUE(value(file->getF32s("none")).empty());
}

TEST(Reader, NestedArraysAreSteppedOver) {
  Bytes inner = FileBuilder::arrayHead(ValueType::U8, 3);
  inner.insert(inner.end(), {1, 2, 3});
  Bytes outer = FileBuilder::arrayHead(ValueType::Array, 2);
  outer.insert(outer.end(), inner.begin(), inner.end());
  outer.insert(outer.end(), inner.begin(), inner.end());
  FileBuilder builder;
  builder.raw("nested", 9, outer).u32("after", 5);
  Opened file(builder);
  EXPECT_EQ(value(file->getU32("after")), 5u);
  EXPECT_EQ(file->find("nested")->count, 2u);
  EXPECT_EQ(message(file->getI32s("nested")),
            "model.gguf: metadata 'nested' at byte 0x2a: element 0 of 2 is of type "
            "array, expected an integer");
}

TEST(Reader, Tensors) {
  Opened file(exampleFile());
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(file->tensors()[1].name, "norm.weight");

  const Tensor *embd = value(file->getTensor("token_embd.weight"));
  EXPECT_EQ(embd->type, TensorType::Q8_0);
  EXPECT_THAT(embd->shape(), ElementsAre(32, 3));
  EXPECT_EQ(embd->rows(), 3);
  EXPECT_EQ(embd->rowBytes(), 34);
  EXPECT_EQ(embd->bytes, 102u);
  EXPECT_EQ(embd->offset, file->dataOffset());
  EXPECT_EQ(embd->data, file.bytes.data() + embd->offset);
  EXPECT_EQ(*embd->row(2), 2 * 34);

  // 102 bytes before it, padded to 128.
  EXPECT_EQ(file->findTensor("norm.weight")->offset, file->dataOffset() + 128);
  EXPECT_EQ(file->findTensor("blk.0.ffn.weight")->elements(), 24);
  EXPECT_EQ(file->findTensor("blk.0.ffn.weight")->rank, 4u);
  EXPECT_EQ(file->findTensor("none"), nullptr);
  EXPECT_EQ(message(file->getTensor("none")),
            "model.gguf: tensor 'none' is missing: convert the model again");
}

TEST(Reader, Version2IsVersion3) {
  FileBuilder builder = exampleFile();
  builder.version = 2;
  Opened file(builder);
  EXPECT_EQ(file->version(), 2u);
  EXPECT_EQ(file->tensors().size(), 3u);
}

TEST(Reader, AlignmentFromTheFile) {
  FileBuilder builder;
  builder.alignment = 256;
  builder.u32("general.alignment", 256).tensor("a", {3}, 0, 12).tensor("b", {3}, 0, 12);
  Opened file(builder);
  EXPECT_EQ(file->alignment(), 256u);
  EXPECT_EQ(file->dataOffset() % 256, 0u);
  EXPECT_EQ(file->findTensor("b")->offset, file->dataOffset() + 256);
}

TEST(Reader, TheLastTensorNeedsNoPadding) {
  FileBuilder builder;
  builder.padEnd = false;
  builder.tensor("a", {3}, 0, 12);
  Opened file(builder);
  EXPECT_EQ(file->fileSize(), file->dataOffset() + 12);
}

TEST(Reader, WrongTypeOrRangeIsNamed) {
  Opened file(exampleFile());
  // The value begins behind the header (24), the key (8 + 20) and the type (4): byte 0x38.
  EXPECT_EQ(message(file->getU32("general.architecture")),
            "model.gguf: metadata 'general.architecture' at byte 0x38: is of type string, expected "
            "an integer");
  EXPECT_THAT(message(file->getU32("a.i8")), testing::HasSubstr("is -7, expected 0 .. 4294967295"));
  EXPECT_THAT(message(file->getI32("a.u64")),
              testing::HasSubstr("is 1099511627776, expected -2147483648 .. 2147483647"));
  EXPECT_THAT(message(file->getU32("llama.eps")),
              testing::HasSubstr("is of type f32, expected an integer"));
  EXPECT_THAT(message(file->getBool("a.u8")), testing::HasSubstr("is of type u8, expected bool"));
  EXPECT_THAT(message(file->getF32("tokens")),
              testing::HasSubstr("is of type array, expected f32"));
  EXPECT_THAT(message(file->getString("a.u8")),
              testing::HasSubstr("is of type u8, expected string"));
  EXPECT_THAT(message(file->getStrings("a.u8")),
              testing::HasSubstr("is of type u8, expected an array"));
  EXPECT_THAT(message(file->getStrings("types")),
              testing::HasSubstr("is an array of i32, expected one of strings"));
  EXPECT_THAT(message(file->getU32s("types")),
              testing::HasSubstr("element 2 of 3 is -6, expected 0 .. 4294967295"));
  EXPECT_THAT(message(file->getF32s("tokens")),
              testing::HasSubstr("element 0 of 3 is of type string, expected f32"));
  EXPECT_EQ(message(file->getU32("missing")),
            "model.gguf: metadata 'missing' is missing: convert the model again");
  EXPECT_EQ(message(file->getI32s("missing")),
            "model.gguf: metadata 'missing' is missing: convert the model again");
  // A fallback is for a missing key, not for a wrong value.
  EXPECT_THAT(message(file->getU32("a.i8", 7)), testing::HasSubstr("is -7"));
}

TEST(Reader, ScalarsAreFinite) {
  FileBuilder builder;
  builder.f32("nan", NAN).f32("inf", INFINITY).number<double>("huge", ValueType::F64, 1e300);
  Opened file(builder);
  EXPECT_THAT(message(file->getF32("nan")), testing::HasSubstr("is nan, expected a finite number"));
  EXPECT_THAT(message(file->getF32("inf")), testing::HasSubstr("expected a finite number"));
  EXPECT_THAT(message(file->getF32("huge")), testing::HasSubstr("expected a finite number"));
}

TEST(Reader, MessagesOfOthers) {
  Opened file(exampleFile());
  EXPECT_EQ(llvm::toString(file->metadataError("llama.block_count", "is odd")),
            "model.gguf: metadata 'llama.block_count' at byte 0x62: is odd");
  EXPECT_EQ(llvm::toString(file->metadataError("none", "is needed")),
            "model.gguf: metadata 'none': is needed");
  EXPECT_EQ(llvm::toString(file->tensorError("a\nb", "is odd")),
            "model.gguf: tensor 'a\\x0ab': is odd");
  EXPECT_EQ(quote(std::string(100, 'x')), "'" + std::string(80, 'x') + "...'");
  EXPECT_EQ(shapeText({64, 512}), "64x512");
}

TEST(Reader, MapsAFile) {
  std::string path = testing::TempDir() + "sinter_reader_test.gguf";
  FileBuilder builder = exampleFile();
  builder.tensor("large", {65536}, 0, 65536 * 4);
  Bytes bytes = builder.build();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  {
    std::unique_ptr<GGUFFile> file = value(GGUFFile::open(path));
    ASSERT_TRUE(file);
    EXPECT_EQ(file->path(), path);
    EXPECT_EQ(file->fileSize(), bytes.size());
    EXPECT_EQ(file->contents(), llvm::ArrayRef<uint8_t>(bytes));
    // Advice never changes what is read.
    const Tensor &large = *file->findTensor("large");
    file->adviseSequential(large);
    file->adviseDontNeed(large);
    file->adviseDontNeed(0, UINT64_MAX);
    file->adviseDontNeed(UINT64_MAX, 1);
    EXPECT_EQ(large.data[65536 * 4 - 1], 255);
    EXPECT_EQ(file->contents(), llvm::ArrayRef<uint8_t>(bytes));
  }
  std::remove(path.c_str());
}

TEST(Reader, WhatIsNoFile) {
  EXPECT_EQ(message(GGUFFile::open("/nowhere/model.gguf")),
            "/nowhere/model.gguf: cannot be opened: No such file or directory");
  EXPECT_EQ(message(GGUFFile::open("/tmp")), "/tmp: is a directory, expected a GGUF file");
  EXPECT_EQ(message(GGUFFile::open("/dev/zero")), "/dev/zero: is no regular file");
}

} // namespace
