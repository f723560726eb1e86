//===- LowerKernel.cpp - A kernel in lane form as a function of the ABI ----------===//
//
//   tile.kernel @k(%a: !tile.rows<64>, %y: !tile.rows<64>)           func.func @k(%args: !llvm.ptr) {
//       grid(%t, %n, %p) scratch(%s : 0) tokens 1 {                    %a = load %args.bindings[0] ...
//     %v = tile.load %a[%off] -> vector<32xf32>              ==>       scf.for %t = %args.tile_begin to .tile_end {
//     ...                                                                %v = llvm.load (gep %a, %off) : vector<32xf32>
//   }                                                                    ... } return }
//
// Lanes are the elements of a vector; LLVM splits vector<32> into the registers that the target has.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LowerKernel.h"
#include "codegen/cpu/Annotate.h"
#include "codegen/cpu/LowerDot.h"
#include "codegen/cpu/LowerLevels.h"
#include "codegen/cpu/LowerLookup.h"
#include "codegen/cpu/LowerTiles.h"
#include "codegen/cpu/Registers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "sinter/kernel_abi.h"
#include <numeric>

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

namespace {

class KernelLowering {
public:
  KernelLowering(KernelOp kernel, const Variant &variant)
      : kernel(kernel), variant(variant), b(kernel), loc(kernel.getLoc()) {}

  LogicalResult run();

private:
  Value loadField(Value args, unsigned offset, Type type);
  Value address(Value binding, Value offset);
  Value addressInOneRegister(Value binding, Value offset, int64_t reach);
  Value step(Value pointer, ArrayRef<Value> terms, int64_t constant);
  static int64_t takeTerms(Value sum, SmallVectorImpl<Value> &terms);
  unsigned alignmentOf(Type type);
  /// Whether scratch holds arranged activations, many words that are stored and read one after another.
  bool arranges() { return variant.schedule.linear.back().arrangement != Arrangement::rows; }
  bool loadsPairs(LoadOp load);
  FailureOr<size_t> dots(DotOp first);
  FailureOr<size_t> dots(DotPairsOp first);
  FailureOr<Value> lower(Operation *op);
  Value uniform(LoadUniformOp op);
  Value quads(LoadUniformOp op, VectorType type);
  Value reduce(ReduceOp op);
  Value spread(SpreadOp op);
  Value gather(GatherOp op);
  void scatter(ScatterOp op);
  Value laneOffset(Value base, Value offsets, int64_t lane);

  KernelOp kernel;
  const Variant &variant;
  OpBuilder b;
  Location loc;
  DenseMap<Value, Value> pointers;

