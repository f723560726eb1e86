//===- LinearTest.cpp - One tile program, every back end -----------------------===//
//
// The linear layers of test/codegen/Inputs, written once in structured form, become GLSL that runs on a Vulkan device
// and C with HVX intrinsics that runs under qemu-hexagon. Both are held against plain loops: the result with its scales
// within rounding, the int32 sum of each block of 32 columns bit for bit.
//
//===----------------------------------------------------------------------===//
#include "HexagonRunner.h"
#include "LinearLayer.h"
#include "VulkanRunner.h"
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/spirv/CompileSPIRV.h"
#include "codegen/spirv/PrintGLSL.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "sinter/kernel_abi.h"
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace sinter;
using namespace sinter::test;

namespace {

/// Adds a binding after the others and stores every block sum there: [tile][block][32 rows] of i32. It is the same
/// program otherwise, so what is stored is what the scales are applied to.
void recordDots(tile::KernelOp kernel, int64_t blocks) {
  OpBuilder b(kernel);
  BlockArgument sums = kernel.getBlock().insertArgument(kernel.getNumBindings(), tile::BytesType::get(b.getContext()),
                                                        kernel.getLoc());
  kernel.walk([&](tile::DotOp dot) {
    b.setInsertionPointAfter(dot);
    Location loc = dot.getLoc();
    auto loop = dot->getParentOfType<scf::ForOp>();
    Value block = b.create<arith::MulIOp>(loc, kernel.getTileArg(), b.create<arith::ConstantIndexOp>(loc, blocks));
    block = b.create<arith::AddIOp>(loc, block, loop.getInductionVar());
    Value offset = b.create<arith::MulIOp>(loc, block, b.create<arith::ConstantIndexOp>(loc, 4 * kTileRows));
    b.create<tile::StoreOp>(loc, dot.getResult(), sums, offset);
  });
}

struct Case {
  FormatId format;
  int64_t rows, cols;
};

class LinearTest : public ::testing::TestWithParam<Case> {
protected:
  LinearTest() : layer(GetParam().format, GetParam().rows, GetParam().cols, 7) {
    context.loadDialect<tile::TileDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        vector::VectorDialect>();
    std::string name = "linear_" + Format::get(GetParam().format).name.str();
    module = parseSourceFile<ModuleOp>(SINTER_SOURCE_DIR "/test/codegen/Inputs/" + name + ".mlir", &context);
    result.resize(layer.tiles() * kTileRows * 4);
    sums.resize(layer.blockSums.size() * 4);
  }

  /// The kernel in lane form, with its block sums recorded.
  tile::KernelOp laneForm() {
    PassManager pm(&context);
    OpPassManager &kernels = pm.nest<tile::KernelOp>();
    kernels.addPass(createExpandFormats());
    kernels.addPass(createUnrollTokens());
    kernels.addPass(createCanonicalizerPass());
    kernels.addPass(createCSEPass());
    if (!module || failed(pm.run(*module)))
      return {};
    auto kernel = *module->getOps<tile::KernelOp>().begin();
    recordDots(kernel, layer.blocks());
    return kernel;
  }

  void expectResult() {
    for (int64_t r = 0; r < layer.rows; ++r) {
      float y;
      std::memcpy(&y, result.data() + 4 * r, 4);
      // A block's product is rounded a few times, and the sum once a block.
      double tolerance = 1e-6 * layer.magnitude[r] + 1e-30;
      EXPECT_NEAR(y, layer.reference[r], tolerance) << "row " << r;
    }
  }
  void expectSums() {
    std::vector<int32_t> found(layer.blockSums.size());
    std::memcpy(found.data(), sums.data(), sums.size());
    EXPECT_EQ(found, layer.blockSums);
  }
  void runVulkan(bool integerDot);

  LinearLayer layer;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::vector<uint8_t> result, sums;
};

void LinearTest::runVulkan(bool integerDot) {
  std::string why;
  std::unique_ptr<VulkanRunner> vulkan = VulkanRunner::create(why);
  if (!vulkan)
    GTEST_SKIP() << why;
  if (integerDot && !vulkan->hasIntegerDot())
    GTEST_SKIP() << vulkan->deviceName() << " has no integer dot product";
  tile::KernelOp kernel = laneForm();
  ASSERT_TRUE(kernel);
  FailureOr<KernelText> text = printGLSL(kernel, {.integerDot = integerDot});
  ASSERT_TRUE(succeeded(text));
  EXPECT_FALSE(text->bindings[0].written);
  EXPECT_TRUE(text->bindings[2].written && !text->bindings[2].read);
  llvm::Expected<std::vector<uint32_t>> spirv = compileSPIRV(text->text);
  ASSERT_TRUE(bool(spirv)) << llvm::toString(spirv.takeError()) << text->text;
  std::vector<uint8_t> step(8);
  step[0] = 1;
  std::string error = vulkan->run(*spirv, {&layer.weights, &layer.acts, &result, &sums, &step},
                                  static_cast<uint32_t>(layer.tiles()));
  ASSERT_EQ(error, "") << vulkan->deviceName();
  expectSums();
  expectResult();
}

TEST_P(LinearTest, GLSL) { runVulkan(/*integerDot=*/false); }

TEST_P(LinearTest, GLSLIntegerDot) { runVulkan(/*integerDot=*/true); }

TEST_P(LinearTest, HVX) {
  if (std::string why = whyNoHexagon(); !why.empty())
    GTEST_SKIP() << why;
  tile::KernelOp kernel = laneForm();
  ASSERT_TRUE(kernel);
  FailureOr<KernelText> text = printHVX(kernel);
  ASSERT_TRUE(succeeded(text));
  std::string error = runHexagon(*text, {&layer.weights, &layer.acts, &result, &sums},
                                 static_cast<uint32_t>(layer.tiles()));
  ASSERT_EQ(error, "");
  expectSums();
  expectResult();
}

INSTANTIATE_TEST_SUITE_P(Formats, LinearTest,
                         ::testing::Values(Case{FormatId::q8_0, 64, 256}, Case{FormatId::q4_k, 64, 512}),
                         [](const auto &info) { return Format::get(info.param.format).name.str(); });

} // namespace
