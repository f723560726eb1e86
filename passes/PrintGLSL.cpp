//===- PrintGLSL.cpp - Print kernels in lane form as GLSL ---------------------===//
//
// Writes the text of every kernel of the module to standard output and leaves the module as it is:
// what `sinterc --emit=glsl` and the tests of codegen/spirv look at.
//
//===----------------------------------------------------------------------===//
#include "codegen/spirv/PrintGLSL.h"
#include "passes/Passes.h"
#include "llvm/Support/raw_ostream.h"

namespace sinter {
#define GEN_PASS_DEF_PRINTGLSL
#include "passes/Passes.h.inc"
} // namespace sinter

using namespace mlir;

namespace {
struct PrintGLSLPass : sinter::impl::PrintGLSLBase<PrintGLSLPass> {
  using PrintGLSLBase::PrintGLSLBase;

  void runOnOperation() override {
    WalkResult printed = getOperation().walk([&](sinter::tile::KernelOp kernel) {
      FailureOr<sinter::KernelText> text = sinter::printGLSL(kernel, {.integerDot = integerDot});
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
