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
//
// HVX before v68 has no floats: where a lane op has no instruction it is computed lane by lane on
// the scalar core, by the same words as a scalar of the kernel.
//
//===----------------------------------------------------------------------===//
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/TextPrinter.h"
#include "codegen/hexagon/HVXHelpers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

class HVXPrinter : TextPrinter {
public:
  explicit HVXPrinter(KernelOp kernel) : TextPrinter(kernel, "HVX") {}

  FailureOr<KernelText> print();

protected:
  std::string variableType(Type type) override;
  std::string convert(StringRef type, StringRef expression) override;
  std::string function(StringRef step) override;
  std::string constant(TypedAttr value) override;
  LogicalResult printLanes(Operation *op) override;
  LogicalResult printOp(Operation *op) override;

private:
  /// The op as one intrinsic or a few; none where HVX has no instruction for it.
  std::optional<std::string> intrinsic(Operation *op);
  LogicalResult printLaneByLane(Operation *op);
  LogicalResult printLoad(LoadOp op);
  LogicalResult printWords(Operation *op, Value memory, Value offset);
  LogicalResult printStore(StoreOp op);
  LogicalResult printScatter(ScatterOp op);
  LogicalResult printGather(GatherOp op);
  LogicalResult printDot(DotOp op);
  LogicalResult printReduce(ReduceOp op);
  LogicalResult printConcat(ConcatOp op);
  LogicalResult printSpread(SpreadOp op);
  LogicalResult printExtract(vector::ExtractOp op);

  /// The scalar that all lanes of `value` are, where that is known.
  std::optional<std::string> splatOf(Value value);
  std::string address(unsigned binding, Value offset) {
    return (binding == kernel.getNumBindings() ? "scratch" : "binding" + std::to_string(binding)) +
           " + " + nameOf(offset);
  }
  std::string header();
};

} // namespace

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

std::optional<std::string> HVXPrinter::splatOf(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    return nameOf(broadcast.getSource());
  DenseElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)) && splat.isSplat())
    return scalarConstant(splat.getSplatValue<Attribute>());
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Element-wise ops
//===----------------------------------------------------------------------===//

