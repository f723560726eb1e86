//===- LowerDot.cpp - tile.dot on a CPU's dot instruction -----------------------===//
//
// In lane form: init and weights are vector<R x i32> (four codes a lane), x is vector<Q x i32>, the same for all
// lanes. A register holds L lanes (16, 8 or 4); the R lanes are taken L at a time.
//
//   vpdpbusd   unsigned weights x signed x: codes of fewer than 8 bits as they are; two's complement codes with
//              the top bit flipped, which adds 128 to each, and 128 * sum(x) taken off the start value. With `positive` x
//              signed weights x unsigned x, as they are.
//              `crossed` dots: vpaddd (x's word, in memory, + the codes' next one), vpaddb (x's next one + the codes' word),
//              vpdpbusd; words 6 and 7 as they are, beside the second pair of the others
//   pmaddubsw  (AVX2) pairs are added in 16 bits with saturation. Codes of b bits make at most
//              2 * (2^b - 1) * 127: exact up to 7 bits. For 8 bits the sign of the weight moves to x
//              (|w| <= 128, |x| <= 127: 2 * 128 * 127 = 32512 fits), unless x is `positive`. Sums of several words are
//              kept in 16 bits as long as they fit, then widened with vpmaddwd.
//   sdot       signed x signed: codes of fewer than 8 bits are positive bytes. On SVE the word of x is an element of
//              four that are repeated in every 128 bits (ld1rq), and so are the factors of float dots
//   smmla      of tile.dot_pairs (LowerDotPairs.cpp)
//   smull      widening multiplies of 8 bits, pairwise added to 32
//
// Float dots are chains of fused multiply-adds, everywhere.
//
// Dots of several tokens with the same codes go word by word, all tokens of a word one after another: a token's sum is one
// chain of vpdpbusd or sdot, up to 5 cycles a link, and a core looks only so far ahead for other chains, or not at all. Of
// dots that go `in_turn`, and of all on ymm registers, a word is made in front of its dots; of crossed ones, which need registers
// for sums of bytes too, they are loaded there. On NEON, of arranged tokens and of blocks with rows in more than one register, what
// is loaded and unpacked stands a few dots in front of its use (DotOrder.cpp); the loads of what sums are multiplied by behind the
// dots come in between too. Elsewhere all words are made before.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerDot.h"
#include "codegen/cpu/DotOrder.h"
#include "codegen/cpu/Registers.h"
#include "codegen/cpu/Scalable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallVectorExtras.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

class DotLowering {
public:
  DotLowering(OpBuilder &builder, DotOp op, const Variant &variant)
      : b(builder), loc(op.getLoc()), op(op), variant(variant),
        rows(cast<VectorType>(op.getResult().getType()).getDimSize(0)),
        lanes(std::min<int64_t>(rows, variant.vectorBits / 32)) {}

  /// Word by word: begin(), a step for each word, end().
  bool hasSteps() { return variant.dot != DotKind::smull && !isFloat(); }
  bool hasParts() { return rows > lanes; }
  void begin() {
    Value init = op.getInit();
    if (isSigned() && !op.getPositive() && variant.dot == DotKind::vpdpbusd)
      init = correctFlip(init);
    for (int64_t first = 0; first < rows; first += lanes)
      sums.push_back(slice(init, first));
    inits = sums;
    pairs.assign(sums.size(), {});
  }
  /// A register for each sum to start in.
  void copyInit() {
    cpu::copyStarts(b, op.getInit(), sums);
    inits = sums;
  }
  /// A word, or a pair of crossed ones and those beside it.
  void step(ArrayRef<size_t> words, SmallVectorImpl<cpu::DotStep> &steps, cpu::MadeLanes &made) {
    size_t q = words.front();
    for (auto [part, sum] : llvm::enumerate(sums)) {
      int64_t first = static_cast<int64_t>(part) * lanes;
      Value codes = variant.dot == DotKind::sdot && !variant.isScalable() ? codeBytes(q, first, made) : Value();
      Operation *point = &*b.getInsertionPoint(), *before = point->getPrevNode();
      if (words.size() > 1)
        sum = crossed(words, first, sum);
      else if (variant.dot == DotKind::pmaddubsw)
        sum = pmaddubsw(q, first, sum, pairs[part]);
      else
        sum = variant.dot == DotKind::sdot ? sdot(q, first, sum, codes) : vpdpbusd(q, first, sum);
      steps.push_back({before ? before->getNextNode() : &point->getBlock()->front(), {codes, word(q)}, inits[part]});
    }
  }
  Value end() {
    for (auto [sum, held] : llvm::zip_equal(sums, pairs))
      if (held.sum)
        sum = widen(held, sum);
    return cpu::joinLanes(b, loc, sums);
  }

