//===- Int8CacheTest.cpp - Keys and values rounded to int8, by every back end --------===//
//
// A linear layer that appends its rows to an int8 KV cache: 3 heads of 24, three groups of 8 each, so that a row tile holds
// groups of two heads and the last tile one group. Codes are a nearest integer of the row over its scale: half a step off, and the rounding of the sums.
//
//===----------------------------------------------------------------------===//
#include "CpuRunner.h"
#include "HexagonRunner.h"
#include "LinearLayer.h"
#include "VulkanRunner.h"
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/spirv/CompileSPIRV.h"
#include "codegen/spirv/PrintGLSL.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/kernels/Kernels.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace sinter;
using namespace sinter::test;

namespace {

constexpr int64_t kHeads = 3, kHeadDim = 24, kGroup = 8, kPositions = 64;

class Int8CacheTest : public ::testing::TestWithParam<OutputKind> {
protected:
  void SetUp() override {
    context.loadDialect<tile::TileDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        vector::VectorDialect>();
    static constexpr RegisterBlock block[] = {{1, kTileRows, true}};
    static constexpr Schedule schedule = {block, 1, kTileRows, 0};
    LinearSpec spec;
    spec.weights.push_back({FormatId::q8_0, layer.rows, layer.cols});
    spec.actsInput = true;
    spec.tokens = TokenClass::One;
    spec.output = GetParam();
    spec.cache = cache = {kHeads, kHeadDim, kPositions, IntegerType::get(&context, 8)};
    module = ModuleOp::create(UnknownLoc::get(&context));
    OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
    buildLinear(b, UnknownLoc::get(&context), "linear", spec, schedule);
    result.resize(cache.bytes(keys()));
  }
  bool keys() { return GetParam() == OutputKind::Keys; }

  tile::KernelOp laneForm() {
    PassManager pm(&context);
    addLaneForm(pm);
    if (failed(pm.run(*module)))
      return {};
    return *module->getOps<tile::KernelOp>().begin();
  }
  std::vector<std::vector<uint8_t> *> bindings() { return {&layer.weights, &layer.acts, &result}; }
  uint32_t tiles() { return static_cast<uint32_t>(layer.tiles()); }

  void expectCache() {
    for (int64_t r = 0; r < layer.rows; ++r) {
      int64_t head = r / kHeadDim, element = r % kHeadDim;
      // 64 positions of a head lie together, scales behind their codes.
      int64_t codes = kPositions * kHeadDim, start = head * (codes + kHeadDim / kGroup * kPositions * 4);
      float scale;
      std::memcpy(&scale, &result[start + codes + 4 * (element / kGroup) * kPositions], 4);
      // Of position 0: words of four elements, 32 positions apart, or the first byte of each word of four positions.
      int64_t place = keys() ? element / 4 * 4 * kTileRows + element % 4 : element * 4;
      int code = static_cast<int8_t>(result[start + place]);
      EXPECT_GT(scale, 0) << "row " << r;
      EXPECT_NEAR(code * scale, layer.reference[r],
                  scale * (0.5 + 1e-4) + 1e-6 * layer.magnitude[r])
          << "row " << r;
    }
  }

  LinearLayer layer{FormatId::q8_0, kHeads * kHeadDim, /*cols=*/64, 7};
  CacheShape cache;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::vector<uint8_t> result;
};

TEST_P(Int8CacheTest, CPU) {
  auto kernel = *module->getOps<tile::KernelOp>().begin();
  ASSERT_EQ(runCpu(*module, "linear", bindings(), tiles(), kernel.getScratch()), "");
  expectCache();
}

TEST_P(Int8CacheTest, GLSL) {
  std::string why;
  std::unique_ptr<VulkanRunner> vulkan = VulkanRunner::create(why);
  if (!vulkan)
    GTEST_SKIP() << why;
  tile::KernelOp kernel = laneForm();
  ASSERT_TRUE(kernel);
  FailureOr<KernelText> text = printGLSL(kernel);
  ASSERT_TRUE(succeeded(text));
  llvm::Expected<std::vector<uint32_t>> spirv = compileSPIRV(text->text);
  ASSERT_TRUE(bool(spirv)) << llvm::toString(spirv.takeError()) << text->text;
  std::vector<uint8_t> step = {1, 0, 0, 0, 0, 0, 0, 0};
  std::vector<std::vector<uint8_t> *> buffers = bindings();
  buffers.push_back(&step);
  ASSERT_EQ(vulkan->run(*spirv, buffers, tiles()), "");
  expectCache();
}

TEST_P(Int8CacheTest, HVX) {
  if (std::string why = whyNoHexagon(); !why.empty())
    GTEST_SKIP() << why;
  tile::KernelOp kernel = laneForm();
  ASSERT_TRUE(kernel);
  FailureOr<KernelText> text = printHVX(kernel);
  ASSERT_TRUE(succeeded(text));
  ASSERT_EQ(runHexagon(*text, bindings(), tiles()), "");
  expectCache();
}

INSTANTIATE_TEST_SUITE_P(Parts, Int8CacheTest,
                         ::testing::Values(OutputKind::Keys, OutputKind::Values),
                         [](const auto &info) {
                           return info.param == OutputKind::Keys ? "keys" : "values";
                         });

} // namespace
