//===- RecipeConstants.h - The constants that weights become -----------------------------===//
#ifndef SINTER_PASSES_RECIPECONSTANTS_H
#define SINTER_PASSES_RECIPECONSTANTS_H

#include "dialects/exec/ExecDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include <string>

namespace sinter {

/// Whether `op` is part of a weight's recipe, and so no work of the device.
bool isRecipe(mlir::Operation *op);

/// Makes an exec.buffer constant of each weight, once: equal recipes are equal bytes, whichever function they stand in.
class RecipeConstants {
public:
  /// New constants are made where `builder` stands at the time of the call.
  explicit RecipeConstants(mlir::OpBuilder &builder) : b(builder) {}

  /// The name of the buffer that holds `value`, the last value of a recipe.
  std::string get(mlir::Value value);

private:
  mlir::OpBuilder &b;
  llvm::StringMap<std::string> names;
  llvm::StringMap<int> used;
};

} // namespace sinter

#endif
