//===- PairBlocks.cpp - Two blocks of columns an iteration ---------------------------===//
//
//   scf.for %k = 0 to 64 step 1 {          scf.for %k = 0 to 64 step 2 {
//     dots of block %k }             ==>     dots of block %k
//                                            dots of block %k + 1 }
//
// A block of 32 rows by 32 columns is 32 dots of 256 bits, and a loop around it 8 instructions of counting and addressing:
// a tenth of it all. Inner loops with dots, of an even number of iterations, whose body is short.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace sinter;

namespace {

/// Longer bodies have little to gain, and are K-quants', whose super-blocks are unrolled already.
constexpr int64_t kShort = 400;

struct PairBlocksPass : PassWrapper<PairBlocksPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PairBlocksPass)
  StringRef getArgument() const override { return "pair-blocks"; }
  StringRef getDescription() const override { return "two blocks of columns an iteration of short inner loops"; }
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (isPaired(loop))
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      if (failed(loopUnrollByFactor(loop, 2)))
        return signalPassFailure();
  }

private:
  static bool isPaired(scf::ForOp loop) {
    std::optional<int64_t> begin = getConstantIntValue(loop.getLowerBound()), end = getConstantIntValue(loop.getUpperBound()),
                           step = getConstantIntValue(loop.getStep());
    if (!begin || !end || !step || (*end - *begin) % (2 * *step))
      return false;
    int64_t ops = 0;
    bool dots = false, nested = false;
    for (Operation &op : *loop.getBody()) {
      ++ops;
      dots |= isa<LLVM::CallIntrinsicOp>(op);
      nested |= op.getNumRegions() != 0;
    }
    return dots && !nested && ops <= kShort;
  }
};

} // namespace

void cpu::registerPairBlocksPass() { PassRegistration<PairBlocksPass>(); }
std::unique_ptr<Pass> cpu::createPairBlocksPass() { return std::make_unique<PairBlocksPass>(); }
