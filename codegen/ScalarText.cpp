//===- ScalarText.cpp - One element's arithmetic as an expression ------------===//
//
// The part of TextPrinter that has one case an op. A GPU uses it for every lane; a target with
// vectors uses it for scalars, and lane by lane where its vectors have no such instruction.
//
//===----------------------------------------------------------------------===//
#include "codegen/TextPrinter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace sinter;

using Text = std::optional<std::string>;

static std::string hex(uint32_t bits) {
  return "0x" + llvm::utohexstr(bits, /*LowerCase=*/true, /*Width=*/8) + "u";
}

std::string TextPrinter::scalarConstant(Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value)) {
    APFloat v = number.getValue();
    bool lossy;
    v.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lossy);
    float f = v.convertToFloat();
    // Short numbers are written to be read; all others by their bits, which no compiler rounds.
    if (f > -65536.0f && f < 65536.0f && !v.isNegZero() &&
        f == static_cast<float>(static_cast<int32_t>(f * 256.0f)) / 256.0f) {
      std::string text;
      llvm::raw_string_ostream os(text);
      os << llvm::format("%.8f", f);
      size_t end = text.find_last_not_of('0');
      text.resize(text[end] == '.' ? end + 2 : end + 1);
      return f < 0 ? "(" + text + function("float_suffix") + ")" : text + function("float_suffix");
    }
    return function("float_of_bits") + "(" +
           hex(static_cast<uint32_t>(v.bitcastToAPInt().getZExtValue())) + ")";
  }
  if (auto number = dyn_cast<IntegerAttr>(value)) {
    APInt v = number.getValue();
    if (number.getType().isInteger(1))
      return v.isZero() ? "false" : "true";
    if (v.getActiveBits() > 32 && v.getSignificantBits() > 32)
      return "";
    auto bits =
        static_cast<uint32_t>(v.getBitWidth() > 32 ? v.trunc(32).getZExtValue() : v.getZExtValue());
    return bits < 1u << 24 ? std::to_string(bits) + "u" : hex(bits);
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static Text floatComparison(arith::CmpFPredicate predicate, StringRef a, StringRef b) {
  auto compare = [&](StringRef op) { return ("(" + a + " " + op + " " + b + ")").str(); };
  // An unordered comparison is the negation of the opposite ordered one.
  auto negated = [&](StringRef op) { return "(!" + compare(op) + ")"; };
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
    return compare("==");
  case arith::CmpFPredicate::OGT:
    return compare(">");
  case arith::CmpFPredicate::OGE:
    return compare(">=");
  case arith::CmpFPredicate::OLT:
    return compare("<");
  case arith::CmpFPredicate::OLE:
    return compare("<=");
  case arith::CmpFPredicate::ONE:
    return "(" + compare("<") + " || " + compare(">") + ")";
  case arith::CmpFPredicate::UNE:
    return negated("==");
  case arith::CmpFPredicate::UGT:
    return negated("<=");
  case arith::CmpFPredicate::UGE:
    return negated("<");
  case arith::CmpFPredicate::ULT:
    return negated(">=");
  case arith::CmpFPredicate::ULE:
    return negated(">");
  default:
    return std::nullopt;
  }
}

//===----------------------------------------------------------------------===//
// One case an op
//===----------------------------------------------------------------------===//

