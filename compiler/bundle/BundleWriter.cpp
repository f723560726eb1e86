//===- BundleWriter.cpp - The planned module as a file --------------------===//
#include "compiler/bundle/BundleWriter.h"
#include "compiler/bundle/Digest.h"
#include "compiler/bundle/OutputFile.h"
#include "compiler/weights/ConstantStream.h"
#include "schema/bundle_schema.h"
#include "schema/container.h"
#include "sinter/kernel_abi.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"
#include <thread>

using namespace mlir;
using namespace sinter;

namespace {

/// The digest of the GGUF, computed beside everything else.
class SourceDigest {
public:
  explicit SourceDigest(const gguf::GGUFFile &file) : thread([this, &file] { run(file); }) {}
  ~SourceDigest() {
    if (thread.joinable()) {
      stop = true;
      thread.join();
    }
  }
  Digest::Value get() {
    thread.join();
    return value;
  }

private:
  void run(const gguf::GGUFFile &file) {
    constexpr size_t piece = 8 << 20;
    Digest digest;
    for (size_t at = 0; at < file.contents().size() && !stop; at += piece) {
      digest.add(file.contents().slice(at, std::min(piece, file.contents().size() - at)));
      file.adviseDontNeed(at, piece);
    }
    value = digest.finish();
  }

  std::atomic<bool> stop{false};
  Digest::Value value;
  std::thread thread;
};

/// What is written at a time, from one multiple of it in the file to the next. Linux keeps a file that
/// was written so in pages of 2 MiB, and maps it in such: a decode out of the bundle that was just
/// written is 2 to 4 % faster with two threads, 7 % with one, than out of pages of 4 KiB.
constexpr uint64_t kPiece = uint64_t(2) << 20;

class Writer {
public:
  Writer(const BundleInput &input, StringRef path)
      : input(input), top(input.top), target(input.target), path(path) {}
  FailureOr<BundleSummary> run();

private:
  LogicalResult readRecipes();
  void countFormats();
  LogicalResult describe();
  /// Metadata with the digests as they are so far.
  flatbuffers::DetachedBuffer serialize();
  void layOut();
  llvm::Error writeAll();
  llvm::Error writeSegment(size_t index, ArrayRef<uint8_t> bytes);
  llvm::Error writeWeights();

  enum { Code, Tokenizer, Weights };

