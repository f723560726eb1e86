//===- sinter-opt.cpp - Run passes on IR dumps ----------------------------===//
//
// mlir-opt with Sinter's dialects and passes: what lit tests and people who tune by IR dumps use.
// Each phase of sinterc is a pipeline here too (--phase-fuse, --phase-plan, ...).
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Pipelines.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry dialects;
  sinter::registerDialects(dialects);
  sinter::registerAllPasses();
  sinter::cpu::registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Sinter's optimizer driver\n", dialects));
}
