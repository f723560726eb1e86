//===- EpilogueTest.cpp - Fused modules mean what unfused ones do ---------===//
#include "TinyFile.h"
#include "compiler/import/Importer.h"
#include "compiler/reference/Evaluator.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace sinter;
using namespace sinter::test;
using reference::Array;

namespace {

std::vector<float> wave(size_t count, double phase) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(std::sin(phase + 0.7 * i));
  return values;
}

Array waveArray(int64_t rows, int64_t cols, double phase) {
  std::vector<float> values = wave(rows * cols, phase);
  return Array(rows, cols, {values.begin(), values.end()});
}

/// Evaluates @plain and @fused of a module on the same file and arguments; they must agree.
void expectSame(llvm::StringRef text, std::vector<Array> arguments, int64_t position = 0) {
  mlir::MLIRContext context;
  loadImportDialects(context);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  std::unique_ptr<gguf::GGUFFile> file = TinyFile()
                                             .add("a", {4, 8}, wave(32, 0.1))
                                             .add("b", {4, 8}, wave(32, 0.2))
                                             .add("bias", {8}, wave(8, 0.3))
                                             .open();
  reference::Evaluator evaluator(*module, *file);
  auto plain = evaluator.call("plain", arguments, position);
  ASSERT_TRUE(static_cast<bool>(plain)) << llvm::toString(plain.takeError());
  evaluator.reset();
  auto fused = evaluator.call("fused", arguments, position);
  ASSERT_TRUE(static_cast<bool>(fused)) << llvm::toString(fused.takeError());
  ASSERT_EQ(plain->front().data.size(), fused->front().data.size());
  for (size_t i = 0; i < plain->front().data.size(); ++i)
    EXPECT_NEAR(plain->front().data[i], fused->front().data[i], 1e-6) << "element " << i;
}

TEST(Epilogue, GluOfTwoProducts) {
  expectSame(R"(
    func.func @plain(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %b = llm.weight "b" : !llm.weight<8x4, f32>
      %g = llm.linear %x, [%a] : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %u = llm.linear %x, [%b] : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %h = llm.glu %g, %u {activation = silu} : tensor<?x8xf32>
      return %h : tensor<?x8xf32>
    }
    func.func @fused(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %b = llm.weight "b" : !llm.weight<8x4, f32>
      %p = llm.pack %a : !llm.weight<8x4, f32> -> !llm.packed<8x4, f32>
      %q = llm.pack %b : !llm.weight<8x4, f32> -> !llm.packed<8x4, f32>
      %h = llm.linear %x, [%p, %q] epilogue(%g, %u) {
        %n = arith.negf %g : f32
        %e = math.exp %n : f32
        %one = arith.constant 1.0 : f32
        %d = arith.addf %one, %e : f32
        %s = arith.divf %g, %d : f32
        %r = arith.mulf %s, %u : f32
        llm.yield %r : f32
      } : tensor<?x4xf32>, !llm.packed<8x4, f32>, !llm.packed<8x4, f32> -> tensor<?x8xf32>
      return %h : tensor<?x8xf32>
    })",
             {waveArray(3, 4, 1)});
}

TEST(Epilogue, BiasAndResidual) {
  expectSame(R"(
    func.func @plain(%x: tensor<?x4xf32>, %r: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %b = llm.parameter "bias" : tensor<8xf32>
      %y = llm.linear %x, [%a] : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %z = llm.add_bias %y, %b : tensor<?x8xf32>
      %s = llm.add %z, %r : tensor<?x8xf32>
      return %s : tensor<?x8xf32>
    }
    func.func @fused(%x: tensor<?x4xf32>, %r: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %b = llm.parameter "bias" : tensor<8xf32>
      %y = llm.linear %x, [%a] residual(%r) bias(%b) epilogue(%p, %q, %c) {
        %s = arith.addf %p, %c : f32
        %t = arith.addf %s, %q : f32
        llm.yield %t : f32
      } : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      return %y : tensor<?x8xf32>
    })",
             {waveArray(3, 4, 1), waveArray(3, 8, 2)});
}

