//===- Activations.cpp - Activation functions as arithmetic ----------------===//
#include "passes/Activations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace sinter;

namespace {

/// Arithmetic on values of the type of `x`, with numbers as operands.
struct Arithmetic {
  ImplicitLocOpBuilder &b;
  Type type;

  Value number(double value) {
    FloatAttr scalar = b.getF32FloatAttr(static_cast<float>(value));
    if (auto vector = dyn_cast<VectorType>(type))
      return b.create<arith::ConstantOp>(DenseElementsAttr::get(vector, Attribute(scalar)));
    return b.create<arith::ConstantOp>(scalar);
  }
  Value add(Value l, Value r) { return b.create<arith::AddFOp>(l, r); }
  Value multiply(Value l, Value r) { return b.create<arith::MulFOp>(l, r); }
};

/// x / (1 + exp(-x)).
Value buildSilu(Arithmetic a, Value x) {
  Value e = a.b.create<math::ExpOp>(a.b.create<arith::NegFOp>(x));
  return a.b.create<arith::DivFOp>(x, a.add(e, a.number(1.0)));
}

/// x/2 (1 + s).
Value buildHalfOnePlus(Arithmetic a, Value x, Value s) {
  return a.multiply(a.multiply(x, a.number(0.5)), a.add(s, a.number(1.0)));
}

/// x/2 (1 + erf(x / sqrt 2)).
Value buildGelu(Arithmetic a, Value x) {
  Value scaled = a.multiply(x, a.number(0.70710678118654752));
  return buildHalfOnePlus(a, x, a.b.create<math::ErfOp>(scaled));
}

/// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
Value buildGeluTanh(Arithmetic a, Value x) {
  Value cube = a.multiply(a.multiply(x, x), x);
  Value inner = a.add(x, a.multiply(cube, a.number(0.044715)));
  Value scaled = a.multiply(inner, a.number(0.79788456080286536));
  return buildHalfOnePlus(a, x, a.b.create<math::TanhOp>(scaled));
}

} // namespace

Value sinter::buildActivation(ImplicitLocOpBuilder &builder, llm::Activation activation, Value x) {
  Arithmetic a{builder, x.getType()};
  switch (activation) {
  case llm::Activation::silu:
    return buildSilu(a, x);
  case llm::Activation::gelu:
    return buildGelu(a, x);
  case llm::Activation::gelu_tanh:
    return buildGeluTanh(a, x);
  case llm::Activation::relu:
    return builder.create<arith::MaximumFOp>(x, a.number(0.0));
  }
  llvm_unreachable("not an activation");
}

Value sinter::buildGatedUnit(ImplicitLocOpBuilder &builder, llm::Activation activation, Value gate,
                             Value up) {
  return builder.create<arith::MulFOp>(buildActivation(builder, activation, gate), up);
}
