//===- EveryOpTest.cpp - Every lane op, the same bits from every back end --------===//
//
// A kernel of all the ops, each stored on its own. The machine code of
// this host is one witness, the shader and the HVX C are the others: they share no code below the
// lane form.
//
//===----------------------------------------------------------------------===//
#include "CpuRunner.h"
#include "HexagonRunner.h"
#include "VulkanRunner.h"
#include "codegen/hexagon/PrintHVX.h"
#include "codegen/spirv/CompileSPIRV.h"
#include "codegen/spirv/PrintGLSL.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace sinter;
using namespace sinter::test;

namespace {

// %a, %b: vector<32xi32>; %c: the same, 1 .. 31; %f, %g, %h: vector<32xf32>; %t: a scalar i32; %s:
// a scalar f32.
constexpr const char *kIntegers[] = {
    "arith.addi %a, %b : vector<32xi32>",
    "arith.subi %a, %b : vector<32xi32>",
    "arith.muli %a, %b : vector<32xi32>",
    "arith.divui %a, %c : vector<32xi32>",
    "arith.remui %a, %c : vector<32xi32>",
    "arith.divsi %a, %c : vector<32xi32>",
    "arith.andi %a, %b : vector<32xi32>",
    "arith.ori %a, %b : vector<32xi32>",
    "arith.xori %a, %b : vector<32xi32>",
    "arith.shli %a, %c : vector<32xi32>",
    "arith.shrui %a, %c : vector<32xi32>",
    "arith.shrsi %a, %c : vector<32xi32>",
    "arith.shli %a, %t : vector<32xi32>",
    "arith.shrui %a, %t : vector<32xi32>",
    "arith.shrsi %a, %t : vector<32xi32>",
    "arith.minsi %a, %b : vector<32xi32>",
    "arith.maxsi %a, %b : vector<32xi32>",
    "arith.minui %a, %b : vector<32xi32>",
    "arith.maxui %a, %b : vector<32xi32>",
    "arith.select %less, %a, %b : vector<32xi1>, vector<32xi32>",
    "arith.select %flag, %a, %b : vector<32xi32>",
    "arith.extui %less : vector<32xi1> to vector<32xi32>",
    "arith.extui %both : vector<32xi1> to vector<32xi32>",
    "arith.extui %byte : vector<32xi8> to vector<32xi32>",
    "arith.extsi %byte : vector<32xi8> to vector<32xi32>",
    "arith.extui %short : vector<32xi16> to vector<32xi32>",
    "arith.extsi %short : vector<32xi16> to vector<32xi32>",
    "arith.bitcast %f : vector<32xf32> to vector<32xi32>",
    "arith.fptosi %f : vector<32xf32> to vector<32xi32>",
    "tile.lanes : vector<32xi32>",
    "tile.lookup %nibbles in [-128, -104, -83, -65, -49, -35, -22, -10, 0, 13, 25, 38, 53, 69, 89, 127] : vector<32xi32>",
    "tile.swap_pairs %a : vector<32xi32>",
    "tile.concat %low, %high : vector<16xi32>, vector<16xi32> -> vector<32xi32>",
    "tile.gather %x[%o2 + %places] : !tile.bytes, vector<32xi32> -> vector<32xi32>",
    "tile.spread %w0, %w1, %w0, %w1, %w1, %w1, %w0, %w0 : vector<1xi32>, vector<1xi32>, "
    "vector<1xi32>, vector<1xi32>, "
    "vector<1xi32>, vector<1xi32>, vector<1xi32>, vector<1xi32> -> vector<32xi32>",
    "tile.spread %w0, %w1, %w0, %w1, %w1, %w1, %w0, %w0 {signed_codes} : vector<1xi32>, "
    "vector<1xi32>, vector<1xi32>, "
    "vector<1xi32>, vector<1xi32>, vector<1xi32>, vector<1xi32>, vector<1xi32> -> vector<32xi32>",
    "tile.dot %a, [%b, %a, %c], %words from 2 start %start : i32 bits 8 : [vector<32xi32>, "
    "vector<32xi32>, "
    "vector<32xi32>], vector<8xi32> -> vector<32xi32>",
    "tile.dot %a, [%b, %c], %positives from 3 bits 8 positive : [vector<32xi32>, vector<32xi32>], vector<8xi32> -> "
    "vector<32xi32>",
    "tile.dot %a, [%c, %c], %words bits 7 : [vector<32xi32>, vector<32xi32>], vector<8xi32> -> "
    "vector<32xi32>",
    "vector.broadcast %sum : i32 to vector<32xi32>",
    "vector.broadcast %sum16 : i32 to vector<32xi32>",
    "vector.broadcast %max : i32 to vector<32xi32>",
    "vector.broadcast %max8 : i32 to vector<32xi32>",
    "vector.broadcast %number : i32 to vector<32xi32>",
    "vector.broadcast %chosen : i32 to vector<32xi32>",
    "vector.broadcast %swapped#0 : i32 to vector<32xi32>",
    "vector.broadcast %swapped#1 : i32 to vector<32xi32>",
};
constexpr const char *kPredicates[] = {"eq",  "ne",  "slt", "sle", "sgt",
                                       "sge", "ult", "ule", "ugt", "uge"};

constexpr const char *kFloats[] = {
    "arith.addf %f, %g : vector<32xf32>",
    "arith.subf %f, %g : vector<32xf32>",
    "arith.mulf %f, %g : vector<32xf32>",
    "arith.negf %f : vector<32xf32>",
    "arith.maximumf %f, %g : vector<32xf32>",
    "arith.minimumf %f, %g : vector<32xf32>",
    "arith.maxnumf %f, %g : vector<32xf32>",
    "arith.minnumf %f, %g : vector<32xf32>",
    "math.absf %f : vector<32xf32>",
    "math.roundeven %f : vector<32xf32>",
    "math.fma %f, %g, %h : vector<32xf32>",
    "arith.divf %f, %positive : vector<32xf32>",
    "math.sqrt %positive : vector<32xf32>",
    "math.exp %small : vector<32xf32>",
    "arith.sitofp %a : vector<32xi32> to vector<32xf32>",
    "arith.extf %half : vector<32xf16> to vector<32xf32>",
    "arith.extf %rounded : vector<32xf16> to vector<32xf32>",
    "arith.select %smaller, %f, %g : vector<32xi1>, vector<32xf32>",
    "tile.swap_pairs %f : vector<32xf32>",
    "vector.broadcast %s : f32 to vector<32xf32>",
    "vector.broadcast %fsum : f32 to vector<32xf32>",
    "vector.broadcast %fsum8 : f32 to vector<32xf32>",
    "vector.broadcast %fmax : f32 to vector<32xf32>",
    "tile.dot %h, [%f, %g], %floats from 1 bits 8 : [vector<32xf32>, vector<32xf32>], "
    "vector<4xf32> -> "
    "vector<32xf32>",
};
constexpr const char *kFloatPredicates[] = {"oeq", "ogt", "oge", "olt", "ole", "one",
                                            "une", "ugt", "uge", "ult", "ule"};

// Where the inputs lie in %x, in units of 128 bytes: a, b, c, f, g, h, then halves of all kinds (64
// bytes).
constexpr int kInputRows = 7;
// Bytes of %y past the results: for stores of less than 32 words.
constexpr int kNarrowBytes = 1024;

std::string everyOp(int &rows) {
  std::string text = R"(
tile.kernel @every_op(%x: !tile.bytes, %y: !tile.bytes) grid(%tile, %tokens, %position) scratch(%scratch : 128) tokens 1 {
  %o0 = arith.constant 0 : index
  %o1 = arith.constant 128 : index
  %o2 = arith.constant 256 : index
  %o3 = arith.constant 384 : index
  %o4 = arith.constant 512 : index
  %o5 = arith.constant 640 : index
  %o6 = arith.constant 768 : index
  %i1 = arith.constant 1 : index
  %i5 = arith.constant 5 : index
  %o64 = arith.constant 64 : index
  %a = tile.load %x[%o0] : !tile.bytes -> vector<32xi32>
  %b = tile.load %x[%o1] : !tile.bytes -> vector<32xi32>
  %c = tile.load %x[%o2] : !tile.bytes -> vector<32xi32>
  %f = tile.load %x[%o3] : !tile.bytes -> vector<32xf32>
  %g = tile.load %x[%o4] : !tile.bytes -> vector<32xf32>
  %h = tile.load %x[%o5] : !tile.bytes -> vector<32xf32>
  %half = tile.load %x[%o6] : !tile.bytes -> vector<32xf16>
  %byte = tile.load %x[%i5] : !tile.bytes -> vector<32xi8>
  %short = tile.load %x[%o64] : !tile.bytes -> vector<32xi16>
  %low = tile.load %x[%o64] : !tile.bytes -> vector<16xi32>
  %high = tile.load %x[%o0] : !tile.bytes -> vector<16xi32>
  %w0 = tile.load %x[%o0] : !tile.bytes -> vector<1xi32>
  %w1 = tile.load %x[%o64] : !tile.bytes -> vector<1xi32>
  %words = tile.load_uniform %x[%o64] : !tile.bytes -> vector<8xi32>
  %floats = tile.load_uniform %x[%o3] : !tile.bytes -> vector<4xf32>
  %s = tile.load_uniform %x[%o4] : !tile.bytes -> f32
  %n = tile.load_uniform %x[%o2] : !tile.bytes -> i32
  %t = vector.broadcast %n : i32 to vector<32xi32>
  // The sum of the bytes of words 2, 3 and 4 of %words, as a dot with ones.
  %zero = arith.constant dense<0> : vector<32xi32>
  %ones = arith.constant dense<0x01010101> : vector<32xi32>
  %bytes = tile.dot %zero, [%ones, %ones, %ones], %words from 2 bits 1 : [vector<32xi32>, vector<32xi32>, vector<32xi32>], vector<8xi32> -> vector<32xi32>
  %wordsum = vector.extract %bytes[9] : i32 from vector<32xi32>
  %low4 = arith.constant dense<0x0f0f0f0f> : vector<32xi32>
  %nibbles = arith.andi %a, %low4 : vector<32xi32>
  %low7 = arith.constant dense<0x7f7f7f7f> : vector<16xi32>
  %signless = arith.andi %high, %low7 : vector<16xi32>
  tile.store %signless, %scratch[%o0] : vector<16xi32>, !tile.bytes
  %positives = tile.load_uniform %scratch[%o0] : !tile.bytes -> vector<8xi32>
  %minus8 = arith.constant -8 : i32
  %start = arith.muli %wordsum, %minus8 : i32
  %less = arith.cmpi slt, %a, %b : vector<32xi32>
  %above = arith.cmpi ugt, %a, %c : vector<32xi32>
  %both = arith.andi %less, %above : vector<32xi1>
  %flag = arith.cmpi ult, %n, %wordsum : i32
  %smaller = arith.cmpf olt, %f, %g : vector<32xf32>
  %one = arith.constant dense<1.0> : vector<32xf32>
  %size = math.absf %g : vector<32xf32>
  %positive = arith.addf %size, %one : vector<32xf32>
  %small = arith.divf %g, %positive : vector<32xf32>
  %rounded = arith.truncf %f : vector<32xf32> to vector<32xf16>
  %two = arith.constant dense<2> : vector<32xi32>
  %places = arith.shli %c, %two : vector<32xi32>
  %sum = tile.reduce <add> %a : vector<32xi32> -> i32
  %sum16 = tile.reduce <add> %a lanes 16 : vector<32xi32> -> i32
  %max = tile.reduce <max> %a : vector<32xi32> -> i32
  %max8 = tile.reduce <max> %b lanes 8 : vector<32xi32> -> i32
  %fsum = tile.reduce <add> %f : vector<32xf32> -> f32
  %fsum8 = tile.reduce <add> %g lanes 8 : vector<32xf32> -> f32
  %fmax = tile.reduce <max> %g : vector<32xf32> -> f32
  %number = vector.extract %a[11] : i32 from vector<32xi32>
  %chosen = scf.if %flag -> i32 {
    scf.yield %sum : i32
  } else {
    scf.yield %max : i32
  }
  // An odd number of exchanges.
  %swapped:2 = scf.for %i = %o0 to %i5 step %i1 iter_args(%p = %sum, %q = %max) -> (i32, i32) {
    scf.yield %q, %p : i32, i32
  }
)";
  rows = 0;
  auto store = [&](const std::string &op, const char *type) {
    std::string n = std::to_string(rows);
    text += "  %r" + n + " = " + op + "\n  %at" + n + " = arith.constant " +
            std::to_string(128 * rows) + " : index\n  tile.store %r" + n + ", %y[%at" + n +
            "] : " + type + ", !tile.bytes\n";
    ++rows;
  };
  auto flag = [&](const std::string &op) {
    std::string name = "%flag" + std::to_string(rows);
    text += "  " + name + " = " + op + "\n";
    store("arith.extui " + name + " : vector<32xi1> to vector<32xi32>", "vector<32xi32>");
  };
  for (const char *op : kIntegers)
    store(op, "vector<32xi32>");
  for (const char *predicate : kPredicates)
    flag("arith.cmpi " + std::string(predicate) + ", %a, %b : vector<32xi32>");
  for (const char *op : kFloats)
    store(op, "vector<32xf32>");
  for (const char *predicate : kFloatPredicates)
    flag("arith.cmpf " + std::string(predicate) + ", %f, %g : vector<32xf32>");
  auto index = [&](const char *name, int bytes) {
    text += "  " + std::string(name) + " = arith.constant " + std::to_string(128 * rows + bytes) +
            " : index\n";
  };
  index("%n0", 1);
  index("%n1", 64);
  index("%n2", 130);
  index("%n3", 256);
  index("%n4", 384);
  index("%n5", 448);
  index("%n6", 512);
  index("%n7", 768);
  // Narrow and partial stores, the first at an odd byte; one through scratch; some lanes to places
  // of their own.
  text += R"(
  tile.store %byte, %y[%n0] : vector<32xi8>, !tile.bytes
  tile.store %short, %y[%n1] : vector<32xi16>, !tile.bytes
  tile.store %rounded, %y[%n2] : vector<32xf16>, !tile.bytes
  tile.store %low, %y[%n3] : vector<16xi32>, !tile.bytes
  tile.store_uniform %s, %y[%n4] : f32, !tile.bytes
  tile.store_uniform %n, %y[%n5] : i32, !tile.bytes
  tile.store %f, %scratch[%o0] : vector<32xf32>, !tile.bytes
  %back = tile.gather %scratch[%o0 + %places] : !tile.bytes, vector<32xi32> -> vector<32xf32>
  tile.store %back, %y[%n6] : vector<32xf32>, !tile.bytes
  %eight = arith.constant dense<8> : vector<32xi32>
  %lanes = tile.lanes : vector<32xi32>
  %apart = arith.muli %lanes, %eight : vector<32xi32>
  tile.scatter %short, %y[%n7 + %apart] lanes %i5 : vector<32xi16>, !tile.bytes, vector<32xi32>
}
)";
  return text;
}

