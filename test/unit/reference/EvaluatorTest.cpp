//===- EvaluatorTest.cpp - Ops against numbers worked out by hand ---------===//
#include "compiler/reference/Evaluator.h"
#include "TinyFile.h"
#include "compiler/import/Importer.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace sinter;
using namespace sinter::test;
using reference::Array;
using reference::Evaluator;

namespace {

/// Parses a module and evaluates functions of it on a file without tensors.
struct Fixture {
  explicit Fixture(llvm::StringRef text, reference::EvaluatorOptions options = {})
      : file(TinyFile().open()), module((loadImportDialects(context),
                                         mlir::parseSourceString<mlir::ModuleOp>(text, &context))),
        evaluator(*module, *file, options) {}

  Array call(llvm::StringRef function, std::vector<Array> arguments, int64_t position = 0) {
    auto result = evaluator.call(function, arguments, position);
    if (!result) {
      ADD_FAILURE() << llvm::toString(result.takeError());
      return {};
    }
    return result->front();
  }

  mlir::MLIRContext context;
  std::unique_ptr<gguf::GGUFFile> file;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Evaluator evaluator;
};

void expectNear(const Array &actual, std::vector<double> expected, double tolerance = 1e-9) {
  ASSERT_EQ(actual.data.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(actual.data[i], expected[i], tolerance) << "element " << i;
}

TEST(Evaluator, NormDividesByTheRootOfTheMeanSquare) {
  Fixture f(R"(func.func @f(%x: tensor<?x2xf32>, %g: tensor<2xf32>) -> tensor<?x2xf32> {
    %n = llm.rms_norm %x, %g {eps = 0.5} : tensor<?x2xf32>
    return %n : tensor<?x2xf32> })");
  // Mean square of (1, 4) is 8.5; with eps 9, of which 3 is the root.
  expectNear(f.call("f", {Array(1, 2, {1, 4}), Array(1, 2, {1, 10})}), {1 / 3.0, 40 / 3.0});
}

TEST(Evaluator, RotatesInterleavedPairsByTheTokensPosition) {
  Fixture f(R"(func.func @f(%x: tensor<?x8xf32>, %t: tensor<2xf32>) -> tensor<?x8xf32> {
    %n = llm.rope %x, %t {head_dim = 8, rotary_dim = 4, order = interleaved} : tensor<?x8xf32>, tensor<2xf32>
    return %n : tensor<?x8xf32> })");
  // Token 1 of a step at position 2 is at position 3; the first pair turns by pi/2 each position,
  // the second by 0; elements 4 to 7 are not rotated.
  Array x(2, 8, {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
  Array y = f.call("f", {x, Array(1, 2, {M_PI / 2, 0})}, 2);
  // By 3 pi/2: (a, b) becomes (b, -a).
  expectNear(y, {0, 0, 0, 0, 0, 0, 0, 0, 2, -1, 3, 4, 5, 6, 7, 8});
}

TEST(Evaluator, RotatesHalves) {
  Fixture f(R"(func.func @f(%x: tensor<?x4xf32>, %t: tensor<2xf32>) -> tensor<?x4xf32> {
    %n = llm.rope %x, %t {head_dim = 4, rotary_dim = 4, order = halves} : tensor<?x4xf32>, tensor<2xf32>
    return %n : tensor<?x4xf32> })");
  // (1, 3) and (2, 4) are the pairs; by pi/2 (a, b) becomes (-b, a).
  expectNear(f.call("f", {Array(1, 4, {1, 2, 3, 4}), Array(1, 2, {M_PI / 2, M_PI / 2})}, 1),
             {-3, -4, 1, 2});
}

TEST(Evaluator, PermutedRowsTurnHalvesIntoInterleaved) {
  Fixture f(R"(func.func @f(%b: tensor<8xf32>) -> tensor<8xf32> {
    %p = llm.permute_rows %b {head_dim = 8, rotary_dim = 6} : tensor<8xf32>
    return %p : tensor<8xf32> })");
  // Halves of three: 0 1 2 and 3 4 5; 6 and 7 stay.
  expectNear(f.call("f", {Array(1, 8, {0, 1, 2, 3, 4, 5, 6, 7})}), {0, 3, 1, 4, 2, 5, 6, 7});
}

