//===- Reader.h - A GGUF file, mapped and checked -------------------------===//
//
// GGUFFile maps a model file read-only and checks all of it that is not weights before it hands out
// anything: every count, size and offset against the file, every name and key for uniqueness, every
// tensor for place and overlap. Afterwards look-ups cannot leave the mapping. Strings and tensor
// data point into it and live as long as the GGUFFile.
//
//   file := "GGUF" version:u32 tensors:u64 entries:u64 entry* tensor* padding data
//   entry := key:string type:u32 value           string := length:u64 bytes        all little
//   endian tensor := name:string rank:u32 ne:u64[rank] type:u32 offset:u64      offset is relative
//   to data
//
// Read: versions 2 and 3. What the numbers mean (is this a llama? do the shapes agree?) is the
// importer's business.
//
//===----------------------------------------------------------------------===//

#ifndef SINTER_COMPILER_GGUF_READER_H
#define SINTER_COMPILER_GGUF_READER_H

#include "compiler/gguf/Types.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinter::gguf {

/// Types of metadata values; the values are the ids in the file.
enum class ValueType : uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12,
};

/// "u32", "string", ...
llvm::StringRef valueTypeName(ValueType type);

/// One key with its value. `data` is the first byte of the value: of the number, of a string's
/// bytes, of an array's first element (strings in arrays keep their length prefix).
struct MetadataEntry {
  llvm::StringRef key;
  ValueType type;
  ValueType elementType; ///< of an array; equal to `type` otherwise
  uint64_t count;        ///< elements of an array, bytes of a string, else 1
  uint64_t offset;       ///< of the value in the file, for messages
  const uint8_t *data;

  bool isArray() const { return type == ValueType::Array; }
};

/// One tensor. `ne` is in ggml's order, the dimension that is contiguous in memory first: a matrix
/// of a linear layer is {in, out}. Dimensions beyond `rank` are 1.
struct Tensor {
  llvm::StringRef name;
  TensorType type;
  unsigned rank; ///< 1 .. 4
  std::array<int64_t, 4> ne;
  uint64_t offset;     ///< from the start of the file
  uint64_t bytes;      ///< without padding
  const uint8_t *data; ///< aligned to GGUFFile::alignment() and no more

  llvm::ArrayRef<int64_t> shape() const { return llvm::ArrayRef(ne).take_front(rank); }
  int64_t elements() const { return ne[0] * rows(); }
  int64_t rows() const { return ne[1] * ne[2] * ne[3]; }
  int64_t rowBytes() const { return gguf::rowBytes(type, ne[0]); }
  const uint8_t *row(int64_t index) const { return data + index * rowBytes(); }
};

/// "64x512", fastest dimension first.
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// `text` in single quotes, control and non-ASCII bytes as \xNN, cut after 80 characters: safe in
/// one line of a message whatever the file holds.
std::string quote(llvm::StringRef text);

/// What a file holds besides its weights, in file order.
struct Directory {
  uint32_t version = 0;
  uint64_t alignment = 32;
  uint64_t dataOffset = 0;
  std::vector<MetadataEntry> metadata;
  std::vector<Tensor> tensors;
  llvm::StringMap<size_t> metadataIndex, tensorIndex;
};

class GGUFFile {
public:
  /// Maps `path` and checks it. The error's text is one line that begins with the path.
  static llvm::Expected<std::unique_ptr<GGUFFile>> open(llvm::StringRef path);

  /// The same for bytes in memory, which are not copied and must outlive the result. `name` takes
  /// the place of the path in messages.
  static llvm::Expected<std::unique_ptr<GGUFFile>> parse(llvm::ArrayRef<uint8_t> bytes,
                                                         llvm::StringRef name);

  ~GGUFFile();
  GGUFFile(const GGUFFile &) = delete;
  GGUFFile &operator=(const GGUFFile &) = delete;