std::vector<uint8_t> inputs() {
  std::mt19937 random(3);
  std::vector<uint8_t> bytes(128 * kInputRows + 256);
  auto put = [&](int row, int lane, auto value) {
    std::memcpy(&bytes[128 * row + sizeof value * lane], &value, sizeof value);
  };
  constexpr uint32_t edges[] = {0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 0x80808080, 0x7f7f7f7f};
  for (int lane = 0; lane < 32; ++lane) {
    put(0, lane, lane < 7 ? edges[lane] : uint32_t(random()));
    put(1, lane, lane < 7 ? edges[6 - lane] : lane == 8 ? 0 : uint32_t(random()));
    put(2, lane, uint32_t(1 + random() % 31));
    // Halves and quarters meet the ties of rounding; some are past an f16.
    put(3, lane,
        float(int(random() % 2000) - 1000) / (lane % 2 ? 4.0f : 37.0f) *
            (lane == 30 ? 1000.0f : 1.0f));
    put(4, lane,
        lane % 5 == 0 ? float(lane)
                      : std::ldexp(float(int(random() % 200) - 100), int(random() % 9) - 6));
    put(5, lane, float(int(random() % 2000) - 1000) / 8.0f);
    // Halves: zero, denormal, largest, and any other but infinities.
    constexpr uint16_t halves[] = {0, 0x8000, 1, 0x3ff, 0x400, 0x7bff, 0xfbff, 0x83ff};
    put(6, lane, lane < 8 ? halves[lane] : uint16_t(random() & 0xbfff));
  }
  // Equal lanes for the comparisons.
  std::memcpy(&bytes[128 * 1 + 4 * 20], &bytes[4 * 20], 8);
  std::memcpy(&bytes[128 * 4 + 4 * 20], &bytes[128 * 3 + 4 * 20], 8);
  // Bytes of activations are never -128.
  for (int i = 64; i < 96; ++i)
    bytes[i] = bytes[i] == 0x80 ? 0x81 : bytes[i];
  return bytes;
}