  /// An address that addressInOneRegister() has hidden: those after it in the block use it too.
  struct Hidden {
    Block *block;
    Value binding;
    SmallVector<Value> terms;
    int64_t start;
    Value pointer;
  };
  SmallVector<Hidden> hidden;
};

Value KernelLowering::loadField(Value args, unsigned offset, Type type) {
  Value field = b.create<LLVM::GEPOp>(loc, args.getType(), b.getI8Type(), args,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return b.create<LLVM::LoadOp>(loc, type, field);
}

/// The constant part of a sum is its own, outermost step: it becomes the displacement of a load, and all loads of an
/// unrolled loop share one register for the rest.
Value KernelLowering::address(Value binding, Value offset) {
  SmallVector<Value> terms;
  int64_t constant = takeTerms(offset, terms);
  return step(pointers.lookup(binding), terms, constant);
}

/// What is the same for all tokens and blocks of an iteration is hidden from LLVM behind an empty piece of assembly, and
/// up to `reach` bytes to either side (0: any) are displacements. Two things that LLVM makes of such addresses need that:
///   - an index register: Intel's cores split a vpdpbusd with one into two operations, a quarter of the speed;
///   - an induction variable that also ends the loop, and so has all the loop's bytes in its displacements: Arm's ldp, two
///     loads in one, has room for kPairReach.
Value KernelLowering::addressInOneRegister(Value binding, Value offset, int64_t reach) {
  SmallVector<Value> terms;
  int64_t constant = takeTerms(offset, terms), start = reach ? constant : 0;
  auto found = llvm::find_if(llvm::reverse(hidden), [&](const Hidden &h) {
    return h.block == b.getInsertionBlock() && h.binding == binding && h.terms == terms &&
           (!reach || std::abs(constant - h.start) <= reach);
  });
  if (found != hidden.rend())
    return step(found->pointer, {}, constant - found->start);
  Value pointer = cpu::hideInRegister(b, loc, step(pointers.lookup(binding), terms, start), "r");
  hidden.push_back({b.getInsertionBlock(), binding, terms, start, pointer});
  return step(pointer, {}, constant - start);
}

/// `pointer` and the sum of `terms` and `constant` bytes.
Value KernelLowering::step(Value pointer, ArrayRef<Value> terms, int64_t constant) {
  auto add = [&](LLVM::GEPArg bytes) {
    pointer = b.create<LLVM::GEPOp>(loc, pointer.getType(), b.getI8Type(), pointer, ArrayRef<LLVM::GEPArg>{bytes});
  };
  if (!terms.empty()) {
    Value sum = terms.front();
    for (Value term : terms.drop_front())
      sum = b.create<arith::AddIOp>(loc, sum, term);
    add(b.create<arith::IndexCastOp>(loc, b.getI64Type(), sum).getResult());
  }
  if (llvm::isInt<32>(constant)) {
    if (constant)
      add(static_cast<int32_t>(constant));
  } else {
    add(b.create<arith::ConstantIntOp>(loc, constant, 64).getResult());
  }
  return pointer;
}

/// The terms of a sum in their order; returns what of it is constant.
int64_t KernelLowering::takeTerms(Value sum, SmallVectorImpl<Value> &terms) {
  if (auto add = sum.getDefiningOp<arith::AddIOp>()) {
    int64_t left = takeTerms(add.getLhs(), terms);
    return left + takeTerms(add.getRhs(), terms);
  }
  if (std::optional<int64_t> constant = getConstantIntValue(sum))
    return *constant;
  terms.push_back(sum);
  return 0;
}

/// Offsets are multiples of an element, no more: no target here loads whole vectors faster for a promise.
unsigned KernelLowering::alignmentOf(Type type) {
  Type element = isa<VectorType>(type) ? cast<VectorType>(type).getElementType() : type;
  return element.getIntOrFloatBitWidth() / 8;
}

LogicalResult KernelLowering::run() {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = b.create<func::FuncOp>(loc, kernel.getSymName(), b.getFunctionType({pointer}, {}));
  // Without this LLVM writes loops that clear or copy as calls of libc.
  SmallVector<Attribute> attributes = {b.getStringAttr("no-builtins"), b.getStringAttr("nounwind")};
  if (!variant.tune.empty())
    attributes.push_back(b.getStrArrayAttr({"tune-cpu", variant.tune}));
  if (std::string contract = cpu::describeLayouts(kernel); !contract.empty())
    attributes.push_back(b.getStrArrayAttr({cpu::kLayoutAttribute, contract}));
  function->setAttr("passthrough", b.getArrayAttr(attributes));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  Value args = entry->getArgument(0);
  auto number = [&](unsigned offset) {
    Value v = loadField(args, offset, b.getI32Type());
    return b.create<arith::IndexCastUIOp>(loc, b.getIndexType(), v).getResult();
  };
  // The offsets of a 64-bit machine; a static_assert in kernel_abi.h holds them there.
  constexpr unsigned fields = 16;
  Value bindings = loadField(args, 0, pointer);
  for (unsigned i = 0; i < kernel.getNumBindings(); ++i)
    pointers[kernel.getBinding(i)] = loadField(bindings, 8 * i, pointer);
  pointers[kernel.getScratchArg()] = loadField(args, 8, pointer);
  kernel.getTokensArg().replaceAllUsesWith(number(fields));
  kernel.getPositionArg().replaceAllUsesWith(number(fields + 4));
  Value begin = number(fields + 8), end = number(fields + 12), again = loadField(args, fields + 24, b.getI32Type());
  Block *body = cpu::lowerTiles(b, kernel, {begin, end, again, pointers.lookup(kernel.getScratchArg())});
  b.create<func::ReturnOp>(loc);

  SmallVector<Operation *> tileOps;
  body->walk([&](Operation *op) {
    if (isa<TileDialect>(op->getDialect()))
      tileOps.push_back(op);
  });
  for (size_t i = 0; i < tileOps.size(); ++i) {
    Operation *op = tileOps[i];
    b.setInsertionPoint(op);
    loc = op->getLoc();
    if (isa<DotOp, DotPairsOp>(op)) {
      FailureOr<size_t> lowered = isa<DotOp>(op) ? dots(cast<DotOp>(op)) : dots(cast<DotPairsOp>(op));
      if (failed(lowered))
        return failure();
      i += *lowered - 1;
      continue;
    }
    FailureOr<Value> value = lower(op);
    if (failed(value))
      return failure();
    if (op->getNumResults())
      op->getResult(0).replaceAllUsesWith(*value);
    op->erase();
  }
  kernel.erase();
  return success();
}

/// A dot and those of other tokens right behind it.
template <typename Dot> static SmallVector<Dot> dotsFrom(Dot first) {
  SmallVector<Dot> group = {first};
  while (auto next = dyn_cast_or_null<Dot>(group.back()->getNextNode())) {
    if (next.getCodes() != first.getCodes())
      break;
    group.push_back(next);
  }
  return group;
}

template <typename Dot> static size_t replaceDots(ArrayRef<Dot> dots, ValueRange values) {
  for (auto [dot, value] : llvm::zip_equal(dots, values))
    Dot(dot).getResult().replaceAllUsesWith(value);
  for (Dot dot : dots)
    dot->erase();
  return dots.size();
}

/// Lowers the dot together with those of other tokens right behind it; says how many.
FailureOr<size_t> KernelLowering::dots(DotOp first) {
  SmallVector<DotOp> group = dotsFrom(first);
  for (DotOp dot : group) {
    if (dot.getUnsignedCodes() && dot.getBits() == 8 && variant.dot != DotKind::vpdpbusd)
      return dot.emitOpError("of unsigned codes of 8 bits has no instruction here");
    if (dot.getCrossed() && variant.dot != DotKind::vpdpbusd)
      return dot.emitOpError("crossed has no instruction here");
    if (variant.dot == DotKind::vpdpbusd && dot.getBits() == 8 && !dot.getUnsignedCodes() &&
        dot.getX().getType().getElementType().isInteger() && !dot.getStart() && !dot.getCrossed() &&
        !dot.getPositive())
      return dot.emitOpError("of 8-bit codes needs the start of its activations where weights are unsigned bytes");
  }
  return replaceDots<DotOp>(group, cpu::lowerDots(b, group, variant));
}

FailureOr<size_t> KernelLowering::dots(DotPairsOp first) {
  if (!llvm::is_contained(variant.features, "i8mm"))
    return first.emitOpError("has no form in variant ") << variant.name << ", which has no smmla";
  SmallVector<DotPairsOp> group = dotsFrom(first);
  return replaceDots<DotPairsOp>(group, cpu::lowerDotPairs(b, group));
}

/// On a core that a load of two registers is worth something to: whether it is words of scratch, like unpacked codes and scales, or
/// several registers of a super-block that is longer than such a load reaches.
bool KernelLowering::loadsPairs(LoadOp load) {
  auto vector = dyn_cast<VectorType>(load.getType());
  if (variant.ordering != Ordering::program || !vector)
    return false;
  if (load.getSource() == kernel.getScratchArg() && vector.getElementType().getIntOrFloatBitWidth() == 32)
    return true;
  if (vector.getDimSize(0) * vector.getElementTypeBitWidth() <= variant.vectorBits)
    return false;
  auto weight = dyn_cast<PackedType>(load.getSource().getType());
  if (!weight)
    return false;
  PackedLayout layout(Format::get(weight.getFormat()), weight.getRows(), weight.getCols());
  return layout.superBytes() > cpu::kPairReach;
}

FailureOr<Value> KernelLowering::lower(Operation *op) {
  if (auto load = dyn_cast<LoadOp>(op)) {
    Value source = load.getSource(), offset = load.getOffset();
    return b
        .create<LLVM::LoadOp>(loc, load.getType(),
                              loadsPairs(load) ? addressInOneRegister(source, offset, cpu::kPairReach) : address(source, offset),
                              alignmentOf(load.getType()))
        .getResult();
  }
  if (auto load = dyn_cast<LoadUniformOp>(op))
    return uniform(load);
  if (auto store = dyn_cast<StoreOp>(op)) {
    Value target = store.getTarget(), offset = store.getOffset();
    bool arranged = target == kernel.getScratchArg() && arranges();
    b.create<LLVM::StoreOp>(loc, store.getValue(),
                            arranged ? addressInOneRegister(target, offset, cpu::kPairReach) : address(target, offset),
                            alignmentOf(store.getValue().getType()));
    return Value();
  }
  if (auto store = dyn_cast<StoreUniformOp>(op)) {
    b.create<LLVM::StoreOp>(loc, store.getValue(), address(store.getTarget(), store.getOffset()));
    return Value();
  }
  if (auto store = dyn_cast<ScatterOp>(op)) {
    scatter(store);
    return Value();
  }
  if (auto load = dyn_cast<GatherOp>(op))
    return gather(load);
  if (auto prefetch = dyn_cast<PrefetchOp>(op)) {
    b.create<LLVM::Prefetch>(loc, address(prefetch.getSource(), prefetch.getOffset()), /*rw=*/0u,
                             static_cast<uint32_t>(prefetch.getLocality()), /*cache=*/1u);
    return Value();
  }
  if (auto lanes = dyn_cast<LanesOp>(op)) {
    SmallVector<int32_t> numbers(cast<VectorType>(lanes.getType()).getDimSize(0));
    std::iota(numbers.begin(), numbers.end(), 0);
    return b.create<arith::ConstantOp>(loc, b.getI32VectorAttr(numbers)).getResult();
  }
  if (auto swap = dyn_cast<SwapPairsOp>(op)) {
    SmallVector<int64_t> mask(cast<VectorType>(swap.getType()).getDimSize(0));
    for (size_t i = 0; i < mask.size(); ++i)
      mask[i] = i ^ 1;
    return b.create<vector::ShuffleOp>(loc, swap.getSource(), swap.getSource(), mask).getResult();
  }
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    auto type = cast<VectorType>(concat.getType());
    Value whole = b.create<arith::ConstantOp>(loc, b.getZeroAttr(type));
    int64_t lane = 0;
    for (Value part : concat.getParts()) {
      whole = b.create<vector::InsertStridedSliceOp>(loc, part, whole, ArrayRef<int64_t>{lane},
                                                     ArrayRef<int64_t>{1});
      lane += cast<VectorType>(part.getType()).getDimSize(0);
    }
    return whole;
  }
  if (auto l = dyn_cast<LookupOp>(op))
    return cpu::lowerLookup(b, l, variant);
  if (auto sum = dyn_cast<AccumulateLevelsOp>(op))
    return cpu::lowerAccumulateLevels(b, sum, variant);
  if (auto sum = dyn_cast<AccumulateShiftedOp>(op))
    return cpu::lowerAccumulateShifted(b, sum, variant);
  if (auto dot = dyn_cast<DotHalvesOp>(op))
    return cpu::lowerDotHalves(b, dot, variant);
  if (auto r = dyn_cast<ReduceOp>(op))
    return reduce(r);
  if (auto s = dyn_cast<SpreadOp>(op))
    return spread(s);
  return op->emitOpError("has no CPU form: run --expand-formats and --unroll-tokens before");
}

/// x86 multiplies by a broadcast memory operand, so words of x are scalar loads there; Arm takes them by element out
/// of 128 bits of a register.
Value KernelLowering::uniform(LoadUniformOp op) {
  auto vector = dyn_cast<VectorType>(op.getType());
  Value source = op.getSource(), offset = op.getOffset();
  if (!vector || variant.vectorBits == 128) {
    bool arranged = vector && source == kernel.getScratchArg() && arranges();
    return b.create<LLVM::LoadOp>(loc, op.getType(),
                                  arranged ? addressInOneRegister(source, offset, cpu::kPairReach) : address(source, offset),
                                  alignmentOf(op.getType()));
  }
  if (variant.isScalable())
    return quads(op, vector);
  Value base = variant.dot == DotKind::vpdpbusd ? addressInOneRegister(source, offset, 0) : address(source, offset);
  SmallVector<Value> words;
  for (int64_t i = 0; i < vector.getDimSize(0); ++i) {
    Value at = b.create<LLVM::GEPOp>(loc, base.getType(), b.getI8Type(), base,
                                     ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(4 * i)});
    words.push_back(b.create<LLVM::LoadOp>(loc, vector.getElementType(), at));
  }
  return b.create<vector::FromElementsOp>(loc, vector, words);
}

