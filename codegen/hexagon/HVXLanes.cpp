//===- HVXLanes.cpp - Element-wise ops in HVX --------------------------------===//
//
//   %s = arith.addi %x, %y : vector<32xi32>      HVX_Vector v3 = Q6_Vw_vadd_VwVw(v1, v2);
//   %f = arith.mulf %x, %y : vector<32xf32>      { lanes_of a0 = {v1}, a1 = {v2}, r;
//                                                  for (..) r.f[lane] = a0.f[lane] * a1.f[lane]; v4 = r.v; }
//
// HVX before v68 has no floats: where a lane op has no instruction it is computed lane by lane on
// the scalar core, by the same words as a scalar of the kernel.
//
//===----------------------------------------------------------------------===//
#include "codegen/hexagon/HVXPrinter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter;

std::optional<std::string> HVXPrinter::splatOf(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    return nameOf(broadcast.getSource());
  DenseElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)) && splat.isSplat())
    return scalarConstant(splat.getSplatValue<Attribute>());
  return std::nullopt;
}

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
