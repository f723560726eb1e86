//===- PrintGLSL.cpp - A tile kernel as a GLSL compute shader ----------------===//
//
// A row of the tile is an invocation, a vector of R rows a scalar of each:
//
//   %q = tile.load %w[%o] : vector<32xi32>             uint v3 = binding0[(v2 >> 2) + lane];
//   %s = tile.load_uniform %x[%p] : f32          ==>   float v4 = uintBitsToFloat(binding1[v1 >>
//   2]); %d = tile.dot %z, [%q, ..], %c sum %n bits 8       uint v5 = v0; v5 += dot4(v3, v6[0]);
//   ...
//
// A vector of R < 32 rows lies in the invocations again and again (invocation i holds row i % R),
// so that joining parts is a choice, and a number of one row is in all of them.
//
// Buffers are words: a device needs neither 8- nor 16-bit storage. Two invocations that write bytes
// of one word change only their own bits, atomically. What crosses lanes goes through shared
// memory; nothing is assumed of subgroups.
//
//===----------------------------------------------------------------------===//
#include "codegen/spirv/PrintGLSL.h"
#include "codegen/spirv/GLSLHelpers.h"
#include "codegen/TextPrinter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

/// Vulkan promises a workgroup 16 KiB of shared memory; reductions take the rest.
constexpr int64_t kSharedScratch = 16384 - 512;

class GLSLPrinter : TextPrinter {
public:
  GLSLPrinter(KernelOp kernel, const GLSLOptions &options)
      : TextPrinter(kernel, "GLSL"), options(options), access(accesses()) {}

  FailureOr<KernelText> print();

protected:
  std::string variableType(Type type) override;
  std::string convert(StringRef type, StringRef expression) override;
  std::string function(StringRef step) override;
  std::string constant(TypedAttr value) override;
  LogicalResult printLanes(Operation *op) override;
  LogicalResult printOp(Operation *op) override;

private:
  LogicalResult printLoad(LoadOp op);
  LogicalResult printLoadUniform(LoadUniformOp op);
  LogicalResult printGather(GatherOp op);
  LogicalResult defineElement(Operation *op, unsigned binding, std::string address);
  LogicalResult printStore(Operation *op, Value value, Value memory, const std::string &address,
                           const std::string &guard);
  LogicalResult printDot(DotOp op);
  LogicalResult printReduce(ReduceOp op);
  LogicalResult printConcat(ConcatOp op);
  LogicalResult printSpread(SpreadOp op);
  LogicalResult printExtract(vector::ExtractOp op);
  LogicalResult printWords(Operation *op, Value memory, Value offset);

  /// Which row of a vector of so many this invocation holds; empty for a size that has no place.
  std::string rowOf(VectorType type);
  std::string call(StringRef helper);
  std::string element(unsigned binding, const std::string &address, Type type);
  std::string elementAddress(const std::string &offset, VectorType type, const std::string &row);
  std::string words(unsigned binding) {
    return binding == kernel.getNumBindings() ? "scratch" : "binding" + std::to_string(binding);
  }
  /// Other lanes' stores become visible, and their loads are over.
  void fence(unsigned binding);
  std::string header(ArrayRef<BindingAccess> bindings);

  const GLSLOptions &options;
  SmallVector<BindingAccess> access;
  std::set<std::string> used;
};

} // namespace

//===----------------------------------------------------------------------===//
// Types and scalar words
//===----------------------------------------------------------------------===//

std::string GLSLPrinter::variableType(Type type) {
  if (auto vector = dyn_cast<VectorType>(type); vector && rowOf(vector).empty())
    return "";
  Type element = getElementTypeOrSelf(type);
  if (element.isInteger(1))
    return "bool";
  if (element.isIndex() || element.isInteger(8) || element.isInteger(16) || element.isInteger(32))
    return "uint";
  return element.isF32() || element.isF16() ? "float" : "";
}