class EveryOpTest : public ::testing::Test {
protected:
  EveryOpTest() {
    context.loadDialect<tile::TileDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        vector::VectorDialect>();
    module = parseSourceString<ModuleOp>(everyOp(rows), &context);
    result.assign(128 * rows + kNarrowBytes, 0xcd);
    expected = result;
  }
  void SetUp() override {
    ASSERT_TRUE(module);
    std::string error = runCpu(*module, "every_op", {&x, &expected}, 1, 128);
    ASSERT_EQ(error, "");
  }
  tile::KernelOp kernel() { return *module->getOps<tile::KernelOp>().begin(); }

  /// Ops whose last bits a back end may choose: Vulkan lets a device round the product of an fma,
  /// and quotients and roots by a bit or two; an exponential is an approximation everywhere.
  static bool isExact(llvm::StringRef op, bool vulkan) {
    if (op.starts_with("math.exp"))
      return false;
    return !vulkan || !(op.starts_with("math.fma") || op.starts_with("tile.dot %h") ||
                        op.starts_with("arith.divf") || op.starts_with("math.sqrt"));
  }

  void compare(bool vulkan) {
    for (int row = 0; row < rows; ++row)
      for (int lane = 0; lane < 32; ++lane) {
        uint32_t found, wanted;
        std::memcpy(&found, &result[128 * row + 4 * lane], 4);
        std::memcpy(&wanted, &expected[128 * row + 4 * lane], 4);
        if (!isExact(nameOfRow(row), vulkan)) {
          float a = llvm::bit_cast<float>(found), b = llvm::bit_cast<float>(wanted);
          EXPECT_NEAR(a, b, 1e-6 * std::fabs(b) + (vulkan ? 1e-5 : 0)) << nameOfRow(row);
        } else if (found != wanted) {
          ADD_FAILURE() << nameOfRow(row) << " lane " << lane << ": " << std::hex << found
                        << ", not " << wanted;
          break;
        }
      }
    for (size_t i = 128 * rows; i < result.size(); ++i)
      ASSERT_EQ(result[i], expected[i]) << "byte " << i - 128 * rows << " of the narrow stores";
  }
  static std::string nameOfRow(int row) {
    int n = row;
    for (llvm::ArrayRef<const char *> list :
         {llvm::ArrayRef(kIntegers), llvm::ArrayRef(kPredicates), llvm::ArrayRef(kFloats),
          llvm::ArrayRef(kFloatPredicates)}) {
      if (n < int(list.size()))
        return list[n];
      n -= int(list.size());
    }
    return "";
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  int rows = 0;
  std::vector<uint8_t> x = inputs(), result, expected;
};

TEST_F(EveryOpTest, GLSL) {
  std::string why;
  std::unique_ptr<VulkanRunner> vulkan = VulkanRunner::create(why);
  if (!vulkan)
    GTEST_SKIP() << why;
  FailureOr<KernelText> text = printGLSL(kernel());
  ASSERT_TRUE(succeeded(text));
  llvm::Expected<std::vector<uint32_t>> spirv = compileSPIRV(text->text);
  ASSERT_TRUE(bool(spirv)) << llvm::toString(spirv.takeError()) << text->text;
  std::vector<uint8_t> step(8);
  ASSERT_EQ(vulkan->run(*spirv, {&x, &result, &step}, 1), "");
  compare(/*vulkan=*/true);
}

TEST_F(EveryOpTest, HVX) {
  if (std::string why = whyNoHexagon(); !why.empty())
    GTEST_SKIP() << why;
  FailureOr<KernelText> text = printHVX(kernel());
  ASSERT_TRUE(succeeded(text));
  ASSERT_EQ(runHexagon(*text, {&x, &result}, 1), "");
  compare(/*vulkan=*/false);
}

} // namespace
