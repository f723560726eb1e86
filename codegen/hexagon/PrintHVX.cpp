//===- PrintHVX.cpp - A tile kernel as C with HVX intrinsics ------------------===//
//
// 32 rows are one vector of 128 bytes:
//
//   %q = tile.load %w[%o] : vector<32xi32>             HVX_Vector v3 = load_words(binding0 + v2);
//   %s = tile.load_uniform %x[%p] : f32          ==>   float v4 = load_float(binding1 + v1);
//   %d = tile.dot %z, [%q, ..], %c sum %n bits 8       HVX_Vector v5 = v0; v5 = dot_signed(v5, v3,
//   v6[0]); ...
//
// A lane is a word: narrower elements are widened where they are loaded, a flag is a word of ones.
// vrmpy takes unsigned bytes times signed ones, so two's complement codes go in with their top bit
// flipped (128 more each), and 128 times the sum of the activations comes off.
// Element-wise ops: HVXLanes.cpp.
//
//===----------------------------------------------------------------------===//
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/hexagon/HVXHelpers.h"
#include "codegen/hexagon/HVXPrinter.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

//===----------------------------------------------------------------------===//
// Types and scalar words
//===----------------------------------------------------------------------===//

static bool isLaneType(Type type) {
  return type.isInteger(1) || type.isInteger(8) || type.isInteger(16) || type.isInteger(32) ||
         type.isF16() || type.isF32();
}

std::string HVXPrinter::variableType(Type type) {
  if (auto vector = dyn_cast<VectorType>(type)) {
    bool fits =
        vector.getRank() == 1 && vector.getDimSize(0) >= 1 && vector.getDimSize(0) <= kTileRows;
    return fits && isLaneType(vector.getElementType()) ? "HVX_Vector" : "";
  }
  if (type.isInteger(1))
    return "bool";
  if (type.isF32() || type.isF16())
    return "float";
  return type.isIndex() || isLaneType(type) ? "uint32_t" : "";
}

std::string HVXPrinter::convert(StringRef type, StringRef expression) {
  StringRef name = type == "signed" ? "int32_t" : type == "unsigned" ? "uint32_t" : "float";
  return ("(" + name + ")(" + expression + ")").str();
}

std::string HVXPrinter::function(StringRef step) {
  static constexpr std::pair<StringLiteral, StringLiteral> builtins[] = {
      {"fma", "__builtin_fmaf"},  {"abs", "__builtin_fabsf"}, {"max", "__builtin_fmaxf"},
      {"min", "__builtin_fminf"}, {"float_suffix", "f"},      {"divide", "divide_float"},
      {"sqrt", "square_root"},    {"exp", "exponential"},
  };
  for (auto [name, c] : builtins)
    if (name == step)
      return c.str();
  static constexpr StringLiteral helpers[] = {
      "float_of_bits",   "bits_of_float",      "round_to_half", "round_even",
      "divide_unsigned", "remainder_unsigned", "divide_signed"};
  return llvm::is_contained(helpers, step) ? step.str() : "";
}

std::string HVXPrinter::constant(TypedAttr value) {
  if (!isa<VectorType>(value.getType()))
    return scalarConstant(value);
  auto splat = dyn_cast<SplatElementsAttr>(value);
  if (!splat)
    return "";
  Attribute element = splat.getSplatValue<Attribute>();
  uint32_t bits;
  if (auto number = dyn_cast<FloatAttr>(element)) {
    APFloat v = number.getValue();
    bool lossy;
    v.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lossy);
    bits = static_cast<uint32_t>(v.bitcastToAPInt().getZExtValue());
  } else if (auto flag = dyn_cast<BoolAttr>(element)) {
    bits = flag.getValue() ? ~0u : 0u;
  } else {
    bits = static_cast<uint32_t>(cast<IntegerAttr>(element).getValue().getZExtValue());
  }
  return bits == 0
             ? "Q6_V_vzero()"
             : "Q6_V_vsplat_R(0x" + llvm::utohexstr(bits, /*LowerCase=*/true, /*Width=*/8) + "u)";
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// The suffix of the functions that load and store lanes of this element.
static StringRef memoryWord(Type element) {
  if (element.isInteger(32) || element.isF32())
    return "words";
  if (element.isInteger(16))
    return "halfwords";
  if (element.isF16())
    return "halves";
  return element.isInteger(8) ? "bytes" : "";
}