std::string GLSLPrinter::rowOf(VectorType type) {
  int64_t rows = type.getRank() == 1 ? type.getDimSize(0) : 0;
  if (rows < 1 || rows > kTileRows || !llvm::isPowerOf2_64(rows))
    return "";
  if (rows == kTileRows)
    return "lane";
  return rows == 1 ? "0u" : "(lane & " + std::to_string(rows - 1) + "u)";
}

std::string GLSLPrinter::convert(StringRef type, StringRef expression) {
  StringRef name = type == "signed" ? "int" : type == "unsigned" ? "uint" : "float";
  return (name + "(" + expression + ")").str();
}

std::string GLSLPrinter::function(StringRef step) {
  if (step == "round_to_half")
    return call("round_to_half");
  static constexpr std::pair<StringLiteral, StringLiteral> names[] = {
      {"float_of_bits", "uintBitsToFloat"},
      {"bits_of_float", "floatBitsToUint"},
      {"fma", "fma"},
      {"abs", "abs"},
      {"max", "max"},
      {"min", "min"},
      {"exp", "exp"},
      {"exp2", "exp2"},
      {"log", "log"},
      {"tanh", "tanh"},
      {"sqrt", "sqrt"},
      {"rsqrt", "inversesqrt"},
      {"round_even", "roundEven"},
      {"floor", "floor"},
      {"divide", "/"}};
  for (auto [name, glsl] : names)
    if (name == step)
      return glsl.str();
  return "";
}

std::string GLSLPrinter::constant(TypedAttr value) {
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    return scalarConstant(splat.getSplatValue<Attribute>());
  return scalarConstant(value);
}

std::string GLSLPrinter::call(StringRef helper) {
  used.insert(helper.str());
  if (helper == "round_to_half") {
    call("float_of_half");
    call("half_of_float");
  }
  return helper.str();
}

LogicalResult GLSLPrinter::printLanes(Operation *op) {
  if (llvm::any_of(op->getOperands(), isUniformVector))
    return unsupported(op, "on words that are the same in all lanes");
  std::optional<std::string> text = scalarExpression(op, namesOf(op->getOperands()));
  return text ? defineOrAlias(op, *text) : unsupported(op);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

std::string GLSLPrinter::element(unsigned binding, const std::string &address, Type type) {
  std::string word = words(binding) + "[" + address + " >> 2]";
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits == 32)
    return type.isF32() ? "uintBitsToFloat(" + word + ")" : word;
  std::string part = bits == 8 ? "(" + word + " >> (8u * (" + address + " & 3u))) & 0xffu"
                               : "(" + word + " >> (8u * (" + address + " & 2u))) & 0xffffu";
  return type.isF16() ? call("float_of_half") + "(" + part + ")" : part;
}

std::string GLSLPrinter::elementAddress(const std::string &offset, VectorType type,
                                        const std::string &row) {
  unsigned bytes = type.getElementTypeBitWidth() / 8;
  if (row == "0u")
    return offset;
  return "(" + offset + " + " + (bytes == 1 ? "" : std::to_string(bytes) + "u * ") + row + ")";
}

void GLSLPrinter::fence(unsigned binding) {
  if (access[binding].read && access[binding].written)
    line() << (binding == kernel.getNumBindings() ? "memoryBarrierShared" : "memoryBarrierBuffer")
           << "(); barrier();\n";
}

static bool isStorable(Type type) {
  return type.isInteger(8) || type.isInteger(16) || type.isInteger(32) || type.isF16() ||
         type.isF32();
}

LogicalResult GLSLPrinter::printLoad(LoadOp op) {
  FailureOr<unsigned> binding = bindingOf(op, op.getSource());
  if (failed(binding))
    return failure();
  auto type = cast<VectorType>(op.getResult().getType());
  std::string row = rowOf(type);
  if (row.empty() || !isStorable(type.getElementType()))
    return unsupported(op, "its type");
  std::string address = elementAddress(nameOf(op.getOffset()), type, row);
  return defineElement(op, *binding, address);
}