  const BundleInput &input;
  ModuleOp top, target;
  StringRef path;
  std::vector<PlacedRecipe> constants;
  bundle::BundleT metadata;
  std::vector<uint8_t> code;
  std::unique_ptr<OutputFile> file;
  BundleSummary summary;
};

LogicalResult Writer::readRecipes() {
  for (exec::BufferOp buffer : target.getOps<exec::BufferOp>()) {
    if (!buffer.isConstant())
      continue;
    if (!buffer.getOffset())
      return buffer.emitOpError()
             << "has no place in the weights: the phase 'plan' comes before 'pack'";
    FailureOr<Recipe> recipe = Recipe::read(buffer, input.source);
    if (failed(recipe))
      return failure();
    constants.push_back({std::move(*recipe), static_cast<int64_t>(*buffer.getOffset())});
  }
  llvm::stable_sort(
      constants, [](const PlacedRecipe &a, const PlacedRecipe &b) { return a.offset < b.offset; });
  return success();
}

void Writer::countFormats() {
  llvm::MapVector<StringRef, BundleSummary::FormatUse> uses;
  for (const PlacedRecipe &constant : constants) {
    StringRef name =
        constant.recipe.format() ? constant.recipe.format()->name : StringRef("vectors");
    auto &use = uses.insert({name, {name.str(), 0, 0}}).first->second;
    ++use.tensors;
    use.bytes += constant.recipe.bytes();
  }
  for (auto &[name, use] : uses)
    summary.formats.push_back(use);
  llvm::stable_sort(summary.formats,
                    [](const auto &a, const auto &b) { return a.bytes > b.bytes; });
}

LogicalResult Writer::describe() {
  FailureOr<bundle::BundleT> built = buildMetadata(target, input.code);
  if (failed(built))
    return failure();
  metadata = std::move(*built);
  if (failed(addModelInfo(top, metadata)))
    return failure();
  for (const BundleSummary::FormatUse &use : summary.formats)
    if (use.format != "vectors")
      metadata.model->formats.push_back(use.format + " x " + std::to_string(use.tensors));
  metadata.schema_version = bundle::schema_version;
  metadata.schema_hash = bundle::schema_hash;
  metadata.compiler = input.compiler;
  metadata.kernel_abi = SINTER_KERNEL_ABI_VERSION;
  metadata.source_sha256.assign(32, 0);

  for (auto [variant, table] : llvm::zip_equal(input.code, metadata.variants)) {
    code.resize(table->code_offset);
    code.insert(code.end(), variant.bytes.begin(), variant.bytes.end());
  }
  int64_t weights = 0;
  for (const PlacedRecipe &constant : constants)
    weights = constant.offset + constant.recipe.bytes();
  weights = llvm::alignTo(weights, container::weights_alignment) + SINTER_KERNEL_READ_MARGIN;
  auto add = [&](bundle::SegmentKind kind, uint64_t size) {
    auto segment = std::make_unique<bundle::SegmentT>();
    segment->kind = kind;
    segment->size = size;
    segment->sha256.assign(32, 0);
    metadata.segments.push_back(std::move(segment));
  };
  add(bundle::SegmentKind::Code, code.size());
  add(bundle::SegmentKind::Tokenizer, input.tokenizer.size());
  add(bundle::SegmentKind::Weights, weights);
  return success();
}

flatbuffers::DetachedBuffer Writer::serialize() {
  flatbuffers::FlatBufferBuilder builder;
  // Every field takes its place whatever its value: offsets and digests are filled in later, and
  // must not change the size.
  builder.ForceDefaults(true);
  builder.Finish(bundle::Bundle::Pack(builder, &metadata), bundle::BundleIdentifier());
  return builder.Release();
}

void Writer::layOut() {
  summary.metadataBytes = serialize().size();
  uint64_t end = container::header_bytes + summary.metadataBytes;
  const uint64_t alignments[] = {container::code_alignment, container::tokenizer_alignment,
                                 container::weights_alignment};
  for (auto [segment, alignment] : llvm::zip_equal(metadata.segments, alignments)) {
    segment->offset = llvm::alignTo(end, alignment);
    end = segment->offset + segment->size;
  }
  summary.bytes = end;
  summary.codeBytes = metadata.segments[Code]->size;
  summary.tokenizerBytes = metadata.segments[Tokenizer]->size;
  summary.weightBytes = metadata.segments[Weights]->size;
}

llvm::Error Writer::writeSegment(size_t index, ArrayRef<uint8_t> bytes) {
  Digest digest;
  digest.add(bytes);
  Digest::Value value = digest.finish();
  metadata.segments[index]->sha256.assign(value.begin(), value.end());
  return file->write(metadata.segments[index]->offset, bytes);
}

llvm::Error Writer::writeWeights() {
  bundle::SegmentT &segment = *metadata.segments[Weights];
  Digest digest;
  uint64_t done = 0;
  std::vector<uint8_t> waiting;
  waiting.reserve(kPiece);
  auto flush = [&]() -> llvm::Error {
    llvm::Error error = file->write(segment.offset + done - waiting.size(), waiting);
    waiting.clear();
    return error;
  };
  auto sink = [&](ArrayRef<uint8_t> bytes) -> llvm::Error {
    digest.add(bytes);
    while (!bytes.empty()) {
      uint64_t room = kPiece - (segment.offset + done) % kPiece;
      ArrayRef<uint8_t> part = bytes.take_front(room);
      waiting.insert(waiting.end(), part.begin(), part.end());
      done += part.size();
      if (part.size() == room)
        if (llvm::Error error = flush())
          return error;
      bytes = bytes.drop_front(part.size());
    }
    if (input.progress)
      input.progress(done, segment.size);
    return llvm::Error::success();
  };
  if (llvm::Error error = streamConstants(constants, static_cast<int64_t>(segment.size),
                                          input.source, input.threads, sink))
    return error;
  if (llvm::Error error = flush())
    return error;
  Digest::Value value = digest.finish();
  segment.sha256.assign(value.begin(), value.end());
  return llvm::Error::success();
}

llvm::Error Writer::writeAll() {
  SourceDigest source(input.source);
  auto created = OutputFile::create(path);
  if (!created)
    return created.takeError();
  file = std::move(*created);
  if (llvm::Error error = writeSegment(Code, code))
    return error;
  if (llvm::Error error = writeSegment(Tokenizer, input.tokenizer))
    return error;
  if (llvm::Error error = writeWeights())
    return error;
  Digest::Value value = source.get();
  metadata.source_sha256.assign(value.begin(), value.end());

  flatbuffers::DetachedBuffer buffer = serialize();
  assert(buffer.size() == summary.metadataBytes && "digests do not change the metadata's size");
  unsigned char header[container::header_bytes];
  container::write_header(
      header, {buffer.size(), summary.bytes, container::fnv1a64(buffer.data(), buffer.size())});
  if (llvm::Error error = file->write(container::header_bytes, {buffer.data(), buffer.size()}))
    return error;
  // The header comes last: a file that was not finished is no bundle.
  if (llvm::Error error = file->write(0, header))
    return error;
  return file->commit();
}

FailureOr<BundleSummary> Writer::run() {
  if (failed(readRecipes()))
    return failure();
  countFormats();
  if (failed(describe()))
    return failure();
  layOut();
  if (llvm::Error error = writeAll())
    return emitError(UnknownLoc::get(top.getContext())) << llvm::toString(std::move(error));
  return std::move(summary);
}

} // namespace

FailureOr<BundleSummary> sinter::writeBundle(const BundleInput &input, StringRef path) {
  return Writer(input, path).run();
}
