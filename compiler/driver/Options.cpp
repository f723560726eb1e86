//===- Options.cpp - The command line of sinterc --------------------------===//
#include "compiler/driver/Options.h"
#include "codegen/cpu/AllocationOrder.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace sinter;
namespace cl = llvm::cl;

namespace {

struct EmitName {
  llvm::StringLiteral name;
  Emit emit;
  /// The phase whose module it is printed from.
  Phase from;
};
constexpr EmitName kEmits[] = {
    {"bundle", Emit::Bundle, Phase::Pack}, {"mlir", Emit::MLIR, Phase::Plan},
    {"llvm", Emit::LLVM, Phase::Plan},     {"asm", Emit::Assembly, Phase::Plan},
    {"obj", Emit::Object, Phase::Plan},    {"glsl", Emit::GLSL, Phase::Plan},
    {"hvx", Emit::HVX, Phase::Plan},       {"reference", Emit::Reference, Phase::Import},
};

/// " (did you mean 'fuse'?); known: import, fuse, ..."
std::string suggestion(llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> known) {
  auto nearest =
      std::min_element(known.begin(), known.end(), [&](llvm::StringRef a, llvm::StringRef b) {
        return word.edit_distance(a) < word.edit_distance(b);
      });
  bool near = word.edit_distance(*nearest) <= std::max<size_t>(2, word.size() / 2);
  return (near ? " (did you mean '" + nearest->str() + "'?)" : std::string()) +
         "; known: " + llvm::join(known, ", ");
}

constexpr llvm::StringLiteral kCategory = "Options of sinterc";

/// The options of this tool. They live as long as one call of parseOptions: nothing registers
/// itself by a static constructor.
struct CommandLine {
  cl::OptionCategory category{kCategory};
  cl::list<std::string> model{cl::Positional, cl::desc("MODEL.gguf"), cl::cat(category)};
  cl::opt<std::string> output{"o",
                              cl::desc("Where to write; without it texts go to standard output"),
                              cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> target{
      "target", cl::init("host"), cl::cat(category), cl::value_desc("TARGET[:VARIANT,...]"),
      cl::desc("host (this machine), x86-64 or aarch64 (all variants), only some variants, or a preset")};
  cl::opt<bool> listTargets{"list-targets", cl::cat(category),
                            cl::desc("Print targets, variants and presets, and end")};
  // Numbers are read as text: the parser's own messages take two lines.
  cl::opt<std::string> context{
      "context", cl::cat(category), cl::value_desc("N"),
      cl::desc("Positions of the KV cache (what the model was trained for, at most 4096)")};
  cl::opt<std::string> chunk{"prefill-chunk", cl::cat(category), cl::value_desc("N"),
                             cl::desc("Most tokens of one prefill step (512)")};
  cl::opt<std::string> kv{"kv", cl::init("f16"), cl::cat(category), cl::value_desc("f16|f32|i8"),
                          cl::desc("Numbers in the KV cache (f16)")};
  cl::opt<std::string> emit{
      "emit", cl::init(""), cl::cat(category), cl::value_desc("KIND"),
      cl::desc("bundle, mlir, llvm, asm, obj, glsl, hvx or reference (bundle)")};
  cl::opt<std::string> compileTo{
      "compile-to", cl::init(""), cl::cat(category), cl::value_desc("PHASE"),
      cl::desc("Stop after import, quantize, fuse, tile, plan or codegen and write the IR")};
  cl::opt<std::string> dump{
      "dump-ir", cl::cat(category), cl::value_desc("DIR"),
      cl::desc("Write the IR after each phase to DIR, one numbered file a phase")};
  cl::opt<std::string> resume{
      "resume", cl::cat(category), cl::value_desc("FILE"),
      cl::desc("Go on from a dump, edited or not, instead of importing the model")};
  cl::opt<std::string> report{"report", cl::cat(category), cl::value_desc("FILE.json"),
                              cl::desc("Write times, sizes, kernels and the plan as JSON")};
  cl::opt<std::string> ids{"ids", cl::cat(category), cl::value_desc("1,2,3"),
                           cl::desc("--emit=reference: the prompt as token ids")};
  cl::opt<std::string> threads{
      "threads", cl::cat(category), cl::value_desc("N"),
      cl::desc("Threads that pack weights (all cores); the output does not depend on it")};
};

constexpr llvm::StringLiteral kOverview =
    R"(Compiles a GGUF language model into a bundle, which 'sinter' runs.

