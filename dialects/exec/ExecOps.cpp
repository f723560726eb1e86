//===- ExecOps.cpp - Builders and verifiers of the exec ops ---------------===//
#include "dialects/exec/ExecSyntax.h"
#include "mlir/IR/Builders.h"
#include "sinter/kernel_abi.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace sinter::exec;

// ---- Lists of bindings and ports inside ops
// -------------------------------------------------------------------------

template <typename Attr>
static ParseResult parseList(OpAsmParser &parser, AsmParser::Delimiter delimiter, ArrayAttr &list,
                             FailureOr<Attr> (*parseOne)(AsmParser &)) {
  SmallVector<Attribute> parsed;
  if (parser.parseCommaSeparatedList(delimiter, [&]() -> ParseResult {
        FailureOr<Attr> one = parseOne(parser);
        if (failed(one))
          return failure();
        parsed.push_back(*one);
        return success();
      }))
    return failure();
  list = parser.getBuilder().getArrayAttr(parsed);
  return success();
}

static ParseResult parseBindings(OpAsmParser &parser, ArrayAttr &bindings) {
  return parseList<BindingAttr>(parser, AsmParser::Delimiter::Paren, bindings, parseBinding);
}

static void printBindings(OpAsmPrinter &printer, Operation *, ArrayAttr bindings) {
  printer << "(";
  llvm::interleaveComma(bindings.getAsRange<BindingAttr>(), printer,
                        [&](BindingAttr binding) { printBinding(printer, binding); });
  printer << ")";
}

static ParseResult parsePorts(OpAsmParser &parser, ArrayAttr &ports) {
  return parseList<PortAttr>(parser, AsmParser::Delimiter::Square, ports, parsePort);
}

static void printPorts(OpAsmPrinter &printer, Operation *, ArrayAttr ports) {
  printer << "[";
  llvm::interleaveComma(ports.getAsRange<PortAttr>(), printer,
                        [&](PortAttr port) { printPort(printer, port); });
  printer << "]";
}

#define GET_OP_CLASSES
#include "dialects/exec/ExecOps.cpp.inc"

/// The buffer that a symbol names, or an error on `user`.
static BufferOp lookUpBuffer(Operation *user, FlatSymbolRefAttr symbol,
                             SymbolTableCollection &tables) {
  auto buffer = tables.lookupNearestSymbolFrom<BufferOp>(user, symbol);
  if (!buffer)
    user->emitOpError() << "names the buffer " << symbol << ", which does not exist";
  return buffer;
}

/// offset + size, or nothing if that overflows.
static std::optional<int64_t> checkedAdd(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum))
    return std::nullopt;
  return sum;
}

// ---- exec.buffer
// ----------------------------------------------------------------------------------------------------

void BufferOp::build(OpBuilder &builder, OperationState &state, BufferKind kind, StringRef name,
                     int64_t bytes, StringRef program) {
  build(builder, state, kind, name,
        program.empty() ? FlatSymbolRefAttr() : builder.getAttr<FlatSymbolRefAttr>(program), bytes,
        BufferRoleAttr(), IntegerAttr());
}

Value BufferOp::getConstantValue() {
  return cast<ConstantYieldOp>(getRecipe().front().getTerminator()).getValue();
}