TEST(Evaluator, FrequenciesFallGeometricallyAndTablesHoldCosAndSin) {
  Fixture f(R"(func.func @f() -> tensor<3x4xf32> {
    %f = llm.rope_frequencies {base = 100.0, scale = 0.5} : tensor<2xf32>
    %t = llm.rope_table %f : tensor<2xf32> -> tensor<3x4xf32>
    return %t : tensor<3x4xf32> })");
  // 0.5 * 100^0 and 0.5 * 100^(-2/4).
  std::vector<double> expected;
  for (int p = 0; p < 3; ++p)
    for (double theta : {0.5, 0.05})
      expected.insert(expected.end(), {std::cos(p * theta), std::sin(p * theta)});
  expectNear(f.call("f", {}), expected, 1e-7);
}

TEST(Evaluator, RoundsActivationsToCodes) {
  const char *text = R"(func.func @f(%x: tensor<?x32xf32>) -> !llm.acts<?x32, i8 per 32> {
    %q = llm.quantize_acts %x : tensor<?x32xf32>
    return %q : !llm.acts<?x32, i8 per 32> })";
  Array x(2, 32);
  x.data[0] = 127; // scale 1
  x.data[1] = 2.5; // half to even
  x.data[2] = 3.5;
  x.data[3] = -1.4;
  Fixture f(text);
  Array y = f.call("f", {x});
  EXPECT_EQ(y.data[0], 127);
  EXPECT_EQ(y.data[1], 2);
  EXPECT_EQ(y.data[2], 4);
  EXPECT_EQ(y.data[3], -1);
  // The second token is all zero, and stays so.
  EXPECT_EQ(y.data[32], 0);

  reference::EvaluatorOptions exact;
  exact.exactActivations = true;
  Fixture g(text, exact);
  EXPECT_EQ(g.call("f", {x}).data, x.data);
}

const char *kAttention = R"(
  llm.kv_cache @kv.0 {heads = 1, head_dim = 2, positions = 8, type = f32}
  func.func @f(%q: tensor<?x4xf32>, %k: tensor<?x2xf32>, %v: tensor<?x2xf32>) -> tensor<?x4xf32> {
    %o = llm.attention %q, %k, %v in @kv.0 {heads = 2, kv_heads = 1, head_dim = 2, scale = 1.0}
           : tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32> -> tensor<?x4xf32>
    return %o : tensor<?x4xf32>
  }
  func.func @g(%q: tensor<?x4xf32>, %k: tensor<?x2xf32>, %v: tensor<?x2xf32>) -> tensor<?x4xf32> {
    %a = llm.append %k to @kv.0 {part = keys} : tensor<?x2xf32>
    %b = llm.append %v to @kv.0 {part = values} : tensor<?x2xf32>
    %o = llm.attention %q, %a, %b in @kv.0 {heads = 2, kv_heads = 1, head_dim = 2, scale = 1.0}
           : tensor<?x4xf32>, !llm.appended, !llm.appended -> tensor<?x4xf32>
    return %o : tensor<?x4xf32>
  })";

TEST(Evaluator, AttendsCausallyAndSharesKeyHeads) {
  Fixture f(kAttention);
  // Both query heads read the one key head. The first token sees itself alone. The second: head 0
  // has scores 0 and log 3 (weights 1/4, 3/4), head 1 equal scores.
  double l = std::log(3.0);
  Array q(2, 4, {9, 9, 9, 9, 1, 0, 0, 0}), k(2, 2, {0, 0, l, 5}), v(2, 2, {4, 8, 0, 16});
  expectNear(f.call("f", {q, k, v}), {4, 8, 4, 8, 1, 14, 2, 12});
  f.evaluator.reset();
  expectNear(f.call("g", {q, k, v}), {4, 8, 4, 8, 1, 14, 2, 12});
}

