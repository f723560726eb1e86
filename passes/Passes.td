//===- Passes.td - Every pass of Sinter -----------------------------------===//
//
// One pass a file: PascalCase.cpp here, its flag (kebab-case) in sinter-opt, test/passes/flag.mlir. In the order of
// the phases (Pipelines.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_TD
#define SINTER_PASSES_TD

include "mlir/Pass/PassBase.td"

// ---- llm: quantize and fuse ---------------------------------------------------------------------------------------

class LLMPass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::sinter::llm::LLMDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

/// A rewrite of the model that can say where it fired and where it nearly did.
class LLMRewrite<string flag> : LLMPass<flag> {
  let options = [Option<"remarks", "remarks", "bool", "false", "Say where it fired and where it nearly did">];
}

def VerifyImported : LLMPass<"verify-imported"> {
  let summary = "Check what holds after import";
}

def ForkTargets : Pass<"fork-targets", "::mlir::ModuleOp"> {
  let summary = "One nested module a target";
  let dependentDialects = ["::sinter::exec::ExecDialect"];
  let options = [Option<"target", "target", "std::string", "\"host\"", "What --target= of sinterc takes">];
}

def HoistLastToken : LLMRewrite<"hoist-last-token"> {
  let summary = "Choose the last token's row before computing with all of them";
}

def QuantizeActivations : LLMRewrite<"quantize-activations"> {
  let summary = "Quantize what layers with integer weights read, if the target wants it";
}

def VerifyQuantized : LLMPass<"verify-quantized"> {
  let summary = "Check what holds after quantize";
}

def CanonicalizeRope : LLMRewrite<"canonicalize-rope"> {
  let summary = "Permute weight rows so that the pairs of RoPE are neighbours";
}

def SplitKvAppend : LLMRewrite<"split-kv-append"> {
  let summary = "Take the cache's writes out of attention";
}

def FuseBias : LLMRewrite<"fuse-bias"> {
  let summary = "Add a bias in the epilogue of the linear layer before";
}

def FuseScale : LLMRewrite<"fuse-scale"> {
  let summary = "Scale in the epilogue of the linear layer before";
}

def FuseRope : LLMRewrite<"fuse-rope"> {
  let summary = "Rotate in the epilogue of the linear layer before, by a shared table";
}

def FuseResidual : LLMRewrite<"fuse-residual"> {
  let summary = "Add the residual stream in the epilogue of the linear layer before";
}

def FuseGlu : LLMRewrite<"fuse-glu"> {
  let summary = "Compute gate and up side by side";
}

def FuseKvAppend : LLMRewrite<"fuse-kv-append"> {
  let summary = "Let the linear layer write into the KV cache";
}

def FuseScore : LLMRewrite<"fuse-score"> {
  let summary = "Score by an online log-sum-exp, without logits";
}

def FuseNormQuantize : LLMRewrite<"fuse-norm-quantize"> {
  let summary = "Quantize in the norm before";
}

def FuseEpilogueQuantize : LLMRewrite<"fuse-epilogue-quantize"> {
  let summary = "Quantize in the epilogue of the linear layer before";
}

def FuseAttentionQuantize : LLMRewrite<"fuse-attention-quantize"> {
  let summary = "Quantize in attention";
}

def PackWeights : LLMPass<"pack-weights"> {
  let summary = "Pack every weight that a kernel reads, once";
}

def VerifyFused : LLMPass<"verify-fused"> {
  let summary = "Check that every op is one that becomes a kernel";
}

// ---- tile -------------------------------------------------------------------------------------------------------

def OutlineKernels : Pass<"outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Make unique kernels and static programs of the model";
  let dependentDialects = ["::sinter::exec::ExecDialect", "::sinter::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VerifyTiled : Pass<"verify-tiled", "::mlir::ModuleOp"> {
  let summary = "Check that nothing of the model is left but recipes, and that all variants have the same kernels";
}

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

def PrintGLSL : Pass<"print-glsl", "::mlir::ModuleOp"> {
  let summary = "Print kernels in lane form as GLSL";
  let options = [Option<"integerDot", "integer-dot", "bool", "false", "Dots by SPV_KHR_integer_dot_product">];
}

def PrintHVX : Pass<"print-hvx", "::mlir::ModuleOp"> {
  let summary = "Print kernels in lane form as C with HVX intrinsics";
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