LogicalResult BufferOp::verify() {
  if (static_cast<int64_t>(getBytes()) < 1)
    return emitOpError() << "has " << static_cast<int64_t>(getBytes()) << " bytes";
  if (isConstant() != !getRecipe().empty())
    return emitOpError() << (isConstant() ? "is constant and has no recipe"
                                          : "has a recipe and is not constant");
  if (isTransient() != getProgram().has_value())
    return emitOpError() << (isTransient() ? "is transient and names no program"
                                           : "names a program and is not transient");
  if (getRole() && !isState())
    return emitOpError() << "has a role and is not state";
  if (getRole() == BufferRole::Step && static_cast<int64_t>(getBytes()) < kStepBytes)
    return emitOpError() << "has " << getBytes() << " bytes; the step's scalars take "
                         << kStepBytes;
  if (getOffset() && !isConstant())
    return emitOpError()
           << "has a place; only constants have it here, the others in exec.memory_plan";
  if (getOffset() && *getOffset() % kConstantAlignment != 0)
    return emitOpError() << "is at " << *getOffset() << ", which is not a multiple of "
                         << kConstantAlignment;
  if (isConstant() && !isa<ConstantYieldOp>(getRecipe().front().getTerminator()))
    return emitOpError() << "has a recipe that does not end in exec.constant_yield";
  if (isConstant() && getRecipe().front().getNumArguments())
    return emitOpError() << "has a recipe with arguments";
  if (!isConstant())
    return success();
  Type type = getConstantValue().getType();
  std::optional<int64_t> wanted = getConstantBytes(type);
  if (!wanted)
    return emitOpError() << "has a recipe that makes " << type
                         << "; a constant is !llm.packed or a vector or matrix of f32";
  if (*wanted != static_cast<int64_t>(getBytes()))
    return emitOpError() << "has " << getBytes() << " bytes; " << type << " takes " << *wanted;
  return success();
}

LogicalResult BufferOp::verifySymbolUses(SymbolTableCollection &tables) {
  if (getProgramAttr() && !tables.lookupNearestSymbolFrom<ProgramOp>(*this, getProgramAttr()))
    return emitOpError() << "names the program " << getProgramAttr() << ", which does not exist";
  return success();
}

// ---- exec.program
// ---------------------------------------------------------------------------------------------------

void ProgramOp::build(OpBuilder &builder, OperationState &state, StringRef name, int64_t maxTokens,
                      ArrayRef<PortAttr> ports) {
  SmallVector<Attribute> list(ports.begin(), ports.end());
  state.addAttribute(getSymNameAttrName(state.name), builder.getStringAttr(name));
  state.addAttribute(getMaxTokensAttrName(state.name), builder.getI64IntegerAttr(maxTokens));
  state.addAttribute(getPortsAttrName(state.name), builder.getArrayAttr(list));
  state.addRegion()->emplaceBlock();
}

LogicalResult ProgramOp::verify() {
  int64_t maxTokens = getMaxTokens();
  if (maxTokens < 1 || maxTokens > std::numeric_limits<uint32_t>::max())
    return emitOpError() << "has max_tokens " << maxTokens << "; at least 1, below 2^32";
  for (Operation &op : *getBody().begin())
    if (!isa<GroupOp>(op))
      return op.emitOpError() << "stands in a program; only exec.group does";
  llvm::SmallSet<PortRole, 4> roles;
  for (PortAttr port : getPorts().getAsRange<PortAttr>())
    if (!roles.insert(port.getRole()).second)
      return emitOpError() << "has two ports '" << stringifyPortRole(port.getRole()) << "'";
  return success();
}

LogicalResult ProgramOp::verifySymbolUses(SymbolTableCollection &tables) {
  for (PortAttr port : getPorts().getAsRange<PortAttr>()) {
    BufferOp buffer = lookUpBuffer(*this, port.getBuffer(), tables);
    if (!buffer)
      return failure();
    StringRef role = stringifyPortRole(port.getRole());
    if (!buffer.isState())
      return emitOpError() << "has the port '" << role << "' in " << port.getBuffer()
                           << ", which is not state";
    int64_t least =
        port.getRole() == PortRole::Logits ? 4 : 4 * static_cast<int64_t>(getMaxTokens());
    if (static_cast<int64_t>(buffer.getBytes()) < least)
      return emitOpError() << "has the port '" << role << "' in " << port.getBuffer() << " of "
                           << buffer.getBytes() << " bytes; it takes " << least;
  }
  return success();
}

// ---- exec.group
// -----------------------------------------------------------------------------------------------------

void GroupOp::build(OpBuilder &, OperationState &state) { state.addRegion()->emplaceBlock(); }

LogicalResult GroupOp::verify() {
  if (getBody().front().empty())
    return emitOpError() << "holds no dispatch";
  for (Operation &op : getBody().front())
    if (!isa<DispatchOp>(op))
      return op.emitOpError() << "stands in a group; only exec.dispatch does";
  return success();
}