/// The element at an address, which is written down once where it is needed twice.
LogicalResult GLSLPrinter::defineElement(Operation *op, unsigned binding, std::string address) {
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  if (type.getIntOrFloatBitWidth() < 32) {
    std::string name = fresh();
    line() << "uint " << name << " = " << withoutOuterParentheses(address) << ";\n";
    address = name;
  }
  return define(op, element(binding, address, type));
}

LogicalResult GLSLPrinter::printGather(GatherOp op) {
  FailureOr<unsigned> binding = bindingOf(op, op.getSource());
  if (failed(binding))
    return failure();
  auto type = cast<VectorType>(op.getResult().getType());
  if (rowOf(type).empty() || !isStorable(type.getElementType()))
    return unsupported(op, "its type");
  return defineElement(op, *binding,
                       "(" + nameOf(op.getBase()) + " + " + nameOf(op.getOffsets()) + ")");
}

/// An array of neighbouring words, whole in each invocation.
LogicalResult GLSLPrinter::printWords(Operation *op, Value memory, Value offset) {
  FailureOr<unsigned> binding = bindingOf(op, memory);
  auto type = cast<VectorType>(op->getResult(0).getType());
  if (failed(binding))
    return failure();
  if (type.getRank() != 1 || type.getElementTypeBitWidth() != 32)
    return unsupported(op, "its type");
  std::string name = fresh(), first = fresh();
  StringRef kind = type.getElementType().isF32() ? "float" : "uint";
  line() << "uint " << first << " = " << nameOf(offset) << " >> 2;\n";
  line() << kind << ' ' << name << '[' << type.getDimSize(0) << "] = " << kind << "[](";
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    std::string word = words(*binding) + "[" + first + (i ? " + " + std::to_string(i) + "u]" : "]");
    out << (i ? ", " : "")
        << (type.getElementType().isF32() ? "uintBitsToFloat(" + word + ")" : word);
  }
  out << ");\n";
  setName(op->getResult(0), name);
  return success();
}

LogicalResult GLSLPrinter::printLoadUniform(LoadUniformOp op) {
  if (isa<VectorType>(op.getResult().getType()))
    return printWords(op, op.getSource(), op.getOffset());
  FailureOr<unsigned> binding = bindingOf(op, op.getSource());
  if (failed(binding))
    return failure();
  return define(op, element(*binding, nameOf(op.getOffset()), op.getResult().getType()));
}

LogicalResult GLSLPrinter::printStore(Operation *op, Value value, Value memory,
                                      const std::string &address, const std::string &guard) {
  FailureOr<unsigned> binding = bindingOf(op, memory);
  if (failed(binding))
    return failure();
  Type type = getElementTypeOrSelf(value.getType());
  if (isUniformVector(value) || !isStorable(type) || variableType(value.getType()).empty())
    return unsupported(op, "the type that it stores");
  fence(*binding);
  if (!guard.empty()) {
    line() << "if (" << guard << ") {\n";
    ++depth;
  }
  std::string text = nameOf(value);
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits == 32) {
    line() << words(*binding) << '[' << address
           << " >> 2] = " << (type.isF32() ? "floatBitsToUint(" + text + ")" : text) << ";\n";
  } else {
    std::string at = fresh(), shift = fresh();
    StringRef mask = bits == 8 ? "0xffu" : "0xffffu";
    line() << "uint " << at << " = " << withoutOuterParentheses(address) << ";\n";
    line() << "uint " << shift << " = 8u * (" << at << " & 3u);\n";
    line() << "atomicAnd(" << words(*binding) << '[' << at << " >> 2], ~(" << mask << " << "
           << shift << "));\n";
    line() << "atomicOr(" << words(*binding) << '[' << at << " >> 2], "
           << (type.isF16() ? call("half_of_float") + "(" + text + ")" : text) << " << " << shift
           << ");\n";
  }
  if (!guard.empty()) {
    --depth;
    line() << "}\n";
  }
  fence(*binding);
  return success();
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