std::optional<std::string> HVXPrinter::intrinsic(Operation *op) {
  using Text = std::optional<std::string>;
  Type type = getElementTypeOrSelf(op->getOperand(0).getType());
  SmallVector<std::string> v = namesOf(op->getOperands());
  bool word = type.isInteger(32), flag = type.isInteger(1);
  auto apply = [&](StringRef name) { return name.str() + "(" + llvm::join(v, ", ") + ")"; };
  auto words = [&](StringRef name) -> Text { return word ? Text(apply(name)) : std::nullopt; };
  auto bits = [&](StringRef name) -> Text {
    return word || flag ? Text(apply(name)) : std::nullopt;
  };
  auto shift = [&](StringRef byScalar, StringRef byLanes) -> Text {
    if (!word)
      return std::nullopt;
    if (Text amount = splatOf(op->getOperand(1)))
      return byScalar.str() + "(" + v[0] + ", " + *amount + ")";
    return apply(byLanes);
  };
  // A comparison gives a predicate register; flags lie in vectors as words of ones.
  auto flags = [](const std::string &predicate) { return "Q6_V_vand_QR(" + predicate + ", -1)"; };
  auto ordered = [&](StringRef name, unsigned a, unsigned b, bool negate) {
    std::string text = flags(name.str() + "(" + v[a] + ", " + v[b] + ")");
    return negate ? "Q6_V_vnot_V(" + text + ")" : text;
  };

  return llvm::TypeSwitch<Operation *, Text>(op)
      .Case([&](arith::AddIOp) { return words("Q6_Vw_vadd_VwVw"); })
      .Case([&](arith::SubIOp) { return words("Q6_Vw_vsub_VwVw"); })
      .Case([&](arith::MulIOp) -> Text {
        return word ? Text(apply("multiply_words")) : std::nullopt;
      })
      .Case([&](arith::AndIOp) { return bits("Q6_V_vand_VV"); })
      .Case([&](arith::OrIOp) { return bits("Q6_V_vor_VV"); })
      .Case([&](arith::XOrIOp) { return bits("Q6_V_vxor_VV"); })
      .Case([&](arith::ShLIOp) { return shift("Q6_Vw_vasl_VwR", "Q6_Vw_vasl_VwVw"); })
      .Case([&](arith::ShRUIOp) { return shift("Q6_Vuw_vlsr_VuwR", "Q6_Vw_vlsr_VwVw"); })
      .Case([&](arith::ShRSIOp) { return shift("Q6_Vw_vasr_VwR", "Q6_Vw_vasr_VwVw"); })
      .Case([&](arith::MinSIOp) { return words("Q6_Vw_vmin_VwVw"); })
      .Case([&](arith::MaxSIOp) { return words("Q6_Vw_vmax_VwVw"); })
      .Case([&](arith::CmpIOp compare) -> Text {
        using P = arith::CmpIPredicate;
        if (!word)
          return std::nullopt;
        switch (compare.getPredicate()) {
        case P::eq:
          return ordered("Q6_Q_vcmp_eq_VwVw", 0, 1, false);
        case P::ne:
          return ordered("Q6_Q_vcmp_eq_VwVw", 0, 1, true);
        case P::sgt:
          return ordered("Q6_Q_vcmp_gt_VwVw", 0, 1, false);
        case P::sle:
          return ordered("Q6_Q_vcmp_gt_VwVw", 0, 1, true);
        case P::slt:
          return ordered("Q6_Q_vcmp_gt_VwVw", 1, 0, false);
        case P::sge:
          return ordered("Q6_Q_vcmp_gt_VwVw", 1, 0, true);
        case P::ugt:
          return ordered("Q6_Q_vcmp_gt_VuwVuw", 0, 1, false);
        case P::ule:
          return ordered("Q6_Q_vcmp_gt_VuwVuw", 0, 1, true);
        case P::ult:
          return ordered("Q6_Q_vcmp_gt_VuwVuw", 1, 0, false);
        case P::uge:
          return ordered("Q6_Q_vcmp_gt_VuwVuw", 1, 0, true);
        }
        return std::nullopt;
      })
      .Case([&](arith::SelectOp) -> Text {
        if (!isa<VectorType>(op->getOperand(0).getType()))
          return "(" + v[0] + " ? " + v[1] + " : " + v[2] + ")";
        return "Q6_V_vmux_QVV(Q6_Q_vand_VR(" + v[0] + ", -1), " + v[1] + ", " + v[2] + ")";
      })
      // Lanes are widened when they are loaded, and a half is a float of the same value.
      .Case([&](arith::ExtUIOp) -> Text { return flag ? std::nullopt : Text(v[0]); })
      .Case([&](arith::ExtSIOp) -> Text {
        if (flag)
          return std::nullopt;
        std::string up = type.isInteger(8) ? "24" : "16";
        return "Q6_Vw_vasr_VwR(Q6_Vw_vasl_VwR(" + v[0] + ", " + up + "), " + up + ")";
      })
      .Case([&](arith::ExtFOp) -> Text { return type.isF16() ? Text(v[0]) : std::nullopt; })
      .Case([&](arith::BitcastOp) -> Text {
        return word || type.isF32() ? Text(v[0]) : std::nullopt;
      })
      .Default([](Operation *) -> Text { return std::nullopt; });
}

LogicalResult HVXPrinter::printLanes(Operation *op) {
  if (llvm::any_of(op->getOperands(), isUniformVector))
    return unsupported(op, "on words that are the same in all lanes");
  if (variableType(op->getResult(0).getType()).empty())
    return unsupported(op, "its type");
  if (std::optional<std::string> text = intrinsic(op))
    return defineOrAlias(op, *text);
  return printLaneByLane(op);
}

static StringRef laneField(Type type) { return type.isF32() || type.isF16() ? "f" : "u"; }

LogicalResult HVXPrinter::printLaneByLane(Operation *op) {
  SmallVector<std::string> operands;
  std::string lists;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (!isa<VectorType>(operand.getType())) {
      operands.push_back(nameOf(operand));
      continue;
    }
    if (std::optional<std::string> same = splatOf(operand)) {
      operands.push_back(*same);
      continue;
    }
    std::string list = "a" + std::to_string(i);
    Type element = getElementTypeOrSelf(operand.getType());
    std::string lane = list + "." + laneField(element).str() + "[lane]";
    operands.push_back(element.isInteger(1) ? "(" + lane + " != 0u)" : lane);
    lists += list + " = {" + nameOf(operand) + "}, ";
  }
  std::optional<std::string> text = scalarExpression(op, operands);
  if (!text)
    return unsupported(op);
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if (element.isInteger(1))
    text = "(" + *text + " ? ~0u : 0u)";
  std::string name = fresh();
  line() << "HVX_Vector " << name << ";\n";
  line() << "{ lanes_of " << lists << "r;\n";
  line() << "  for (uint32_t lane = 0; lane < 32; ++lane) r." << laneField(element)
         << "[lane] = " << *text << ";\n";
  line() << "  " << name << " = r.v; }\n";
  setName(op->getResult(0), name);
  return success();
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