/// Bytes [begin, end) of its buffer that a binding may touch, over all indices.
static std::pair<int64_t, int64_t> rangeOf(BindingAttr binding, int64_t bufferBytes) {
  int64_t begin = binding.getOffset(), size = binding.sizeIn(bufferBytes);
  if (IndirectAttr indirect = binding.getIndirect())
    size += (indirect.getLimit() - 1) * indirect.getStride();
  return {begin, begin + size};
}

LogicalResult GroupOp::verifySymbolUses(SymbolTableCollection &tables) {
  struct Use {
    DispatchOp dispatch;
    BindingAttr binding;
    std::pair<int64_t, int64_t> range;
  };
  llvm::DenseMap<Attribute, SmallVector<Use>> uses;
  for (DispatchOp dispatch : getBody().front().getOps<DispatchOp>())
    for (BindingAttr binding : dispatch.getBindingList()) {
      auto buffer = tables.lookupNearestSymbolFrom<BufferOp>(*this, binding.getBuffer());
      if (!buffer)
        continue; // the dispatch's own verifier says so
      auto range = rangeOf(binding, buffer.getBytes());
      for (Use &other : uses[binding.getBuffer()])
        if (other.dispatch != dispatch && (other.binding.isWritten() || binding.isWritten()) &&
            range.first < other.range.second && other.range.first < range.second)
          return dispatch.emitOpError() << "and " << other.dispatch.getKernelAttr()
                                        << " of the same group touch the same bytes of "
                                        << binding.getBuffer() << ", and one writes them";
      uses[binding.getBuffer()].push_back({dispatch, binding, range});
    }
  return success();
}

// ---- exec.dispatch
// --------------------------------------------------------------------------------------------------

void DispatchOp::build(OpBuilder &builder, OperationState &state, StringRef kernel,
                       ArrayRef<BindingAttr> bindings, TilesAttr tiles, StringRef source) {
  SmallVector<Attribute> list(bindings.begin(), bindings.end());
  build(builder, state, builder.getAttr<FlatSymbolRefAttr>(kernel), builder.getArrayAttr(list),
        tiles, source.empty() ? StringAttr() : builder.getStringAttr(source));
}

LogicalResult DispatchOp::verify() {
  for (auto [number, binding] : llvm::enumerate(getBindingList())) {
    if (!binding.getOver().empty() && binding.getAccess() != Access::Write)
      return emitOpError() << "has binding " << number
                           << " over another one, which only a write can be";
    if (!binding.getOver().empty() &&
        (binding.getOffset() || binding.getSize() >= 0 || binding.getIndirect()))
      return emitOpError() << "has binding " << number
                           << " over another one, which only a whole buffer can be";
    for (int64_t other : binding.getOver())
      if (other < 0 || other >= static_cast<int64_t>(getBindings().size()) ||
          getBinding(other).getAccess() != Access::Read)
        return emitOpError() << "has binding " << number << " over binding " << other
                             << ", which is none that is read";
  }
  return success();
}

static LogicalResult verifyIndirect(DispatchOp op, size_t number, IndirectAttr indirect,
                                    SymbolTableCollection &tables) {
  BufferOp index = lookUpBuffer(op, indirect.getIndex(), tables);
  if (!index)
    return failure();
  if (index.isConstant())
    return op.emitOpError()
           << "has binding " << number << " indexed by " << indirect.getIndex()
           << ", which is constant: the runtime reads indices from the session's memory";
  if (indirect.getElement() < 0 ||
      indirect.getElement() >= static_cast<int64_t>(index.getBytes()) / 4)
    return op.emitOpError() << "has binding " << number << " indexed by number "
                            << indirect.getElement() << " of " << indirect.getIndex()
                            << ", which has " << index.getBytes() / 4;
  if (indirect.getLimit() < 1 || indirect.getLimit() > std::numeric_limits<uint32_t>::max())
    return op.emitOpError() << "has binding " << number << " with limit " << indirect.getLimit();
  if (indirect.getStride() < 1 || indirect.getStride() % SINTER_KERNEL_ALIGNMENT)
    return op.emitOpError() << "has binding " << number << " with stride " << indirect.getStride()
                            << ", which is not a positive multiple of " << SINTER_KERNEL_ALIGNMENT;
  return success();
}