LogicalResult GLSLPrinter::printDot(DotOp op) {
  bool integer = getElementTypeOrSelf(op.getResult().getType()).isInteger(32);
  if (!isUniformVector(op.getX()))
    return unsupported(op, "its activations are not words that are the same in all lanes");
  if (op.getUnsignedCodes() || op.getCrossed())
    return unsupported(op, "both operands of its products are signed");
  if (failed(define(op, nameOf(op.getInit()))))
    return failure();
  std::string sum = nameOf(op.getResult()), x = nameOf(op.getX());
  std::string dot = integer ? call(options.integerDot ? "sdot4" : "dot4") : "";
  for (auto [q, code] : llvm::enumerate(op.getCodes())) {
    std::string word = x + "[" + std::to_string(op.getFirst() + q) + "]";
    if (integer)
      line() << sum << " += " << dot << "(" << nameOf(code) << ", " << word << ");\n";
    else
      line() << sum << " = fma(" << nameOf(code) << ", " << word << ", " << sum << ");\n";
  }
  return success();
}

LogicalResult GLSLPrinter::printReduce(ReduceOp op) {
  auto from = cast<VectorType>(op.getSource().getType());
  Type element = from.getElementType();
  std::string row = rowOf(from);
  if (row.empty() || isa<VectorType>(op.getResult().getType()) ||
      !(element.isF32() || element.isInteger(32)))
    return unsupported(op, "of this type");
  int64_t lanes = op.getLanes() ? static_cast<int64_t>(*op.getLanes()) : from.getDimSize(0);
  StringRef kind = op.getKind() == ReduceKind::Add ? "reduce_add_" : "reduce_max_";
  std::string helper = call((kind + (element.isF32() ? "f32" : "i32")).str());
  return define(op, helper + "(" + nameOf(op.getSource()) + ", " + std::to_string(lanes) + "u)");
}

LogicalResult GLSLPrinter::printConcat(ConcatOp op) {
  auto type = cast<VectorType>(op.getResult().getType());
  std::string row = rowOf(type);
  if (row.empty() || !llvm::all_equal(op.getParts().getTypes()) ||
      rowOf(cast<VectorType>(op.getParts()[0].getType())).empty())
    return unsupported(op, "parts of different sizes");
  int64_t rows = cast<VectorType>(op.getParts()[0].getType()).getDimSize(0);
  // Invocation i holds row i % rows of every part, so the part that it needs is at hand.
  std::string text = nameOf(op.getParts().back());
  for (int64_t p = static_cast<int64_t>(op.getParts().size()) - 2; p >= 0; --p)
    text = "(" + row + " < " + std::to_string((p + 1) * rows) + "u ? " + nameOf(op.getParts()[p]) +
           " : " + text + ")";
  return define(op, text);
}

LogicalResult GLSLPrinter::printSpread(SpreadOp op) {
  std::string row = rowOf(cast<VectorType>(op.getResult().getType()));
  for (Type type : op.getWords().getTypes())
    if (cast<VectorType>(type).getDimSize(0) != 1)
      return unsupported(op, "words of more than one row");
  if (row.empty() || op.getWords().empty())
    return unsupported(op, "its type");
  bool integer = getElementTypeOrSelf(op.getWords()[0].getType()).isInteger(32);
  std::string index = integer ? "(" + row + " >> 2)" : row;
  std::string word = nameOf(op.getWords().back());
  for (int64_t q = static_cast<int64_t>(op.getWords().size()) - 2; q >= 0; --q)
    word = "(" + index + " == " + std::to_string(q) + "u ? " + nameOf(op.getWords()[q]) + " : " +
           word + ")";
  if (!integer)
    return define(op, word);
  std::string shift = "int(8u * (" + row + " & 3u))";
  return define(op, op.getSignedCodes()
                        ? "uint(bitfieldExtract(int(" + word + "), " + shift + ", 8))"
                        : "bitfieldExtract(" + word + ", " + shift + ", 8)");
}

