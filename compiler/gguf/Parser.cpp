//===- Parser.cpp - Reading and checking a GGUF ---------------------------===//
//
// One pass over the file: header, metadata, tensor list, then the tensors against the data section.
// The file may hold anything: nothing is read before its bytes are known to be in the file, nothing
// is allocated before the count is known to fit into the bytes that are left, and no arithmetic on
// its numbers may wrap.
//
//===----------------------------------------------------------------------===//

#include "compiler/gguf/Parser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace sinter::gguf;
using llvm::Error;
using llvm::formatv;
using llvm::StringRef;

namespace {

// Limits of the format's specification.
constexpr uint64_t maxKeyBytes = 65535;
constexpr uint64_t maxTensorNameBytes = 64;
constexpr unsigned maxRank = 4;
constexpr uint64_t unlimited = UINT64_MAX; // string values: the file is the limit
// Nothing we know of nests arrays at all; the limit only bounds the recursion.
constexpr unsigned maxArrayDepth = 4;

// The smallest entries there can be: a name of one byte, and the smallest value or the lowest rank.
constexpr uint64_t minMetadataBytes = 8 + 1 + 4 + 1;
constexpr uint64_t minTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

constexpr StringRef truncated = "the file is truncated; download it again";
constexpr StringRef damaged = "the file is damaged; download it again";

/// Bytes of a value of fixed size, 0 for strings and arrays.
uint64_t fixedBytes(ValueType type) {
  switch (type) {
  case ValueType::U8:
  case ValueType::I8:
  case ValueType::Bool:
    return 1;
  case ValueType::U16:
  case ValueType::I16:
    return 2;
  case ValueType::U32:
  case ValueType::I32:
  case ValueType::F32:
    return 4;
  case ValueType::U64:
  case ValueType::I64:
  case ValueType::F64:
    return 8;
  case ValueType::String:
  case ValueType::Array:
    return 0;
  }
  return 0;
}

/// The fewest bytes that an element of an array can have.
uint64_t minElementBytes(ValueType type) {
  if (type == ValueType::String)
    return 8;
  if (type == ValueType::Array)
    return 4 + 8;
  return fixedBytes(type);
}

/// A key or a name that can be printed and compared: UTF-8 without control characters.
bool isReadable(StringRef text) {
  const auto *begin = reinterpret_cast<const llvm::UTF8 *>(text.begin());
  const auto *end = reinterpret_cast<const llvm::UTF8 *>(text.end());
  return llvm::isLegalUTF8String(&begin, end) &&
         llvm::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

} // namespace

Error Parser::parse() {
  if (Error e = parseHeader())
    return e;
  for (uint64_t i = 0; i < metadataCount; ++i)
    if (Error e = parseMetadataEntry(i))
      return e;
  if (Error e = readAlignment())
    return e;
  for (uint64_t i = 0; i < tensorCount; ++i)
    if (Error e = parseTensor(i))
      return e;
  return placeTensors();
}

Error Parser::fail(const llvm::Twine &what) const {
  return llvm::createStringError(path + ": " + what);
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

Error Parser::need(uint64_t count, const llvm::Twine &what) {
  if (count <= remaining())
    return Error::success();
  return fail(
      formatv("{0} at byte {1:x} + {2} bytes ends past the end of the file ({3} bytes): {4}",
              what.str(), position, count, bytes.size(), truncated)
          .str());
}

template <typename T> Error Parser::take(T &value, const llvm::Twine &what) {
  if (Error e = need(sizeof(T), what))
    return e;
  value = llvm::support::endian::read<T, llvm::endianness::little>(bytes.data() + position);
  position += sizeof(T);
  return Error::success();
}

Error Parser::takeString(StringRef &text, uint64_t limit, const llvm::Twine &what) {
  uint64_t start = position, length;
  if (Error e = take(length, what))
    return e;
  if (length > limit)
    return fail(
        formatv("{0} at byte {1:x} has {2} bytes, more than the {3} that the format allows: {4}",
                what.str(), start, length, limit, damaged)
            .str());
  if (Error e = need(length, what))
    return e;
  text = StringRef(reinterpret_cast<const char *>(bytes.data() + position), length);
  position += length;
  return Error::success();
}

Error Parser::takeValueType(ValueType &type, const llvm::Twine &what) {
  uint64_t start = position;
  uint32_t id;
  if (Error e = take(id, what))
    return e;
  if (id > static_cast<uint32_t>(ValueType::F64))
    return fail(formatv("{0} at byte {1:x}: unknown value type {2}; known are 0 .. 12: {3}",
                        what.str(), start, id, damaged)
                    .str());
  type = static_cast<ValueType>(id);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

Error Parser::parseHeader() {
  if (bytes.empty())
    return fail("the file is empty; download it again");
  StringRef magic(reinterpret_cast<const char *>(bytes.data()), std::min<size_t>(bytes.size(), 4));
  if (magic != "GGUF")
    return fail(
        formatv("begins with {0} and not with 'GGUF': not a GGUF model", quote(magic)).str());
  position = 4;

  if (Error e = take(result.version, "the version"))
    return e;
  // A big-endian file shows itself by a version that is small when its bytes are swapped.
  if (uint32_t swapped = llvm::byteswap(result.version);
      result.version > 0xffff && swapped <= 0xffff)
    return fail(
        formatv(
            "is a big-endian GGUF (version {0}); only little-endian files are read: convert the "
            "model again for little endian",
            swapped)
            .str());
  if (result.version == 1)
    return fail("is a GGUF of version 1, which is no longer read: convert the model again with a "
                "current converter");
  if (result.version != 2 && result.version != 3)
    return fail(
        formatv("is a GGUF of version {0}; versions 2 and 3 are read", result.version).str());

  if (Error e = take(tensorCount, "the tensor count"))
    return e;
  if (Error e = take(metadataCount, "the metadata count"))
    return e;
  if (tensorCount > remaining() / minTensorBytes)
    return fail(
        formatv(
            "the header counts {0} tensors, which do not fit into the {1} bytes that follow: {2}",
            tensorCount, remaining(), truncated)
            .str());
  if (metadataCount > remaining() / minMetadataBytes)
    return fail(formatv("the header counts {0} metadata entries, which do not fit into the {1} "
                        "bytes that follow: {2}",
                        metadataCount, remaining(), truncated)
                    .str());
  result.metadata.reserve(metadataCount);
  result.tensors.reserve(tensorCount);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Metadata
//===----------------------------------------------------------------------===//

Error Parser::parseMetadataEntry(uint64_t index) {
  std::string place = formatv("metadata entry {0} of {1}", index + 1, metadataCount);
  uint64_t start = position;
  MetadataEntry entry;
  if (Error e = takeString(entry.key, maxKeyBytes, place + ": the key"))
    return e;
  if (entry.key.empty() || !isReadable(entry.key))
    return fail(formatv("{0} at byte {1:x}: the key {2} is {3}: {4}", place, start,
                        quote(entry.key), entry.key.empty() ? "empty" : "not readable UTF-8",
                        damaged)
                    .str());
  if (!result.metadataIndex.try_emplace(entry.key, result.metadata.size()).second)
    return fail(formatv("metadata {0} at byte {1:x} is there twice: convert the model again",
                        quote(entry.key), start)
                    .str());

  std::string what = "metadata " + quote(entry.key);
  if (Error e = takeValueType(entry.type, what))
    return e;
  entry.offset = position;
  entry.elementType = entry.type;
  entry.count = 1;
  if (entry.isArray()) {
    if (Error e = takeValueType(entry.elementType, what))
      return e;
    if (Error e = take(entry.count, what))
      return e;
    entry.data = bytes.data() + position;
    if (Error e = skipElements(entry.elementType, entry.count, what, 1))
      return e;
  } else if (entry.type == ValueType::String) {
    StringRef text;
    if (Error e = takeString(text, unlimited, what))
      return e;
    entry.count = text.size();
    entry.data = text.bytes_begin();
  } else {
    entry.data = bytes.data() + position;
    if (Error e = skipElements(entry.type, 1, what, 0))
      return e;
  }
  result.metadata.push_back(entry);
  return Error::success();
}

Error Parser::skipElements(ValueType type, uint64_t count, const llvm::Twine &what,
                           unsigned depth) {
  if (depth > maxArrayDepth)
    return fail(formatv("{0} at byte {1:x}: arrays nest more than {2} deep: {3}", what.str(),
                        position, maxArrayDepth, damaged)
                    .str());
  if (count > remaining() / minElementBytes(type))
    return fail(formatv("{0} at byte {1:x}: {2} elements of type {3} do not fit into the {4} bytes "
                        "that are left: {5}",
                        what.str(), position, count, valueTypeName(type), remaining(), truncated)
                    .str());

  if (type == ValueType::Bool) {
    for (uint64_t i = 0; i < count; ++i)
      if (uint8_t byte = bytes[position + i]; byte > 1)
        return fail(formatv("{0} at byte {1:x}: {2} is no bool (0 or 1): {3}", what.str(),
                            position + i, byte, damaged)
                        .str());
  }
  if (uint64_t size = fixedBytes(type)) {
    position += count * size;
    return Error::success();
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (type == ValueType::String) {
      StringRef text;
      if (Error e = takeString(text, unlimited, what))
        return e;
      continue;
    }
    ValueType innerType;
    uint64_t innerCount;
    if (Error e = takeValueType(innerType, what))
      return e;
    if (Error e = take(innerCount, what))
      return e;
    if (Error e = skipElements(innerType, innerCount, what, depth + 1))
      return e;
  }
  return Error::success();
}

Error Parser::readAlignment() {
  auto found = result.metadataIndex.find("general.alignment");
  if (found == result.metadataIndex.end())
    return Error::success();
  const MetadataEntry &entry = result.metadata[found->second];
  if (entry.type != ValueType::U32)
    return fail(
        formatv("metadata 'general.alignment' at byte {0:x} is of type {1}, expected u32: {2}",
                entry.offset, valueTypeName(entry.type), damaged)
            .str());
  uint32_t alignment = llvm::support::endian::read32le(entry.data);
  if (alignment < 8 || !llvm::isPowerOf2_32(alignment))
    return fail(formatv("metadata 'general.alignment' at byte {0:x} is {1}, which is no power of "
                        "two from 8 on: {2}",
                        entry.offset, alignment, damaged)
                    .str());
  result.alignment = alignment;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Error Parser::parseTensor(uint64_t index) {
  std::string place = formatv("tensor {0} of {1}", index + 1, tensorCount);
  uint64_t start = position;
  Tensor tensor;
  if (Error e = takeString(tensor.name, maxTensorNameBytes, place + ": the name"))
    return e;
  if (tensor.name.empty() || !isReadable(tensor.name))
    return fail(formatv("{0} at byte {1:x}: the name {2} is {3}: {4}", place, start,
                        quote(tensor.name), tensor.name.empty() ? "empty" : "not readable UTF-8",
                        damaged)
                    .str());
  if (!result.tensorIndex.try_emplace(tensor.name, result.tensors.size()).second)
    return fail(formatv("tensor {0} at byte {1:x} is there twice: convert the model again",
                        quote(tensor.name), start)
                    .str());

  std::string what = "tensor " + quote(tensor.name);
  if (Error e = take(tensor.rank, what))
    return e;
  if (tensor.rank == 0 || tensor.rank > maxRank)
    return fail(formatv("{0}: has {1} dimensions; 1 .. {2} are possible: {3}", what, tensor.rank,
                        maxRank, damaged)
                    .str());
  tensor.ne.fill(1);
  for (unsigned i = 0; i < tensor.rank; ++i) {
    uint64_t extent;
    if (Error e = take(extent, what))
      return e;
    if (extent == 0 || extent > static_cast<uint64_t>(INT64_MAX))
      return fail(formatv("{0}: dimension {1} is {2}: {3}", what, i, extent, damaged).str());
    tensor.ne[i] = static_cast<int64_t>(extent);
  }

  uint32_t typeId;
  if (Error e = take(typeId, what))
    return e;
  std::optional<TensorType> type = tensorTypeFromId(typeId);
  if (!type) {
    StringRef withdrawn = withdrawnTypeName(typeId);
    return fail(
        withdrawn.empty()
            ? formatv("{0}: unknown type {1}: the file is damaged, or newer than this reader", what,
                      typeId)
                  .str()
            : formatv("{0}: type {1} ({2}) was withdrawn from the format: quantize the model again",
                      what, typeId, withdrawn)
                  .str());
  }
  tensor.type = *type;
  // Relative to the data section for now: where that begins is known after the last tensor.
  if (Error e = take(tensor.offset, what))
    return e;
  if (Error e = sizeTensor(tensor, what))
    return e;
  result.tensors.push_back(tensor);
  return Error::success();
}

Error Parser::sizeTensor(Tensor &tensor, StringRef what) {
  int64_t block = blockElements(tensor.type);
  if (tensor.ne[0] % block != 0)
    return fail(formatv("{0}: rows of {1} weights are no multiple of {2}'s blocks of {3}: {4}",
                        what, tensor.ne[0], tensorTypeName(tensor.type), block, damaged)
                    .str());
  int64_t elements = 1, size;
  bool overflow = false;
  for (int64_t extent : tensor.ne)
    overflow |= __builtin_mul_overflow(elements, extent, &elements);
  overflow |= __builtin_mul_overflow(elements / block, blockBytes(tensor.type), &size);
  if (overflow)
    return fail(formatv("{0}: {1} weights of type {2} are more than 2^63 bytes: {3}", what,
                        shapeText(tensor.shape()), tensorTypeName(tensor.type), damaged)
                    .str());
  tensor.bytes = static_cast<uint64_t>(size);
  return Error::success();
}

Error Parser::placeTensors() {
  result.dataOffset = llvm::alignTo(position, result.alignment);
  if (result.tensors.empty())
    result.dataOffset = std::min<uint64_t>(result.dataOffset, bytes.size());

  uint64_t end = result.dataOffset;
  for (Tensor &tensor : result.tensors) {
    uint64_t offset = llvm::SaturatingAdd(result.dataOffset, tensor.offset);
    uint64_t last = llvm::SaturatingAdd(offset, tensor.bytes);
    if (last > bytes.size())
      return fail(
          formatv(
              "tensor {0}: offset {1:x} + {2} bytes ends past the end of the file ({3} bytes): {4}",
              quote(tensor.name), offset, tensor.bytes, bytes.size(), truncated)
              .str());
    if (tensor.offset % result.alignment != 0)
      return fail(formatv("tensor {0}: offset {1:x} is not aligned to {2} bytes: {3}",
                          quote(tensor.name), tensor.offset, result.alignment, damaged)
                      .str());
    tensor.offset = offset;
    tensor.data = bytes.data() + offset;
    end = std::max(end, last);
  }
  if (Error e = checkOverlaps())
    return e;

  // Writers pad the last tensor too, or do not; more than that is something that we would silently
  // ignore.
  if (bytes.size() > llvm::alignTo(end, result.alignment))
    return fail(formatv("{0} bytes follow the last tensor, which ends at {1:x}: {2}",
                        bytes.size() - end, end, damaged)
                    .str());
  return Error::success();
}

Error Parser::checkOverlaps() {
  std::vector<const Tensor *> byOffset;
  byOffset.reserve(result.tensors.size());
  for (const Tensor &tensor : result.tensors)
    byOffset.push_back(&tensor);
  // By place, and in file order where two begin together, so that the message is always the same.
  llvm::sort(byOffset, [](const Tensor *a, const Tensor *b) {
    return std::make_pair(a->offset, a) < std::make_pair(b->offset, b);
  });
  for (size_t i = 1; i < byOffset.size(); ++i) {
    const Tensor &before = *byOffset[i - 1], &tensor = *byOffset[i];
    if (before.offset + before.bytes > tensor.offset)
      return fail(formatv("tensor {0}: begins at {1:x}, inside tensor {2} ({3:x} + {4} bytes): {5}",
                          quote(tensor.name), tensor.offset, quote(before.name), before.offset,
                          before.bytes, damaged)
                      .str());
  }
  return Error::success();
}