/// offset + (limit - 1) * stride + size within the buffer, without overflow on the way.
static LogicalResult verifyRange(DispatchOp op, size_t number, BindingAttr binding,
                                 int64_t bufferBytes) {
  if (binding.getOffset() % SINTER_KERNEL_ALIGNMENT)
    return op.emitOpError() << "has binding " << number << " at offset " << binding.getOffset()
                            << ", which is not a multiple of " << SINTER_KERNEL_ALIGNMENT;
  int64_t travel = 0;
  IndirectAttr indirect = binding.getIndirect();
  bool overflow =
      indirect && __builtin_mul_overflow(indirect.getLimit() - 1, indirect.getStride(), &travel);
  std::optional<int64_t> begin = checkedAdd(binding.getOffset(), travel);
  if (indirect && binding.getSize() < 0)
    return op.emitOpError() << "has binding " << number << " indirect without a size";
  std::optional<int64_t> end =
      begin ? checkedAdd(*begin, std::max<int64_t>(binding.getSize(), 1)) : begin;
  if (overflow || !end || *end > bufferBytes)
    return op.emitOpError() << "has binding " << number << " past the end of "
                            << binding.getBuffer() << " (" << bufferBytes << " bytes)";
  return success();
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto program = (*this)->getParentOfType<ProgramOp>();
  for (auto [number, binding] : llvm::enumerate(getBindingList())) {
    BufferOp buffer = lookUpBuffer(*this, binding.getBuffer(), tables);
    if (!buffer)
      return failure();
    if (buffer.isConstant() && binding.isWritten())
      return emitOpError() << "writes binding " << number << ", the constant "
                           << binding.getBuffer();
    if (buffer.isTransient() && buffer.getProgram() != program.getSymName())
      return emitOpError() << "has binding " << number << " in " << binding.getBuffer()
                           << ", a transient of " << buffer.getProgramAttr();
    if (binding.getIndirect() &&
        failed(verifyIndirect(*this, number, binding.getIndirect(), tables)))
      return failure();
    if (failed(verifyRange(*this, number, binding, buffer.getBytes())))
      return failure();
  }
  for (ModuleOp variant : getVariantModules(getTargetModule(*this))) {
    Operation *kernel = tables.lookupSymbolIn(variant, getKernelAttr());
    if (!kernel)
      return emitOpError() << "runs the kernel " << getKernelAttr() << ", which variant "
                           << variant.getSymNameAttr() << " does not have";
    std::optional<int64_t> count = getKernelFacts(kernel).bindings;
    if (count && *count != static_cast<int64_t>(getBindings().size()))
      return emitOpError() << "gives " << getBindings().size() << " bindings to " << getKernelAttr()
                           << ", which takes " << *count;
  }
  return success();
}

// ---- exec.memory_plan
// -----------------------------------------------------------------------------------------------

void MemoryPlanOp::build(OpBuilder &, OperationState &state) { state.addRegion()->emplaceBlock(); }

LogicalResult MemoryPlanOp::verify() {
  llvm::StringSet<> seen;
  for (Operation &op : getBody().front()) {
    auto interval = dyn_cast<IntervalOp>(op);
    if (!interval)
      return op.emitOpError() << "stands in a memory plan; only exec.interval does";
    if (!seen.insert(interval.getBuffer()).second)
      return interval.emitOpError() << "is the second one of " << interval.getBufferAttr();
    if (interval.getOffset().has_value() != isPlanned())
      return interval.emitOpError() << (isPlanned() ? "has no place in a plan that is made"
                                                    : "has a place in a plan that is not made");
  }
  return success();
}

LogicalResult IntervalOp::verify() {
  if (static_cast<int64_t>(getBytes()) < 1)
    return emitOpError() << "has " << static_cast<int64_t>(getBytes()) << " bytes";
  if (getProgram() && (static_cast<int64_t>(*getFirst()) < 0 || *getFirst() > *getLast()))
    return emitOpError() << "lives from group " << static_cast<int64_t>(*getFirst()) << " to "
                         << static_cast<int64_t>(*getLast());
  if (getOver() && !getProgram())
    return emitOpError() << "takes another's place and lives always";
  return success();
}