  /// All at once.
  Value run() {
    if (isFloat())
      return floatDot();
    SmallVector<Value> parts;
    for (int64_t first = 0; first < rows; first += lanes)
      parts.push_back(smull(first, slice(op.getInit(), first)));
    return cpu::joinLanes(b, loc, parts);
  }

private:
  /// Sums of pairs in 16 bits, of so many words (pmaddubsw).
  struct Pairs {
    Value sum;
    int64_t words = 0;
  };
  bool isFloat() { return cast<VectorType>(op.getResult().getType()).getElementType().isF32(); }
  bool isSigned() { return op.getBits() == 8 && !op.getUnsignedCodes() && !op.getCrossed(); }
  VectorType type(int64_t n, Type element) { return VectorType::get({n}, element); }
  Type i8() { return b.getI8Type(); }
  Type i16() { return b.getI16Type(); }
  Type i32() { return b.getI32Type(); }

  Value splat(int64_t n, unsigned bits, int64_t v) {
    Type element = b.getIntegerType(bits);
    return b.create<arith::ConstantOp>(
        loc, DenseElementsAttr::get(type(n, element), b.getIntegerAttr(element, v)));
  }
  Value slice(Value v, int64_t first) { return cpu::lanesOf(b, loc, v, first, lanes); }
  /// Lanes of word q of the codes as bytes. Arm: made where the word is, so that all of it can stand in front of its use.
  Value codeBytes(size_t q, int64_t first, cpu::MadeLanes &made) {
    Value words = cpu::makeLanes(b, op.getCodes()[q], first, lanes, made);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(words);
    return bytes(words);
  }
  Value bytes(Value words) {
    int64_t n = cast<VectorType>(words.getType()).getDimSize(0);
    return b.create<vector::BitCastOp>(loc, type(4 * n, i8()), words);
  }
  Value word(size_t q) {
    if (auto words = op.getX().getDefiningOp<vector::FromElementsOp>())
      return words.getElements()[op.getFirst() + q];
    return b.create<vector::ExtractOp>(loc, op.getX(), ArrayRef<int64_t>{static_cast<int64_t>(op.getFirst() + q)});
  }
  /// Word q of x in all lanes of a register.
  Value activation(size_t q) {
    return b.create<vector::BroadcastOp>(loc, type(lanes, i32()), word(q));
  }
  Value call(StringRef name, Type result, ValueRange args) {
    return b
        .create<LLVM::CallIntrinsicOp>(loc, TypeRange{result}, b.getStringAttr(name), args,
                                       LLVM::FastmathFlagsAttr())
        .getResult(0);
  }

  Value floatDot();
  Value correctFlip(Value init);
  Value dotBytes(Value unsignedBytes, Value signedBytes, Value acc) {
    return call("llvm.x86.avx512.vpdpbusd." + std::to_string(lanes * 32), acc.getType(), {acc, unsignedBytes, signedBytes});
  }
  Value vpdpbusd(size_t q, int64_t first, Value acc);
  Value crossed(ArrayRef<size_t> words, int64_t first, Value acc);
  Value pmaddubsw(size_t q, int64_t first, Value acc, Pairs &held);
  Value widen(Pairs &held, Value acc);
  Value sdot(size_t q, int64_t first, Value acc, Value codes);
  Value scalable(Value fixed) { return cpu::toScalable(b, loc, fixed); }
  Value scalableDot(size_t q, int64_t first, Value acc);
  Value repeatedQuad(size_t q);
  Value smull(int64_t first, Value acc);

  OpBuilder &b;
  Location loc;
  DotOp op;
  const Variant &variant;
  int64_t rows, lanes;
  SmallVector<Value> sums, inits;
  SmallVector<Pairs> pairs;
};

Value DotLowering::floatDot() {
  if (variant.isScalable()) {
    SmallVector<Value> parts;
    for (int64_t first = 0; first < rows; first += lanes) {
      parts.push_back(slice(op.getInit(), first));
      for (size_t q = 0; q < op.getCodes().size(); ++q)
        parts.back() = scalableDot(q, first, parts.back());
    }
    return cpu::joinLanes(b, loc, parts);
  }
  Value acc = op.getInit();
  auto rowsType = cast<VectorType>(acc.getType());
  for (auto [q, code] : llvm::enumerate(op.getCodes())) {
    acc = b.create<math::FmaOp>(loc, code, b.create<vector::BroadcastOp>(loc, rowsType, word(q)), acc);
  }
  return acc;
}

