//===- ApiTest.cpp - sinter.h on a whole small model ------------------------------===//

#include "sinter/sinter.h"
#include "test/unit/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern "C" int sinter_header_is_c(void);

using namespace sinter;
using namespace sinter::test;

namespace {

/// The toy's hidden state after these tokens.
float hidden_after(const std::vector<int32_t> &tokens) {
  float sum = 0;
  for (int32_t token : tokens)
    sum += float(token % 8) / 8;
  return sum;
}

std::vector<int32_t> some_tokens(size_t count) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; ++i)
    tokens[i] = int32_t(i * 37 % toy_vocabulary);
  return tokens;
}

class Api : public testing::TestWithParam<uint32_t> {};

TEST_P(Api, PrefillInChunksEqualsSteps) {
  toy_model model;
  for (size_t count :
       {size_t(1), size_t(7), size_t(toy_chunk), size_t(toy_chunk + 1), size_t(toy_context)}) {
    std::vector<int32_t> tokens = some_tokens(count);
    toy_session whole(model, GetParam()), stepped(model, GetParam());
    ASSERT_EQ(sinter_prefill(whole, tokens.data(), count), SINTER_OK)
        << sinter_session_error(whole);
    for (int32_t token : tokens)
      ASSERT_EQ(sinter_step(stepped, token), SINTER_OK) << sinter_session_error(stepped);
    EXPECT_EQ(sinter_position(whole), count);
    EXPECT_EQ(sinter_position(stepped), count);
    float hidden = hidden_after(tokens);
    for (uint32_t v = 0; v < toy_vocabulary; ++v) {
      ASSERT_EQ(sinter_logits(whole)[v], -(float(v) - hidden) * (float(v) - hidden)) << v;
      ASSERT_EQ(sinter_logits(stepped)[v], sinter_logits(whole)[v]) << v;
    }
  }
}

