//===- Types.cpp - The tensor types a GGUF can hold -----------------------===//

#include "compiler/gguf/Types.h"

#include "llvm/Support/ErrorHandling.h"

using namespace sinter::gguf;

namespace {

struct TypeInfo {
  TensorType type;
  const char *name;
  int64_t blockElements;
  int64_t blockBytes;
};

// In the order of the ids; the layout behind the bytes is told in Dequantize.cpp where we compute
// with it.
constexpr TypeInfo types[] = {
    {TensorType::F32, "f32", 1, 4},
    {TensorType::F16, "f16", 1, 2},
    {TensorType::Q4_0, "q4_0", 32, 18},
    {TensorType::Q4_1, "q4_1", 32, 20},
    {TensorType::Q5_0, "q5_0", 32, 22},
    {TensorType::Q5_1, "q5_1", 32, 24},
    {TensorType::Q8_0, "q8_0", 32, 34},
    {TensorType::Q8_1, "q8_1", 32, 36},
    {TensorType::Q2_K, "q2_k", 256, 84},
    {TensorType::Q3_K, "q3_k", 256, 110},
    {TensorType::Q4_K, "q4_k", 256, 144},
    {TensorType::Q5_K, "q5_k", 256, 176},
    {TensorType::Q6_K, "q6_k", 256, 210},
    {TensorType::Q8_K, "q8_k", 256, 292},
    {TensorType::IQ2_XXS, "iq2_xxs", 256, 66},
    {TensorType::IQ2_XS, "iq2_xs", 256, 74},
    {TensorType::IQ3_XXS, "iq3_xxs", 256, 98},
    {TensorType::IQ1_S, "iq1_s", 256, 50},
    {TensorType::IQ4_NL, "iq4_nl", 32, 18},
    {TensorType::IQ3_S, "iq3_s", 256, 110},
    {TensorType::IQ2_S, "iq2_s", 256, 82},
    {TensorType::IQ4_XS, "iq4_xs", 256, 136},
    {TensorType::I8, "i8", 1, 1},
    {TensorType::I16, "i16", 1, 2},
    {TensorType::I32, "i32", 1, 4},
    {TensorType::I64, "i64", 1, 8},
    {TensorType::F64, "f64", 1, 8},
    {TensorType::IQ1_M, "iq1_m", 256, 56},
    {TensorType::BF16, "bf16", 1, 2},
    {TensorType::TQ1_0, "tq1_0", 256, 54},
    {TensorType::TQ2_0, "tq2_0", 256, 66},
    {TensorType::MXFP4, "mxfp4", 32, 17},
    {TensorType::NVFP4, "nvfp4", 64, 36},
    {TensorType::Q1_0, "q1_0", 128, 18},
    {TensorType::Q2_0, "q2_0", 64, 18},
};

const TypeInfo &info(TensorType type) {
  for (const TypeInfo &entry : types)
    if (entry.type == type)
      return entry;
  llvm_unreachable("a TensorType is always one of the table");
}

} // namespace

std::optional<TensorType> sinter::gguf::tensorTypeFromId(uint32_t id) {
  for (const TypeInfo &entry : types)
    if (static_cast<uint32_t>(entry.type) == id)
      return entry.type;
  return std::nullopt;
}

std::optional<TensorType> sinter::gguf::tensorTypeFromName(llvm::StringRef name) {
  for (const TypeInfo &entry : types)
    if (name == entry.name)
      return entry.type;
  return std::nullopt;
}

llvm::StringRef sinter::gguf::withdrawnTypeName(uint32_t id) {
  switch (id) {
  case 4:
    return "q4_2";
  case 5:
    return "q4_3";
  case 31:
    return "q4_0_4_4";
  case 32:
    return "q4_0_4_8";
  case 33:
    return "q4_0_8_8";
  case 36:
    return "iq4_nl_4_4";
  case 37:
    return "iq4_nl_4_8";
  case 38:
    return "iq4_nl_8_8";
  default:
    return "";
  }
}

llvm::StringRef sinter::gguf::tensorTypeName(TensorType type) { return info(type).name; }
int64_t sinter::gguf::blockElements(TensorType type) { return info(type).blockElements; }
int64_t sinter::gguf::blockBytes(TensorType type) { return info(type).blockBytes; }