/// (w + 128) x = w x + 128 x: the start value, 16 times -8 sum(x), pays for what the flipped top bit adds.
Value DotLowering::correctFlip(Value init) {
  Value start = b.create<vector::BroadcastOp>(loc, type(lanes, i32()), op.getStart());
  // LLVM would shift in a general register: more instructions, and more registers than there are.
  start = cpu::hideInRegister(b, loc, start, "v");
  start = b.create<arith::ShLIOp>(loc, start, splat(lanes, 32, 4));
  return b.create<arith::AddIOp>(loc, init, cpu::joinLanes(b, loc, SmallVector<Value>(rows / lanes, start)));
}

Value DotLowering::vpdpbusd(size_t q, int64_t first, Value acc) {
  Value w = slice(op.getCodes()[q], first);
  if (op.getPositive())
    return dotBytes(activation(q), w, acc);
  if (isSigned())
    w = b.create<arith::XOrIOp>(loc, w, splat(lanes, 32, int32_t(0x80808080)));
  return dotBytes(w, activation(q), acc);
}

/// The dots of other words come in between: of what takes turns on the ports, this order was the fastest (Zen 4).
Value DotLowering::crossed(ArrayRef<size_t> words, int64_t first, Value acc) {
  ArrayRef<size_t> plain = words.drop_front(2);
  auto codes = [&](size_t q) { return slice(op.getCodes()[q], first); };
  auto dotNext = [&] {
    if (plain.empty())
      return;
    acc = vpdpbusd(plain.front(), first, acc);
    plain = plain.drop_front();
  };
  Value next = activation(words[1]);
  dotNext();
  Value u = b.create<arith::AddIOp>(loc, activation(words[0]), codes(words[1]));
  dotNext();
  Value s = b.create<arith::AddIOp>(loc, bytes(next), bytes(codes(words[0])));
  return dotBytes(u, b.create<vector::BitCastOp>(loc, acc.getType(), s), acc);
}

Value DotLowering::pmaddubsw(size_t q, int64_t first, Value acc, Pairs &held) {
  VectorType bytesType = type(4 * lanes, i8()), pairsType = type(2 * lanes, i16());
  StringRef multiply = lanes == 8 ? "llvm.x86.avx2.pmadd.ub.sw" : "llvm.x86.ssse3.pmadd.ub.sw.128";
  StringRef negate = lanes == 8 ? "llvm.x86.avx2.psign.b" : "llvm.x86.ssse3.psign.b.128";
  // The largest magnitude of one pair, and so how many words fit into 16 bits.
  int64_t pair = isSigned() ? 2 * 128 * 127 : 2 * ((int64_t(1) << op.getBits()) - 1) * 127;
  int64_t fit = std::max<int64_t>(1, 32767 / pair);
  Value w = bytes(slice(op.getCodes()[q], first)), x = bytes(activation(q));
  if (op.getPositive()) {
    std::swap(w, x);
  } else if (isSigned()) {
    // |w| as unsigned bytes, and x with the sign of w (0 where w is 0): x never is -128, so its negation fits.
    x = call(negate, bytesType, {x, w});
    w = b.create<math::AbsIOp>(loc, w);
  }
  Value product = call(multiply, pairsType, {w, x});
  held.sum = held.sum ? b.create<arith::AddIOp>(loc, held.sum, product).getResult() : product;
  return ++held.words == fit ? widen(held, acc) : acc;
}

Value DotLowering::widen(Pairs &held, Value acc) {
  StringRef name = lanes == 8 ? "llvm.x86.avx2.pmadd.wd" : "llvm.x86.sse2.pmadd.wd";
  Value wide = call(name, acc.getType(), {held.sum, splat(2 * lanes, 16, 1)});
  held = {};
  return b.create<arith::AddIOp>(loc, acc, wide);
}

Value DotLowering::sdot(size_t q, int64_t first, Value acc, Value codes) {
  if (variant.isScalable())
    return scalableDot(q, first, acc);
  return call("llvm.aarch64.neon.sdot.v4i32.v16i8", acc.getType(),
              {acc, codes, bytes(activation(q))});
}

