//===- BundleWriterTest.cpp - What is written is what was planned ---------===//
//
// A small planned module, written and read back with the generated accessors.
//
//===----------------------------------------------------------------------===//
#include "compiler/bundle/BundleWriter.h"
#include "compiler/bundle/Digest.h"
#include "dialects/llm/LLMDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "schema/bundle_schema.h"
#include "schema/container.h"
#include "sinter/kernel_abi.h"
#include "test/unit/gguf/FileBuilder.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>

using namespace sinter;
namespace fs = std::filesystem;

static const char *const kModule = R"(
module attributes {llm.architecture = "llama", llm.name = "tiny", llm.source = "tiny.gguf", llm.context = 64 : i64,
                   llm.trained_context = 128 : i64, llm.chunk = 8 : i64, llm.vocabulary = 16 : i64, llm.layers = 1 : i64,
                   llm.embedding = 32 : i64, llm.parameters = 512 : i64, llm.kv_type = f16, llm.phase = "codegen"} {
  module @"x86-64" attributes {exec.target = #exec.target<"x86-64", activations = i8,
                                 variants = [<"fast" needs ["avx2"]>, <"base">]>} {
    module @fast {
      func.func private @k() attributes {exec.bindings = 3 : i64, exec.scratch_bytes = 100 : i64}
      func.func private @embed_k() attributes {exec.bindings = 3 : i64}
    }
    module @base {
      func.func private @k() attributes {exec.bindings = 3 : i64}
      func.func private @embed_k() attributes {exec.bindings = 3 : i64}
    }
    exec.buffer state @step bytes 16 role step
    exec.buffer state @cache bytes 4096 role kv_cache
    exec.buffer state @tokens bytes 32
    exec.buffer state @hidden bytes 1024
    exec.buffer state @logits bytes 64
    exec.buffer transient @x in @head bytes 128
    exec.buffer constant @gain bytes 128 at 0 {
      %0 = llm.parameter "v" : tensor<32xf32>
      exec.constant_yield %0 : tensor<32xf32>
    }
    exec.buffer constant @w bytes 1088 at 256 {
      %0 = llm.weight "w" : !llm.weight<16x32, q8_0>
      %1 = llm.pack %0 : !llm.weight<16x32, q8_0> -> !llm.packed<16x32, q8_0>
      exec.constant_yield %1 : !llm.packed<16x32, q8_0>
    }
    exec.program @head max_tokens 8 ports [tokens @tokens, logits @logits] {
      exec.group {
        exec.dispatch @k(read @gain, read @hidden size 128 at (@step[2] * 128 below 8), write @x) tiles<1> source "norm"
      }
      exec.group {
        exec.dispatch @k(read @w, read @x, write @logits) tiles<2 per 4 tokens per 32 positions>
      }
      exec.group {
        exec.dispatch @embed_k(read @tokens, read @w, write @x) tiles<1>
      }
      exec.group {
        exec.dispatch @k(read @cache, read @x, write @logits) tiles<1>
      }
      exec.group {
        exec.dispatch @k(read @gain, read @x, update @cache) tiles<1>
      }
    }
    exec.memory_plan state 5312 kv 4096 fixed 5696 scratch 128 {
      exec.interval @step bytes 16 at 0
      exec.interval @tokens bytes 32 at 64
      exec.interval @hidden bytes 1024 at 128
      exec.interval @logits bytes 64 at 1152
      exec.interval @cache bytes 4096 at 1216
      exec.interval @x bytes 128 in @head live[0, 4] at 5312
    }
  }
}
)";

class BundleWriterTest : public testing::Test {
protected:
  BundleWriterTest()
      : place(fs::temp_directory_path() / ("sinter-bundle-" + std::to_string(::getpid()))) {
    fs::create_directories(place);
    gguf::test::FileBuilder builder;
    source = builder.tensor("w", {32, 16}, 8, 16 * 34).tensor("v", {32}, 0, 128).build();
    file = llvm::cantFail(gguf::GGUFFile::parse(source, "tiny.gguf"));
    context.loadDialect<llm::LLMDialect, exec::ExecDialect, mlir::func::FuncDialect>();
    context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
      message += diagnostic.str();
      return mlir::success();
    });
    module = mlir::parseSourceString<mlir::ModuleOp>(kModule, mlir::ParserConfig(&context));
    entries["k"] = 64;
    entries["embed_k"] = 0;
  }
  ~BundleWriterTest() override { fs::remove_all(place); }

  mlir::FailureOr<BundleSummary> write(const std::string &path, unsigned threads = 1) {
    EXPECT_TRUE(module) << message;
    VariantCode code[] = {{"fast", fast, &entries}, {"base", base, &entries}};
    BundleInput input{
        *module, exec::getTargetModules(*module).front(), *file, code, tokenizer, "test 1", threads,
        {}};
    return writeBundle(input, path);
  }

  std::vector<uint8_t> read(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fs::path place;
  gguf::test::Bytes source;
  std::unique_ptr<gguf::GGUFFile> file;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<uint8_t> fast = std::vector<uint8_t>(100, 1), base = std::vector<uint8_t>(80, 2),
                       tokenizer = std::vector<uint8_t>(77, 3);
  llvm::StringMap<uint64_t> entries;
  std::string message;
};