/// A uniform vector, 128 bits at a time: SVE repeats each such load in the rest of a register.
Value KernelLowering::quads(LoadUniformOp op, VectorType type) {
  Value base = address(op.getSource(), op.getOffset());
  int64_t size = type.getElementTypeBitWidth() / 8, lanes = 16 / size;
  Value whole = b.create<arith::ConstantOp>(loc, b.getZeroAttr(type));
  for (int64_t lane = 0; lane < type.getDimSize(0); lane += lanes) {
    auto part = VectorType::get({std::min(lanes, type.getDimSize(0) - lane)}, type.getElementType());
    Value loaded = b.create<LLVM::LoadOp>(loc, part, step(base, {}, lane * size), alignmentOf(type));
    whole = b.create<vector::InsertStridedSliceOp>(loc, loaded, whole, ArrayRef<int64_t>{lane}, ArrayRef<int64_t>{1});
  }
  return whole;
}

Value KernelLowering::reduce(ReduceOp op) {
  Value v = op.getSource();
  int64_t n = op.getLanes() ? static_cast<int64_t>(*op.getLanes()) : cast<VectorType>(v.getType()).getDimSize(0);
  bool isFloat = isa<FloatType>(op.getType());
  auto join = [&](Value x, Value y) -> Value {
    if (op.getKind() == ReduceKind::Add)
      return isFloat ? b.create<arith::AddFOp>(loc, x, y).getResult() : b.create<arith::AddIOp>(loc, x, y);
    Value greater = isFloat ? b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, x, y).getResult()
                            : b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::sgt, x, y);
    return b.create<arith::SelectOp>(loc, greater, x, y);
  };
  auto part = [&](Value v, int64_t from, int64_t count) -> Value {
    if (cast<VectorType>(v.getType()).getDimSize(0) == count)
      return v;
    return b.create<vector::ExtractStridedSliceOp>(loc, v, ArrayRef<int64_t>{from}, ArrayRef<int64_t>{count},
                                                   ArrayRef<int64_t>{1});
  };
  v = part(v, 0, n);
  while (n > 1) {
    n /= 2;
    v = join(part(v, 0, n), part(v, n, n));
  }
  return b.create<vector::ExtractOp>(loc, v, ArrayRef<int64_t>{0});
}

