//===- ModelOp.h - One op of the model: evaluated, and as a kernel ----------------===//
//
// A test writes a function @op with one llm op in it. The reference evaluator computes it; the
// kernel is built from the same op.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_KERNELS_MODELOP_H
#define SINTER_TEST_UNIT_KERNELS_MODELOP_H

#include "RandomTensors.h"
#include "compiler/reference/Evaluator.h"
#include "dialects/llm/LLMDialect.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "passes/Pipelines.h"
#include "passes/kernels/Kernels.h"
#include "gtest/gtest.h"

namespace sinter::test {

class ModelOp {
public:
  explicit ModelOp(const std::string &text)
      : context(registry(), mlir::MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    kernels = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  }

  template <typename OpT> OpT find() {
    OpT found;
    module->walk([&](OpT op) { found = op; });
    EXPECT_TRUE(found);
    return found;
  }

  /// Where the next kernel is built.
  mlir::OpBuilder builder() { return mlir::OpBuilder::atBlockEnd(kernels->getBody()); }
  mlir::Location loc() { return mlir::UnknownLoc::get(&context); }

  void open(RandomFile &file) {
    evaluator = std::make_unique<reference::Evaluator>(*module, file.open());
  }
  /// What @op gives.
  Array evaluate(llvm::ArrayRef<Array> arguments, int64_t position = 0) {
    auto results = evaluator->call("op", arguments, position);
    if (results)
      return std::move(results->front());
    ADD_FAILURE() << llvm::toString(results.takeError());
    return Array();
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module, kernels;
  std::unique_ptr<reference::Evaluator> evaluator;

private:
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    return registry;
  }
};

/// What a KV cache holds.
enum class CacheElement { f32, f16, i8 };
inline const char *elementName(CacheElement element) {
  return element == CacheElement::i8 ? "i8" : element == CacheElement::f16 ? "f16" : "f32";
}
inline mlir::Type elementType(CacheElement element, mlir::MLIRContext &context) {
  return mlir::parseType(elementName(element), &context);
}

/// A kernel for one token, and the one for a chunk: with one token, with few (each of the smaller
/// register blocks, alone and behind whole ones) and with many.
struct Step {
  TokenClass tokenClass;
  uint32_t tokens, position;

  /// Rows of its program's buffers.
  int64_t rows() const { return tokenClass == TokenClass::One ? 1 : bufferRows(tokens); }
};
inline constexpr Step kSteps[] = {
    {TokenClass::One, 1, 0},    {TokenClass::One, 1, 37},     {TokenClass::Chunk, 1, 5},
    {TokenClass::Chunk, 7, 30}, {TokenClass::Chunk, 256, 13}, {TokenClass::Chunk, 2, 30},
    {TokenClass::Chunk, 3, 29}, {TokenClass::Chunk, 33, 8},
};

/// Tests that run once a variant, by its name.
class KernelTest : public testing::TestWithParam<Machine> {
protected:
  void SetUp() override {
    if (std::string why = GetParam().missing(); !why.empty())
      GTEST_SKIP() << why;
  }
  const Machine &machine() { return GetParam(); }
  const Schedule &schedule() { return GetParam().variant->schedule; }
  /// All steps; under an emulator, which takes minutes for them, the first five.
  llvm::ArrayRef<Step> steps() {
    llvm::ArrayRef<Step> all = kSteps;
    return machine().native() ? all : all.take_front(5);
  }
};

inline void PrintTo(const Machine &machine, std::ostream *out) { *out << machine.name(); }

inline std::string machineName(const testing::TestParamInfo<Machine> &info) {
  return info.param.name();
}

#define SINTER_ALL_VARIANTS(suite)                                                                 \
  INSTANTIATE_TEST_SUITE_P(Variants, suite, testing::ValuesIn(Machine::all()), machineName)

inline const char *className(TokenClass tokens) {
  return tokens == TokenClass::One ? "one" : "chunk";
}

} // namespace sinter::test

#endif
