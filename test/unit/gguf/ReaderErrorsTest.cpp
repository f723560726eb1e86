//===- ReaderErrorsTest.cpp - Each way in which a file can be wrong -------===//

#include "FileBuilder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace sinter::gguf;
using namespace sinter::gguf::test;
using testing::HasSubstr;

namespace {

std::string parseMessage(const Bytes &bytes) {
  llvm::Expected<std::unique_ptr<GGUFFile>> file = GGUFFile::parse(bytes, "model.gguf");
  std::string text = file ? "no error" : llvm::toString(file.takeError());
  // One line, which begins with the name.
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  if (text != "no error") {
    EXPECT_EQ(text.rfind("model.gguf: ", 0), 0u) << text;
  }
  return text;
}

std::string parseMessage(const FileBuilder &builder) { return parseMessage(builder.build()); }

Bytes toBytes(llvm::StringRef text) { return Bytes(text.bytes_begin(), text.bytes_end()); }

TEST(ReaderErrors, Header) {
  EXPECT_EQ(parseMessage(Bytes()), "model.gguf: the file is empty; download it again");
  EXPECT_EQ(parseMessage(toBytes("<html>")),
            "model.gguf: begins with '<htm' and not with 'GGUF': not a GGUF model");
  EXPECT_EQ(parseMessage(toBytes("GG")),
            "model.gguf: begins with 'GG' and not with 'GGUF': not a GGUF model");
  EXPECT_EQ(parseMessage(toBytes("GGUF\3")),
            "model.gguf: the version at byte 0x4 + 4 bytes ends past the end of the file "
            "(5 bytes): the file is truncated; download it again");
  FileBuilder file;
  file.version = 1;
  EXPECT_THAT(parseMessage(file), HasSubstr("version 1, which is no longer read"));
  file.version = 4;
  EXPECT_THAT(parseMessage(file), HasSubstr("version 4; versions 2 and 3 are read"));
  file.version = 0;
  EXPECT_THAT(parseMessage(file), HasSubstr("version 0; versions 2 and 3 are read"));
  file.version = 3u << 24;
  EXPECT_THAT(parseMessage(file), HasSubstr("is a big-endian GGUF (version 3)"));
}

TEST(ReaderErrors, Counts) {
  FileBuilder file = exampleFile();
  file.tensorCount = UINT64_MAX;
  EXPECT_THAT(
      parseMessage(file),
      HasSubstr("the header counts 18446744073709551615 tensors, which do not fit into the"));
  file = exampleFile();
  file.metadataCount = 1ull << 62;
  EXPECT_THAT(parseMessage(file),
              HasSubstr("the header counts 4611686018427387904 metadata entries"));
  // One too many: what follows is read as something that it is not.
  file = exampleFile();
  file.tensorCount = 4;
  EXPECT_NE(parseMessage(file), "no error");
  file = exampleFile();
  file.metadataCount = 17;
  EXPECT_NE(parseMessage(file), "no error");
}

TEST(ReaderErrors, EveryTruncation) {
  FileBuilder builder = exampleFile();
  builder.padEnd = false;
  Bytes whole = builder.build();
  ASSERT_EQ(parseMessage(whole), "no error");
  for (size_t size = 4; size < whole.size(); ++size) {
    std::string text =
        parseMessage(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
    EXPECT_THAT(text, HasSubstr("the file is truncated; download it again")) << size << " bytes";
  }
}

TEST(ReaderErrors, Keys) {
  EXPECT_THAT(parseMessage(FileBuilder().u32("", 1)),
              HasSubstr("metadata entry 1 of 1 at byte 0x18: the key '' is empty"));
  EXPECT_THAT(parseMessage(FileBuilder().u32("a\xff", 1)),
              HasSubstr("the key 'a\\xff' is not readable UTF-8"));
  EXPECT_THAT(parseMessage(FileBuilder().u32("a\n", 1)),
              HasSubstr("the key 'a\\x0a' is not readable UTF-8"));
  EXPECT_THAT(parseMessage(FileBuilder().u32("a", 1).u32("a", 1)),
              HasSubstr("metadata 'a' at byte 0x29 is there twice"));
  EXPECT_THAT(parseMessage(FileBuilder().u32(std::string(65536, 'k'), 1)),
              HasSubstr("has 65536 bytes, more than the 65535 that the format allows"));
  EXPECT_EQ(parseMessage(FileBuilder().u32(std::string(65535, 'k'), 1)), "no error");
}

TEST(ReaderErrors, Values) {
  EXPECT_THAT(parseMessage(FileBuilder().raw("a", 13, {0, 0, 0, 0})),
              HasSubstr("metadata 'a' at byte 0x21: unknown value type 13"));
  EXPECT_THAT(parseMessage(FileBuilder().number<uint8_t>("a", ValueType::Bool, 2)),
              HasSubstr("2 is no bool (0 or 1)"));
  EXPECT_THAT(parseMessage(FileBuilder().array<uint8_t>("a", ValueType::Bool, {0, 1, 9})),
              HasSubstr("at byte 0x33: 9 is no bool (0 or 1)"));
  EXPECT_THAT(parseMessage(FileBuilder().raw("a", 8, {255, 255, 255, 255, 255, 255, 255, 255})),
              HasSubstr("truncated"));
  EXPECT_THAT(
      parseMessage(FileBuilder().raw("a", 9, FileBuilder::arrayHead(ValueType::U64, 1ull << 61))),
      HasSubstr(
          "2305843009213693952 elements of type u64 do not fit into the 0 bytes that are left"));
  EXPECT_THAT(parseMessage(
                  FileBuilder().raw("a", 9, FileBuilder::arrayHead(ValueType::String, UINT64_MAX))),
              HasSubstr("elements of type string do not fit"));
  EXPECT_THAT(parseMessage(
                  FileBuilder().raw("a", 9, FileBuilder::arrayHead(static_cast<ValueType>(99), 1))),
              HasSubstr("unknown value type 99"));

  Bytes deep;
  for (int i = 0; i < 1000; ++i) {
    Bytes head = FileBuilder::arrayHead(ValueType::Array, 1);
    deep.insert(deep.end(), head.begin(), head.end());
  }
  EXPECT_THAT(parseMessage(FileBuilder().raw("a", 9, deep)),
              HasSubstr("arrays nest more than 4 deep"));
}

TEST(ReaderErrors, Alignment) {
  for (uint32_t bad : {0u, 1u, 4u, 33u, 48u, 0xffffffffu})
    EXPECT_THAT(parseMessage(FileBuilder().u32("general.alignment", bad)),
                HasSubstr("is " + std::to_string(bad) + ", which is no power of two from 8 on"));
  EXPECT_THAT(parseMessage(FileBuilder().string("general.alignment", "32")),
              HasSubstr("is of type string, expected u32"));
  // Data would begin at 2 GiB.
  EXPECT_THAT(
      parseMessage(FileBuilder().u32("general.alignment", 1u << 31).tensor("a", {8}, 0, 32)),
      HasSubstr("tensor 'a': offset 0x80000000 + 32 bytes ends past the end of the file"));
}

TEST(ReaderErrors, TensorNames) {
  EXPECT_THAT(parseMessage(FileBuilder().tensor("", {8}, 0, 32)),
              HasSubstr("tensor 1 of 1 at byte 0x18: the name '' is empty"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("\x80", {8}, 0, 32)),
              HasSubstr("the name '\\x80' is not readable UTF-8"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor(std::string(65, 'n'), {8}, 0, 32)),
              HasSubstr("has 65 bytes, more than the 64"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {8}, 0, 32).tensor("a", {8}, 0, 32)),
              HasSubstr("tensor 'a' at byte 0x39 is there twice"));
}

TEST(ReaderErrors, TensorShapes) {
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {}, 0, 32).tensor("b", {8}, 0, 32)),
              HasSubstr("tensor 'a': has 0 dimensions; 1 .. 4 are possible"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {1, 1, 1, 1, 1}, 0, 32)),
              HasSubstr("tensor 'a': has 5 dimensions"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {8, 0}, 0, 32)),
              HasSubstr("tensor 'a': dimension 1 is 0"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {1ull << 63}, 0, 32)),
              HasSubstr("tensor 'a': dimension 0 is 9223372036854775808"));
  // The product of the dimensions wraps; then only that of the bytes does.
  EXPECT_THAT(
      parseMessage(FileBuilder().tensor("a", {1ull << 32, 1ull << 32}, 0, 32)),
      HasSubstr("tensor 'a': 4294967296x4294967296 weights of type f32 are more than 2^63 bytes"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {1ull << 31, 1ull << 31}, 0, 32)),
              HasSubstr("more than 2^63 bytes"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {33}, 2, 36)),
              HasSubstr("tensor 'a': rows of 33 weights are no multiple of q4_0's blocks of 32"));
  // 32 weights in all do not help where the row has 16.
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {16, 2}, 2, 18)),
              HasSubstr("rows of 16 weights"));
}