// RoPE over halves, after a bias, is the rotation of neighbours on permuted weights and biases, up
// to the same permutation of the result: dot products of queries and keys do not change.
TEST(Epilogue, RotatedPermutedRowsKeepDotProducts) {
  expectSame(R"(
    llm.kv_cache @kv.0 {heads = 2, head_dim = 4, positions = 16, type = f32}
    func.func @plain(%x: tensor<?x4xf32>, %v: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %b = llm.weight "b" : !llm.weight<8x4, f32>
      %c = llm.parameter "bias" : tensor<8xf32>
      %f = llm.rope_frequencies {base = 10.0, scale = 1.0} : tensor<2xf32>
      %q0 = llm.linear %x, [%a] : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %q1 = llm.add_bias %q0, %c : tensor<?x8xf32>
      %q = llm.rope %q1, %f {head_dim = 4, rotary_dim = 4, order = halves} : tensor<?x8xf32>, tensor<2xf32>
      %k0 = llm.linear %x, [%b] : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %k = llm.rope %k0, %f {head_dim = 4, rotary_dim = 4, order = halves} : tensor<?x8xf32>, tensor<2xf32>
      %o = llm.attention %q, %k, %v in @kv.0 {heads = 2, kv_heads = 2, head_dim = 4, scale = 0.5}
             : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
      return %o : tensor<?x8xf32>
    }
    func.func @fused(%x: tensor<?x4xf32>, %v: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %a0 = llm.weight "a" : !llm.weight<8x4, f32>
      %a = llm.permute_rows %a0 {head_dim = 4, rotary_dim = 4} : !llm.weight<8x4, f32>
      %b0 = llm.weight "b" : !llm.weight<8x4, f32>
      %b = llm.permute_rows %b0 {head_dim = 4, rotary_dim = 4} : !llm.weight<8x4, f32>
      %c0 = llm.parameter "bias" : tensor<8xf32>
      %c = llm.permute_rows %c0 {head_dim = 4, rotary_dim = 4} : tensor<8xf32>
      %f = llm.rope_frequencies {base = 10.0, scale = 1.0} : tensor<2xf32>
      %t = llm.rope_table %f : tensor<2xf32> -> tensor<16x4xf32>
      %q = llm.linear %x, [%a] bias(%c) rope(%t : tensor<16x4xf32>) epilogue(%p, %d) {
        %s = arith.addf %p, %d : f32
        %r = llm.rotate %s {head_dim = 4, rotary_dim = 4} : f32
        llm.yield %r : f32
      } : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %k = llm.linear %x, [%b] rope(%t : tensor<16x4xf32>) append keys to @kv.0 epilogue(%p) {
        %r = llm.rotate %p {head_dim = 4, rotary_dim = 4} : f32
        llm.yield %r : f32
      } : tensor<?x4xf32>, !llm.weight<8x4, f32> -> !llm.appended
      %w = llm.append %v to @kv.0 {part = values} : tensor<?x8xf32>
      %o = llm.attention %q, %k, %w in @kv.0 {heads = 2, kv_heads = 2, head_dim = 4, scale = 0.5}
             : tensor<?x8xf32>, !llm.appended, !llm.appended -> tensor<?x8xf32>
      return %o : tensor<?x8xf32>
    })",
             {waveArray(5, 4, 1), waveArray(5, 8, 2)});
}

TEST(Epilogue, ScoresWithoutLogits) {
  expectSame(R"(
    func.func @plain(%x: tensor<?x4xf32>, %t: tensor<?xi32>) -> tensor<?xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %y = llm.linear %x, [%a] : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      %s = llm.log_likelihood %y, %t : tensor<?x8xf32>, tensor<?xi32> -> tensor<?xf32>
      return %s : tensor<?xf32>
    }
    func.func @fused(%x: tensor<?x4xf32>, %t: tensor<?xi32>) -> tensor<?xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %s = llm.linear_score %x, %a, %t : tensor<?x4xf32>, !llm.weight<8x4, f32>, tensor<?xi32> -> tensor<?xf32>
      return %s : tensor<?xf32>
    })",
             {waveArray(3, 4, 1), Array::column({7, 0, 3})});
}

// Comparison and selection: a clamp of products to 0 .. 0.5.
TEST(Epilogue, ComparesAndSelects) {
  expectSame(R"(
    func.func @plain(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %y = llm.linear %x, [%a] epilogue(%p) {
        %zero = arith.constant 0.0 : f32
        %half = arith.constant 0.5 : f32
        %l = arith.maximumf %p, %zero : f32
        %h = arith.minimumf %l, %half : f32
        llm.yield %h : f32
      } : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      return %y : tensor<?x8xf32>
    }
    func.func @fused(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
      %a = llm.weight "a" : !llm.weight<8x4, f32>
      %y = llm.linear %x, [%a] epilogue(%p) {
        %zero = arith.constant 0.0 : f32
        %half = arith.constant 0.5 : f32
        %negative = arith.cmpf olt, %p, %zero : f32
        %l = arith.select %negative, %zero, %p : f32
        %large = arith.cmpf ogt, %l, %half : f32
        %h = arith.select %large, %half, %l : f32
        llm.yield %h : f32
      } : tensor<?x4xf32>, !llm.weight<8x4, f32> -> tensor<?x8xf32>
      return %y : tensor<?x8xf32>
    })",
             {waveArray(3, 4, 1)});
}

} // namespace
