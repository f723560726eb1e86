//===- Reader.cpp - A GGUF file, mapped and checked -----------------------===//

#include "compiler/gguf/Reader.h"
#include "compiler/gguf/Parser.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/mman.h>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

using namespace sinter::gguf;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;
using llvm::StringRef;

namespace {

template <typename T> T load(const uint8_t *data) {
  return llvm::support::endian::read<T, llvm::endianness::little>(data);
}

/// Calls `visit` with the integer at `data` in its own type; false if `type` is no integer.
template <typename Visitor> bool visitInteger(ValueType type, const uint8_t *data, Visitor visit) {
  switch (type) {
  case ValueType::U8:
    return visit(load<uint8_t>(data)), true;
  case ValueType::I8:
    return visit(load<int8_t>(data)), true;
  case ValueType::U16:
    return visit(load<uint16_t>(data)), true;
  case ValueType::I16:
    return visit(load<int16_t>(data)), true;
  case ValueType::U32:
    return visit(load<uint32_t>(data)), true;
  case ValueType::I32:
    return visit(load<int32_t>(data)), true;
  case ValueType::U64:
    return visit(load<uint64_t>(data)), true;
  case ValueType::I64:
    return visit(load<int64_t>(data)), true;
  case ValueType::F32:
  case ValueType::F64:
  case ValueType::Bool:
  case ValueType::String:
  case ValueType::Array:
    return false;
  }
  return false;
}

unsigned valueBytes(ValueType type) {
  unsigned bytes = 0;
  if (visitInteger(type, reinterpret_cast<const uint8_t *>("\0\0\0\0\0\0\0"),
                   [&](auto v) { bytes = sizeof(v); }))
    return bytes;
  return type == ValueType::Bool ? 1 : type == ValueType::F32 ? 4 : 8;
}

/// The number at `data` as a T; on failure nothing, and `why` says what is there instead.
template <typename T>
std::optional<T> convert(ValueType type, const uint8_t *data, std::string &why) {
  std::optional<T> result;
  if constexpr (std::is_same_v<T, bool>) {
    if (type == ValueType::Bool)
      return *data != 0;
    why = formatv("is of type {0}, expected bool", valueTypeName(type));
  } else if constexpr (std::is_floating_point_v<T>) {
    if (type == ValueType::F32)
      return llvm::bit_cast<float>(load<uint32_t>(data));
    if (type == ValueType::F64)
      return static_cast<T>(llvm::bit_cast<double>(load<uint64_t>(data)));
    if (!visitInteger(type, data, [&](auto v) { result = static_cast<T>(v); }))
      why = formatv("is of type {0}, expected f32", valueTypeName(type));
  } else {
    bool isInteger = visitInteger(type, data, [&](auto v) {
      if (std::in_range<T>(v))
        result = static_cast<T>(v);
      else
        why = formatv("is {0}, expected {1} .. {2}", +v, std::numeric_limits<T>::min(),
                      std::numeric_limits<T>::max());
    });
    if (!isInteger)
      why = formatv("is of type {0}, expected an integer", valueTypeName(type));
  }
  return result;
}

/// A scalar of type T, the fallback where the key is missing.
template <typename T>
Expected<T> getScalar(const GGUFFile &file, StringRef key, std::optional<T> fallback) {
  const MetadataEntry *entry = file.find(key);
  if (!entry) {
    if (fallback)
      return *fallback;
    return file.error("metadata " + quote(key) + " is missing: convert the model again");
  }
  std::string why;
  if (std::optional<T> value = convert<T>(entry->type, entry->data, why))
    return *value;
  return file.metadataError(key, why);
}

Expected<const MetadataEntry *> getArray(const GGUFFile &file, StringRef key) {
  const MetadataEntry *entry = file.find(key);
  if (!entry)
    return file.error("metadata " + quote(key) + " is missing: convert the model again");
  if (!entry->isArray())
    return file.metadataError(key,
                              "is of type " + valueTypeName(entry->type) + ", expected an array");
  return entry;
}

/// Writers give an empty array any element type, so that is not looked at where there is no
/// element.
template <typename T> Expected<std::vector<T>> getNumbers(const GGUFFile &file, StringRef key) {
  Expected<const MetadataEntry *> entry = getArray(file, key);
  if (!entry)
    return entry.takeError();
  const MetadataEntry &array = **entry;
  std::vector<T> values;
  values.reserve(array.count);
  unsigned stride = valueBytes(array.elementType);
  std::string why;
  for (uint64_t i = 0; i < array.count; ++i) {
    std::optional<T> value = convert<T>(array.elementType, array.data + i * stride, why);
    if (!value)
      return file.metadataError(key, formatv("element {0} of {1} {2}", i, array.count, why).str());
    values.push_back(*value);
  }
  return values;
}

} // namespace