  llvm::StringRef path() const { return filePath; }
  uint64_t fileSize() const { return bytes.size(); }
  llvm::ArrayRef<uint8_t> contents() const { return bytes; }
  uint32_t version() const { return directory.version; }
  uint64_t alignment() const { return directory.alignment; }
  /// Where tensor data begins.
  uint64_t dataOffset() const { return directory.dataOffset; }

  /// In file order.
  llvm::ArrayRef<MetadataEntry> metadata() const { return directory.metadata; }
  llvm::ArrayRef<Tensor> tensors() const { return directory.tensors; }

  /// Null if there is none.
  const MetadataEntry *find(llvm::StringRef key) const;
  const Tensor *findTensor(llvm::StringRef name) const;
  bool has(llvm::StringRef key) const { return find(key) != nullptr; }

  // Typed look-ups. A value of another type, or out of range, is an error that names file, key,
  // value and offset. A missing key is one too, unless a fallback is given. Integers may be stored
  // in any integer type that holds the value; getF32 also takes f64 and integers, and refuses NaN
  // and infinities.
  llvm::Expected<uint32_t> getU32(llvm::StringRef key,
                                  std::optional<uint32_t> fallback = std::nullopt) const;
  llvm::Expected<int32_t> getI32(llvm::StringRef key,
                                 std::optional<int32_t> fallback = std::nullopt) const;
  llvm::Expected<uint64_t> getU64(llvm::StringRef key,
                                  std::optional<uint64_t> fallback = std::nullopt) const;
  llvm::Expected<float> getF32(llvm::StringRef key,
                               std::optional<float> fallback = std::nullopt) const;
  llvm::Expected<bool> getBool(llvm::StringRef key,
                               std::optional<bool> fallback = std::nullopt) const;
  llvm::Expected<llvm::StringRef>
  getString(llvm::StringRef key, std::optional<llvm::StringRef> fallback = std::nullopt) const;

  // Arrays; a missing key is an error (ask has() first where it is optional). Elements convert as
  // above, except that floats are handed out as they are stored, NaN included: what they mean
  // decides whether that is an error.
  llvm::Expected<std::vector<llvm::StringRef>> getStrings(llvm::StringRef key) const;
  llvm::Expected<std::vector<int32_t>> getI32s(llvm::StringRef key) const;
  llvm::Expected<std::vector<uint32_t>> getU32s(llvm::StringRef key) const;
  llvm::Expected<std::vector<float>> getF32s(llvm::StringRef key) const;
  llvm::Expected<std::vector<bool>> getBools(llvm::StringRef key) const;

  /// The tensor, or an error that names it.
  llvm::Expected<const Tensor *> getTensor(llvm::StringRef name) const;

  // Messages in the form of the reader's own, for those who check what the values mean:
  //   model.gguf: metadata 'llama.block_count' at byte 0x1c2: <what>
  //   model.gguf: tensor 'blk.0.attn_q.weight': <what>
  llvm::Error error(const llvm::Twine &what) const;
  llvm::Error metadataError(llvm::StringRef key, const llvm::Twine &what) const;
  llvm::Error tensorError(llvm::StringRef name, const llvm::Twine &what) const;

  // Hints to the kernel for reading weights as a stream, so that a file of many GB does not stay
  // resident. Ranges outside the file are cut; files that are not mapped ignore them.
  /// Pages will be read once, in order: read ahead.
  void adviseSequential(const Tensor &tensor) const;
  /// Pages lying wholly in the tensor's bytes will not be read again soon.
  void adviseDontNeed(const Tensor &tensor) const;
  /// The same for any range of the file.
  void adviseDontNeed(uint64_t offset, uint64_t size) const;

private:
  GGUFFile(llvm::StringRef path, llvm::ArrayRef<uint8_t> bytes, bool mapped)
      : filePath(path), bytes(bytes), mapped(mapped) {}

  llvm::Error read();

  std::string filePath;
  llvm::ArrayRef<uint8_t> bytes;
  bool mapped;
  Directory directory;
};

} // namespace sinter::gguf

#endif // SINTER_COMPILER_GGUF_READER_H
