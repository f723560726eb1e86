//===- TextPrinter.h - What GLSL and C have in common ------------------------===//
//
// Names, control flow and scalar arithmetic of a tile.kernel in lane form, for languages with C's
// syntax. A back end adds its words for lanes and memory:
//
//   scf.for %k = %a to %b step %c iter_args(%s = %z)      float v4 = v3;
//     %t = arith.addf %s, %x                        ==>   for (uint v5 = v0; v5 < v1; v5 += v2) {
//     scf.yield %t                                          float v6 = v4 + v7;
//                                                           v4 = v6;
//                                                         }
//
// Integers carry no sign in MLIR and none in the text: every integer is an unsigned 32-bit word and
// is cast where an op reads it as signed, so that wrap-around is defined in both languages.
// Integers narrower than a word are kept zero-extended; an f16 is kept as the f32 of the same
// value.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_TEXTPRINTER_H
#define SINTER_CODEGEN_TEXTPRINTER_H

#include "codegen/Backend.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

namespace sinter {

/// A function that printed kernels may call; the text of those that do holds it and so needs no library.
struct TextHelper {
  llvm::StringRef name;
  llvm::StringRef text; ///< the whole function, with a line feed at its end
};

class TextPrinter {
public:
  virtual ~TextPrinter() = default;

protected:
  TextPrinter(tile::KernelOp kernel, llvm::StringRef language);

  //===--- What a language says -------------------------------------------===//

  /// The type of a variable that holds `type`; empty where there is none.
  virtual std::string variableType(mlir::Type type) = 0;
  /// Prints one op other than control flow, constants and scalar arithmetic.
  virtual mlir::LogicalResult printOp(mlir::Operation *op) = 0;
  /// `expression` converted to a scalar of the language.
  virtual std::string convert(llvm::StringRef type, llvm::StringRef expression) = 0;
  /// The function that computes a named scalar step ("fma", "exp", "bits_of_float", ...); empty
  /// where the language has none. See scalarExpression for the names.
  virtual std::string function(llvm::StringRef step) = 0;
  /// A constant; text that is an expression of variableType(type).
  virtual std::string constant(mlir::TypedAttr value) = 0;
  /// Prints an element-wise op on lanes.
  virtual mlir::LogicalResult printLanes(mlir::Operation *op) = 0;

  //===--- What they share ------------------------------------------------===//

  mlir::LogicalResult printBlock(mlir::Block &block);
  /// The op on one element, from the text of its operands; none where it has no scalar form.
  std::optional<std::string> scalarExpression(mlir::Operation *op,
                                              llvm::ArrayRef<std::string> operands);
  std::string scalarConstant(mlir::Attribute value);

  /// Says that the op has no form in this language.
  mlir::LogicalResult unsupported(mlir::Operation *op, const llvm::Twine &why = "");
  /// The kernel's argument number of a memory operand; numBindings stands for the scratch.
  mlir::FailureOr<unsigned> bindingOf(mlir::Operation *user, mlir::Value memory);
  llvm::SmallVector<BindingAccess> accesses();

  /// Words that are the same in all lanes (load_uniform's): they are indexed, not computed on in
  /// lanes.
  static bool isUniformVector(mlir::Value value);

  std::string nameOf(mlir::Value value) { return names.lookup(value); }
  llvm::SmallVector<std::string> namesOf(mlir::ValueRange values);
  void setName(mlir::Value value, std::string name) { names[value] = std::move(name); }
  std::string fresh() { return "v" + std::to_string(next++); }
  /// Starts a line of the body.
  llvm::raw_ostream &line() { return out.indent(2 * depth); }
  /// `type name = expression;` for the single result of an op.
  mlir::LogicalResult define(mlir::Operation *op, llvm::StringRef expression);
  /// The same, but no new variable where the expression is one of the op's operands.
  mlir::LogicalResult defineOrAlias(mlir::Operation *op, llvm::StringRef expression);
  /// The expression without parentheses around the whole of it.
  static llvm::StringRef withoutOuterParentheses(llvm::StringRef text);
  /// `(a op b)`.
  static std::string binary(llvm::StringRef a, llvm::StringRef op, llvm::StringRef b);

  tile::KernelOp kernel;
  llvm::StringRef language;
  std::string body;
  llvm::raw_string_ostream out{body};
  unsigned depth = 1;

private:
  mlir::LogicalResult printFor(mlir::scf::ForOp loop);
  mlir::LogicalResult printIf(mlir::scf::IfOp branch);
  mlir::LogicalResult declare(mlir::Operation *op, mlir::Value value, llvm::StringRef init);
  void assign(mlir::ValueRange targets, mlir::ValueRange sources);

  llvm::DenseMap<mlir::Value, std::string> names;
  /// What no statement of the text reads: prefetches, and what only they need.
  llvm::DenseSet<mlir::Operation *> unread;
  unsigned next = 0;
};

} // namespace sinter

#endif