Text TextPrinter::scalarExpression(Operation *op, ArrayRef<std::string> v) {
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  Type from = op->getNumOperands() ? getElementTypeOrSelf(op->getOperand(0).getType()) : type;
  auto isWord = [](Type t) { return t.isIndex() || t.isInteger(32); };
  auto isSmall = [](Type t) { return t.isInteger(8) || t.isInteger(16); };
  bool flag = from.isInteger(1), word = isWord(from), real = from.isF32();

  auto signedOf = [&](const std::string &e) {
    return convert("signed", withoutOuterParentheses(e));
  };
  auto unsignedOf = [&](const std::string &e) {
    return convert("unsigned", withoutOuterParentheses(e));
  };
  auto words = [&](StringRef sign) -> Text {
    return word ? Text(binary(v[0], sign, v[1])) : std::nullopt;
  };
  auto bitwise = [&](StringRef sign, StringRef logical) -> Text {
    return flag ? Text(binary(v[0], logical, v[1])) : words(sign);
  };
  auto choose = [](const std::string &condition, const std::string &a, const std::string &b) {
    return "(" + condition + " ? " + a + " : " + b + ")";
  };
  auto pick = [&](StringRef sign, bool asSigned) -> Text {
    if (!word)
      return std::nullopt;
    return choose(asSigned ? binary(signedOf(v[0]), sign, signedOf(v[1]))
                           : binary(v[0], sign, v[1]),
                  v[0], v[1]);
  };
  auto reals = [&](StringRef sign) -> Text {
    return real ? Text(binary(v[0], sign, v[1])) : std::nullopt;
  };
  // Some targets have no division; a compiler turns one by a known number into a multiplication.
  auto divide = [&](StringRef step, StringRef sign, bool asSigned) -> Text {
    if (!word)
      return std::nullopt;
    std::string helper = llvm::isDigit(v[1].front()) ? "" : function(step);
    if (!helper.empty())
      return helper + "(" + v[0] + ", " + v[1] + ")";
    return asSigned ? unsignedOf(binary(signedOf(v[0]), sign, signedOf(v[1])))
                    : binary(v[0], sign, v[1]);
  };
  auto call = [&](StringRef step) -> Text {
    std::string name = function(step);
    if (!real || name.empty())
      return std::nullopt;
    return name + "(" + llvm::join(v, ", ") + ")";
  };
  // NaN wins over a number, as arith.maximumf says.
  auto extremum = [&](StringRef sign) -> Text {
    if (!real)
      return std::nullopt;
    return choose("(" + v[0] + " " + sign.str() + " " + v[1] + " || " + v[0] + " != " + v[0] + ")",
                  v[0], v[1]);
  };

  return llvm::TypeSwitch<Operation *, Text>(op)
      .Case([&](arith::AddIOp) { return words("+"); })
      .Case([&](arith::SubIOp) { return words("-"); })
      .Case([&](arith::MulIOp) { return words("*"); })
      .Case([&](arith::DivUIOp) { return divide("divide_unsigned", "/", false); })
      .Case([&](arith::RemUIOp) { return divide("remainder_unsigned", "%", false); })
      .Case([&](arith::DivSIOp) { return divide("divide_signed", "/", true); })
      .Case([&](arith::AndIOp) { return bitwise("&", "&&"); })
      .Case([&](arith::OrIOp) { return bitwise("|", "||"); })
      .Case([&](arith::XOrIOp) { return bitwise("^", "!="); })
      .Case([&](arith::ShLIOp) { return words("<<"); })
      .Case([&](arith::ShRUIOp) { return words(">>"); })
      .Case([&](arith::ShRSIOp) -> Text {
        return word ? Text(unsignedOf(binary(signedOf(v[0]), ">>", v[1]))) : std::nullopt;
      })
      .Case([&](arith::MinUIOp) { return pick("<", false); })
      .Case([&](arith::MaxUIOp) { return pick(">", false); })
      .Case([&](arith::MinSIOp) { return pick("<", true); })
      .Case([&](arith::MaxSIOp) { return pick(">", true); })
      .Case([&](arith::CmpIOp compare) -> Text {
        using P = arith::CmpIPredicate;
        if (!word)
          return std::nullopt;
        auto asSigned = [&](StringRef sign) {
          return binary(signedOf(v[0]), sign, signedOf(v[1]));
        };
        switch (compare.getPredicate()) {
        case P::eq:
          return binary(v[0], "==", v[1]);
        case P::ne:
          return binary(v[0], "!=", v[1]);
        case P::ult:
          return binary(v[0], "<", v[1]);
        case P::ule:
          return binary(v[0], "<=", v[1]);
        case P::ugt:
          return binary(v[0], ">", v[1]);
        case P::uge:
          return binary(v[0], ">=", v[1]);
        case P::slt:
          return asSigned("<");
        case P::sle:
          return asSigned("<=");
        case P::sgt:
          return asSigned(">");
        case P::sge:
          return asSigned(">=");
        }
        return std::nullopt;
      })
      .Case([&](arith::CmpFOp compare) -> Text {
        return real ? floatComparison(compare.getPredicate(), v[0], v[1]) : std::nullopt;
      })
      .Case([&](arith::SelectOp) -> Text { return choose(v[0], v[1], v[2]); })
      .Case<arith::IndexCastOp, arith::IndexCastUIOp>(
          [&](auto) -> Text { return isWord(from) && isWord(type) ? Text(v[0]) : std::nullopt; })
      .Case([&](arith::ExtUIOp) -> Text {
        if (flag && isWord(type))
          return choose(v[0], "1u", "0u");
        return isSmall(from) ? Text(v[0]) : std::nullopt;
      })
      .Case([&](arith::ExtSIOp) -> Text {
        if (!isSmall(from) || !isWord(type))
          return std::nullopt;
        std::string up = from.isInteger(8) ? "24" : "16";
        return unsignedOf(binary(signedOf("(" + v[0] + " << " + up + "u)"), ">>", up + "u"));
      })
      .Case([&](arith::TruncIOp) -> Text {
        if (type.isInteger(1) && word)
          return "((" + v[0] + " & 1u) != 0u)";
        return isSmall(type) ? Text(binary(v[0], "&", type.isInteger(8) ? "0xffu" : "0xffffu"))
                             : std::nullopt;
      })
      .Case([&](arith::SIToFPOp) -> Text {
        return word && type.isF32() ? Text(convert("float", signedOf(v[0]))) : std::nullopt;
      })
      .Case([&](arith::UIToFPOp) -> Text {
        return word && type.isF32() ? Text(convert("float", v[0])) : std::nullopt;
      })
      .Case([&](arith::FPToSIOp) -> Text {
        return real && isWord(type) ? Text(unsignedOf(signedOf(v[0]))) : std::nullopt;
      })
      .Case([&](arith::FPToUIOp) -> Text {
        return real && isWord(type) ? Text(unsignedOf(v[0])) : std::nullopt;
      })
      .Case([&](arith::ExtFOp) -> Text {
        return from.isF16() && type.isF32() ? Text(v[0]) : std::nullopt;
      })
      .Case([&](arith::TruncFOp) -> Text {
        return real && type.isF16() ? Text(function("round_to_half") + "(" + v[0] + ")")
                                    : std::nullopt;
      })
      .Case([&](arith::BitcastOp) -> Text {
        if (word && type.isF32())
          return function("float_of_bits") + "(" + v[0] + ")";
        return real && isWord(type) ? Text(function("bits_of_float") + "(" + v[0] + ")")
                                    : std::nullopt;
      })
      .Case([&](arith::AddFOp) { return reals("+"); })
      .Case([&](arith::SubFOp) { return reals("-"); })
      .Case([&](arith::MulFOp) { return reals("*"); })
      .Case([&](arith::DivFOp) { return function("divide") == "/" ? reals("/") : call("divide"); })
      .Case([&](arith::NegFOp) -> Text { return real ? Text("(-" + v[0] + ")") : std::nullopt; })
      .Case([&](arith::MaximumFOp) { return extremum(">"); })
      .Case([&](arith::MinimumFOp) { return extremum("<"); })
      .Case([&](arith::MaxNumFOp) { return call("max"); })
      .Case([&](arith::MinNumFOp) { return call("min"); })
      .Case([&](math::FmaOp) { return call("fma"); })
      .Case([&](math::AbsFOp) { return call("abs"); })
      .Case([&](math::ExpOp) { return call("exp"); })
      .Case([&](math::Exp2Op) { return call("exp2"); })
      .Case([&](math::LogOp) { return call("log"); })
      .Case([&](math::TanhOp) { return call("tanh"); })
      .Case([&](math::SqrtOp) { return call("sqrt"); })
      .Case([&](math::RsqrtOp) { return call("rsqrt"); })
      .Case([&](math::RoundEvenOp) { return call("round_even"); })
      .Case([&](math::FloorOp) { return call("floor"); })
      .Default([](Operation *) -> Text { return std::nullopt; });
}