TEST(ReaderErrors, TensorTypes) {
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {8}, 999, 32)),
              HasSubstr("tensor 'a': unknown type 999"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {32}, 31, 32)),
              HasSubstr("tensor 'a': type 31 (q4_0_4_4) was withdrawn from the format: quantize "
                        "the model again"));
}

TEST(ReaderErrors, TensorPlaces) {
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {8}, 0, 32).tensor("b", {9}, 0, 0)),
              HasSubstr("tensor 'b': offset 0x80 + 36 bytes ends past the end of the file (128 "
                        "bytes): the file is "
                        "truncated; download it again"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {8}, 0, 32, UINT64_MAX - 31)),
              HasSubstr("tensor 'a': offset 0xffffffffffffffff + 32 bytes ends past"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {4}, 0, 32, 4)),
              HasSubstr("tensor 'a': offset 0x4 is not aligned to 32 bytes"));
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {16}, 0, 64).tensor("b", {8}, 0, 32, 32)),
              HasSubstr("tensor 'b': begins at 0x80, inside tensor 'a' (0x60 + 64 bytes)"));
  // The same place, listed the other way around in the file.
  EXPECT_THAT(parseMessage(FileBuilder().tensor("a", {8}, 0, 32, 32).tensor("b", {16}, 0, 64, 0)),
              HasSubstr("tensor 'a': begins at 0x80, inside tensor 'b'"));
}

TEST(ReaderErrors, BytesAfter) {
  Bytes bytes = exampleFile().build();
  bytes.insert(bytes.end(), 33, 0);
  // 48 bytes of the last tensor are padded to 64: 16 + 33.
  EXPECT_THAT(parseMessage(bytes), HasSubstr("49 bytes follow the last tensor"));
}

} // namespace
