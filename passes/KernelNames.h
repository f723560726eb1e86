//===- KernelNames.h - The grammar of kernel names ------------------------------------===//
//
//   operation [_ format]... [_ activations] [_ epilogue]... _ shape [_ tokens]
//
//   linear_q4_0_i8_glu_8192x2048_t1      two weights, SwiGLU, one token
//   linear_q4_k_i8_rope_keys_512x2048_tn K with RoPE, appended to the cache, a chunk
//   attention_f16_h32kv8d64_tn           norm_quantize_2048
//
// Readable in a profile; two kernels of one name and other content get _v2, _v3. What makes kernels equal is the key:
// the name and all that it leaves out.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_PASSES_KERNELNAMES_H
#define SINTER_PASSES_KERNELNAMES_H

#include "dialects/llm/LLMDialect.h"
#include "passes/kernels/Kernels.h"
#include "llvm/Support/FormatVariadic.h"

namespace sinter {

class KernelName {
public:
  KernelName(llvm::StringRef operation, int64_t width);
  KernelName(llvm::StringRef operation, const WeightShape &weight, TokenClass tokens);
  explicit KernelName(std::string text) : name(std::move(text)) {}

  void key(llvm::StringRef what, const std::string &value) { rest += " " + what.str() + "=" + value; }
  /// All digits: constants that differ at all are different kernels.
  void key(llvm::StringRef what, double value) { key(what, llvm::formatv("{0:e17}", value).str()); }
  void key(llvm::StringRef what, ActForm form) { key(what, std::to_string(form.crossed) + std::to_string(form.stepped)); }
  void key(llvm::StringRef what, const ActSums &sums) { key(what, std::to_string(sums.halves) + std::to_string(sums.totals)); }
  const std::string &text() const { return name; }
  std::string key() const { return name + rest; }

private:
  std::string name, rest;
};

KernelName linearName(llm::LinearOp op, const LinearSpec &spec);
KernelName attentionName(const AttentionSpec &spec);
KernelName attentionJoinName(const AttentionSpec &spec);

/// "blk.0.attn_q": the layer that a location names, or "model".
std::string layerName(mlir::Location loc);

} // namespace sinter

#endif
