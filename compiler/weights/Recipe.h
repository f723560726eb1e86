//===- Recipe.h - What a constant's bytes are made of ---------------------===//
//
// The region of a constant exec.buffer, read once into a plain description without IR (so that
// threads may evaluate it), then evaluated strip by strip:
//
//   %0 = llm.weight "blk.0.attn_q.weight"          strip s = row tiles 4s .. 4s+3, from rows of the
//   mapped GGUF %1 = llm.permute_rows %0 {...}           ==>   (permute_rows says which row; a
//   strip never needs another strip) %2 = llm.pack %1
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_WEIGHTS_RECIPE_H
#define SINTER_COMPILER_WEIGHTS_RECIPE_H

#include "compiler/gguf/Reader.h"
#include "compiler/weights/Format.h"
#include "dialects/exec/ExecDialect.h"
#include <variant>
#include <vector>

namespace sinter {

/// Rows of a 2-D tensor in their source format, some steps away from the file.
struct MatrixRecipe {
  const gguf::Tensor *tensor;
  PackedLayout layout;
  /// permute_rows, innermost first.
  struct Permutation {
    int64_t headDim, rotaryDim;
    int64_t source(int64_t row) const;
  };
  std::vector<Permutation> permutations;
  /// scale_columns, innermost first; float formats only.
  std::vector<std::vector<double>> columnScales;

  void evaluateTiles(int64_t first, int64_t count, uint8_t *out) const;
};

/// Rows of (cos, sin) pairs.
struct RopeTableRecipe {
  std::vector<double> frequencies;
  int64_t positions;

  void evaluateRows(int64_t first, int64_t count, float *out) const;
};

/// A vector, evaluated when the recipe is read: it is small.
struct VectorRecipe {
  std::vector<float> values;
};

class Recipe {
public:
  /// Reads the region and checks it against the file. Emits an error at the op that is wrong: an op
  /// that is no recipe op, a tensor that is missing or of another shape or type.
  static mlir::FailureOr<Recipe> read(exec::BufferOp buffer, const gguf::GGUFFile &file);

  int64_t bytes() const { return totalBytes; }
  int64_t strips() const;
  /// Bytes of one strip; they follow each other.
  int64_t stripBytes(int64_t strip) const;
  /// Fills stripBytes(strip) bytes. Any number of threads may call it.
  void evaluate(int64_t strip, uint8_t *out) const;

  /// The tensor that strips are read from; null for vectors and tables.
  const gguf::Tensor *tensor() const;
  /// Format of a matrix; null for vectors and tables.
  const Format *format() const;

private:
  std::variant<VectorRecipe, MatrixRecipe, RopeTableRecipe> what;
  int64_t totalBytes = 0;
  /// Row tiles or table rows in a strip.
  int64_t step = 1;

  template <typename T> explicit Recipe(T what) : what(std::move(what)) {}
};

} // namespace sinter

#endif
