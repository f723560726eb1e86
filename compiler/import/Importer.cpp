//===- Importer.cpp - From a GGUF file to a module of the llm dialect -----===//
#include "compiler/import/Importer.h"
#include "compiler/import/DecoderBuilder.h"
#include "compiler/import/Families.h"
#include "dialects/llm/ModelInfo.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace sinter;

namespace {
struct Family {
  StringRef architecture; ///< general.architecture
  void (*draw)(DecoderBuilder &);
};
} // namespace

static constexpr Family kFamilies[] = {{"llama", importLlama}, {"qwen2", importQwen2}};

static constexpr int64_t kDefaultContext = 4096, kMaxContext = int64_t(1) << 24,
                         kDefaultChunk = 512;

static llvm::Expected<const Family *> findFamily(const gguf::GGUFFile &file) {
  constexpr const char *kKey = "general.architecture";
  llvm::Expected<StringRef> name = file.getString(kKey);
  if (!name)
    return name.takeError();
  std::string known;
  for (const Family &family : kFamilies) {
    if (family.architecture == *name)
      return &family;
    known += (known.empty() ? "" : ", ") + family.architecture.str();
  }
  return file.metadataError(kKey, "architecture " + gguf::quote(*name) +
                                      " is not supported yet; supported: " + known);
}

static llvm::Error checkOptions(const gguf::GGUFFile &file, const ImportOptions &options) {
  if (options.context < 0 || options.context > kMaxContext)
    return file.error(llvm::formatv(
        "a context of {0} tokens is out of range; it must be 1 .. {1}, or 0 for the model's "
        "own",
        options.context, kMaxContext));
  if (options.chunk < 0 || options.chunk > kMaxContext)
    return file.error(llvm::formatv(
        "a prefill chunk of {0} tokens is out of range; it must be 1 .. {1}, or 0 for {2}",
        options.chunk, kMaxContext, kDefaultChunk));
  return llvm::Error::success();
}

/// A mistake of the importer, but one that a file could bring out: a message, not an abort.
static llvm::Error verified(ModuleOp module, const gguf::GGUFFile &file) {
  std::string message;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
  });
  if (succeeded(verify(module)))
    return llvm::Error::success();
  return file.error("the model cannot be expressed: " + message);
}

static Type cacheType(ImportOptions::KvType type, MLIRContext &context) {
  switch (type) {
  case ImportOptions::KvType::f16:
    return Float16Type::get(&context);
  case ImportOptions::KvType::f32:
    return Float32Type::get(&context);
  case ImportOptions::KvType::i8:
    return IntegerType::get(&context, 8);
  }
  llvm_unreachable("all types are handled");
}

void sinter::loadImportDialects(MLIRContext &context) {
  context.loadDialect<llm::LLMDialect, func::FuncDialect>();
}

llvm::Expected<OwningOpRef<ModuleOp>> sinter::importModel(const gguf::GGUFFile &file,
                                                          MLIRContext &context,
                                                          const ImportOptions &options) {
  loadImportDialects(context);
  llvm::Expected<const Family *> family = findFamily(file);
  if (!family)
    return family.takeError();
  if (llvm::Error error = checkOptions(file, options))
    return error;
  llvm::Expected<Hyperparameters> numbers = readHyperparameters(file, (*family)->architecture);
  if (!numbers)
    return numbers.takeError();
  llvm::Expected<StringRef> name = file.getString("general.name", StringRef());
  if (!name)
    return name.takeError();

  llm::ModelInfo info;
  info.architecture = numbers->architecture;
  info.name = name->str();
  info.source = llvm::sys::path::filename(file.path()).str();
  info.trainedContext = numbers->trainedContext;
  info.context = options.context ? options.context : std::min(info.trainedContext, kDefaultContext);
  info.chunk = std::min(options.chunk ? options.chunk : kDefaultChunk, info.context);
  info.vocabulary = numbers->vocabulary;
  info.layers = numbers->layers;
  info.embedding = numbers->embedding;
  info.kvType = cacheType(options.kvType, context);
  if (info.kvType.isInteger(8) && numbers->headDim % 8)
    return file.error(llvm::formatv("has heads of {0} elements, which an int8 KV cache cannot take (a multiple of 8 "
                                    "is wanted): compile it with --kv=f16",
                                    numbers->headDim)
                          .str());

  OwningOpRef<ModuleOp> module =
      ModuleOp::create(NameLoc::get(StringAttr::get(&context, info.source)));
  DecoderBuilder builder(file, *numbers, *module, info.context, info.kvType);
  (*family)->draw(builder);
  if (llvm::Error error = builder.finish())
    return error;
  info.parameters = builder.parameters();
  info.setOn(*module);
  llm::setPhase(*module, "import");
  if (llvm::Error error = verified(*module, file))
    return error;
  return module;
}