  sinterc model.gguf -o model.sinter
  sinterc model.gguf -o model.sinter --target=aarch64:dotprod --context=2048
  sinterc model.gguf --compile-to=fuse | less
  sinterc model.gguf -o model.sinter --dump-ir=dumps
  sinterc model.gguf -o model.sinter --resume=dumps/3-fuse.mlir
  sinterc model.gguf --emit=asm --target=x86-64:avx2 -o kernels.s
  sinterc model.gguf --emit=reference --ids=1,403,407 -o logits.f32
)";

llvm::Error wrong(const llvm::Twine &message) { return llvm::createStringError(message); }

/// A number from 1 to `most`; 0 if the option is not given.
llvm::Error readNumber(const cl::opt<std::string> &option, uint64_t most, uint64_t &value) {
  value = 0;
  if (!option.getNumOccurrences())
    return llvm::Error::success();
  if (llvm::StringRef(option).getAsInteger(10, value) || value < 1 || value > most)
    return wrong("--" + option.ArgStr + "=" + option + ": a number from 1 to " + llvm::Twine(most) +
                 " is wanted");
  return llvm::Error::success();
}

llvm::Error readNumbers(const CommandLine &line, Options &options) {
  constexpr uint64_t mostTokens = 1 << 30, mostThreads = 1024;
  uint64_t context, chunk, threads;
  if (llvm::Error error = readNumber(line.context, mostTokens, context))
    return error;
  if (llvm::Error error = readNumber(line.chunk, mostTokens, chunk))
    return error;
  if (llvm::Error error = readNumber(line.threads, mostThreads, threads))
    return error;
  options.import.context = static_cast<int64_t>(context);
  options.import.chunk = static_cast<int64_t>(chunk);
  options.threads = static_cast<unsigned>(threads);
  llvm::SmallVector<llvm::StringRef> ids;
  llvm::StringRef(line.ids).split(ids, ',', -1, false);
  for (llvm::StringRef id : ids)
    if (id.trim().getAsInteger(10, options.ids.emplace_back()))
      return wrong("--ids: '" + id + "' is no token id");
  return llvm::Error::success();
}

llvm::Error readPhases(const CommandLine &line, Options &options) {
  const EmitName *emit = kEmits;
  if (!line.emit.empty()) {
    emit = llvm::find_if(kEmits, [&](const EmitName &row) { return row.name == line.emit; });
    if (emit == std::end(kEmits)) {
      auto names = llvm::map_to_vector(
          kEmits, [](const EmitName &row) { return llvm::StringRef(row.name); });
      return wrong("--emit=" + line.emit + ": unknown kind of output" +
                   suggestion(line.emit, names));
    }
  }
  options.emit = emit->emit;
  options.last = emit->from;
  if (line.compileTo.empty())
    return llvm::Error::success();
  std::optional<Phase> phase = findPhase(line.compileTo);
  if (!phase) {
    auto names = llvm::map_to_vector(allPhases(), phaseName);
    return wrong("--compile-to=" + line.compileTo + ": unknown phase" +
                 suggestion(line.compileTo, names));
  }
  if (line.emit.empty() && *phase != Phase::Pack)
    options.emit = Emit::MLIR;
  bool model = *phase == Phase::Import || *phase == Phase::Quantize || *phase == Phase::Fuse;
  bool fits = options.emit == Emit::MLIR        ? *phase != Phase::Pack
              : options.emit == Emit::Bundle    ? *phase == Phase::Pack
              : options.emit == Emit::Reference ? model
                                                : *phase == Phase::Tile || *phase == Phase::Plan;
  if (!fits)
    return wrong("--compile-to=" + line.compileTo + " does not go with --emit=" + emit->name);
  options.last = *phase;
  return llvm::Error::success();
}

llvm::Expected<Options> read(const CommandLine &line) {
  Options options;
  if (line.model.empty())
    return wrong("no model given; usage: sinterc MODEL.gguf -o OUT.sinter (see --help)");
  if (line.model.size() > 1)
    return wrong("one model at a time: '" + line.model[0] + "' and '" + line.model[1] +
                 "' are given");
  options.model = line.model[0];
  options.output = line.output;
  options.dumpDirectory = line.dump;
  options.resumeFile = line.resume;
  options.reportFile = line.report;
  auto kvType = llvm::StringSwitch<std::optional<ImportOptions::KvType>>(line.kv)
                    .Case("f16", ImportOptions::KvType::f16)
                    .Case("f32", ImportOptions::KvType::f32)
                    .Case("i8", ImportOptions::KvType::i8)
                    .Default(std::nullopt);
  if (!kvType)
    return wrong("--kv=" + line.kv + ": unknown type; known: f16, f32, i8");
  options.import.kvType = *kvType;
  if (llvm::Error error = readNumbers(line, options))
    return error;
  if (llvm::Error error = readPhases(line, options))
    return error;
  llvm::Expected<TargetChoice> target = parseTarget(line.target);
  if (!target)
    return target.takeError();
  options.targetText = line.target;
  options.target = std::move(*target);
  if (options.emit == Emit::Object && options.target.variants.size() > 1)
    return wrong("--emit=obj writes one object: choose a variant, as in --target=" +
                 options.target.target->name + ":" + options.target.variants.front()->name);
  if (options.emit == Emit::Reference && options.ids.empty())
    return wrong("--emit=reference needs a prompt: --ids=1,2,3");
  if (options.output.empty()) {
    if (options.emit == Emit::Bundle || options.emit == Emit::Object ||
        options.emit == Emit::Reference)
      return wrong("no output given: add -o FILE");
    options.output = "-";
  }
  return options;
}

/// The parser's message in one line, without the name of the program, and with a suggestion from
/// our own options.
std::string parserMessage(llvm::StringRef message, llvm::StringRef program) {
  llvm::StringRef first = message.split('\n').first;
  first.consume_front(program);
  first.consume_front(llvm::sys::path::filename(program));
  first.consume_front(":");
  llvm::StringRef what = first.split("  Try:").first.trim();
  llvm::StringRef word = what.split('\'').second.rsplit('\'').first.split('=').first.ltrim('-');
  llvm::SmallVector<llvm::StringRef> known;
  for (auto &[name, option] : cl::getRegisteredOptions())
    if (llvm::any_of(option->Categories,
                     [](cl::OptionCategory *category) { return category->getName() == kCategory; }))
      known.push_back(name);
  llvm::sort(known);
  if (!what.starts_with("Unknown"))
    return (what + " (see --help)").str();
  return "unknown option '--" + word.str() + "'" + suggestion(word, known);
}

} // namespace