/// The four words of x that word q is one of, in every 128 bits.
Value DotLowering::repeatedQuad(size_t q) {
  int64_t word = static_cast<int64_t>(op.getFirst() + q);
  Value quad = cpu::lanesOf(b, loc, op.getX(), word / 4 * 4, 4);
  Value whole = scalable(isFloat() ? quad : bytes(quad));
  return call(isFloat() ? "llvm.aarch64.sve.dupq.lane.nxv4f32" : "llvm.aarch64.sve.dupq.lane.nxv16i8", whole.getType(),
              {whole, b.create<arith::ConstantIntOp>(loc, 0, 64)});
}

Value DotLowering::scalableDot(size_t q, int64_t first, Value acc) {
  auto type = cast<VectorType>(acc.getType());
  acc = scalable(acc);
  Value w = slice(op.getCodes()[q], first);
  Value element = b.create<arith::ConstantIntOp>(loc, (op.getFirst() + q) % 4, 32);
  Value sum = isFloat() ? call("llvm.aarch64.sve.fmla.lane.nxv4f32", acc.getType(),
                               {acc, scalable(w), repeatedQuad(q), element})
                        : call("llvm.aarch64.sve.sdot.lane.nxv4i32", acc.getType(),
                               {acc, scalable(bytes(w)), repeatedQuad(q), element});
  return cpu::fromScalable(b, loc, type, sum);
}

/// 16 bytes as two halves of 8: products in 16 bits (at most 128 * 127, two of them still fit), added pairwise.
Value DotLowering::smull(int64_t first, Value acc) {
  auto half = [&](Value v, int64_t from) { return cpu::lanesOf(b, loc, v, from, 8); };
  VectorType eight = type(8, i16());
  auto product = [&](Value w, Value x) {
    return call("llvm.aarch64.neon.smull.v8i16", eight, {w, x});
  };
  for (auto [q, code] : llvm::enumerate(op.getCodes())) {
    Value w = bytes(slice(code, first)), x = bytes(activation(q));
    Value low = product(half(w, 0), half(x, 0)), high = product(half(w, 8), half(x, 8));
    // Each lane has four products: pairs of neighbours in 16 bits, then pairs of those widened to 32.
    Value pairs = call("llvm.aarch64.neon.addp.v8i16", eight, {low, high});
    Value wide = call("llvm.aarch64.neon.saddlp.v4i32.v8i16", acc.getType(), {pairs});
    acc = b.create<arith::AddIOp>(loc, acc, wide);
  }
  return acc;
}

} // namespace

/// What makes a word of codes, and is in its block: loads of weights and arithmetic.
static void collectMakers(Operation *op, Block *block, llvm::SetVector<Operation *> &makers) {
  if (!op || op->getBlock() != block || !(isMemoryEffectFree(op) || isa<LLVM::LoadOp>(op)) || makers.contains(op))
    return;
  for (Value operand : op->getOperands())
    collectMakers(operand.getDefiningOp(), block, makers);
  makers.insert(op);
}

/// What nobody needs earlier; the first of it, or `to`.
static Operation *moveDown(const llvm::SetVector<Operation *> &ops, Operation *to) {
  llvm::SetVector<Operation *> moved;
  for (Operation *op : llvm::reverse(ops)) {
    bool late = llvm::all_of(op->getUsers(), [&](Operation *user) {
      return moved.contains(user) || !to->getBlock()->findAncestorOpInBlock(*user)->isBeforeInBlock(to);
    });
    if (late && op->isBeforeInBlock(to))
      moved.insert(op);
  }
  for (Operation *op : llvm::reverse(moved))
    op->moveBefore(to);
  return moved.empty() ? to : moved.back();
}

/// Lines up in front of `to` what makes the words; what follows each word's: where its dots go. Lines of several words are
/// loaded where the first of them is made, or all before.
static SmallVector<Operation *> lineUp(ValueRange codes, ArrayRef<size_t> order, Operation *to, bool linesInTurn) {
  SmallVector<Operation *> behind(codes.size());
  for (size_t q : llvm::reverse(order)) {
    behind[q] = to;
    llvm::SetVector<Operation *> makers;
    collectMakers(codes[q].getDefiningOp(), to->getBlock(), makers);
    makers.remove_if([&](Operation *op) { return !linesInTurn && isa<LLVM::LoadOp>(op) && !op->hasOneUse(); });
    to = moveDown(makers, to);
  }
  return behind;
}