StringRef sinter::gguf::valueTypeName(ValueType type) {
  static constexpr const char *names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                          "bool", "string", "array", "u64", "i64", "f64"};
  return names[static_cast<uint32_t>(type)];
}

std::string sinter::gguf::shapeText(llvm::ArrayRef<int64_t> shape) {
  return llvm::join(llvm::map_range(shape, [](int64_t extent) { return std::to_string(extent); }),
                    "x");
}

std::string sinter::gguf::quote(StringRef text) {
  constexpr size_t longest = 80;
  std::string result = "'";
  for (unsigned char c : text.take_front(longest)) {
    if (c >= 0x20 && c < 0x7f)
      result += static_cast<char>(c);
    else
      result += formatv("\\x{0}", llvm::utohexstr(c, /*LowerCase=*/true, /*Width=*/2)).str();
  }
  return result + (text.size() > longest ? "...'" : "'");
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<GGUFFile>> GGUFFile::open(StringRef path) {
  std::string name = path.str();
  auto fail = [&](const llvm::Twine &what) { return llvm::createStringError(path + ": " + what); };
  // A named pipe without a writer would block open() for ever.
  int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return fail("cannot be opened: " + llvm::sys::StrError());
  auto close = llvm::make_scope_exit([&] { ::close(descriptor); });
  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return fail("cannot be read: " + llvm::sys::StrError());
  if (!S_ISREG(status.st_mode))
    return fail(S_ISDIR(status.st_mode) ? "is a directory, expected a GGUF file"
                                        : "is no regular file");

  llvm::ArrayRef<uint8_t> bytes;
  if (size_t size = static_cast<size_t>(status.st_size)) {
    void *address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED)
      return fail("cannot be mapped: " + llvm::sys::StrError());
    bytes = llvm::ArrayRef(static_cast<const uint8_t *>(address), size);
  }
  std::unique_ptr<GGUFFile> file(new GGUFFile(path, bytes, /*mapped=*/true));
  if (Error e = file->read())
    return e;
  return file;
}

Expected<std::unique_ptr<GGUFFile>> GGUFFile::parse(llvm::ArrayRef<uint8_t> bytes, StringRef name) {
  std::unique_ptr<GGUFFile> file(new GGUFFile(name, bytes, /*mapped=*/false));
  if (Error e = file->read())
    return e;
  return file;
}

Error GGUFFile::read() {
  Parser parser(bytes, filePath);
  if (Error e = parser.parse())
    return e;
  directory = std::move(parser.result);
  return Error::success();
}

GGUFFile::~GGUFFile() {
  if (mapped && !bytes.empty())
    ::munmap(const_cast<uint8_t *>(bytes.data()), bytes.size());
}

//===----------------------------------------------------------------------===//
// Looking up
//===----------------------------------------------------------------------===//

const MetadataEntry *GGUFFile::find(StringRef key) const {
  auto found = directory.metadataIndex.find(key);
  return found == directory.metadataIndex.end() ? nullptr : &directory.metadata[found->second];
}

const Tensor *GGUFFile::findTensor(StringRef name) const {
  auto found = directory.tensorIndex.find(name);
  return found == directory.tensorIndex.end() ? nullptr : &directory.tensors[found->second];
}

Expected<const Tensor *> GGUFFile::getTensor(StringRef name) const {
  if (const Tensor *tensor = findTensor(name))
    return tensor;
  return error("tensor " + quote(name) + " is missing: convert the model again");
}

Expected<uint32_t> GGUFFile::getU32(StringRef key, std::optional<uint32_t> fallback) const {
  return getScalar<uint32_t>(*this, key, fallback);
}

Expected<int32_t> GGUFFile::getI32(StringRef key, std::optional<int32_t> fallback) const {
  return getScalar<int32_t>(*this, key, fallback);
}