LogicalResult GLSLPrinter::printExtract(vector::ExtractOp op) {
  ArrayRef<int64_t> position = op.getStaticPosition();
  if (op.hasDynamicPosition() || position.size() != 1)
    return unsupported(op, "other than one lane by number");
  std::string source = nameOf(op.getVector());
  if (isUniformVector(op.getVector()))
    return define(op, source + "[" + std::to_string(position[0]) + "]");
  if (op.getSourceVectorType().getDimSize(0) == 1) {
    setName(op.getResult(), source);
    return success();
  }
  Type type = op.getResult().getType();
  if (!type.isF32() && !type.isInteger(32))
    return unsupported(op, "its type");
  std::string bits = type.isF32() ? "floatBitsToUint(" + source + ")" : source;
  std::string text = call("row_of_lanes") + "(" + bits + ", " + std::to_string(position[0]) + "u)";
  return define(op, type.isF32() ? "uintBitsToFloat(" + text + ")" : text);
}

LogicalResult GLSLPrinter::printOp(Operation *operation) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(operation)
      .Case([&](LoadOp op) { return printLoad(op); })
      .Case([&](LoadUniformOp op) { return printLoadUniform(op); })
      .Case([&](GatherOp op) { return printGather(op); })
      .Case([&](StoreOp op) -> LogicalResult {
        auto type = cast<VectorType>(op.getValue().getType());
        std::string row = rowOf(type);
        if (row.empty())
          return unsupported(op, "the type that it stores");
        std::string guard =
            row == "lane" ? "" : "lane < " + std::to_string(type.getDimSize(0)) + "u";
        return printStore(op, op.getValue(), op.getTarget(),
                          elementAddress(nameOf(op.getOffset()), type, row), guard);
      })
      .Case([&](StoreUniformOp op) {
        return printStore(op, op.getValue(), op.getTarget(), nameOf(op.getOffset()), "lane == 0u");
      })
      .Case([&](ScatterOp op) {
        int64_t rows = cast<VectorType>(op.getValue().getType()).getDimSize(0);
        std::string guard =
            "lane < " + std::to_string(rows) + "u && lane < " + nameOf(op.getLanes());
        return printStore(op, op.getValue(), op.getTarget(),
                          "(" + nameOf(op.getBase()) + " + " + nameOf(op.getOffsets()) + ")",
                          guard);
      })
      .Case([&](LanesOp op) -> LogicalResult {
        std::string row = rowOf(cast<VectorType>(op.getResult().getType()));
        return row.empty() ? unsupported(op, "its type") : define(op, row);
      })
      // What is the same in all lanes is a scalar of each invocation already.
      .Case([&](vector::BroadcastOp op) -> LogicalResult {
        if (isa<VectorType>(op.getSource().getType()) || variableType(op.getType()).empty())
          return unsupported(op, "other than a scalar to lanes");
        setName(op.getResult(), nameOf(op.getSource()));
        return success();
      })
      .Case([&](DotOp op) { return printDot(op); })
      .Case([&](LookupOp op) {
        std::string table;
        for (int word = 0; word < 4; ++word) {
          uint32_t bits = 0;
          for (int i = 0; i < 4; ++i)
            bits |= uint32_t(uint8_t(op.getTable()[4 * word + i])) << (8 * i);
          table += ", 0x" + llvm::utohexstr(bits, /*LowerCase=*/true, /*Width=*/8) + "u";
        }
        return define(op, call("lookup4") + "(" + nameOf(op.getCodes()) + ", uvec4(" +
                              table.substr(2) + "))");
      })
      .Case([&](ReduceOp op) { return printReduce(op); })
      .Case([&](SwapPairsOp op) -> LogicalResult {
        auto type = dyn_cast<VectorType>(op.getResult().getType());
        std::string row = type ? rowOf(type) : "";
        bool real = getElementTypeOrSelf(op.getResult().getType()).isF32();
        if (row.empty() || row == "0u" || (!real && !type.getElementType().isInteger(32)))
          return unsupported(op, "its type");
        std::string bits =
            real ? "floatBitsToUint(" + nameOf(op.getSource()) + ")" : nameOf(op.getSource());
        std::string text = call("row_of_lanes") + "(" + bits + ", lane ^ 1u)";
        return define(op, real ? "uintBitsToFloat(" + text + ")" : text);
      })
      .Case([&](ConcatOp op) { return printConcat(op); })
      .Case([&](SpreadOp op) { return printSpread(op); })
      .Case([&](vector::ExtractOp op) { return printExtract(op); })
      .Default([&](Operation *op) { return unsupported(op); });
}

