//===- Hyperparameters.h - The numbers of a decoder, read and checked -----===//
//
// Reads `<architecture>.*` with llama.cpp's defaults where it has them, and refuses every value
// that no model can mean, so that all that follows computes with numbers in range.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_IMPORT_HYPERPARAMETERS_H
#define SINTER_COMPILER_IMPORT_HYPERPARAMETERS_H

#include "compiler/gguf/Reader.h"
#include <cstdint>
#include <string>

namespace sinter {

struct Hyperparameters {
  std::string architecture;
  int64_t layers = 0;         ///< block_count
  int64_t trainedContext = 0; ///< context_length
  int64_t embedding = 0;      ///< embedding_length
  int64_t feedForward = 0;    ///< feed_forward_length
  int64_t heads = 0;          ///< attention.head_count
  int64_t kvHeads = 0;        ///< attention.head_count_kv, else heads
  int64_t headDim = 0;        ///< attention.key_length, else embedding / heads
  int64_t rotaryDim = 0;      ///< rope.dimension_count, else headDim
  int64_t vocabulary =
      0;          ///< tokens of the tokenizer, else vocab_size, else rows of token_embd.weight
  double eps = 0; ///< attention.layer_norm_rms_epsilon
  double ropeBase = 10000; ///< rope.freq_base
  double ropeScale = 1;    ///< 1 / rope.scaling.factor where the scaling is linear

  int64_t queryWidth() const { return heads * headDim; }
  int64_t kvWidth() const { return kvHeads * headDim; }
};

/// Reads the numbers of a decoder with RMS norms, gated feed-forward layers and RoPE.
llvm::Expected<Hyperparameters> readHyperparameters(const gguf::GGUFFile &file,
                                                    llvm::StringRef architecture);

/// The double nearest to the shortest decimal that gives `value` as a float: 1e-5 and not
/// 9.9999997473787516e-06, which a person reading the IR would wonder about. Rounds to `value`
/// again.
double shortestDecimal(float value);

} // namespace sinter

#endif
