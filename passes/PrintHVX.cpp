//===- PrintHVX.cpp - Print kernels in lane form as HVX C ----------------------===//
//
// Writes the text of every kernel of the module to standard output and leaves the module as it is:
// what `sinterc --emit=hvx` and the tests of codegen/hexagon look at.
//
//===----------------------------------------------------------------------===//
#include "codegen/hexagon/PrintHVX.h"
#include "passes/Passes.h"
#include "llvm/Support/raw_ostream.h"

namespace sinter {
#define GEN_PASS_DEF_PRINTHVX
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;

namespace {
struct PrintHVXPass : sinter::impl::PrintHVXBase<PrintHVXPass> {
  void runOnOperation() override {
    WalkResult printed = getOperation().walk([&](sinter::tile::KernelOp kernel) {
      FailureOr<sinter::KernelText> text = sinter::printHVX(kernel);
      if (failed(text))
        return WalkResult::interrupt();
      llvm::outs() << text->text;
      return WalkResult::skip();
    });
    if (printed.wasInterrupted())
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