LogicalResult HVXPrinter::printLoad(LoadOp op) {
  FailureOr<unsigned> binding = bindingOf(op, op.getSource());
  if (failed(binding))
    return failure();
  StringRef word = memoryWord(getElementTypeOrSelf(op.getResult().getType()));
  if (word.empty())
    return unsupported(op, "its type");
  return define(op, ("load_" + word + "(").str() + address(*binding, op.getOffset()) + ")");
}

LogicalResult HVXPrinter::printWords(Operation *op, Value memory, Value offset) {
  FailureOr<unsigned> binding = bindingOf(op, memory);
  auto type = cast<VectorType>(op->getResult(0).getType());
  if (failed(binding))
    return failure();
  bool real = type.getElementType().isF32();
  if (type.getRank() != 1 || (!real && !type.getElementType().isInteger(32)))
    return unsupported(op, "its type");
  std::string name = fresh(), base = fresh(), load = real ? "load_float" : "load_word";
  line() << "const uint8_t *" << base << " = " << address(*binding, offset) << ";\n";
  line() << "const " << (real ? "float " : "uint32_t ") << name << "[" << type.getDimSize(0)
         << "] = {";
  for (int64_t i = 0; i < type.getDimSize(0); ++i)
    out << (i ? ", " : "") << load << "(" << base << (i ? " + " + std::to_string(4 * i) : "")
        << ")";
  out << "};\n";
  setName(op->getResult(0), name);
  return success();
}

LogicalResult HVXPrinter::printStore(StoreOp op) {
  FailureOr<unsigned> binding = bindingOf(op, op.getTarget());
  if (failed(binding))
    return failure();
  auto type = cast<VectorType>(op.getValue().getType());
  StringRef word = memoryWord(type.getElementType());
  if (word.empty() || variableType(type).empty() || isUniformVector(op.getValue()))
    return unsupported(op, "the type that it stores");
  line() << "store_" << word << "(" << address(*binding, op.getOffset()) << ", "
         << nameOf(op.getValue()) << ", " << type.getDimSize(0) << ");\n";
  return success();
}

LogicalResult HVXPrinter::printScatter(ScatterOp op) {
  FailureOr<unsigned> binding = bindingOf(op, op.getTarget());
  if (failed(binding))
    return failure();
  auto type = cast<VectorType>(op.getValue().getType());
  Type element = type.getElementType();
  std::string value = "a.u[lane]";
  StringRef kind = element.isInteger(8) ? "uint8_t" : element.isInteger(16) ? "half_at" : "word_at";
  if (element.isF16()) {
    value = "half_of_float(a.f[lane])";
    kind = "half_at";
  }
  if (memoryWord(element).empty() || variableType(type).empty())
    return unsupported(op, "the type that it stores");
  line() << "{ lanes_of a = {" << nameOf(op.getValue()) << "}, offsets = {"
         << nameOf(op.getOffsets()) << "};\n";
  line() << "  for (uint32_t lane = 0; lane < " << type.getDimSize(0) << " && lane < "
         << nameOf(op.getLanes()) << "; ++lane)\n";
  line() << "    *(" << kind << " *)(" << address(*binding, op.getBase())
         << " + offsets.u[lane]) = " << value << "; }\n";
  return success();
}

