//===- Metadata.cpp - The planned module as the bundle's tables -----------===//
#include "compiler/bundle/Metadata.h"
#include "dialects/llm/LLMDialect.h"
#include "dialects/llm/ModelInfo.h"
#include "sinter/kernel_abi.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::exec;

namespace {

/// Turns symbols into offsets and indices.
class Tables {
public:
  Tables(ModuleOp target, ArrayRef<VariantCode> code)
      : target(target), code(code), symbols(target) {}
  FailureOr<bundle::BundleT> build();

private:
  LogicalResult addVariants();
  LogicalResult addMemory();
  LogicalResult addProgram(ProgramOp program);
  FailureOr<std::unique_ptr<bundle::DispatchT>> makeDispatch(DispatchOp dispatch);
  FailureOr<uint32_t> kernelIndex(DispatchOp dispatch);
  void addCosts(DispatchOp dispatch, bundle::DispatchT &table);

  /// Offset in the session's memory.
  uint64_t memoryOffset(FlatSymbolRefAttr buffer) { return places.lookup(buffer.getValue()); }

  ModuleOp target;
  ArrayRef<VariantCode> code;
  SymbolTable symbols;
  llvm::StringMap<uint64_t> places;
  llvm::StringMap<uint32_t> kernels;
  uint64_t context = 1;
  bundle::BundleT result;
};

LogicalResult Tables::addVariants() {
  auto attribute = target->getAttrOfType<TargetAttr>(ExecDialect::kTargetAttr);
  if (!attribute)
    return target.emitError() << "has no attribute " << ExecDialect::kTargetAttr;
  result.target = attribute.getName().str();
  uint64_t end = 0;
  for (const VariantCode &variant : code) {
    auto described = llvm::find_if(attribute.getVariants(),
                                   [&](VariantAttr one) { return one.getName() == variant.name; });
    if (described == attribute.getVariants().end())
      return target.emitError() << "has code of variant '" << variant.name
                                << "', which its target does not name";
    auto table = std::make_unique<bundle::VariantT>();
    table->name = variant.name;
    for (StringAttr feature : described->getFeatures())
      table->features.push_back(feature.str());
    table->code_offset = llvm::alignTo(end, SINTER_KERNEL_ALIGNMENT);
    table->code_size = variant.bytes.size();
    end = table->code_offset + table->code_size;
    result.variants.push_back(std::move(table));
  }
  return success();
}

LogicalResult Tables::addMemory() {
  auto plans = llvm::to_vector(target.getOps<MemoryPlanOp>());
  if (plans.size() != 1 || !plans.front().isPlanned())
    return target.emitError()
           << "has no memory plan that is made: the phase 'plan' comes before 'pack'";
  MemoryPlanOp plan = plans.front();
  auto memory = std::make_unique<bundle::MemoryT>();
  memory->state_bytes = *plan.getStateBytes();
  memory->kv_bytes = *plan.getKvBytes();
  memory->fixed_bytes = *plan.getFixedBytes();
  memory->scratch_bytes = *plan.getScratchBytes();
  bool hasStep = false;
  for (IntervalOp interval : plan.getOps<IntervalOp>()) {
    auto buffer = std::make_unique<bundle::PlannedBufferT>();
    buffer->name = interval.getBuffer().str();
    buffer->program = interval.getProgram().value_or("").str();
    buffer->offset = *interval.getOffset();
    buffer->size = interval.getBytes();
    buffer->first = static_cast<uint32_t>(interval.getFirst().value_or(0));
    buffer->last = static_cast<uint32_t>(interval.getLast().value_or(0));
    places[interval.getBuffer()] = buffer->offset;
    auto described = symbols.lookup<BufferOp>(interval.getBuffer());
    if (described && described.getRole() == BufferRole::Step) {
      memory->step_offset = buffer->offset;
      hasStep = true;
    }
    memory->buffers.push_back(std::move(buffer));
  }
  if (!hasStep)
    return plan.emitOpError() << "has no buffer of role 'step'";
  result.memory = std::move(memory);
  return success();
}

FailureOr<uint32_t> Tables::kernelIndex(DispatchOp dispatch) {
  auto [known, isNew] =
      kernels.insert({dispatch.getKernel(), static_cast<uint32_t>(kernels.size())});
  if (!isNew)
    return known->second;
  auto kernel = std::make_unique<bundle::KernelT>();
  kernel->name = dispatch.getKernel().str();
  kernel->bindings = static_cast<uint32_t>(dispatch.getBindings().size());
  for (const VariantCode &variant : code) {
    auto entry = variant.entries->find(dispatch.getKernel());
    if (entry == variant.entries->end())
      return dispatch.emitOpError()
             << "runs @" << dispatch.getKernel() << ", which the code of variant '" << variant.name
             << "' does not have";
    int64_t scratch = 0;
    for (ModuleOp module : getVariantModules(target))
      if (module.getSymName() == variant.name)
        if (Operation *op = SymbolTable::lookupSymbolIn(module, dispatch.getKernelAttr()))
          scratch = getKernelFacts(op).scratchBytes;
    kernel->entries.emplace_back(entry->second, llvm::alignTo(scratch, SINTER_KERNEL_ALIGNMENT));
  }
  result.kernels.push_back(std::move(kernel));
  return known->second;
}

/// What a run reads and computes, as far as a roofline counts it. An embedding is the one kernel
/// that reads a row of a matrix for each token and multiplies nothing; all others multiply each
/// token with whole matrices.
void Tables::addCosts(DispatchOp dispatch, bundle::DispatchT &table) {
  bool embeds = dispatch.getKernel().starts_with("embed_");
  for (BindingAttr binding : dispatch.getBindingList()) {
    auto buffer = symbols.lookup<BufferOp>(binding.getBuffer().getValue());
    if (buffer.isConstant() && !embeds) {
      auto packed = dyn_cast<llm::PackedType>(buffer.getConstantValue().getType());
      if (!packed)
        continue;
      llm::MatrixShape shape = llm::getMatrixShape(packed);
      table.weight_bytes += static_cast<uint64_t>(buffer.getBytes());
      table.macs += static_cast<uint64_t>(shape.rows) * static_cast<uint64_t>(shape.cols);
    } else if (buffer.getRole() == BufferRole::KVCache && !binding.isWritten()) {
      table.kv_bytes += static_cast<uint64_t>(buffer.getBytes()) / context;
    }
  }
}

FailureOr<std::unique_ptr<bundle::DispatchT>> Tables::makeDispatch(DispatchOp dispatch) {
  auto table = std::make_unique<bundle::DispatchT>();
  FailureOr<uint32_t> kernel = kernelIndex(dispatch);
  if (failed(kernel))
    return failure();
  table->kernel = *kernel;
  table->source = dispatch.getSource().value_or("").str();
  TilesAttr tiles = dispatch.getTiles();
  table->tiles = std::make_unique<bundle::TileCount>(static_cast<uint32_t>(tiles.getConstant()),
                                                     static_cast<uint32_t>(tiles.getTokenStep()),
                                                     static_cast<uint32_t>(tiles.getLengthStep()));
  for (BindingAttr binding : dispatch.getBindingList()) {
    auto buffer = symbols.lookup<BufferOp>(binding.getBuffer().getValue());
    auto entry = std::make_unique<bundle::BindingT>();
    entry->space = buffer.isConstant() ? bundle::Space::Weights : bundle::Space::Memory;
    entry->offset =
        (buffer.isConstant() ? *buffer.getOffset() : memoryOffset(binding.getBuffer())) +
        static_cast<uint64_t>(binding.getOffset());
    entry->size = static_cast<uint64_t>(binding.sizeIn(buffer.getBytes()));
    entry->written = binding.isWritten();
    if (IndirectAttr indirect = binding.getIndirect()) {
      entry->indirect = std::make_unique<bundle::IndirectT>();
      entry->indirect->index_offset =
          memoryOffset(indirect.getIndex()) + 4 * static_cast<uint64_t>(indirect.getElement());
      entry->indirect->stride = static_cast<uint64_t>(indirect.getStride());
      entry->indirect->limit = static_cast<uint32_t>(indirect.getLimit());
    }
    table->bindings.push_back(std::move(entry));
  }
  addCosts(dispatch, *table);
  return table;
}

LogicalResult Tables::addProgram(ProgramOp program) {
  auto table = std::make_unique<bundle::ProgramT>();
  table->name = program.getSymName().str();
  table->max_tokens = static_cast<uint32_t>(program.getMaxTokens());
  for (GroupOp group : program.getOps<GroupOp>()) {
    auto groupTable = std::make_unique<bundle::GroupT>();
    for (DispatchOp dispatch : group.getOps<DispatchOp>()) {
      auto made = makeDispatch(dispatch);
      if (failed(made))
        return failure();
      groupTable->dispatches.push_back(std::move(*made));
    }
    table->groups.push_back(std::move(groupTable));
  }
  for (PortAttr port : program.getPorts().getAsRange<PortAttr>()) {
    auto entry = std::make_unique<bundle::PortT>();
    entry->role = port.getRole() == PortRole::Tokens    ? bundle::PortRole::Tokens
                  : port.getRole() == PortRole::Targets ? bundle::PortRole::Targets
                  : port.getRole() == PortRole::Logits  ? bundle::PortRole::Logits
                                                        : bundle::PortRole::Scores;
    entry->offset = memoryOffset(port.getBuffer());
    entry->size = symbols.lookup<BufferOp>(port.getBuffer().getValue()).getBytes();
    table->ports.push_back(std::move(entry));
  }
  result.programs.push_back(std::move(table));
  return success();
}

FailureOr<bundle::BundleT> Tables::build() {
  auto outermost = target->getParentOfType<ModuleOp>();
  FailureOr<llm::ModelInfo> info = llm::ModelInfo::get(outermost ? outermost : target);
  if (failed(info) || failed(addVariants()) || failed(addMemory()))
    return failure();
  context = static_cast<uint64_t>(std::max<int64_t>(info->context, 1));
  for (ProgramOp program : target.getOps<ProgramOp>())
    if (failed(addProgram(program)))
      return failure();
  return std::move(result);
}

} // namespace

FailureOr<bundle::BundleT> sinter::buildMetadata(ModuleOp target, ArrayRef<VariantCode> code) {
  return Tables(target, code).build();
}

LogicalResult sinter::addModelInfo(ModuleOp top, bundle::BundleT &bundle) {
  FailureOr<llm::ModelInfo> info = llm::ModelInfo::get(top);
  if (failed(info))
    return failure();
  auto model = std::make_unique<bundle::ModelInfoT>();
  model->name = info->name;
  model->architecture = info->architecture;
  model->vocabulary = static_cast<uint32_t>(info->vocabulary);
  model->context = static_cast<uint32_t>(info->context);
  model->trained_context = static_cast<uint32_t>(info->trainedContext);
  model->prefill_chunk = static_cast<uint32_t>(info->chunk);
  model->layers = static_cast<uint32_t>(info->layers);
  model->embedding = static_cast<uint32_t>(info->embedding);
  model->parameters = static_cast<uint64_t>(info->parameters);
  bundle.model = std::move(model);
  return success();
}