TEST_P(Api, ScoresAreLogLikelihoods) {
  toy_model model;
  toy_session scored(model, GetParam()), stepped(model, GetParam());
  std::vector<int32_t> tokens = some_tokens(toy_chunk + 5), targets = some_tokens(toy_chunk + 6);
  targets.erase(targets.begin());
  targets[3] = -1;
  std::vector<float> scores(tokens.size(), 77);
  ASSERT_EQ(sinter_score(scored, tokens.data(), targets.data(), tokens.size(), scores.data()),
            SINTER_OK);
  EXPECT_EQ(sinter_logits(scored), nullptr);
  for (size_t i = 0; i < tokens.size(); ++i) {
    ASSERT_EQ(sinter_step(stepped, tokens[i]), SINTER_OK);
    const float *logits = sinter_logits(stepped);
    double total = 0;
    for (uint32_t v = 0; v < toy_vocabulary; ++v)
      total += std::exp(double(logits[v]));
    double expected = targets[i] < 0 ? 0 : double(logits[targets[i]]) - std::log(total);
    EXPECT_NEAR(scores[i], expected, 1e-4 * std::fabs(expected) + 1e-5) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Api, testing::Values(1, 2, 3));

TEST(Session, ErrorsLeaveItUnchanged) {
  toy_model model;
  toy_session session(model, 1);
  std::vector<int32_t> tokens = some_tokens(toy_context + 1);
  auto text = [&] { return std::string(sinter_session_error(session)); };
  EXPECT_EQ(sinter_prefill(session, tokens.data(), tokens.size()), SINTER_CONTEXT_FULL);
  EXPECT_NE(text().find("position 0 + 65 tokens exceeds the context of 64"), std::string::npos)
      << text();
  EXPECT_EQ(sinter_prefill(session, tokens.data(), 0), SINTER_INVALID_ARGUMENT);
  EXPECT_EQ(sinter_prefill(session, nullptr, 1), SINTER_INVALID_ARGUMENT);
  tokens[2] = int32_t(toy_vocabulary);
  EXPECT_EQ(sinter_prefill(session, tokens.data(), 4), SINTER_INVALID_TOKEN);
  EXPECT_NE(text().find("tokens[2] is 259, must be 0 .. 258"), std::string::npos) << text();
  EXPECT_EQ(sinter_step(session, -1), SINTER_INVALID_TOKEN);
  EXPECT_EQ(sinter_position(session), 0u);
  int32_t token = 0;
  EXPECT_EQ(sinter_sample(session, nullptr, &token, nullptr, 0), SINTER_NO_LOGITS);
  EXPECT_EQ(sinter_rewind(session, 1), SINTER_INVALID_ARGUMENT);
  ASSERT_EQ(sinter_step(session, 5), SINTER_OK);
  EXPECT_EQ(text(), "");
  EXPECT_EQ(sinter_step(nullptr, 5), SINTER_INVALID_ARGUMENT);
}

TEST(Session, RewindForgets) {
  toy_model model;
  toy_session session(model, 2);
  std::vector<int32_t> tokens = some_tokens(20);
  ASSERT_EQ(sinter_prefill(session, tokens.data(), 20), SINTER_OK);
  ASSERT_EQ(sinter_rewind(session, 5), SINTER_OK);
  EXPECT_EQ(sinter_logits(session), nullptr);
  ASSERT_EQ(sinter_step(session, 3), SINTER_OK);
  tokens.resize(5);
  tokens.push_back(3);
  float hidden = hidden_after(tokens);
  EXPECT_EQ(sinter_logits(session)[0], -hidden * hidden);
}

TEST(Session, TwoOfOneModelDoNotMeet) {
  toy_model model;
  auto work = [&](int32_t token) {
    toy_session session(model, 2);
    for (uint32_t i = 1; i <= toy_context; ++i) {
      ASSERT_EQ(sinter_step(session, token), SINTER_OK);
      float hidden = float(i) * float(token % 8) / 8;
      ASSERT_EQ(sinter_logits(session)[0], -hidden * hidden);
    }
  };
  std::thread other([&] { work(3); });
  work(5);
  other.join();
}

TEST(Session, TakesExactlyTheMemoryItNames) {
  toy_model model;
  for (uint32_t threads : {1u, 2u, 7u}) {
    uint64_t bytes = sinter_session_memory(model, threads);
    aligned_bytes memory(bytes + 64);
    memset(memory.data(), 0xa5, bytes + 64);
    sinter_session_options options{};
    options.struct_bytes = sizeof(options);
    options.threads = threads;
    options.memory = memory.data();
    options.memory_bytes = bytes - 1;
    sinter_session *session = nullptr;
    sinter_error error{};
    EXPECT_EQ(sinter_session_create(model, &options, &session, &error), SINTER_OUT_OF_MEMORY);
    EXPECT_NE(std::string(error.text).find(std::to_string(bytes)), std::string::npos) << error.text;
    options.memory_bytes = bytes;
    ASSERT_EQ(sinter_session_create(model, &options, &session, &error), SINTER_OK) << error.text;
    EXPECT_EQ(sinter_threads(session), threads);
    std::vector<int32_t> tokens = some_tokens(toy_context - 1);
    ASSERT_EQ(sinter_prefill(session, tokens.data(), tokens.size()), SINTER_OK);
    ASSERT_EQ(sinter_step(session, 1), SINTER_OK);
    sinter_session_destroy(session);
    for (int i = 0; i < 64; ++i)
      ASSERT_EQ(memory.data()[bytes + uint64_t(i)], 0xa5)
          << "byte " << i << " behind the session's memory";
  }
  EXPECT_EQ(sinter_session_memory(model, 0), 0u);
  EXPECT_EQ(sinter_session_memory(model, SINTER_MAX_THREADS + 1), 0u);
}

TEST(Sampling, GreedyMaskBiasCandidates) {
  toy_model model;
  toy_session session(model, 1);
  std::vector<int32_t> tokens(16, 4); // hidden = 16 * 0.5
  ASSERT_EQ(sinter_prefill(session, tokens.data(), tokens.size()), SINTER_OK);
  int32_t token = -1;
  ASSERT_EQ(sinter_sample(session, nullptr, &token, nullptr, 0), SINTER_OK);
  EXPECT_EQ(token, 8);

  sinter_sampling sampling{};
  sampling.struct_bytes = sizeof(sampling);
  sampling.top_p = 1;
  uint32_t mask[(toy_vocabulary + 31) / 32] = {};
  mask[0] = 1u << 3 | 1u << 20;
  sampling.mask = mask;
  sinter_candidate best[3];
  ASSERT_EQ(sinter_sample(session, &sampling, &token, best, 3), SINTER_OK)
      << sinter_session_error(session);
  EXPECT_EQ(token, 3);
  EXPECT_EQ(best[0].token, 3);
  EXPECT_EQ(best[0].logit, -25.0f);
  EXPECT_EQ(best[1].token, 20);
  EXPECT_EQ(best[2].token, -1);
  EXPECT_NEAR(best[0].probability + best[1].probability, 1, 1e-5);

  sinter_bias bias = {20, 1000};
  sampling.bias = &bias;
  sampling.bias_count = 1;
  ASSERT_EQ(sinter_sample(session, &sampling, &token, nullptr, 0), SINTER_OK);
  EXPECT_EQ(token, 20);
  mask[0] = 0;
  EXPECT_EQ(sinter_sample(session, &sampling, &token, nullptr, 0), SINTER_INVALID_ARGUMENT);
  sampling.temperature = NAN;
  EXPECT_EQ(sinter_sample(session, &sampling, &token, nullptr, 0), SINTER_INVALID_ARGUMENT);
  // A caller compiled against an older, shorter struct.
  sampling = {};
  sampling.struct_bytes = 8;
  EXPECT_EQ(sinter_sample(session, &sampling, &token, nullptr, 0), SINTER_OK);
  EXPECT_EQ(token, 8);
}

TEST(Sampling, SeedsRepeat) {
  toy_model model;
  toy_session session(model, 1);
  ASSERT_EQ(sinter_step(session, 4), SINTER_OK);
  sinter_sampling sampling{};
  sampling.struct_bytes = sizeof(sampling);
  sampling.temperature = 5;
  sampling.top_p = 1;
  auto draw = [&](uint64_t seed) {
    std::vector<int32_t> drawn(20);
    sinter_seed(session, seed);
    for (int32_t &token : drawn)
      EXPECT_EQ(sinter_sample(session, &sampling, &token, nullptr, 0), SINTER_OK);
    return drawn;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(Text, RoundTripAndStreaming) {
  toy_model model;
  std::string text =
      "h\xc3\xa4\xe2\x82\xac"; // bytes only in this vocabulary: every character comes in parts
  std::vector<uint64_t> work(sinter_tokenize_workspace(model, text.size()) / 8 + 1);
  int32_t ids[32];
  size_t count = 0;
  sinter_error error{};
  ASSERT_EQ(sinter_tokenize(model, text.data(), text.size(), 0, work.data(), work.size() * 8, ids,
                            32, &count, &error),
            SINTER_OK)
      << error.text;
  EXPECT_EQ(ids[0], 1) << "BOS";
  EXPECT_EQ(sinter_tokenize(model, text.data(), text.size(), 0, work.data(), work.size() * 8, ids,
                            2, &count, &error),
            SINTER_BUFFER_TOO_SMALL);
  EXPECT_GT(count, 2u);
  ASSERT_EQ(sinter_tokenize(model, text.data(), text.size(), SINTER_TOKENIZE_NO_BOS, work.data(),
                            work.size() * 8, ids, 32, &count, &error),
            SINTER_OK);
  sinter_detokenizer stream;
  sinter_detokenizer_init(&stream, model, SINTER_DETOKENIZE_CONTINUATION);
  std::vector<char> out(sinter_detokenize_capacity(model));
  std::string written;
  for (size_t i = 0; i < count; ++i) {
    size_t bytes = 0;
    ASSERT_EQ(sinter_detokenize(&stream, model, ids[i], out.data(), out.size(), &bytes), SINTER_OK);
    if (bytes) {
      EXPECT_NE(static_cast<unsigned char>(out[0]) & 0xc0, 0x80) << "begins inside a character";
    }
    written.append(out.data(), bytes);
  }
  size_t bytes = 0;
  ASSERT_EQ(sinter_detokenize_finish(&stream, out.data(), out.size(), &bytes), SINTER_OK);
  written.append(out.data(), bytes);
  EXPECT_NE(written.find(text), std::string::npos);
  EXPECT_EQ(sinter_detokenize(&stream, model, 100000, out.data(), out.size(), &bytes),
            SINTER_INVALID_TOKEN);
  EXPECT_TRUE(sinter_is_end_of_generation(model, 2));
  EXPECT_FALSE(sinter_is_end_of_generation(model, 1000));
  EXPECT_EQ(sinter_token_piece(model, 1, nullptr, 0, &bytes), SINTER_BUFFER_TOO_SMALL);
  EXPECT_EQ(bytes, 3u) << "<s>";
}

// ---- Opening
// ---------------------------------------------------------------------------------------

class temporary_file {
public:
  explicit temporary_file(const aligned_bytes &content) {
    int descriptor = mkstemp(name);
    close(descriptor);
    std::ofstream(name, std::ios::binary)
        .write(reinterpret_cast<const char *>(content.data()), std::streamsize(content.size()));
  }
  ~temporary_file() { unlink(name); }
  const char *path() const { return name; }

private:
  char name[32] = "/tmp/sinter-test-XXXXXX";
};

/// All kernels are the code that stores 42 at its first binding, run from the bundle.
bundle::BundleT coded_bundle() {
  bundle::BundleT root = toy_bundle();
  // The first binding of decode's first dispatch becomes the logits.
  root.programs[3]->groups.resize(1);
  root.programs[3]->groups[0]->dispatches[0]->bindings[0]->offset = toy_memory::logits;
  return root;
}

TEST(Open, RunsCodeFromTheFile) {
  temporary_file file(pack(coded_bundle(), toy_segments_with_tokenizer()));
  sinter_model *model = nullptr;
  sinter_error error{};
  ASSERT_EQ(sinter_open(file.path(), nullptr, &model, &error), SINTER_OK) << error.text;
  sinter_session *session = nullptr;
  ASSERT_EQ(sinter_session_create(model, nullptr, &session, &error), SINTER_OK) << error.text;
  ASSERT_EQ(sinter_step(session, 0), SINTER_OK);
  uint32_t stored;
  memcpy(&stored, sinter_logits(session), sizeof(stored));
  EXPECT_EQ(stored, 42u);
  // W^X: no mapping of this process that can be executed can be written.
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    EXPECT_EQ(line.find(" rwx"), std::string::npos) << line;
  sinter_session_destroy(session);
  sinter_close(model);
}

TEST(Open, RunsCodeFromMemory) {
  aligned_bytes bytes = pack(coded_bundle(), toy_segments_with_tokenizer());
  sinter_model *model = nullptr;
  sinter_error error{};
  ASSERT_EQ(sinter_open_bytes(bytes.data(), bytes.size(), nullptr, &model, &error), SINTER_OK)
      << error.text;
  sinter_session *session = nullptr;
  ASSERT_EQ(sinter_session_create(model, nullptr, &session, &error), SINTER_OK) << error.text;
  ASSERT_EQ(sinter_step(session, 0), SINTER_OK);
  uint32_t stored;
  memcpy(&stored, sinter_logits(session), sizeof(stored));
  EXPECT_EQ(stored, 42u);
  sinter_session_destroy(session);
  sinter_close(model);
}

sinter_status try_open(const bundle::BundleT &root, const char *variant, sinter_error &error,
                       std::string *picked = nullptr, uint32_t flags = 0) {
  aligned_bytes bytes = pack(root, toy_segments_with_tokenizer());
  sinter_open_options options{};
  options.struct_bytes = sizeof(options);
  options.variant = variant;
  options.flags = flags;
  sinter_model *model = nullptr;
  sinter_status status = sinter_open_bytes(bytes.data(), bytes.size(), &options, &model, &error);
  if (model) {
    sinter_model_facts facts{};
    facts.struct_bytes = sizeof(facts);
    sinter_get_facts(model, &facts);
    if (picked)
      *picked = facts.variant;
  }
  sinter_close(model);
  return status;
}

/// "impossible" first, then "base", then "spare"; all with the same code.
bundle::BundleT three_variants() {
  bundle::BundleT root = toy_bundle();
  auto impossible = std::make_unique<bundle::VariantT>(*root.variants[0]);
  impossible->name = "impossible";
  impossible->features = {"neverland"};
  auto spare = std::make_unique<bundle::VariantT>(*root.variants[0]);
  spare->name = "spare";
  root.variants.insert(root.variants.begin(), std::move(impossible));
  root.variants.push_back(std::move(spare));
  for (auto &kernel : root.kernels)
    kernel->entries.assign(3, {0, 0});
  return root;
}

TEST(Open, PicksTheFirstVariantThatFits) {
  sinter_error error{};
  std::string picked;
  ASSERT_EQ(try_open(three_variants(), nullptr, error, &picked), SINTER_OK) << error.text;
  EXPECT_EQ(picked, "base");
  ASSERT_EQ(try_open(three_variants(), "spare", error, &picked), SINTER_OK) << error.text;
  EXPECT_EQ(picked, "spare");
  for (const char *name : {"impossible", "unheard"}) {
    ASSERT_EQ(try_open(three_variants(), name, error), SINTER_NO_VARIANT);
    std::string text = error.text;
    EXPECT_NE(text.find(std::string("'") + name + "'"), std::string::npos) << text;
    EXPECT_NE(text.find("impossible (this CPU lacks neverland), base (runs here), spare"),
              std::string::npos)
        << text;
  }
  bundle::BundleT only = three_variants();
  only.variants[1]->features = only.variants[2]->features = {"neverland", "sse4.2"};
  ASSERT_EQ(try_open(only, nullptr, error), SINTER_NO_VARIANT);
  EXPECT_NE(std::string(error.text)
                .find("no variant of this bundle runs on this CPU; needs one of: impossible"),
            std::string::npos)
      << error.text;
}

TEST(Open, OtherMachinesBundlesAreForLookingOnly) {
  bundle::BundleT root = toy_bundle();
  root.target = "pdp11";
  sinter_error error{};
  EXPECT_EQ(try_open(root, nullptr, error), SINTER_UNSUPPORTED);
  EXPECT_NE(std::string(error.text).find("target is 'pdp11'"), std::string::npos) << error.text;
  EXPECT_EQ(try_open(root, nullptr, error, nullptr, SINTER_OPEN_METADATA_ONLY), SINTER_OK)
      << error.text;
}

TEST(Open, BadTokenizerTablesAreRefused) {
  aligned_bytes bytes = pack(toy_bundle(), toy_segments()); // 64 zero bytes
  sinter_model *model = nullptr;
  sinter_error error{};
  EXPECT_EQ(sinter_open_bytes(bytes.data(), bytes.size(), nullptr, &model, &error),
            SINTER_INVALID_BUNDLE);
  EXPECT_NE(std::string(error.text).find("tokenizer segment: "), std::string::npos) << error.text;
  bundle::BundleT other = toy_bundle();
  other.model->vocabulary = toy_vocabulary - 1;
  EXPECT_EQ(try_open(other, nullptr, error), SINTER_INVALID_BUNDLE);
  EXPECT_NE(std::string(error.text).find("tokens is 259, must be model.vocabulary (258)"),
            std::string::npos)
      << error.text;
}

TEST(Open, FilesThatAreNone) {
  sinter_model *model = nullptr;
  sinter_error error{};
  EXPECT_EQ(sinter_open("/nonexistent/x.sinter", nullptr, &model, &error), SINTER_IO_ERROR);
  EXPECT_NE(std::string(error.text).find("/nonexistent/x.sinter: cannot be opened"),
            std::string::npos)
      << error.text;
  EXPECT_EQ(sinter_open("/tmp", nullptr, &model, &error), SINTER_IO_ERROR);
  EXPECT_EQ(sinter_open("/dev/null", nullptr, &model, nullptr), SINTER_IO_ERROR);
  EXPECT_EQ(sinter_open(nullptr, nullptr, &model, &error), SINTER_INVALID_ARGUMENT);
  EXPECT_EQ(model, nullptr);
  sinter_close(nullptr);
  sinter_session_destroy(nullptr);
}

/// Copies a bundle onto a file system that is mounted noexec and opens it there, in a process of
/// its own. Exit codes: 0 as it should be, 1 not, 2 there can be no such mount here.
[[noreturn]] void open_on_noexec_mount(const char *source) {
  char place[] = "/tmp/sinter-noexec-XXXXXX";
  if (!mkdtemp(place))
    _exit(2);
  bool mounted = unshare(CLONE_NEWNS) == 0 &&
                 mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 mount("none", place, "tmpfs", MS_NOEXEC, nullptr) == 0;
  int code = 2;
  if (mounted) {
    std::string path = std::string(place) + "/copy.sinter";
    std::ofstream(path, std::ios::binary) << std::ifstream(source, std::ios::binary).rdbuf();
    sinter_model *model = nullptr;
    sinter_error error{};
    sinter_status status = sinter_open(path.c_str(), nullptr, &model, &error);
    std::string text = error.text;
    bool good = status == SINTER_EXECUTION_FORBIDDEN && text.find("noexec") != std::string::npos &&
                text.find("static") != std::string::npos;
    // With static kernels nothing has to be executed from the file.
    std::vector<sinter_static_kernel> kernels = toy_kernels();
    sinter_open_options options{};
    options.struct_bytes = sizeof(options);
    options.static_kernels = kernels.data();
    options.static_kernel_count = kernels.size();
    good = good && sinter_open(path.c_str(), &options, &model, &error) == SINTER_OK;
    if (!good)
      fprintf(stderr, "status %d: %s\n", status, error.text);
    code = good ? 0 : 1;
    umount2(place, MNT_DETACH);
  }
  rmdir(place);
  _exit(code);
}

TEST(Open, ANoexecMountIsNamedAndStaticKernelsHelp) {
  temporary_file file(pack(coded_bundle(), toy_segments_with_tokenizer()));
  pid_t child = fork();
  if (child == 0)
    open_on_noexec_mount(file.path());
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFEXITED(state));
  if (WEXITSTATUS(state) == 2)
    GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(WEXITSTATUS(state), 0);
}

TEST(Open, FromC) { EXPECT_EQ(sinter_header_is_c(), SINTER_IO_ERROR); }

TEST(Open, EveryStatusHasAText) {
  for (int status = 0; status <= SINTER_NO_LOGITS; ++status)
    EXPECT_STRNE(sinter_status_text(static_cast<sinter_status>(status)), "unknown status")
        << status;
}

TEST(Profile, NeedsRoomForAllDispatches) {
  toy_model model;
  toy_session session(model, 2);
  size_t count = sinter_profile_entries(model);
  EXPECT_EQ(count, 7u); // the toy's programs: 2 + 1 + 1 + 3
  EXPECT_EQ(sinter_profile_entries(nullptr), 0u);
  std::vector<sinter_profile_entry> entries(count);
  EXPECT_EQ(sinter_profile_start(session, nullptr, count), SINTER_INVALID_ARGUMENT);
  EXPECT_EQ(sinter_profile_start(session, entries.data(), count - 1), SINTER_BUFFER_TOO_SMALL);
  EXPECT_NE(std::string(sinter_session_error(session)).find("7 entries"), std::string::npos)
      << sinter_session_error(session);
  ASSERT_EQ(sinter_profile_start(session, entries.data(), count), SINTER_OK);
  ASSERT_EQ(sinter_step(session, 1), SINTER_OK);
  sinter_profile_stop(session);
  ASSERT_EQ(sinter_step(session, 1), SINTER_OK);
  uint64_t calls = 0;
  for (const sinter_profile_entry &entry : entries) {
    EXPECT_EQ(entry.calls, std::string(entry.program) == "decode" ? 1u : 0u);
    calls += entry.calls;
  }
  EXPECT_EQ(calls, 3u);
  EXPECT_GT(sinter_barrier_nanoseconds(session), 0u);
  EXPECT_EQ(sinter_barrier_nanoseconds(nullptr), 0u);
}

sinter_session_options on_cpus(const std::vector<uint32_t> &cpus, uint32_t threads) {
  sinter_session_options options{};
  options.struct_bytes = sizeof(options);
  options.threads = threads;
  options.cpus = cpus.data();
  options.cpu_count = cpus.size();
  return options;
}

TEST(Cpus, AreRefusedByNumber) {
  toy_model model;
  sinter_session *session = nullptr;
  sinter_error error{};
  std::vector<uint32_t> cpus = {0, 1023};
  sinter_session_options options = on_cpus(cpus, 0);
  EXPECT_EQ(sinter_session_create(model, &options, &session, &error), SINTER_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.text).find("processor 1023 is none"), std::string::npos)
      << error.text;
  options = on_cpus(cpus, 3);
  EXPECT_EQ(sinter_session_create(model, &options, &session, &error), SINTER_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.text).find("3 threads on 2 processors"), std::string::npos)
      << error.text;
  options.cpus = nullptr;
  EXPECT_EQ(sinter_session_create(model, &options, &session, &error), SINTER_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.text).find("options.cpus is NULL"), std::string::npos) << error.text;
  EXPECT_EQ(session, nullptr);
}

TEST(Cpus, SayHowManyThreads) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  std::vector<uint32_t> cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu)
    if (CPU_ISSET(cpu, &before))
      cpus.push_back(cpu);
  toy_model model;
  sinter_session *session = nullptr;
  sinter_session_options options = on_cpus(cpus, 0);
  ASSERT_EQ(sinter_session_create(model, &options, &session, nullptr), SINTER_OK);
  EXPECT_EQ(sinter_threads(session), cpus.size());
  EXPECT_EQ(sinter_step(session, 1), SINTER_OK);
  EXPECT_EQ(sched_getcpu(), int(cpus[0]));
  sinter_session_destroy(session);
  sched_setaffinity(0, sizeof(before), &before);
}

} // namespace