LogicalResult HVXPrinter::printGather(GatherOp op) {
  FailureOr<unsigned> binding = bindingOf(op, op.getSource());
  if (failed(binding))
    return failure();
  auto type = cast<VectorType>(op.getResult().getType());
  Type element = type.getElementType();
  if (memoryWord(element).empty() || variableType(type).empty())
    return unsupported(op, "its type");
  StringRef kind = element.isInteger(8)                    ? "uint8_t"
                   : element.getIntOrFloatBitWidth() == 16 ? "half_at"
                                                           : "word_at";
  std::string name = fresh(), value = "*(const " + kind.str() + " *)(" +
                                      address(*binding, op.getBase()) + " + offsets.u[lane])";
  line() << "HVX_Vector " << name << ";\n";
  line() << "{ lanes_of offsets = {" << nameOf(op.getOffsets()) << "}, r = {Q6_V_vzero()};\n";
  line() << "  for (uint32_t lane = 0; lane < " << type.getDimSize(0) << "; ++lane) r."
         << (element.isF16() ? "f[lane] = float_of_half(" + value + ")" : "u[lane] = " + value)
         << ";\n";
  line() << "  " << name << " = r.v; }\n";
  setName(op.getResult(), name);
  return success();
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

LogicalResult HVXPrinter::printDot(DotOp op) {
  if (!isUniformVector(op.getX()))
    return unsupported(op, "its activations are not words that are the same in all lanes");
  if (op.getCrossed())
    return unsupported(op, "vrmpy multiplies as many bytes as it adds");
  bool integer = getElementTypeOrSelf(op.getResult().getType()).isInteger(32);
  bool twosComplement = integer && op.getBits() == 8 && !op.getUnsignedCodes() && !op.getPositive();
  if (twosComplement && !op.getStart())
    return unsupported(op, "vrmpy takes unsigned bytes, and without the start of the activations nothing can be taken off");
  if (failed(define(op, nameOf(op.getInit()))))
    return failure();
  std::string sum = nameOf(op.getResult()), x = nameOf(op.getX());
  StringRef dot = "Q6_Vw_vrmpyacc_VwVubRb";
  if (twosComplement)
    dot = "dot_signed";
  else if (!integer)
    dot = "multiply_add_float";
  for (auto [q, code] : llvm::enumerate(op.getCodes())) {
    std::string word = x + "[" + std::to_string(op.getFirst() + q) + "]";
    if (op.getPositive())
      line() << sum << " = Q6_Vw_vrmpyacc_VwVubVb(" << sum << ", Q6_V_vsplat_R(" << word << "), " << nameOf(code) << ");\n";
    else
      line() << sum << " = " << dot << "(" << sum << ", " << nameOf(code) << ", " << word << ");\n";
  }
  if (twosComplement)
    line() << sum << " = Q6_Vw_vadd_VwVw(" << sum << ", Q6_V_vsplat_R(" << nameOf(op.getStart())
           << " << 4));\n";
  return success();
}

LogicalResult HVXPrinter::printReduce(ReduceOp op) {
  auto from = cast<VectorType>(op.getSource().getType());
  Type element = from.getElementType();
  if (from.getRank() != 1 || variableType(from).empty() ||
      !(element.isF32() || element.isInteger(32)))
    return unsupported(op, "of this type");
  int64_t lanes = op.getLanes() ? static_cast<int64_t>(*op.getLanes()) : from.getDimSize(0);
  StringRef kind = op.getKind() == ReduceKind::Add ? "reduce_add_" : "reduce_max_";
  return define(op, (kind + (element.isF32() ? "f32" : "i32") + "(").str() +
                        nameOf(op.getSource()) + ", " + std::to_string(lanes) + ")");
}

LogicalResult HVXPrinter::printConcat(ConcatOp op) {
  std::string text = nameOf(op.getParts()[0]);
  int64_t lanes = 0;
  for (auto [i, part] : llvm::enumerate(op.getParts())) {
    if (i > 0)
      text = "join_lanes(" + text + ", " + std::to_string(lanes) + ", " + nameOf(part) + ")";
    lanes += cast<VectorType>(part.getType()).getShape().back();
  }
  return define(op, text);
}

LogicalResult HVXPrinter::printSpread(SpreadOp op) {
  for (Type type : op.getWords().getTypes())
    if (cast<VectorType>(type).getDimSize(0) != 1)
      return unsupported(op, "words of more than one row");
  bool integer = getElementTypeOrSelf(op.getWords()[0].getType()).isInteger(32);
  int64_t lanes = cast<VectorType>(op.getResult().getType()).getDimSize(0);
  if (lanes != static_cast<int64_t>(op.getWords().size()) * (integer ? 4 : 1) || lanes > kTileRows)
    return unsupported(op, "its type");
  std::string name = fresh();
  line() << "HVX_Vector " << name << ";\n";
  line() << "{ lanes_of r = {Q6_V_vzero()};\n";
  line() << "  const uint32_t words[] = {";
  llvm::interleaveComma(op.getWords(), out,
                        [&](Value word) { out << "Q6_R_vextract_VR(" << nameOf(word) << ", 0)"; });
  out << "};\n";
  line() << "  for (uint32_t lane = 0; lane < " << lanes << "; ++lane) r.u[lane] = ";
  if (!integer)
    out << "words[lane];\n";
  else if (op.getSignedCodes())
    out << "(uint32_t)((int32_t)(words[lane >> 2] << (24 - 8 * (lane & 3))) >> 24);\n";
  else
    out << "(words[lane >> 2] >> (8 * (lane & 3))) & 0xffu;\n";
  line() << "  " << name << " = r.v; }\n";
  setName(op.getResult(), name);
  return success();
}

LogicalResult HVXPrinter::printExtract(vector::ExtractOp op) {
  ArrayRef<int64_t> position = op.getStaticPosition();
  Type type = op.getResult().getType();
  if (op.hasDynamicPosition() || position.size() != 1 || !(type.isF32() || type.isInteger(32)))
    return unsupported(op, "other than one lane by number");
  std::string source = nameOf(op.getVector());
  if (isUniformVector(op.getVector()))
    return define(op, source + "[" + std::to_string(position[0]) + "]");
  std::string word =
      "(uint32_t)Q6_R_vextract_VR(" + source + ", " + std::to_string(4 * position[0]) + ")";
  return define(op, type.isF32() ? "float_of_bits(" + word + ")" : word);
}

LogicalResult HVXPrinter::printOp(Operation *operation) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(operation)
      .Case([&](LoadOp op) { return printLoad(op); })
      .Case([&](LoadUniformOp op) -> LogicalResult {
        Type type = op.getResult().getType();
        if (isa<VectorType>(type))
          return printWords(op, op.getSource(), op.getOffset());
        FailureOr<unsigned> binding = bindingOf(op, op.getSource());
        if (failed(binding))
          return failure();
        return define(op, std::string(type.isF32() ? "load_float" : "load_word") + "(" +
                              address(*binding, op.getOffset()) + ")");
      })
      .Case([&](StoreOp op) { return printStore(op); })
      .Case([&](StoreUniformOp op) -> LogicalResult {
        FailureOr<unsigned> binding = bindingOf(op, op.getTarget());
        if (failed(binding))
          return failure();
        line() << "*(" << (op.getValue().getType().isF32() ? "float_at" : "word_at") << " *)("
               << address(*binding, op.getOffset()) << ") = " << nameOf(op.getValue()) << ";\n";
        return success();
      })
      .Case([&](ScatterOp op) { return printScatter(op); })
      .Case([&](GatherOp op) { return printGather(op); })
      .Case([&](LanesOp op) { return define(op, "lane_numbers()"); })
      .Case([&](vector::BroadcastOp op) -> LogicalResult {
        Type type = op.getSource().getType();
        if (!(type.isF32() || type.isInteger(32)))
          return unsupported(op, "other than a scalar to lanes");
        // Where it is read, so that ops that take a scalar can.
        setName(op, std::string(type.isF32() ? "splat_float" : "Q6_V_vsplat_R") + "(" +
                        nameOf(op.getSource()) + ")");
        return success();
      })
      .Case([&](DotOp op) { return printDot(op); })
      .Case([&](LookupOp op) {
        // vlut32 takes entry i from halfword i; both of its bytes hold it.
        std::string table = fresh();
        line() << "static const lanes_of " << table << " = {.b = {";
        for (int8_t entry : op.getTable())
          out << int(uint8_t(entry)) << ", " << int(uint8_t(entry)) << ", ";
        out << "}};\n";
        return define(op, "Q6_Vb_vlut32_VbVbR(" + nameOf(op.getCodes()) + ", " + table +
                              ".v, 0)");
      })
      .Case([&](ReduceOp op) { return printReduce(op); })
      .Case(
          [&](SwapPairsOp op) { return define(op, "swap_pairs(" + nameOf(op.getSource()) + ")"); })
      .Case([&](ConcatOp op) { return printConcat(op); })
      .Case([&](SpreadOp op) { return printSpread(op); })
      .Case([&](vector::ExtractOp op) { return printExtract(op); })
      .Default([&](Operation *op) { return unsupported(op); });
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

std::string HVXPrinter::header() {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "// " << kernel.getSymName() << ": the rows of a tile are the 32 words of a vector.\n";
  if (kernel.getContract())
    os << "// " << *kernel.getContract() << '\n';
  os << R"(#include "sinter/kernel_abi.h"
#include <hexagon_types.h>
#include <hvx_hexagon_protos.h>
#include <stdbool.h>
#include <stdint.h>
#pragma STDC FP_CONTRACT OFF

typedef union { HVX_Vector v; uint32_t u[32]; float f[32]; uint8_t b[128]; } lanes_of;
typedef HVX_Vector vector_at __attribute__((aligned(1), may_alias));
typedef uint32_t word_at __attribute__((may_alias));
typedef uint16_t half_at __attribute__((may_alias));
typedef float float_at __attribute__((may_alias));
)";
  // A helper stands behind those that it uses, so users are met first from the end.
  auto isCalled = [](StringRef text, StringRef name) { return text.contains((name + "(").str()); };
  SmallVector<StringRef> used;
  for (const TextHelper &helper : llvm::reverse(hvxHelpers()))
    if (isCalled(body, helper.name) ||
        llvm::any_of(used, [&](StringRef user) { return isCalled(user, helper.name); }))
      used.push_back(helper.text);
  for (StringRef helper : llvm::reverse(used))
    os << '\n' << helper;
  return text;
}