TEST_F(BundleWriterTest, ReadsBack) {
  std::string path = place / "x.sinter";
  auto summary = write(path);
  ASSERT_TRUE(succeeded(summary)) << message;
  std::vector<uint8_t> all = read(path);
  ASSERT_EQ(all.size(), summary->bytes);
  EXPECT_EQ(std::memcmp(all.data(), container::magic, 8), 0);
  uint64_t size = container::read_le(all.data() + container::field::metadata_size, 8);
  EXPECT_EQ(container::read_le(all.data() + container::field::file_size, 8), all.size());
  EXPECT_EQ(container::read_le(all.data() + container::field::metadata_hash, 8),
            container::fnv1a64(all.data() + container::header_bytes, size));
  const uint8_t *metadata = all.data() + container::header_bytes;
  flatbuffers::Verifier verifier(metadata, size);
  ASSERT_TRUE(bundle::VerifyBundleBuffer(verifier));
  const bundle::Bundle *root = bundle::GetBundle(metadata);
  EXPECT_EQ(root->schema_hash(), bundle::schema_hash);
  EXPECT_EQ(root->kernel_abi(), SINTER_KERNEL_ABI_VERSION);
  EXPECT_EQ(root->target()->str(), "x86-64");
  EXPECT_EQ(root->model()->architecture()->str(), "llama");
  EXPECT_EQ(root->model()->formats()->Get(0)->str(), "q8_0 x 1");

  // Digests are of what lies there, segments are aligned and end with the file.
  uint64_t end = 0;
  for (const bundle::Segment *segment : *root->segments()) {
    Digest digest;
    digest.add(llvm::ArrayRef(all).slice(segment->offset(), segment->size()));
    Digest::Value value = digest.finish();
    EXPECT_TRUE(std::equal(value.begin(), value.end(), segment->sha256()->begin(),
                           segment->sha256()->end()));
    EXPECT_EQ(segment->offset() %
                  (segment->kind() == bundle::SegmentKind::Code ? container::code_alignment : 64),
              0u);
    EXPECT_GE(segment->offset(), end);
    end = segment->offset() + segment->size();
  }
  EXPECT_EQ(end, all.size());
  Digest digest;
  digest.add(source);
  Digest::Value value = digest.finish();
  EXPECT_TRUE(std::equal(value.begin(), value.end(), root->source_sha256()->begin()));

  // Variants follow each other in lines of 64 bytes.
  ASSERT_EQ(root->variants()->size(), 2u);
  EXPECT_EQ(root->variants()->Get(0)->features()->Get(0)->str(), "avx2");
  EXPECT_EQ(root->variants()->Get(1)->code_offset(), 128u);
  uint64_t code = root->segments()->Get(0)->offset();
  EXPECT_EQ(all[code], 1);
  EXPECT_EQ(all[code + 128], 2);

  ASSERT_EQ(root->kernels()->size(), 2u);
  const bundle::Kernel *kernel = root->kernels()->Get(0);
  EXPECT_EQ(kernel->bindings(), 3u);
  EXPECT_EQ(kernel->entries()->Get(0)->entry(), 64u);
  EXPECT_EQ(kernel->entries()->Get(0)->scratch_bytes(), 128u);
  EXPECT_EQ(kernel->entries()->Get(1)->scratch_bytes(), 0u);

  const bundle::Program *program = root->programs()->Get(0);
  EXPECT_EQ(program->max_tokens(), 8u);
  EXPECT_EQ(program->ports()->Get(1)->role(), bundle::PortRole::Logits);
  EXPECT_EQ(program->ports()->Get(1)->offset(), 1152u);
  const bundle::Dispatch *norm = program->groups()->Get(0)->dispatches()->Get(0);
  EXPECT_EQ(norm->source()->str(), "norm");
  const bundle::Binding *hidden = norm->bindings()->Get(1);
  EXPECT_EQ(hidden->offset(), 128u);
  EXPECT_EQ(hidden->size(), 128u);
  EXPECT_EQ(hidden->indirect()->index_offset(), 8u); // number 2 of the step's scalars
  EXPECT_EQ(hidden->indirect()->limit(), 8u);
  EXPECT_TRUE(norm->bindings()->Get(2)->written());
  const bundle::Dispatch *linear = program->groups()->Get(1)->dispatches()->Get(0);
  EXPECT_EQ(linear->bindings()->Get(0)->space(), bundle::Space::Weights);
  EXPECT_EQ(linear->bindings()->Get(0)->offset(), 256u);
  EXPECT_EQ(linear->tiles()->constant(), 2u);
  EXPECT_EQ(linear->tiles()->token_step(), 4u);
  EXPECT_EQ(linear->tiles()->length_step(), 32u);

  EXPECT_EQ(root->memory()->fixed_bytes(), 5696u);
  EXPECT_EQ(root->memory()->scratch_bytes(), 128u);
  EXPECT_EQ(root->memory()->buffers()->size(), 6u);

  // Costs: a matrix that is multiplied with; not gains, not rows of an embedding. The cache counts
  // where it is read, for each of its 64 positions.
  EXPECT_EQ(linear->weight_bytes(), 1088u);
  EXPECT_EQ(linear->macs(), 16u * 32);
  EXPECT_EQ(linear->kv_bytes(), 0u);
  EXPECT_EQ(norm->weight_bytes() + norm->macs() + norm->kv_bytes(), 0u);
  const auto &groups = *program->groups();
  const bundle::Dispatch *embed = groups.Get(2)->dispatches()->Get(0);
  EXPECT_EQ(embed->weight_bytes() + embed->macs(), 0u);
  EXPECT_EQ(groups.Get(3)->dispatches()->Get(0)->kv_bytes(), 64u);
  EXPECT_EQ(groups.Get(4)->dispatches()->Get(0)->kv_bytes(), 0u);

  // The weights: @gain is v, and the segment ends with the read margin behind @w.
  const bundle::Segment *weights = root->segments()->Get(2);
  EXPECT_EQ(std::memcmp(all.data() + weights->offset(), file->findTensor("v")->data, 128), 0);
  EXPECT_EQ(weights->size(), 256u + 1280u + SINTER_KERNEL_READ_MARGIN);
}