//===----------------------------------------------------------------------===//
// The shader
//===----------------------------------------------------------------------===//

std::string GLSLPrinter::header(ArrayRef<BindingAccess> bindings) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "#version 450\n";
  if (used.count("sdot4"))
    os << "#extension GL_EXT_spirv_intrinsics : require\n";
  os << "// " << kernel.getSymName()
     << ": a row of the tile is an invocation, a workgroup a tile.\n";
  if (kernel.getContract())
    os << "// " << *kernel.getContract() << '\n';
  os << "layout(local_size_x = 32) in;\n\n";
  for (auto [i, binding] : llvm::enumerate(bindings)) {
    StringRef qualifier = !binding.written ? "readonly " : binding.read ? "coherent " : "";
    os << "layout(std430, set = 0, binding = " << i << ") " << qualifier << "buffer Binding" << i
       << " { uint binding" << i << "[]; };\n";
  }
  os << "layout(std430, set = 0, binding = " << bindings.size()
     << ") readonly buffer Step { uint tokens; uint position; } step_values;\n";
  if (kernel.getScratch())
    os << "shared uint scratch[" << (kernel.getScratch() + 3) / 4 << "];\n";
  bool crossesLanes = llvm::any_of(used, [](const std::string &name) {
    return StringRef(name).starts_with("reduce_") || name == "row_of_lanes";
  });
  os << "uint lane;\n";
  if (crossesLanes)
    os << "shared uint shared_lanes[32];\n";
  for (const TextHelper &helper : glslHelpers())
    if (used.count(helper.name.str()))
      os << helper.text;
  return text;
}

FailureOr<KernelText> GLSLPrinter::print() {
  if (static_cast<int64_t>(kernel.getScratch()) > kSharedScratch) {
    kernel.emitError() << "needs " << kernel.getScratch() << " bytes of scratch; a workgroup has "
                       << kSharedScratch << " bytes of shared memory for it";
    return failure();
  }
  setName(kernel.getTileArg(), "tile");
  setName(kernel.getTokensArg(), "tokens");
  setName(kernel.getPositionArg(), "position");
  if (failed(printBlock(kernel.getBlock())))
    return failure();

  KernelText result;
  result.name = kernel.getSymName().str();
  result.bindings = llvm::to_vector(ArrayRef(access).drop_back());
  result.text = header(result.bindings);
  result.text += "\nvoid main() {\n"
                 "  lane = gl_LocalInvocationID.x;\n"
                 "  uint tile = gl_WorkGroupID.x;\n"
                 "  uint tokens = step_values.tokens;\n"
                 "  uint position = step_values.position;\n";
  result.text += body;
  result.text += "}\n";
  return result;
}

FailureOr<KernelText> sinter::printGLSL(KernelOp kernel, const GLSLOptions &options) {
  return GLSLPrinter(kernel, options).print();
}
