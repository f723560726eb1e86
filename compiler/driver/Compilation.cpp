//===- Compilation.cpp - One model on its way through the phases ----------===//
#include "compiler/driver/Compilation.h"
#include "codegen/cpu/LowerKernel.h"
#include "compiler/bundle/OutputFile.h"
#include "compiler/driver/EmitText.h"
#include "compiler/reference/Evaluator.h"
#include "compiler/tokenizer/TokenizerTables.h"
#include "dialects/llm/ModelInfo.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

using namespace mlir;
using namespace sinter;

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerDialects(registry);
  return registry;
}

Compilation::Compilation(const Options &options) : options(options), context(makeRegistry()) {
  context.printOpOnDiagnostic(false);
  context.loadAllAvailableDialects();
  handler = context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    print(diagnostic);
    return success();
  });
}

Compilation::~Compilation() { context.getDiagEngine().eraseHandler(handler); }

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// "dump.mlir:3:5: " or "blk.0.attn_q: ", what a person knows the place by.
static std::string placeText(Location location) {
  std::string text;
  location->walk([&](Location at) {
    if (auto file = dyn_cast<FileLineColLoc>(at))
      text = (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
              Twine(file.getColumn()) + ": ")
                 .str();
    else if (auto name = dyn_cast<NameLoc>(at); name && text.empty())
      text = (name.getName().getValue() + ": ").str();
    return WalkResult::advance();
  });
  return text;
}

void Compilation::print(Diagnostic &diagnostic) {
  std::string text = placeText(diagnostic.getLocation()) + diagnostic.str();
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Remark:
  case DiagnosticSeverity::Note:
    return report.addRemark(text);
  case DiagnosticSeverity::Warning:
    progress.clear();
    llvm::errs() << "warning: " << text << "\n";
    return;
  case DiagnosticSeverity::Error:
    // What comes after the first one follows from it.
    if (!errorPrinted) {
      progress.clear();
      llvm::errs() << "error: " << text << "\n";
    }
    errorPrinted = true;
  }
}

LogicalResult Compilation::fail(const Twine &message) {
  return emitError(UnknownLoc::get(&context)) << message.str();
}

LogicalResult Compilation::fail(llvm::Error error) {
  return fail(llvm::toString(std::move(error)));
}

//===----------------------------------------------------------------------===//
// From the model to the module
//===----------------------------------------------------------------------===//

LogicalResult Compilation::start() {
  auto opened = gguf::GGUFFile::open(options.model);
  if (!opened)
    return fail(opened.takeError());
  file = std::move(*opened);
  // What the last phase needs is checked now: nobody wants to wait for a message.
  if (options.last == Phase::Pack) {
    auto source = readTokenizerSource(*file);
    if (!source)
      return fail(source.takeError());
    auto tables = buildTokenizerTables(*source);
    if (!tables)
      return fail(tables.takeError());
    tokenizer = std::move(*tables);
  }
  if (!options.resumeFile.empty())
    return resume();
  progress.begin(phaseName(Phase::Import));
  auto imported = importModel(*file, context, options.import);
  if (!imported)
    return fail(imported.takeError());
  module = std::move(*imported);
  return success();
}