TEST_F(BundleWriterTest, ThreadsAndNamesDoNotChangeTheBytes) {
  std::string one = place / "one.sinter", other = place / "other.sinter";
  ASSERT_TRUE(succeeded(write(one, 1)) && succeeded(write(other, 3))) << message;
  EXPECT_EQ(read(one), read(other));
}

TEST_F(BundleWriterTest, AFullDiskLeavesNothing) {
  EXPECT_TRUE(failed(write("/dev/full")));
  EXPECT_NE(message.find("/dev/full: cannot write"), std::string::npos) << message;
  EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
}

TEST_F(BundleWriterTest, AMissingDirectoryIsNamed) {
  EXPECT_TRUE(failed(write((place / "none" / "x.sinter").string())));
  EXPECT_NE(message.find("No such file or directory"), std::string::npos) << message;
}

TEST_F(BundleWriterTest, AKernelWithoutCodeIsRefused) {
  entries.clear();
  EXPECT_TRUE(failed(write((place / "x.sinter").string())));
  EXPECT_NE(message.find("runs @k, which the code of variant 'fast' does not have"),
            std::string::npos)
      << message;
  EXPECT_TRUE(fs::is_empty(place));
}

TEST_F(BundleWriterTest, ARecipeThatDoesNotFitTheFileIsRefused) {
  gguf::test::FileBuilder builder;
  source = builder.tensor("v", {32}, 0, 128).build();
  file = llvm::cantFail(gguf::GGUFFile::parse(source, "other.gguf"));
  EXPECT_TRUE(failed(write((place / "x.sinter").string())));
  EXPECT_NE(message.find("other.gguf has no tensor 'w'"), std::string::npos) << message;
  EXPECT_TRUE(fs::is_empty(place));
}
