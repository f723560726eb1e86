//===- Epilogue.cpp - What the region of llm.linear means -----------------===//
//
// A value of the region is a row of numbers, one an element of the result's row, so that llm.rotate
// finds the neighbouring element of the same value.
//
//===----------------------------------------------------------------------===//
#include "compiler/reference/Meaning.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace sinter;
using namespace sinter::reference;
using llvm::Error;
using llvm::Expected;
using mlir::Operation;
using mlir::arith::CmpFPredicate;

namespace {

using Row = std::vector<double>;

using Unary = double (*)(double);
using Binary = double (*)(double, double);

Unary unaryMeaning(Operation *op) {
  using namespace mlir;
  return llvm::TypeSwitch<Operation *, Unary>(op)
      .Case([](arith::NegFOp) { return [](double x) { return -x; }; })
      .Case([](math::ExpOp) { return [](double x) { return std::exp(x); }; })
      .Case([](math::Exp2Op) { return [](double x) { return std::exp2(x); }; })
      .Case([](math::ExpM1Op) { return [](double x) { return std::expm1(x); }; })
      .Case([](math::LogOp) { return [](double x) { return std::log(x); }; })
      .Case([](math::Log1pOp) { return [](double x) { return std::log1p(x); }; })
      .Case([](math::TanhOp) { return [](double x) { return std::tanh(x); }; })
      .Case([](math::ErfOp) { return [](double x) { return std::erf(x); }; })
      .Case([](math::SqrtOp) { return [](double x) { return std::sqrt(x); }; })
      .Case([](math::RsqrtOp) { return [](double x) { return 1 / std::sqrt(x); }; })
      .Case([](math::AbsFOp) { return [](double x) { return std::fabs(x); }; })
      .Case([](math::SinOp) { return [](double x) { return std::sin(x); }; })
      .Case([](math::CosOp) { return [](double x) { return std::cos(x); }; })
      .Default([](Operation *) -> Unary { return nullptr; });
}

Binary comparison(CmpFPredicate predicate) {
  switch (predicate) {
  case CmpFPredicate::OEQ:
    return [](double a, double b) -> double { return a == b; };
  case CmpFPredicate::OGT:
    return [](double a, double b) -> double { return a > b; };
  case CmpFPredicate::OGE:
    return [](double a, double b) -> double { return a >= b; };
  case CmpFPredicate::OLT:
    return [](double a, double b) -> double { return a < b; };
  case CmpFPredicate::OLE:
    return [](double a, double b) -> double { return a <= b; };
  default:
    return nullptr;
  }
}

Binary binaryMeaning(Operation *op) {
  using namespace mlir;
  return llvm::TypeSwitch<Operation *, Binary>(op)
      .Case([](arith::AddFOp) { return [](double a, double b) { return a + b; }; })
      .Case([](arith::SubFOp) { return [](double a, double b) { return a - b; }; })
      .Case([](arith::MulFOp) { return [](double a, double b) { return a * b; }; })
      .Case([](arith::DivFOp) { return [](double a, double b) { return a / b; }; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>(
          [](auto) { return [](double a, double b) { return std::fmax(a, b); }; })
      .Case<arith::MinimumFOp, arith::MinNumFOp>(
          [](auto) { return [](double a, double b) { return std::fmin(a, b); }; })
      .Case([](math::PowFOp) { return [](double a, double b) { return std::pow(a, b); }; })
      .Case([](arith::CmpFOp compare) { return comparison(compare.getPredicate()); })
      .Default([](Operation *) -> Binary { return nullptr; });
}

/// The region for one token.
class RegionEvaluator {
public:
  RegionEvaluator(llm::LinearOp op, const Array *rope, int64_t position)
      : op(op), rope(rope), position(position) {}

  void set(mlir::Value value, const double *row) { values[value] = Row(row, row + op.getRows()); }

  /// The yielded row.
  Expected<Row> run() {
    for (Operation &inner : op.getEpilogue().front()) {
      if (auto yield = llvm::dyn_cast<llm::YieldOp>(inner))
        return values[yield.getValue()];
      if (Error error = evaluate(&inner))
        return error;
    }
    return errorAt(op, "has an epilogue that yields nothing");
  }

private:
  Error evaluate(Operation *inner) {
    auto operand = [&](unsigned i) -> const Row & {
      return values.find(inner->getOperand(i))->second;
    };
    Row result(op.getRows());
    if (auto constant = llvm::dyn_cast<mlir::arith::ConstantOp>(inner)) {
      auto number = llvm::dyn_cast<mlir::FloatAttr>(constant.getValue());
      if (!number)
        return errorAt(inner, "is no number");
      result.assign(op.getRows(), number.getValueAsDouble());
    } else if (auto rotate = llvm::dyn_cast<llm::RotateOp>(inner)) {
      if (Error error = turn(rotate, operand(0), result))
        return error;
    } else if (Unary unary = unaryMeaning(inner)) {
      for (size_t i = 0; i < result.size(); ++i)
        result[i] = unary(operand(0)[i]);
    } else if (Binary binary = binaryMeaning(inner)) {
      for (size_t i = 0; i < result.size(); ++i)
        result[i] = binary(operand(0)[i], operand(1)[i]);
    } else if (llvm::isa<mlir::math::FmaOp>(inner)) {
      for (size_t i = 0; i < result.size(); ++i)
        result[i] = operand(0)[i] * operand(1)[i] + operand(2)[i];
    } else if (llvm::isa<mlir::arith::SelectOp>(inner)) {
      for (size_t i = 0; i < result.size(); ++i)
        result[i] = operand(0)[i] != 0 ? operand(1)[i] : operand(2)[i];
    } else {
      return errorAt(inner, "has no meaning in an epilogue here");
    }
    values[inner->getResult(0)] = std::move(result);
    return Error::success();
  }

  Error turn(llm::RotateOp rotate, const Row &x, Row &result) {
    std::vector<double> cosines, sines;
    if (Error error = anglesAt(rotate, *rope, /*isTable=*/true, position, cosines, sines))
      return error;
    result = x;
    for (size_t head = 0; head < x.size(); head += rotate.getHeadDim())
      for (size_t i = 0; i < cosines.size(); ++i) {
        double a = x[head + 2 * i], b = x[head + 2 * i + 1];
        result[head + 2 * i] = a * cosines[i] - b * sines[i];
        result[head + 2 * i + 1] = a * sines[i] + b * cosines[i];
      }
    return Error::success();
  }

  llm::LinearOp op;
  const Array *rope;
  int64_t position;
  llvm::DenseMap<mlir::Value, Row> values;
};

} // namespace

Expected<Array> reference::epilogue(llm::LinearOp op, llvm::ArrayRef<Array> products,
                                    llvm::ArrayRef<const Array *> residuals,
                                    llvm::ArrayRef<const Array *> biases, const Array *rope,
                                    int64_t position) {
  Array result(products.front().rows, op.getRows());
  for (int64_t t = 0; t < result.rows; ++t) {
    RegionEvaluator region(op, rope, position + t);
    for (auto [argument, product] : llvm::zip_equal(op.getProducts(), products))
      region.set(argument, product.row(t));
    for (auto [argument, residual] : llvm::zip_equal(op.getResidualArguments(), residuals))
      region.set(argument, residual->row(t));
    for (auto [argument, bias] : llvm::zip_equal(op.getBiasArguments(), biases))
      region.set(argument, bias->row(0));
    Expected<Row> row = region.run();
    if (!row)
      return row.takeError();
    std::copy(row->begin(), row->end(), result.row(t));
  }
  return result;
}
