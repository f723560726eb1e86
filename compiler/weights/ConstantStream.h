//===- ConstantStream.h - All constants, evaluated in order by threads ----===//
//
// The weights segment as one stream: workers evaluate strips of recipes ahead of time, and hand
// them over in order. What is in memory at a time is one strip a worker.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_WEIGHTS_CONSTANTSTREAM_H
#define SINTER_COMPILER_WEIGHTS_CONSTANTSTREAM_H

#include "compiler/weights/Recipe.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace sinter {

struct PlacedRecipe {
  Recipe recipe;
  /// From the start of the segment.
  int64_t offset;
};

/// Evaluates `constants`, which are in the order of their offsets and do not overlap, and gives the
/// segment's first `totalBytes` to `sink`: in order, without gaps (what lies between constants is
/// zero), always in the same pieces for the same input. `sink` is called by one thread at a time;
/// its error ends the stream.
///
/// \param threads  0: as many as the machine has.
llvm::Error streamConstants(llvm::ArrayRef<PlacedRecipe> constants, int64_t totalBytes,
                            const gguf::GGUFFile &file, unsigned threads,
                            llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace sinter

#endif
