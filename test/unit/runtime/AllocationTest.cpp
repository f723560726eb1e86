//===- AllocationTest.cpp - After initialisation nothing allocates ---------------===//
//
// Every way to memory that a C++ program has is counted: malloc and its kin (operator new goes
// through it) and mmap are replaced in this binary. Then all calls of sinter.h that a running app
// makes are made.
//
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define SINTER_COUNTS_ALLOCATIONS 0
#else
#define SINTER_COUNTS_ALLOCATIONS 1
#endif

namespace {
std::atomic<unsigned> allocations{0};
}

#if SINTER_COUNTS_ALLOCATIONS
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
void *mmap(void *address, size_t length, int protection, int flags, int descriptor,
           off_t offset) noexcept {
  ++allocations;
  return reinterpret_cast<void *>(
      syscall(SYS_mmap, address, length, protection, flags, descriptor, offset));
}
}
#endif

namespace {

using namespace sinter::test;

TEST(Allocation, CountingWorks) {
  if (!SINTER_COUNTS_ALLOCATIONS)
    GTEST_SKIP() << "sanitizers bring an allocator of their own";
  unsigned before = allocations;
  void *volatile memory = malloc(10);
  free(memory);
  ::operator delete(::operator new(8)); // called by name: not optimised away
  void *pages = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages, 4096);
  EXPECT_GE(allocations - before, 3u);
}

TEST(Allocation, NothingAfterInitialisation) {
  if (!SINTER_COUNTS_ALLOCATIONS)
    GTEST_SKIP() << "sanitizers bring an allocator of their own";
  toy_model model;
  toy_session session(model, 3);
  const char text[] = "some text";
  std::vector<uint64_t> work(sinter_tokenize_workspace(model, sizeof(text)) / 8 + 1);
  std::vector<int32_t> ids(2 * sizeof(text) + 3), targets(ids.size(), 3);
  std::vector<float> scores(ids.size());
  std::vector<char> out(sinter_detokenize_capacity(model));
  sinter_sampling sampling{};
  sampling.struct_bytes = sizeof(sampling);
  sampling.temperature = 0.8f;
  sampling.top_k = 40;
  sampling.top_p = 0.95f;
  sinter_candidate best[5];
  sinter_error error;

  std::vector<sinter_profile_entry> profile(sinter_profile_entries(model));

  unsigned before = allocations;
  size_t count = 0, bytes = 0;
  int32_t token = 0;
  bool ok = sinter_tokenize(model, text, sizeof(text), 0, work.data(), work.size() * 8, ids.data(),
                            ids.size(), &count, &error) == SINTER_OK;
  ok &= sinter_prefill(session, ids.data(), count) == SINTER_OK;
  sinter_detokenizer stream;
  sinter_detokenizer_init(&stream, model, 0);
  ok &= sinter_profile_start(session, profile.data(), profile.size()) == SINTER_OK;
  for (int i = 0; i < 30; ++i) {
    ok &= sinter_sample(session, &sampling, &token, best, 5) == SINTER_OK;
    ok &= sinter_detokenize(&stream, model, token, out.data(), out.size(), &bytes) == SINTER_OK;
    ok &= sinter_step(session, token) == SINTER_OK;
  }
  ok &= sinter_detokenize_finish(&stream, out.data(), out.size(), &bytes) == SINTER_OK;
  sinter_profile_stop(session);
  sinter_barrier_nanoseconds(session);
  ok &= sinter_rewind(session, 0) == SINTER_OK;
  ok &= sinter_score(session, ids.data(), targets.data(), count, scores.data()) == SINTER_OK;
  ok &= sinter_step(session, -1) == SINTER_INVALID_TOKEN; // errors do not allocate either
  unsigned after = allocations;
  EXPECT_TRUE(ok) << sinter_session_error(session);
  EXPECT_EQ(after - before, 0u);
}

} // namespace