std::optional<Options> sinter::parseOptions(int argc, char **argv, int &exitCode) {
  // LLVM, MLIR and lld register options of their own, some by the names of ours; none is for users
  // of this tool.
  cpu::findAllocationOrder();
  cl::ResetCommandLineParser();
  CommandLine line;
  // Before the options go: lld asks the parser about all that are registered.
  auto forget = llvm::make_scope_exit(cl::ResetCommandLineParser);
  cl::SetVersionPrinter([](llvm::raw_ostream &out) { out << "sinterc " SINTER_VERSION "\n"; });
  std::string problem;
  llvm::raw_string_ostream problems(problem);
  exitCode = 1;
  if (!cl::ParseCommandLineOptions(argc, argv, kOverview, &problems)) {
    // What is wrong with an option's value the parser has said itself.
    if (!problem.empty())
      llvm::errs() << "error: " << parserMessage(problem, argv[0]) << "\n";
    return std::nullopt;
  }
  if (line.listTargets) {
    printTargets(llvm::outs());
    exitCode = 0;
    return std::nullopt;
  }
  llvm::Expected<Options> options = read(line);
  if (!options) {
    llvm::errs() << "error: " << llvm::toString(options.takeError()) << "\n";
    return std::nullopt;
  }
  exitCode = 0;
  return std::move(*options);
}
