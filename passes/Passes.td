//===- Passes.td - Every pass of Sinter -----------------------------------===//
//
// One pass a file: PascalCase.cpp here, its flag (kebab-case) in sinter-opt, test/passes/flag.mlir. In the order of
// the phases (Pipelines.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_TD
#define SINTER_PASSES_TD

include "mlir/Pass/PassBase.td"

// ---- codegen: kernels from structured to lane form ---------------------------------------------------------------

def ExpandFormats : Pass<"expand-formats", "::sinter::tile::KernelOp"> {
  let summary = "Write unpacking and scale chains as lane arithmetic";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def UnrollTokens : Pass<"unroll-tokens", "::sinter::tile::KernelOp"> {
  let summary = "Take the token dimension apart: kernels in lane form";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

// ---- plan -------------------------------------------------------------------------------------------------------

def BuildMemoryPlan : Pass<"build-memory-plan", "::mlir::ModuleOp"> {
  let summary = "Write down how long each buffer lives";
  let dependentDialects = ["::sinter::exec::ExecDialect"];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every buffer its place";
  let dependentDialects = ["::sinter::exec::ExecDialect"];
  let statistics = [
    Statistic<"inPlace", "in-place", "Buffers that took the place of an operand">,
    Statistic<"arenaBytes", "arena-bytes", "Bytes of the arena">];
}

def VerifyPlan : Pass<"verify-plan", "::mlir::ModuleOp"> {
  let summary = "Check a memory plan against the programs, with code of its own";
}

#endif