FailureOr<KernelText> HVXPrinter::print() {
  setName(kernel.getTileArg(), "tile");
  setName(kernel.getTokensArg(), "tokens");
  setName(kernel.getPositionArg(), "position");
  if (failed(printBlock(kernel.getBlock())))
    return failure();

  KernelText result;
  result.name = kernel.getSymName().str();
  SmallVector<BindingAccess> access = accesses();
  result.bindings = llvm::to_vector(ArrayRef(access).drop_back());
  result.scratchBytes = kernel.getScratch();
  result.text = header();
  llvm::raw_string_ostream os(result.text);
  os << "\nstatic void " << result.name << "_tile(";
  for (auto [i, binding] : llvm::enumerate(result.bindings))
    os << (binding.written ? "" : "const ") << "uint8_t *binding" << i << ", ";
  os << "uint8_t *scratch, uint32_t tile, uint32_t tokens, uint32_t position) {\n" << body << "}\n";
  os << "\nvoid " << result.name << "(const sinter_kernel_args *args) {\n"
     << "  for (uint32_t tile = args->tile_begin; tile < args->tile_end; ++tile)\n"
     << "    " << result.name << "_tile(";
  for (size_t i = 0; i < result.bindings.size(); ++i)
    os << "(uint8_t *)args->bindings[" << i << "], ";
  os << "(uint8_t *)args->scratch, tile, args->tokens, args->position);\n}\n";
  return result;
}

FailureOr<KernelText> sinter::printHVX(KernelOp kernel) { return HVXPrinter(kernel).print(); }
