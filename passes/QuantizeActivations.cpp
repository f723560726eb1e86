//===- QuantizeActivations.cpp - Multiply integer weights with int8 rows ---===//
//
// Where the target's table says so (`activations = i8`), what a linear layer with integer weights
// reads is quantized, once for all that read it:
//
//   %q = llm.linear %n, [%wq] : q4_0                %a = llm.quantize_acts %n
//   %k = llm.linear %n, [%wk] : q4_0         ==>    %q = llm.linear %a, [%wq]
//   %v = llm.linear %n, [%wv] : f16                 %k = llm.linear %a, [%wk]
//                                                   %v = llm.linear %n, [%wv]
//
// A layer with float weights keeps the float rows: its kernel multiplies floats.
//
//===----------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace sinter {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;
using namespace sinter;
using namespace sinter::llm;

namespace {

/// The layers that read a value, by what their weights want.
struct Readers {
  SmallVector<OpOperand *> integer, floating;
};

bool areInteger(ValueRange weights) {
  return llvm::none_of(weights, [](Value weight) {
    return Format::get(getMatrixShape(weight.getType()).format).isFloat();
  });
}

struct QuantizeActivationsPass : sinter::impl::QuantizeActivationsBase<QuantizeActivationsPass> {
  using QuantizeActivationsBase::QuantizeActivationsBase;

  void runOnOperation() override {
    WalkResult walked = getOperation().walk([&](func::FuncOp function) {
      auto target = exec::getTargetModule(function)->getAttrOfType<exec::TargetAttr>(
          exec::ExecDialect::kTargetAttr);
      if (!target) {
        function.emitError("is in no target's module: exec.target says what activations are");
        return WalkResult::interrupt();
      }
      if (target.getActivations() == exec::Activations::I8)
        for (auto &[rows, readers] : findReaders(function))
          quantize(rows, readers);
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      signalPassFailure();
  }

private:
  static llvm::MapVector<Value, Readers> findReaders(func::FuncOp function) {
    llvm::MapVector<Value, Readers> readers;
    function.walk([&](Operation *op) {
      ValueRange weights;
      if (auto linear = dyn_cast<LinearOp>(op))
        weights = linear.getWeights();
      else if (auto score = dyn_cast<LinearScoreOp>(op))
        weights = score->getOperands().slice(1, 1);
      else
        return;
      OpOperand &x = op->getOpOperand(0);
      if (isa<RankedTensorType>(x.get().getType()))
        (areInteger(weights) ? readers[x.get()].integer : readers[x.get()].floating).push_back(&x);
    });
    return readers;
  }

  void quantize(Value rows, Readers &readers) {
    if (readers.integer.empty() || getRowsShape(rows.getType()).width % kActGroup)
      return;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(rows);
    Location loc =
        rows.getDefiningOp() ? rows.getLoc() : readers.integer.front()->getOwner()->getLoc();
    auto quantized = builder.create<QuantizeActsOp>(loc, rows);
    for (OpOperand *reader : readers.integer)
      reader->set(quantized);
    if (!remarks)
      return;
    for (OpOperand *reader : readers.integer)
      reader->getOwner()->emitRemark("reads int8 activations");
    for (OpOperand *reader : readers.floating)
      reader->getOwner()->emitRemark(
          "left alone: its weights are float, so it reads the float rows "
          "that other layers read quantized");
  }
};

} // namespace
