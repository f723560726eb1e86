//===- LowerDotPairs.cpp - tile.dot_pairs on Arm's smmla ------------------------------===//
//
// Two rows by two tokens by 8 codes, signed by signed, added to sums in 32 bits:
//
//   %i = tile.dot_pairs %start, [%q0, ..], %x        %l = lanes 0 .. 3 of %start, %h = lanes 4 .. 7
//     : vector<8xi32>                           ==>  %l0 = smmla %l, lanes 0 .. 3 of %q0, %x[0]
//                                                    %h0 = smmla %h, lanes 4 .. 7 of %q0, %x[0]
//                                                    %l1 = smmla %l0, lanes 0 .. 3 of %q1, %x[1] ..
//
// A register of sums has rows r, r + 1 of tokens t, u: r t, r u, r + 1 t, r + 1 u; one of codes 8 of each row, one of x 8 of
// each token. Pairs of tokens whose words lie side by side (!tile.arranged) go word by word, all of them one after another, as the
// dots of LowerDot.cpp do.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/DotOrder.h"
#include "codegen/cpu/LowerDot.h"
#include "codegen/cpu/Registers.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

/// Words in a register.
static constexpr int64_t kLanes = 4;

/// Lanes `first` .. of x: the part that they are where it was put together.
static Value wordOf(OpBuilder &b, Location loc, Value x, int64_t first) {
  auto join = x.getDefiningOp<vector::InsertStridedSliceOp>();
  while (join) {
    if (join.getSourceVectorType().getDimSize(0) == kLanes && cast<IntegerAttr>(join.getOffsets()[0]).getInt() == first)
      return join.getSource();
    join = join.getDest().getDefiningOp<vector::InsertStridedSliceOp>();
  }
  return cpu::lanesOf(b, loc, x, first, kLanes);
}

/// The codes of whole dots, which nobody reads now: what they are loaded by can be placed by its other readers.
static void eraseCodes(ArrayRef<DotPairsOp> dots) {
  llvm::SetVector<Operation *> makers;
  auto add = [&](ValueRange values) {
    for (Value value : values)
      if (Operation *maker = value.getDefiningOp())
        makers.insert(maker);
  };
  add(DotPairsOp(dots.front()).getCodes());
  for (DotPairsOp dot : dots)
    dot.getCodesMutable().clear();
  while (!makers.empty()) {
    Operation *maker = makers.pop_back_val();
    if (!isOpTriviallyDead(maker))
      continue;
    add(maker->getOperands());
    maker->erase();
  }
}

SmallVector<Value> cpu::lowerDotPairs(OpBuilder &b, ArrayRef<DotPairsOp> dots) {
  DotPairsOp front = dots.front();
  Location loc = front.getLoc();
  int64_t lanes = cast<VectorType>(front.getResult().getType()).getDimSize(0);
  bool byWord = front.getX().getDefiningOp<vector::InsertStridedSliceOp>() != nullptr;
  auto bytesOf = [&](Value v) -> Value {
    return b.create<vector::BitCastOp>(loc, VectorType::get({4 * kLanes}, b.getI8Type()), v);
  };
  SmallVector<SmallVector<Value>> sums(dots.size());
  for (auto [dot, parts] : llvm::zip_equal(dots, sums)) {
    for (int64_t lane = 0; lane < lanes; lane += kLanes)
      parts.push_back(lanesOf(b, loc, DotPairsOp(dot).getInit(), lane, kLanes));
    if (byWord)
      copyStarts(b, DotPairsOp(dot).getInit(), parts);
  }
  SmallVector<SmallVector<Value>> starts = sums;
  SmallVector<DotStep> steps;
  MadeLanes made;
  for (size_t word : orderOfWords(front.getCodes()))
    for (auto [d, dot] : llvm::enumerate(dots)) {
      auto first = static_cast<int64_t>(2 * DotPairsOp(dot).getFirst() + kLanes * word);
      for (auto [part, sum] : llvm::enumerate(sums[d])) {
        Value codes = makeLanes(b, front.getCodes()[word], static_cast<int64_t>(part) * kLanes, kLanes, made);
        Value x = wordOf(b, loc, DotPairsOp(dot).getX(), first);
        Value codeBytes = bytesOf(codes), xBytes = bytesOf(x);
        sum = b.create<LLVM::CallIntrinsicOp>(loc, sum.getType(), b.getStringAttr("llvm.aarch64.neon.smmla.v4i32.v16i8"),
                                              ValueRange{sum, codeBytes, xBytes}, LLVM::FastmathFlagsAttr())
                  .getResult(0);
        steps.push_back({codeBytes.getDefiningOp(), {codes, x}, starts[d][part]});
      }
    }
  if (byWord) {
    eraseCodes(dots);
    // What put the words together is read by the dots that go.
    for (DotPairsOp dot : dots)
      steps.back().operands.push_back(dot.getX());
    // Two begin in a cycle, and what they read is loaded in 3: further ahead there are no registers for it. More rows have more
    // codes to a word.
    placeOperands(steps, lanes > 8 ? 3 : 4);
  }
  return llvm::map_to_vector(sums, [&](ArrayRef<Value> parts) { return joinLanes(b, loc, parts); });
}
