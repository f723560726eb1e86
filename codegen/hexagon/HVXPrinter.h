//===- HVXPrinter.h - A tile kernel becomes C with HVX intrinsics --------*- C++ -*-===//
#ifndef SINTER_CODEGEN_HEXAGON_HVXPRINTER_H
#define SINTER_CODEGEN_HEXAGON_HVXPRINTER_H

#include "codegen/TextPrinter.h"

namespace sinter {

class HVXPrinter : TextPrinter {
public:
  explicit HVXPrinter(tile::KernelOp kernel) : TextPrinter(kernel, "HVX") {}

  mlir::FailureOr<KernelText> print();

protected:
  std::string variableType(mlir::Type type) override;
  std::string convert(llvm::StringRef type, llvm::StringRef expression) override;
  std::string function(llvm::StringRef step) override;
  std::string constant(mlir::TypedAttr value) override;
  mlir::LogicalResult printLanes(mlir::Operation *op) override;
  mlir::LogicalResult printOp(mlir::Operation *op) override;

private:
  /// The op as one intrinsic or a few; none where HVX has no instruction for it.
  std::optional<std::string> intrinsic(mlir::Operation *op);
  mlir::LogicalResult printLaneByLane(mlir::Operation *op);
  mlir::LogicalResult printLoad(tile::LoadOp op);
  mlir::LogicalResult printWords(mlir::Operation *op, mlir::Value memory, mlir::Value offset);
  mlir::LogicalResult printStore(tile::StoreOp op);
  mlir::LogicalResult printScatter(tile::ScatterOp op);
  mlir::LogicalResult printGather(tile::GatherOp op);
  mlir::LogicalResult printDot(tile::DotOp op);
  mlir::LogicalResult printReduce(tile::ReduceOp op);
  mlir::LogicalResult printConcat(tile::ConcatOp op);
  mlir::LogicalResult printSpread(tile::SpreadOp op);
  mlir::LogicalResult printExtract(mlir::vector::ExtractOp op);

  /// The scalar that all lanes of `value` are, where that is known.
  std::optional<std::string> splatOf(mlir::Value value);
  std::string address(unsigned binding, mlir::Value offset) {
    return (binding == kernel.getNumBindings() ? "scratch" : "binding" + std::to_string(binding)) +
           " + " + nameOf(offset);
  }
  std::string header();
};

} // namespace sinter

#endif
