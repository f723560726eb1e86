//===- RecipeFixture.h - A GGUF in memory and recipes over it -------------===//
#ifndef SINTER_TEST_UNIT_WEIGHTS_RECIPEFIXTURE_H
#define SINTER_TEST_UNIT_WEIGHTS_RECIPEFIXTURE_H

#include "compiler/weights/Recipe.h"
#include "dialects/llm/LLMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "test/unit/gguf/FileBuilder.h"
#include "gtest/gtest.h"

namespace sinter {

/// Tensors' bytes count up: w is 16 rows of q8_0, f is 4 rows of f16, v and u are 32 floats (finite
/// ones).
class RecipeFixture : public testing::Test {
protected:
  RecipeFixture() {
    gguf::test::FileBuilder builder;
    builder.tensor("w", {32, 16}, 8, 16 * 34).tensor("f", {8, 4}, 1, 64).tensor("v", {32}, 0, 128);
    builder.tensor("u", {32}, 0, 128).tensor("ints", {32}, 26, 128);
    bytes = builder.build();
    file = llvm::cantFail(gguf::GGUFFile::parse(bytes, "test.gguf"));
    context.loadDialect<llm::LLMDialect, exec::ExecDialect>();
    context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
      message += diagnostic.str();
      return mlir::success();
    });
  }

  /// The recipe of a constant of `size` bytes whose region is `body`.
  mlir::FailureOr<Recipe> read(int64_t size, const std::string &body) {
    std::string text =
        "exec.buffer constant @c bytes " + std::to_string(size) + " {\n" + body + "\n}";
    modules.push_back(mlir::parseSourceString<mlir::ModuleOp>(text, mlir::ParserConfig(&context)));
    if (!modules.back())
      return mlir::failure();
    return Recipe::read(*modules.back()->getOps<exec::BufferOp>().begin(), *file);
  }

  static std::vector<uint8_t> evaluate(const Recipe &recipe) {
    std::vector<uint8_t> all;
    for (int64_t strip = 0; strip < recipe.strips(); ++strip) {
      all.resize(all.size() + recipe.stripBytes(strip), 0xee);
      recipe.evaluate(strip, all.data() + all.size() - recipe.stripBytes(strip));
    }
    EXPECT_EQ(static_cast<int64_t>(all.size()), recipe.bytes());
    return all;
  }

  static std::vector<float> floats(const std::vector<uint8_t> &bytes) {
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  std::vector<float> tensorFloats(llvm::StringRef name) {
    const gguf::Tensor *tensor = file->findTensor(name);
    return floats({tensor->data, tensor->data + tensor->bytes});
  }

  mlir::MLIRContext context;
  gguf::test::Bytes bytes;
  std::unique_ptr<gguf::GGUFFile> file;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules;
  std::string message;
};

} // namespace sinter

#endif