LogicalResult Compilation::resume() {
  auto buffer = llvm::MemoryBuffer::getFile(options.resumeFile, /*IsText=*/true);
  if (!buffer)
    return fail(options.resumeFile + ": cannot read: " + buffer.getError().message());
  module = parseSourceString<ModuleOp>((*buffer)->getBuffer(), ParserConfig(&context),
                                       options.resumeFile);
  if (!module)
    return failure();
  llvm::StringRef name = llm::getPhase(*module);
  std::optional<Phase> phase = findPhase(name);
  if (!phase)
    return fail(options.resumeFile + ": the module's attribute llm.phase " +
                (name.empty() ? "is missing" : "is '" + name + "'") +
                "; it must name the phase that the dump was made after");
  if (failed(llm::ModelInfo::get(*module)))
    return failure();
  if (*phase > options.last)
    return fail(options.resumeFile + ": is from phase '" + name + "', after '" +
                phaseName(options.last) + "', where this compilation ends");
  next = static_cast<Phase>(static_cast<int>(*phase) + 1);
  return success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

/// Kernels become functions of the LLVM dialect, in place. Dispatches and the plan need to know of
/// them what a tile.kernel says by itself.
LogicalResult Compilation::lowerKernels() {
  for (ModuleOp target : exec::getTargetModules(*module)) {
    FailureOr<TargetChoice> choice = chosenTarget(target);
    if (failed(choice))
      return failure();
    for (auto [variantModule, variant] :
         llvm::zip_equal(exec::getVariantModules(target), choice->variants)) {
      llvm::StringMap<exec::KernelFacts> facts;
      for (tile::KernelOp kernel : variantModule.getOps<tile::KernelOp>())
        facts[kernel.getSymName()] = exec::getKernelFacts(kernel);
      PassManager passes(&context);
      cpu::addPasses(passes, *variant);
      if (failed(passes.run(variantModule)))
        return failure();
      Builder builder(&context);
      for (const auto &[name, fact] : facts)
        if (Operation *function = SymbolTable::lookupSymbolIn(variantModule, name)) {
          function->setAttr(exec::kKernelBindings, builder.getI64IntegerAttr(*fact.bindings));
          function->setAttr(exec::kKernelScratch, builder.getI64IntegerAttr(fact.scratchBytes));
        }
    }
  }
  return success();
}

LogicalResult Compilation::pack() {
  SmallVector<ModuleOp> targets = exec::getTargetModules(*module);
  if (targets.size() != 1)
    return fail("a bundle holds one target; this module has " + Twine(targets.size()));
  FailureOr<TargetChoice> choice = chosenTarget(targets.front());
  if (failed(choice))
    return failure();
  std::vector<cpu::CodeBlob> blobs;
  for (auto [variantModule, variant] :
       llvm::zip_equal(exec::getVariantModules(targets.front()), choice->variants)) {
    FailureOr<cpu::CodeBlob> blob = cpu::compileKernels(variantModule, *choice->target, *variant);
    if (failed(blob))
      return failure();
    blobs.push_back(std::move(*blob));
  }
  SmallVector<VariantCode> code;
  for (auto [blob, variant] : llvm::zip_equal(blobs, choice->variants))
    code.push_back({variant->name.str(), blob.bytes, &blob.entries});
  BundleInput input{
      *module,         targets.front(),
      *file,           code,
      tokenizer,       "sinterc " SINTER_VERSION,
      options.threads, [this](uint64_t done, uint64_t total) { progress.update(done, total); }};
  FailureOr<BundleSummary> summary = writeBundle(input, options.output);
  if (failed(summary))
    return failure();
  report.addBundle(*summary);
  bundleBytes = summary->bytes;
  return success();
}

LogicalResult Compilation::runPhase(Phase phase) {
  if (phase != Phase::Import) // which began with reading the model
    progress.begin(phaseName(phase));
  PassManager passes(&context);
  // Remarks go into the report; without one nobody reads them.
  buildPhase(passes, phase, {.target = options.targetText, .remarks = !options.reportFile.empty()});
  if (failed(passes.run(*module)))
    return failure();
  if (phase == Phase::Codegen && failed(lowerKernels()))
    return failure();
  if (phase == Phase::Pack && failed(pack()))
    return failure();
  llm::setPhase(*module, phaseName(phase));
  report.addPhase(phaseName(phase), progress.end());
  // The kernels' last readable form; after the plan nothing about programs changes.
  if (phase == options.last || phase == Phase::Pack) {
    report.addModel(*module);
    for (ModuleOp target : exec::getTargetModules(*module))
      report.addTarget(target);
  }
  return phase == Phase::Pack ? success() : dump(phase);
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// With locations: dispatches get their names from them, after --resume as well.
std::string Compilation::moduleText() {
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out, OpPrintingFlags().enableDebugInfo(true, /*prettyForm=*/false));
  return text + "\n";
}

LogicalResult Compilation::write(llvm::StringRef path, llvm::StringRef text) {
  if (path == "-") {
    progress.clear();
    llvm::outs() << text;
    return success();
  }
  if (llvm::Error error = writeFile(path, text))
    return fail(std::move(error));
  return success();
}

LogicalResult Compilation::dump(Phase phase) {
  if (options.dumpDirectory.empty())
    return success();
  if (std::error_code code = llvm::sys::fs::create_directories(options.dumpDirectory))
    return fail(options.dumpDirectory + ": cannot create the directory: " + code.message());
  llvm::SmallString<128> path(options.dumpDirectory);
  llvm::sys::path::append(path,
                          Twine(static_cast<int>(phase) + 1) + "-" + phaseName(phase) + ".mlir");
  return write(path, moduleText());
}

LogicalResult Compilation::emitReference() {
  for (int32_t id : options.ids)
    if (id < 0 || id >= (*llm::ModelInfo::get(*module)).vocabulary)
      return fail("--ids: " + Twine(id) + " is no token of " + options.model);
  reference::Evaluator evaluator(*module, *file);
  auto logits = reference::referenceLogits(evaluator, options.ids);
  if (!logits)
    return fail(logits.takeError());
  std::vector<float> rounded(logits->begin(), logits->end());
  return write(options.output,
               {reinterpret_cast<const char *>(rounded.data()), rounded.size() * sizeof(float)});
}

LogicalResult Compilation::emit() {
  switch (options.emit) {
  case Emit::Bundle:
    return success();
  case Emit::MLIR:
    return write(options.output, moduleText());
  case Emit::Reference:
    return emitReference();
  case Emit::LLVM:
  case Emit::Assembly:
  case Emit::Object:
  case Emit::GLSL:
  case Emit::HVX: {
    FailureOr<std::string> text = kernelText(*module, options.emit);
    return failed(text) ? failure() : write(options.output, *text);
  }
  }
  llvm_unreachable("all kinds of output are handled");
}

LogicalResult Compilation::run() {
  if (failed(start()))
    return failure();
  for (Phase phase : allPhases())
    if (phase >= next && phase <= options.last && failed(runPhase(phase)))
      return errorPrinted ? failure() : fail("phase '" + phaseName(phase) + "' failed");
  if (failed(emit()))
    return failure();
  if (!options.reportFile.empty() && failed(write(options.reportFile, report.text())))
    return failure();
  if (options.emit == Emit::Bundle)
    summarize();
  return success();
}

/// The last line: what a person asks first about a bundle.
void Compilation::summarize() {
  progress.clear();
  for (ModuleOp target : exec::getTargetModules(*module))
    for (exec::MemoryPlanOp plan : target.getOps<exec::MemoryPlanOp>())
      llvm::errs() << llvm::formatv(
          "{0}: {1:f1} MB; runs in {2:f1} MB of memory and {3:f2} MB a thread\n", options.output,
          bundleBytes / 1e6, *plan.getFixedBytes() / 1e6, *plan.getScratchBytes() / 1e6);
}

int sinter::runDriver(int argc, char **argv) {
  // A file that may not grow further is an error of the write like any other (EFBIG), no reason to
  // die.
  std::signal(SIGXFSZ, SIG_IGN);
  int exitCode = 0;
  std::optional<Options> options = parseOptions(argc, argv, exitCode);
  if (!options)
    return exitCode;
  return succeeded(Compilation(*options).run()) ? 0 : 1;
}