Expected<uint64_t> GGUFFile::getU64(StringRef key, std::optional<uint64_t> fallback) const {
  return getScalar<uint64_t>(*this, key, fallback);
}

Expected<float> GGUFFile::getF32(StringRef key, std::optional<float> fallback) const {
  Expected<float> value = getScalar<float>(*this, key, fallback);
  if (value && !std::isfinite(*value))
    return metadataError(key, formatv("is {0}, expected a finite number", *value).str());
  return value;
}

Expected<bool> GGUFFile::getBool(StringRef key, std::optional<bool> fallback) const {
  return getScalar<bool>(*this, key, fallback);
}

Expected<StringRef> GGUFFile::getString(StringRef key, std::optional<StringRef> fallback) const {
  const MetadataEntry *entry = find(key);
  if (!entry) {
    if (fallback)
      return *fallback;
    return error("metadata " + quote(key) + " is missing: convert the model again");
  }
  if (entry->type != ValueType::String)
    return metadataError(key, "is of type " + valueTypeName(entry->type) + ", expected string");
  return StringRef(reinterpret_cast<const char *>(entry->data), entry->count);
}

Expected<std::vector<StringRef>> GGUFFile::getStrings(StringRef key) const {
  Expected<const MetadataEntry *> entry = getArray(*this, key);
  if (!entry)
    return entry.takeError();
  const MetadataEntry &array = **entry;
  std::vector<StringRef> values;
  if (array.count == 0)
    return values;
  if (array.elementType != ValueType::String)
    return metadataError(key, "is an array of " + valueTypeName(array.elementType) +
                                  ", expected one of strings");
  values.reserve(array.count);
  // The parser has walked the same lengths and found them in the file.
  const uint8_t *at = array.data;
  for (uint64_t i = 0; i < array.count; ++i) {
    uint64_t length = load<uint64_t>(at);
    values.emplace_back(reinterpret_cast<const char *>(at + 8), length);
    at += 8 + length;
  }
  return values;
}

Expected<std::vector<int32_t>> GGUFFile::getI32s(StringRef key) const {
  return getNumbers<int32_t>(*this, key);
}
Expected<std::vector<uint32_t>> GGUFFile::getU32s(StringRef key) const {
  return getNumbers<uint32_t>(*this, key);
}
Expected<std::vector<float>> GGUFFile::getF32s(StringRef key) const {
  return getNumbers<float>(*this, key);
}
Expected<std::vector<bool>> GGUFFile::getBools(StringRef key) const {
  return getNumbers<bool>(*this, key);
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

Error GGUFFile::error(const llvm::Twine &what) const {
  return llvm::createStringError(filePath + ": " + what);
}

Error GGUFFile::metadataError(StringRef key, const llvm::Twine &what) const {
  if (const MetadataEntry *entry = find(key))
    return error(
        formatv("metadata {0} at byte {1:x}: {2}", quote(key), entry->offset, what.str()).str());
  return error("metadata " + quote(key) + ": " + what);
}

Error GGUFFile::tensorError(StringRef name, const llvm::Twine &what) const {
  return error("tensor " + quote(name) + ": " + what);
}

//===----------------------------------------------------------------------===//
// Residency
//===----------------------------------------------------------------------===//

void GGUFFile::adviseSequential(const Tensor &tensor) const {
  if (!mapped || tensor.offset > bytes.size())
    return;
  uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  uint64_t begin = tensor.offset / page * page;
  uint64_t end = std::min<uint64_t>(tensor.offset + tensor.bytes, bytes.size());
  ::madvise(const_cast<uint8_t *>(bytes.data()) + begin, end - begin, MADV_SEQUENTIAL);
}

void GGUFFile::adviseDontNeed(const Tensor &tensor) const {
  adviseDontNeed(tensor.offset, tensor.bytes);
}

void GGUFFile::adviseDontNeed(uint64_t offset, uint64_t size) const {
  if (!mapped || offset > bytes.size())
    return;
  uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  uint64_t begin = llvm::alignTo(offset, page);
  uint64_t end = (offset + std::min<uint64_t>(size, bytes.size() - offset)) / page * page;
  if (begin < end)
    ::madvise(const_cast<uint8_t *>(bytes.data()) + begin, end - begin, MADV_DONTNEED);
}