/// What is loaded behind dots for their results comes in front, with its addresses, so that it can be placed between them.
static void hoistLoads(ArrayRef<DotOp> dots) {
  llvm::SmallPtrSet<Operation *, 32> results(dots.begin(), dots.end());
  SmallVector<Operation *> others;
  for (Operation *op = DotOp(dots.back())->getNextNode(); op && !isa<DotOp>(op); op = op->getNextNode()) {
    if (op->getNumRegions() || op->hasTrait<OpTrait::IsTerminator>() ||
        !(isa<LoadOp, LoadUniformOp>(op) || isMemoryEffectFree(op)))
      break;
    if (llvm::any_of(op->getOperands(), [&](Value v) { return results.contains(v.getDefiningOp()); }))
      results.insert(op);
    else
      others.push_back(op);
  }
  // From the results back: what they read, and of that the loads and what those read.
  llvm::SmallPtrSet<Operation *, 32> read = results, early;
  for (Operation *op : llvm::reverse(others)) {
    auto readBy = [&](auto &ops) { return llvm::any_of(op->getUsers(), [&](Operation *user) { return ops.contains(user); }); };
    bool isRead = readBy(read);
    if (isRead)
      read.insert(op);
    if (isRead && (isa<LoadOp, LoadUniformOp>(op) || readBy(early)))
      early.insert(op);
  }
  for (Operation *op : others)
    if (early.contains(op))
      op->moveBefore(DotOp(dots.front()));
}

/// Words of crossed dots that go together: pairs, with the others beside the second one.
static SmallVector<SmallVector<size_t>> crossedSteps(DotOp dot) {
  SmallVector<SmallVector<size_t>> steps;
  SmallVector<size_t> plain;
  for (size_t q = 0; q < dot.getCodes().size(); ++q) {
    if (q + dot.getFirst() >= 6)
      plain.push_back(q);
    else if (q % 2 == 0)
      steps.push_back({q, q + 1});
  }
  if (!steps.empty())
    llvm::append_range(steps[std::min<size_t>(1, steps.size() - 1)], plain);
  else
    for (size_t q : plain)
      steps.push_back({q});
  return steps;
}

SmallVector<Value> cpu::lowerDots(OpBuilder &b, ArrayRef<DotOp> dots, const Variant &variant) {
  DotOp front = dots.front();
  SmallVector<DotLowering> lowerings;
  for (DotOp dot : dots)
    lowerings.emplace_back(b, dot, variant);
  bool neon = variant.dot == DotKind::sdot && !variant.isScalable();
  bool arranged = neon && front.getX().getDefiningOp<vector::FromElementsOp>();
  bool placed = arranged || (neon && lowerings.front().hasParts());
  if (!lowerings.front().hasSteps())
    return llvm::map_to_vector(lowerings, [](DotLowering &lowering) { return lowering.run(); });
  ValueRange codes = front.getCodes();
  SmallVector<SmallVector<size_t>> words;
  if (front.getCrossed())
    words = crossedSteps(front);
  else
    for (size_t q : arranged ? cpu::orderOfWords(codes) : cpu::orderByLine(codes))
      words.push_back({q});
  for (DotLowering &lowering : lowerings)
    lowering.begin();
  if (placed) {
    if (!arranged)
      hoistLoads(dots);
    for (DotLowering &lowering : lowerings)
      lowering.copyInit();
  }
  // Of 16 ymm, lines would take more than half, and sums of bytes leave few of 32 zmm; elsewhere those hold lines that are on their
  // way while other blocks' dots still go (Zen 4: 4 % of a prefill).
  bool ymm = variant.vectorBits == 256 && !variant.isScalable();
  Operation *end = &*b.getInsertionPoint();
  SmallVector<Operation *> behind(codes.size(), end);
  SmallVector<size_t> order;
  for (ArrayRef<size_t> together : words)
    llvm::append_range(order, together);
  if (front.getInTurn() || ymm)
    behind = lineUp(codes, order, end, /*linesInTurn=*/ymm || front.getCrossed());
  SmallVector<DotStep> steps;
  MadeLanes made;
  for (ArrayRef<size_t> together : words) {
    b.setInsertionPoint(behind[together.back()]);
    for (DotLowering &lowering : lowerings)
      lowering.step(together, steps, made);
  }
  b.setInsertionPoint(end);
  if (arranged) {
    // What put the words together is read by the dots that go.
    for (DotOp dot : dots)
      steps.back().operands.push_back(dot.getX());
  }
  // Operands take 3 or 4 cycles, and two dots begin in one, or one and what it needs. Few registers are left where tokens are
  // arranged: there operands are placed so. Elsewhere ScheduleLoops.cpp moves them on, as far as registers reach.
  if (placed)
    placeOperands(steps, arranged ? 8 : 2);
  return llvm::map_to_vector(lowerings, [](DotLowering &lowering) { return lowering.end(); });
}
