//===- LinearTest.cpp - One tile program, every back end -----------------------===//
//
// The program of a linear layer for one token, as the compiler writes it (passes/kernels), becomes
// machine code, GLSL that runs on a Vulkan device and C with HVX intrinsics that runs under
// qemu-hexagon. All are held against plain loops: the result with its scales within rounding, the
// int32 sums that the scales are applied to bit for bit.
//
//===----------------------------------------------------------------------===//
#include "CpuRunner.h"
#include "HexagonRunner.h"
#include "LinearLayer.h"
#include "VulkanRunner.h"
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/spirv/CompileSPIRV.h"
#include "codegen/spirv/PrintGLSL.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "passes/kernels/Kernels.h"
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace sinter;
using namespace sinter::test;

namespace {

/// Adds a binding after the others and stores there, right after each dot, its result:
/// [tile][group] [32 rows] of i32. It is the same program otherwise, so what is stored is what the
/// scales are applied to.
void recordDots(tile::KernelOp kernel, int64_t groups) {
  OpBuilder b(kernel);
  auto bytes = tile::BytesType::get(b.getContext());
  BlockArgument sums =
      kernel.getBlock().insertArgument(kernel.getNumBindings(), bytes, kernel.getLoc());
  auto constant = [&](int64_t v) { return b.create<arith::ConstantIndexOp>(kernel.getLoc(), v); };
  SmallVector<tile::DotOp> dots;
  kernel.walk([&](tile::DotOp dot) { dots.push_back(dot); });
  for (auto [i, dot] : llvm::enumerate(dots)) {
    b.setInsertionPointAfter(dot);
    Location loc = dot.getLoc();
    Value block = dot->getParentOfType<scf::ForOp>().getInductionVar();
    Value group = b.create<arith::MulIOp>(loc, block, constant(dots.size()));
    group = b.create<arith::AddIOp>(loc, group, constant(i));
    Value first = b.create<arith::MulIOp>(loc, kernel.getTileArg(), constant(groups));
    group = b.create<arith::AddIOp>(loc, first, group);
    Value offset = b.create<arith::MulIOp>(loc, group, constant(4 * kTileRows));
    b.create<tile::StoreOp>(loc, dot.getResult(), sums, offset);
  }
}

class LinearTest : public ::testing::TestWithParam<FormatId> {
protected:
  LinearTest() : format(Format::get(GetParam())), layer(GetParam(), /*rows=*/72, /*cols=*/512, 7) {
    context.loadDialect<tile::TileDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        vector::VectorDialect>();
    result.resize(layer.tiles() * kTileRows * 4);
    sums.resize(layer.groupSums.size() * 4);
  }

  void SetUp() override {
    // A row a lane, all 32 in one register: what an HVX vector and a GPU's invocations are.
    static constexpr RegisterBlock block[] = {{1, kTileRows, true}};
    static constexpr Schedule schedule = {block, 1, kTileRows, 0};
    LinearSpec spec;
    spec.weights.push_back({format.id, layer.rows, layer.cols});
    spec.actsInput = !format.isFloat();
    spec.tokens = TokenClass::One;
    Location loc = UnknownLoc::get(&context);
    module = ModuleOp::create(loc);
    OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
    buildLinear(b, loc, "linear", spec, schedule);
    ASSERT_TRUE(succeeded(verify(*module)));
  }

  /// The kernel in lane form, with its sums recorded where it has any.
  tile::KernelOp laneForm() {
    PassManager pm(&context);
    addLaneForm(pm);
    if (failed(pm.run(*module)))
      return {};
    auto kernel = *module->getOps<tile::KernelOp>().begin();
    if (layer.groups())
      recordDots(kernel, layer.groups());
    return kernel;
  }

  std::vector<std::vector<uint8_t> *> bindings() {
    std::vector<std::vector<uint8_t> *> list = {&layer.weights, &layer.acts, &result};
    if (layer.groups())
      list.push_back(&sums);
    return list;
  }
  uint32_t tiles() { return static_cast<uint32_t>(layer.tiles()); }

  void expectResult() {
    for (int64_t r = 0; r < layer.rows; ++r) {
      float y;
      std::memcpy(&y, result.data() + 4 * r, 4);
      EXPECT_NEAR(y, layer.reference[r], 1e-6 * layer.magnitude[r]) << "row " << r;
    }
  }
  void expectSums() {
    std::vector<int32_t> found(layer.groupSums.size());
    if (!found.empty())
      std::memcpy(found.data(), sums.data(), sums.size());
    EXPECT_EQ(found, layer.groupSums);
  }
  void runVulkan(bool integerDot);

  const Format &format;
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
  // One token at position 0.
  std::vector<uint8_t> step = {1, 0, 0, 0, 0, 0, 0, 0};
  std::vector<std::vector<uint8_t> *> buffers = bindings();
  buffers.push_back(&step);
  ASSERT_EQ(vulkan->run(*spirv, buffers, tiles()), "") << vulkan->deviceName();
  expectSums();
  expectResult();
}

TEST_P(LinearTest, CPU) {
  ASSERT_EQ(runCpu(*module, "linear", {&layer.weights, &layer.acts, &result}, tiles(), 0), "");
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
  ASSERT_EQ(runHexagon(*text, bindings(), tiles()), "");
  expectSums();
  expectResult();
}

std::vector<FormatId> allFormats() {
  std::vector<FormatId> ids;
  for (const Format &format : Format::all())
    ids.push_back(format.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Formats, LinearTest, ::testing::ValuesIn(allFormats()),
                         [](const auto &info) { return Format::get(info.param).name.str(); });

} // namespace