Value KernelLowering::spread(SpreadOp op) {
  SmallVector<Value> words;
  for (Value word : op.getWords())
    words.push_back(b.create<vector::ExtractOp>(loc, word, ArrayRef<int64_t>{0}));
  auto type = cast<VectorType>(op.getType());
  Type element = words.front().getType();
  Value all = b.create<vector::FromElementsOp>(
      loc, VectorType::get({static_cast<int64_t>(words.size())}, element), words);
  if (element.isF32())
    return all;
  Value bytes = b.create<vector::BitCastOp>(loc, VectorType::get(type.getShape(), b.getI8Type()), all);
  return op.getSignedCodes() ? b.create<arith::ExtSIOp>(loc, type, bytes).getResult()
                             : b.create<arith::ExtUIOp>(loc, type, bytes).getResult();
}

Value KernelLowering::laneOffset(Value base, Value offsets, int64_t lane) {
  Value offset = b.create<vector::ExtractOp>(loc, offsets, ArrayRef<int64_t>{lane});
  return b.create<arith::AddIOp>(loc, base, b.create<arith::IndexCastUIOp>(loc, b.getIndexType(), offset));
}

Value KernelLowering::gather(GatherOp op) {
  auto type = cast<VectorType>(op.getType());
  SmallVector<Value> values;
  for (int64_t lane = 0; lane < type.getDimSize(0); ++lane)
    values.push_back(b.create<LLVM::LoadOp>(
        loc, type.getElementType(), address(op.getSource(), laneOffset(op.getBase(), op.getOffsets(), lane))));
  return b.create<vector::FromElementsOp>(loc, type, values);
}