// Heads of 40 elements are 5 groups of 8 = gcd(40, 32) under a scale each.
TEST(Evaluator, RoundsRowsOfAnInt8Cache) {
  llvm::StringRef text = R"(
    llm.kv_cache @kv.0 {heads = 1, head_dim = 40, positions = 8, type = i8}
    func.func @f(%q: tensor<?x40xf32>, %k: tensor<?x40xf32>, %v: tensor<?x40xf32>) -> tensor<?x40xf32> {
      %o = llm.attention %q, %k, %v in @kv.0 {heads = 1, kv_heads = 1, head_dim = 40, scale = 1.0}
             : tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32> -> tensor<?x40xf32>
      return %o : tensor<?x40xf32>
    })";
  Array q(2, 40), k(2, 40), v(2, 40);
  // Values of the first token alone: scale 1 in the first group, 2 in the second, none in the third.
  double values[] = {127, 2.5, 3.5, -1.4, 0, 0, 0, 0, -254, 3, 4.9, 0};
  std::copy(std::begin(values), std::end(values), v.data.begin());
  // Keys: the second token's 0.4 becomes 0, so that both weights are the same.
  k.row(1)[0] = 127;
  k.row(1)[1] = 0.4;
  q.row(1)[1] = 100;
  Fixture f(text);
  Array y = f.call("f", {q, k, v});
  std::vector<double> rounded = {127, 2, 4, -1, 0, 0, 0, 0, -254, 4, 4, 0};
  for (size_t i = 0; i < rounded.size(); ++i) {
    EXPECT_NEAR(y.row(0)[i], rounded[i], 1e-9) << i;
    EXPECT_NEAR(y.row(1)[i], rounded[i] / 2, 1e-9) << i;
  }

  reference::EvaluatorOptions exact;
  exact.exactActivations = true;
  Fixture g(text, exact);
  EXPECT_NEAR(g.call("f", {q, k, v}).row(0)[1], 2.5, 1e-9);
}

TEST(Evaluator, StepsContinueWhereTheLastEnded) {
  Fixture f(kAttention);
  Array q(2, 4, {1, 2, 3, 4, 5, 6, 7, 8}), k(2, 2, {1, 0, 0, 1}), v(2, 2, {1, 2, 3, 4});
  Array both = f.call("f", {q, k, v});
  f.evaluator.reset();
  auto rowOf = [](const Array &x, int64_t i) {
    return Array(1, x.cols, {x.row(i), x.row(i) + x.cols});
  };
  f.call("f", {rowOf(q, 0), rowOf(k, 0), rowOf(v, 0)}, 0);
  expectNear(f.call("f", {rowOf(q, 1), rowOf(k, 1), rowOf(v, 1)}, 1), rowOf(both, 1).data);
  // Going back overwrites what was behind.
  expectNear(f.call("f", {rowOf(q, 1), rowOf(k, 1), rowOf(v, 1)}, 1), rowOf(both, 1).data);
}

TEST(Evaluator, RefusesToSkipPositions) {
  Fixture f(kAttention);
  Array q(1, 4), k(1, 2);
  auto result = f.evaluator.call("f", {q, k, k}, 3);
  ASSERT_FALSE(static_cast<bool>(result));
  EXPECT_NE(llvm::toString(result.takeError())
                .find("appends at position 3, but the cache holds 0 tokens"),
            std::string::npos);
}

TEST(Evaluator, ScoresAreLogarithmsOfProbabilities) {
  Fixture f(R"(func.func @f(%x: tensor<?x2xf32>, %t: tensor<?xi32>) -> tensor<?xf32> {
    %s = llm.log_likelihood %x, %t : tensor<?x2xf32>, tensor<?xi32> -> tensor<?xf32>
    return %s : tensor<?xf32> })");
  // exp(0) and exp(log 3): 1/4 and 3/4; large logits do not overflow.
  double l = std::log(3.0);
  expectNear(f.call("f", {Array(2, 2, {0, l, 5000, 5000 + l}), Array::column({0, 1})}),
             {std::log(0.25), std::log(0.75)});
  auto bad = f.evaluator.call("f", {Array(1, 2), Array::column({2})}, 0);
  ASSERT_FALSE(static_cast<bool>(bad));
  EXPECT_NE(llvm::toString(bad.takeError()).find("target 2 is not in the vocabulary of 2"),
            std::string::npos);
}

TEST(Evaluator, NamesWhatItDoesNotFind) {
  Fixture f(R"(func.func @f() -> !llm.weight<2x2, f32> {
    %w = llm.weight "no.such" : !llm.weight<2x2, f32>
    return %w : !llm.weight<2x2, f32> })");
  auto missing = f.evaluator.call("f", {}, 0);
  ASSERT_FALSE(static_cast<bool>(missing));
  EXPECT_NE(llvm::toString(missing.takeError()).find("the file has no tensor 'no.such'"),
            std::string::npos);
  auto unknown = f.evaluator.call("g", {}, 0);
  ASSERT_FALSE(static_cast<bool>(unknown));
  EXPECT_NE(llvm::toString(unknown.takeError()).find("has no function @g"), std::string::npos);
}

} // namespace