void KernelLowering::scatter(ScatterOp op) {
  int64_t width = cast<VectorType>(op.getValue().getType()).getDimSize(0);
  std::optional<int64_t> known = getConstantIntValue(op.getLanes());
  for (int64_t lane = 0; lane < (known ? std::min(*known, width) : width); ++lane) {
    OpBuilder::InsertionGuard guard(b);
    if (!known) {
      Value inside = b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::ult,
                                             b.create<arith::ConstantIndexOp>(loc, lane), op.getLanes());
      auto branch = b.create<scf::IfOp>(loc, inside, /*withElseRegion=*/false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    Value element = b.create<vector::ExtractOp>(loc, op.getValue(), ArrayRef<int64_t>{lane});
    b.create<LLVM::StoreOp>(loc, element, address(op.getTarget(), laneOffset(op.getBase(), op.getOffsets(), lane)));
  }
}

struct LowerKernelsPass : PassWrapper<LowerKernelsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerKernelsPass)
  explicit LowerKernelsPass(const Variant &variant) : variant(variant) {}
  StringRef getArgument() const override { return "lower-kernels"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<func::FuncDialect, LLVM::LLVMDialect, vector::VectorDialect, scf::SCFDialect>();
  }
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>()))
      if (failed(cpu::lowerKernel(kernel, variant)))
        return signalPassFailure();
  }
  const Variant &variant;
};

} // namespace

LogicalResult cpu::lowerKernel(KernelOp kernel, const Variant &variant) {
  return KernelLowering(kernel, variant).run();
}

std::unique_ptr<Pass> cpu::createLowerKernelsPass(const Variant &variant) {
  return std::make_unique<LowerKernelsPass>(variant);
}
